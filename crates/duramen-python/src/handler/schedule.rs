//! The rollover of `TimedRotatingFileHandler`: when the next one is and what becomes of the files.
//!
//! CPython corrected this in several patch releases. The native methods know the code as it was before all
//! corrections and as it is with all of them; they are put in only where the running interpreter has the
//! one or the other, which is told by a digest of its compiled methods.

use std::path::Path;

use duramen::fs::{Disk, FileSystem as _};
use duramen::rotation::{BrokenDownTime, LocalTime, Rules, Schedule, When};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyList, PyTuple, PyType};

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::handler::lineage::{self, FileArguments, locale_encoding};
use crate::handler::rotating::{exists, os, remove_if_there};
use crate::handler::{fsync, timed_upkeep};
use crate::interpreter;
use crate::interpreter::intern;

static METHODS: &[Method] = &[
    ("__init__", init),
    ("computeRollover", compute_rollover),
    ("getFilesToDelete", get_files_to_delete),
    ("doRollover", do_rollover),
];

/// The digests of [`METHODS`] in CPython 3.10, 3.11 and 3.12 (the uncorrected code) and in 3.13.
const KNOWN_CODE: [u64; 4] =
    [0xe810_eed1_f63b_61ab, 0x3fe0_a074_5332_8d4c, 0x27ad_11a9_15bc_8958, 0xe204_9454_dafa_651f];

