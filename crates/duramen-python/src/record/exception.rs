//! Exceptions as objects: class, message, frames, causes, groups.

use duramen::formatter::json::{Members, ValueWriter};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::classes;
use crate::formatter::values;
use crate::interpreter::intern;

/// Of longer tracebacks, as a recursion without end leaves them, the middle is left out.
const MOST_FRAMES: usize = 100;

/// More causes than this, or groups nested deeper, are left out.
const MOST_LINKS: usize = 16;

/// Writes the members of the exception of a triple `(class, value, traceback)`; `false` when it has none.
///
/// # Errors
/// Those that do not derive from `Exception`.
pub(crate) fn write_triple(triple: &Bound<'_, PyAny>, members: &mut Members<'_>) -> PyResult<bool> {
    let Some((exception, traceback)) = parts(triple) else { return Ok(false) };
    write(&exception, Some(traceback), members, &mut Vec::new())?;
    Ok(true)
}

/// The exception and the traceback of a triple.
fn parts<'py>(triple: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let triple = triple.cast::<PyTuple>().ok().filter(|triple| triple.len() == 3)?;
    let exception = triple.get_item(1).ok().filter(|exception| !exception.is_none())?;
    Some((exception, triple.get_item(2).ok()?))
}

/// Writes the name of the exception's class, as `ValueError` or `requests.Timeout`.
pub(crate) fn write_type(triple: &Bound<'_, PyAny>, place: ValueWriter<'_>) -> bool {
    let Some((exception, _)) = parts(triple) else { return false };
    let (module, name) = class_of(&exception);
    if module.as_deref().is_none_or(|module| module == "builtins") {
        place.text(&name);
    } else {
        place.joined(&[module.as_deref().unwrap_or_default(), ".", &name]);
    }
    true
}

/// Writes what the exception says.
pub(crate) fn write_message(triple: &Bound<'_, PyAny>, place: ValueWriter<'_>) -> PyResult<bool> {
    let Some((exception, _)) = parts(triple) else { return Ok(false) };
    write_text_of(&exception, place)?;
    Ok(true)
}

fn write_text_of(exception: &Bound<'_, PyAny>, place: ValueWriter<'_>) -> PyResult<()> {
    match exception.str() {
        Ok(text) => values::write_text(&text, place),
        Err(error) => values::write_failure(exception, error, place),
    }
}

fn class_of(exception: &Bound<'_, PyAny>) -> (Option<String>, String) {
    let class = exception.get_type();
    let text = |text: PyResult<Bound<'_, PyString>>| text.and_then(|text| values::text_of(&text)).ok();
    (text(class.module()), text(class.qualname()).unwrap_or_default())
}

/// `seen` are the exceptions on the way here, so that a chain that leads back to one of them ends.
fn write<'py>(
    exception: &Bound<'py, PyAny>,
    traceback: Option<Bound<'py, PyAny>>,
    members: &mut Members<'_>,
    seen: &mut Vec<*mut pyo3::ffi::PyObject>,
) -> PyResult<()> {
    let py = exception.py();
    let (module, name) = class_of(exception);
    members.member("type").text(&name);
    if let Some(module) = module {
        members.member("module").text(&module);
    }
    write_text_of(exception, members.member("message"))?;
    if let Some(notes) = attribute(exception, intern!(py, "__notes__"))? {
        values::Rules::plain().write(&notes, members.member("notes"))?;
    }
    let traceback = match traceback {
        Some(traceback) => Some(traceback),
        None => attribute(exception, intern!(py, "__traceback__"))?,
    };
    if let Some(traceback) = traceback {
        write_frames(traceback, members)?;
    }
    if seen.len() >= MOST_LINKS {
        return Ok(());
    }
    seen.push(exception.as_ptr());
    let cause = attribute(exception, intern!(py, "__cause__"))?;
    let suppressed = attribute(exception, intern!(py, "__suppress_context__"))?;
    if let Some(cause) = cause {
        write_linked("cause", &cause, members, seen)?;
    } else if !suppressed.is_some_and(|suppressed| suppressed.is_truthy().unwrap_or(false))
        && let Some(context) = attribute(exception, intern!(py, "__context__"))?
    {
        write_linked("context", &context, members, seen)?;
    }
    if let Some(group) = group_of(exception)? {
        let inner: Vec<_> = group.iter().filter(|inner| !seen.contains(&inner.as_ptr())).collect();
        members.member("exceptions").list(|elements| {
            inner
                .iter()
                .try_for_each(|inner| elements.element().object(|members| write(inner, None, members, seen)))
        })?;
    }
    seen.pop();
    Ok(())
}

fn write_linked(
    key: &str,
    exception: &Bound<'_, PyAny>,
    members: &mut Members<'_>,
    seen: &mut Vec<*mut pyo3::ffi::PyObject>,
) -> PyResult<()> {
    if seen.contains(&exception.as_ptr()) {
        return Ok(());
    }
    members.member(key).object(|members| write(exception, None, members, seen))
}

/// The exceptions of an exception group (CPython 3.11 and later).
fn group_of<'py>(exception: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let py = exception.py();
    let group = py.import(intern!(py, "builtins"))?.getattr_opt(intern!(py, "BaseExceptionGroup"))?;
    match group {
        Some(group) if exception.is_instance(&group)? => {
            Ok(attribute(exception, intern!(py, "exceptions"))?.and_then(|inner| inner.cast_into().ok()))
        }
        _ => Ok(None),
    }
}

/// The attribute, unless it is missing, `None` or fails.
fn attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match object.getattr_opt(name) {
        Ok(value) => Ok(value.filter(|value| !value.is_none())),
        Err(error) if classes::is_ordinary(object.py(), &error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The frames from the outermost to the one that raised, each with file, line and function.
fn write_frames(traceback: Bound<'_, PyAny>, members: &mut Members<'_>) -> PyResult<()> {
    let py = traceback.py();
    let mut entries = Vec::new();
    let mut next = Some(traceback).filter(|traceback| !traceback.is_none());
    while let Some(entry) = next {
        next = attribute(&entry, intern!(py, "tb_next"))?;
        entries.push(entry);
    }
    let omitted = entries.len().saturating_sub(MOST_FRAMES);
    let middle = MOST_FRAMES / 2..MOST_FRAMES / 2 + omitted;
    members.member("frames").list(|elements| {
        let shown = entries.iter().enumerate().filter(|(index, _)| !middle.contains(index));
        for (_, entry) in shown {
            let code = entry.getattr(intern!(py, "tb_frame"))?.getattr(intern!(py, "f_code"))?;
            elements.element().object(|members| {
                let rules = values::Rules::plain();
                rules.write(&code.getattr(intern!(py, "co_filename"))?, members.member("file"))?;
                rules.write(&entry.getattr(intern!(py, "tb_lineno"))?, members.member("line"))?;
                rules.write(&code.getattr(intern!(py, "co_name"))?, members.member("function"))
            })?;
        }
        PyResult::Ok(())
    })?;
    if omitted > 0 {
        members.member("frames_left_out").integer(i64::try_from(omitted).unwrap_or(i64::MAX));
    }
    Ok(())
}
