//! The decisions of `duramen.filters` against floods. The clock is the filter's: seconds that never go back.

use std::time::Duration;

use duramen::Level;
use duramen::filter::{Decision, DuplicateFilter, RateLimitFilter, SamplingFilter};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

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

fn refused(error: &duramen::filter::WrongOption) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What a `RateLimitFilter` decides by.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct RateLimiter(RateLimitFilter);

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
pub(crate) struct Duplicates(DuplicateFilter);

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
pub(crate) struct Sampler(SamplingFilter);

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
