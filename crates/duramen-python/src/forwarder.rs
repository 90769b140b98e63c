//! What other extension modules hand to the loggers of this process: a table of functions in a capsule.
//!
//! An extension has a `log` of its own, compiled into it, which Duramen's cannot see. docs/extensions.md has the
//! declarations in Rust and C; the layout here is public and does not change within a version.

use std::ffi::{c_int, c_void};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::classes::globals;
use crate::interpreter::intern;
use crate::record::fields;

/// The name of the capsule: where it stands.
const NAME: &std::ffi::CStr = c"duramen.extensions.forwarder";

/// Text as UTF-8, which the caller keeps while the function runs; what is not UTF-8 is shown with a mark.
#[repr(C)]
struct Text {
    bytes: *const u8,
    length: usize,
}

/// A field beside the message.
#[repr(C)]
struct Field {
    name: Text,
    value: Text,
}

/// What is logged.
#[repr(C)]
struct Message {
    /// The logger's name.
    logger: Text,
    /// As in Python: 10, 20, 30, 40, 50.
    level: c_int,
    text: Text,
    /// The place in the source; empty and 0 where it is not known.
    file: Text,
    line: c_int,
    function: Text,
    fields: *const Field,
    field_count: usize,
}

/// What the capsule points to.
#[repr(C)]
struct Forwarder {
    /// 1. A later one has more functions behind these.
    version: u32,
    is_enabled: unsafe extern "C" fn(Text, c_int) -> c_int,
    forward: unsafe extern "C" fn(*const Message) -> c_int,
    flush: unsafe extern "C" fn() -> c_int,
}

static FORWARDER: Forwarder = Forwarder { version: 1, is_enabled, forward, flush };

/// The capsule.
#[pyfunction]
pub(crate) fn forwarder(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let pointer = std::ptr::from_ref(&FORWARDER).cast_mut().cast::<c_void>();
    // SAFETY: the table and the name are static; nobody writes through the pointer.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyCapsule_New(pointer, NAME.as_ptr(), None)) }
}

impl Text {
    /// # Safety
    /// The bytes are there, or there are none.
    unsafe fn read(&self) -> String {
        if self.bytes.is_null() {
            return String::new();
        }
        // SAFETY: by the contract.
        let bytes = unsafe { std::slice::from_raw_parts(self.bytes, self.length) };
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// Runs `body` with the interpreter, on any thread; an error is told as those of destructors are, since the caller has
/// no use for it. 1 or 0 as `body` says, -1 for an error or without an interpreter.
fn attached(body: impl FnOnce(Python<'_>) -> PyResult<bool>) -> c_int {
    let run = || {
        Python::try_attach(|py| match body(py) {
            Ok(answer) => c_int::from(answer),
            Err(error) => {
                error.write_unraisable(py, None);
                -1
            }
        })
    };
    // A panic must not reach code that is not Rust's.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).ok().flatten().unwrap_or(-1)
}

fn logger<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    globals::get(py, intern!(py, "getLogger"))?.call1((name,))
}

/// Whether the logger takes records of the level: 1 or 0.
unsafe extern "C" fn is_enabled(name: Text, level: c_int) -> c_int {
    // SAFETY: the caller's promise, docs/extensions.md.
    let name = unsafe { name.read() };
    attached(|py| logger(py, &name)?.call_method1(intern!(py, "isEnabledFor"), (level,))?.is_truthy())
}

/// Gives the message to the logger, if that takes it: 1 when it did.
unsafe extern "C" fn forward(message: *const Message) -> c_int {
    // SAFETY: the caller's promise; null is refused.
    let Some(message) = (unsafe { message.as_ref() }) else { return -1 };
    // SAFETY: as above.
    let [name, text, file, function] =
        unsafe { [message.logger.read(), message.text.read(), message.file.read(), message.function.read()] };
    let given = if message.fields.is_null() || message.field_count == 0 {
        Vec::new()
    } else {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(message.fields, message.field_count) }
            .iter()
            // SAFETY: as above.
            .map(|field| unsafe { (field.name.read(), field.value.read()) })
            .collect()
    };
    attached(|py| {
        let logger = logger(py, &name)?;
        if !logger.call_method1(intern!(py, "isEnabledFor"), (message.level,))?.is_truthy()? {
            return Ok(false);
        }
        let extra = PyDict::new(py);
        for (name, value) in given {
            // As bound fields are called that have the name of a record's own.
            let name = if fields::is_free_name(&name) { name } else { name + "_" };
            extra.set_item(name, value)?;
        }
        let or_unknown =
            |text: String, unknown: &str| if text.is_empty() { unknown.to_owned() } else { text };
        let record = logger.call_method1(
            intern!(py, "makeRecord"),
            (
                logger.getattr(intern!(py, "name"))?,
                message.level,
                or_unknown(file, "(unknown file)"),
                message.line,
                text,
                PyTuple::empty(py),
                py.None(),
                or_unknown(function, "(unknown function)"),
                extra,
            ),
        )?;
        logger.call_method1(intern!(py, "handle"), (record,))?;
        Ok(true)
    })
}

/// Flushes every handler: 1.
unsafe extern "C" fn flush() -> c_int {
    attached(|py| {
        for handler in globals::get(py, intern!(py, "_handlerList"))?.try_iter()? {
            let handler = handler?.call0()?;
            if !handler.is_none() {
                handler.call_method0(intern!(py, "flush"))?;
            }
        }
        Ok(true)
    })
}
