//! The decisions of `duramen.filters` against floods. The clock is the filter's: seconds that never go back.

use std::time::Duration;

use duramen::Level;
use duramen::filter::{Decision, DuplicateFilter, RateLimitFilter, SamplingFilter};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use crate::filter::kept::{Kept, KeptRecords};
use crate::formatter::values;
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

/// Numbers of records of which nothing was said, each with the first one.
type Unsaid<'py> = Vec<(u64, Bound<'py, PyAny>)>;

fn unsaid<'py>(py: Python<'py>, counts: Vec<(String, u64)>, kept: &KeptRecords) -> PyResult<Unsaid<'py>> {
    let mut unsaid = Vec::new();
    for (key, count) in counts {
        if let Some(record) = kept.take(py, &key)? {
            unsaid.push((count, record));
        }
    }
    Ok(unsaid)
}

fn refused(error: &duramen::filter::WrongOption) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What a `RateLimitFilter` decides by.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct RateLimiter {
    pub(crate) decides: RateLimitFilter,
    pub(crate) kept: KeptRecords,
}

#[pymethods]
impl RateLimiter {
    #[new]
    fn new(rate: f64, burst: f64) -> PyResult<Self> {
        let decides = RateLimitFilter::new(rate, burst).map_err(|error| refused(&error))?;
        Ok(Self { decides, kept: KeptRecords::default() })
    }

    fn decide(&self, key: &Bound<'_, PyString>, now: f64) -> PyResult<Option<u64>> {
        Ok(passed(self.decides.decide_at(&values::text_of(key)?, moment(now))))
    }

    /// Keeps the record, if it is the first one of `key` that was held back since one went on.
    fn keep(&self, key: &Bound<'_, PyString>, record: Py<PyAny>) -> PyResult<()> {
        self.kept.keep(&values::text_of(key)?, || Ok(Kept::Record(record)))
    }

    /// Lets go of it.
    fn forget(&self, key: &Bound<'_, PyString>) -> PyResult<()> {
        self.kept.forget(&values::text_of(key)?);
        Ok(())
    }

    fn suppressed(&self) -> u64 {
        self.decides.suppressed()
    }

    /// How many were held back of which nothing was said, with the first of them.
    fn take_unsaid<'py>(&self, py: Python<'py>) -> PyResult<Unsaid<'py>> {
        unsaid(py, self.decides.take_unsaid(), &self.kept)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.kept.traverse(&visit)
    }

    fn __clear__(&self) {
        self.kept.clear();
    }
}

/// What a `DuplicateFilter` decides by.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct Duplicates {
    pub(crate) decides: DuplicateFilter,
    pub(crate) kept: KeptRecords,
}

#[pymethods]
impl Duplicates {
    #[new]
    fn new(window: f64) -> PyResult<Self> {
        let decides = DuplicateFilter::new(moment(window)).map_err(|error| refused(&error))?;
        Ok(Self { decides, kept: KeptRecords::default() })
    }

    fn decide(&self, key: &Bound<'_, PyString>, now: f64) -> PyResult<Option<u64>> {
        Ok(passed(self.decides.decide_at(&values::text_of(key)?, moment(now))))
    }

    /// Keeps the record, if it is the first one of `key` that was held back since one went on.
    fn keep(&self, key: &Bound<'_, PyString>, record: Py<PyAny>) -> PyResult<()> {
        self.kept.keep(&values::text_of(key)?, || Ok(Kept::Record(record)))
    }

    /// Lets go of it.
    fn forget(&self, key: &Bound<'_, PyString>) -> PyResult<()> {
        self.kept.forget(&values::text_of(key)?);
        Ok(())
    }

    fn suppressed(&self) -> u64 {
        self.decides.suppressed()
    }

    /// How many were held back of which nothing was said, with the first of them.
    fn take_unsaid<'py>(&self, py: Python<'py>) -> PyResult<Unsaid<'py>> {
        unsaid(py, self.decides.take_unsaid(), &self.kept)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.kept.traverse(&visit)
    }

    fn __clear__(&self) {
        self.kept.clear();
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

    fn decide(&self, trace: Option<&Bound<'_, PyString>>) -> PyResult<bool> {
        let trace = trace.map(values::text_of).transpose()?;
        Ok(self.0.decide(trace.as_deref()))
    }

    fn suppressed(&self) -> u64 {
        self.0.suppressed()
    }
}
