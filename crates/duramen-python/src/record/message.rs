//! The message of a call: its text with the arguments in it.

use duramen::formatter::message::{self as layout, Argument};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::interpreter::plain;
use crate::record::known_templates;
use crate::way::call::LoggingCall;
use crate::{classes, interpreter, record};

/// How a message was put together.
#[derive(PartialEq, Eq)]
pub(crate) enum Merged {
    Natively,
    /// With the arguments' own methods.
    ByInterpreter,
    /// Only the Python way can.
    Not,
}

/// Writes the message with its arguments to `out`.
pub(crate) fn merge(call: &LoggingCall<'_, '_>, out: &mut Vec<u8>) -> PyResult<Merged> {
    let Ok(template) = call.template.cast_exact::<PyString>() else { return merge_object(call, out) };
    let Ok(text) = template.to_str() else { return Ok(Merged::Not) };
    if call.arguments.is_empty() {
        out.extend_from_slice(text.as_bytes());
        return Ok(Merged::Natively);
    }
    if merge_plain(&template, text, call.arguments, out) {
        return Ok(Merged::Natively);
    }
    let arguments = PyTuple::new(template.py(), call.arguments)?;
    let only_may_be_mapping = call.arguments.len() == 1 && !record::is_plain_value(&call.arguments[0]);
    let result = if only_may_be_mapping {
        record::unwrapped_mapping(arguments.as_any()).and_then(|values| record::merge(&template, &values))
    } else {
        interpreter::percent_format(&template, arguments.as_any())
    };
    put(template.py(), result, out)
}

/// A message that is no text: `str()` of it is.
#[cold]
fn merge_object(call: &LoggingCall<'_, '_>, out: &mut Vec<u8>) -> PyResult<Merged> {
    let py = call.logger.py();
    // What a formatter shows as fields is none of those.
    if call.template.is_instance_of::<PyDict>() {
        return Ok(Merged::Not);
    }
    let merged = call.template.str().and_then(|text| {
        if call.arguments.is_empty() {
            return Ok(text.into_any());
        }
        let arguments = PyTuple::new(py, call.arguments)?;
        record::merge(&text, &record::unwrapped_mapping(arguments.as_any())?)
    });
    put(py, merged, out)
}

/// What the interpreter has made of a message; an error of its is met again on the Python way.
fn put(py: Python<'_>, merged: PyResult<Bound<'_, PyAny>>, out: &mut Vec<u8>) -> PyResult<Merged> {
    match merged {
        Ok(merged) => {
            let Ok(merged) = merged.cast_into_exact::<PyString>() else { return Ok(Merged::Not) };
            let Ok(merged) = merged.to_str() else { return Ok(Merged::Not) };
            out.extend_from_slice(merged.as_bytes());
            Ok(Merged::ByInterpreter)
        }
        Err(error) if classes::is_ordinary(py, &error) => Ok(Merged::Not),
        Err(error) => Err(error),
    }
}

/// Appends `template % arguments` to `out`, if that needs no interpreter; `text` is the text of the template, an exact `str`.
#[inline]
pub(crate) fn merge_plain<'a, 'py: 'a>(
    template: &Bound<'_, PyAny>,
    text: &str,
    arguments: &'a [impl std::ops::Deref<Target = Bound<'py, PyAny>>],
    out: &mut Vec<u8>,
) -> bool {
    // SAFETY: by the contract; reading the arguments runs nothing.
    unsafe { known_templates::find(template, text) }
        .is_some_and(|template| template.merge(plain_arguments(arguments), out).is_ok())
        || merge_anew(text, arguments, out)
}

/// The same for a template that has not been read.
#[inline(never)]
fn merge_anew<'a, 'py: 'a>(
    text: &str,
    arguments: &'a [impl std::ops::Deref<Target = Bound<'py, PyAny>>],
    out: &mut Vec<u8>,
) -> bool {
    layout::merge(text, plain_arguments(arguments), out).is_ok()
}

#[inline]
fn plain_arguments<'a, 'py: 'a>(
    arguments: &'a [impl std::ops::Deref<Target = Bound<'py, PyAny>>],
) -> impl ExactSizeIterator<Item = Option<Argument<'a>>> {
    // SAFETY: the arguments are live.
    arguments.iter().map(|argument| unsafe { plain::argument(argument.as_ptr()) })
}
