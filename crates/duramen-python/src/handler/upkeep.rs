//! The keyword-only options of the handlers for files that are rolled over, which CPython's do not have.
//!
//! [`duramen::rotation::upkeep`] does what they ask for. A handler without any of them is CPython's in all it does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use duramen::clock::SystemClock;
use duramen::fs::Disk;
use duramen::report;
use duramen::rotation::upkeep::LONGEST_END;
use duramen::rotation::{BackupDate, Compression, InvalidOption, OnRotate, Upkeep, UpkeepOptions, parse_age};
use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::classes::native_method::Call;
use crate::handler::rotating::{exists, os};
use crate::handler::{fsync, schedule};
use crate::interpreter::{self, ending, intern};

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

/// What the caller of `__init__` has asked for beyond CPython's parameters.
pub(crate) struct Asked<'a, 'py> {
    class: String,
    given: &'a Bound<'py, PyDict>,
}

impl<'a, 'py> Asked<'a, 'py> {
    /// `None` when no option was given, or all as `None`.
    pub(crate) fn of(call: &'a Call<'_, 'py>) -> PyResult<Option<Self>> {
        let Some(given) = &call.extra_keywords else { return Ok(None) };
        let is_asked = |(name, value): (Bound<'py, PyAny>, Bound<'py, PyAny>)| {
            !value.is_none() && !name.eq("fsync").unwrap_or(false)
        };
        if !given.iter().any(is_asked) {
            return Ok(None);
        }
        let class = call.object.get_type().name()?.to_string();
        Ok(Some(Self { class, given }))
    }

    /// The option `name`; `None` when it was left out or is `None`.
    pub(crate) fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.given.get_item(name)?.filter(|value| !value.is_none()))
    }

    pub(crate) fn refuse<T>(&self, option: &str, problem: &str) -> PyResult<T> {
        Err(PyValueError::new_err(format!("{}: {option}: {problem}", self.class)))
    }

    /// Checks the options before the file at `path` is touched, and makes the symbolic link.
    pub(crate) fn check(
        &self,
        path: &Bound<'py, PyAny>,
        backup_count: &Bound<'py, PyAny>,
    ) -> PyResult<Upkeep> {
        let py = path.py();
        let os = os(py)?;
        let path = os.call_method1(intern!(py, "fspath"), (path,))?;
        let path = os.getattr(intern!(py, "path"))?.call_method1(intern!(py, "abspath"), (path,))?;
        let options = self.options(backup_count)?;
        let (fs, clock) = (Arc::new(Disk), Arc::new(SystemClock::default()));
        let upkeep = Upkeep::new(fs, path.extract::<PathBuf>()?, options, clock).or_else(
            |InvalidOption { option, found, expected }| {
                self.refuse(option, &format!("found {found}, expected {expected}"))
            },
        )?;
        upkeep.link().or_else(|error| self.refuse("symlink", &error.to_string()))?;
        Ok(upkeep)
    }

    fn options(&self, backup_count: &Bound<'py, PyAny>) -> PyResult<UpkeepOptions> {
        let Ok(backup_count) = backup_count.extract::<usize>() else {
            return self.refuse(
                "backupCount",
                &format!("found {}, expected a number from 0 on", backup_count.repr()?),
            );
        };
        let mut options = UpkeepOptions { backup_count, ..UpkeepOptions::default() };
        if let Some(compression) = self.get("compression")? {
            options.compression =
                Some(self.read("compression", &compression, "\"gzip\" or \"zstd\"", |value| {
                    value.extract::<String>().ok()?.parse::<Compression>().ok()
                })?);
        }
        if let Some(most) = self.get("max_total_bytes")? {
            options.max_total_bytes =
                Some(self.read("max_total_bytes", &most, "a number of bytes from 1 on", |value| {
                    value.extract::<u64>().ok().filter(|most| *most > 0)
                })?);
        }
        options.max_age = self.age("max_age")?;
        options.archive_max_age = self.age("archive_max_age")?;
        options.archive_to = self.path("archive_to")?;
        options.symlink = self.path("symlink")?;
        if let Some(function) = self.get("on_rotate")? {
            if !function.is_callable() {
                return self.refuse("on_rotate", &format!("found {}, expected a function", function.repr()?));
            }
            options.on_rotate = Some(told_to(function.unbind()));
        }
        Ok(options)
    }

    fn read<T>(
        &self,
        option: &str,
        value: &Bound<'py, PyAny>,
        expected: &str,
        read: impl FnOnce(&Bound<'py, PyAny>) -> Option<T>,
    ) -> PyResult<T> {
        match read(value) {
            Some(value) => Ok(value),
            None => self.refuse(option, &format!("found {}, expected {expected}", value.repr()?)),
        }
    }

    /// An age: text such as `30d`, seconds, or a `timedelta`.
    fn age(&self, option: &'static str) -> PyResult<Option<Duration>> {
        let Some(value) = self.get(option)? else { return Ok(None) };
        let expected = "text such as \"30d\", seconds above 0, or a timedelta";
        let age = self.read(option, &value, expected, |value| {
            let age = if let Ok(text) = value.extract::<String>() {
                parse_age(option, &text).ok()
            } else if let Ok(seconds) = value.extract::<f64>() {
                Duration::try_from_secs_f64(seconds).ok()
            } else {
                value.extract::<Duration>().ok()
            };
            age.filter(|age| !age.is_zero())
        })?;
        Ok(Some(age))
    }

    fn path(&self, option: &str) -> PyResult<Option<PathBuf>> {
        let Some(value) = self.get(option)? else { return Ok(None) };
        let path = self.read(option, &value, "a path", |value| value.extract::<PathBuf>().ok())?;
        Ok(Some(std::path::absolute(&path).unwrap_or(path)))
    }
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

/// Refuses what can be told of a schedule before the file is touched.
pub(crate) fn check_schedule(asked: &Asked<'_, '_>) -> PyResult<()> {
    let Some(when) = asked.get("when")? else {
        for option in ["interval", "utc", "atTime"] {
            if asked.get(option)?.is_some() {
                return asked.refuse(option, "counts with when alone, which is missing");
            }
        }
        return Ok(());
    };
    if let Err(error) = schedule::parse_unit(&when.call_method0(intern!(when.py(), "upper"))?) {
        return asked.refuse("when", &error.value(when.py()).to_string());
    }
    match asked.get("interval")? {
        Some(interval) if !interval.gt(0)? => {
            asked.refuse("interval", &format!("found {interval}, expected a number above 0"))
        }
        _ => Ok(()),
    }
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
