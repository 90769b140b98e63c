//! The keyword-only options of `TimedRotatingFileHandler`, also where its methods stay the interpreter's own: those of a
//! release that `schedule` does not know.

use duramen::rotation::Upkeep;
use duramen::writer::Fsync;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::classes::native_method::{Call, Method};
use crate::handler::further_options::{Asked, count};
use crate::handler::option_values::ScheduleOptions;
use crate::handler::{fsync, lineage, upkeep};
use crate::interpreter;
use crate::interpreter::intern;

/// What stands before the interpreter's own methods.
pub(crate) static METHODS: &[Method] = &[("__init__", init), ("doRollover", do_rollover)];

/// What was asked for: who does it, `maxBytes`, and when the file is to be on the disk.
pub(crate) struct Wanted {
    upkeep: Option<Upkeep>,
    most_bytes: Option<usize>,
    fsync: Fsync,
}

/// Checks the further options of `call`, that of `__init__`, and CPython's beside them.
pub(crate) fn asked(call: &Call<'_, '_>) -> PyResult<Wanted> {
    let Some(asked) = Asked::of(call)? else {
        return Ok(Wanted { upkeep: None, most_bytes: None, fsync: Fsync::Never });
    };
    let [path, when, interval, backups, encoding, _delay, utc, at_time, errors] =
        std::array::from_fn(|index| call.argument(index));
    let fsync = fsync::asked(Some(&asked))?;
    asked.check_file(intern!(call.py(), "a"), &encoding, &errors)?;
    let schedule = ScheduleOptions {
        when: Some(&when),
        interval: Some(&interval),
        utc: Some(&utc),
        at_time: (!at_time.is_none()).then_some(&*at_time),
    };
    asked.check_schedule(&schedule)?;
    let backups = asked.checked(count("backupCount", &backups))?;
    let most_bytes =
        asked.get("maxBytes")?.map(|most| asked.checked(count("maxBytes", &most))).transpose()?;
    let upkeep = asked.wants_upkeep().then(|| asked.upkeep(&path, backups)).transpose()?;
    Ok(Wanted { upkeep, most_bytes, fsync })
}

/// Gives the handler, which is complete otherwise, what was asked for.
pub(crate) fn begin(handler: &Bound<'_, PyAny>, wanted: Wanted) -> PyResult<()> {
    if let Some(most_bytes) = wanted.most_bytes {
        handler.setattr(intern!(handler.py(), "maxBytes"), most_bytes)?;
    }
    fsync::begin(handler, wanted.fsync)?;
    wanted.upkeep.map_or(Ok(()), |upkeep| upkeep::begin(handler, upkeep))
}

/// Rolls the file over, if the handler has upkeep.
pub(crate) fn has_rolled_over(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let upkeep = upkeep::of(handler)?;
    if let Some(upkeep) = &upkeep {
        upkeep::roll_over(handler, upkeep)?;
    }
    Ok(upkeep.is_some())
}

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    /// How many parameters CPython's has after `self`.
    const PARAMETERS: usize = 9;
    let wanted = asked(call)?;
    let arguments = (0..PARAMETERS).map(|index| call.argument(index).to_owned());
    let arguments: Vec<_> = std::iter::once(call.object.clone()).chain(arguments).collect();
    let arguments = PyTuple::new(call.py(), arguments)?;
    own_method(&call.object, intern!(call.py(), "__init__"))?.call1(arguments)?;
    begin(&call.object, wanted)?;
    call.none()
}

fn do_rollover<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    if has_rolled_over(&call.object)? {
        return call.none();
    }
    own_method(&call.object, intern!(call.py(), "doRollover"))?.call1((&call.object,))
}

/// The interpreter's own method.
fn own_method<'py>(handler: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    let class = lineage::base(handler, intern!(handler.py(), "TimedRotatingFileHandler"))?;
    interpreter::replaced_by(&class.getattr(name)?)
        .ok_or_else(|| PyRuntimeError::new_err(format!("{name} is no method of Duramen's any more")))
}
