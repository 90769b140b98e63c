//! A record that is a Python object on its way to a handler whose plan is known.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::formatter_plan::Rendering;
use crate::handler_plan::{HandlerPlan, Kind};
use crate::settings::Settings;
use crate::sink::DirectFile;
use crate::{handler, native_method, record_text};

/// Formats and writes under the handler's lock, as `emit` of a stream handler does; an error goes to the
/// handler's `handleError`. The plan holds.
pub(crate) fn run<'py>(
    handler: &Bound<'py, PyAny>,
    plan: &HandlerPlan,
    record: &Bound<'py, PyAny>,
    settings: &Settings,
) -> PyResult<()> {
    let py = handler.py();
    native_method::refuse_deep_recursion()?;
    // SAFETY: the plan holds, and nothing has run since.
    let formatter = unsafe { plan.formatter_object(py) };
    let is_simple = matches!(plan.kind, Kind::Stream | Kind::File)
        && matches!(plan.formatter.rendering, Rendering::Layout(_));
    handler::usual::locked(handler, || {
        if !is_simple {
            return handler.call_method1(intern!(py, "emit"), (record,)).map(drop);
        }
        let emit = || {
            if plan.kind == Kind::File {
                handler::file::open_if_delayed(handler)?;
            }
            let stream = handler.getattr(intern!(py, "stream"))?;
            if stream.is_none() && plan.kind == Kind::File {
                return Ok(());
            }
            let text = match record_text::format(&formatter, &plan.formatter, record, settings)? {
                Some(text) => text.into_any(),
                None => formatter.call_method1(intern!(py, "format"), (record,))?,
            };
            write(plan, &stream, &text)
        };
        emit().or_else(|error| handler::error::guarded_with(handler, || Ok(record.clone()), error))
    })
}

/// Writes a line to the stream and flushes it.
fn write(plan: &HandlerPlan, stream: &Bound<'_, PyAny>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = stream.py();
    let line = text.add(&*plan.terminator)?;
    if let Ok(file) = plan.file.try_borrow()
        && let Some(file) = file.as_ref().filter(|file| file.is_of(stream))
        && let Ok(bytes) = line.cast_exact::<PyString>().map(|line| line.to_str())
        && let Ok(bytes) = bytes.map(str::as_bytes)
        // SAFETY: the stream is alive.
        && unsafe { file.takes(bytes) }
        && let Some(written @ 1..) = file.write(py, bytes)
    {
        return crate::delivery::write_through_buffer(stream, &bytes[written..]);
    }
    stream.call_method1(intern!(py, "write"), (line,))?;
    if let Some(flush) = stream.getattr_opt(intern!(py, "flush"))? {
        flush.call0()?;
    }
    if let Ok(mut file) = plan.file.try_borrow_mut() {
        *file = DirectFile::of(stream)?;
    }
    Ok(())
}