/// The methods of this file, where they do what those of `class` do.
pub(crate) fn methods_for(class: &Bound<'_, PyType>) -> PyResult<&'static [Method]> {
    Ok(if KNOWN_CODE.contains(&digest(class)?) { METHODS } else { timed_upkeep::METHODS })
}

/// A digest (FNV-1a) of what the methods of `class` do; 0 when one of them is no Python function.
fn digest(class: &Bound<'_, PyType>) -> PyResult<u64> {
    let py = class.py();
    let mut digest: u64 = 0xcbf2_9ce4_8422_2325;
    let mut feed = |bytes: &[u8]| {
        for byte in bytes {
            digest = (digest ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for &(name, _) in METHODS {
        let Ok(code) = class.getattr(name)?.getattr(intern!(py, "__code__")) else { return Ok(0) };
        feed(code.getattr(intern!(py, "co_code"))?.cast::<PyBytes>()?.as_bytes());
        feed(code.getattr(intern!(py, "co_names"))?.repr()?.to_str()?.as_bytes());
        // Without the first one, the documentation.
        let constants = code.getattr(intern!(py, "co_consts"))?.cast_into::<PyTuple>()?;
        feed(constants.get_slice(1, constants.len()).repr()?.to_str()?.as_bytes());
    }
    Ok(digest)
}

fn rules(py: Python<'_>) -> Rules {
    if globals::python_minor(py) >= 13 { Rules::Corrected } else { Rules::Original }
}

fn time(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    globals::get(py, intern!(py, "time"))
}

/// The present time in whole seconds.
pub(crate) fn now(py: Python<'_>) -> PyResult<i64> {
    let seconds: f64 = time(py)?.call_method0(intern!(py, "time"))?.extract()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds of a present time")]
    Ok(seconds as i64)
}

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    let [path, when, interval, backups, encoding, delay, utc, at_time, errors] =
        std::array::from_fn(|index| call.argument(index));
    let wanted = timed_upkeep::asked(call)?;
    let encoding = locale_encoding(&encoding)?;
    let mode = intern!(py, "a").clone().into_any();
    FileArguments { path, mode, encoding, delay, errors }.init_rotating_handler(handler)?;
    handler.setattr(intern!(py, "when"), when.call_method0(intern!(py, "upper"))?)?;
    handler.setattr(intern!(py, "backupCount"), backups)?;
    handler.setattr(intern!(py, "utc"), utc)?;
    handler.setattr(intern!(py, "atTime"), at_time)?;
    set_schedule(handler, &interval)?;
    timed_upkeep::begin(handler, wanted)?;
    call.none()
}

/// Sets how often the handler, which has `when`, `utc` and `atTime`, is rolled over.
pub(crate) fn set_schedule(handler: &Bound<'_, PyAny>, interval: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = handler.py();
    let unit = parse_unit(&handler.getattr(intern!(py, "when"))?)?;
    if let When::Weekday(day) = unit {
        handler.setattr(intern!(py, "dayOfWeek"), day)?;
    }
    handler.setattr(intern!(py, "interval"), interval.mul(unit.seconds())?)?;
    handler.setattr(intern!(py, "suffix"), unit.suffix())?;
    handler.setattr(intern!(py, "extMatch"), date_pattern(py, unit)?)?;
    let path = handler.getattr(intern!(py, "baseFilename"))?;
    let started = if exists(&path)? { last_change(&path)? } else { now(py)?.into_pyobject(py)?.into_any() };
    let next = handler.call_method1(intern!(py, "computeRollover"), (started,))?;
    handler.setattr(intern!(py, "rolloverAt"), next)
}

/// The unit called `when`, in capitals; `ValueError` when there is none.
pub(crate) fn parse_unit(when: &Bound<'_, PyAny>) -> PyResult<When> {
    let text: String = when.extract()?;
    When::parse(&text).map_err(|_| {
        let problem = match text.chars().count() {
            2 if text.starts_with('W') => "Invalid day specified for weekly rollover",
            _ if text.starts_with('W') => {
                "You must specify a day for weekly rollover from 0 to 6 (0 is Monday)"
            }
            _ => "Invalid rollover interval specified",
        };
        PyValueError::new_err(format!("{problem}: {text}"))
    })
}

/// What `extMatch` is: the pattern of the date in a backup's name.
fn date_pattern(py: Python<'_>, unit: When) -> PyResult<Bound<'_, PyAny>> {
    let date = unit
        .suffix()
        .replace("%Y", r"\d{4}")
        .replace("%m", r"\d{2}")
        .replace("%d", r"\d{2}")
        .replace("%H", r"\d{2}")
        .replace("%M", r"\d{2}")
        .replace("%S", r"\d{2}");
    let pattern = match rules(py) {
        Rules::Original => format!(r"^{date}(\.\w+)?$"),
        Rules::Corrected => format!(r"(?<!\d){date}(?!\d)"),
    };
    let re = py.import(intern!(py, "re"))?;
    re.call_method1(intern!(py, "compile"), (pattern, re.getattr(intern!(py, "ASCII"))?))
}

/// When the file at `path` was last changed, in whole seconds.
fn last_change<'py>(path: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    /// Where a `stat` result, seen as a tuple, has the time of the last change in whole seconds.
    const ST_MTIME: usize = 8;
    os(path.py())?.call_method1(intern!(path.py(), "stat"), (path,))?.get_item(ST_MTIME)
}

/// Python's `time.localtime`, or `time.gmtime` where the handler counts in UTC, asked for each time, since
/// an application may have replaced it.
struct PythonTime<'py> {
    py: Python<'py>,
    utc: bool,
}

impl<'py> PythonTime<'py> {
    fn of_handler(handler: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = handler.py();
        Ok(Self { py, utc: handler.getattr(intern!(py, "utc"))?.is_truthy()? })
    }

    fn convert(&self, seconds: impl IntoPyObject<'py>) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        let seconds = seconds.into_bound_py_any(py)?;
        let convert = if self.utc { intern!(py, "gmtime") } else { intern!(py, "localtime") };
        time(py)?.call_method1(convert, (seconds,))
    }
}

/// Whether daylight saving time is in force at `time`, a `struct_time`.
fn is_dst(time: &Bound<'_, PyAny>) -> PyResult<bool> {
    time.get_item(-1)?.is_truthy()
}

impl LocalTime for PythonTime<'_> {
    type Error = PyErr;

    fn local_time(&self, seconds: i64) -> PyResult<BrokenDownTime> {
        let fields = self.convert(seconds)?;
        let field = |index: usize| fields.get_item(index)?.extract::<u8>();
        Ok(BrokenDownTime {
            year: fields.get_item(0)?.extract()?,
            month: field(1)?,
            day: field(2)?,
            hour: field(3)?,
            minute: field(4)?,
            second: field(5)?,
            weekday: field(6)?,
            is_dst: !self.utc && is_dst(&fields)?,
        })
    }
}

/// The core's schedule for a handler that follows the calendar, from its attributes as they are now.
fn calendar_schedule(handler: &Bound<'_, PyAny>) -> PyResult<Option<Schedule>> {
    let py = handler.py();
    let when: String = handler.getattr(intern!(py, "when"))?.extract()?;
    let unit = if when == "MIDNIGHT" {
        When::Midnight
    } else if when.starts_with('W') {
        When::Weekday(handler.getattr(intern!(py, "dayOfWeek"))?.extract()?)
    } else {
        return Ok(None);
    };
    let at_time = handler.getattr(intern!(py, "atTime"))?;
    let second_of_day = if at_time.is_none() {
        None
    } else {
        let part = |name| at_time.getattr(name)?.extract::<u32>();
        let hour = part(intern!(py, "hour"))?;
        Some((hour * 60 + part(intern!(py, "minute"))?) * 60 + part(intern!(py, "second"))?)
    };
    let interval: f64 = handler.getattr(intern!(py, "interval"))?.extract()?;
    #[expect(clippy::cast_possible_truncation, reason = "an interval in seconds")]
    let schedule = Schedule::of_seconds(unit, interval as i64);
    // UTC is left to `PythonTime`, which asks Python for it.
    Ok(Some(schedule.at_time(second_of_day).rules(rules(py))))
}

fn compute_rollover<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (handler, current) = (&call.object, call.argument(0));
    let Some(schedule) = calendar_schedule(handler)? else {
        return current.add(handler.getattr(intern!(py, "interval"))?);
    };
    let seconds: i64 = py.get_type::<PyInt>().call1((current,))?.extract()?;
    let next = schedule.compute_rollover(seconds, &PythonTime::of_handler(handler)?)?;
    // The fractions of a second stay, where the caller or the interval has some.
    let next = current.add(next - seconds)?;
    match rules(py) {
        Rules::Original => Ok(next),
        Rules::Corrected => next.add(handler.getattr(intern!(py, "interval"))?.rem(1)?),
    }
}

