//! A handler that keeps what it gets, and a record to give to handlers.

use std::sync::atomic::{AtomicI64, Ordering};

use duramen::record::Caller;
use duramen::{Handler, Level, OwnedRecord, Record};
use parking_lot::Mutex;

/// Keeps the records that reach it.
#[derive(Default)]
pub struct CapturingHandler {
    level: AtomicI64,
    records: Mutex<Vec<OwnedRecord>>,
}

impl CapturingHandler {
    /// Sets the least severe level that the handler takes.
    pub fn set_level(&self, level: Level) {
        self.level.store(level.0, Ordering::SeqCst);
    }

    /// The messages so far.
    pub fn messages(&self) -> Vec<String> {
        self.map(|record| record.message.to_owned())
    }

    /// Something of each record so far.
    pub fn map<R>(&self, of: impl Fn(&Record<'_>) -> R) -> Vec<R> {
        self.records.lock().iter().map(|record| record.with(&of)).collect()
    }
}

impl Handler for CapturingHandler {
    fn level(&self) -> Level {
        Level(self.level.load(Ordering::SeqCst))
    }

    fn handle(&self, record: &Record<'_>) {
        self.records.lock().push(record.into());
    }

    fn flush(&self) {}

    fn close(&self) {}
}

/// Calls `f` with a plain record of `level` that says `message`, made at `created_seconds`.
pub fn record<R>(level: Level, message: &str, f: impl FnOnce(&Record<'_>) -> R) -> R {
    f(&Record {
        name: "app.db",
        level,
        level_name: &level.name(),
        message,
        created_ns: 1_709_294_400_123_456_789,
        relative_created_ms: 12.5,
        caller: Caller::of_source("src/db.rs", 7, "app::db"),
        thread: None,
        thread_name: Some("main"),
        process: Some(42),
        process_name: None,
        task_name: None,
        fields: &[],
        exception: None,
        stack: None,
    })
}
