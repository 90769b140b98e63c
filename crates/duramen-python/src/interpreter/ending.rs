//! The end of the interpreter, when threads may still log.
//!
//! Before CPython 3.14 a daemon thread that wants to run while the interpreter is finalised is ended by
//! unwinding its stack. Native frames cannot be unwound like that: the process would crash. So, before the
//! finalisation begins, native methods hand over to the functions that they replace, and what runs in native
//! code already is waited for.

use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use pyo3::prelude::*;

use crate::handler::upkeep;

/// A thread that waits inside a handler for what never comes must not keep the process. It stays where it is (`python_code`).
const LONGEST_WAIT: Duration = Duration::from_secs(1);

static BEGUN: AtomicBool = AtomicBool::new(false);

/// Native methods that are running, nested ones each; below zero after a fork in the middle of one.
static RUNNING: AtomicIsize = AtomicIsize::new(0);

/// Whether native methods have to hand over.
#[inline]
pub(crate) fn has_begun() -> bool {
    BEGUN.load(Ordering::Relaxed)
}

/// Told when the last native method has come to its end.
static LAST_HAS_RETURNED: Condvar = Condvar::new();
static WAITING: Mutex<()> = Mutex::new(());

/// Runs `body`, a native method: the thread is attached.
#[inline]
pub(crate) fn counted<T>(body: impl FnOnce() -> T) -> T {
    add(1);
    let result = body();
    if add(-1) == 0 && has_begun() {
        // Who waits looks at the count with the lock held, so that this cannot come in between.
        drop(WAITING.lock());
        LAST_HAS_RETURNED.notify_all();
    }
    result
}

/// Adds to the count of running methods. Only attached threads do, one at a time, so that the processor need not make
/// one step of it; others only look.
#[inline]
fn add(difference: isize) -> isize {
    let count = RUNNING.load(Ordering::Relaxed).wrapping_add(difference);
    RUNNING.store(count, Ordering::Relaxed);
    count
}

/// Makes native methods hand over to the interpreter's own functions from now on, and waits until none is
/// running, one second at most. For `atexit`.
#[pyfunction]
pub(crate) fn end_native_calls(py: Python<'_>) {
    py.detach(upkeep::wait_for_all);
    BEGUN.store(true, Ordering::Relaxed);
    py.detach(|| {
        let is_running = |(): &mut ()| RUNNING.load(Ordering::Relaxed) > 0;
        LAST_HAS_RETURNED.wait_while_for(&mut WAITING.lock(), is_running, LONGEST_WAIT);
    });
}

/// Forgets the native methods that were running: in a forked child their threads do not exist.
#[pyfunction]
pub(crate) fn forget_native_calls() {
    RUNNING.store(0, Ordering::Relaxed);
}
