//! A journal that a process left behind, held by who delivers what is in it.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::claims::Claimed;
use super::layout::{LONGEST_FILE, PAGE};
use super::{Contents, Destination, Entry, State, Unreadable, read, system};
use crate::report;

/// A journal whose process has ended. Nobody else delivers it while this lives; when all of its entries have come to
/// their end, dropping it removes the file, or gives it another name where it was damaged.
///
/// ```
/// use std::io;
/// use std::path::Path;
///
/// use duramen::spool::{self, Orphan};
///
/// /// Delivers what killed processes have left, entry by entry.
/// fn replay(orphan: &Orphan) -> io::Result<()> {
///     orphan.report_doubt(); // which of the lines may come to stand twice
///     let files = orphan.open()?;
///     let destinations = &orphan.contents().header.destinations;
///     for entry in &orphan.contents().entries {
///         orphan.begin(entry);
///         for (destination, line) in orphan.lines(entry) {
///             let place = destinations.iter().position(|other| other == destination);
///             if let Some(file) = place.and_then(|place| files[place].as_ref()) {
///                 destination.append(file, line)?;
///             }
///         }
///         orphan.end(entry);
///     }
///     println!("{} is empty", orphan.path().display());
///     Ok(()) // or all of it with `deliver`
/// }
///
/// # use std::sync::Mutex;
/// # use duramen::spool::{Destination, Header, Journal, Memory};
/// # struct Ring<'a>(&'a Mutex<Vec<u8>>);
/// # impl Memory for Ring<'_> {
/// #     fn length(&self) -> usize { self.0.lock().unwrap().len() }
/// #     fn store(&self, offset: usize, bytes: &[u8]) {
/// #         self.0.lock().unwrap()[offset..offset + bytes.len()].copy_from_slice(bytes);
/// #     }
/// #     fn store_state(&self, offset: usize, word: u32) { self.store(offset, &word.to_le_bytes()); }
/// #     fn load(&self, offset: usize, length: usize, into: &mut Vec<u8>) {
/// #         into.extend_from_slice(&self.0.lock().unwrap()[offset..offset + length]);
/// #     }
/// # }
/// # let folder = tempfile::tempdir()?;
/// # let log = folder.path().join("app.log");
/// # let header = Header {
/// #     identity: 1, process: 1, process_start: 0, made: 0, ring: 64 * 1024,
/// #     destinations: vec![Destination::File(log.clone())],
/// # };
/// # let ring = Mutex::new(vec![0; header.ring]);
/// # Journal::new(Ring(&ring), header.identity).append(b"paid\n", [(0, 5)].into_iter()).unwrap();
/// # let mut file = header.encode().unwrap();
/// # file.extend_from_slice(&ring.into_inner().unwrap());
/// # let journals = folder.path().join("spool");
/// # std::fs::create_dir(&journals)?;
/// # std::fs::write(journals.join("1-0-0000000000000001.journal"), file)?;
/// for orphan in spool::recover(&journals).orphans {
///     replay(&orphan)?;
/// } // its file is gone now
/// assert_eq!(std::fs::read_to_string(log)?, "paid\n");
/// # assert_eq!(std::fs::read_dir(journals)?.count(), 0);
/// # io::Result::Ok(())
/// ```
pub struct Orphan {
    path: PathBuf,
    held: Held,
    /// The bytes of the file in which its entries lie, and where they begin.
    bytes: Vec<u8>,
    begin: usize,
    contents: Contents,
    /// Entries that have not come to their end.
    left: AtomicUsize,
    has_failed: AtomicBool,
    /// Whether it is to be removed at its end: not by who only looks.
    is_delivered_here: bool,
}

/// A file that no other process, and no other thread of this one, has while this lives.
pub(super) struct Held {
    file: File,
    /// Given up after the file is closed, which ends its lock.
    _claimed: Claimed,
}

