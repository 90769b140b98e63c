//! Where the worker of a queue writes: files that stay open until the last line for them is written.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use duramen::fs::LogFile as _;
use duramen::queue::Tally;
use duramen::report;
use duramen::rotation::line_end::Moved;
use duramen::rotation::turn;
use duramen::writer::fsync::Syncer;
use parking_lot::Mutex;
use pyo3::prelude::*;
use smallvec::SmallVec;

use super::journaled::{self, Kept, Slot};
use super::rolling::Rolling;
use super::system::pause;

/// What waits in a queue.
pub(crate) enum Item {
    /// A record as the lines that the handlers behind the queue write.
    Lines(Lines),
    /// A record for handlers that are written in Python.
    Record(Py<PyAny>, Option<Kept>),
}

impl Item {
    /// Where it stands in a journal.
    pub(super) fn kept(&mut self) -> &mut Option<Kept> {
        match self {
            Self::Lines(lines) => &mut lines.kept,
            Self::Record(_, kept) => kept,
        }
    }
}

/// The lines of one record, one after the other.
pub(crate) struct Lines {
    pub(crate) bytes: Vec<u8>,
    pub(crate) parts: SmallVec<[Part; 1]>,
    /// Places of the handlers whose level is above that of the record.
    pub(crate) skipped: SmallVec<[usize; 4]>,
    pub(crate) kept: Option<Kept>,
}

impl Lines {
    /// Whether one of them is for a file that is rolled over or watched.
    pub(super) fn roll(&self) -> bool {
        self.parts.iter().any(|part| part.outlet.rolling.is_some())
    }
}

/// The line for one handler.
pub(crate) struct Part {
    /// The handler's; none for a line that an earlier process left.
    pub(crate) place: Option<usize>,
    pub(crate) end: usize,
    pub(crate) outlet: Arc<Outlet>,
}

/// An open file. It has a descriptor of its own, so that closing the handler's stream takes it from nobody.
pub(crate) struct Outlet {
    /// Only who writes takes it.
    file: Mutex<File>,
    /// Regular files take any number of lines at once. Elsewhere others may write too, and only so many bytes
    /// stay together (`PIPE_BUF` of POSIX is at least 512, that of Linux and the BSDs 4096 or 512).
    is_regular: bool,
    /// What is missing of the last line, which was written in part, on a full disk for instance: it comes before the next
    /// one. Where that never comes, the line stays torn; it counts as failed in any case.
    rest: Mutex<Vec<u8>>,
    /// Brings the file to the disk, where that was asked for.
    syncer: Option<Arc<Syncer>>,
    /// For a file that is rolled over or watched.
    rolling: Option<Rolling>,
}

/// What a thread of Python's can do about files that are rolled over: the handler at this place gives the file to which a
/// line is to be written.
pub(super) type Prepare<'a> = dyn Fn(usize, &Rolling, &[u8]) -> Option<File> + 'a;

const MOST_AT_ONCE: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

impl Outlet {
    pub(super) fn new(file: File, syncer: Option<Arc<Syncer>>, rolling: Option<Rolling>) -> Self {
        let is_regular = file.metadata().is_ok_and(|status| status.is_file());
        Self { file: Mutex::new(file), is_regular, rest: Mutex::default(), syncer, rolling }
    }

    pub(super) fn rolling(&self) -> Option<&Rolling> {
        self.rolling.as_ref()
    }

    /// The same for lines that begin at `begin`, as many at a time as go into the file, which the handler rolls over in
    /// between.
    fn deliver_rolling(
        &self,
        rolling: &Rolling,
        lines: &Gathered,
        prepare: &Prepare<'_>,
    ) -> (usize, Option<io::Error>) {
        let (mut begin, mut done, mut rounds) = (0, 0, 0);
        while done < lines.ends.len() {
            let ends = &lines.ends[done..];
            let mut count = rolling.fitting(&self.file.lock(), begin, ends);
            if count == 0 {
                let line = &lines.bytes[begin..ends[0]];
                let place = lines.owners[done].1.unwrap_or_default();
                if let Some(file) = prepare(place, rolling, line) {
                    self.go_on_with(file);
                }
                // It is written now, however long it is.
                count = 1;
            }
            let end = ends[count - 1];
            let secured = match rolling.secure(&self.file.lock(), end - begin) {
                Ok(secured) => secured,
                Err(Moved) if rounds < turn::MOST_ROUNDS => {
                    rounds += 1;
                    continue;
                }
                Err(Moved) => None,
            };
            if secured.as_ref().is_some_and(|secured| secured.lacks_end) {
                self.end_line(lines);
            }
            let own: SmallVec<[usize; 64]> = ends[..count].iter().map(|end| end - begin).collect();
            let (written, error) = self.deliver(&lines.bytes[begin..end], &own);
            if error.is_some() {
                return (done + written, error);
            }
            (begin, done) = (end, done + count);
        }
        (done, None)
    }

    /// The last line of the file has no end. What is missing of one of its own is written before the next line anyway.
    fn end_line(&self, lines: &Gathered) {
        let mut rest = self.rest.lock();
        if rest.is_empty() && lines.bytes.ends_with(b"\n") {
            report::error("AsyncHandler", &"the last line of a file was cut off, and got an end");
            rest.push(b'\n');
        }
    }

    fn go_on_with(&self, file: File) {
        let identity = |file: &File| file.status().ok().and_then(|status| status.identity);
        let next = identity(&file);
        let previous = std::mem::replace(&mut *self.file.lock(), file);
        if identity(&previous) != next {
            // What is missing of a line that was cut is for the file before.
            self.rest.lock().clear();
        }
    }

