//! The journal of a queue: what has been accepted outlives the process.

use std::mem;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use duramen::queue::Queue;
use duramen::report;
use duramen::spool::{self, Destination, Orphan, OwnAppender, OwnJournal, Ticket};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use smallvec::SmallVec;

use super::RecordQueue;
use super::waiting::{Item, Items, Lines, Part};

/// The journal of this process. It is made with the queue; in a forked child, at the first record. Where that
/// fails, there is none.
pub(super) type Slot = Arc<OnceLock<Option<Arc<OwnJournal>>>>;

/// The journal, where it has been made.
#[inline]
pub(super) fn opened(slot: &Slot) -> Option<&Arc<OwnJournal>> {
    slot.get().and_then(Option::as_ref)
}

/// Where an item of the queue stands.
pub(crate) enum Kept {
    /// It is to be written down when the queue takes it: these lines, or those of the item itself.
    Wanted(Option<Made>),
    /// In the journal of this process.
    Own(Ticket),
    /// In that of an earlier one, at this place of its entries.
    Earlier(Arc<Orphan>, usize),
}

/// Lines for the journal alone, and for each the place of its handler and where it ends.
#[derive(Default)]
pub(crate) struct Made {
    bytes: Vec<u8>,
    parts: SmallVec<[(u32, u32); 4]>,
}

impl Item {
    /// How many lines are to be written down, and how long they are together.
    pub(super) fn wanted(&self) -> Option<(usize, usize)> {
        match self {
            Self::Lines(Lines { bytes, parts, kept: Some(Kept::Wanted(_)), .. }) => {
                Some((parts.len(), bytes.len()))
            }
            Self::Record(_, Some(Kept::Wanted(Some(made)))) => Some((made.parts.len(), made.bytes.len())),
            _ => None,
        }
    }

    /// Writes it down, if that is wanted; false where there is no room for it now.
    pub(super) fn write_down(&mut self, appender: &mut OwnAppender) -> bool {
        let written = match self {
            Self::Lines(Lines { bytes, parts, kept: Some(Kept::Wanted(_)), .. }) => {
                let part = |part: &Part| (as_word(part.place.unwrap_or(usize::MAX)), as_word(part.end));
                appender.append(bytes, parts.iter().map(part))
            }
            Self::Record(_, Some(Kept::Wanted(Some(made)))) => {
                appender.append(&made.bytes, made.parts.iter().copied())
            }
            _ => {
                appender.let_go();
                return true;
            }
        };
        if let Ok(ticket) = written {
            *self.kept() = Some(Kept::Own(ticket));
        }
        written.is_ok()
    }
}

/// Notes that an item is about to be delivered.
pub(super) fn begin(journal: &Slot, kept: &Kept) {
    match kept {
        Kept::Wanted(_) => {}
        Kept::Own(ticket) => {
            if let Some(journal) = opened(journal) {
                journal.begin(*ticket);
            }
        }
        Kept::Earlier(orphan, place) => {
            if let Some(entry) = orphan.contents().entries.get(*place) {
                orphan.begin(entry);
            }
        }
    }
}

/// Notes that items have come to their end, and whether that was a failure. Those that an earlier process left stay
/// where they are until they are delivered.
pub(super) fn end(journal: &Slot, ended: impl IntoIterator<Item = (Kept, bool)>) {
    let mut tickets = Vec::new();
    for (kept, has_failed) in ended {
        match kept {
            Kept::Own(ticket) => tickets.push(ticket),
            Kept::Earlier(orphan, place) if !has_failed => {
                if let Some(entry) = orphan.contents().entries.get(place) {
                    orphan.end(entry);
                }
            }
            Kept::Earlier(..) | Kept::Wanted(_) => {}
        }
    }
    if let Some(journal) = opened(journal).filter(|_| !tickets.is_empty()) {
        journal.end(tickets);
    }
}

/// The folder, the size in bytes, and for each handler behind the queue the kind and the path of its destination.
pub(super) type JournalOptions = (PathBuf, usize, Vec<(String, PathBuf)>);

/// The options of a journal, and counts of what did not go the usual way.
pub(super) struct Settings {
    pub(super) folder: PathBuf,
    size: usize,
    /// Where the lines of the handlers behind the queue go, by their places.
    destinations: Vec<Destination>,
    unjournaled: AtomicU64,
    pub(super) in_doubt: AtomicU64,
    pub(super) damaged: AtomicU64,
    pub(super) set_aside: AtomicU64,
    /// So many forks come before the next look for what children left.
    pub(super) forks_before_look: AtomicU64,
}

