//! Writers bring bytes to a file or a stream. They know no records.

pub mod audit;
pub mod file;
pub mod fsync;
mod looks_first;
mod open_file;
pub mod rotating;
pub mod stream;
pub mod timed;
pub mod watched;

use std::io;

use crate::spool::Destination;

pub use file::FileWriter;
pub use fsync::Fsync;
pub use rotating::RotatingWriter;
pub use stream::StreamWriter;
pub use timed::TimedRotatingWriter;
pub use watched::WatchedFileWriter;

/// Takes whole entries of a log, terminator included.
///
/// ```
/// use std::io;
///
/// use duramen::writer::Writer;
/// use duramen::{Handler, Level, Record, handler::{BasicHandler, Written}, spool};
///
/// /// Entries in memory, in blocks.
/// #[derive(Default)]
/// struct InMemory {
///     block: Vec<u8>,
///     bytes: Vec<u8>,
///     is_held_back: bool,
/// }
///
/// impl Writer for InMemory {
///     fn write_entry(&mut self, entry: &[u8]) -> io::Result<()> {
///         self.block.extend_from_slice(entry);
///         if self.is_held_back { Ok(()) } else { self.flush() }
///     }
///     fn hold_back(&mut self) {
///         self.is_held_back = true;
///     }
///     fn flush_buffer(&mut self) -> io::Result<()> {
///         self.flush()
///     }
///     fn failed(&self) -> Option<u64> {
///         Some(0) // memory takes all
///     }
///     fn place(&self) -> Option<spool::Destination> {
///         None // no other process could write here
///     }
///     fn flush(&mut self) -> io::Result<()> {
///         self.is_held_back = false;
///         self.bytes.append(&mut self.block);
///         Ok(())
///     }
///     fn close(&mut self) -> io::Result<()> {
///         self.flush()
///     }
/// }
///
/// let handler = BasicHandler::with_destination(Written::new("InMemory", InMemory::default()));
/// handler.handle(&Record::new("app", Level::INFO, "one"));
/// assert_eq!(handler.failed(), Some(0));
/// ```
pub trait Writer: Send {
    /// Writes one entry. An entry is not mixed with another one.
    ///
    /// # Errors
    /// Those of the destination. The entry may then have been written in part.
    fn write_entry(&mut self, entry: &[u8]) -> io::Result<()>;

    /// Many entries come now: they may be held back until the next [`Writer::flush`].
    fn hold_back(&mut self) {}

    /// Hands on what the writer's own buffer holds, where it has one: a severe entry has come. What is held back for a
    /// caller who flushes anyway ([`Writer::hold_back`]) may wait for that.
    ///
    /// # Errors
    /// Those of the destination.
    fn flush_buffer(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// The entries that were told of by [`Writer::hold_back`] have come: hands on what was held back for them. A buffer that
    /// the writer has anyway may keep what it would have kept of single entries.
    ///
    /// ```
    /// use duramen::writer::{FileWriter, Writer};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.log");
    /// let mut writer = FileWriter::new(&path);
    /// writer.hold_back();
    /// writer.write_entry(b"one\n").unwrap();
    /// writer.release().unwrap();
    /// assert_eq!(std::fs::read(path).unwrap(), b"one\n");
    /// ```
    ///
    /// # Errors
    /// Those of the destination.
    fn release(&mut self) -> io::Result<()> {
        self.flush()
    }

    /// How many entries have failed, where the writer counts them: one that holds entries back, whose errors may be of
    /// earlier ones.
    fn failed(&self) -> Option<u64> {
        None
    }

    /// Where its entries go, in words that another process understands.
    fn place(&self) -> Option<Destination> {
        None
    }

    /// Hands to the operating system what is still held back.
    ///
    /// # Errors
    /// Those of the destination.
    fn flush(&mut self) -> io::Result<()>;

    /// Flushes and releases the destination. The next entry opens it again, where that is possible.
    ///
    /// # Errors
    /// Those of the destination.
    fn close(&mut self) -> io::Result<()>;
}
