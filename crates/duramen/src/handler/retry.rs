//! When a lost connection is tried again.

use std::time::Duration;

/// Waits longer after each failure: Python's `retryStart`, `retryFactor` and `retryMax`.
///
/// Nothing waits in it; it says whether the time for the next attempt has come.
///
/// ```
/// use std::time::Duration;
///
/// use duramen::handler::retry::Retry;
///
/// let second = Duration::from_secs(1);
/// let mut retry = Retry::new(second, 2, 30 * second);
/// assert!(retry.is_due(Duration::ZERO));
/// retry.failed(Duration::ZERO); // the next attempt after a second
/// assert!(!retry.is_due(second / 2) && retry.is_due(second));
/// retry.failed(second); // and then after two
/// assert!(!retry.is_due(2 * second) && retry.is_due(3 * second));
/// retry.succeeded();
/// assert!(retry.is_due(3 * second));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    start: Duration,
    factor: u32,
    longest: Duration,
    /// The next attempt, and the wait that led to it.
    next: Option<(Duration, Duration)>,
}

impl Default for Retry {
    /// One second at first, doubled at each failure, 30 seconds at most.
    fn default() -> Self {
        Self::new(Duration::from_secs(1), 2, Duration::from_secs(30))
    }
}

impl Retry {
    /// Waits `start` after the first failure, `factor` times as long after each further one, and never
    /// more than `longest`.
    pub fn new(start: Duration, factor: u32, longest: Duration) -> Self {
        Self { start: start.min(longest), factor, longest, next: None }
    }

    /// True when a connection may be tried at `now`, a time that never goes back.
    pub fn is_due(&self, now: Duration) -> bool {
        self.next.is_none_or(|(at, _)| now >= at)
    }

    /// Takes note that the attempt at `now` failed.
    pub fn failed(&mut self, now: Duration) {
        let wait = match self.next {
            None => self.start,
            Some((_, wait)) => wait.saturating_mul(self.factor).min(self.longest),
        };
        self.next = Some((now.saturating_add(wait), wait));
    }

    /// Takes note that an attempt succeeded: the next failure waits from the start again.
    pub fn succeeded(&mut self) {
        self.next = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Retry;

    #[test]
    fn waits_double_up_to_the_longest_and_start_again_after_success() {
        let mut retry = Retry::default();
        let mut now = Duration::ZERO;
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            assert!(retry.is_due(now));
            retry.failed(now);
            let almost = Duration::new(wait - 1, 999_999_999);
            assert!(!retry.is_due(now + almost), "{wait}");
            now += Duration::from_secs(wait);
            assert!(retry.is_due(now), "{wait}");
        }
        retry.succeeded();
        retry.failed(now);
        assert!(retry.is_due(now + Duration::from_secs(1)));
    }
}
