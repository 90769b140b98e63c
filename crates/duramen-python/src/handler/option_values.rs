//! Values of the options that CPython's handlers do not have, and of those that stand beside them: read strictly, and refused
//! with the option's name, what was found and what would be right.

use std::path::PathBuf;
use std::time::Duration;

use duramen::rotation::{InvalidOption, Schedule, When, parse_age};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString, PyTime, PyTimeAccess as _};

use crate::interpreter::intern;

pub(crate) type Read<T> = Result<T, InvalidOption>;

/// The error that `option` is `value`, where `expected` would be right.
pub(crate) fn wrong(option: &'static str, value: &Bound<'_, PyAny>, expected: &str) -> InvalidOption {
    let found = value.repr().map(|text| text.to_string());
    // A `__repr__` that fails says no more than its class.
    let found = found.unwrap_or_else(|_| format!("a value of {}", value.get_type()));
    InvalidOption::new(option, found, expected)
}

fn is_bool(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyBool>()
}

/// A whole number from `least` on. `True` is none: which number would be meant?
pub(crate) fn whole_number(
    option: &'static str,
    value: &Bound<'_, PyAny>,
    least: i64,
    of_what: &str,
) -> Read<i64> {
    let number = value.extract::<i64>().ok().filter(|number| *number >= least && !is_bool(value));
    number.ok_or_else(|| wrong(option, value, &format!("a whole number{of_what} from {least} on")))
}

/// True or false, also as 1 or 0.
pub(crate) fn flag(option: &'static str, value: &Bound<'_, PyAny>) -> Read<bool> {
    match value.extract::<i64>() {
        Ok(number @ 0..=1) => Ok(number == 1),
        _ => Err(wrong(option, value, "True or False")),
    }
}

/// What `known` makes of a text.
pub(crate) fn one_of<T>(
    option: &'static str,
    value: &Bound<'_, PyAny>,
    expected: &str,
    known: impl FnOnce(&str) -> Option<T>,
) -> Read<T> {
    let text = value.extract::<String>().ok();
    text.and_then(|text| known(&text)).ok_or_else(|| wrong(option, value, expected))
}

/// An age: text such as `30d`, seconds, or a `timedelta`.
pub(crate) fn age(option: &'static str, value: &Bound<'_, PyAny>) -> Read<Duration> {
    let age = if let Ok(text) = value.extract::<String>() {
        parse_age(option, &text).ok()
    } else if is_bool(value) {
        None
    } else if let Ok(seconds) = value.extract::<f64>() {
        Duration::try_from_secs_f64(seconds).ok()
    } else {
        value.extract::<Duration>().ok()
    };
    let expected = "text such as \"30d\", seconds above 0, or a timedelta";
    age.filter(|age| !age.is_zero()).ok_or_else(|| wrong(option, value, expected))
}

/// An absolute path.
pub(crate) fn path(option: &'static str, value: &Bound<'_, PyAny>) -> Read<PathBuf> {
    let path: PathBuf = value.extract().map_err(|_| wrong(option, value, "a path"))?;
    Ok(std::path::absolute(&path).unwrap_or(path))
}

/// Refuses how a file would be opened, where that cannot be for a log. Opening it might make it all the same.
pub(crate) fn check_file(
    mode: &Bound<'_, PyAny>,
    encoding: &Bound<'_, PyAny>,
    errors: &Bound<'_, PyAny>,
) -> Read<()> {
    let py = mode.py();
    one_of("mode", mode, "\"a\", \"w\" or \"x\"", |mode| {
        let is_writing = mode.chars().filter(|letter| "awx".contains(*letter)).count() == 1;
        (is_writing && mode.chars().all(|letter| "awxt+".contains(letter))).then_some(())
    })?;
    let is_encoding = |encoding: &Bound<'_, PyAny>| {
        let is_text = encoding.is_instance_of::<PyString>();
        let is_locale = encoding.eq(intern!(py, "locale")).unwrap_or(false);
        let empty = PyString::new(py, "");
        is_text && (is_locale || empty.call_method1(intern!(py, "encode"), (encoding,)).is_ok())
    };
    if !encoding.is_none() && !is_encoding(encoding) {
        return Err(wrong("encoding", encoding, "the name of an encoding of text, or None"));
    }
    let is_known = |errors: &Bound<'_, PyAny>| {
        let codecs = py.import(intern!(py, "codecs"));
        codecs.is_ok_and(|codecs| codecs.call_method1(intern!(py, "lookup_error"), (errors,)).is_ok())
    };
    if !errors.is_none() && !is_known(errors) {
        return Err(wrong("errors", errors, "the name of a way to handle errors, or None"));
    }
    Ok(())
}

/// The options that say when a file is rolled over by time; what was left out is `None`.
pub(crate) struct ScheduleOptions<'a, 'py> {
    pub(crate) when: Option<&'a Bound<'py, PyAny>>,
    pub(crate) interval: Option<&'a Bound<'py, PyAny>>,
    pub(crate) utc: Option<&'a Bound<'py, PyAny>>,
    pub(crate) at_time: Option<&'a Bound<'py, PyAny>>,
}

/// The schedule that the options describe; `None` where there is no `when`.
pub(crate) fn schedule(options: &ScheduleOptions<'_, '_>) -> Read<Option<Schedule>> {
    let Some(when) = options.when else {
        let others = [("interval", options.interval), ("utc", options.utc), ("atTime", options.at_time)];
        let lonely = others.into_iter().find_map(|(option, value)| Some((option, value?)));
        return lonely.map_or(Ok(None), |(option, value)| Err(wrong(option, value, "when beside it")));
    };
    let unit = one_of("when", when, "one of S, M, H, D, MIDNIGHT, W0 to W6", |text| When::parse(text).ok())?;
    let interval = options.interval.map(|value| whole_number("interval", value, 1, "")).transpose()?;
    let utc = options.utc.map(|value| flag("utc", value)).transpose()?;
    let at_time = options.at_time.map(|value| second_of_day("atTime", value, unit)).transpose()?;
    let interval = interval.unwrap_or(1);
    let schedule = Schedule::new(unit, interval)
        .map_err(|error| InvalidOption::new("interval", interval.to_string(), error.to_string()))?;
    Ok(Some(schedule.utc(utc.unwrap_or(false)).at_time(at_time)))
}

fn second_of_day(option: &'static str, value: &Bound<'_, PyAny>, unit: When) -> Read<u32> {
    let Ok(time) = value.cast::<PyTime>() else { return Err(wrong(option, value, "a datetime.time")) };
    if !unit.follows_the_calendar() {
        return Err(wrong(option, value, "none, since when is neither midnight nor a day of the week"));
    }
    Ok((u32::from(time.get_hour()) * 60 + u32::from(time.get_minute())) * 60 + u32::from(time.get_second()))
}
