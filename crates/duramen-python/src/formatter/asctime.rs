//! `asctime` on the native way: what `Formatter.formatTime` gives, remembered for the running second.

use std::cell::RefCell;

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyString};

use crate::classes::globals;
use crate::interpreter::intern;
use crate::record::Creation;
use crate::way::settings::Settings;

/// How a formatter writes the creation time.
pub(crate) struct TimeText {
    converter: Py<PyAny>,
    format: Py<PyAny>,
    milliseconds: Milliseconds,
    /// The text of the last second that was asked for.
    last: RefCell<Last>,
}

/// What follows the text of the second.
enum Milliseconds {
    Nothing,
    /// A comma and three digits.
    Usual,
    /// As this format of the formatter says.
    Format(Py<PyAny>),
}

/// The text of a second, and with which state of the `time` module it was made.
#[derive(Default)]
struct Last {
    second: Option<i64>,
    time_version: u64,
    text: String,
}

impl TimeText {
    /// Reads what `formatter`, of which nothing is overridden, says about times.
    pub(crate) fn of(formatter: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = formatter.py();
        let mut format = formatter.getattr(intern!(py, "datefmt"))?;
        let mut milliseconds = Milliseconds::Nothing;
        if !format.is_truthy()? {
            format = formatter.getattr(intern!(py, "default_time_format"))?;
            let added = formatter.getattr(intern!(py, "default_msec_format"))?;
            if added.cast_exact::<PyString>().is_ok_and(|added| added == "%s,%03d") {
                milliseconds = Milliseconds::Usual;
            } else if added.is_truthy()? {
                milliseconds = Milliseconds::Format(added.unbind());
            }
        }
        let converter = formatter.getattr(intern!(py, "converter"))?.unbind();
        Ok(Self { converter, format: format.unbind(), milliseconds, last: RefCell::default() })
    }

    /// Appends the creation time to `out`. True when the interpreter was asked for it.
    pub(crate) fn write(
        &self,
        py: Python<'_>,
        created: &Creation,
        settings: &Settings,
        out: &mut String,
    ) -> PyResult<bool> {
        if self.write_remembered(created, settings, out).is_some() {
            return Ok(false);
        }
        let start = out.len();
        out.push_str(self.of_second(py, created, settings)?.to_str()?);
        match &self.milliseconds {
            Milliseconds::Nothing => {}
            Milliseconds::Usual => push_usual_milliseconds(created, out),
            Milliseconds::Format(format) => {
                let text = PyString::new(py, &out[start..]);
                let with_milliseconds = format.bind(py).rem((text, created.milliseconds))?.str()?;
                out.truncate(start);
                out.push_str(with_milliseconds.to_str()?);
            }
        }
        Ok(true)
    }

    /// Whether a comma and three digits end the text.
    pub(crate) fn has_usual_milliseconds(&self) -> bool {
        matches!(self.milliseconds, Milliseconds::Usual)
    }

    /// Appends the creation time to `out`, if the text of its second is remembered and needs no interpreter.
    #[inline]
    pub(crate) fn write_remembered(
        &self,
        created: &Creation,
        settings: &Settings,
        out: &mut String,
    ) -> Option<()> {
        let last = self.last.try_borrow().ok()?;
        if last.second != Some(created.second()) || last.time_version != settings.time_version() {
            return None;
        }
        match &self.milliseconds {
            Milliseconds::Nothing => out.push_str(&last.text),
            Milliseconds::Usual => {
                out.push_str(&last.text);
                push_usual_milliseconds(created, out);
            }
            Milliseconds::Format(_) => return None,
        }
        Some(())
    }

    /// `time.strftime(format, converter(created))`.
    fn of_second<'py>(
        &self,
        py: Python<'py>,
        created: &Creation,
        settings: &Settings,
    ) -> PyResult<Bound<'py, PyString>> {
        let converter = self.converter.bind(py);
        let strftime = globals::get(py, intern!(py, "time"))?.getattr(intern!(py, "strftime"))?;
        let moment = converter.call1((created.seconds,))?;
        let text = strftime.call1((self.format.bind(py), moment))?.cast_into::<PyString>()?;
        // A function written in Python may count its calls or answer differently each time.
        let constant =
            converter.is_exact_instance_of::<PyCFunction>() && strftime.is_exact_instance_of::<PyCFunction>();
        if constant && let Ok(mut last) = self.last.try_borrow_mut() {
            last.second = Some(created.second());
            last.time_version = settings.time_version();
            text.to_str()?.clone_into(&mut last.text);
        }
        Ok(text)
    }
}

/// A comma and three digits.
fn push_usual_milliseconds(created: &Creation, out: &mut String) {
    out.push(',');
    out.push_str(std::str::from_utf8(&created.digits_of_milliseconds()).unwrap_or("???"));
}
