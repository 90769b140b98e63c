//! What is kept of an event that a filter has held back, for a record that may be made of it later.

use duramen::Record;
use duramen::record::Caller;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictMethods, PyString};

use crate::filter::amended::Amended;
use crate::filter::kept::{Kept, KeptEvent, KeptMessage};
use crate::record::caller;
use crate::record::exception::Masked;
use crate::record::surroundings::Surroundings;
use crate::way::pipeline::Event;
use crate::way::settings::Settings;

impl<'py> Event<'_, 'py> {
    /// What a `LogRecord` can be made of later, as filters have left it; `record` is as it was before them.
    pub(crate) fn kept(
        &self,
        amended: &Amended<'py>,
        record: &Record<'_>,
        settings: &Settings,
    ) -> PyResult<Kept> {
        let py = self.call.logger.py();
        let shown = amended.record(record);
        let found = self.found_site(settings)?;
        let (site, line) = if let Some(site) = &found {
            (site.objects(py), site.line)
        } else {
            let Caller { pathname, filename, module, line, function } = caller::unknown();
            let texts = [pathname, filename, module, function];
            (texts.map(|text| PyString::new(py, text)), line)
        };
        let fields =
            amended.message_fields.as_ref().or(self.message_fields()).filter(|_| amended.message.is_none());
        let message = match fields {
            Some(fields) if fields.is_exact_instance_of::<PyDict>() => {
                KeptMessage::Fields(fields.copy()?.unbind())
            }
            // It may have a text of its own, which a copy would not.
            Some(fields) => KeptMessage::Fields(fields.clone().unbind()),
            None => KeptMessage::Text(shown.message.to_owned()),
        };
        let mut masks = self.masks.clone();
        masks.add_all(&amended.masks);
        let exception = self.options.exc_info.as_ref().filter(|_| !amended.is_without_exception);
        let masked_exception = match (shown.exception, exception) {
            (Some(text), Some(triple)) if !masks.are_none() => {
                Some((text.to_owned(), Masked::of(triple, &masks)?))
            }
            _ => None,
        };
        let around = Surroundings::now(py)?;
        let extra = amended.extra.as_ref().or(self.options.extra()).map(PyDictMethods::copy).transpose()?;
        Ok(Kept::Event(Box::new(KeptEvent {
            name: self.name.clone().unbind(),
            level: self.call.level,
            level_name: self.level_name.to_string(),
            site: site.map(Bound::unbind),
            line,
            message,
            created: self.created,
            surroundings: [
                around.thread,
                around.thread_name,
                around.process_name,
                around.process,
                around.task_name,
            ]
            .map(Bound::unbind),
            exception: exception.filter(|_| masks.are_none()).map(|triple| triple.clone().unbind()),
            masked_exception,
            stack: shown.stack.map(str::to_owned),
            extra: extra.map(Bound::unbind),
        })))
    }
}
