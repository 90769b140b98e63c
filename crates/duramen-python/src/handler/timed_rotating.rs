//! `TimedRotatingFileHandler`: a file that is rolled over by the clock.
//!
//! What is asked for each record stands here; the rollover itself, in [`super::schedule`].

use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::handler::rotating::is_irregular;
use crate::handler::{turn, upkeep};
use crate::interpreter::intern;

pub(crate) static METHODS: &[Method] = &[("shouldRollover", should_rollover)];

fn should_rollover<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let (handler, record) = (&call.object, call.argument(0));
    let py = call.py();
    let length = || handler.call_method1(intern!(py, "format"), (record,))?.len();
    let due = is_due(handler)? || turn::is_due_by_size_too(handler, &length)?;
    Ok(PyBool::new(py, due).to_owned().into_any())
}

/// Whether the time has come for a handler that was made to roll over by its size, and has been given a schedule.
pub(crate) fn is_due_too(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(upkeep::has_attribute(handler, intern!(handler.py(), "rolloverAt"))? && is_due(handler)?)
}

/// Whether the time to roll over has come. What is no regular file is not rolled over; its next time is set.
pub(crate) fn is_due(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = handler.py();
    let seconds: f64 = globals::get(py, intern!(py, "time"))?.call_method0(intern!(py, "time"))?.extract()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds of a present time")]
    let now = seconds as i64;
    let rollover_at = intern!(py, "rolloverAt");
    if handler.getattr(rollover_at)?.gt(now)? {
        return Ok(false);
    }
    if is_irregular(handler)? {
        handler.setattr(rollover_at, handler.call_method1(intern!(py, "computeRollover"), (now,))?)?;
        return Ok(false);
    }
    Ok(true)
}
