//! The one exit for errors of logging itself: standard error, limited in rate, counted.
//!
//! An error while logging never reaches the application. Who wants to know asks [`count`].

use std::fmt::Display;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// At most so many lines are written within [`WINDOW`]; the others are only counted.
const LINES_PER_WINDOW: u32 = 10;
const WINDOW: Duration = Duration::from_secs(10);

static COUNT: AtomicU64 = AtomicU64::new(0);
static ENABLED: AtomicBool = AtomicBool::new(true);
static RECENT: Mutex<Option<(Instant, u32)>> = Mutex::new(None);

/// Reports that `part`, such as the name of a handler, met `error`.
pub fn error(part: &str, error: &dyn Display) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    if ENABLED.load(Ordering::Relaxed) && is_within_rate() {
        // Where standard error itself fails there is nobody left to tell.
        let _ = writeln!(std::io::stderr(), "duramen: {part}: {error}");
    }
}

/// The number of errors reported since the program began, written or not.
pub fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// Writes reports to standard error (the default), or only counts them, as Python does with
/// `raiseExceptions = False`.
pub fn set_enabled(enabled: bool) {
    ENABLED.store(enabled, Ordering::Relaxed);
}

fn is_within_rate() -> bool {
    let mut recent = RECENT.lock();
    let now = Instant::now();
    let (start, lines) = match *recent {
        Some((start, lines)) if now.duration_since(start) < WINDOW => (start, lines),
        _ => (now, 0),
    };
    *recent = Some((start, lines.saturating_add(1)));
    lines < LINES_PER_WINDOW
}
