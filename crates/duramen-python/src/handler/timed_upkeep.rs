//! The keyword-only options of `TimedRotatingFileHandler`, also where its methods stay the interpreter's own: those of a
//! release that `schedule` does not know.

use duramen::rotation::Upkeep;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::classes::native_method::{Call, Method};
use crate::handler::upkeep::{self, Asked};
use crate::handler::{fsync, lineage};
use crate::interpreter;
use crate::interpreter::intern;

/// What stands before the interpreter's own methods.
pub(crate) static METHODS: &[Method] = &[("__init__", init), ("doRollover", do_rollover)];

/// What was asked for: who does it, and `maxBytes`.
pub(crate) struct Wanted {
    upkeep: Upkeep,
    most_bytes: Option<i64>,
}

/// Checks the options of `call`, that of `__init__`; `None` when there are none.
pub(crate) fn asked<'py>(
    call: &Call<'_, 'py>,
    path: &Bound<'py, PyAny>,
    backups: &Bound<'py, PyAny>,
) -> PyResult<Option<Wanted>> {
    let Some(asked) = Asked::of(call)? else { return Ok(None) };
    let most_bytes = asked.get("maxBytes")?;
    let most_bytes = most_bytes
        .map(|most_bytes| match most_bytes.extract::<i64>() {
            Ok(most_bytes) if most_bytes >= 0 => Ok(most_bytes),
            _ => {
                let found = most_bytes.repr()?;
                asked.refuse("maxBytes", &format!("found {found}, expected a number of bytes from 0 on"))
            }
        })
        .transpose()?;
    Ok(Some(Wanted { upkeep: asked.check(path, backups)?, most_bytes }))
}

/// Gives the handler, which is complete otherwise, what was asked for.
pub(crate) fn begin(handler: &Bound<'_, PyAny>, wanted: Wanted) -> PyResult<()> {
    if let Some(most_bytes) = wanted.most_bytes {
        handler.setattr(intern!(handler.py(), "maxBytes"), most_bytes)?;
    }
    upkeep::begin(handler, wanted.upkeep)
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
    /// Where `filename` and `backupCount` are among them.
    const FILENAME: usize = 0;
    const BACKUP_COUNT: usize = 3;
    let wanted = asked(call, &call.argument(FILENAME), &call.argument(BACKUP_COUNT))?;
    let arguments = (0..PARAMETERS).map(|index| call.argument(index).to_owned());
    let arguments: Vec<_> = std::iter::once(call.object.clone()).chain(arguments).collect();
    let arguments = PyTuple::new(call.py(), arguments)?;
    let fsync = fsync::asked(call)?;
    own_method(&call.object, intern!(call.py(), "__init__"))?.call1(arguments)?;
    fsync::begin(&call.object, fsync)?;
    if let Some(wanted) = wanted {
        begin(&call.object, wanted)?;
    }
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
