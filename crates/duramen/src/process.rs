//! The process and the thread that run, without a call of the operating system for each record.

use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// The number of this process, 0 until it has been asked for. A forked child asks again.
static ID: AtomicU32 = AtomicU32::new(0);

/// The number of this process, which is found out once in each: a forked child has its own.
///
/// ```
/// assert_eq!(duramen::process::id(), std::process::id());
/// ```
#[inline]
pub fn id() -> u32 {
    match ID.load(Ordering::Relaxed) {
        0 => ask(),
        id => id,
    }
}

#[cold]
fn ask() -> u32 {
    let id = std::process::id();
    if forget_in_children() {
        ID.store(id, Ordering::Relaxed);
    }
    id
}

/// Has a forked child forget the number; false where that cannot be had. Miri knows no forks.
#[cfg(all(unix, not(miri)))]
#[expect(unsafe_code, reason = "the standard library tells nobody of a fork")]
fn forget_in_children() -> bool {
    extern "C" fn forget() {
        ID.store(0, Ordering::Relaxed);
    }

    static IS_REGISTERED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    // SAFETY: the function lives as long as the code does, and does no more than to store a number.
    *IS_REGISTERED.get_or_init(|| unsafe { libc::pthread_atfork(None, None, Some(forget)) == 0 })
}

#[cfg(not(all(unix, not(miri))))]
fn forget_in_children() -> bool {
    false
}

thread_local! {
    static NAME: Option<Rc<str>> = thread::current().name().map(Rc::from);
}

/// The name of the running thread, where it has one.
#[inline]
pub(crate) fn thread_name() -> Option<Rc<str>> {
    // The thread may be being destroyed.
    NAME.try_with(Clone::clone).unwrap_or_else(|_| thread::current().name().map(Rc::from))
}
