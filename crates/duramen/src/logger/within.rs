//! What of the application's code a thread is in the middle of, so that code that logs about what it logs ends.

use std::cell::Cell;
use std::ptr;

/// So deep handlers may hand on to others, which hand on to others, and filters may log.
const DEEPEST: usize = 16;

thread_local! {
    static WITHIN: Within = const { Within { depth: Cell::new(0), entered: [const { Cell::new(ptr::null()) }; DEEPEST] } };
}

/// It needs no end, so that a thread that is being destroyed has one too.
struct Within {
    depth: Cell<usize>,
    /// The addresses of what was entered, which are compared and nothing else.
    entered: [Cell<*const ()>; DEEPEST],
}

/// Runs `run`, a part of what is at `address`; `None` where the thread is in it twice already, or too deep in others.
///
/// Once more than once: a handler that logs to itself has what it logs, as in Python, but not what it logs about that.
#[inline]
pub(super) fn within<T>(address: *const (), run: impl FnOnce() -> T) -> Option<T> {
    let _left_at_the_end = WITHIN.with(|within| within.enter(address))?;
    Some(run())
}

impl Within {
    #[inline]
    fn enter(&self, address: *const ()) -> Option<Entered> {
        let depth = self.depth.get();
        let entered = self.entered.iter().take(depth);
        if depth > 1 && entered.filter(|entered| entered.get() == address).count() > 1 {
            return None;
        }
        self.entered.get(depth)?.set(address);
        self.depth.set(depth + 1);
        Some(Entered(depth))
    }
}

/// A part of the application's code that the thread is in, until it is dropped: by a panic too. So deep it was before.
struct Entered(usize);

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        WITHIN.with(|within| within.depth.set(self.0));
    }
}
