//! The door to time. Tests put a clock there that they set themselves.

use std::fmt::Debug;
#[cfg(not(all(unix, target_pointer_width = "64")))]
use std::time::SystemTime;
use std::time::{Duration, Instant};

/// Tells the time.
///
/// ```
/// use std::sync::atomic::{AtomicI64, Ordering};
/// use std::time::Duration;
///
/// use duramen::clock::Clock;
///
/// /// Goes on by a second whenever it is asked, for tests.
/// #[derive(Debug, Default)]
/// struct Stepping(AtomicI64);
///
/// impl Clock for Stepping {
///     fn now_ns(&self) -> i64 {
///         self.0.fetch_add(1_000_000_000, Ordering::Relaxed)
///     }
///     fn elapsed(&self) -> Duration {
///         Duration::from_nanos(self.now_ns().unsigned_abs())
///     }
/// }
///
/// let clock = Stepping::default();
/// assert_eq!((clock.now_seconds(), clock.now_seconds()), (0, 1));
/// ```
pub trait Clock: Debug + Send + Sync {
    /// Nanoseconds since the Unix epoch; may jump in both directions.
    fn now_ns(&self) -> i64;

    /// The time since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;

    /// Whole seconds since the Unix epoch.
    fn now_seconds(&self) -> i64 {
        self.now_ns().div_euclid(1_000_000_000)
    }
}

/// The operating system's clock.
///
/// ```
/// use duramen::clock::{Clock, SystemClock};
///
/// let clock = SystemClock::default();
/// assert!(clock.now_ns() > 1_700_000_000_000_000_000);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[cfg(all(unix, target_pointer_width = "64"))]
    #[inline]
    #[expect(
        unsafe_code,
        reason = "`SystemTime` spends more instructions on its sums than the system on the time"
    )]
    fn now_ns(&self) -> i64 {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: it writes to the place that it is given, which outlives the call. This clock cannot fail.
        unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
        now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec)
    }

    #[cfg(not(all(unix, target_pointer_width = "64")))]
    fn now_ns(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
        seconds.saturating_mul(1_000_000_000).saturating_add(since_epoch.subsec_nanos().into())
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
