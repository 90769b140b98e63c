//! Records through a bounded queue to other handlers, on a thread of its own.

use std::io;
use std::sync::Arc;

use super::Handler;
use super::base::Gate;
use crate::owned_record::OwnedRecord;
use crate::queue::{Overflow, Queue, Stats};
use crate::{Filter, Level, Record};

/// Copies each record into a queue, from which one worker thread gives it to the handlers behind.
///
/// It is Python's `QueueHandler` and `QueueListener` in one, with `respect_handler_level`. [`Handler::flush`]
/// waits until the handlers behind have all that was handled before; [`Handler::close`] delivers what is
/// queued, ends the thread, and closes the handlers behind, which nothing else may know. What is handled
/// after that is dropped and counted.
pub struct QueueHandler {
    gate: Gate,
    queue: Queue<OwnedRecord>,
    handlers: Arc<[Arc<dyn Handler>]>,
}

impl QueueHandler {
    /// A queue for `capacity` records in front of `handlers`.
    ///
    /// # Errors
    /// When the operating system starts no thread.
    pub fn new(handlers: Vec<Arc<dyn Handler>>, capacity: usize, overflow: Overflow) -> io::Result<Self> {
        let handlers: Arc<[_]> = handlers.into();
        let of_worker = Arc::clone(&handlers);
        let queue = Queue::start(capacity, overflow, move |record: OwnedRecord| {
            record.with(|record| {
                for handler in of_worker.iter().filter(|handler| record.level >= handler.level()) {
                    handler.handle(record);
                }
            });
        })?;
        Ok(Self { gate: Gate::default(), queue, handlers })
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
    pub fn stats(&self) -> Stats {
        self.queue.stats()
    }
}

impl Handler for QueueHandler {
    fn level(&self) -> Level {
        self.gate.level()
    }

    fn handle(&self, record: &Record<'_>) {
        if self.gate.passes(record) {
            // A refused record stands in the queue's count.
            self.queue.push(record.into());
        }
    }

    fn flush(&self) {
        self.queue.flush();
        for handler in self.handlers.iter() {
            handler.flush();
        }
    }

    fn close(&self) {
        self.queue.close();
        for handler in self.handlers.iter() {
            handler.flush();
            handler.close();
        }
    }
}
