//! The side of the handlers of [`duramen::rotation::upkeep`], which does what `further_options` ask for.

use std::time::Duration;

use duramen::report;
use duramen::rotation::upkeep::LONGEST_END;
use duramen::rotation::{BackupDate, Upkeep};
use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::handler::further_options::Asked;
use crate::handler::rotating::exists;
use crate::handler::{fsync, schedule};
use crate::interpreter::{self, intern};

/// The handler's side of [`Upkeep`]: its attribute `upkeep`.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct RotationUpkeep(Upkeep);

#[pymethods]
impl RotationUpkeep {
    /// Brings the backups in order now, on this thread.
    fn sweep(&self, py: Python<'_>) {
        py.detach(|| self.0.sweep());
    }

    /// Waits until no sweep of this process is running; whether that was within `timeout` seconds.
    #[pyo3(signature = (timeout = 5.0))]
    fn wait(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let longest = Duration::try_from_secs_f64(timeout).map_err(|_| {
            PyValueError::new_err(format!("timeout: found {timeout}, expected seconds from 0 on"))
        })?;
        Ok(py.detach(|| self.0.wait(longest)))
    }

    /// What has been done since the handler was made, by this process.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = py.detach(|| self.0.stats());
        let counts = PyDict::new(py);
        counts.set_item("rolled_over", stats.rolled_over)?;
        counts.set_item("compressed", stats.compressed)?;
        counts.set_item("archived", stats.archived)?;
        counts.set_item("removed", stats.removed)?;
        counts.set_item("failed", stats.failed)?;
        let taken_away: Vec<String> =
            stats.taken_away.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        counts.set_item("taken_away", taken_away)?;
        Ok(counts)
    }
}

/// Those of all handlers of this process, for its end.
static ALL: Mutex<Vec<Upkeep>> = Mutex::new(Vec::new());

/// Waits for what is being done to backups. For the end of the process: there is no thread afterwards.
pub(crate) fn wait_for_all() {
    let all = ALL.try_lock_for(Duration::from_secs(1)).map(|mut all| std::mem::take(&mut *all));
    let started = std::time::Instant::now();
    for upkeep in all.unwrap_or_default() {
        upkeep.wait_for_work(LONGEST_END.saturating_sub(started.elapsed()));
    }
}

/// Gives the handler, which has its attributes by now, its upkeep.
pub(crate) fn begin(handler: &Bound<'_, PyAny>, upkeep: Upkeep) -> PyResult<()> {
    handler
        .setattr(intern!(handler.py(), "upkeep"), Py::new(handler.py(), RotationUpkeep(upkeep.clone()))?)?;
    upkeep.begin();
    if let Some(mut all) = ALL.try_lock_for(Duration::from_secs(1)) {
        all.push(upkeep);
    }
    Ok(())
}

/// The handler's upkeep, where it was given one. No code of a subclass is asked.
pub(crate) fn of(handler: &Bound<'_, PyAny>) -> PyResult<Option<Upkeep>> {
    let Ok(attributes) = interpreter::instance_dict(handler) else { return Ok(None) };
    let Some(upkeep) = attributes.get_item(intern!(handler.py(), "upkeep"))? else { return Ok(None) };
    Ok(upkeep.cast::<RotationUpkeep>().ok().map(|upkeep| upkeep.get().0.clone()))
}

/// Whether the handler has upkeep, and with it an attribute of the other class that rolls over: only then does it count,
/// since a subclass of both classes has the attributes of both.
pub(crate) fn has_attribute(handler: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> PyResult<bool> {
    Ok(of(handler)?.is_some() && handler.hasattr(name)?)
}

/// Waits at the end of the handler for what is being done to its backups.
pub(crate) fn close(handler: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Some(upkeep) = of(handler)? {
        handler.py().detach(|| upkeep.wait_for_work(LONGEST_END));
        if let Some(mut all) = ALL.try_lock_for(Duration::from_secs(1)) {
            all.retain(|other| *other != upkeep);
        }
    }
    Ok(())
}

/// Makes a handler that rolls over by size do so by time too, with the attributes that `TimedRotatingFileHandler` has.
pub(crate) fn add_schedule(handler: &Bound<'_, PyAny>, asked: &Asked<'_, '_>) -> PyResult<()> {
    let py = handler.py();
    let Some(when) = asked.get("when")? else { return Ok(()) };
    let module = schedule::module_of_handlers(handler)?;
    let class = module.getattr(intern!(py, "TimedRotatingFileHandler"))?;
    let compute = class.getattr(intern!(py, "computeRollover"))?;
    // The method of a class that is none of its bases: bound to it by hand.
    let bound =
        py.import(intern!(py, "types"))?.getattr(intern!(py, "MethodType"))?.call1((compute, handler))?;
    handler.setattr(intern!(py, "computeRollover"), bound)?;
    let interval = asked.get("interval")?.unwrap_or(1_i64.into_pyobject(py)?.into_any());
    let utc = asked.get("utc")?.is_some_and(|utc| utc.is_truthy().unwrap_or(false));
    let at_time = asked.get("atTime")?.unwrap_or_else(|| py.None().into_bound(py));
    handler.setattr(intern!(py, "when"), when.call_method0(intern!(py, "upper"))?)?;
    handler.setattr(intern!(py, "utc"), utc)?;
    handler.setattr(intern!(py, "atTime"), at_time)?;
    schedule::set_schedule(handler, &interval)
}

/// Rolls the handler's file over with `upkeep`. An error is reported: the record is then written to the file as it is.
pub(crate) fn roll_over(handler: &Bound<'_, PyAny>, upkeep: &Upkeep) -> PyResult<()> {
    let py = handler.py();
    let path: String = handler.getattr(intern!(py, "baseFilename"))?.str()?.extract()?;
    report_customs(handler, &path)?;
    schedule::close_stream(handler)?;
    let is_dated = handler.hasattr(intern!(py, "rolloverAt"))?;
    let rolled = if is_dated {
        let text = schedule::backup_date(handler)?;
        let form: String = handler.getattr(intern!(py, "suffix"))?.extract()?;
        upkeep.roll_over(Some(BackupDate { text: &text, form: &form }))
    } else {
        upkeep.roll_over(None)
    };
    match rolled {
        Ok(()) => fsync::has_moved(handler)?,
        Err(error) => report::error(&path, &format!("rollover: {error}")),
    }
    if !handler.getattr(intern!(py, "delay"))?.is_truthy()? {
        handler.setattr(intern!(py, "stream"), handler.call_method0(intern!(py, "_open"))?)?;
    }
    // Rolled over by its size, the file still has the rest of its time.
    if is_dated && schedule::is_time(handler)? { schedule::plan_next(handler) } else { Ok(()) }
}

/// Upkeep names backups by itself.
fn report_customs(handler: &Bound<'_, PyAny>, path: &str) -> PyResult<()> {
    for name in ["namer", "rotator"] {
        if !handler.getattr(name)?.is_none() {
            report::error(path, &format!("{name}: found one, expected None: upkeep names backups by itself"));
        }
    }
    Ok(())
}

/// Whether another process has rolled the file over since it was due, before this one opened it.
pub(crate) fn is_done_already(handler: &Bound<'_, PyAny>, upkeep: &Upkeep) -> PyResult<bool> {
    let py = handler.py();
    let rollover_at: f64 = handler.getattr(intern!(py, "rolloverAt"))?.extract()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
    let rollover_at = rollover_at.ceil() as i64;
    let path = handler.getattr(intern!(py, "baseFilename"))?;
    Ok(exists(&path)? && upkeep.is_done_already(rollover_at, schedule::now(py)?))
}
