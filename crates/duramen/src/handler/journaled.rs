//! A queue in front of other handlers whose lines outlive the process.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use smallvec::SmallVec;

use super::Handler;
use super::base::Gate;
use super::batch::{Batch, Delivery};
use crate::ending::{self, Pending};
use crate::queue::{Ledger, Offer, Options, Queue, Room, Tally, Worker};
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
    gate: Gate,
    behind: Arc<Behind>,
    options: Options,
    unjournaled: AtomicU64,
    worker: Mutex<Option<Worker>>,
}

struct Behind {
    queue: Arc<Queue<Item>>,
    journal: OwnJournal,
    handlers: Vec<Arc<dyn Handler>>,
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
    /// At this place of what an earlier process left, with the files for its lines.
    Earlier(Arc<(Orphan, Vec<Option<std::fs::File>>)>, usize),
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
        let destinations = handlers.iter().enumerate().map(destination).collect::<io::Result<_>>()?;
        let journal = spool::create(folder, size, destinations).map_err(|error| {
            io::Error::new(error.kind(), format!("journal {}: {error}", folder.display()))
        })?;
        let queue = Arc::new(Queue::new(options.clone(), handlers.len()));
        queue.recover(recovered(folder));
        let behind = Arc::new(Behind { queue: Arc::clone(&queue), journal, handlers });
        let pending: Arc<dyn Pending> = Arc::<Behind>::clone(&behind);
        ending::register(Arc::downgrade(&pending));
        let of_worker = Arc::clone(&behind);
        let worker = Worker::start(queue, move |batch, tally| of_worker.deliver(batch, tally))?;
        let worker = Mutex::new(Some(worker));
        Ok(Self { gate: Gate::default(), behind, options, unjournaled: AtomicU64::new(0), worker })
    }

    /// Sets the least severe level that the handler takes.
    pub fn set_level(&self, level: Level) {
        self.gate.set_level(level);
    }

    /// Adds a filter, asked before anything is written down.
    pub fn add_filter(&self, filter: Arc<dyn Filter>) {
        self.gate.add_filter(filter);
    }

    /// Where the records have gone.
    pub fn stats(&self) -> Ledger {
        self.behind.queue.ledger()
    }

    /// Records that were longer than the whole journal: they were delivered as without one.
    pub fn unjournaled(&self) -> u64 {
        self.unjournaled.load(Ordering::Relaxed)
    }

    /// Waits until the handlers behind have all that was handled before, `timeout` at most; false when that was not
    /// enough. They are not flushed then.
    pub fn flush_within(&self, timeout: Duration) -> bool {
        self.behind.flush_within(timeout)
    }

    /// Writes an item down; false when the queue's policy drops it for want of room.
    fn keep(&self, item: &mut Item, level: Level) -> bool {
        let Behind { journal, queue, .. } = &*self.behind;
        let until = self.options.block_timeout.map(|longest| Instant::now() + longest);
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
                Room::Evicted(item) => self.behind.give_up(&item),
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

    fn end_worker(&self) {
        self.behind.queue.close();
        let worker = self.worker.lock().take();
        if let Some(worker) = worker {
            worker.join();
        }
    }
}

/// So long a record that comes while the process ends is waited for.
const AT_THE_END: Duration = Duration::from_secs(1);

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

/// What earlier processes left. A journal whose destinations cannot be opened stays.
fn recovered(folder: &Path) -> Vec<Item> {
    let mut items = Vec::new();
    for orphan in spool::recover(folder).orphans {
        orphan.report_doubt();
        match orphan.open() {
            Ok(files) => {
                let count = orphan.contents().entries.len();
                let earlier = Arc::new((orphan, files));
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

impl Behind {
    fn flush_within(&self, timeout: Duration) -> bool {
        let in_time = self.queue.flush(Some(timeout));
        if in_time {
            self.handlers.iter().for_each(|handler| handler.flush());
        }
        in_time
    }

    fn deliver(&self, batch: &mut VecDeque<Item>, tally: &mut Tally) {
        for item in &*batch {
            match &item.kept {
                Some(Kept::Own(ticket)) => self.journal.begin(*ticket),
                Some(Kept::Earlier(..)) | None => {}
            }
        }
        let mut delivery = Batch::begin("JournaledHandler", &self.handlers);
        let mut ended = Vec::new();
        while let Some(item) = batch.pop_front() {
            match &item.kept {
                Some(Kept::Earlier(earlier, place)) => {
                    let delivered = deliver_earlier(&earlier.0, &earlier.1, *place);
                    delivery.item_without_handlers(delivered.is_err());
                }
                _ => Self::deliver_one(&item, &mut delivery),
            }
            if let Some(Kept::Own(ticket)) = item.kept {
                ended.push(ticket);
            }
        }
        // Nothing has come to its end before the system has it.
        delivery.end(tally);
        self.journal.end(ended);
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

impl Pending for Behind {
    fn hand_on(&self, longest: Duration) {
        if self.flush_within(longest) {
            self.journal.discard_if_empty();
        } else {
            let ledger = self.queue.ledger();
            let left = ledger.queued + ledger.in_flight;
            let text =
                format_args!("the process ends with {left} records in its journal, for the next start");
            report::error("JournaledHandler", &text);
        }
    }
}

fn deliver_earlier(orphan: &Orphan, files: &[Option<std::fs::File>], place: usize) -> io::Result<()> {
    let Some(entry) = orphan.contents().entries.get(place) else { return Ok(()) };
    orphan.begin(entry);
    for ((_, line), (place, _)) in orphan.lines(entry).zip(&entry.lines) {
        if let Some(mut file) = files.get(*place).and_then(Option::as_ref) {
            file.write_all(line).inspect_err(|error| report::error("journal", error))?;
        }
    }
    orphan.end(entry);
    Ok(())
}

impl Handler for JournaledHandler {
    fn level(&self) -> Level {
        self.gate.level()
    }

    fn handle(&self, record: &Record<'_>) {
        if !self.gate.passes(record) {
            return;
        }
        let mut item = Item::default();
        for (place, handler) in self.behind.handlers.iter().enumerate() {
            let lines = handler.as_lines().filter(|_| record.level >= handler.level());
            if lines.is_some_and(|handler| handler.render(record, &mut item.bytes)) {
                item.parts.push((place, item.bytes.len()));
            }
        }
        if !self.keep(&mut item, record.level) {
            return;
        }
        let until = self.options.block_timeout.map(|longest| Instant::now() + longest);
        let queue = &self.behind.queue;
        loop {
            item = match queue.offer(item, record.level) {
                Offer::Accepted(evicted) => {
                    if let Some(evicted) = evicted {
                        self.behind.give_up(&evicted);
                    }
                    if ending::has_begun() {
                        self.behind.flush_within(AT_THE_END);
                    }
                    return;
                }
                Offer::Dropped(item) => return self.behind.give_up(&item),
                Offer::Full(item) => item,
            };
            if !queue.wait_for_room(until) {
                queue.give_up();
                return self.behind.give_up(&item);
            }
        }
    }

    fn flush(&self) {
        self.behind.queue.flush(None);
        self.behind.handlers.iter().for_each(|handler| handler.flush());
    }

    fn close(&self) {
        self.end_worker();
        self.behind.journal.discard_if_empty();
        for handler in &self.behind.handlers {
            handler.flush();
            handler.close();
        }
    }
}

impl Drop for JournaledHandler {
    fn drop(&mut self) {
        self.end_worker();
    }
}