fn get_files_to_delete<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    let paths = os(py)?.getattr(intern!(py, "path"))?;
    let path = handler.getattr(intern!(py, "baseFilename"))?;
    let (folder, base): (Bound<'py, PyAny>, Bound<'py, PyAny>) =
        paths.call_method1(intern!(py, "split"), (path,))?.extract()?;
    let backups = PyList::empty(py);
    for name in os(py)?.call_method1(intern!(py, "listdir"), (&folder,))?.try_iter()? {
        let name = name?;
        let is_own = match rules(py) {
            Rules::Original => has_date_part(handler, &name, &base)?,
            Rules::Corrected => is_backup(handler, &name, &base)?,
        };
        if is_own {
            backups.append(paths.call_method1(intern!(py, "join"), (&folder, name))?)?;
        }
    }
    let to_keep = handler.getattr(intern!(py, "backupCount"))?;
    if to_keep.gt(backups.len())? {
        return Ok(PyList::empty(py).into_any());
    }
    backups.sort()?;
    let end = backups.len().into_pyobject(py)?.sub(to_keep)?;
    backups.as_any().get_item(interpreter::slice(py, 0, end.extract()?)?)
}

fn matches(pattern: &Bound<'_, PyAny>, how: &str, text: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(!pattern.call_method1(how, (text,))?.is_none())
}

fn from<'py>(text: &Bound<'py, PyAny>, start: usize) -> PyResult<Bound<'py, PyAny>> {
    text.get_item(interpreter::slice(text.py(), start.cast_signed(), isize::MAX)?)
}

