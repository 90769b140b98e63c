//! What becomes of backups beyond what CPython's handlers do: compressed, limited by age and by size, archived.
//!
//! A rollover itself only renames, in the thread that writes. What takes time is a *sweep* (`sweep.rs`): it brings the
//! folder in order from whatever state it finds there, in a thread that ends when nothing is left to do. A program that
//! was killed in the middle therefore leaves no journal: the next sweep goes on, after the next rollover or start.
//!
//! What always holds:
//!
//! 1. A rollover gives no file a name that another one has.
//! 2. A backup is deleted in favour of its compressed form, or of its copy in the archive, when that is complete and on
//!    the disk, and when nobody has the backup open for writing: a writer that was held up between its look at the file
//!    and its write loses nothing.
//! 3. Only what has a name that a rollover of this file gives is renamed, compressed or deleted (`backups.rs`).
//! 4. The newest backup stays, whatever the clock says, and retention believes no clock that has jumped ahead since the
//!    program began.
//! 5. Names change while the log file is locked, as a rollover has it locked (see [`super::turn`]): by one process and
//!    one thread at a time. No bytes are read or written meanwhile.

mod backups;
mod compress;
mod interrupted;
mod leave;
mod options;
mod sweep;
mod threads;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use options::{Compression, InvalidOption, OnRotate, UpkeepOptions, parse_age};
pub use sweep::UpkeepStats;
pub use threads::{end_before_fork, go_on_after_fork};

use self::backups::{Backup, DateForms, Stamp, folder_of, next_stamp};
use self::sweep::Sweeper;
use crate::clock::Clock;
use crate::fs::FileSystem;

/// So long the end of a handler or of the program waits for backups that are being compressed.
///
/// ```
/// use duramen::rotation::upkeep::LONGEST_END;
///
/// assert_eq!(LONGEST_END.as_secs(), 5); // what is not done by then, the next start of the program does
/// ```
pub const LONGEST_END: Duration = Duration::from_secs(5);

/// The date in the name of a backup.
///
/// ```
/// use duramen::rotation::BackupDate;
///
/// let date = BackupDate { text: "2024-03-01_12", form: "%Y-%m-%d_%H" }; // by the hour
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BackupDate<'a> {
    /// Such as `2024-03-01`.
    pub text: &'a str,
    /// How it is written, such as `%Y-%m-%d`, so that it is recognised later.
    pub form: &'a str,
}

/// Names the backups of one file, and looks after them. Clones look after the same ones.
///
/// Whoever writes the file asks for the turn ([`super::turn::take`]), closes the file, and calls
/// [`Upkeep::roll_over`].
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::clock::SystemClock;
/// use duramen::fs::Disk;
/// use duramen::rotation::upkeep::LONGEST_END;
/// use duramen::rotation::{BackupDate, Compression, Upkeep, UpkeepOptions};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let path = folder.join("app.log");
/// let options = UpkeepOptions {
///     compression: Some(Compression::Gzip),
///     symlink: Some(folder.join("current")),
///     ..UpkeepOptions::default()
/// };
/// let upkeep = Upkeep::new(Arc::new(Disk), &path, options, Arc::new(SystemClock::default()))?;
/// upkeep.begin(); // with what an earlier run has left
/// std::fs::write(&path, "of Friday\n")?;
/// upkeep.link()?; // `current` leads to the file
/// upkeep.roll_over(Some(BackupDate { text: "2024-03-01", form: "%Y-%m-%d" }))?; // renames
/// std::fs::write(&path, "of Saturday\n")?; // its writer opens another one
/// assert!(upkeep.wait(LONGEST_END) && upkeep.wait_for_work(LONGEST_END));
/// assert!(folder.join("app.log.2024-03-01.gz").exists()); // a thread has compressed it
/// upkeep.sweep(); // in this thread: nothing is left to do
/// assert_eq!((upkeep.stats().rolled_over, upkeep.stats().compressed), (1, 1));
/// assert!(!upkeep.is_done_already(2_000_000_000, 2_000_000_001)); // no newer file is there
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Upkeep {
    sweeper: Arc<Sweeper>,
}

/// Two are the same when they look after the same backups together.
impl PartialEq for Upkeep {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.sweeper, &other.sweeper)
    }
}

