//! Where the interpreter's calls of `debug`, `info`, `warning`, `error` and `critical` arrive.
//!
//! A disabled call ends here, after a few loads: its arguments are not even bound.

use pyo3::ffi;
use pyo3::prelude::*;

use crate::interpreter::{self, Entry, ending, intern};
use crate::logger;
use crate::logger::{adapter_view, enabled};
use crate::way::call::{Keywords, LoggingCall};
use crate::way::direct::{self, Written};

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
        let answer =
            if ffi::PyVectorcall_NARGS(count) >= 2 { enabled::answer::<LEVEL>(*arguments) } else { None };
        // Nothing is kept until after the calls, so that the frame of a disabled one is empty.
        match answer {
            Some(false) => none(),
            Some(true) => call_enabled::<LEVEL>(function, arguments, count, keywords),
            None => interpreter::call(function, arguments, count, keywords),
        }
    }
}

/// `None` as a result.
#[inline]
fn none() -> *mut ffi::PyObject {
    // SAFETY: attached, as the interpreter's calls are. From CPython 3.12 on nobody counts who holds it.
    unsafe { if cfg!(Py_3_12) { ffi::Py_None() } else { ffi::Py_NewRef(ffi::Py_None()) } }
}

/// The call of a level that is enabled.
///
/// # Safety
/// As for [`call_at`], with two positional arguments at least.
#[inline(never)]
unsafe extern "C" fn call_enabled<const LEVEL: u8>(
    function: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: by the contract.
    unsafe {
        if !are_usual(keywords) || ending::has_begun() {
            return interpreter::call(function, arguments, count, keywords);
        }
        let (logger, positional) = (*arguments, ffi::PyVectorcall_NARGS(count));
        let extra = std::ptr::null_mut();
        send::<LEVEL>(&Given { logger, arguments, positional, keywords, extra })
    }
}

/// The entry of an adapter's level method; `None` for all others.
pub(crate) fn of_adapter(method: &str) -> Option<Entry> {
    Some(match method {
        "debug" => call_adapter_at::<10>,
        "info" => call_adapter_at::<20>,
        "warning" => call_adapter_at::<30>,
        "error" => call_adapter_at::<40>,
        "critical" => call_adapter_at::<50>,
        _ => return None,
    })
}

/// Calls the level method of `LEVEL` of an adapter.
///
/// # Safety
/// As for [`call_at`].
unsafe extern "C" fn call_adapter_at<const LEVEL: u8>(
    function: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as in `call_at`; the adapters hold the logger, as long as nothing runs.
    unsafe {
        if ffi::PyVectorcall_NARGS(count) >= 2
            && let Some(logger) = adapter_view::logger_behind(*arguments)
        {
            match enabled::answer::<LEVEL>(logger) {
                Some(false) => return none(),
                Some(true) if is_extra_alone(keywords) && !ending::has_begun() => {
                    if let Some(result) = send_adapted::<LEVEL>(logger, arguments, count, keywords) {
                        return result;
                    }
                }
                _ => {}
            }
        }
        interpreter::call(function, arguments, count, keywords)
    }
}

/// Whether there are no keywords but `extra`.
///
/// # Safety
/// As for [`are_usual`].
unsafe fn is_extra_alone(names: *mut ffi::PyObject) -> bool {
    // SAFETY: by the contract.
    unsafe {
        names.is_null()
            || (ffi::PyTuple_GET_SIZE(names) == 1
                && ffi::PyTuple_GET_ITEM(names, 0) == intern!(Python::assume_attached(), "extra").as_ptr())
    }
}

/// Sends the record of a call of an adapter to the logger behind it; `None` when only the interpreter can tell its
/// fields, and nothing has been done.
///
/// # Safety
/// As for [`send`], with `extra` as the one keyword, if there is any.
#[inline(never)]
unsafe fn send_adapted<const LEVEL: u8>(
    logger: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    keywords: *mut ffi::PyObject,
) -> Option<*mut ffi::PyObject> {
    // SAFETY: as for `call_at`. What is sent on is held until it has been.
    unsafe {
        let positional = ffi::PyVectorcall_NARGS(count);
        let fields = interpreter::caught(|py| {
            let (given, _) = interpreter::borrowed_arguments(py, arguments, positional, keywords);
            adapter_view::fields(given[0], given.get(positional.unsigned_abs()).copied()).map(Bound::into_ptr)
        });
        let fields = fields.flatten()?;
        ffi::Py_INCREF(logger);
        let given = Given { logger, arguments, positional, keywords: std::ptr::null_mut(), extra: fields };
        let result = send::<LEVEL>(&given);
        ffi::Py_DECREF(fields);
        ffi::Py_DECREF(logger);
        Some(result)
    }
}

/// What a logger is called with.
struct Given {
    logger: *mut ffi::PyObject,
    /// The positional ones, of which the second is the message, and the keywords' values.
    arguments: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    /// The names of keywords, or null.
    keywords: *mut ffi::PyObject,
    /// What takes the place of the keywords as `extra`, or null.
    extra: *mut ffi::PyObject,
}

impl Given {
    /// # Safety
    /// All that was given is live until the call is no longer used, and the thread is attached.
    #[inline]
    unsafe fn call<'a, 'py>(&'a self, py: Python<'py>, level: u8) -> LoggingCall<'a, 'py> {
        // SAFETY: by the contract; a borrowed object is a pointer to it.
        unsafe {
            let logger = &*(&raw const self.logger).cast::<Borrowed<'a, 'py, PyAny>>();
            let (given, names) =
                interpreter::borrowed_arguments(py, self.arguments, self.positional, self.keywords);
            let (given, values) = given.split_at(self.positional.unsigned_abs());
            let keywords = names.map_or(Keywords::None, |names| Keywords::Given { names, values });
            LoggingCall {
                logger,
                level: level.into(),
                template: given[1],
                arguments: &given[2..],
                keywords: Borrowed::from_ptr_or_opt(py, self.extra).map_or(keywords, Keywords::Extra),
            }
        }
    }
}

/// Sends a record of an enabled level its way. A function of its own, since the frame of an entry must hold
/// no value that has to be dropped (see `ending`).
///
/// # Safety
/// As for [`call_at`], with two positional arguments at least.
#[inline(never)]
unsafe fn send<const LEVEL: u8>(given: &Given) -> *mut ffi::PyObject {
    ending::counted(|| {
        let mut reach = None;
        // SAFETY: by the contract, the interpreter's arguments; it calls attached.
        let written = interpreter::caught(|py| unsafe { direct::write(&given.call(py, LEVEL), &mut reach) });
        if let Some(Some(Written::Whole)) = written {
            return none();
        }
        interpreter::at_border(|py| {
            // SAFETY: as above.
            let call = unsafe { given.call(py, LEVEL) };
            logger::send_further(&call, written.flatten(), reach.as_ref())?;
            Ok(py.None().into_bound(py))
        })
    })
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
