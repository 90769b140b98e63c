//! Where the interpreter's calls of `debug`, `info`, `warning`, `error` and `critical` arrive.
//!
//! A disabled call ends here, after a few loads: its arguments are not even bound.

use pyo3::ffi;
use pyo3::prelude::*;

use crate::direct::{self, Written};
use crate::interpreter::{self, Entry, ending, intern};
use crate::pipeline::{Keywords, LoggingCall};
use crate::{enabled, logger};

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
    // SAFETY: the interpreter passes live arguments, of which the first is the logger and the second the
    // message, and keeps them alive until the call returns.
    unsafe {
        if ffi::PyVectorcall_NARGS(count) >= 2 {
            match enabled::answer::<LEVEL>(*arguments) {
                Some(false) => return ffi::Py_NewRef(ffi::Py_None()),
                Some(true) if are_usual(keywords) && !ending::has_begun() => {
                    return send::<LEVEL>(arguments, count, keywords);
                }
                _ => {}
            }
        }
        interpreter::call(function, arguments, count, keywords)
    }
}

/// Sends a record of an enabled level its way. A function of its own, since the frame of an entry must hold
/// no value that has to be dropped (see `ending`).
///
/// # Safety
/// As for [`call_at`], with two positional arguments at least.
#[inline(never)]
unsafe fn send<const LEVEL: u8>(
    arguments: *const *mut ffi::PyObject,
    count: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    ending::counted(|| {
        let mut reach = None;
        // SAFETY: by the contract, the interpreter's arguments; it calls attached.
        let written = interpreter::caught(|py| unsafe {
            direct::write(&logging_call::<LEVEL>(py, arguments, count, keywords), &mut reach)
        });
        if let Some(Some(Written::Whole)) = written {
            // SAFETY: attached.
            return unsafe { ffi::Py_NewRef(ffi::Py_None()) };
        }
        interpreter::at_border(|py| {
            // SAFETY: as above.
            let call = unsafe { logging_call::<LEVEL>(py, arguments, count, keywords) };
            logger::send_further(&call, written.flatten(), reach)?;
            Ok(py.None().into_bound(py))
        })
    })
}

/// # Safety
/// As for [`send`].
#[inline]
unsafe fn logging_call<const LEVEL: u8>(
    py: Python<'_>,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    keywords: *mut ffi::PyObject,
) -> LoggingCall<'_, '_> {
    // SAFETY: by the contract.
    let (given, names) = unsafe {
        let positional = ffi::PyVectorcall_NARGS(count);
        interpreter::borrowed_arguments(py, arguments, positional, keywords)
    };
    let (given, values) = given.split_at(given.len() - names.map_or(0, |names| names.len()));
    LoggingCall {
        logger: &given[0],
        level: LEVEL.into(),
        template: given[1],
        arguments: &given[2..],
        keywords: names.map_or(Keywords::None, |names| Keywords::Given { names, values }),
    }
}

/// Whether the names are those of options that the native way knows. Others, such as a second `msg`, are
/// looked at when the arguments are bound.
///
/// # Safety
/// `names` is a live tuple of keyword names or null.
#[inline]
unsafe fn are_usual(names: *mut ffi::PyObject) -> bool {
    // SAFETY: by the contract.
    names.is_null() || unsafe { are_options(names) }
}

/// # Safety
/// As for [`are_usual`], of names.
#[inline(never)]
unsafe fn are_options(names: *mut ffi::PyObject) -> bool {
    // SAFETY: by the contract.
    unsafe { (0..ffi::PyTuple_GET_SIZE(names)).all(|index| is_option(ffi::PyTuple_GET_ITEM(names, index))) }
}

/// # Safety
/// `name` is live text, and the thread is attached.
unsafe fn is_option(name: *mut ffi::PyObject) -> bool {
    // SAFETY: by the contract.
    unsafe {
        // Names in calls are interned: identity answers nearly always.
        name == intern!(Python::assume_attached(), "extra").as_ptr()
            || [c"extra", c"exc_info"]
                .iter()
                .any(|usual| ffi::PyUnicode_CompareWithASCIIString(name, usual.as_ptr()) == 0)
    }
}
