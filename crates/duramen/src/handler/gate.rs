//! What every handler looks at first: its level and its filters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use parking_lot::RwLock;

use crate::{Filter, Level, Record};

/// The level and the filters of a handler.
///
/// ```
/// use duramen::handler::Gate;
/// use duramen::{Handler, Level, Record};
///
/// /// A handler of one's own with a level and filters.
/// #[derive(Default)]
/// struct Counts {
///     gate: Gate,
///     records: std::sync::atomic::AtomicU64,
/// }
///
/// impl Handler for Counts {
///     fn level(&self) -> Level {
///         self.gate.level()
///     }
///     fn handle(&self, record: &Record<'_>) {
///         if self.gate.passes(record) {
///             self.records.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
///         }
///     }
///     fn flush(&self) {}
///     fn close(&self) {}
/// }
///
/// let counts = Counts::default();
/// counts.gate.set_level(Level::ERROR);
/// ```
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::filter::NameFilter;
/// use duramen::handler::Gate;
/// use duramen::{Level, Record};
///
/// let gate = Gate::default();
/// gate.set_level(Level::WARNING);
/// gate.add_filter(Arc::new(NameFilter::new("shop")));
/// assert_eq!(gate.level(), Level::WARNING);
/// assert!(gate.passes(&Record::new("shop.orders", Level::INFO, "paid"))); // the level is the caller's to compare
/// assert!(!gate.passes(&Record::new("hyper", Level::INFO, "connected")));
/// ```
pub struct Gate {
    level: AtomicI64,
    /// False as long as a record need not look for filters.
    has_filters: AtomicBool,
    filters: RwLock<Vec<Arc<dyn Filter>>>,
}

impl Default for Gate {
    /// Lets everything through.
    fn default() -> Self {
        Self {
            level: AtomicI64::new(Level::NOTSET.0),
            has_filters: AtomicBool::new(false),
            filters: RwLock::default(),
        }
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
        self.has_filters.store(true, Ordering::Release);
    }

    /// True when `record` passes the filters. As in Python, the level is the caller's to compare.
    #[inline]
    pub fn passes(&self, record: &Record<'_>) -> bool {
        !self.has_filters.load(Ordering::Acquire) || self.all_pass(record)
    }

    fn all_pass(&self, record: &Record<'_>) -> bool {
        self.filters.read().iter().all(|filter| filter.filter(record))
    }
}