impl Settings {
    pub(super) fn new((folder, size, behind): JournalOptions) -> PyResult<Self> {
        let destination = |(kind, path): (String, PathBuf)| match &*kind {
            "file" => Ok(Destination::File(path)),
            "stdout" => Ok(Destination::Stdout),
            "stderr" => Ok(Destination::Stderr),
            _ => Err(PyValueError::new_err(format!("there is no destination {kind:?}"))),
        };
        Ok(Self {
            folder,
            size,
            destinations: behind.into_iter().map(destination).collect::<PyResult<_>>()?,
            unjournaled: AtomicU64::new(0),
            in_doubt: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            set_aside: AtomicU64::new(0),
            forks_before_look: AtomicU64::new(0),
        })
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Makes the journal of this process, to which `queue` writes from now on.
    pub(super) fn create(&self, slot: &Slot, queue: &Queue<Item, Items>) -> PyResult<()> {
        let appender = spool::create_making_room(&self.folder, self.size, self.destinations.clone());
        let appender = appender.map_err(|error| {
            let text = format!("AsyncHandler: journal: {}: {error}", self.folder.display());
            match error.raw_os_error() {
                Some(number) => PyOSError::new_err((number, text)),
                None => PyOSError::new_err(text),
            }
        })?;
        appender.journal().prepare();
        put_into(slot, queue, appender);
        Ok(())
    }

    /// The journal of this process, which a forked child makes now.
    fn journal<'a>(&self, slot: &'a Slot, queue: &Queue<Item, Items>) -> Option<&'a Arc<OwnJournal>> {
        if slot.get().is_none() {
            match spool::create(&self.folder, self.size, self.destinations.clone()) {
                Ok(appender) => put_into(slot, queue, appender),
                Err(error) => {
                    let text = format_args!("journal: {}: {error}", self.folder.display());
                    report::error("AsyncHandler", &text);
                    let _ = slot.set(None);
                }
            }
        }
        opened(slot)
    }

    /// Whether to look before this fork for what children that have ended left: before each, unless many live.
    pub(super) fn has_to_look(&self) -> bool {
        let forks = &self.forks_before_look;
        forks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }

    /// The place of the handler that writes there.
    pub(super) fn place_of(&self, destination: &Destination) -> Option<usize> {
        self.destinations.iter().position(|own| own == destination)
    }

    /// For a forked child.
    pub(super) fn forget_counts(&self) {
        for count in [&self.unjournaled, &self.in_doubt, &self.damaged, &self.set_aside] {
            count.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn stats<'py>(&self, py: Python<'py>, slot: &Slot) -> PyResult<Bound<'py, PyDict>> {
        let stats = PyDict::new(py);
        let journal = opened(slot);
        stats
            .set_item("path", journal.map(|journal| journal.memory().file().path().as_os_str().to_owned()))?;
        stats.set_item("size", self.size)?;
        stats.set_item("used", journal.map_or(0, |journal| journal.used_bytes()))?;
        for (name, count) in [
            ("unjournaled", &self.unjournaled),
            ("in_doubt", &self.in_doubt),
            ("damaged", &self.damaged),
            ("set_aside", &self.set_aside),
        ] {
            stats.set_item(name, count.load(Ordering::Relaxed))?;
        }
        Ok(stats)
    }

    fn count_unjournaled(&self, reason: &str) {
        self.unjournaled.fetch_add(1, Ordering::Relaxed);
        report::error("AsyncHandler", &format_args!("journal: a record is not in it: {reason}"));
    }
}

/// Nobody else has made one meanwhile, since the thread stays attached.
fn put_into(slot: &Slot, queue: &Queue<Item, Items>, appender: OwnAppender) {
    let _ = slot.set(Some(Arc::clone(appender.journal())));
    queue.with_waiting(|items| items.set_appender(appender));
}

impl RecordQueue {
    /// Has lines written down when the queue takes them.
    pub(super) fn keep_lines(&self, lines: &mut Lines) {
        if self.could_hold(lines.parts.len(), lines.bytes.len()) {
            lines.kept = Some(Kept::Wanted(None));
        }
    }

    /// Gives up the journal, if nothing in it waits; the next record makes another one. No thread delivers meanwhile.
    pub(super) fn put_journal_away(&self) {
        let slot = self.slot();
        let Some(journal) = opened(&slot).filter(|journal| journal.is_empty()) else { return };
        // Nothing is written down meanwhile, since the thread stays attached.
        let appender = self.queue().with_waiting(Items::leave_appender);
        // SAFETY: attached; nothing runs while the reference lives.
        let previous = unsafe { mem::take(&mut (*self.present()).journal) };
        journal.discard_if_empty();
        drop((appender, previous));
    }

    /// Makes the journal for an item that is to be written down, where there is none any more since the queue was put to rest.
    pub(super) fn renew_journal_for(&self, item: &mut Item) {
        if item.wanted().is_none() {
            return;
        }
        let Some(settings) = &self.journal else { return };
        if settings.journal(&self.slot(), &self.queue()).is_none() {
            settings.unjournaled.fetch_add(1, Ordering::Relaxed);
            *item.kept() = None;
        }
    }

    /// The same for a record in Python form, of which the lines are told.
    pub(super) fn lines_of_record(&self, lines: Option<Vec<(usize, PyBackedBytes)>>) -> Option<Kept> {
        let settings = self.journal.as_ref()?;
        let Some(lines) = lines else {
            settings.count_unjournaled("its lines cannot be made beforehand");
            return None;
        };
        let mut made = Made::default();
        for (place, line) in lines {
            made.bytes.extend_from_slice(&line);
            made.parts.push((as_word(place), as_word(made.bytes.len())));
        }
        self.could_hold(made.parts.len(), made.bytes.len()).then_some(Kept::Wanted(Some(made)))
    }

    /// Has an item for which the journal has no room, and which cannot wait for some, not be written down; it is counted.
    pub(super) fn leave_out_of_journal(&self, item: &mut Item) {
        if let Some(settings) = &self.journal {
            settings.count_unjournaled("it is full, and who would make room waits for who logs");
        }
        *item.kept() = None;
    }

    /// Whether the journal is one for so many lines with so many bytes; otherwise that is counted.
    fn could_hold(&self, lines: usize, bytes: usize) -> bool {
        let Some(settings) = &self.journal else { return false };
        match settings.journal(&self.slot(), &self.queue()) {
            None => {
                settings.unjournaled.fetch_add(1, Ordering::Relaxed);
                false
            }
            Some(journal) if !journal.could_hold(lines, bytes) => {
                settings.count_unjournaled("it is longer than the whole journal");
                false
            }
            Some(_) => true,
        }
    }
}

/// Numbers in a journal are words; what is larger is refused by it.
pub(super) fn as_word(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
