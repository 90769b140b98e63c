//! The native part of `duramen.handlers.AuditFileHandler`, and of `duramen check --audit`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use duramen::clock::SystemClock;
use duramen::fs::Disk;
use duramen::report;
use duramen::rotation::InvalidOption;
use duramen::writer::audit::{self, AuditKey, AuditOptions, AuditTrail, Commit};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::handler::option_values::{self, ScheduleOptions};

/// A trail that is being written.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct AuditLog(AuditTrail);

#[pymethods]
impl AuditLog {
    #[new]
    #[pyo3(signature = (path, *, key_env, key_file, commit, max_bytes, when, interval, utc, at_time, max_age, legal_hold))]
    #[expect(clippy::too_many_arguments, reason = "the options of the class, each checked here")]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        key_env: &Bound<'_, PyAny>,
        key_file: Option<PathBuf>,
        commit: &Bound<'_, PyAny>,
        max_bytes: &Bound<'_, PyAny>,
        when: Option<&Bound<'_, PyAny>>,
        interval: Option<&Bound<'_, PyAny>>,
        utc: Option<&Bound<'_, PyAny>>,
        at_time: Option<&Bound<'_, PyAny>>,
        max_age: Option<&Bound<'_, PyAny>>,
        legal_hold: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let expected = "the name of an environment variable";
        let key_env = option_values::one_of("key_env", key_env, expected, |name| Some(name.to_owned()));
        let key = key_of(&key_env.map_err(refused)?, key_file).map_err(refused)?;
        let commit = option_values::one_of("commit", commit, "\"record\" or \"group\"", |text| {
            text.parse::<Commit>().ok()
        });
        let commit = commit.map_err(refused)?;
        let max_bytes = option_values::whole_number("maxBytes", max_bytes, 0, " of bytes")
            .map_err(refused)?
            .unsigned_abs();
        let schedule = ScheduleOptions { when, interval, utc, at_time };
        let schedule = option_values::schedule(&schedule).map_err(refused)?;
        let max_age =
            max_age.map(|value| option_values::age("max_age", value)).transpose().map_err(refused)?;
        let legal_hold = option_values::flag("legal_hold", legal_hold).map_err(refused)?;
        let options = AuditOptions { key, commit, max_bytes, schedule, max_age, legal_hold };
        options.check().map_err(refused)?;
        let clock = Arc::new(SystemClock::default());
        Ok(Self(py.detach(|| AuditTrail::open(Arc::new(Disk), path, options, clock))?))
    }

    /// Adds a record; returns when it is on the disk.
    fn append(&self, py: Python<'_>, text: &[u8]) -> PyResult<()> {
        Ok(py.detach(|| self.0.append(text))?)
    }

    /// Writes what waits; what cannot be written is reported.
    fn flush(&self, py: Python<'_>) {
        self.told(py.detach(|| self.0.flush()));
    }

    fn close(&self, py: Python<'_>) {
        self.told(py.detach(|| self.0.close()));
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = py.detach(|| self.0.stats());
        let counts = PyDict::new(py);
        counts.set_item("written", stats.written)?;
        counts.set_item("pending", stats.pending)?;
        counts.set_item("lost", stats.lost)?;
        counts.set_item("failed", stats.failed)?;
        counts.set_item("removed", stats.removed)?;
        Ok(counts)
    }
}

impl AuditLog {
    fn told(&self, result: io::Result<()>) {
        if let Err(error) = result {
            let pending = self.0.stats().pending;
            let path = self.0.path().display().to_string();
            report::error(&path, &format_args!("{pending} records are not written yet: {error}"));
        }
    }
}

fn key_of(key_env: &str, key_file: Option<PathBuf>) -> Result<AuditKey, InvalidOption> {
    key_file.map_or_else(|| AuditKey::from_environment(key_env), AuditKey::from_file)
}

#[expect(clippy::needless_pass_by_value, reason = "what is mapped is taken")]
fn refused(error: InvalidOption) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Checks the trail at `path` with the keys in the environment variables and files: how many files it has, its first and
/// last line, what it notes, and what is wrong, if anything is.
#[pyfunction]
#[expect(
    clippy::type_complexity,
    clippy::needless_pass_by_value,
    reason = "a tuple for one caller, arguments of Python's"
)]
pub(crate) fn check_audit(
    py: Python<'_>,
    path: PathBuf,
    variables: Vec<String>,
    files: Vec<PathBuf>,
) -> PyResult<(usize, u64, u64, Vec<String>, Option<String>)> {
    let from_environment = variables.iter().map(|name| AuditKey::from_environment(name));
    let keys = from_environment.chain(files.iter().map(AuditKey::from_file)).collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(refused)?;
    let report = py.detach(|| audit::check(&Disk, &path, &keys))?;
    let finding = report.finding.map(|finding| finding.to_string());
    Ok((report.files.len(), report.lines.0, report.lines.1, report.notes, finding))
}
