//! Python values as JSON, written straight into the line.
//!
//! Each kind of value has one rule, which the documentation of `duramen.formatters` lists. Nothing that a
//! value does is an error of the record: a value whose own code fails is named in its place.

use std::borrow::Cow;

use duramen::formatter::json::ValueWriter;
use pyo3::exceptions::{PyBaseException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDate, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping,
    PyMemoryView, PySet, PyString, PyTime, PyTraceback, PyTuple, PyType,
};

use crate::formatter::numpy;
use crate::interpreter::{Once, intern};
use crate::{classes, interpreter};

/// What a formatter has been told about values.
pub(crate) struct Rules {
    /// Asked for values that JSON has no form for, before the rules of this module.
    pub(crate) default: Option<Py<PyAny>>,
    /// Containers nested deeper than this are named.
    pub(crate) deepest: usize,
}

/// Nesting that no reader of logs wants to see more of.
pub(crate) const DEEPEST: usize = 16;

/// The containers around a value, the innermost first.
#[derive(Clone, Copy)]
struct Around<'a> {
    container: *mut pyo3::ffi::PyObject,
    outer: Option<&'a Around<'a>>,
    depth: usize,
}

impl Rules {
    /// Without a hook.
    pub(crate) const fn plain() -> Self {
        Self { default: None, deepest: DEEPEST }
    }

    /// Writes `value`.
    ///
    /// # Errors
    /// Those that do not derive from `Exception`, as `KeyboardInterrupt`.
    pub(crate) fn write(&self, value: &Bound<'_, PyAny>, place: ValueWriter<'_>) -> PyResult<()> {
        self.write_inside(value, place, None)
    }

    fn write_inside(
        &self,
        value: &Bound<'_, PyAny>,
        place: ValueWriter<'_>,
        around: Option<&Around<'_>>,
    ) -> PyResult<()> {
        if let Ok(text) = value.cast::<PyString>() {
            write_text(text, place)
        } else if value.is_none() {
            place.null();
            Ok(())
        } else if let Ok(value) = value.cast::<PyBool>() {
            place.boolean(value.is_true());
            Ok(())
        } else if let Ok(number) = value.cast::<PyInt>() {
            write_integer(number, place)
        } else if let Ok(number) = value.cast::<PyFloat>() {
            place.float(number.value());
            Ok(())
        } else {
            self.write_container(value, place, around)
        }
    }

    fn write_container(
        &self,
        value: &Bound<'_, PyAny>,
        place: ValueWriter<'_>,
        around: Option<&Around<'_>>,
    ) -> PyResult<()> {
        let here = Around {
            container: value.as_ptr(),
            outer: around,
            depth: around.map_or(1, |around| around.depth + 1),
        };
        let mut outer = around;
        while let Some(container) = outer {
            if container.container == here.container {
                place.joined(&["<cycle: ", &class_name(value), ">"]);
                return Ok(());
            }
            outer = container.outer;
        }
        if here.depth > self.deepest {
            place.joined(&["<too deep: ", &class_name(value), ">"]);
            Ok(())
        } else if let Ok(map) = value.cast::<PyDict>() {
            self.write_dict(map, place, &here)
        } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            self.write_sequence(value, place, &here)
        } else {
            self.write_other(value, place, &here)
        }
    }

    fn write_dict(&self, map: &Bound<'_, PyDict>, place: ValueWriter<'_>, here: &Around<'_>) -> PyResult<()> {
        place.object(|members| {
            for (key, value) in interpreter::entries(map) {
                let key = key_text(&key)?;
                self.write_inside(&value, members.member(&key), Some(here))?;
            }
            Ok(())
        })
    }

    fn write_sequence(
        &self,
        values: &Bound<'_, PyAny>,
        place: ValueWriter<'_>,
        here: &Around<'_>,
    ) -> PyResult<()> {
        let values = match values.cast::<PyTuple>() {
            Ok(values) => values.to_list(),
            Err(_) => values.cast::<PyList>()?.clone(),
        };
        place.list(|elements| {
            values.iter().try_for_each(|value| self.write_inside(&value, elements.element(), Some(here)))
        })
    }

    /// A value that JSON has no form for: by the hook, or else by the rule of its kind.
    fn write_other(
        &self,
        value: &Bound<'_, PyAny>,
        place: ValueWriter<'_>,
        here: &Around<'_>,
    ) -> PyResult<()> {
        let py = value.py();
        if let Some(default) = &self.default {
            match default.bind(py).call1((value,)) {
                // The same object again would be asked for without end.
                Ok(replaced) if !replaced.is(value) => {
                    return self.write_inside(&replaced, place, Some(here));
                }
                Ok(_) => {}
                // What the hook of the `json` module raises for what it does not know.
                Err(error) if error.is_instance_of::<PyTypeError>(py) => {}
                Err(error) => return write_failure(value, error, place),
            }
        }
        match simpler(value) {
            Ok(Some(Simpler::Value(simpler))) => self.write_inside(&simpler, place, Some(here)),
            Ok(Some(Simpler::Set(elements))) => {
                let mut texts = Vec::with_capacity(elements.len());
                for element in &elements {
                    let mut text = Vec::new();
                    self.write_inside(&element, ValueWriter::new(&mut text, place.is_ascii()), Some(here))?;
                    texts.push(text);
                }
                place.sorted_list(texts);
                Ok(())
            }
            Ok(None) => match value.str() {
                Ok(text) => write_text(&text, place),
                Err(error) => write_failure(value, error, place),
            },
            Err(error) => write_failure(value, error, place),
        }
    }
}

