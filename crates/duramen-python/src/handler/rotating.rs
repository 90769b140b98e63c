//! `BaseRotatingHandler` and `RotatingFileHandler`: a file that is rolled over by its size.

use std::sync::OnceLock;

use duramen::rotation::Upkeep;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::handler::error::guarded_entirely;
use crate::handler::further_options::{Asked, count};
use crate::handler::lineage::{FileArguments, text_encoding};
use crate::handler::option_values::ScheduleOptions;
use crate::handler::{file, fsync, schedule, timed_rotating, turn, upkeep};
use crate::interpreter::intern;

pub(crate) static BASE_METHODS: &[Method] =
    &[("__init__", init_base), ("emit", emit), ("rotation_filename", rotation_filename), ("rotate", rotate)];

pub(crate) static METHODS: &[Method] =
    &[("__init__", init), ("doRollover", do_rollover), ("shouldRollover", should_rollover)];

fn init_base<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    let [path, mode, encoding, delay, errors] = std::array::from_fn(|index| call.argument(index));
    FileArguments { path, mode: mode.to_owned(), encoding: encoding.to_owned(), delay, errors }
        .init_file_handler(handler)?;
    handler.setattr(intern!(py, "mode"), mode)?;
    handler.setattr(intern!(py, "encoding"), encoding)?;
    handler.setattr(intern!(py, "errors"), errors)?;
    call.none()
}

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    let [path, mode, most_bytes, backups, encoding, delay, errors] =
        std::array::from_fn(|index| call.argument(index));
    let asked = Asked::of(call)?;
    let fsync = fsync::asked(asked.as_ref())?;
    if let Some(asked) = &asked {
        asked.check_file(&mode, &encoding, &errors)?;
    }
    let upkeep = match &asked {
        Some(asked) => check(asked, &path, &most_bytes, &backups)?,
        None => None,
    };
    // A file that is rolled over is never emptied when it is opened: what it has would be lost.
    let is_rolled_over = most_bytes.gt(0)? || upkeep.is_some();
    let mode = if is_rolled_over { intern!(py, "a").clone().into_any() } else { mode.to_owned() };
    let encoding = text_encoding(&mode, &encoding)?;
    FileArguments { path, mode, encoding, delay, errors }.init_rotating_handler(handler)?;
    handler.setattr(intern!(py, "maxBytes"), most_bytes)?;
    handler.setattr(intern!(py, "backupCount"), backups)?;
    fsync::begin(handler, fsync)?;
    if let (Some(asked), Some(upkeep)) = (asked, upkeep) {
        upkeep::add_schedule(handler, &asked)?;
        upkeep::begin(handler, upkeep)?;
    }
    call.none()
}

/// Checks the further options, and CPython's beside them.
fn check<'py>(
    asked: &Asked<'_, 'py>,
    path: &Bound<'py, PyAny>,
    most_bytes: &Bound<'py, PyAny>,
    backups: &Bound<'py, PyAny>,
) -> PyResult<Option<Upkeep>> {
    let most_bytes = asked.checked(count("maxBytes", most_bytes))?;
    let backups = asked.checked(count("backupCount", backups))?;
    let [when, interval, utc, at_time] =
        [asked.get("when")?, asked.get("interval")?, asked.get("utc")?, asked.get("atTime")?];
    let schedule = ScheduleOptions {
        when: when.as_ref(),
        interval: interval.as_ref(),
        utc: utc.as_ref(),
        at_time: at_time.as_ref(),
    };
    let has_schedule = asked.check_schedule(&schedule)?;
    if !asked.wants_upkeep() {
        return Ok(None);
    }
    if !has_schedule {
        let otherwise = "without it nothing is rolled over";
        if most_bytes == 0 {
            return asked.refuse("maxBytes", "0", &format!("at least 1, or when: {otherwise}"));
        }
        let has_limit = asked.get("max_age")?.is_some() || asked.get("max_total_bytes")?.is_some();
        if !has_limit && backups == 0 {
            let expected = format!("at least 1, or max_age or max_total_bytes: {otherwise}");
            return asked.refuse("backupCount", "0", &expected);
        }
    }
    asked.upkeep(path, backups).map(Some)
}

fn emit<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (handler, record) = (&call.object, call.argument(0));
    guarded_entirely(handler, &record, || {
        turn::follow(handler)?;
        if handler.call_method1(intern!(py, "shouldRollover"), (record,))?.is_truthy()? {
            turn::roll_over(handler, &|| handler.call_method1(intern!(py, "format"), (record,))?.len())?;
        }
        file::emit_as_file_handler(handler, &record)
    })?;
    call.none()
}

fn rotation_filename<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let namer = call.object.getattr(intern!(call.py(), "namer"))?;
    if namer.is_callable() { namer.call1((call.argument(0),)) } else { Ok(call.argument(0).to_owned()) }
}

fn rotate<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (source, destination) = (call.argument(0), call.argument(1));
    let rotator = call.object.getattr(intern!(py, "rotator"))?;
    if rotator.is_callable() {
        rotator.call1((source, destination))?;
    } else if exists(&source)? {
        os(py)?.call_method1(intern!(py, "rename"), (source, destination))?;
    }
    call.none()
}

