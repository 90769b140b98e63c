//! Records through a bounded queue to other handlers, on a thread of its own.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::Handler;
use super::batch::{Batch, Delivery};
use super::queue_front::{Behind, Front};
use crate::ending::Pending;
use crate::owned_record::OwnedRecord;
use crate::queue::{Ledger, Offer, Options, Queue, Records, Tally};
use crate::{Filter, Level, Record};

/// Copies each record into a queue, from which one worker thread gives it to the handlers behind.
///
/// It is Python's `QueueHandler` and `QueueListener` in one, with `respect_handler_level`. [`Handler::flush`]
/// waits until the handlers behind have all that was handled before; [`Handler::close`] delivers what is
/// queued, ends the thread, and closes the handlers behind, which nothing else may know. What is handled
/// after that is dropped and counted.
///
/// In a forked child, which does not have that thread, records go to the handlers behind at once, and the ledger is empty:
/// what the queue holds is the parent's.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::handler::{AsyncHandler, FileHandler};
/// use duramen::queue::{Options, Overflow};
/// use duramen::{Level, Manager, warning};
///
/// let path = std::env::temp_dir().join(format!("async-{}.log", std::process::id()));
/// let file = Arc::new(FileHandler::new(&path).unwrap());
/// // Rather lose what is less severe than wait when the disk is slow.
/// let options = Options { overflow: Overflow::DropBelow(Level::WARNING), ..Options::default() };
/// let queue = Arc::new(AsyncHandler::new(vec![file], options).unwrap());
/// let manager = Manager::new();
/// manager.root().add_handler(queue.clone());
/// warning!(manager.root(), "low on paper");
/// manager.flush();
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "low on paper\n");
/// let stats = queue.stats();
/// assert_eq!((stats.delivered, stats.dropped.total()), (1, 0));
/// # std::fs::remove_file(path).unwrap();
/// ```
pub struct AsyncHandler {
    front: Front,
    behind: Arc<RecordsBehind>,
}

type RecordsBehind = Behind<OwnedRecord, Records>;

impl AsyncHandler {
    /// A queue in front of `handlers`.
    ///
    /// # Errors
    /// When the operating system starts no thread.
    pub fn new(handlers: Vec<Arc<dyn Handler>>, options: Options) -> io::Result<Self> {
        let handlers: Arc<[_]> = handlers.into();
        let queue = Arc::new(Queue::with(options, handlers.len()));
        let of_worker = Arc::clone(&handlers);
        let behind = Arc::new(Behind::new("AsyncHandler", queue, handlers));
        let pending: Arc<dyn Pending> = Arc::<RecordsBehind>::clone(&behind);
        let deliver = move |batch: &mut _, tally: &mut _| deliver(batch, &of_worker, tally);
        let front = Front::start(&behind.queue, &pending, deliver)?;
        Ok(Self { front, behind })
    }

    /// Sets the least severe level that the handler takes.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::filter::NameFilter;
    /// use duramen::handler::{AsyncHandler, StreamHandler};
    /// use duramen::{Handler, Level, queue::Options};
    ///
    /// let handler = AsyncHandler::new(vec![Arc::new(StreamHandler::stderr())], Options::default()).unwrap();
    /// handler.set_level(Level::WARNING); // what is below takes no place in the queue
    /// handler.add_filter(Arc::new(NameFilter::new("shop"))); // nor does what the filter holds back
    /// handler.close();
    /// assert_eq!(handler.stats().accepted, 0);
    /// ```
    pub fn set_level(&self, level: Level) {
        self.front.gate.set_level(level);
    }

    /// Adds a filter, asked before the record is queued.
    pub fn add_filter(&self, filter: Arc<dyn Filter>) {
        self.front.gate.add_filter(filter);
    }

    /// Where the records have gone.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{handler::{AsyncHandler, NullHandler}, queue::Options};
    ///
    /// let queue = AsyncHandler::new(vec![Arc::new(NullHandler)], Options::default()).unwrap();
    /// // For a health check or a metric:
    /// let dropped = queue.stats().dropped;
    /// assert_eq!((dropped.newest, dropped.timeout), (0, 0));
    /// ```
    pub fn stats(&self) -> Ledger {
        self.behind.ledger()
    }

    /// Waits until the handlers behind have all that was handled before, `timeout` at most; false when that
    /// was not enough. They are not flushed then.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    ///
    /// use duramen::{handler::{AsyncHandler, NullHandler}, queue::Options};
    ///
    /// let queue = AsyncHandler::new(vec![Arc::new(NullHandler)], Options::default()).unwrap();
    /// assert!(queue.flush_within(Duration::from_secs(5)));
    /// ```
    pub fn flush_within(&self, timeout: Duration) -> bool {
        self.behind.flush_within(Some(timeout))
    }
}

impl Pending for RecordsBehind {
    fn hand_on(&self, longest: Duration) {
        Self::hand_on(self, longest, "not delivered");
    }
}

/// The handlers write the records of a batch together, where they can.
fn deliver(records: &mut Records, handlers: &[Arc<dyn Handler>], tally: &mut Tally) {
    let mut batch = Batch::begin("AsyncHandler", handlers);
    let mut deliver_one = |record: &Record<'_>| {
        batch.item(|_, handler| {
            if record.level < handler.level() {
                return Delivery::BelowLevel;
            }
            handler.handle(record);
            Delivery::Given
        });
    };
    while records.next(&mut deliver_one).is_some() {}
    batch.end(tally);
}

impl Handler for AsyncHandler {
    fn level(&self) -> Level {
        self.front.gate.level()
    }

    fn handle(&self, record: &Record<'_>) {
        if !self.front.gate.passes(record) {
            return;
        }
        if self.behind.is_left_behind() {
            self.behind.handle_at_once(record);
        } else {
            // A refused record stands in the queue's count.
            let outcome = self.behind.queue.put(record, record.level, self.behind.longest_wait());
            Front::has_put(&self.behind, matches!(outcome, Offer::Accepted(_)));
        }
    }

    fn failed(&self) -> Option<u64> {
        Some(self.behind.lost())
    }

    fn flush(&self) {
        self.behind.flush_within(None);
    }

    fn close(&self) {
        self.front.close(&self.behind);
    }
}

impl Drop for AsyncHandler {
    fn drop(&mut self) {
        self.front.end(&self.behind);
    }
}
