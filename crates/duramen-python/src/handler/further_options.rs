//! The keyword-only options of the handlers for files, which CPython's do not have. A handler without any of them is CPython's
//! in all it does.
//!
//! With any of them, everything that is asked for is checked before a file is touched, CPython's own parameters too.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use duramen::clock::SystemClock;
use duramen::fs::Disk;
use duramen::rotation::{Compression, InvalidOption, OnRotate, Upkeep, UpkeepOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::classes::native_method::Call;
use crate::handler::option_values::{self, Read, ScheduleOptions};
use crate::handler::rotating::os;
use crate::interpreter::{ending, intern};

/// The options of both handlers.
const COMMON: [&str; 8] = [
    "compression",
    "max_age",
    "max_total_bytes",
    "archive_to",
    "archive_max_age",
    "symlink",
    "on_rotate",
    "fsync",
];

/// The names of the keyword-only options that `__init__` of the class takes beside CPython's parameters.
pub(crate) fn further_keywords(qualified_name: &str) -> &'static [&'static str] {
    const BY_SIZE: [&str; 12] = with_common(["when", "interval", "utc", "atTime"]);
    const BY_TIME: [&str; 9] = with_common(["maxBytes"]);
    match qualified_name {
        "FileHandler.__init__" | "WatchedFileHandler.__init__" => &["fsync"],
        "RotatingFileHandler.__init__" => &BY_SIZE,
        "TimedRotatingFileHandler.__init__" => &BY_TIME,
        _ => &[],
    }
}

/// The keywords of a class of handlers that CPython's does not have.
#[pyfunction]
pub(crate) fn keywords_of(class: &str) -> Vec<&'static str> {
    further_keywords(&format!("{class}.__init__")).to_vec()
}

const fn with_common<const OWN: usize, const ALL: usize>(own: [&'static str; OWN]) -> [&'static str; ALL] {
    let mut all = [""; ALL];
    let mut index = 0;
    while index < ALL {
        all[index] = if index < OWN { own[index] } else { COMMON[index - OWN] };
        index += 1;
    }
    all
}

/// What the caller of `__init__` has asked for beyond CPython's parameters.
pub(crate) struct Asked<'a, 'py> {
    class: String,
    given: &'a Bound<'py, PyDict>,
}

impl<'a, 'py> Asked<'a, 'py> {
    /// `None` when no option was given, or all as `None`.
    pub(crate) fn of(call: &'a Call<'_, 'py>) -> PyResult<Option<Self>> {
        let Some(given) = &call.extra_keywords else { return Ok(None) };
        if given.values().iter().all(|value| value.is_none()) {
            return Ok(None);
        }
        let class = call.object.get_type().name()?.to_string();
        Ok(Some(Self { class, given }))
    }

    /// Whether more is asked for than when the file is on the disk.
    pub(crate) fn wants_upkeep(&self) -> bool {
        let is_of_upkeep = |(name, value): (Bound<'py, PyAny>, Bound<'py, PyAny>)| {
            !value.is_none() && !name.eq("fsync").unwrap_or(false)
        };
        self.given.iter().any(is_of_upkeep)
    }

    /// The option `name`; `None` when it was left out or is `None`.
    pub(crate) fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.given.get_item(name)?.filter(|value| !value.is_none()))
    }

    /// What was read, or the error with the name of the class.
    pub(crate) fn checked<T>(&self, read: Read<T>) -> PyResult<T> {
        read.map_err(|error| PyValueError::new_err(format!("{}: {error}", self.class)))
    }

    pub(crate) fn refuse<T>(&self, option: &'static str, found: &str, expected: &str) -> PyResult<T> {
        self.checked(Err(InvalidOption::new(option, found, expected)))
    }

    /// Refuses what can be told of `fsync` and of how the file is opened.
    pub(crate) fn check_file(
        &self,
        mode: &Bound<'py, PyAny>,
        encoding: &Bound<'py, PyAny>,
        errors: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        self.checked(option_values::check_file(mode, encoding, errors))
    }

    /// Refuses what can be told of a schedule; whether there is one.
    pub(crate) fn check_schedule(&self, options: &ScheduleOptions<'_, '_>) -> PyResult<bool> {
        Ok(self.checked(option_values::schedule(options))?.is_some())
    }

    /// Refuses what can be told of the further options of the file at `path`, and makes the symbolic link.
    pub(crate) fn upkeep(&self, path: &Bound<'py, PyAny>, backup_count: usize) -> PyResult<Upkeep> {
        let py = path.py();
        let os = os(py)?;
        let path = os.call_method1(intern!(py, "fspath"), (path,))?;
        let path = os.getattr(intern!(py, "path"))?.call_method1(intern!(py, "abspath"), (path,))?;
        let options = self.options(backup_count)?;
        let (fs, clock) = (Arc::new(Disk), Arc::new(SystemClock::default()));
        let upkeep = self.checked(Upkeep::new(fs, path.extract::<PathBuf>()?, options, clock))?;
        upkeep.link().map_err(|error| PyValueError::new_err(format!("{}: symlink: {error}", self.class)))?;
        Ok(upkeep)
    }

    fn options(&self, backup_count: usize) -> PyResult<UpkeepOptions> {
        let compression = self.read("compression", |option, value| {
            option_values::one_of(option, value, "\"gzip\" or \"zstd\"", |text| {
                text.parse::<Compression>().ok()
            })
        })?;
        let max_total_bytes = self.read("max_total_bytes", |option, value| {
            option_values::whole_number(option, value, 1, " of bytes")
        })?;
        let on_rotate = self.read("on_rotate", |option, value| {
            if value.is_callable() {
                Ok(value.clone())
            } else {
                Err(option_values::wrong(option, value, "a function"))
            }
        })?;
        Ok(UpkeepOptions {
            backup_count,
            compression,
            max_age: self.read("max_age", option_values::age)?,
            max_total_bytes: max_total_bytes.map(i64::unsigned_abs),
            archive_to: self.read("archive_to", option_values::path)?,
            archive_max_age: self.read("archive_max_age", option_values::age)?,
            symlink: self.read("symlink", option_values::path)?,
            on_rotate: on_rotate.map(|function| told_to(function.unbind())),
        })
    }

    fn read<T>(
        &self,
        option: &'static str,
        read: impl FnOnce(&'static str, &Bound<'py, PyAny>) -> Read<T>,
    ) -> PyResult<Option<T>> {
        self.get(option)?.map(|value| self.checked(read(option, &value))).transpose()
    }
}

/// The number of bytes or of backups that `value` is.
pub(crate) fn count(option: &'static str, value: &Bound<'_, PyAny>) -> Read<usize> {
    let of_what = if option == "maxBytes" { " of bytes" } else { "" };
    let count = option_values::whole_number(option, value, 0, of_what)?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Calls `function` with the path of each backup that is done, on the thread that looks after them.
fn told_to(function: Py<PyAny>) -> OnRotate {
    OnRotate::new(move |backup: &Path| {
        if ending::has_begun() {
            return;
        }
        ending::counted(|| {
            Python::try_attach(|py| {
                if let Err(error) = function.call1(py, (backup.to_string_lossy(),)) {
                    error.write_unraisable(py, Some(function.bind(py)));
                }
            });
        });
    })
}
