//! State that the interpreter's lock guards.

use std::cell::UnsafeCell;

/// A value that only threads which hold the interpreter's lock touch, so that it needs no lock of its own.
///
/// The extension declares that it uses the lock (`gil_used`), so there is one thread at a time.
pub(crate) struct Attached<T>(UnsafeCell<T>);

// SAFETY: `get` is only called by attached threads, of which one runs at a time.
unsafe impl<T> Sync for Attached<T> {}

impl<T> Attached<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The place of the value.
    ///
    /// Callers are attached. A reference made of it must not live across anything that can run Python code
    /// or let go of the interpreter's lock: another call may come to the same place meanwhile.
    pub(crate) fn get(&self) -> *mut T {
        self.0.get()
    }
}