    /// Writes lines that end at `ends`, and brings them to the disk together where every record has to be there; how many
    /// are written, and the error that stopped it.
    fn deliver(&self, bytes: &[u8], ends: &[usize]) -> (usize, Option<io::Error>) {
        let (written, error) = self.write_lines(bytes, ends);
        match &self.syncer {
            Some(syncer) if written > 0 => match syncer.has_written(&*self.file.lock()) {
                Ok(()) => (written, error),
                Err(error) => (0, Some(error)),
            },
            _ => (written, error),
        }
    }

    /// Writes lines that end at `ends`; how many of them are written, and the error that stopped it.
    fn write_lines(&self, bytes: &[u8], ends: &[usize]) -> (usize, Option<io::Error>) {
        if let Err(error) = self.write_rest() {
            return (0, Some(error));
        }
        let (mut begin, mut line) = (0, 0);
        while line < ends.len() {
            let mut last = line;
            while last + 1 < ends.len() && (self.is_regular || ends[last + 1] - begin <= MOST_AT_ONCE) {
                last += 1;
            }
            let mut written = begin;
            if let Err(error) = self.write_some(&bytes[..ends[last]], &mut written) {
                let whole = ends.partition_point(|end| *end <= written);
                let line_begin = if whole == 0 { 0 } else { ends[whole - 1] };
                if let Some(end) = ends.get(whole).filter(|_| written > line_begin) {
                    *self.rest.lock() = bytes[written..*end].to_vec();
                }
                return (whole, Some(error));
            }
            begin = ends[last];
            line = last + 1;
        }
        (ends.len(), None)
    }

    fn write_rest(&self) -> io::Result<()> {
        let mut rest = std::mem::take(&mut *self.rest.lock());
        let mut written = 0;
        let outcome = self.write_some(&rest, &mut written);
        if outcome.is_err() {
            rest.drain(..written);
            *self.rest.lock() = rest;
        }
        outcome
    }

    /// Writes what follows the first `written` of `bytes`, and counts it there.
    fn write_some(&self, bytes: &[u8], written: &mut usize) -> io::Result<()> {
        /// A receiver that takes nothing now is asked again, first soon and then less often.
        const PAUSES: [u64; 5] = [1, 2, 5, 10, 20];
        let mut refusals = 0;
        let file = self.file.lock();
        while *written < bytes.len() {
            match (&*file).write(&bytes[*written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => (*written, refusals) = (*written + count, 0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    pause(Duration::from_millis(PAUSES[refusals]));
                    refusals = (refusals + 1).min(PAUSES.len() - 1);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What goes to one file out of a batch.
struct Gathered {
    outlet: Arc<Outlet>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The item and the place of the handler that each line is of.
    owners: Vec<(usize, Option<usize>)>,
}

/// Takes the lines from the front of `batch` up to the first record, and writes those for the same file together. Without
/// `prepare`, up to the first line for a file that is rolled over, too.
pub(super) fn write_front(
    batch: &mut VecDeque<Item>,
    tally: &mut Tally,
    journal: &Slot,
    prepare: Option<&Prepare<'_>>,
) {
    let mut files: SmallVec<[Gathered; 4]> = SmallVec::new();
    let mut items = 0;
    let mut kept = Vec::new();
    while let Some(Item::Lines(lines)) = batch.front()
        && (prepare.is_some() || !lines.roll())
    {
        let Some(Item::Lines(lines)) = batch.pop_front() else { break };
        gather(&lines, items, &mut files);
        for place in lines.skipped {
            tally.handler(place).below_level += 1;
        }
        kept.extend(lines.kept.map(|kept| (items, kept)));
        items += 1;
    }
    for (_, kept) in &kept {
        journaled::begin(journal, kept);
    }
    let mut failed = vec![false; items];
    for file in files {
        let (whole, error) = match (file.outlet.rolling(), prepare) {
            (Some(rolling), Some(prepare)) => file.outlet.deliver_rolling(rolling, &file, prepare),
            _ => file.outlet.deliver(&file.bytes, &file.ends),
        };
        for (line, (item, place)) in file.owners.iter().enumerate() {
            let is_written = line < whole;
            failed[*item] |= !is_written;
            if let Some(counts) = place.map(|place| tally.handler(place)) {
                counts.delivered += u64::from(is_written);
                counts.failed += u64::from(!is_written);
            }
        }
        if let Some(error) = error {
            let count = file.ends.len() - whole;
            report::error("AsyncHandler", &format_args!("{count} records were not written: {error}"));
        }
    }
    journaled::end(journal, kept.into_iter().map(|(item, kept)| (kept, failed[item])));
    for has_failed in failed {
        tally.item(has_failed);
    }
}

/// Takes the records from the front of `items`, up to the first lines.
pub(super) fn records_in_front(items: &mut VecDeque<Item>) -> Vec<(Py<PyAny>, Option<Kept>)> {
    let mut records = Vec::new();
    loop {
        match items.pop_front() {
            Some(Item::Record(record, kept)) => records.push((record, kept)),
            Some(lines) => {
                items.push_front(lines);
                return records;
            }
            None => return records,
        }
    }
}

fn gather(lines: &Lines, item: usize, files: &mut SmallVec<[Gathered; 4]>) {
    let mut begin = 0;
    for part in &lines.parts {
        let known = files.iter().position(|file| Arc::ptr_eq(&file.outlet, &part.outlet));
        let place = known.unwrap_or_else(|| {
            let outlet = Arc::clone(&part.outlet);
            files.push(Gathered { outlet, bytes: Vec::new(), ends: Vec::new(), owners: Vec::new() });
            files.len() - 1
        });
        let file = &mut files[place];
        file.bytes.extend_from_slice(&lines.bytes[begin..part.end]);
        file.ends.push(file.bytes.len());
        file.owners.push((item, part.place));
        begin = part.end;
    }
}
