//! Extra fields: Python values as the core's typed values.

use std::borrow::Cow;

use duramen::Value;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PySet, PyString, PyTuple};

/// Nesting beyond this is written as text, so that neither cycles nor depth are an error.
const DEEPEST: usize = 32;

/// The attributes that every `LogRecord` has, and the two that formatting adds.
const OWN_ATTRIBUTES: [&str; 23] = [
    "name",
    "msg",
    "args",
    "levelname",
    "levelno",
    "pathname",
    "filename",
    "module",
    "exc_info",
    "exc_text",
    "stack_info",
    "lineno",
    "funcName",
    "created",
    "msecs",
    "relativeCreated",
    "thread",
    "threadName",
    "processName",
    "process",
    "taskName",
    "message",
    "asctime",
];

/// Whether a record has an attribute of its own under this name.
pub(crate) fn is_own_attribute(name: &str) -> bool {
    OWN_ATTRIBUTES.contains(&name)
}

/// Whether `extra` may hold a field of this name without changing what the record does.
pub(crate) fn is_free_name(name: &str) -> bool {
    !is_own_attribute(name) && name != "getMessage" && !name.starts_with("__")
}

/// The extra fields among the attributes of a record.
pub(crate) fn extra_of(attributes: &Bound<'_, PyDict>) -> PyResult<Vec<(String, Value<'static>)>> {
    let mut fields = Vec::new();
    for (key, value) in attributes.iter() {
        let key = text(&key.str()?)?;
        if !is_own_attribute(&key) {
            fields.push((key, convert(&value)?));
        }
    }
    Ok(fields)
}

/// A Python value as a typed value: `None`, `bool`, `int`, `float`, `str`, `list`, `tuple`, `set` and
/// `dict` by their kind, everything else by `str()`.
pub(crate) fn convert(value: &Bound<'_, PyAny>) -> PyResult<Value<'static>> {
    convert_at(value, 0)
}

fn convert_at(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value<'static>> {
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(Value::Bool(value.is_true()));
    }
    if value.is_exact_instance_of::<PyInt>() {
        return Ok(match value.extract::<i64>() {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::BigInteger(Cow::Owned(text(&value.str()?)?)),
        });
    }
    if value.is_exact_instance_of::<PyFloat>() {
        return Ok(Value::Float(value.extract()?));
    }
    if depth < DEEPEST {
        if let Ok(map) = value.cast::<PyDict>() {
            let entries = map
                .iter()
                .map(|(key, value)| Ok((Cow::Owned(text(&key.str()?)?), convert_at(&value, depth + 1)?)));
            return Ok(Value::Map(entries.collect::<PyResult<_>>()?));
        }
        if value.is_instance_of::<PyList>()
            || value.is_instance_of::<PyTuple>()
            || value.is_instance_of::<PySet>()
        {
            let values = value.try_iter()?.map(|value| convert_at(&value?, depth + 1));
            return Ok(Value::List(values.collect::<PyResult<_>>()?));
        }
    }
    Ok(Value::Text(Cow::Owned(text(&value.str()?)?)))
}

/// Text as UTF-8; lone surrogates, which have no UTF-8 form, as `\udc80`.
pub(crate) fn text(text: &Bound<'_, PyString>) -> PyResult<String> {
    if let Ok(text) = text.to_str() {
        return Ok(text.to_owned());
    }
    let bytes: Vec<u8> = text.call_method1("encode", ("utf-8", "backslashreplace"))?.extract()?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
