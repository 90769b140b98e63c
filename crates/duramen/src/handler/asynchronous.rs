//! Records through a bounded queue to other handlers, on a thread of its own.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::Handler;
use super::base::Gate;
use crate::owned_record::OwnedRecord;
use crate::queue::{Ledger, Options, Queue, Tally, Worker};
use crate::{Filter, Level, Record, report};

/// Copies each record into a queue, from which one worker thread gives it to the handlers behind.
///
/// It is Python's `QueueHandler` and `QueueListener` in one, with `respect_handler_level`. [`Handler::flush`]
/// waits until the handlers behind have all that was handled before; [`Handler::close`] delivers what is
/// queued, ends the thread, and closes the handlers behind, which nothing else may know. What is handled
/// after that is dropped and counted.
pub struct AsyncHandler {
    gate: Gate,
    queue: Arc<Queue<OwnedRecord>>,
    worker: Mutex<Option<Worker>>,
    handlers: Arc<[Arc<dyn Handler>]>,
}

impl AsyncHandler {
    /// A queue in front of `handlers`.
    ///
    /// # Errors
    /// When the operating system starts no thread.
    pub fn new(handlers: Vec<Arc<dyn Handler>>, options: Options) -> io::Result<Self> {
        let handlers: Arc<[_]> = handlers.into();
        let queue = Arc::new(Queue::new(options, handlers.len()));
        let of_worker = Arc::clone(&handlers);
        let worker =
            Worker::start(Arc::clone(&queue), move |batch, tally| deliver(batch, &of_worker, tally))?;
        Ok(Self { gate: Gate::default(), queue, worker: Mutex::new(Some(worker)), handlers })
    }

    /// Sets the least severe level that the handler takes.
    pub fn set_level(&self, level: Level) {
        self.gate.set_level(level);
    }

    /// Adds a filter, asked before the record is queued.
    pub fn add_filter(&self, filter: Arc<dyn Filter>) {
        self.gate.add_filter(filter);
    }

    /// Where the records have gone.
    pub fn stats(&self) -> Ledger {
        self.queue.ledger()
    }

    /// Waits until the handlers behind have all that was handled before, `timeout` at most; false when that
    /// was not enough. They are not flushed then.
    pub fn flush_within(&self, timeout: Duration) -> bool {
        let in_time = self.queue.flush(Some(timeout));
        if in_time {
            self.handlers.iter().for_each(|handler| handler.flush());
        }
        in_time
    }

    fn end_worker(&self) {
        self.queue.close();
        let worker = self.worker.lock().take();
        if let Some(worker) = worker {
            worker.join();
        }
    }
}

fn deliver(batch: &mut VecDeque<OwnedRecord>, handlers: &[Arc<dyn Handler>], tally: &mut Tally) {
    while let Some(record) = batch.pop_front() {
        let mut failed = false;
        for (place, handler) in handlers.iter().enumerate() {
            let counts = tally.handler(place);
            if record.level() < handler.level() {
                counts.below_level += 1;
            } else if catch_unwind(AssertUnwindSafe(|| record.with(|record| handler.handle(record)))).is_ok()
            {
                counts.delivered += 1;
            } else {
                counts.failed += 1;
                failed = true;
                report::error("AsyncHandler", &"a handler panicked; its record is counted as failed");
            }
        }
        tally.item(failed);
    }
}

impl Handler for AsyncHandler {
    fn level(&self) -> Level {
        self.gate.level()
    }

    fn handle(&self, record: &Record<'_>) {
        if self.gate.passes(record) {
            // A refused record stands in the queue's count.
            self.queue.push(record.into(), record.level);
        }
    }

    fn flush(&self) {
        self.queue.flush(None);
        for handler in self.handlers.iter() {
            handler.flush();
        }
    }

    fn close(&self) {
        self.end_worker();
        for handler in self.handlers.iter() {
            handler.flush();
            handler.close();
        }
    }
}

impl Drop for AsyncHandler {
    fn drop(&mut self) {
        self.end_worker();
    }
}
