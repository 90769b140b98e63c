//! By level: a range of severities.

use super::Filter;
use crate::{Level, Record};

/// Lets the records of a range of levels through, both ends included. The level of a handler has only a
/// lower end; this splits, say, warnings and errors into two files.
///
/// ```
/// use duramen::{Level, filter::LevelFilter};
///
/// let filter = LevelFilter::between(Level::INFO, Level::WARNING);
/// assert!(filter.allows(Level::INFO) && filter.allows(Level::WARNING));
/// assert!(!filter.allows(Level::DEBUG) && !filter.allows(Level::ERROR));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelFilter {
    least: Level,
    most: Level,
}

impl LevelFilter {
    /// Lets `least` and all that is more severe through.
    ///
    /// ```
    /// use duramen::{Level, filter::LevelFilter};
    ///
    /// let filter = LevelFilter::at_least(Level::ERROR);
    /// assert!(filter.allows(Level::CRITICAL) && !filter.allows(Level::WARNING));
    /// ```
    pub fn at_least(least: Level) -> Self {
        Self::between(least, Level(i64::MAX))
    }

    /// Lets `most` and all that is less severe through.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{Level, filter::LevelFilter, handler::StreamHandler};
    ///
    /// let out = StreamHandler::stdout(); // all but warnings and errors, which standard error has
    /// out.add_filter(Arc::new(LevelFilter::at_most(Level::INFO)));
    /// ```
    pub fn at_most(most: Level) -> Self {
        Self::between(Level(i64::MIN), most)
    }

    /// Lets what lies between `least` and `most` through; nothing when `least` is the larger one.
    ///
    /// ```
    /// use duramen::{Level, filter::LevelFilter};
    ///
    /// assert!(!LevelFilter::between(Level::ERROR, Level::INFO).allows(Level::WARNING)); // the wrong way round
    /// ```
    pub fn between(least: Level, most: Level) -> Self {
        Self { least, most }
    }

    /// Whether records of `level` go on.
    ///
    /// ```
    /// use duramen::{Level, filter::LevelFilter};
    ///
    /// assert!(LevelFilter::at_most(Level::WARNING).allows(Level(25)));
    /// ```
    pub fn allows(&self, level: Level) -> bool {
        self.least <= level && level <= self.most
    }
}

impl Filter for LevelFilter {
    fn filter(&self, record: &Record<'_>) -> bool {
        self.allows(record.level)
    }
}
