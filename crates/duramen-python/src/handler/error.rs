//! What happens to an error while a record is emitted: `handleError`.

use pyo3::exceptions::{PyOSError, PyRecursionError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::classes::globals;
use crate::classes::native_method::Call;
use crate::formatter::traceback;
use crate::interpreter::intern;
use crate::{classes, interpreter};

/// Runs the body of an `emit`: an error goes to the handler's `handleError`, which runs while the error
/// is being handled, since an override may be a bare `raise`. Exhausted recursion and what does not
/// derive from `Exception` are passed on.
pub(crate) fn guarded<'py>(
    handler: &Bound<'py, PyAny>,
    record: &Bound<'py, PyAny>,
    body: impl FnOnce() -> PyResult<()>,
) -> PyResult<()> {
    body().or_else(|error| guarded_with(handler, || Ok(record.clone()), error))
}

/// As [`guarded`], but exhausted recursion goes to `handleError` too, as CPython has it for the rotating
/// and queue handlers.
pub(crate) fn guarded_entirely<'py>(
    handler: &Bound<'py, PyAny>,
    record: &Bound<'py, PyAny>,
    body: impl FnOnce() -> PyResult<()>,
) -> PyResult<()> {
    match body() {
        Err(error) if classes::is_ordinary(handler.py(), &error) => {
            hand_to_handle_error(handler, || Ok(record.clone()), error)
        }
        result => result,
    }
}

/// As [`guarded`], for an error that is there already and a record that is made only now.
pub(crate) fn guarded_with<'py>(
    handler: &Bound<'py, PyAny>,
    record: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    error: PyErr,
) -> PyResult<()> {
    let py = handler.py();
    if error.is_instance_of::<PyRecursionError>(py) || !classes::is_ordinary(py, &error) {
        return Err(error);
    }
    hand_to_handle_error(handler, record, error)
}

fn hand_to_handle_error<'py>(
    handler: &Bound<'py, PyAny>,
    record: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    error: PyErr,
) -> PyResult<()> {
    let py = handler.py();
    let error = interpreter::with_calling_frame(py, error);
    interpreter::while_handling(py, &error, || {
        interpreter::call_method(handler, intern!(py, "handleError"), &[&record()?]).map(drop)
    })
}

/// `Handler.handleError`: prints the error, where the logging call stands, the message and its
/// arguments to `sys.stderr`; silent when `raiseExceptions` is false or there is no `sys.stderr`.
pub(crate) fn handle_error<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let sys = globals::get(py, intern!(py, "sys"))?;
    if globals::is_true(py, intern!(py, "raiseExceptions"))? {
        let stream = sys.getattr(intern!(py, "stderr"))?;
        if stream.is_truthy()? {
            match print_error(&sys, &call.argument(0)) {
                // Nothing more can be said where the stream itself fails.
                Err(error) if error.is_instance_of::<PyOSError>(py) => {}
                result => result?,
            }
        }
    }
    call.none()
}

fn print_error<'py>(sys: &Bound<'py, PyAny>, record: &Bound<'py, PyAny>) -> PyResult<()> {
    let py = sys.py();
    // Asked anew each time: printing runs Python code that may replace it.
    let write = |text: &Bound<'py, PyAny>| {
        sys.getattr(intern!(py, "stderr"))?.call_method1(intern!(py, "write"), (text,)).map(drop)
    };
    let write_text = |text: &str| write(PyString::new(py, text).as_any());
    let error = sys.call_method0(intern!(py, "exc_info"))?;
    let triple = error.cast::<PyTuple>()?;
    let shown = if globals::python_minor(py) >= 13 { triple.get_slice(1, 2) } else { triple.clone() };
    write_text("--- Logging error ---\n")?;
    traceback::print(shown, &sys.getattr(intern!(py, "stderr"))?)?;
    write_text("Call stack:\n")?;
    match calling_frame(&error.get_item(2)?)? {
        Some(frame) => {
            let to_stderr = PyDict::new(py);
            to_stderr.set_item(intern!(py, "file"), sys.getattr(intern!(py, "stderr"))?)?;
            let traceback = globals::get(py, intern!(py, "traceback"))?;
            traceback.call_method(intern!(py, "print_stack"), (frame,), Some(&to_stderr))?;
        }
        None => write_text(&format!(
            "Logged from file {}, line {}\n",
            record.getattr(intern!(py, "filename"))?,
            record.getattr(intern!(py, "lineno"))?
        ))?,
    }
    match message_and_arguments(record) {
        Ok(text) => write(&text),
        Err(error) if error.is_instance_of::<PyRecursionError>(py) || !classes::is_ordinary(py, &error) => {
            Err(error)
        }
        Err(_) => write_text(
            "Unable to print the message and arguments - possible formatting error.\n\
             Use the traceback above to help find the error.\n",
        ),
    }
}

/// The innermost frame outside `logging` of those through which the error came.
fn calling_frame<'py>(traceback: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = traceback.py();
    let path = globals::get(py, intern!(py, "__path__"))?.get_item(0)?;
    let paths = globals::get(py, intern!(py, "os"))?.getattr(intern!(py, "path"))?;
    // The functions of the module are the interpreter's own, wherever the module lies; `_srcfile` may be `None`.
    let function = globals::get(py, intern!(py, "_addHandlerRef"))?;
    let own_folder = match function.getattr_opt(intern!(py, "__code__"))? {
        Some(code) => paths.call_method1(intern!(py, "dirname"), (code.getattr("co_filename")?,))?,
        None => path.clone(),
    };
    let mut frame = if traceback.is_none() {
        interpreter::current_frame(py)
    } else {
        Some(traceback.getattr(intern!(py, "tb_frame"))?)
    };
    while let Some(current) = &frame {
        let file = interpreter::frame_code(current).getattr(intern!(py, "co_filename"))?;
        let folder = paths.call_method1(intern!(py, "dirname"), (file,))?;
        if !folder.eq(&path)? && !folder.eq(&own_folder)? {
            break;
        }
        frame = interpreter::frame_back(current);
    }
    Ok(frame)
}

fn message_and_arguments<'py>(record: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = record.py();
    let values = (record.getattr(intern!(py, "msg"))?, record.getattr(intern!(py, "args"))?);
    let format = PyString::new(py, "Message: %r\nArguments: %s\n");
    interpreter::percent_format(&format, values.into_pyobject(py)?.as_any())
}
