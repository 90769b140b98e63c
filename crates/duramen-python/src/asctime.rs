//! `asctime` on the native way: what `Formatter.formatTime` gives, remembered for the running second.

use parking_lot::Mutex;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyString};

use crate::globals;
use crate::record::Creation;
use crate::route::Target;

/// The text of one second, and everything that it was computed with.
struct Remembered {
    second: i64,
    /// Kept alive here, so that identity says that they are the same.
    converter: Py<PyAny>,
    strftime: Py<PyAny>,
    format: Py<PyAny>,
    text: Py<PyString>,
}

static LAST: Mutex<Option<Remembered>> = Mutex::new(None);

/// The creation time as the target's formatter writes it.
pub(crate) fn text(target: &Target<'_>, created: &Creation) -> PyResult<String> {
    let py = target.formatter.py();
    let formatter = &target.formatter;
    if target.date_format.is_truthy()? {
        return Ok(of_second(formatter, &target.date_format, created)?.to_str()?.to_owned());
    }
    let format = formatter.getattr(intern!(py, "default_time_format"))?;
    let text = of_second(formatter, &format, created)?;
    let with_milliseconds = formatter.getattr(intern!(py, "default_msec_format"))?;
    if !with_milliseconds.is_truthy()? {
        return Ok(text.to_str()?.to_owned());
    }
    if with_milliseconds.cast_exact::<PyString>().is_ok_and(|format| format == "%s,%03d") {
        return Ok(format!("{},{:03}", text.to_str()?, created.milliseconds));
    }
    Ok(with_milliseconds.rem((text, created.milliseconds))?.str()?.to_str()?.to_owned())
}

/// `time.strftime(format, formatter.converter(created))`, asked again when the second or one of the
/// functions has changed.
fn of_second<'py>(
    formatter: &Bound<'py, PyAny>,
    format: &Bound<'py, PyAny>,
    created: &Creation,
) -> PyResult<Bound<'py, PyString>> {
    let py = formatter.py();
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds of a present time")]
    let second = created.seconds.floor() as i64;
    let converter = formatter.getattr(intern!(py, "converter"))?;
    let strftime = globals::get(py, intern!(py, "time"))?.getattr(intern!(py, "strftime"))?;
    // A function written in Python may count its calls or answer differently each time.
    let constant =
        converter.is_exact_instance_of::<PyCFunction>() && strftime.is_exact_instance_of::<PyCFunction>();
    if constant
        && let Some(last) = &*LAST.lock()
        && last.second == second
        && converter.is(&last.converter)
        && strftime.is(&last.strftime)
        && format.is(&last.format)
    {
        return Ok(last.text.bind(py).clone());
    }
    let moment = converter.call1((created.seconds,))?;
    let text = strftime.call1((format, moment))?.cast_into::<PyString>()?;
    let remembered = Remembered {
        second,
        converter: converter.unbind(),
        strftime: strftime.unbind(),
        format: format.clone().unbind(),
        text: text.clone().unbind(),
    };
    let previous = LAST.lock().replace(remembered);
    // Outside the lock: dropping the last reference to an object can run Python code.
    drop(previous);
    Ok(text)
}
