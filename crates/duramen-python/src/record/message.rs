//! The message of a call: its text with the arguments in it.

use duramen::formatter::message as layout;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::interpreter::plain;
use crate::way::pipeline::LoggingCall;
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
    let Ok(template) = call.template.cast_exact::<PyString>() else { return Ok(Merged::Not) };
    let Ok(text) = template.to_str() else { return Ok(Merged::Not) };
    if call.arguments.is_empty() {
        out.extend_from_slice(text.as_bytes());
        return Ok(Merged::Natively);
    }
    if merge_plain(text, call.arguments, out) {
        return Ok(Merged::Natively);
    }
    let arguments = PyTuple::new(template.py(), call.arguments)?;
    let only_may_be_mapping = call.arguments.len() == 1 && !record::is_plain_value(&call.arguments[0]);
    let result = if only_may_be_mapping {
        record::unwrapped_mapping(arguments.as_any()).and_then(|values| record::merge(&template, &values))
    } else {
        interpreter::percent_format(&template, arguments.as_any())
    };
    match result {
        Ok(merged) => {
            let Ok(merged) = merged.cast_into_exact::<PyString>() else { return Ok(Merged::Not) };
            let Ok(merged) = merged.to_str() else { return Ok(Merged::Not) };
            out.extend_from_slice(merged.as_bytes());
            Ok(Merged::ByInterpreter)
        }
        Err(error) if classes::is_ordinary(template.py(), &error) => Ok(Merged::Not),
        Err(error) => Err(error),
    }
}

/// Appends `template % arguments` to `out`, if that needs no interpreter.
pub(crate) fn merge_plain<'a, 'py: 'a>(
    template: &str,
    arguments: &'a [impl std::ops::Deref<Target = Bound<'py, PyAny>>],
    out: &mut Vec<u8>,
) -> bool {
    // SAFETY: the arguments are live.
    let plain = arguments.iter().map(|argument| unsafe { plain::argument(argument.as_ptr()) });
    layout::merge(template, plain, out).is_ok()
}