/// The uncorrected rule: some part between dots, after the file's name without its ending, is a date.
fn has_date_part<'py>(
    handler: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    base: &Bound<'py, PyAny>,
) -> PyResult<bool> {
    let py = handler.py();
    let splitext = os(py)?.getattr(intern!(py, "path"))?.call_method1(intern!(py, "splitext"), (base,))?;
    let (stem, ending): (Bound<'py, PyAny>, Bound<'py, PyAny>) = splitext.extract()?;
    let prefix = stem.add(".")?;
    let starts_with =
        |start: &Bound<'py, PyAny>| name.call_method1(intern!(py, "startswith"), (start,))?.is_truthy();
    if !starts_with(base)? {
        let position = prefix.len()? + 1;
        let is_of_another_file = || {
            Ok::<_, PyErr>(
                name.call_method1(intern!(py, "endswith"), (&ending,))?.is_truthy()?
                    && name.len()? > position
                    && !name.get_item(position)?.call_method0(intern!(py, "isdigit"))?.is_truthy()?,
            )
        };
        if handler.getattr(intern!(py, "namer"))?.is_none() || is_of_another_file()? {
            return Ok(false);
        }
    }
    if !starts_with(&prefix)? {
        return Ok(false);
    }
    let pattern = handler.getattr(intern!(py, "extMatch"))?;
    for part in from(name, prefix.len()?)?.call_method1(intern!(py, "split"), (".",))?.try_iter()? {
        if matches(&pattern, "match", &part?)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The corrected rule: the name is one that the handler itself gives to the backup of some date.
fn is_backup<'py>(
    handler: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    base: &Bound<'py, PyAny>,
) -> PyResult<bool> {
    let py = handler.py();
    let pattern = handler.getattr(intern!(py, "extMatch"))?;
    let namer = handler.getattr(intern!(py, "namer"))?;
    if namer.is_none() {
        let prefix = base.add(".")?;
        return Ok(name.call_method1(intern!(py, "startswith"), (&prefix,))?.is_truthy()?
            && matches(&pattern, "fullmatch", &from(name, prefix.len()?)?)?);
    }
    let paths = os(py)?.getattr(intern!(py, "path"))?;
    let start_of_names = handler.getattr(intern!(py, "baseFilename"))?.add(".")?;
    let search = intern!(py, "search");
    let mut date = pattern.call_method1(search, (name,))?;
    while !date.is_none() {
        let backup = namer.call1((start_of_names.add(date.get_item(0)?)?,))?;
        if paths.call_method1(intern!(py, "basename"), (backup,))?.eq(name)? {
            return Ok(true);
        }
        let next = date.call_method0(intern!(py, "start"))?.add(1)?;
        date = pattern.call_method1(search, (name, next))?;
    }
    Ok(false)
}

/// Whether the backup that a rollover would make now is there: another process has made it.
pub(crate) fn is_done_already(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    exists(&backup_path(handler, now(handler.py())?)?)
}

/// Sets the time of the next rollover, as after one that was made elsewhere.
pub(crate) fn plan_next(handler: &Bound<'_, PyAny>) -> PyResult<()> {
    plan_from(handler, now(handler.py())?)
}

/// Sets the time of the next rollover of the file at `path`, which others have made in the place of the one that was due:
/// a file has a plan of its own, by its last change, whoever opens it and whenever. It `is_since`, if it was certainly made
/// at that time or later.
pub(crate) fn plan_of_others(handler: &Bound<'_, PyAny>, path: &Path, is_since: bool) -> PyResult<()> {
    if !is_time(handler)? {
        // They have rolled it over for another reason.
        return Ok(());
    }
    let py = handler.py();
    let now = now(py)?;
    let changed = Disk.status(path).map_or(now, |status| status.changed_at());
    let rollover_at: f64 = handler.getattr(intern!(py, "rolloverAt"))?.extract()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
    let rollover_at = rollover_at.floor() as i64;
    // A file of the time to come is one of another clock.
    plan_from(handler, changed.min(now).max(if is_since { rollover_at } else { i64::MIN }))
}

fn plan_from(handler: &Bound<'_, PyAny>, start: i64) -> PyResult<()> {
    let py = handler.py();
    if is_native(handler)? {
        return plan_after(handler, start);
    }
    let mut next = handler.call_method1(intern!(py, "computeRollover"), (start,))?;
    while next.le(start)? {
        next = next.add(handler.getattr(intern!(py, "interval"))?)?;
    }
    handler.setattr(intern!(py, "rolloverAt"), next)
}

/// The module whose class of handlers `handler` is of.
pub(crate) fn module_of_handlers<'py>(handler: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = handler.py();
    let class = lineage::base(handler, intern!(py, "BaseRotatingHandler"))?;
    let name = class.getattr(intern!(py, "__module__"))?;
    py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?.get_item(name)
}

/// Whether the methods of this file were put into the handler's class.
fn is_native(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = handler.py();
    let method = handler.getattr(intern!(py, "computeRollover"))?;
    let function = method.getattr_opt(intern!(py, "__func__"))?;
    Ok(function.is_some_and(|function| interpreter::is_native_function(&function)))
}

fn plan_after(handler: &Bound<'_, PyAny>, now: i64) -> PyResult<()> {
    let py = handler.py();
    let mut next = handler.call_method1(intern!(py, "computeRollover"), (now,))?;
    if rules(py) == Rules::Original {
        next = keep_clock_time(handler, now, next)?;
    }
    handler.setattr(intern!(py, "rolloverAt"), next)
}

