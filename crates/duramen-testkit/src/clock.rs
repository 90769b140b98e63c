//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use duramen::clock::Clock;

/// Shows the time that a test sets, to be shared with what is tested.
#[derive(Debug, Default)]
pub struct FakeClock {
    now_ns: AtomicI64,
    /// By how much the time was set, other than by passing.
    jumped_ns: AtomicI64,
}

impl FakeClock {
    /// A clock that shows `seconds` since the epoch.
    pub fn at(seconds: i64) -> Self {
        Self { now_ns: AtomicI64::new(seconds * 1_000_000_000), jumped_ns: AtomicI64::new(0) }
    }

    /// Moves the clock by `seconds`, back too.
    pub fn advance(&self, seconds: i64) {
        self.now_ns.fetch_add(seconds * 1_000_000_000, Ordering::SeqCst);
    }

    /// Sets the time forward or back by `seconds`, which do not pass.
    pub fn jump(&self, seconds: i64) {
        self.jumped_ns.fetch_add(seconds * 1_000_000_000, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now_ns(&self) -> i64 {
        self.now_ns.load(Ordering::SeqCst) + self.jumped_ns.load(Ordering::SeqCst)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now_ns.load(Ordering::SeqCst).max(0).unsigned_abs())
    }
}
