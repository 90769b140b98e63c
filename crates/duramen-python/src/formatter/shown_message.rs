//! The message of a record as structured lines show it.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::formatter::values;
use crate::interpreter;

/// The text in the message's place.
#[derive(Default)]
pub(crate) struct ShownMessage<'py> {
    pub(crate) text: String,
    /// The same, where it holds lone surrogates.
    pub(crate) with_surrogates: Option<Vec<u8>>,
    /// The key of the entry that it is, where the message is a dict.
    entry: Option<Bound<'py, PyAny>>,
}

impl<'py> ShownMessage<'py> {
    pub(crate) fn of_text(text: &Bound<'py, PyString>) -> PyResult<Self> {
        let with_surrogates = text.to_str().is_err().then(|| values::with_surrogates(text)).transpose()?;
        Ok(Self { text: values::text_of(text)?, with_surrogates, entry: None })
    }

    /// Of a message that is a dict: its entry `message`. The others are extra fields.
    pub(crate) fn of_fields(fields: &Bound<'py, PyDict>) -> PyResult<Self> {
        let is_message = |key: &Bound<'_, PyAny>| {
            key.cast::<PyString>().is_ok_and(|key| key.to_str().is_ok_and(|key| key == "message"))
        };
        let Some((key, value)) = interpreter::entries(fields).find(|(key, _)| is_message(key)) else {
            return Ok(Self::default());
        };
        Ok(Self { entry: Some(key), ..Self::of_text(&values::text_or_failure(&value)?)? })
    }

    /// Whether this is the key of the entry that is shown as the message.
    pub(crate) fn is_entry(&self, key: &Bound<'_, PyAny>) -> bool {
        self.entry.as_ref().is_some_and(|entry| entry.is(key))
    }
}
