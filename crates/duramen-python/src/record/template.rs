//! The fields of a record, copied from those that all records from one place in the source have in common.
//!
//! A record has some twenty fields, of which five or six are others the next time. Copying the dict and setting
//! those costs a fraction of making it.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::interpreter::intern;
use crate::record::{Fields, Parts};

/// The dict of a record from one place.
pub(crate) struct Template {
    fields: Py<PyDict>,
    usual: [Py<PyAny>; USUAL],
}

const USUAL: usize = 8;

/// The fields that hardly ever differ between records from one place, apart from those that tell the place.
fn usual<'a, 'py>(parts: &'a Parts<'py>) -> [(&'a Bound<'py, PyString>, &'a Bound<'py, PyAny>); USUAL] {
    let py = parts.name.py();
    let around = &parts.surroundings;
    [
        (intern!(py, "name"), &parts.name),
        (intern!(py, "levelname"), &parts.level_name),
        (intern!(py, "levelno"), &parts.level),
        (intern!(py, "thread"), &around.thread),
        (intern!(py, "threadName"), &around.thread_name),
        (intern!(py, "processName"), &around.process_name),
        (intern!(py, "process"), &around.process),
        (intern!(py, "taskName"), &around.task_name),
    ]
}

impl Template {
    pub(crate) fn of(parts: &Parts<'_>) -> PyResult<Self> {
        let py = parts.name.py();
        let fields = PyDict::new(py);
        parts.fill(&Fields::Dict(fields.clone()))?;
        // What is another one for each record, or must not be kept alive.
        for name in [intern!(py, "msg"), intern!(py, "args"), intern!(py, "exc_info")] {
            fields.set_item(name, py.None())?;
        }
        // A dict with room for what formatting adds, which would have to grow in each copy otherwise.
        let more = intern!(py, "message");
        fields.set_item(more, py.None())?;
        fields.del_item(more)?;
        Ok(Self { fields: fields.unbind(), usual: usual(parts).map(|(_, value)| value.clone().unbind()) })
    }

    /// A new dict with the fields of `parts`, which is from the same place.
    pub(crate) fn copy_for<'py>(&self, parts: &Parts<'py>) -> PyResult<Bound<'py, PyDict>> {
        let py = parts.name.py();
        let fields = self.fields.bind(py).copy()?;
        for ((name, value), kept) in usual(parts).into_iter().zip(&self.usual) {
            if !value.is(kept) {
                fields.set_item(name, value)?;
            }
        }
        fields.set_item(intern!(py, "msg"), &parts.message)?;
        fields.set_item(intern!(py, "args"), &parts.arguments)?;
        if !parts.exception.is_none() {
            fields.set_item(intern!(py, "exc_info"), &parts.exception)?;
        }
        fields.set_item(intern!(py, "created"), parts.created.seconds)?;
        fields.set_item(intern!(py, "msecs"), parts.created.milliseconds)?;
        fields.set_item(intern!(py, "relativeCreated"), parts.created.since_start_milliseconds)?;
        Ok(fields)
    }
}
