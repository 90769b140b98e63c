//! Handlers bring a record to its destination: filter, formatter and writer together.

use crate::{Level, Record};

/// Brings records to one destination.
///
/// A logger calls [`Handler::handle`] for each record at or above [`Handler::level`], from any
/// thread. Errors never reach the caller: a handler hands them to the report channel. A handler
/// knows no logger.
pub trait Handler: Send + Sync {
    /// Records below this level are not given to the handler.
    fn level(&self) -> Level;
    /// Filters, formats and writes `record`.
    fn handle(&self, record: &Record<'_>);
    /// Returns when all that was handled has been handed to the destination.
    fn flush(&self);
    /// Flushes and releases the destination; what is handled afterwards reopens it or is counted as dropped.
    fn close(&self);
}
