//! Filters decide whether a record goes on.

mod duplicate;
mod level;
mod name;
mod rate_limit;
mod sample;
mod suppression;

pub use duplicate::DuplicateFilter;
pub use level::LevelFilter;
pub use name::NameFilter;
pub(crate) use rate_limit::LimitKey;
pub use rate_limit::{LimitBy, RateLimitFilter};
pub use sample::SamplingFilter;
pub use suppression::Decision;

use crate::Record;

/// Decides whether a record goes on.
///
/// Called by a logger for the records made with it, and by a handler for all that reach it, from any
/// thread. One that panics lets nothing through. What it logs to the logger or the handler that asks it may be dropped and
/// counted.
///
/// ```
/// use duramen::{Filter, Level, Record};
///
/// /// Lets severe records through, and those of one tenant.
/// struct OfTenant(i64);
///
/// impl Filter for OfTenant {
///     fn filter(&self, record: &Record<'_>) -> bool {
///         let of_tenant = |(name, value): &(&str, _)| *name == "tenant" && *value == duramen::Value::Integer(self.0);
///         record.level >= Level::ERROR || record.fields.iter().any(of_tenant)
///     }
/// }
/// ```
pub trait Filter: Send + Sync {
    /// True when `record` goes on.
    fn filter(&self, record: &Record<'_>) -> bool;

    /// Whether records are held back by their number (a limit, a sample, records that are alike), not for what they are.
    /// An audit trail refuses such a filter.
    ///
    /// ```
    /// use duramen::Filter;
    /// use duramen::filter::{NameFilter, SamplingFilter};
    ///
    /// assert!(SamplingFilter::new(0.1).unwrap().holds_back());
    /// assert!(!NameFilter::new("app").holds_back());
    /// ```
    fn holds_back(&self) -> bool {
        false
    }
}

/// An option of a filter that cannot be.
///
/// ```
/// use duramen::filter::SamplingFilter;
///
/// let error = SamplingFilter::new(1.5).unwrap_err();
/// assert_eq!(error.to_string(), "rate: found 1.5, expected a share, 0 to 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{option}: found {found}, expected {expected}")]
pub struct WrongOption {
    /// Its name.
    pub option: &'static str,
    /// What was given.
    pub found: f64,
    /// What would be right.
    pub expected: &'static str,
}