impl Upkeep {
    /// Looks after the backups of the file `base` of `fs`. Nothing is touched before [`Upkeep::begin`].
    ///
    /// # Errors
    /// [`InvalidOption`] when options contradict each other, or what is on the disk ([`UpkeepOptions::check_on`]).
    pub fn new(
        fs: Arc<dyn FileSystem>,
        base: impl Into<PathBuf>,
        options: UpkeepOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidOption> {
        let base = base.into();
        options.check_on(fs.as_ref(), &base)?;
        Ok(Self { sweeper: Arc::new(Sweeper::new(fs, base, options, clock)) })
    }

    /// Makes the symbolic link.
    ///
    /// # Errors
    /// Those of the file system; [`io::ErrorKind::AlreadyExists`] where something else than a link has its name.
    pub fn link(&self) -> io::Result<()> {
        let Sweeper { fs, base, options, .. } = &*self.sweeper;
        let Some(link) = &options.symlink else { return Ok(()) };
        // In one folder without its path: both can be moved together then.
        let target = if folder_of(link) == folder_of(base) { base.file_name().map(Path::new) } else { None };
        fs.link(target.unwrap_or(base), link)
    }

    /// Brings in order what an earlier run has left, in the background.
    pub fn begin(&self) {
        self.sweeper.start();
    }

    /// Gives the file, which is closed and locked, the name of a backup: with `date`, and a number where there are
    /// several with it, or with the number 1, which the others make free. Then starts a sweep.
    ///
    /// # Errors
    /// Those of the file system; all files have a name of their own still.
    pub fn roll_over(&self, date: Option<BackupDate<'_>>) -> io::Result<()> {
        let Sweeper { fs, base, .. } = &*self.sweeper;
        // The link is as good as the file it names; what is wrong with it is said and stops nothing.
        self.sweeper.report("symlink", self.link());
        let identity = match fs.status(base) {
            Ok(status) => status.identity,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if let Some(date) = date {
            self.sweeper.set_forms(DateForms::with(date.form));
        }
        let backups = backups::list(fs.as_ref(), folder_of(base), base, &self.sweeper.forms())?;
        let stamp = if let Some(date) = date {
            next_stamp(&backups, date.text.to_owned())
        } else {
            self.shift(backups)?;
            Stamp { date: None, number: 1 }
        };
        fs.rename(base, &stamp.path(base, None))?;
        self.sweeper.has_rolled_over(identity);
        self.sweeper.start();
        Ok(())
    }

    /// Brings the backups in order now, in this thread.
    pub fn sweep(&self) {
        self.sweeper.sweep();
    }

    /// Waits until no sweep of this process is running, `longest` at most; whether that was in time.
    pub fn wait(&self, longest: Duration) -> bool {
        self.sweeper.wait(longest, false)
    }

    /// As [`Upkeep::wait`] before the end of the program: a sweep that waits for other processes to let go of their
    /// files is not waited for.
    pub fn wait_for_work(&self, longest: Duration) -> bool {
        self.sweeper.wait(longest, true)
    }

    /// Whether the file, which is due at `rollover_at` and found so `now`, has been made since: another process has
    /// rolled the last one over. Seconds since the epoch. A copy of an old file, as a restored one is, has not been.
    pub fn is_done_already(&self, rollover_at: i64, now: i64) -> bool {
        let Sweeper { fs, base, .. } = &*self.sweeper;
        // A time to come is that of another clock.
        let is_since = |created| (rollover_at..=now).contains(&created);
        fs.status(base)
            .is_ok_and(|status| status.created.is_some_and(is_since) && status.changed_at() >= rollover_at)
    }

    /// What has been done since the program began.
    pub fn stats(&self) -> UpkeepStats {
        self.sweeper.stats()
    }

    /// Adds one to the numbers of `backups`, the highest first, up to the first number that is free. What is above the
    /// number of backups that are kept, the sweep takes away.
    #[expect(clippy::indexing_slicing, reason = "no more than there are: so many were counted")]
    fn shift(&self, mut backups: Vec<Backup>) -> io::Result<()> {
        let Sweeper { fs, base, .. } = &*self.sweeper;
        backups.retain(|backup| backup.stamp.date.is_none());
        backups.sort_by_key(|backup| backup.stamp.number);
        let mut free = 1;
        let is_in_the_way = |backup: &&Backup| {
            let is_in_the_way = backup.stamp.number <= free;
            free = free.max(backup.stamp.number + 1);
            is_in_the_way
        };
        let count = backups.iter().take_while(is_in_the_way).count();
        for backup in backups[..count].iter().rev() {
            let stamp = Stamp { date: None, number: backup.stamp.number + 1 };
            fs.rename(&backup.path, &stamp.path(base, backup.compression))?;
        }
        Ok(())
    }
}
