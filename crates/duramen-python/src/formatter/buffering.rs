//! `BufferingFormatter`: one text for many records.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::interpreter::intern;

pub(crate) static METHODS: &[Method] = &[
    ("__init__", init),
    ("formatHeader", format_nothing),
    ("formatFooter", format_nothing),
    ("format", format),
];

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let given = call.argument(0);
    let line_formatter = if given.is_truthy()? {
        given.to_owned()
    } else {
        globals::get(py, intern!(py, "_defaultFormatter"))?
    };
    call.object.setattr(intern!(py, "linefmt"), line_formatter)?;
    call.none()
}

#[expect(clippy::unnecessary_wraps, reason = "the form of every native method")]
fn format_nothing<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyString::new(call.py(), "").into_any())
}

fn format<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (formatter, records) = (&call.object, call.argument(0));
    let mut text = PyString::new(py, "").into_any();
    if records.len()? > 0 {
        text = text.add(formatter.call_method1(intern!(py, "formatHeader"), (records,))?)?;
        for record in records.try_iter()? {
            let line_formatter = formatter.getattr(intern!(py, "linefmt"))?;
            text = text.add(line_formatter.call_method1(intern!(py, "format"), (record?,))?)?;
        }
        text = text.add(formatter.call_method1(intern!(py, "formatFooter"), (records,))?)?;
    }
    Ok(text)
}
