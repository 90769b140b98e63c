//! A queue in front of other handlers whose lines outlive the process.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::Handler;
use super::batch::{Batch, Delivery};
use super::queue_front::{Behind, Front};
use crate::ending::Pending;
use crate::queue::{Ledger, Offer, Options, Queue, Room, Tally};
use crate::spool::{self, Destination, Orphan, OwnJournal, Refused, Ticket};
use crate::{Filter, Level, Record, report};

/// What a handler writes as lines, which can be made before they are written, and kept by another process.
///
/// ```
/// use duramen::handler::{LineHandler, StreamHandler};
/// use duramen::{Handler, Level, Record, spool};
///
/// let handler = StreamHandler::stderr();
/// let lines: &dyn LineHandler = handler.as_lines().unwrap();
/// assert_eq!(lines.destination(), Some(spool::Destination::Stderr));
/// let mut line = Vec::new();
/// assert!(lines.render(&Record::new("shop", Level::INFO, "paid"), &mut line)); // no filter holds it back
/// assert_eq!(line, b"paid\n");
/// assert!(lines.write_line(&line)); // now, or another process later
/// ```
pub trait LineHandler: Handler {
    /// Where the lines go; `None` where no other process could write them.
    fn destination(&self) -> Option<Destination>;

    /// Appends the line of `record`, masked and with its terminator, to `line`; false when a filter holds it back.
    fn render(&self, record: &Record<'_>, line: &mut Vec<u8>) -> bool;

    /// Writes a line; false when that failed, which has been reported.
    fn write_line(&self, line: &[u8]) -> bool;
}

/// An [`AsyncHandler`](super::AsyncHandler) whose queue lies in a [journal](crate::spool) as well: what was accepted
/// before the process was killed is delivered by the next one that makes such a handler with the same folder.
///
/// The caller makes the lines of the handlers behind, which all have to be [`LineHandler`]s: those on files, standard output
/// and standard error. A forked child has to make handlers of its own.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use duramen::filter::NameFilter;
/// use duramen::handler::{FileHandler, JournaledHandler};
/// use duramen::queue::Options;
/// use duramen::{Handler, Level, Manager, spool, warning};
///
/// # let folder = tempfile::tempdir()?;
/// # let (log, journals) = (folder.path().join("shop.log"), folder.path().join("spool"));
/// let file = Arc::new(FileHandler::new(&log)?);
/// let handler = JournaledHandler::new(vec![file], Options::default(), &journals, spool::DEFAULT_SIZE)?;
/// handler.set_level(Level::INFO);
/// handler.add_filter(Arc::new(NameFilter::new("shop")));
/// let handler = Arc::new(handler);
///
/// let manager = Manager::new();
/// manager.root().add_handler(handler.clone());
/// warning!(manager.get_logger("shop"), "low on paper"); // kept, should the process be killed now
/// assert!(handler.flush_within(Duration::from_secs(5)));
/// assert_eq!((handler.stats().delivered, handler.stats().recovered, handler.unjournaled()), (1, 0, 0));
/// handler.close();
/// assert_eq!(std::fs::read_to_string(log)?, "low on paper\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct JournaledHandler {
    front: Front,
    kept: Arc<Journaled>,
    unjournaled: AtomicU64,
}

/// What is behind the queue, and the journal in which it lies as well.
struct Journaled {
    behind: Behind<Item, VecDeque<Item>>,
    journal: OwnJournal,
}

/// The lines of a record.
#[derive(Default)]
struct Item {
    bytes: Vec<u8>,
    /// For each line the handler and where it ends.
    parts: SmallVec<[(usize, usize); 2]>,
    kept: Option<Kept>,
}

/// Where an item stands.
enum Kept {
    Own(Ticket),
    /// At this place of what an earlier process left.
    Earlier(Arc<Earlier>, usize),
}

/// What an earlier process left, and who writes the lines for each of its destinations.
struct Earlier {
    orphan: Orphan,
    writers: Vec<EarlierWriter>,
}

enum EarlierWriter {
    /// The handler at this place, so that its lines are on the disk when its own would be.
    Handler(usize),
    /// Nobody has the file any more; `None`: there are no lines for it.
    File(Option<File>),
}

impl JournaledHandler {
    /// A queue in front of `handlers`, with a journal of `size` bytes in `folder`. What earlier processes left there is
    /// delivered first.
    ///
    /// # Errors
    /// When a handler writes no lines that others could write, when the journal cannot be made, or when the operating
    /// system starts no thread.
    pub fn new(
        handlers: Vec<Arc<dyn Handler>>,
        options: Options,
        folder: &Path,
        size: usize,
    ) -> io::Result<Self> {
        let destinations = handlers.iter().enumerate().map(destination).collect::<io::Result<Vec<_>>>()?;
        let journal = spool::create(folder, size, destinations.clone()).map_err(|error| {
            io::Error::new(error.kind(), format!("journal {}: {error}", folder.display()))
        })?;
        let queue = Arc::new(Queue::new(options, handlers.len()));
        queue.recover(recovered(folder, &destinations));
        let behind = Behind { name: "JournaledHandler", queue, handlers: handlers.into() };
        journal.prepare();
        let kept = Arc::new(Journaled { behind, journal });
        let pending: Arc<dyn Pending> = Arc::<Journaled>::clone(&kept);
        let of_worker = Arc::clone(&kept);
        let deliver = move |batch: &mut _, tally: &mut _| of_worker.deliver(batch, tally);
        let front = Front::start(&kept.behind.queue, &pending, deliver)?;
        Ok(Self { front, kept, unjournaled: AtomicU64::new(0) })
    }