pub(crate) fn os(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    globals::get(py, intern!(py, "os"))
}

fn path_is<'py>(test: &Bound<'py, PyString>, path: &Bound<'py, PyAny>) -> PyResult<bool> {
    let py = path.py();
    os(py)?.getattr(intern!(py, "path"))?.call_method1(test, (path,))?.is_truthy()
}

pub(crate) fn exists(path: &Bound<'_, PyAny>) -> PyResult<bool> {
    path_is(intern!(path.py(), "exists"), path)
}

/// Whether there is something at the handler's path that is no regular file, which is never rolled over.
pub(crate) fn is_irregular(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = handler.py();
    let path = handler.getattr(intern!(py, "baseFilename"))?;
    Ok(exists(&path)? && !path_is(intern!(py, "isfile"), &path)?)
}

fn do_rollover<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let handler = &call.object;
    if let Some(upkeep) = upkeep::of(handler)? {
        upkeep::roll_over(handler, &upkeep)?;
        return call.none();
    }
    schedule::close_stream(handler)?;
    let backups: i64 = handler.getattr(intern!(py, "backupCount"))?.extract()?;
    if backups > 0 {
        shift_backups(handler, backups)?;
        fsync::has_moved(handler)?;
    }
    if !handler.getattr(intern!(py, "delay"))?.is_truthy()? {
        handler.setattr(intern!(py, "stream"), handler.call_method0(intern!(py, "_open"))?)?;
    }
    call.none()
}

/// `base.1` becomes `base.2` and so on, the last one falls away, and the file becomes `base.1`.
fn shift_backups(handler: &Bound<'_, PyAny>, backups: i64) -> PyResult<()> {
    let py = handler.py();
    let base = handler.getattr(intern!(py, "baseFilename"))?;
    let name_of = |number: i64| {
        handler.call_method1(intern!(py, "rotation_filename"), (base.add(format!(".{number}"))?,))
    };
    for number in (1..backups).rev() {
        let source = name_of(number)?;
        let destination = name_of(number + 1)?;
        if exists(&source)? {
            remove_if_there(&destination)?;
            os(py)?.call_method1(intern!(py, "rename"), (source, destination))?;
        }
    }
    let first = name_of(1)?;
    remove_if_there(&first)?;
    handler.call_method1(intern!(py, "rotate"), (base, first))?;
    Ok(())
}

pub(crate) fn remove_if_there(path: &Bound<'_, PyAny>) -> PyResult<()> {
    if exists(path)? {
        os(path.py())?.call_method1(intern!(path.py(), "remove"), (path,))?;
    }
    Ok(())
}

fn should_rollover<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (handler, record) = (&call.object, call.argument(0));
    let length = || handler.call_method1(intern!(py, "format"), (record,))?.len();
    let is_due = turn::is_due_by_size(handler, &length)? || timed_rotating::is_due_too(handler)?;
    Ok(PyBool::new(py, is_due).to_owned().into_any())
}

/// Whether this interpreter's rule is the later one. The change came with patch releases, so the method that
/// is replaced is asked: the earlier rule moves to the end of the file.
pub(crate) fn spares_empty_files(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    if let Some(answer) = ANSWER.get() {
        return Ok(*answer);
    }
    let py = handler.py();
    // The handler may be one by time that has been given a size.
    let class = schedule::module_of_handlers(handler)?.getattr(intern!(py, "RotatingFileHandler"))?;
    let code = class.getattr(intern!(py, "shouldRollover"))?.getattr(intern!(py, "__code__"))?;
    let answer = !code.getattr(intern!(py, "co_names"))?.contains("seek")?;
    Ok(*ANSWER.get_or_init(|| answer))
}

/// Whether a message of `length` characters and its newline would reach `maxBytes`.
///
/// Later releases of CPython do not roll an empty file over, however long the message is.
pub(crate) fn is_full(
    handler: &Bound<'_, PyAny>,
    length: impl FnOnce() -> PyResult<usize>,
) -> PyResult<bool> {
    let py = handler.py();
    let spares_empty = spares_empty_files(handler)?;
    if !spares_empty && is_irregular(handler)? {
        return Ok(false);
    }
    if handler.getattr(intern!(py, "stream"))?.is_none() {
        handler.setattr(intern!(py, "stream"), handler.call_method0(intern!(py, "_open"))?)?;
    }
    let most: i64 = handler.getattr(intern!(py, "maxBytes"))?.extract()?;
    if most <= 0 {
        return Ok(false);
    }
    let stream = handler.getattr(intern!(py, "stream"))?;
    let position = || stream.call_method0(intern!(py, "tell"))?.extract::<i64>();
    if spares_empty && position()? == 0 {
        return Ok(false);
    }
    let length = i64::try_from(length()?).unwrap_or(i64::MAX - 1);
    if !spares_empty {
        stream.call_method1(intern!(py, "seek"), (0, 2))?;
    }
    let full = position()?.saturating_add(length + 1) >= most;
    Ok(full && !(spares_empty && is_irregular(handler)?))
}
