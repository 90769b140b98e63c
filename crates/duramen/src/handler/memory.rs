//! Records held back until there are many, or until a severe one comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard, ReentrantMutex};

use super::Handler;
use super::gate::Gate;
use crate::ending::{self, Pending};
use crate::queue::{Accepts as _, Records, Waiting as _};
use crate::{Filter, Level, Record, process};

/// Keeps records in memory and gives them to its target in one go: when `capacity` of them are there, when
/// one at `flush_level` or above comes, and when it is closed or the process ends by `exit` or a return from `main`.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::handler::{FileHandler, MemoryHandler};
/// use duramen::{Level, Manager, debug, error};
///
/// let path = std::env::temp_dir().join(format!("memory-{}.log", std::process::id()));
/// let manager = Manager::new();
/// manager.root().set_level(Level::DEBUG);
/// let file = Arc::new(FileHandler::new(&path).unwrap());
/// manager.root().add_handler(Arc::new(MemoryHandler::new(1000, Level::ERROR, file)));
/// debug!(manager.root(), "looked up");
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
/// error!(manager.root(), "not found"); // and what led to it
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "looked up\nnot found\n");
/// # std::fs::remove_file(path).unwrap();
/// ```
pub struct MemoryHandler {
    gate: Gate,
    capacity: usize,
    flush_level: Level,
    held: Arc<Held>,
}

/// What is held back, and for whom.
struct Held {
    flush_on_close: AtomicBool,
    /// The process whose records they are: a forked child leaves them to its parent.
    process: AtomicU32,
    buffer: Mutex<Records>,
    /// What the records were in that went to the target last: its memory is used again.
    delivered: Mutex<Records>,
    target: Arc<dyn Handler>,
    /// Held while records go to the target, so that two flushes do not mix their records; reentrant,
    /// since the target may cause a record that comes here.
    delivery: ReentrantMutex<()>,
}

impl Held {
    fn buffer(&self) -> MutexGuard<'_, Records> {
        let mut buffer = self.buffer.lock();
        let process = process::id();
        if self.process.load(Ordering::Relaxed) != process {
            buffer.clear();
            self.process.store(process, Ordering::Relaxed);
        }
        buffer
    }

    fn deliver(&self) {
        let _in_order = self.delivery.lock();
        self.deliver_in_order();
    }

    fn deliver_in_order(&self) {
        // No lock of either is held while the target runs, which may come back here.
        let mut records = std::mem::take(&mut *self.delivered.lock());
        self.buffer().take(usize::MAX, &mut records);
        let hand_on = |record: &Record<'_>| {
            if record.level >= self.target.level() {
                self.target.handle(record);
            }
        };
        while records.next(hand_on).is_some() {}
        *self.delivered.lock() = records;
    }
}

impl Pending for Held {
    fn hand_on(&self, longest: Duration) {
        // A thread that hangs in the target has it.
        let Some(_in_order) = self.delivery.try_lock_for(longest) else { return };
        if self.flush_on_close.load(Ordering::Relaxed) {
            self.deliver_in_order();
            self.target.flush();
        }
    }
}

impl MemoryHandler {
    /// Holds back up to `capacity` records below `flush_level`.
    pub fn new(capacity: usize, flush_level: Level, target: Arc<dyn Handler>) -> Self {
        let held = Arc::new(Held {
            flush_on_close: AtomicBool::new(true),
            process: AtomicU32::new(process::id()),
            buffer: Mutex::default(),
            delivered: Mutex::default(),
            target,
            delivery: ReentrantMutex::default(),
        });
        let pending: Arc<dyn Pending> = Arc::<Held>::clone(&held);
        ending::register(Arc::downgrade(&pending));
        Self { gate: Gate::default(), capacity, flush_level, held }
    }

    /// Forgets what is held back when the handler is closed, in place of delivering it.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::handler::{MemoryHandler, NullHandler};
    /// use duramen::{Handler, Level};
    ///
    /// // What led to no error is not worth keeping when the program ends.
    /// let handler = MemoryHandler::new(1000, Level::ERROR, Arc::new(NullHandler)).discard_on_close();
    /// handler.close();
    /// ```
    #[must_use]
    pub fn discard_on_close(self) -> Self {
        self.held.flush_on_close.store(false, Ordering::Relaxed);
        self
    }

    /// Sets the least severe level that the handler takes.
    pub fn set_level(&self, level: Level) {
        self.gate.set_level(level);
    }

    /// Adds a filter.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::filter::NameFilter;
    /// use duramen::handler::{MemoryHandler, StreamHandler};
    /// use duramen::Level;
    ///
    /// // The last thousand records of the shop, written when there is an error.
    /// let handler = MemoryHandler::new(1000, Level::ERROR, Arc::new(StreamHandler::stderr()));
    /// handler.set_level(Level::DEBUG);
    /// handler.add_filter(Arc::new(NameFilter::new("shop")));
    /// ```
    pub fn add_filter(&self, filter: Arc<dyn Filter>) {
        self.gate.add_filter(filter);
    }
}

impl Handler for MemoryHandler {
    fn level(&self) -> Level {
        self.gate.level()
    }

    fn handle(&self, record: &Record<'_>) {
        if !self.gate.passes(record) {
            return;
        }
        let is_full = {
            let mut buffer = self.held.buffer();
            // It takes every one.
            let _ = buffer.accept(record);
            buffer.count() >= self.capacity
        };
        // What is held back while the process ends may never go out.
        if is_full || record.level >= self.flush_level || ending::has_begun() {
            self.held.deliver();
        }
    }

    /// What is held back waits for a severe record, not for the end of a batch.
    fn release(&self) {}

    fn failed(&self) -> Option<u64> {
        self.held.target.failed()
    }

    fn flush(&self) {
        self.held.deliver();
        self.held.target.flush();
    }

    /// The target belongs to somebody else and stays open.
    fn close(&self) {
        if self.held.flush_on_close.load(Ordering::Relaxed) {
            self.flush();
        } else {
            self.held.buffer().clear();
        }
    }
}