    /// Sets the least severe level that the handler takes.
    pub fn set_level(&self, level: Level) {
        self.front.gate.set_level(level);
    }

    /// Adds a filter, asked before anything is written down.
    pub fn add_filter(&self, filter: Arc<dyn Filter>) {
        self.front.gate.add_filter(filter);
    }

    /// Where the records have gone.
    pub fn stats(&self) -> Ledger {
        self.kept.behind.queue.ledger()
    }

    /// Records that were longer than the whole journal: they were delivered as without one.
    pub fn unjournaled(&self) -> u64 {
        self.unjournaled.load(Ordering::Relaxed)
    }

    /// Waits until the handlers behind have all that was handled before, `timeout` at most; false when that was not
    /// enough. They are not flushed then.
    pub fn flush_within(&self, timeout: Duration) -> bool {
        self.kept.behind.flush_within(Some(timeout))
    }

    /// Writes an item down; false when the queue's policy drops it for want of room, which it waits for until `until`.
    fn keep(&self, item: &mut Item, level: Level, until: Option<Instant>) -> bool {
        let Journaled { journal, behind } = &*self.kept;
        let queue = &behind.queue;
        let word = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        loop {
            let parts = item.parts.iter().map(|(place, end)| (word(*place), word(*end)));
            match journal.append(&item.bytes, parts) {
                Ok(ticket) => {
                    item.kept = Some(Kept::Own(ticket));
                    return true;
                }
                Err(Refused::TooLong) => {
                    self.unjournaled.fetch_add(1, Ordering::Relaxed);
                    report::error("JournaledHandler", &"a record is longer than the whole journal");
                    return true;
                }
                Err(Refused::Full) => {}
            }
            match queue.make_room(level) {
                Room::Refused => return false,
                Room::Evicted(evicted) => {
                    if let Some(Kept::Own(given_up)) = evicted.kept {
                        let parts = item.parts.iter().map(|(place, end)| (word(*place), word(*end)));
                        if let Ok(ticket) = journal.append_in_place_of(given_up, &item.bytes, parts) {
                            item.kept = Some(Kept::Own(ticket));
                            return true;
                        }
                    }
                }
                Room::Awaited => {
                    let now = Instant::now();
                    if until.is_some_and(|until| until <= now) {
                        queue.give_up();
                        return false;
                    }
                    let next = now + BETWEEN_LOOKS;
                    journal.wait_for_room(until.map_or(next, |until| until.min(next)));
                }
            }
        }
    }
}

/// A wait for room looks this often whether the queue has been closed.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

fn destination((place, handler): (usize, &Arc<dyn Handler>)) -> io::Result<Destination> {
    handler.as_lines().and_then(LineHandler::destination).ok_or_else(|| {
        let text = format!(
            "journal: handlers[{place}]: expected a handler on a file, standard output or standard error: who delivers a \
             journal writes lines"
        );
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })
}

/// What earlier processes left, in front of handlers with these destinations. A journal whose destinations cannot be opened
/// stays.
fn recovered(folder: &Path, behind: &[Destination]) -> Vec<Item> {
    let mut items = Vec::new();
    for orphan in spool::recover(folder).orphans {
        orphan.report_doubt();
        match orphan.open() {
            Ok(files) => {
                let count = orphan.contents().entries.len();
                let writer = |(file, destination): (Option<File>, &Destination)| {
                    let own = behind.iter().position(|own| own == destination);
                    own.map_or(EarlierWriter::File(file), EarlierWriter::Handler)
                };
                let destinations = &orphan.contents().header.destinations;
                let writers = files.into_iter().zip(destinations).map(writer).collect();
                let earlier = Arc::new(Earlier { orphan, writers });
                let item = |place| Item {
                    kept: Some(Kept::Earlier(Arc::clone(&earlier), place)),
                    ..Item::default()
                };
                items.extend((0..count).map(item));
            }
            Err(error) => report::error("journal", &format_args!("{}: {error}", orphan.path().display())),
        }
    }
    items
}

