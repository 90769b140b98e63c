//! The one exit for errors of logging itself: standard error, limited in rate, counted.
//!
//! An error while logging never reaches the application. Who wants to know asks [`count`].

use std::fmt::{Arguments, Display};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
///
/// ```
/// use duramen::report;
///
/// let before = report::count();
/// report::error("PagerHandler", &"nobody answers"); // duramen: PagerHandler: nobody answers
/// assert_eq!(report::count(), before + 1);
/// ```
pub fn error(part: &str, error: &dyn Display) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    if ENABLED.load(Ordering::Relaxed) && is_within_rate() {
        let text = text_of(error);
        // Where standard error itself fails there is nobody left to tell.
        let _ = writeln!(std::io::stderr(), "duramen: {part}: {text}");
    }
}

/// Runs code of the application, which may panic: that is reported of `part`.
pub(crate) fn guarded(part: &str, act: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(act)).is_err() {
        error(part, &"panic while handling a record");
    }
}

/// The text of `value`, which may be code of the application: where it panics or fails, what it wrote until
/// then.
pub(crate) fn text_of(value: &dyn Display) -> String {
    let mut text = String::new();
    if !write_text(value, &mut text) {
        text.push_str("(a text that cannot be shown: its Display failed)");
    }
    text
}

/// Appends the text of `value`; false when its `Display` panics or fails.
pub(crate) fn write_text(value: &dyn Display, text: &mut String) -> bool {
    write_arguments(format_args!("{value}"), text)
}

/// The same of a format with its arguments.
pub(crate) fn write_arguments(arguments: Arguments<'_>, text: &mut String) -> bool {
    let write = || std::fmt::Write::write_fmt(text, arguments);
    matches!(catch_unwind(AssertUnwindSafe(write)), Ok(Ok(())))
}

/// The number of errors reported since the program began, written or not.
///
/// ```
/// // In a health check:
/// let logging_is_well = duramen::report::count() == 0;
/// # assert!(logging_is_well);
/// ```
pub fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// Writes reports to standard error (the default), or only counts them, as Python does with
/// `raiseExceptions = False`.
///
/// ```
/// use duramen::report;
///
/// report::set_enabled(false); // for a program whose standard error is read by another one
/// report::error("PagerHandler", &"nobody answers");
/// assert_eq!(report::count(), 1);
/// ```
pub fn set_enabled(enabled: bool) {
    ENABLED.store(enabled, Ordering::Relaxed);
}

fn is_within_rate() -> bool {
    // In a child that was forked while another thread had it, it is never free.
    let Some(mut recent) = RECENT.try_lock_for(Duration::from_millis(10)) else { return true };
    let now = Instant::now();
    let (start, lines) = match *recent {
        Some((start, lines)) if now.duration_since(start) < WINDOW => (start, lines),
        _ => (now, 0),
    };
    *recent = Some((start, lines.saturating_add(1)));
    lines < LINES_PER_WINDOW
}
