//! Filters decide whether a record goes on.

mod level;
mod name;

pub use level::LevelFilter;
pub use name::NameFilter;

use crate::Record;

/// Decides whether a record goes on.
///
/// Called by a logger for the records made with it, and by a handler for all that reach it, from any
/// thread. It must not log.
pub trait Filter: Send + Sync {
    /// True when `record` goes on.
    fn filter(&self, record: &Record<'_>) -> bool;
}