/// What has been found under the name of a journal.
pub(super) enum Claim {
    /// It is ours to deliver.
    Orphan(Orphan),
    /// Its process lives, it belongs to another user, or another one delivers it.
    LeftAlone,
    /// It is no journal that can be read: ours to set aside.
    Unreadable(Unreadable, Held),
}

impl Orphan {
    pub(super) fn claim(path: &Path) -> io::Result<Claim> {
        // Those who deliver exclude each other as they exclude the owner: by a lock that no forked child has as well.
        let Some(claimed) = Claimed::of(path) else { return Ok(Claim::LeftAlone) };
        let Some(file) = system::open_own(path)? else { return Ok(Claim::LeftAlone) };
        // Who had it before may have removed it, or given it another name.
        if !system::lock_for_life(&file)? || !system::is_at(&file, path)? {
            return Ok(Claim::LeftAlone);
        }
        let held = Held { file, _claimed: claimed };
        match read_whole(&held.file)? {
            Ok((mut bytes, contents)) => {
                let begin = leave_entries(&mut bytes, &contents);
                let left = AtomicUsize::new(contents.entries.len());
                let has_failed = AtomicBool::new(false);
                let is_delivered_here = false;
                let path = path.to_owned();
                Ok(Claim::Orphan(Self {
                    path,
                    held,
                    bytes,
                    begin,
                    contents,
                    left,
                    has_failed,
                    is_delivered_here,
                }))
            }
            Err(reason) => Ok(Claim::Unreadable(reason, held)),
        }
    }

    /// Has it removed, or given another name, when it has come to its end.
    pub(super) fn for_delivery(mut self) -> Self {
        self.is_delivered_here = true;
        self
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// The lines of an entry and where they go.
    pub fn lines<'a>(&'a self, entry: &'a Entry) -> impl Iterator<Item = (&'a Destination, &'a [u8])> {
        entry.lines.iter().filter_map(|(place, range)| {
            Some((self.contents.header.destinations.get(*place)?, self.line(range)?))
        })
    }

    fn line(&self, range: &Range<usize>) -> Option<&[u8]> {
        self.bytes.get(range.start.checked_sub(self.begin)?..range.end.checked_sub(self.begin)?)
    }

    /// The bytes that it keeps in memory.
    pub(super) fn kept_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The files for the destinations of its lines, in the order of the header; `None` for those without a line.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn open(&self) -> io::Result<Vec<Option<File>>> {
        let destinations = self.contents.header.destinations.iter().enumerate();
        let open = |(place, destination): (usize, &Destination)| {
            let mut lines = self.contents.entries.iter().flat_map(|entry| &entry.lines);
            let is_needed = lines.any(|(other, _)| *other == place);
            is_needed.then(|| destination.open()).transpose().map_err(|error| {
                io::Error::new(error.kind(), format!("{destination} cannot be opened: {error}"))
            })
        };
        destinations.map(open).collect()
    }

    /// Delivers its entries in their order: how many, and what has stopped it.
    ///
    /// ```
    /// use std::io;
    ///
    /// use duramen::spool;
    ///
    /// /// Delivers all that killed processes have left: the number of entries.
    /// fn replay(folder: &std::path::Path) -> io::Result<usize> {
    ///     let delivered = spool::recover(folder).orphans.into_iter().map(|orphan| {
    ///         let (count, outcome) = orphan.deliver();
    ///         outcome.map(|()| count)
    ///     });
    ///     delivered.sum()
    /// }
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// assert_eq!(replay(folder.path()).unwrap(), 0);
    /// ```
    ///
    /// # Errors
    /// When a destination cannot be opened or written to. What was not delivered stays.
    pub fn deliver(&self) -> (usize, io::Result<()>) {
        let files = match self.open() {
            Ok(files) => files,
            Err(error) => return (0, Err(error)),
        };
        for (count, entry) in self.contents.entries.iter().enumerate() {
            self.begin(entry);
            for (place, range) in &entry.lines {
                let destination = self.contents.header.destinations.get(*place);
                let file = files.get(*place).and_then(Option::as_ref);
                let line = self.line(range);
                if let (Some(destination), Some(file), Some(line)) = (destination, file, line)
                    && let Err(error) = destination.append(file, line)
                {
                    return (count, Err(error));
                }
            }
            self.end(entry);
        }
        (self.contents.entries.len(), Ok(()))
    }

