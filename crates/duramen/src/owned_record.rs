//! A record that outlives its logging call: what waits in a queue or a memory buffer.

use crate::record::Caller;
use crate::{Level, Record, Value};

/// A copy of a [`Record`] that borrows nothing.
///
/// ```
/// use std::sync::Mutex;
///
/// use duramen::{Handler, Level, OwnedRecord, Record};
///
/// /// Keeps all records, for a test.
/// #[derive(Default)]
/// struct Keeps(Mutex<Vec<OwnedRecord>>);
///
/// impl Handler for Keeps {
///     fn level(&self) -> Level {
///         Level::NOTSET
///     }
///     fn handle(&self, record: &Record<'_>) {
///         self.0.lock().unwrap().push(record.into());
///     }
///     fn flush(&self) {}
///     fn close(&self) {}
/// }
///
/// let (manager, kept) = (duramen::Manager::new(), std::sync::Arc::new(Keeps::default()));
/// manager.root().add_handler(kept.clone());
/// duramen::warning!(manager.root(), "low on {}", "paper");
/// let records = kept.0.lock().unwrap();
/// assert_eq!(records[0].level(), Level::WARNING);
/// assert_eq!(records[0].with(|record| record.message.to_owned()), "low on paper");
/// ```
#[derive(Clone, Debug)]
pub struct OwnedRecord {
    name: String,
    level: Level,
    level_name: String,
    message: String,
    created_ns: i64,
    relative_created_ms: f64,
    pathname: String,
    filename: String,
    module: String,
    line: u32,
    function: String,
    thread: Option<u64>,
    thread_name: Option<String>,
    process: Option<u32>,
    process_name: Option<String>,
    task_name: Option<String>,
    fields: Vec<(String, Value<'static>)>,
    exception: Option<String>,
    stack: Option<String>,
}

impl OwnedRecord {
    /// Severity of the record.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Calls `f` with the record.
    pub fn with<R>(&self, f: impl FnOnce(&Record<'_>) -> R) -> R {
        let fields: Vec<_> =
            self.fields.iter().map(|(key, value)| (key.as_str(), value.borrowed())).collect();
        f(&Record {
            name: &self.name,
            level: self.level,
            level_name: &self.level_name,
            message: &self.message,
            created_ns: self.created_ns,
            relative_created_ms: self.relative_created_ms,
            caller: Caller {
                pathname: &self.pathname,
                filename: &self.filename,
                module: &self.module,
                line: self.line,
                function: &self.function,
            },
            thread: self.thread,
            thread_name: self.thread_name.as_deref(),
            process: self.process,
            process_name: self.process_name.as_deref(),
            task_name: self.task_name.as_deref(),
            fields: &fields,
            exception: self.exception.as_deref(),
            stack: self.stack.as_deref(),
        })
    }
}

impl From<&Record<'_>> for OwnedRecord {
    fn from(record: &Record<'_>) -> Self {
        Self {
            name: record.name.to_owned(),
            level: record.level,
            level_name: record.level_name.to_owned(),
            message: record.message.to_owned(),
            created_ns: record.created_ns,
            relative_created_ms: record.relative_created_ms,
            pathname: record.caller.pathname.to_owned(),
            filename: record.caller.filename.to_owned(),
            module: record.caller.module.to_owned(),
            line: record.caller.line,
            function: record.caller.function.to_owned(),
            thread: record.thread,
            thread_name: record.thread_name.map(str::to_owned),
            process: record.process,
            process_name: record.process_name.map(str::to_owned),
            task_name: record.task_name.map(str::to_owned),
            fields: record
                .fields
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.borrowed().into_owned()))
                .collect(),
            exception: record.exception.map(str::to_owned),
            stack: record.stack.map(str::to_owned),
        }
    }
}
