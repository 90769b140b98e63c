//! The decisions of `duramen.filters` against floods. The clock is the filter's: seconds that never go back.

use std::time::Duration;

use duramen::Level;
use duramen::filter::{Decision, DuplicateFilter, RateLimitFilter, SamplingFilter};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyTuple};

use crate::interpreter::intern;

/// How many were held back since the last one that passed; `None` for a record that does not pass.
fn passed(decision: Decision) -> Option<u64> {
    match decision {
        Decision::Pass { suppressed } => Some(suppressed),
        Decision::Suppress => None,
    }
}

fn moment(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// The time by the clock of `filter`.
pub(crate) fn now_of(filter: &Bound<'_, PyAny>) -> PyResult<Duration> {
    Ok(moment(filter.getattr(intern!(filter.py(), "_now"))?.call0()?.extract()?))
}

/// A filter keeps records of so many keys.
const MOST_KEPT: usize = 1000;

/// Keeps the first record of `key` that `filter` has held back since one went on: at the end of the program it says
/// how many did not. `record` makes it.
pub(crate) fn keep<'py>(
    filter: &Bound<'py, PyAny>,
    key: &str,
    record: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<()> {
    let kept = filter.getattr(intern!(filter.py(), "_kept"))?.cast_into::<PyDict>()?;
    if kept.len() < MOST_KEPT && !kept.contains(key)? {
        kept.set_item(key, record()?)?;
    }
    Ok(())
}

/// Lets go of the record of `key`, since one like it goes on and says how many did not.
pub(crate) fn forget(filter: &Bound<'_, PyAny>, key: &str) -> PyResult<()> {
    let kept = filter.getattr(intern!(filter.py(), "_kept"))?.cast_into::<PyDict>()?;
    if kept.contains(key)? {
        kept.del_item(key)?;
    }
    Ok(())
}

/// Whether `filter` has let a record about this exception through before, `triple` being that of `sys.exc_info`. If
/// not, the exception is told that it has now.
pub(crate) fn was_logged_before(filter: &Bound<'_, PyAny>, triple: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = filter.py();
    let error = triple.get_item(1)?;
    if error.is_none() {
        return Ok(false);
    }
    let number = filter.getattr(intern!(py, "_number"))?;
    let attributes = error.getattr(intern!(py, "__dict__"))?;
    // Numbers, so that the exception can still be pickled.
    let name = intern!(py, "_duramen_logged_by");
    let known = match attributes.cast::<PyDict>()?.get_item(name)? {
        Some(known) => known,
        None => PyTuple::empty(py).into_any(),
    };
    if known.contains(&number)? {
        return Ok(true);
    }
    attributes.set_item(name, known.add(PyTuple::new(py, [number])?)?)?;
    Ok(false)
}

/// The same, for a filter that is asked by its method.
#[pyfunction]
pub(crate) fn exception_was_logged_before(
    filter: &Bound<'_, PyAny>,
    triple: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    was_logged_before(filter, triple)
}

/// Either of the two, for a filter that is asked by its method.
#[pyfunction]
pub(crate) fn keep_or_forget<'py>(
    filter: &Bound<'py, PyAny>,
    key: &str,
    record: Bound<'py, PyAny>,
    goes_on: bool,
) -> PyResult<()> {
    if goes_on { forget(filter, key) } else { keep(filter, key, || Ok(record)) }
}

fn refused(error: &duramen::filter::WrongOption) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What a `RateLimitFilter` decides by.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct RateLimiter(pub(crate) RateLimitFilter);

#[pymethods]
impl RateLimiter {
    #[new]
    fn new(rate: f64, burst: f64) -> PyResult<Self> {
        RateLimitFilter::new(rate, burst).map(Self).map_err(|error| refused(&error))
    }

    fn decide(&self, key: &str, now: f64) -> Option<u64> {
        passed(self.0.decide_at(key, moment(now)))
    }

    fn suppressed(&self) -> u64 {
        self.0.suppressed()
    }

    fn take_unsaid(&self) -> Vec<(String, u64)> {
        self.0.take_unsaid()
    }
}

/// What a `DuplicateFilter` decides by.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct Duplicates(pub(crate) DuplicateFilter);

#[pymethods]
impl Duplicates {
    #[new]
    fn new(window: f64) -> PyResult<Self> {
        DuplicateFilter::new(moment(window)).map(Self).map_err(|error| refused(&error))
    }

    fn decide(&self, key: &str, now: f64) -> Option<u64> {
        passed(self.0.decide_at(key, moment(now)))
    }

    fn suppressed(&self) -> u64 {
        self.0.suppressed()
    }

    fn take_unsaid(&self) -> Vec<(String, u64)> {
        self.0.take_unsaid()
    }
}

/// What a `SamplingFilter` decides by.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct Sampler(pub(crate) SamplingFilter);

#[pymethods]
impl Sampler {
    #[new]
    fn new(rate: f64) -> PyResult<Self> {
        SamplingFilter::new(rate)
            .map(|filter| Self(filter.keep(Level(i64::MAX))))
            .map_err(|error| refused(&error))
    }

    fn decide(&self, trace: Option<&str>) -> bool {
        self.0.decide(trace)
    }

    fn suppressed(&self) -> u64 {
        self.0.suppressed()
    }
}
