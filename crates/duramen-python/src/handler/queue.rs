//! `QueueHandler`: records put into a queue of the application's, or past one that nobody looks at.

use pyo3::prelude::*;

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::handler::error::guarded_entirely;
use crate::handler::lineage::call_base;
use crate::interpreter::intern;
use crate::queued::Shortcut;

pub(crate) static METHODS: &[Method] =
    &[("__init__", init), ("enqueue", enqueue), ("prepare", prepare), ("emit", emit)];

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call_base(&call.object, intern!(py, "Handler"), intern!(py, "__init__"))?;
    // Without one it makes its own: `native_method` has given what stands for that.
    let queue = call.argument(0);
    let queue = if queue.is(py.Ellipsis()) {
        py.import(intern!(py, "duramen._listening"))?.call_method0(intern!(py, "unseen_queue"))?
    } else {
        queue.to_owned()
    };
    call.object.setattr(intern!(py, "queue"), queue)?;
    if globals::python_minor(py) >= 12 {
        // `dictConfig` sets it where it makes a listener too.
        call.object.setattr(intern!(py, "listener"), py.None())?;
    }
    call.none()
}

fn enqueue<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let queue = call.object.getattr(intern!(py, "queue"))?;
    match Shortcut::of(&queue)? {
        Some(shortcut) => shortcut.get().take_in(&queue, &call.argument(0))?,
        None => queue.call_method1(intern!(py, "put_nowait"), (call.argument(0),)).map(drop)?,
    }
    call.none()
}

/// A copy of the record with the message rendered and without what cannot be pickled.
fn prepare<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let message = call.object.call_method1(intern!(py, "format"), (call.argument(0),))?;
    let record = py.import(intern!(py, "copy"))?.call_method1(intern!(py, "copy"), (call.argument(0),))?;
    record.setattr(intern!(py, "message"), &message)?;
    record.setattr(intern!(py, "msg"), &message)?;
    for name in
        [intern!(py, "args"), intern!(py, "exc_info"), intern!(py, "exc_text"), intern!(py, "stack_info")]
    {
        record.setattr(name, py.None())?;
    }
    Ok(record)
}

fn emit<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (handler, record) = (&call.object, call.argument(0));
    guarded_entirely(handler, &record, || {
        let enqueue = handler.getattr(intern!(py, "enqueue"))?;
        enqueue.call1((handler.call_method1(intern!(py, "prepare"), (record,))?,)).map(drop)
    })?;
    call.none()
}
