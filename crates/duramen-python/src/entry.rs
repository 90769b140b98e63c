//! Where the interpreter's calls of `debug`, `info`, `warning`, `error` and `critical` arrive.
//!
//! A disabled call ends here, after a few loads: its arguments are not even bound.

use pyo3::ffi;

use crate::enabled;
use crate::interpreter::{self, Entry};

/// The entry of a level method; `None` for all others.
pub(crate) fn of(method: &str) -> Option<Entry> {
    Some(match method {
        "debug" => call_at::<10>,
        "info" => call_at::<20>,
        "warning" => call_at::<30>,
        "error" => call_at::<40>,
        "critical" => call_at::<50>,
        _ => return None,
    })
}

/// Calls the level method of `LEVEL`.
///
/// # Safety
/// Only the interpreter calls it, for a native method and with its arguments.
unsafe extern "C" fn call_at<const LEVEL: u8>(
    function: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter passes live arguments, of which the first is the logger.
    unsafe {
        // The logger and the message.
        if ffi::PyVectorcall_NARGS(count) >= 2 && enabled::answer::<LEVEL>(*arguments) == Some(false) {
            return ffi::Py_NewRef(ffi::Py_None());
        }
        interpreter::call(function, arguments, count, keywords)
    }
}
