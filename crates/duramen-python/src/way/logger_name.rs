//! The name of a logger, told from others without a look at its text.

use pyo3::ffi;

use crate::interpreter::{Attached, plain};
use crate::logger::view::LoggerState;

/// The name of a logger, which is text. It is held, so that another one is another object.
pub(super) struct LoggerName {
    object: *mut ffi::PyObject,
    text: *const str,
    /// No other one has it.
    pub(super) number: u64,
}

impl LoggerName {
    /// The name of the logger in this state, which has just been found.
    pub(super) fn of(logger: &LoggerState) -> Option<Self> {
        static LAST: Attached<u64> = Attached::new(0);
        let object = logger.name();
        if object.is_null() {
            return None;
        }
        // SAFETY: the logger holds its name, and nothing has run; the thread is attached, and the number is nobody else's.
        unsafe {
            let text = plain::text(object)?;
            *LAST.get() += 1;
            Some(Self { object: ffi::Py_NewRef(object), text, number: *LAST.get() })
        }
    }

    pub(super) fn text(&self) -> &str {
        // SAFETY: the object is held, and with it its text.
        unsafe { &*self.text }
    }
}

impl Drop for LoggerName {
    fn drop(&mut self) {
        // SAFETY: it holds a reference, and is dropped by who is attached. The end of a text runs no code.
        unsafe { ffi::Py_DECREF(self.object) };
    }
}