    /// Says which of its entries were being delivered when the process ended: their lines may come to stand twice.
    pub fn report_doubt(&self) {
        let in_doubt = self.contents.entries.iter().filter(|entry| entry.state == State::InFlight);
        let numbers: Vec<_> = in_doubt.map(|entry| entry.number).collect();
        if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
            let count = numbers.len();
            report::error(
                "journal",
                &format_args!(
                    "{}: {count} entries, {first} to {last}, were being written when their process ended, and \
                     may stand twice",
                    self.path.display()
                ),
            );
        }
    }

    /// Notes that an entry is about to be delivered.
    pub fn begin(&self, entry: &Entry) {
        self.store(entry, State::InFlight);
    }

    /// Notes that an entry has been delivered.
    pub fn end(&self, entry: &Entry) {
        self.store(entry, State::Done);
        self.left.fetch_sub(1, Ordering::AcqRel);
    }

    fn store(&self, entry: &Entry, state: State) {
        let result = system::write_at(&self.held.file, &state.word().to_le_bytes(), entry.offset as u64);
        if let Err(error) = result {
            // The lines are delivered all the same; the next one to look may deliver them again.
            if !self.has_failed.swap(true, Ordering::Relaxed) {
                report::error("journal", &format_args!("{}: {error}", self.path.display()));
            }
        }
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        let is_whole = self.is_delivered_here && !self.has_failed.load(Ordering::Relaxed);
        if !is_whole || self.left.load(Ordering::Acquire) > 0 {
            return;
        }
        if self.contents.damaged > 0 || self.contents.has_wrong_length {
            let reason =
                format_args!("{} entries are damaged, the others were delivered", self.contents.damaged);
            set_aside(&self.path, &reason);
        } else {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Gives a file another name, under which nobody looks at it again.
pub(super) fn set_aside(path: &Path, reason: &dyn std::fmt::Display) {
    let mut aside = path.to_owned().into_os_string();
    aside.push(".damaged");
    match std::fs::rename(path, &aside) {
        Ok(()) => report::error("journal", &format_args!("{}: {reason}; it is kept", aside.display())),
        Err(error) => report::error("journal", &format_args!("{}: {reason}; {error}", path.display())),
    }
}

/// What is in a file that may change or end at any moment.
pub(super) fn read_whole(file: &File) -> io::Result<Result<(Vec<u8>, Contents), Unreadable>> {
    let length = file.metadata()?.len();
    if length > LONGEST_FILE {
        return Ok(Err(Unreadable::TooLong(length)));
    }
    let mut bytes = Vec::new();
    file.take(PAGE as u64).read_to_end(&mut bytes)?;
    // What does not begin as a journal is not read to its end.
    if let Err(reason @ (Unreadable::Foreign | Unreadable::Version(_))) = read(&bytes) {
        return Ok(Err(reason));
    }
    file.take(LONGEST_FILE).read_to_end(&mut bytes)?;
    Ok(read(&bytes).map(|contents| (bytes, contents)))
}

/// Lets go of the bytes before the first line and behind the last one: most of a journal waits for nobody. Gives the place in
/// the file of those that are left.
fn leave_entries(bytes: &mut Vec<u8>, contents: &Contents) -> usize {
    let lines = || contents.entries.iter().flat_map(|entry| &entry.lines).map(|(_, line)| line);
    let end = lines().map(|line| line.end).max().unwrap_or(0);
    let begin = lines().map(|line| line.start).min().unwrap_or(0).min(end);
    bytes.truncate(end);
    bytes.drain(..begin.min(bytes.len()));
    bytes.shrink_to_fit();
    begin
}
