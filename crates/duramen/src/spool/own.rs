//! The journal that a queue of this process writes.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::layout::PAGE;
use super::mapping::Mapping;
use super::{Appender, Destination, Header, Journal, SIZES, recover, recover_rest, system};
use crate::report;

/// A journal in a file that is mapped into memory. Dropped while nothing in it waits, it removes the file; otherwise it
/// leaves it to who opens the folder when the process has ended.
///
/// ```
/// use duramen::spool::{self, Destination, OwnAppender, OwnJournal};
///
/// # let folder = tempfile::tempdir()?;
/// let appender: OwnAppender = spool::create(folder.path(), spool::DEFAULT_SIZE, vec![Destination::Stdout])?;
/// let journal: &OwnJournal = appender.journal();
/// let path = journal.memory().file().path().to_owned();
/// assert!(path.exists());
/// drop(appender); // nothing in it waits
/// assert!(!path.exists());
/// # std::io::Result::Ok(())
/// ```
pub type OwnJournal = Journal<Mapping>;

/// Who writes such a journal.
///
/// ```
/// use duramen::spool::{self, Destination, OwnAppender};
///
/// # let folder = tempfile::tempdir()?;
/// let appender: OwnAppender = spool::create(folder.path(), spool::DEFAULT_SIZE, vec![Destination::Stdout])?;
/// assert!(appender.journal().is_empty());
/// # std::io::Result::Ok(())
/// ```
pub type OwnAppender = Appender<Mapping>;

/// A journal's file ends so.
pub(super) const SUFFIX: &str = ".journal";
/// So does one that is being made.
pub(super) const SUFFIX_OF_NEW: &str = ".journal.new";

/// The open file of a journal, which is locked while its process lives.
#[derive(Debug)]
pub struct OwnFile {
    file: File,
    path: PathBuf,
    process: u32,
    /// It was removed here, or it has been said that somebody else did.
    is_removal_known: AtomicBool,
}

