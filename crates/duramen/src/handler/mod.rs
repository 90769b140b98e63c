//! Handlers bring a record to its destination: filter, formatter and writer together.
//!
//! The names are those of Python's `logging` and `logging.handlers`. [`base`] holds what they share.

pub mod asynchronous;
pub mod audit_file;
pub mod base;
mod base64;
mod batch;
pub mod datagram;
pub mod file;
mod gate;
pub mod http;
pub mod journaled;
pub mod memory;
pub mod null;
mod queue_front;
pub mod retry;
pub mod rotating_file;
pub mod smtp;
pub mod socket;
pub mod stream;
pub mod syslog;
pub mod timed_rotating_file;
pub mod watched_file;
mod written;

pub use asynchronous::AsyncHandler;
pub use audit_file::AuditFileHandler;
pub use base::{BasicHandler, Destination};
pub(crate) use batch::on_all;
pub use datagram::DatagramHandler;
pub use file::FileHandler;
pub use gate::Gate;
pub use http::HttpHandler;
pub use journaled::{JournaledHandler, LineHandler, Rendered};
pub use memory::MemoryHandler;
pub use null::NullHandler;
pub use rotating_file::RotatingFileHandler;
pub use smtp::SmtpHandler;
pub use socket::SocketHandler;
pub use stream::StreamHandler;
pub use syslog::SysLogHandler;
pub use timed_rotating_file::TimedRotatingFileHandler;
pub use watched_file::WatchedFileHandler;
pub use written::Written;

use crate::{Level, Record};

/// Brings records to one destination.
///
/// A logger calls [`Handler::handle`] for each record at or above [`Handler::level`], from any
/// thread, several at once. Errors never reach the caller: a handler hands them to the report channel
/// ([`report::error`](crate::report::error)), where panics go too. A handler of this crate knows no logger. One that logs to
/// itself is given what it logs, but not what it logs about that.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use duramen::{Handler, Level, Manager, Record, error};
///
/// /// Counts errors, for a metric.
/// #[derive(Default)]
/// struct Errors(AtomicU64);
///
/// impl Handler for Errors {
///     fn level(&self) -> Level {
///         Level::ERROR
///     }
///     fn handle(&self, _: &Record<'_>) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
///     fn flush(&self) {}
///     fn close(&self) {}
/// }
///
/// let (manager, errors) = (Manager::new(), Arc::new(Errors::default()));
/// manager.root().add_handler(errors.clone());
/// error!(manager.get_logger("shop"), "no answer");
/// assert_eq!(errors.0.load(Ordering::Relaxed), 1);
/// ```
pub trait Handler: Send + Sync {
    /// Records below this level are not given to the handler.
    fn level(&self) -> Level;
    /// Filters, formats and writes `record`.
    fn handle(&self, record: &Record<'_>);
    /// Many records come now, from a queue: the handler may hold them back until the next [`Handler::flush`], to write
    /// them together. By default it does not.
    ///
    /// ```
    /// use duramen::handler::FileHandler;
    /// use duramen::{Handler, Level, Record};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.log");
    /// let handler = FileHandler::new(&path).unwrap();
    /// handler.hold_back();
    /// for message in ["one", "two"] {
    ///     handler.handle(&Record::new("app", Level::INFO, message));
    /// }
    /// handler.flush(); // both with one write
    /// assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
    /// ```
    fn hold_back(&self) {}
    /// The records that were told of by [`Handler::hold_back`] have come: hands on what was held back for them. By default it
    /// is a flush; a handler that holds records back for a reason of its own keeps what it would have kept of single ones.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::handler::{FileHandler, MemoryHandler};
    /// use duramen::{Handler, Level, Record};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.log");
    /// let handler = MemoryHandler::new(1000, Level::ERROR, Arc::new(FileHandler::new(&path).unwrap()));
    /// handler.hold_back();
    /// handler.handle(&Record::new("app", Level::INFO, "one"));
    /// handler.release();
    /// assert_eq!(std::fs::read_to_string(&path).unwrap(), ""); // there was no error yet
    /// handler.flush();
    /// assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\n");
    /// ```
    fn release(&self) {
        self.flush();
    }
    /// How many records the handler could not deliver since it was made, where it counts them: those held back are counted
    /// when they are flushed.
    ///
    /// ```
    /// use duramen::{Handler, handler::FileHandler};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.log");
    /// assert_eq!(FileHandler::new(&path).unwrap().failed(), Some(0));
    /// ```
    fn failed(&self) -> Option<u64> {
        None
    }
    /// The handler as one whose lines can be made before they are written, where it is one.
    ///
    /// ```
    /// use duramen::Handler;
    /// use duramen::handler::{NullHandler, StreamHandler};
    ///
    /// assert!(StreamHandler::stdout().as_lines().is_some());
    /// assert!(NullHandler.as_lines().is_none()); // there is nothing that another process could write
    /// ```
    fn as_lines(&self) -> Option<&dyn LineHandler> {
        None
    }
    /// Returns when all that was handled has been handed to the destination.
    fn flush(&self);
    /// Flushes and releases the destination; what is handled afterwards reopens it or is counted as dropped.
    fn close(&self);
}