/// What stands for a value that JSON has no form for.
pub(crate) enum Simpler<'py> {
    /// This value.
    Value(Bound<'py, PyAny>),
    /// The elements of a set, which have no order.
    Set(Bound<'py, PyList>),
}

/// The rules by kind; `None` for those whose text is `str()`.
pub(crate) fn simpler<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Simpler<'py>>> {
    static ENUM: Once<Py<PyType>> = Once::new();
    static DEQUE: Once<Py<PyType>> = Once::new();
    let py = value.py();
    let simpler = if value.is_instance_of::<PyDate>() || value.is_instance_of::<PyTime>() {
        value.call_method0(intern!(py, "isoformat"))?
    } else if value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>() {
        return Ok(Some(Simpler::Set(list_of(value)?)));
    } else if let Ok(class) = value.cast::<PyType>() {
        class.name()?.into_any()
    } else if value.is_instance(ENUM.import(py, "enum", "Enum")?)? {
        value.getattr(intern!(py, "value"))?
    } else if value.is_instance_of::<PyBaseException>() {
        let text = format!("{}: {}", class_name(value), text_of(&value.str()?)?);
        PyString::new(py, &text).into_any()
    } else if value.is_instance_of::<PyTraceback>() {
        let entries =
            py.import(intern!(py, "traceback"))?.call_method1(intern!(py, "format_tb"), (value,))?;
        let text: Vec<String> = entries.extract()?;
        PyString::new(py, text.concat().trim()).into_any()
    } else if value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PyMemoryView>()
    {
        py.import(intern!(py, "base64"))?
            .call_method1(intern!(py, "urlsafe_b64encode"), (value,))?
            .call_method1(intern!(py, "decode"), ("ascii",))?
    } else if let Some(fields) = value.get_type().getattr_opt(intern!(py, "__dataclass_fields__"))? {
        dataclass_members(value, &fields)?.into_any()
    } else if let Ok(mapping) = value.cast::<PyMapping>() {
        let members = PyDict::new(py);
        for entry in mapping.items()?.iter() {
            let (key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = entry.extract()?;
            members.set_item(key, value)?;
        }
        members.into_any()
    } else if value.is_instance(DEQUE.import(py, "collections", "deque")?)? {
        list_of(value)?.into_any()
    } else if let Some(simpler) = numpy::simpler(value)? {
        simpler
    } else {
        return Ok(None);
    };
    Ok((!simpler.is(value)).then_some(Simpler::Value(simpler)))
}

fn list_of<'py>(values: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    Ok(values.py().get_type::<PyList>().call1((values,))?.cast_into::<PyList>()?)
}

