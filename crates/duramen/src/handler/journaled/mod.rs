//! A queue in front of other handlers whose lines outlive the process.

mod earlier;
mod waiting;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Handler;
use super::batch::{Batch, Delivery};
use super::queue_front::{Behind, Front};
use crate::ending::Pending;
use crate::queue::{Ledger, Offer, Options, Queue, Room, Tally};
use crate::spool::{self, Destination, OwnJournal};
use crate::{Filter, Level, Record, report};
use earlier::Left;
use waiting::{Item, Kept, Made};

/// What a handler writes as lines, which can be made before they are written, and kept by another process.
///
/// ```
/// use duramen::handler::{LineHandler, Rendered, StreamHandler};
/// use duramen::{Handler, Level, Record, spool};
///
/// let handler = StreamHandler::stderr();
/// let lines: &dyn LineHandler = handler.as_lines().unwrap();
/// assert_eq!(lines.destination(), Some(spool::Destination::Stderr));
/// let mut line = Vec::new();
/// assert_eq!(lines.render(&Record::new("shop", Level::INFO, "paid"), &mut line), Rendered::Line);
/// assert_eq!(line, b"paid\n");
/// assert!(lines.write_line(&line)); // now, or another process later
/// ```
pub trait LineHandler: Handler {
    /// Where the lines go; `None` where no other process could write them.
    fn destination(&self) -> Option<Destination>;

    /// Appends the line of `record`, masked and with its terminator, to `line`, where no filter holds it back.
    fn render(&self, record: &Record<'_>, line: &mut Vec<u8>) -> Rendered;

    /// Writes a line; false when that failed, which has been reported.
    fn write_line(&self, line: &[u8]) -> bool;
}

/// What has become of a record's line.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::filter::NameFilter;
/// use duramen::handler::{LineHandler, Rendered, StreamHandler};
/// use duramen::{Handler, Level, Record};
///
/// let handler = StreamHandler::stderr();
/// handler.add_filter(Arc::new(NameFilter::new("shop")));
/// let record = Record::new("bank", Level::INFO, "paid");
/// assert_eq!(handler.as_lines().unwrap().render(&record, &mut Vec::new()), Rendered::HeldBack);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// It was appended.
    Line,
    /// A filter holds the record back.
    HeldBack,
    /// It could not be made, which has been reported: a filter or a formatter panicked.
    Failed,
}

