//! Records as entries of a writer.

use std::io;

use super::base::Destination;
use crate::spool;
use crate::writer::Writer;
use crate::{Formatter, Level, Record};

/// A destination made of a writer: each record is an entry with a terminator.
///
/// ```
/// use duramen::handler::BasicHandler;
/// use duramen::handler::Written;
/// use duramen::writer::FileWriter;
/// use duramen::{Handler, Level, Record};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("app.log");
/// // In blocks of 64 KiB, but warnings and what is worse at once.
/// let writer = FileWriter::new(&path).buffered(64 * 1024);
/// let handler = BasicHandler::with_destination(Written::new("FileHandler", writer).with_flush_level(Level::WARNING));
/// handler.handle(&Record::new("shop", Level::INFO, "paid"));
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
/// handler.handle(&Record::new("shop", Level::WARNING, "low on paper"));
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "paid\nlow on paper\n");
/// ```
pub struct Written<W> {
    name: &'static str,
    writer: W,
    /// Kept from record to record, so that an entry allocates nothing.
    entry: Vec<u8>,
    /// Records from this level on are held back by no buffer.
    flush_level: Level,
}

impl<W: Writer> Written<W> {
    /// Writes to `writer`, for the handler `name`. Where the writer has a buffer, it is flushed by records at
    /// [`Level::ERROR`] and above.
    pub fn new(name: &'static str, writer: W) -> Self {
        Self { name, writer, entry: Vec::new(), flush_level: Level::ERROR }
    }

    /// Flushes the writer's buffer by records at `level` and above.
    #[must_use]
    pub fn with_flush_level(self, level: Level) -> Self {
        Self { flush_level: level, ..self }
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
        self.writer.write_entry(&self.entry)?;
        if record.level >= self.flush_level { self.writer.flush_buffer() } else { Ok(()) }
    }

    fn emit_line(&mut self, line: &[u8], level: Level) -> io::Result<()> {
        self.writer.write_entry(line)?;
        if level >= self.flush_level { self.writer.flush_buffer() } else { Ok(()) }
    }

    fn release(&mut self) -> io::Result<()> {
        self.writer.release()
    }

    fn hold_back(&mut self) {
        self.writer.hold_back();
    }

    fn failed(&self) -> Option<u64> {
        self.writer.failed()
    }

    fn place(&self) -> Option<spool::Destination> {
        self.writer.place()
    }

    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        self.writer.write_entry(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn close(&mut self) -> io::Result<()> {
        self.writer.close()
    }
}
