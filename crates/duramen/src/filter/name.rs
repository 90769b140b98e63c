//! By name: a logger and those below it.

use super::Filter;
use crate::Record;

/// Python's `Filter`: lets the records of one logger and of the loggers below it through.
///
/// ```
/// use duramen::filter::NameFilter;
///
/// let filter = NameFilter::new("app.db");
/// assert!(filter.allows("app.db") && filter.allows("app.db.pool"));
/// assert!(!filter.allows("app") && !filter.allows("app.dbase"));
/// assert!(NameFilter::new("").allows("any"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameFilter {
    name: String,
}

impl NameFilter {
    /// Lets `name` and what lies below it through; the empty name (the default) lets all through.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{filter::NameFilter, handler::StreamHandler};
    ///
    /// let handler = StreamHandler::stderr();
    /// handler.add_filter(Arc::new(NameFilter::new("shop.orders"))); // nothing else
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// Whether records of the logger `name` go on.
    ///
    /// ```
    /// assert!(duramen::filter::NameFilter::new("shop").allows("shop.orders"));
    /// ```
    pub fn allows(&self, name: &str) -> bool {
        self.name.is_empty()
            || name
                .strip_prefix(self.name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl Filter for NameFilter {
    fn filter(&self, record: &Record<'_>) -> bool {
        self.allows(record.name)
    }
}
