//! Records held back until there are many, or until a severe one comes.

use std::sync::Arc;

use parking_lot::{Mutex, ReentrantMutex};

use super::Handler;
use super::base::Gate;
use crate::owned_record::OwnedRecord;
use crate::{Filter, Level, Record};

/// Keeps records in memory and gives them to its target in one go: when `capacity` of them are there, when
/// one at `flush_level` or above comes, and when it is closed.
pub struct MemoryHandler {
    gate: Gate,
    capacity: usize,
    flush_level: Level,
    flush_on_close: bool,
    buffer: Mutex<Vec<OwnedRecord>>,
    target: Arc<dyn Handler>,
    /// Held while records go to the target, so that two flushes do not mix their records; reentrant,
    /// since the target may cause a record that comes here.
    delivery: ReentrantMutex<()>,
}

impl MemoryHandler {
    /// Holds back up to `capacity` records below `flush_level`.
    pub fn new(capacity: usize, flush_level: Level, target: Arc<dyn Handler>) -> Self {
        Self {
            gate: Gate::default(),
            capacity,
            flush_level,
            flush_on_close: true,
            buffer: Mutex::default(),
            target,
            delivery: ReentrantMutex::default(),
        }
    }

    /// Forgets what is held back when the handler is closed, in place of delivering it.
    #[must_use]
    pub fn discard_on_close(self) -> Self {
        Self { flush_on_close: false, ..self }
    }

    /// Sets the least severe level that the handler takes.
    pub fn set_level(&self, level: Level) {
        self.gate.set_level(level);
    }

    /// Adds a filter.
    pub fn add_filter(&self, filter: Arc<dyn Filter>) {
        self.gate.add_filter(filter);
    }

    fn deliver(&self) {
        let _in_order = self.delivery.lock();
        let records = std::mem::take(&mut *self.buffer.lock());
        for record in records {
            if record.level() >= self.target.level() {
                record.with(|record| self.target.handle(record));
            }
        }
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
            let mut buffer = self.buffer.lock();
            buffer.push(record.into());
            buffer.len() >= self.capacity
        };
        if is_full || record.level >= self.flush_level {
            self.deliver();
        }
    }

    fn flush(&self) {
        self.deliver();
        self.target.flush();
    }

    /// The target belongs to somebody else and stays open.
    fn close(&self) {
        if self.flush_on_close {
            self.flush();
        } else {
            self.buffer.lock().clear();
        }
    }
}