/// The fields of a dataclass as it has them now; those that were deleted are left out.
fn dataclass_members<'py>(
    value: &Bound<'py, PyAny>,
    fields: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let members = PyDict::new(value.py());
    for name in fields.try_iter()? {
        let name = name?.cast_into::<PyString>()?;
        if let Some(member) = value.getattr_opt(&name)? {
            members.set_item(name, member)?;
        }
    }
    Ok(members)
}

fn write_integer(number: &Bound<'_, PyInt>, place: ValueWriter<'_>) -> PyResult<()> {
    static DECIMAL: Once<Py<PyType>> = Once::new();
    if let Ok(small) = number.extract::<i64>() {
        place.integer(small);
        return Ok(());
    }
    let py = number.py();
    let exact = py.get_type::<PyInt>().call_method1(intern!(py, "__repr__"), (number,));
    // The interpreter limits the digits of `repr`, but not those of a decimal number.
    let exact = exact
        .or_else(|_| DECIMAL.import(py, "decimal", "Decimal")?.call1((number,))?.str().map(Bound::into_any));
    match exact.and_then(|digits| text_of(digits.cast::<PyString>()?)) {
        Ok(digits) => place.digits(&digits),
        Err(error) => return write_failure(number.as_any(), error, place),
    }
    Ok(())
}

/// Text as it is, lone surrogates included.
pub(crate) fn write_text(text: &Bound<'_, PyString>, place: ValueWriter<'_>) -> PyResult<()> {
    match text.to_str() {
        Ok(text) => place.text(text),
        Err(_) => place.text_with_surrogates(&with_surrogates(text)?),
    }
    Ok(())
}

/// UTF-8 with three bytes for each lone surrogate.
pub(crate) fn with_surrogates(text: &Bound<'_, PyString>) -> PyResult<Vec<u8>> {
    let py = text.py();
    text.call_method1(intern!(py, "encode"), ("utf-8", "surrogatepass"))?.extract()
}

/// Names a value whose own code has failed.
pub(crate) fn write_failure(value: &Bound<'_, PyAny>, error: PyErr, place: ValueWriter<'_>) -> PyResult<()> {
    place.text(&name_of_failure(value, error)?);
    Ok(())
}

/// What stands in the place of a value whose own code has failed.
pub(crate) fn name_of_failure(value: &Bound<'_, PyAny>, error: PyErr) -> PyResult<String> {
    let py = value.py();
    if !classes::is_ordinary(py, &error) {
        return Err(error);
    }
    Ok(format!("<unwritable {}: {}>", class_name(value), class_name(error.value(py))))
}

/// The value's text by `str()`; where that fails, a name of the failure.
///
/// # Errors
/// Those that do not derive from `Exception`, as `KeyboardInterrupt`.
pub(crate) fn text_or_failure<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    value.str().or_else(|error| Ok(PyString::new(value.py(), &name_of_failure(value, error)?)))
}

fn class_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().and_then(|name| text_of(&name)).unwrap_or_else(|_| "?".to_owned())
}

/// The key of a member: text as it is, and what JSON has a form for as the `json` module writes it.
pub(crate) fn key_text<'a>(key: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, str>> {
    if let Ok(text) = key.cast::<PyString>() {
        return text.to_str().map(Cow::Borrowed).or_else(|_| text_of(text).map(Cow::Owned));
    }
    if key.is_none() {
        return Ok("null".into());
    }
    if let Ok(truth) = key.cast::<PyBool>() {
        return Ok(if truth.is_true() { "true" } else { "false" }.into());
    }
    match key.str() {
        Ok(text) => text_of(&text).map(Cow::Owned),
        Err(error) if classes::is_ordinary(key.py(), &error) => {
            Ok(format!("<unwritable {}>", class_name(key)).into())
        }
        Err(error) => Err(error),
    }
}

/// Text as UTF-8; lone surrogates, which have no UTF-8 form, as `\udc80`.
pub(crate) fn text_of(text: &Bound<'_, PyString>) -> PyResult<String> {
    if let Ok(text) = text.to_str() {
        return Ok(text.to_owned());
    }
    let bytes: Vec<u8> = text.call_method1("encode", ("utf-8", "backslashreplace"))?.extract()?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