impl Journaled {
    fn deliver(&self, batch: &mut VecDeque<Item>, tally: &mut Tally) {
        for item in &*batch {
            match &item.kept {
                Some(Kept::Own(ticket)) => self.journal.begin(*ticket),
                Some(Kept::Earlier(earlier, place)) => earlier.begin(*place),
                None => {}
            }
        }
        let mut delivery = Batch::begin(self.behind.name, &self.behind.handlers);
        let (mut ended, mut earlier_ended) = (Vec::new(), Vec::new());
        while let Some(item) = batch.pop_front() {
            match item.kept {
                Some(Kept::Earlier(earlier, place)) => {
                    if earlier.deliver(place, &mut delivery) {
                        earlier_ended.push((earlier, place));
                    }
                }
                Some(Kept::Own(ticket)) => {
                    Self::deliver_one(&item, &mut delivery);
                    ended.push(ticket);
                }
                None => Self::deliver_one(&item, &mut delivery),
            }
        }
        // Nothing has come to its end before the system has it.
        let is_written = delivery.end(tally);
        self.journal.end(ended);
        self.journal.prepare();
        // Of what an earlier process left stays for the next start what may not have been written.
        for (earlier, place) in earlier_ended.iter().filter(|_| is_written) {
            earlier.end(*place);
        }
    }

    fn deliver_one(item: &Item, delivery: &mut Batch<'_>) {
        let mut lines = item.parts.iter().peekable();
        let mut begin = 0;
        delivery.item(|place, handler| {
            let Some((_, end)) = lines.next_if(|(own, _)| *own == place) else { return Delivery::BelowLevel };
            let line = item.bytes.get(begin..*end).unwrap_or_default();
            begin = *end;
            if handler.as_lines().is_some_and(|handler| handler.write_line(line)) {
                Delivery::Given
            } else {
                Delivery::Failed
            }
        });
    }

    /// An item that is not delivered leaves the journal as well. What an earlier process left stays there.
    fn give_up(&self, item: &Item) {
        if let Some(Kept::Own(ticket)) = item.kept {
            self.journal.end([ticket]);
        }
    }
}

impl Pending for Journaled {
    fn hand_on(&self, longest: Duration) {
        if self.behind.hand_on(longest, "in its journal, for the next start") {
            self.journal.discard_if_empty();
        }
    }
}

impl Earlier {
    fn begin(&self, place: usize) {
        if let Some(entry) = self.orphan.contents().entries.get(place) {
            self.orphan.begin(entry);
        }
    }

    fn end(&self, place: usize) {
        if let Some(entry) = self.orphan.contents().entries.get(place) {
            self.orphan.end(entry);
        }
    }

    /// Gives the lines of an entry to who writes them; false when one has failed.
    fn deliver(&self, place: usize, delivery: &mut Batch<'_>) -> bool {
        let Some(entry) = self.orphan.contents().entries.get(place) else { return true };
        let lines = || self.orphan.lines(entry).zip(&entry.lines).map(|((_, line), (to, _))| (line, *to));
        let mut is_whole = true;
        for (line, to) in lines() {
            if let Some(EarlierWriter::File(Some(file))) = self.writers.get(to) {
                let written = (&*file).write_all(line);
                is_whole &= written.inspect_err(|error| report::error("journal", error)).is_ok();
            }
        }
        if !is_whole {
            delivery.item_failed_alone();
            return false;
        }
        delivery.item(|own, handler| {
            let is_own = |to: usize| matches!(self.writers.get(to), Some(EarlierWriter::Handler(place)) if *place == own);
            let mut outcome = Delivery::None;
            for (line, _) in lines().filter(|(_, to)| is_own(*to)) {
                let is_written = handler.as_lines().is_some_and(|handler| handler.write_line(line));
                is_whole &= is_written;
                outcome = if is_written { Delivery::Given } else { Delivery::Failed };
            }
            outcome
        });
        is_whole
    }
}

impl Handler for JournaledHandler {
    fn level(&self) -> Level {
        self.front.gate.level()
    }

    fn handle(&self, record: &Record<'_>) {
        if !self.front.gate.passes(record) {
            return;
        }
        let mut item = Item::default();
        let Journaled { behind, .. } = &*self.kept;
        for (place, handler) in behind.handlers.iter().enumerate() {
            let lines = handler.as_lines().filter(|_| record.level >= handler.level());
            if lines.is_some_and(|handler| handler.render(record, &mut item.bytes)) {
                item.parts.push((place, item.bytes.len()));
            }
        }
        // One wait for both, the journal and the queue.
        let until = behind.queue.longest_wait();
        if !self.keep(&mut item, record.level, until) {
            return;
        }
        match behind.queue.put(item, record.level, until) {
            Offer::Accepted(evicted) => {
                if let Some(evicted) = evicted {
                    self.kept.give_up(&evicted);
                }
                Front::has_put(behind);
            }
            Offer::Dropped(item) | Offer::Full(item) => self.kept.give_up(&item),
        }
    }

    fn flush(&self) {
        self.kept.behind.flush_within(None);
    }

    fn close(&self) {
        self.front.end(&self.kept.behind);
        self.kept.journal.discard_if_empty();
        self.front.close(&self.kept.behind);
    }
}

impl Drop for JournaledHandler {
    fn drop(&mut self) {
        self.front.end(&self.kept.behind);
    }
}
