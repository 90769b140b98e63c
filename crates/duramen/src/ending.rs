//! What waits in memory goes out when the process ends by `exit` or a return from `main`.
//!
//! Handlers that hold records back register here. Nothing is done in a forked child, whose parent has the same bytes,
//! nor when a signal ends the process: that is what the bounds of these handlers are for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::process;

/// Each of them may take so long: a destination that hangs must not keep the process.
const LONGEST: Duration = Duration::from_secs(5);

/// Something that holds records back.
pub(crate) trait Pending: Send + Sync {
    /// Hands on what it holds, in `longest` at most. Other threads may be logging.
    fn hand_on(&self, longest: Duration);
}

static ALL: Mutex<Vec<Weak<dyn Pending>>> = Mutex::new(Vec::new());

/// The process that has registered, 0 where none has.
static OWNER: AtomicU32 = AtomicU32::new(0);

static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

/// Has `pending` asked when the process ends.
pub(crate) fn register(pending: Weak<dyn Pending>) {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|other| other.strong_count() > 0);
    all.push(pending);
    if OWNER.swap(process::id(), Ordering::Relaxed) == 0 {
        ask_at_exit();
    }
}

/// Until when what is asked of the handlers may wait.
static UNTIL: Mutex<Option<Instant>> = Mutex::new(None);

/// The moment beyond which nothing waits, as the process ends; `None`: it does not.
#[inline]
pub(crate) fn until() -> Option<Instant> {
    if has_begun() { *UNTIL.lock().unwrap_or_else(PoisonError::into_inner) } else { None }
}

/// Whether the process is ending: what is held back from now on may never go out.
#[inline]
pub(crate) fn has_begun() -> bool {
    HAS_BEGUN.load(Ordering::Relaxed)
}

// Miri has no `atexit`.
#[cfg(all(unix, not(miri)))]
#[expect(unsafe_code, reason = "the standard library tells nobody of the end of the process")]
fn ask_at_exit() {
    extern "C" fn at_exit() {
        end();
    }

    // SAFETY: the function lives as long as the code does, and no panic leaves it. Where it is refused, the program
    // has to call `shutdown` itself, as on systems without it.
    unsafe { libc::atexit(at_exit) };
}

#[cfg(not(all(unix, not(miri))))]
fn ask_at_exit() {}

#[cfg(all(unix, not(miri)))]
fn end() {
    if OWNER.load(Ordering::Relaxed) != process::id() {
        return;
    }
    allow_some_time();
    HAS_BEGUN.store(true, Ordering::Relaxed);
    let all = std::mem::take(&mut *ALL.lock().unwrap_or_else(PoisonError::into_inner));
    // The last one first: what hands on to another was made after it.
    for pending in all.iter().rev().filter_map(Weak::upgrade) {
        allow_some_time();
        let _ = catch_unwind(AssertUnwindSafe(|| pending.hand_on(LONGEST)));
        // Nothing is dropped any more: that could wait for threads, and is the operating system's to do.
        std::mem::forget(pending);
    }
}

/// What one of them hands on may meet another one that hangs.
#[cfg(all(unix, not(miri)))]
fn allow_some_time() {
    *UNTIL.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_add(LONGEST);
}