/// An [`AsyncHandler`](super::AsyncHandler) whose queue lies in a [journal](crate::spool) as well: what was accepted
/// before the process was killed is delivered by the next one that makes such a handler with the same folder.
///
/// The caller makes the lines of the handlers behind, which all have to be [`LineHandler`]s: those on files, standard output
/// and standard error. In a forked child records go to the handlers behind at once, without a journal: the folder's journal
/// is the parent's.
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
    behind: Behind<Item, Kept>,
    journal: Arc<OwnJournal>,
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
        let appender = spool::create_making_room(folder, size, destinations.clone()).map_err(|error| {
            io::Error::new(error.kind(), format!("journal {}: {error}", folder.display()))
        })?;
        let journal = Arc::clone(appender.journal());
        let queue: Arc<Queue<Item, Kept>> =
            Arc::new(Queue::with(options.within_journal(size), handlers.len()));
        queue.with_waiting(|waiting| waiting.set_appender(appender));
        let (mut left, items) = Left::in_folder(folder, destinations);
        queue.recover(items);
        let behind = Behind::new("JournaledHandler", queue, handlers.into());
        journal.prepare();
        let kept = Arc::new(Journaled { behind, journal });
        let pending: Arc<dyn Pending> = Arc::<Journaled>::clone(&kept);
        let of_worker = Arc::clone(&kept);
        let deliver = move |batch: &mut _, tally: &mut _| {
            of_worker.deliver(batch, tally);
            let next = left.next();
            if !next.is_empty() {
                // Before the batch is settled, so that a flush waits for them too.
                of_worker.behind.queue.recover(next);
            }
        };
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
        self.kept.behind.ledger()
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

    /// Puts lines into the queue, and so into the journal, or drops them as the options say; false when they were dropped.
    #[inline]
    fn put(&self, made: &Made, level: Level) -> bool {
        let Journaled { journal, behind } = &*self.kept;
        if !journal.could_hold(made.parts.len(), made.bytes.len()) {
            return self.put_unjournaled(made, level);
        }
        match behind.queue.offer(made, level) {
            Offer::Accepted(_) => true,
            Offer::Dropped(_) => false,
            Offer::Evicted(..) | Offer::Full(_) => self.put_when_there_is_room(made, level),
        }
    }

    #[cold]
    fn put_unjournaled(&self, made: &Made, level: Level) -> bool {
        self.unjournaled.fetch_add(1, Ordering::Relaxed);
        report::error("JournaledHandler", &"a record is longer than the whole journal");
        let behind = &self.kept.behind;
        let item = Item::Unjournaled(Box::new(made.clone()));
        matches!(behind.queue.put(item, level, behind.longest_wait()), Offer::Accepted(_))
    }

    #[cold]
    fn put_when_there_is_room(&self, made: &Made, level: Level) -> bool {
        let Journaled { journal, behind } = &*self.kept;
        let queue = &behind.queue;
        // One wait for both, the journal and the queue.
        let until = behind.longest_wait();
        loop {
            match queue.offer(made, level) {
                Offer::Accepted(_) => return true,
                Offer::Dropped(_) => return false,
                Offer::Evicted(..) => continue,
                Offer::Full(_) => {}
            }
            let now = Instant::now();
            if until.is_some_and(|until| until <= now) {
                queue.give_up(Room::Late);
                return false;
            }
            // So often it is looked whether the queue has been closed.
            let next = until.map_or(now + BETWEEN_LOOKS, |until| until.min(now + BETWEEN_LOOKS));
            match queue.wait_for_room(Some(next)) {
                Room::Made if !journal.has_room_for(made.parts.len(), made.bytes.len()) => {
                    journal.wait_for_room(next);
                }
                Room::Made | Room::Late => {}
                Room::Never => {
                    queue.give_up(Room::Never);
                    return false;
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

impl Journaled {
    fn deliver(&self, batch: &mut Kept, tally: &mut Tally) {
        for item in batch.iter() {
            match item {
                Item::Own(ticket) => self.journal.begin(*ticket),
                Item::Earlier(earlier, place) => earlier.begin(*place),
                Item::Unjournaled(_) => {}
            }
        }
        let mut delivery = Batch::begin(self.behind.name, &self.behind.handlers);
        let (mut ended, mut earlier_ended, mut made) = (Vec::new(), Vec::new(), Made::default());
        while let Some(item) = batch.next() {
            if let Item::Earlier(earlier, place) = item {
                if earlier.deliver(place, &mut delivery) {
                    earlier_ended.push((earlier, place));
                }
                continue;
            }
            item.load(&self.journal, &mut made);
            Self::deliver_one(&made, &mut delivery);
            if let Item::Own(ticket) = item {
                ended.push(ticket);
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

    fn deliver_one(made: &Made, delivery: &mut Batch<'_>) {
        let mut lines = made.parts.iter().peekable();
        let mut begin = 0;
        delivery.item(|place, handler| {
            let Some((_, end)) = lines.next_if(|(own, _)| *own as usize == place) else {
                return Delivery::BelowLevel;
            };
            let line = made.bytes.get(begin..*end as usize).unwrap_or_default();
            begin = *end as usize;
            if line.is_empty() {
                Delivery::Unmade
            } else if handler.as_lines().is_some_and(|handler| handler.write_line(line)) {
                Delivery::Given
            } else {
                Delivery::Failed
            }
        });
    }
}

impl Pending for Journaled {
    fn hand_on(&self, longest: Duration) {
        if self.behind.hand_on(longest, "in its journal, for the next start") {
            self.journal.discard_if_empty();
        }
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
        let behind = &self.kept.behind;
        if behind.is_left_behind() {
            return behind.handle_at_once(record);
        }
        let mut is_accepted = false;
        Made::with_room(|made| {
            for (place, handler) in behind.handlers.iter().enumerate() {
                let Some(handler) = handler.as_lines() else { continue };
                // One that failed has its place, without a line, so that it is counted.
                if record.level >= handler.level()
                    && handler.render(record, &mut made.bytes) != Rendered::HeldBack
                {
                    made.end_line(place);
                }
            }
            is_accepted = self.put(made, record.level);
        });
        Front::has_put(behind, is_accepted);
    }

    fn failed(&self) -> Option<u64> {
        Some(self.kept.behind.lost())
    }

    fn flush(&self) {
        self.kept.behind.flush_within(None);
    }

    fn close(&self) {
        self.front.end(&self.kept.behind);
        if !self.kept.behind.is_left_behind() {
            self.kept.journal.discard_if_empty();
        }
        self.front.close(&self.kept.behind);
    }
}

impl Drop for JournaledHandler {
    fn drop(&mut self) {
        self.front.end(&self.kept.behind);
    }
}
