//! A record that is a Python object on its way to a handler whose plan is known.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::classes::{globals, native_method};
use crate::formatter::format_natively;
use crate::handler::lock;
use crate::handler::plan::{HandlerPlan, Kind};
use crate::handler::sink::DirectFile;
use crate::interpreter::intern;
use crate::way::buffers;
use crate::way::delivery::write_through_buffer;
use crate::way::settings::Settings;
use crate::{formatter, handler, interpreter};

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
    if !matches!(plan.kind, Kind::Stream | Kind::File) {
        return handler::usual::locked(handler, || {
            interpreter::call_method(handler, intern!(py, "emit"), &[record]).map(drop)
        });
    }
    let text = || {
        if let Some(text) = format_natively(&formatter, &plan.formatter, record, settings)? {
            return Ok(text);
        }
        // One that says it is false is as good as none.
        let default = || globals::get(py, intern!(py, "_defaultFormatter"));
        let formatter = if formatter.is_truthy()? { formatter.clone() } else { default()? };
        formatter.call_method1(intern!(py, "format"), (record,))
    };
    let guarded = |result: PyResult<()>| {
        result.or_else(|error| handler::error::guarded_with(handler, || Ok(record.clone()), error))
    };
    let is_prompt =
        || plan.file.try_borrow().is_ok_and(|file| file.as_ref().is_some_and(|file| file.is_prompt));
    // A prompt file is written to without a pause in which another thread could come: see `lock`. Formatters that
    // run code of the application have the lock meanwhile.
    if !plan.formatter.rendering.may_run_python() && plan.writes_at_once() && is_prompt() {
        let text = match text() {
            Ok(text) => text,
            Err(error) => return handler::usual::locked(handler, || guarded(Err(error))),
        };
        if plan.holds(handler, settings)
            // SAFETY: the plan has just been found to hold.
            && lock::is_free(&unsafe { plan.lock(py) })
            && write_at_once(plan, handler, &text)?
        {
            return Ok(());
        }
        return handler::usual::locked(handler, || {
            guarded(text.add(&*plan.terminator).and_then(|line| write(plan, handler, &line)))
        });
    }
    handler::usual::locked(handler, || {
        guarded(text().and_then(|text| {
            if plan.writes_at_once()
                && is_prompt()
                && plan.holds(handler, settings)
                && write_at_once(plan, handler, &text)?
            {
                return Ok(());
            }
            write(plan, handler, &text.add(&*plan.terminator)?)
        }))
    })
}

/// Writes a record that nobody else sees any more, so that nothing has to be left on it. `false`: nothing has been done.
/// The plan holds.
pub(crate) fn write_unseen<'py>(
    handler: &Bound<'py, PyAny>,
    plan: &HandlerPlan,
    record: &Bound<'py, PyAny>,
    settings: &Settings,
) -> PyResult<bool> {
    let is_prompt = plan.file.try_borrow().is_ok_and(|file| file.as_ref().is_some_and(|file| file.is_prompt));
    if !is_prompt || !plan.writes_at_once() || !matches!(plan.kind, Kind::Stream | Kind::File) {
        return Ok(false);
    }
    buffers::with(|buffers| {
        if !formatter::text::render_unseen(&plan.formatter, record, settings, buffers)? {
            return Ok(false);
        }
        // SAFETY: no code of the program's has run since the plan was found to hold.
        if !lock::is_free(&unsafe { plan.lock(handler.py()) }) {
            return Ok(false);
        }
        buffers.line.extend_from_slice(plan.terminator.as_bytes());
        write_bytes_at_once(plan, handler, &buffers.line)
    })
}

/// Writes `text` and the terminator to the handler's file, if that can be done directly. The plan holds.
fn write_at_once<'py>(
    plan: &HandlerPlan,
    handler: &Bound<'py, PyAny>,
    text: &Bound<'py, PyAny>,
) -> PyResult<bool> {
    let Ok(text) = text.cast_exact::<PyString>() else { return Ok(false) };
    let Ok(text) = text.to_str() else { return Ok(false) };
    buffers::with(|buffers| {
        let line = &mut buffers.line;
        line.clear();
        line.extend_from_slice(text.as_bytes());
        line.extend_from_slice(plan.terminator.as_bytes());
        write_bytes_at_once(plan, handler, line)
    })
}

fn write_bytes_at_once(plan: &HandlerPlan, handler: &Bound<'_, PyAny>, line: &[u8]) -> PyResult<bool> {
    let py = handler.py();
    let Ok(file) = plan.file.try_borrow() else { return Ok(false) };
    let Some(file) = file.as_ref() else { return Ok(false) };
    // SAFETY: the handler is as it was when its file was looked at, so that it holds the stream.
    if !unsafe { file.takes(line) } {
        return Ok(false);
    }
    match file.write(py, line) {
        Some(written @ 1..) => {
            if written < line.len() {
                write_rest(handler, &line[written..])?;
            }
            plan.has_written(file);
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Writes what the system has not taken of a line at once.
pub(crate) fn write_rest(handler: &Bound<'_, PyAny>, rest: &[u8]) -> PyResult<()> {
    let stream = handler.getattr(intern!(handler.py(), "stream"))?;
    handler::usual::locked(handler, || write_through_buffer(&stream, rest))
}

/// Writes a line to the handler's stream and flushes it; the handler's lock is held.
fn write<'py>(plan: &HandlerPlan, handler: &Bound<'py, PyAny>, line: &Bound<'py, PyAny>) -> PyResult<()> {
    let py = handler.py();
    if plan.kind == Kind::File {
        handler::file::open_if_delayed(handler)?;
    }
    let stream = handler.getattr(intern!(py, "stream"))?;
    if stream.is_none() && plan.kind == Kind::File {
        return Ok(());
    }
    interpreter::call_method(&stream, intern!(py, "write"), &[line])?;
    if let Some(flush) = interpreter::optional_attribute(&stream, intern!(py, "flush"))? {
        interpreter::call_python(&flush, &[])?;
    }
    if let Ok(mut file) = plan.file.try_borrow_mut() {
        *file = DirectFile::of(&stream)?;
    }
    plan.sync(handler)
}
