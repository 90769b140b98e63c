//! The same message over and over becomes one.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::suppression::{Decision, States};
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
#[derive(Debug)]
pub struct DuplicateFilter {
    window: Duration,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    states: States<Message>,
    suppressed: u64,
}

#[derive(Debug)]
struct Message {
    /// When the last one went on; none did yet for a new one.
    passed: Option<Duration>,
    /// Held back and not yet said.
    unsaid: u64,
}

impl DuplicateFilter {
    /// # Errors
    /// For a window of no length.
    pub fn new(window: Duration) -> Result<Self, WrongOption> {
        if window.is_zero() {
            return Err(WrongOption { option: "window", found: 0.0, expected: "seconds, above 0" });
        }
        Ok(Self { window, clock: Arc::new(SystemClock::default()), seen: Mutex::default() })
    }

    /// Takes the time from `clock`.
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
            |message: &Message| message.passed.is_some_and(|passed| now.saturating_sub(passed) < self.window);
        let seen = &mut *self.seen.lock();
        let says_nothing = |message: &Message| message.unsaid == 0 && !is_open(message);
        let message = seen.states.of(key, says_nothing, || Message { passed: None, unsaid: 0 });
        if is_open(message) {
            message.unsaid += 1;
            seen.suppressed += 1;
            return Decision::Suppress;
        }
        message.passed = Some(now);
        Decision::Pass { suppressed: std::mem::take(&mut message.unsaid) }
    }

    /// How many records were held back.
    pub fn suppressed(&self) -> u64 {
        self.seen.lock().suppressed
    }

    /// What was held back and has not been said yet, in the order of the keys; it counts as said from now on.
    pub fn take_unsaid(&self) -> Vec<(String, u64)> {
        let seen = &mut *self.seen.lock();
        let all = seen.states.all().filter(|(_, message)| message.unsaid > 0);
        let mut unsaid: Vec<_> =
            all.map(|(key, message)| (key.to_owned(), std::mem::take(&mut message.unsaid))).collect();
        unsaid.sort_unstable();
        unsaid
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
