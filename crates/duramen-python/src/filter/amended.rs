//! What the filters of a handler have changed about an event, which other handlers see as it was, or those of a logger.

use duramen::Record;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::filter::redactor::Masks;
use crate::interpreter::intern;
use crate::record::exception;

/// An event as it is shown.
#[derive(Clone, Default)]
pub(crate) struct Amended<'py> {
    /// In the place of the message with its arguments, which may be a dict.
    pub(crate) message: Option<String>,
    /// In the place of the fields of a message that is a dict; it is one no more where there is a `message`.
    pub(crate) message_fields: Option<Bound<'py, PyDict>>,
    /// In the place of the extra fields.
    pub(crate) extra: Option<Bound<'py, PyDict>>,
    /// What has masked the event: of its exception nothing is shown but what these leave.
    pub(crate) masks: Masks<'py>,
    /// The exception is left out.
    pub(crate) is_without_exception: bool,
    /// In the place of the exception's text.
    pub(crate) exception: Option<String>,
    /// In the place of the stack; empty when it is left out.
    pub(crate) stack: Option<String>,
}

impl<'py> Amended<'py> {
    /// `record` as it is to be shown.
    pub(crate) fn record<'r>(&'r self, record: &Record<'r>) -> Record<'r> {
        let exception = self.exception.as_deref().or(record.exception).filter(|text| !text.is_empty());
        Record {
            message: self.message.as_deref().unwrap_or(record.message),
            exception: exception.filter(|_| !self.is_without_exception),
            stack: self.stack.as_deref().or(record.stack).filter(|text| !text.is_empty()),
            ..record.clone()
        }
    }

    /// Appends `note` to the message, which is `message` now.
    pub(crate) fn add_note(&mut self, message: &str, note: &str) {
        self.message = Some(format!("{message} {note}"));
    }

    /// Whether the exception is as it was given.
    pub(crate) fn has_whole_exception(&self) -> bool {
        self.masks.are_none() && !self.is_without_exception
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
    /// `message`, `exception` and `stack` are its texts: a record that is masked holds nothing else of what was given.
    pub(crate) fn put_on(
        &self,
        made: &Bound<'py, PyAny>,
        record: &Record<'_>,
        extra: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<()> {
        let py = made.py();
        let shown = self.record(record);
        let (msg, args) = (intern!(py, "msg"), intern!(py, "args"));
        match &self.message_fields {
            Some(fields) if self.message.is_none() => {
                made.setattr(msg, fields)?;
                made.setattr(args, py.None())?;
            }
            _ if self.message.is_some() || !self.masks.are_none() => {
                made.setattr(msg, shown.message)?;
                made.setattr(args, py.None())?;
            }
            _ => {}
        }
        if !self.has_whole_exception() {
            exception::put_masked(made, &self.masks, shown.exception)?;
        }
        if self.stack.is_some() {
            made.setattr(intern!(py, "stack_info"), shown.stack)?;
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
