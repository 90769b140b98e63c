//! `QueueListener`: a thread that hands the records of a queue to handlers.
//!
//! The thread is a `threading.Thread` of Python's. Stopping it stays the interpreter's own code, which
//! patch releases of CPython have changed.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::native_method::{Call, Method};

pub(crate) static METHODS: &[Method] = &[
    ("__init__", init),
    ("dequeue", dequeue),
    ("start", start),
    ("prepare", prepare),
    ("handle", handle),
    ("_monitor", monitor),
    ("enqueue_sentinel", enqueue_sentinel),
];

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call.object.setattr(intern!(py, "queue"), call.argument(0))?;
    call.object.setattr(intern!(py, "handlers"), call.rest_tuple()?)?;
    call.object.setattr(intern!(py, "_thread"), py.None())?;
    call.object.setattr(intern!(py, "respect_handler_level"), call.argument(1))?;
    call.none()
}

fn dequeue<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call.object.getattr(intern!(py, "queue"))?.call_method1(intern!(py, "get"), (call.argument(0),))
}

fn start<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let arguments = PyDict::new(py);
    arguments.set_item(intern!(py, "target"), call.object.getattr(intern!(py, "_monitor"))?)?;
    let thread =
        py.import(intern!(py, "threading"))?.call_method(intern!(py, "Thread"), (), Some(&arguments))?;
    call.object.setattr(intern!(py, "_thread"), &thread)?;
    thread.setattr(intern!(py, "daemon"), true)?;
    thread.call_method0(intern!(py, "start"))?;
    call.none()
}

#[expect(clippy::unnecessary_wraps, reason = "the form of every native method")]
fn prepare<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    Ok(call.argument(0).to_owned())
}

fn handle<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let listener = &call.object;
    let record = listener.call_method1(intern!(py, "prepare"), (call.argument(0),))?;
    for handler in listener.getattr(intern!(py, "handlers"))?.try_iter()? {
        let handler = handler?;
        let takes_record = !listener.getattr(intern!(py, "respect_handler_level"))?.is_truthy()?
            || record.getattr(intern!(py, "levelno"))?.ge(handler.getattr(intern!(py, "level"))?)?;
        if takes_record {
            handler.call_method1(intern!(py, "handle"), (&record,))?;
        }
    }
    call.none()
}

/// What the thread runs: until the sentinel comes, or a `dequeue` that does not wait finds nothing.
fn monitor<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let queue = call.object.getattr(intern!(py, "queue"))?;
    let counts_tasks = queue.hasattr(intern!(py, "task_done"))?;
    loop {
        match handle_next(&call.object, &queue, counts_tasks) {
            Ok(true) => {}
            Ok(false) => return call.none(),
            Err(error) => {
                let nothing_there = py.import(intern!(py, "queue"))?.getattr(intern!(py, "Empty"))?;
                return if error.matches(py, nothing_there)? { call.none() } else { Err(error) };
            }
        }
    }
}

/// Handles the next record of the queue; false when it was the sentinel.
fn handle_next<'py>(
    listener: &Bound<'py, PyAny>,
    queue: &Bound<'py, PyAny>,
    counts_tasks: bool,
) -> PyResult<bool> {
    let py = listener.py();
    let record = listener.call_method1(intern!(py, "dequeue"), (true,))?;
    let is_record = !record.is(&listener.getattr(intern!(py, "_sentinel"))?);
    if is_record {
        listener.call_method1(intern!(py, "handle"), (record,))?;
    }
    if counts_tasks {
        queue.call_method0(intern!(py, "task_done"))?;
    }
    Ok(is_record)
}

fn enqueue_sentinel<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let sentinel = call.object.getattr(intern!(py, "_sentinel"))?;
    call.object.getattr(intern!(py, "queue"))?.call_method1(intern!(py, "put_nowait"), (sentinel,))?;
    call.none()
}
