//! The same message over and over becomes one.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::suppression::{Decision, Suppressions};
use super::{Filter, WrongOption};
use crate::Record;
use crate::clock::{Clock, SystemClock};

/// Lets the first record with a message through, and holds back those with the same logger, level and message for
/// the length of a window, which begins with the one that went on.
///
/// ```
/// use std::time::Duration;
/// use duramen::filter::{Decision, DuplicateFilter};
///
/// let filter = DuplicateFilter::new(Duration::from_secs(60)).unwrap();
/// assert!(filter.decide("disk is slow").passes());
/// assert_eq!(filter.decide("disk is slow"), Decision::Suppress);
/// assert!(filter.decide("disk is full").passes());
/// ```
///
/// With a clock of the caller's, and what is left to tell at the end:
///
/// ```
/// use std::time::Duration;
/// use duramen::filter::{Decision, DuplicateFilter};
///
/// let filter = DuplicateFilter::new(Duration::from_secs(60)).unwrap();
/// let at = |seconds| filter.decide_at("disk is slow", Duration::from_secs(seconds));
/// assert_eq!((at(0), at(30)), (Decision::Pass { suppressed: 0 }, Decision::Suppress));
/// assert_eq!(at(61), Decision::Pass { suppressed: 1 }); // the window of the first one is over
/// at(62);
/// assert_eq!(filter.suppressed(), 2);
/// assert_eq!(filter.take_unsaid(), [("disk is slow".to_owned(), 1)]);
/// ```
#[derive(Debug)]
pub struct DuplicateFilter {
    window: Duration,
    clock: Arc<dyn Clock>,
    /// By key: when the last one went on; none did yet for a new one.
    seen: Mutex<Suppressions<Option<Duration>>>,
}

impl DuplicateFilter {
    /// Messages that are alike within `window` count as one; more than zero.
    ///
    /// # Errors
    /// For a window of no length.
    pub fn new(window: Duration) -> Result<Self, WrongOption> {
        if window.is_zero() {
            return Err(WrongOption { option: "window", found: 0.0, expected: "seconds, above 0" });
        }
        Ok(Self { window, clock: Arc::new(SystemClock::default()), seen: Mutex::default() })
    }

    /// Takes the time from `clock`.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use duramen::clock::SystemClock;
    /// use duramen::filter::DuplicateFilter;
    ///
    /// // A test puts a clock there that it sets itself.
    /// let filter = DuplicateFilter::new(Duration::from_secs(60)).unwrap().with_clock(Arc::new(SystemClock::default()));
    /// assert!(filter.decide("disk is slow").passes());
    /// ```
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Whether this is the first record with `key` in its window.
    pub fn decide(&self, key: &str) -> Decision {
        self.decide_at(key, self.clock.elapsed())
    }

    /// The same, `now` being the time by a clock of the caller's, which never goes back.
    pub fn decide_at(&self, key: &str, now: Duration) -> Decision {
        let is_open =
            |passed: &Option<Duration>| passed.is_some_and(|passed| now.saturating_sub(passed) < self.window);
        let passes = |passed: &mut Option<Duration>| {
            let passes = !is_open(passed);
            if passes {
                *passed = Some(now);
            }
            passes
        };
        self.seen.lock().decide(key, || None, |passed| !is_open(passed), passes)
    }

    /// How many records were held back.
    pub fn suppressed(&self) -> u64 {
        self.seen.lock().suppressed()
    }

    /// What was held back and has not been said yet, in the order of the keys; it counts as said from now on.
    pub fn take_unsaid(&self) -> Vec<(String, u64)> {
        self.seen.lock().take_unsaid()
    }
}

impl Filter for DuplicateFilter {
    fn holds_back(&self) -> bool {
        true
    }

    fn filter(&self, record: &Record<'_>) -> bool {
        self.decide(&format!("{}\n{}\n{}", record.name, record.level_name, record.message)).passes()
    }
}
