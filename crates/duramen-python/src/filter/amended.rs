//! What the filters of a handler have changed about an event, which other handlers see as it was, or those of a logger.

use duramen::Record;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::interpreter::intern;

/// An event as it is shown.
#[derive(Clone, Default)]
pub(crate) struct Amended<'py> {
    /// In the place of the message with its arguments.
    pub(crate) message: Option<String>,
    /// In the place of the extra fields.
    pub(crate) extra: Option<Bound<'py, PyDict>>,
    /// The exception is known by its text alone, which may be another one.
    pub(crate) is_masked: bool,
    /// Empty when it is left out.
    pub(crate) exception: Option<String>,
}

impl<'py> Amended<'py> {
    /// `record` as it is to be shown.
    pub(crate) fn record<'r>(&'r self, record: &Record<'r>) -> Record<'r> {
        Record {
            message: self.message.as_deref().unwrap_or(record.message),
            exception: self.exception.as_deref().or(record.exception).filter(|text| !text.is_empty()),
            ..record.clone()
        }
    }

    /// Appends `note` to the message, which is `message` if nothing has changed it.
    pub(crate) fn add_note(&mut self, message: &str, note: &str) {
        let message = self.message.take().unwrap_or_else(|| message.to_owned());
        self.message = Some(message + note);
    }

    /// Shows no exception.
    pub(crate) fn leave_exception_out(&mut self) {
        self.is_masked = true;
        self.exception = Some(String::new());
    }

    /// Sets an extra field, the fields being `extra` if nothing has changed them.
    pub(crate) fn set_field(
        &mut self,
        py: Python<'py>,
        extra: Option<&Bound<'py, PyDict>>,
        name: &str,
        value: impl IntoPyObject<'py>,
    ) -> PyResult<()> {
        let fields = match self.extra.as_ref().or(extra) {
            Some(fields) => fields.copy()?,
            None => PyDict::new(py),
        };
        fields.set_item(name, value)?;
        self.extra = Some(fields);
        Ok(())
    }

    /// The same for `made`, the event as a `LogRecord` with the fields `extra`.
    ///
    /// `message` and `exception` are its texts: a record that is masked holds nothing else of what was given.
    pub(crate) fn put_on(
        &self,
        made: &Bound<'py, PyAny>,
        record: &Record<'_>,
        extra: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<()> {
        let py = made.py();
        let shown = self.record(record);
        if self.message.is_some() || self.is_masked {
            made.setattr(intern!(py, "msg"), shown.message)?;
            made.setattr(intern!(py, "args"), py.None())?;
        }
        if self.is_masked {
            made.setattr(intern!(py, "exc_info"), py.None())?;
            made.setattr(intern!(py, "exc_text"), shown.exception)?;
        }
        if let Some(fields) = &self.extra {
            let attributes = made.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
            for name in extra.iter().flat_map(|extra| extra.keys()) {
                attributes.del_item(name)?;
            }
            attributes.update(fields.as_mapping())?;
        }
        Ok(())
    }
}