impl OwnFile {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Gives it its name; false where somebody has removed it.
    pub(super) fn rename(&mut self, path: PathBuf) -> io::Result<bool> {
        match std::fs::rename(&self.path, &path) {
            Ok(()) => self.path = path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Says once that somebody has removed it.
    pub(super) fn report_removal(&self) {
        if self.was_taken_away() {
            let path = self.path.display();
            let text =
                format_args!("{path}: somebody has removed it: what waits is lost if the process is killed");
            report::error("journal", &text);
        }
    }

    /// Whether somebody else has removed it; true once.
    fn was_taken_away(&self) -> bool {
        !system::has_a_name(&self.file) && !self.is_removal_known.swap(true, Ordering::SeqCst)
    }

    pub(super) fn remove(&self) {
        // A forked child has it as well, and it is not the child's.
        if self.process == std::process::id() {
            // The thread that delivers may look at any moment.
            self.is_removal_known.store(true, Ordering::SeqCst);
            // What cannot be removed is empty: who looks through the folder removes it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Makes a journal with a ring of `size` bytes, one of [`SIZES`], in `folder`, which is made where it is missing.
///
/// ```
/// use duramen::spool::{self, Destination};
///
/// # let folder = tempfile::tempdir().unwrap();
/// let error = spool::create(folder.path(), 1, vec![Destination::Stdout]).err().unwrap();
/// assert_eq!(error.to_string(), "found 1 bytes, expected 65536 to 1073741824");
/// ```
///
/// # Errors
/// When the system refuses the folder or the file, or cannot keep all of its blocks for it.
pub fn create(folder: &Path, size: usize, destinations: Vec<Destination>) -> io::Result<OwnAppender> {
    if !SIZES.contains(&size) {
        let text = format!("found {size} bytes, expected {} to {}", SIZES.start(), SIZES.end());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    system::make_folder(folder)?;
    let folder = std::path::absolute(folder)?;
    let process = std::process::id();
    let made = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut header = Header {
        identity: 0,
        process,
        process_start: system::process_start(),
        made,
        ring: size.next_multiple_of(PAGE),
        destinations,
    };
    loop {
        header.identity = new_identity();
        let name = format!("{process}-{}-{:016x}", header.process_start, header.identity);
        let Some(bytes) = header.encode() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a path of a handler is too long"));
        };
        let (new, path) = (folder.join(name.clone() + SUFFIX_OF_NEW), folder.join(name + SUFFIX));
        let file = system::make_file(&new)?;
        let is_removal_known = AtomicBool::new(false);
        let file = OwnFile { file, path: new.clone(), process, is_removal_known };
        match map(file, &bytes, header.ring, path) {
            Ok(Some(mapping)) => return Ok(Journal::new(mapping, header.identity)),
            // Somebody who looked through the folder took it for one that was left behind.
            Ok(None) => {}
            Err(error) => {
                let _ = std::fs::remove_file(&new);
                return Err(error);
            }
        }
    }
}

/// The same as [`create`] for a program that starts. Where the disk has no room, that may be for journals of processes that
/// have ended: their lines are delivered at once then, before it is tried again.
///
/// ```
/// use duramen::spool::{self, Destination};
///
/// # let folder = tempfile::tempdir()?;
/// let size = *spool::SIZES.start();
/// let appender = spool::create_making_room(folder.path(), size, vec![Destination::Stdout])?;
/// assert!(appender.journal().is_empty());
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
/// Those of [`create`].
pub fn create_making_room(
    folder: &Path,
    size: usize,
    destinations: Vec<Destination>,
) -> io::Result<OwnAppender> {
    match create(folder, size, destinations.clone()) {
        Err(error) if system::is_out_of_room(&error) => {}
        outcome => return outcome,
    }
    let mut left = recover(folder);
    let mut delivered = 0;
    loop {
        for orphan in left.orphans {
            orphan.report_doubt();
            let (count, outcome) = orphan.deliver();
            delivered += count;
            if let Err(error) = outcome {
                report::error("journal", &format_args!("{}: {error}", orphan.path().display()));
            }
        }
        if left.rest.is_empty() {
            break;
        }
        left = recover_rest(left.rest);
    }
    if delivered > 0 {
        let folder = folder.display();
        let text =
            format_args!("{folder}: there was no room: {delivered} entries that waited were delivered");
        report::error("journal", &text);
    }
    create(folder, size, destinations)
}

/// Fills the file and gives it its name, `path`; `None` where somebody has taken it meanwhile.
fn map(file: OwnFile, header: &[u8], ring: usize, path: PathBuf) -> io::Result<Option<Mapping>> {
    if !system::lock_for_life(&file.file)? {
        return Ok(None);
    }
    system::allocate(&file.file, (header.len() + ring) as u64)?;
    system::write_at(&file.file, header, 0)?;
    let mut mapping = Mapping::new(file, header.len(), ring)?;
    // Until it has its name, nobody takes it for a journal.
    Ok(mapping.rename(path)?.then_some(mapping))
}

/// The half of the identities that all journals of this program, until it is replaced by another one, share.
fn half_of_program() -> u64 {
    static HALF: OnceLock<u64> = OnceLock::new();
    *HALF.get_or_init(|| RandomState::new().hash_one(std::process::id()) >> 32 << 32)
}

fn new_identity() -> u64 {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // A forked child has the random keys of its parent.
    let salt = (std::process::id(), now, MADE.fetch_add(1, Ordering::Relaxed));
    half_of_program() | (RandomState::new().hash_one(salt) >> 32)
}

/// Whether a file of this name is a journal of this very process. Opening and closing it would end its lock.
pub(super) fn is_own(name: &str) -> bool {
    let mut parts = name.split(['-', '.']);
    let (process, _start, identity) = (parts.next(), parts.next(), parts.next());
    let process = process.and_then(|text| text.parse::<u32>().ok());
    let identity = identity.and_then(|text| u64::from_str_radix(text, 16).ok());
    process == Some(std::process::id())
        && identity.is_some_and(|identity| identity >> 32 << 32 == half_of_program())
}

#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn a_removal_is_told_once_and_not_where_it_was_done_here() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = |name| {
            let path = folder.path().join(name);
            let file = system::make_file(&path).expect("a file");
            let (process, is_removal_known) = (std::process::id(), AtomicBool::new(false));
            OwnFile { file, path, process, is_removal_known }
        };
        let taken = made("taken");
        assert!(!taken.was_taken_away());
        std::fs::remove_file(taken.path()).expect("it is there");
        assert_eq!((taken.was_taken_away(), taken.was_taken_away()), (true, false));

        // A record on its way may look after it when the process has come to its end.
        let ended = made("ended");
        ended.remove();
        assert!(!ended.was_taken_away() && !ended.path().exists());
    }
}
