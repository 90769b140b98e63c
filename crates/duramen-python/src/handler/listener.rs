//! `QueueListener`: a thread that hands the records of a queue to handlers.
//!
//! The thread is a `threading.Thread` of Python's. Stopping it stays the interpreter's own code, which
//! patch releases of CPython have changed. So does the thread's own loop, which waits for the queue: the end
//! of the interpreter waits for native methods, and must not wait for that one.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::classes::native_method::{Call, Method};
use crate::classes::{self, Family};
use crate::interpreter::intern;
use crate::queued::Shortcut;

pub(crate) static METHODS: &[Method] = &[
    ("__init__", init),
    ("start", start),
    ("prepare", prepare),
    ("handle", handle),
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

fn start<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let queue = call.object.getattr(intern!(py, "queue"))?;
    if Shortcut::of(&queue)?.is_some() && classes::untouched(&call.object, Family::QueueListener)?.is_ok() {
        let listening = py.import(intern!(py, "duramen._listening"))?;
        if listening.call_method1(intern!(py, "listen"), (&call.object, queue))?.is_truthy()? {
            return call.none();
        }
    }
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

fn enqueue_sentinel<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let queue = call.object.getattr(intern!(py, "queue"))?;
    let sentinel = call.object.getattr(intern!(py, "_sentinel"))?;
    match Shortcut::of(&queue)? {
        Some(shortcut) => {
            let listening = py.import(intern!(py, "duramen._listening"))?;
            if !listening.call_method1(intern!(py, "stop"), (&call.object, &queue))?.is_truthy()? {
                shortcut.get().take_in(&queue, &sentinel)?;
            }
        }
        None => queue.call_method1(intern!(py, "put_nowait"), (sentinel,)).map(drop)?,
    }
    call.none()
}
