//! What handlers share: level, filters, formatter, the lock around the destination, and that neither an
//! error nor a panic reaches the caller.

use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::{ReentrantMutex, RwLock};

use super::Handler;
use crate::formatter::text::TextFormatter;
use crate::redact::Redactor;
use crate::writer::Writer;
use crate::{Filter, Formatter, Level, Record, report};

/// The level and the filters of a handler.
pub struct Gate {
    level: AtomicI64,
    filters: RwLock<Vec<Arc<dyn Filter>>>,
}

impl Default for Gate {
    /// Lets everything through.
    fn default() -> Self {
        Self { level: AtomicI64::new(Level::NOTSET.0), filters: RwLock::default() }
    }
}

impl Gate {
    /// The least severe level that passes.
    pub fn level(&self) -> Level {
        Level(self.level.load(Ordering::Relaxed))
    }

    /// Sets the least severe level that passes.
    pub fn set_level(&self, level: Level) {
        self.level.store(level.0, Ordering::Relaxed);
    }

    /// Adds a filter, which is asked after those that are there.
    pub fn add_filter(&self, filter: Arc<dyn Filter>) {
        self.filters.write().push(filter);
    }

    /// True when `record` passes the filters. As in Python, the level is the caller's to compare.
    pub fn passes(&self, record: &Record<'_>) -> bool {
        self.filters.read().iter().all(|filter| filter.filter(record))
    }
}

/// Where a handler brings its records: everything that is different from handler to handler.
pub trait Destination: Send {
    /// The handler's name in reports, as `FileHandler`.
    fn name(&self) -> &'static str;

    /// Formats and delivers one record.
    ///
    /// # Errors
    /// Those of the destination.
    fn emit(&mut self, record: &Record<'_>, formatter: &dyn Formatter) -> io::Result<()>;

    /// Hands on what is held back.
    ///
    /// # Errors
    /// Those of the destination.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Releases the destination; the next record opens it again.
    ///
    /// # Errors
    /// Those of the destination.
    fn close(&mut self) -> io::Result<()>;
}

/// A handler made of a destination.
pub struct BasicHandler<D> {
    gate: Gate,
    formatter: RwLock<Arc<dyn Formatter>>,
    redactor: RwLock<Option<Arc<Redactor>>>,
    name: &'static str,
    /// Reentrant, so that a formatter or a stream that logs to its own handler is noticed, not waited for.
    destination: ReentrantMutex<RefCell<D>>,
}

impl<D: Destination> BasicHandler<D> {
    /// A handler for all levels, without filters, that writes messages alone.
    pub fn with_destination(destination: D) -> Self {
        Self {
            gate: Gate::default(),
            formatter: RwLock::new(Arc::new(TextFormatter::default())),
            redactor: RwLock::default(),
            name: destination.name(),
            destination: ReentrantMutex::new(RefCell::new(destination)),
        }
    }

    /// Sets the least severe level that the handler takes.
    pub fn set_level(&self, level: Level) {
        self.gate.set_level(level);
    }

    /// Sets the formatter.
    pub fn set_formatter(&self, formatter: Arc<dyn Formatter>) {
        *self.formatter.write() = formatter;
    }

    /// Adds a filter.
    pub fn add_filter(&self, filter: Arc<dyn Filter>) {
        self.gate.add_filter(filter);
    }

    /// Formats masked copies of the records from now on; other handlers see them as they were.
    pub fn set_redactor(&self, redactor: Arc<Redactor>) {
        *self.redactor.write() = Some(redactor);
    }

    /// Runs `act` on the destination under its lock; an error or a panic is reported.
    fn guarded(&self, act: impl FnOnce(&mut D) -> io::Result<()>) {
        let locked = self.destination.lock();
        let Ok(mut destination) = locked.try_borrow_mut() else {
            report::error(self.name, &"a record made while the same handler was writing is dropped");
            return;
        };
        // A user's filter or formatter may panic. The destination's own state is whole between calls.
        match catch_unwind(AssertUnwindSafe(|| act(&mut destination))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => report::error(self.name, &error),
            Err(_) => report::error(self.name, &"panic while handling a record"),
        }
    }
}

impl<D: Destination> Handler for BasicHandler<D> {
    fn level(&self) -> Level {
        self.gate.level()
    }

    fn handle(&self, record: &Record<'_>) {
        self.guarded(|destination| {
            if !self.gate.passes(record) {
                return Ok(());
            }
            let formatter = Arc::clone(&self.formatter.read());
            let redactor = self.redactor.read().clone();
            match redactor {
                Some(redactor) => {
                    redactor.with_masked(record, |record| destination.emit(record, formatter.as_ref()))
                }
                None => destination.emit(record, formatter.as_ref()),
            }
        });
    }

    fn flush(&self) {
        self.guarded(Destination::flush);
    }

    fn close(&self) {
        self.guarded(Destination::close);
    }
}

/// A destination made of a writer: each record is an entry with a terminator.
pub struct Written<W> {
    name: &'static str,
    writer: W,
    /// Kept from record to record, so that an entry allocates nothing.
    entry: Vec<u8>,
}

impl<W: Writer> Written<W> {
    /// Writes to `writer`, for the handler `name`.
    pub fn new(name: &'static str, writer: W) -> Self {
        Self { name, writer, entry: Vec::new() }
    }
}

/// An entry buffer that has grown beyond this is given back.
const LARGEST_KEPT_ENTRY: usize = 64 * 1024;

impl<W: Writer> Destination for Written<W> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn emit(&mut self, record: &Record<'_>, formatter: &dyn Formatter) -> io::Result<()> {
        self.entry.clear();
        self.entry.shrink_to(LARGEST_KEPT_ENTRY);
        formatter.format(record, &mut self.entry);
        self.entry.push(b'\n');
        self.writer.write_entry(&self.entry)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn close(&mut self) -> io::Result<()> {
        self.writer.close()
    }
}