fn do_rollover<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    if timed_upkeep::has_rolled_over(handler)? {
        return call.none();
    }
    let corrected = rules(py) == Rules::Corrected;
    if !corrected {
        close_stream(handler)?;
    }
    let now = now(py)?;
    let backup = backup_path(handler, now)?;
    if corrected {
        if exists(&backup)? {
            // Another process has done it.
            return call.none();
        }
        close_stream(handler)?;
    } else {
        remove_if_there(&backup)?;
    }
    let path = handler.getattr(intern!(py, "baseFilename"))?;
    handler.call_method1(intern!(py, "rotate"), (path, backup))?;
    fsync::has_moved(handler)?;
    if handler.getattr(intern!(py, "backupCount"))?.gt(0)? {
        for path in handler.call_method0(intern!(py, "getFilesToDelete"))?.try_iter()? {
            os(py)?.call_method1(intern!(py, "remove"), (path?,))?;
        }
    }
    if !handler.getattr(intern!(py, "delay"))?.is_truthy()? {
        handler.setattr(intern!(py, "stream"), handler.call_method0(intern!(py, "_open"))?)?;
    }
    plan_after(handler, now)?;
    call.none()
}

pub(crate) fn close_stream(handler: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = handler.py();
    let stream = handler.getattr(intern!(py, "stream"))?;
    if stream.is_truthy()? {
        fsync::leave(handler)?;
        stream.call_method0(intern!(py, "close"))?;
        handler.setattr(intern!(py, "stream"), py.None())?;
    }
    Ok(())
}

/// The hour that daylight saving takes from the clock or adds to it, in seconds.
const HOUR: i64 = 3600;

/// Where the file goes: its name with the date at which the interval began, with the hour of the clock as it is `now`.
fn backup_path<'py>(handler: &Bound<'py, PyAny>, now: i64) -> PyResult<Bound<'py, PyAny>> {
    let py = handler.py();
    let date = date_at(handler, now)?;
    let path = handler.getattr(intern!(py, "baseFilename"))?.add(".")?.add(date)?;
    handler.call_method1(intern!(py, "rotation_filename"), (path,))
}

/// The date in the name of a backup that is made now.
pub(crate) fn backup_date(handler: &Bound<'_, PyAny>) -> PyResult<String> {
    date_at(handler, now(handler.py())?)?.extract()
}

/// Whether the clock asks for a rollover.
pub(crate) fn is_time(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    handler.getattr(intern!(handler.py(), "rolloverAt"))?.le(now(handler.py())?)
}

/// The date of the interval that ends at the handler's next rollover.
fn date_at<'py>(handler: &Bound<'py, PyAny>, now: i64) -> PyResult<Bound<'py, PyAny>> {
    let py = handler.py();
    let clock = PythonTime::of_handler(handler)?;
    let start = handler.getattr(intern!(py, "rolloverAt"))?.sub(handler.getattr(intern!(py, "interval"))?)?;
    let mut date = clock.convert(&start)?;
    if !clock.utc {
        let is_dst_now = is_dst(&clock.convert(now)?)?;
        if is_dst_now != is_dst(&date)? {
            date = clock.convert(start.add(if is_dst_now { HOUR } else { -HOUR })?)?;
        }
    }
    let suffix = handler.getattr(intern!(py, "suffix"))?;
    time(py)?.call_method1(intern!(py, "strftime"), (suffix, date))
}

/// The uncorrected step from what `computeRollover` gave to the next rollover: one that is not over yet,
/// and at the same time of the clock when daylight saving begins or ends until then.
fn keep_clock_time<'py>(
    handler: &Bound<'py, PyAny>,
    now: i64,
    mut next: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = handler.py();
    while next.le(now)? {
        next = next.add(handler.getattr(intern!(py, "interval"))?)?;
    }
    let clock = PythonTime::of_handler(handler)?;
    if calendar_schedule(handler)?.is_none() || clock.utc {
        return Ok(next);
    }
    let is_dst_now = is_dst(&clock.convert(now)?)?;
    if is_dst_now == is_dst(&clock.convert(&next)?)? {
        return Ok(next);
    }
    next.add(if is_dst_now { HOUR } else { -HOUR })
}
