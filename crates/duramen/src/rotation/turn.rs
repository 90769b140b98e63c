//! Whose turn it is to roll over a file that several processes write to.
//!
//! Each process that finds the file due asks for its turn. The lock is that of the file itself, the one that is to get
//! another name: it needs no file beside the log, and ends with the process that holds it. What is certain under the
//! lock:
//!
//! 1. A file is rolled over by who has locked it, found it at its path, and has it open: by one process alone, since
//!    afterwards it is not at its path any more.
//! 2. Who finds another file at the path, or none, opens its own anew: somebody else has rolled over.
//! 3. A record is written to the file that was open when it was looked at, whatever its name has become: whole, once,
//!    and in a backup at worst.
//!
//! Nothing is asked of records that are not due: the length of the file, which all of its writers share, tells them.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::fs::{FileIdentity, FileSystem, LockedFile};

/// What was found at the path of a file that is due.
///
/// ```
/// use duramen::fs::{Disk, FileSystem};
/// use duramen::rotation::{Turn, turn};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("app.log");
/// let own = Disk.open(&path, false).unwrap().status().unwrap().identity;
/// match turn::take(&Disk, &path, own) {
///     Turn::Ours(lock) => {
///         Disk.rename(&path, &folder.path().join("app.log.1")).unwrap();
///         drop(lock); // others find that the file has moved
///     }
///     Turn::Moved | Turn::Taken => unreachable!("nobody else knows of this file"),
/// }
/// assert!(matches!(turn::take(&Disk, &path, own), Turn::Moved));
/// ```
#[derive(Debug)]
pub enum Turn {
    /// The file, locked. It is rolled over before the lock is dropped. Without a lock, where the system has none for it:
    /// no other process is known of then.
    Ours(Option<Box<dyn LockedFile>>),
    /// Another file, or none: the own one has been rolled over, and is to be opened anew.
    Moved,
    /// Somebody has held the lock all the time. The own file is written to as it is.
    Taken,
}

/// So long a process waits for others that roll the file over: with a rotator that compresses it takes a while. A
/// process that was stopped in the middle holds nobody up for longer.
///
/// ```
/// use duramen::rotation::turn::{MOST_ROUNDS, PATIENCE};
///
/// // What an end that waits for a rollover has to allow for.
/// assert_eq!((PATIENCE.as_secs(), MOST_ROUNDS), (10, 100));
/// ```
pub const PATIENCE: Duration = Duration::from_secs(10);

/// So often a process follows others at most before it writes to the file that it has then.
///
/// ```
/// use duramen::fs::FileIdentity;
/// use duramen::rotation::turn::MOST_ROUNDS;
///
/// /// Opens the file until it is the one at its path, or has moved too often.
/// fn follow(mut open: impl FnMut() -> Option<FileIdentity>, at_path: impl Fn() -> Option<FileIdentity>) -> bool {
///     (0..MOST_ROUNDS).any(|_| open() == at_path())
/// }
///
/// let here = Some(FileIdentity { device: 1, inode: 2 });
/// assert!(follow(|| here, || here));
/// ```
pub const MOST_ROUNDS: usize = 100;

/// The shortest and the longest pause between two looks at the lock.
const PAUSES: (Duration, Duration) = (Duration::from_micros(100), Duration::from_millis(5));

/// Whether the last wait was in vain: the next ones are not made until a lock is free again.
static IN_VAIN: AtomicBool = AtomicBool::new(false);

/// Asks for the turn to roll over the file at `path`, of which the caller has the file `own` open: `None` for a system
/// that does not tell files apart, or a caller that has none open.
///
/// ```
/// use duramen::{fs::Disk, rotation::{Turn, turn::take}};
///
/// // A system that does not tell files apart knows no other process.
/// assert!(matches!(take(&Disk, "app.log".as_ref(), None), Turn::Ours(None)));
/// ```
pub fn take(fs: &dyn FileSystem, path: &Path, own: Option<FileIdentity>) -> Turn {
    let Some(own) = own else { return Turn::Ours(None) };
    let started = Instant::now();
    let mut pause = PAUSES.0;
    loop {
        match look(fs, path, own) {
            Ok(Look::Locked(lock)) => {
                IN_VAIN.store(false, Ordering::Relaxed);
                return Turn::Ours(Some(lock));
            }
            Ok(Look::AnotherFile) => return Turn::Moved,
            Ok(Look::Again) => {}
            Ok(Look::LockedByOthers) => {
                if IN_VAIN.load(Ordering::Relaxed) || started.elapsed() >= PATIENCE {
                    IN_VAIN.store(true, Ordering::Relaxed);
                    return Turn::Taken;
                }
                wait(pause);
                pause = (pause * 2).min(PAUSES.1);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Turn::Moved,
            Err(_) => return Turn::Ours(None),
        }
    }
}

/// Whether another file has taken the place of the open file `own` at `path`; `None` as for [`take`].
///
/// A file that was only renamed is gone on with, as CPython's handlers do: who has moved it may say himself when it is
/// to be left.
///
/// ```
/// use duramen::fs::{Disk, FileSystem as _};
/// use duramen::rotation::turn::is_replaced;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("app.log");
/// let own = Disk.open(&path, false)?.status()?.identity;
/// std::fs::rename(&path, folder.path().join("app.log.1"))?;
/// assert!(!is_replaced(&Disk, &path, own));
/// Disk.open(&path, false)?;
/// # #[cfg(unix)]
/// assert!(is_replaced(&Disk, &path, own));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn is_replaced(fs: &dyn FileSystem, path: &Path, own: Option<FileIdentity>) -> bool {
    own.is_some() && fs.status(path).is_ok_and(|named| named.is_regular && named.identity != own)
}

/// What one look at the path has found.
enum Look {
    Locked(Box<dyn LockedFile>),
    LockedByOthers,
    AnotherFile,
    /// It was rolled over between two looks, and the lock is that of another file than the one at the path.
    Again,
}

fn look(fs: &dyn FileSystem, path: &Path, own: FileIdentity) -> io::Result<Look> {
    let lock = fs.try_lock(path)?;
    // Looked at while the lock is held: what is at the path stays there.
    if fs.status(path)?.identity != Some(own) {
        return Ok(Look::AnotherFile);
    }
    Ok(match lock {
        None => Look::LockedByOthers,
        Some(lock) if lock.identity()? == Some(own) => Look::Locked(lock),
        Some(_) => Look::Again,
    })
}

#[expect(clippy::disallowed_methods, reason = "another process tells nobody that it lets go of a lock")]
pub(crate) fn wait(pause: Duration) {
    thread::sleep(pause);
}
