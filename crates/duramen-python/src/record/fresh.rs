//! A record for filters written in Python, with what it was made of in native form: where they have left it alone, its line
//! is made from that.

use std::rc::Rc;

use duramen::record::Caller;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyTuple, PyType};

use crate::record::call_site::{self, CallSite};
use crate::record::shape::{Attribute, Made, OF_NEW};
use crate::record::surroundings::Surroundings;
use crate::record::{self, Creation};
use crate::way::call::LoggingCall;
use crate::way::settings::Settings;

/// A record that was made for one call.
pub(crate) struct Fresh<'py> {
    pub(crate) made: Box<Made>,
    pub(crate) created: Creation,
    site: Rc<CallSite>,
    pub(crate) surroundings: Surroundings<'py>,
}

impl<'py> Fresh<'py> {
    /// The record of a call without keywords, as `makeRecord` makes it. `None` where something of it is not usual, or was
    /// never asked for before; then nothing has been done. The settings hold.
    pub(crate) fn of(
        call: &LoggingCall<'_, 'py>,
        name: Borrowed<'_, 'py, PyAny>,
        settings: &Settings,
    ) -> PyResult<Option<Self>> {
        let py = call.logger.py();
        // A mapping would be the arguments itself. CPython 3.10 keeps attributes in dicts.
        if cfg!(not(Py_3_11)) || matches!(call.arguments, [only] if !record::is_plain_value(only)) {
            return Ok(None);
        }
        let (Some(created), Some(site)) = (settings.genuine_now(), call_site::remembered(py, settings))
        else {
            return Ok(None);
        };
        let Some(level_name) = settings.level_name(call.level) else { return Ok(None) };
        let class = settings.factory(py).to_owned().cast_into::<PyType>()?;
        let surroundings = Surroundings::now(py)?;
        let Creation { seconds, milliseconds, since_start_milliseconds } = created;
        let [seconds, milliseconds, since_start] = [seconds, milliseconds, since_start_milliseconds]
            .map(|number| PyFloat::new(py, number).into_any());
        let level = PyInt::new(py, call.level).into_any();
        let arguments = PyTuple::new(py, call.arguments)?.into_any();
        let none = py.None().into_bound(py);
        let [path, file, module, function, line] = site.borrowed_objects(py);
        let around = &surroundings;
        let all = [
            name,
            call.template,
            arguments.as_borrowed(),
            level_name.object.bind(py).as_any().as_borrowed(),
            level.as_borrowed(),
            path,
            file,
            module,
            none.as_borrowed(),
            none.as_borrowed(),
            none.as_borrowed(),
            line,
            function,
            seconds.as_borrowed(),
            milliseconds.as_borrowed(),
            since_start.as_borrowed(),
            around.thread.as_borrowed(),
            around.thread_name.as_borrowed(),
            around.process_name.as_borrowed(),
            around.process.as_borrowed(),
            around.task_name.as_borrowed(),
        ];
        let Some(values) = all.first_chunk::<OF_NEW>() else { return Ok(None) };
        let made = Made::new(&class, values)?;
        drop(none);
        Ok(made.map(|made| Self { made, created, site, surroundings }))
    }

    pub(crate) fn record(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.made.record(py)
    }

    /// One of the values that the record was made of.
    pub(crate) fn value(&self, py: Python<'py>, attribute: Attribute) -> Borrowed<'_, 'py, PyAny> {
        self.made.value(py, attribute)
    }

    pub(crate) fn caller(&self) -> Caller<'_> {
        self.site.caller()
    }
}
