//! `LogRecord`: the record as a Python object, a plain instance whose `__dict__` holds every field.

pub(crate) mod active_span;
mod around;
pub(crate) mod call_site;
pub(crate) mod caller;
pub(crate) mod context;
pub(crate) mod exception;
pub(crate) mod fields;
pub(crate) mod fresh;
mod known_templates;
pub(crate) mod message;
pub(crate) mod shape;
pub(crate) mod surroundings;
pub(crate) mod template;
pub(crate) mod threads;
pub(crate) mod trace_ids;

use std::rc::Rc;

use pyo3::exceptions::{PyAttributeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::interpreter::intern;
use crate::record::call_site::CallSite;
use crate::record::shape::Attribute;
use crate::record::surroundings::Surroundings;
use crate::way::call::{LoggingCall, Options};
use crate::way::settings::Settings;
use crate::{classes, interpreter};

pub(crate) static METHODS: &[Method] = &[("__init__", init), ("__repr__", repr), ("getMessage", get_message)];

/// Where the fields of a new record go: straight into the dict of a plain record, or through
/// attribute assignment where a subclass may have properties.
pub(crate) enum Fields<'py> {
    Dict(Bound<'py, PyDict>),
    Attributes(Bound<'py, PyAny>),
}

impl<'py> Fields<'py> {
    fn of(record: &Bound<'py, PyAny>) -> PyResult<Self> {
        Ok(if classes::is_plain(record) {
            Self::Dict(interpreter::instance_dict(record)?)
        } else {
            Self::Attributes(record.clone())
        })
    }

    fn set(&self, name: &Bound<'py, PyString>, value: impl IntoPyObject<'py>) -> PyResult<()> {
        match self {
            Self::Dict(dict) => dict.set_item(name, value),
            Self::Attributes(record) => record.setattr(name, value),
        }
    }
}

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let created = Creation::now(py)?;
    let [name, level, path, line, message, arguments, exception, function, stack] =
        std::array::from_fn(|index| call.argument(index).to_owned());
    let (file, module) = file_and_module(&path)?;
    let level_name = level_name(&level)?;
    let arguments = unwrapped_mapping(&arguments)?;
    let site = [path, file, module, function];
    let surroundings = Surroundings::now(py)?;
    let parts = Parts {
        name,
        level,
        level_name,
        site,
        line,
        message,
        arguments,
        exception,
        stack,
        created,
        surroundings,
    };
    parts.fill(&Fields::of(&call.object)?)?;
    call.none()
}

/// What a record is made of.
pub(crate) struct Parts<'py> {
    pub(crate) name: Bound<'py, PyAny>,
    pub(crate) level: Bound<'py, PyAny>,
    pub(crate) level_name: Bound<'py, PyAny>,
    /// Path, file, module and function.
    pub(crate) site: [Bound<'py, PyAny>; 4],
    pub(crate) line: Bound<'py, PyAny>,
    pub(crate) message: Bound<'py, PyAny>,
    pub(crate) arguments: Bound<'py, PyAny>,
    pub(crate) exception: Bound<'py, PyAny>,
    pub(crate) stack: Bound<'py, PyAny>,
    pub(crate) created: Creation,
    pub(crate) surroundings: Surroundings<'py>,
}

impl<'py> Parts<'py> {
    /// Sets the fields in CPython's order.
    pub(crate) fn fill(&self, fields: &Fields<'py>) -> PyResult<()> {
        self.with_values(|values| {
            for (attribute, value) in Attribute::OF_NEW_RECORDS.iter().zip(values) {
                fields.set(attribute.name(self.name.py()), value)?;
            }
            Ok(())
        })
    }

    /// Hands the values of [`Attribute::OF_NEW_RECORDS`] to `body`.
    fn with_values<T>(&self, body: impl FnOnce(&[Borrowed<'_, 'py, PyAny>]) -> T) -> T {
        let py = self.name.py();
        let [path, file, module, function] = &self.site;
        let none = py.None().into_bound(py);
        let Creation { seconds, milliseconds, since_start_milliseconds } = self.created;
        let [created, msecs, relative] = [seconds, milliseconds, since_start_milliseconds]
            .map(|number| PyFloat::new(py, number).into_any());
        let around = &self.surroundings;
        let values = [
            &self.name,
            &self.message,
            &self.arguments,
            &self.level_name,
            &self.level,
            path,
            file,
            module,
            &self.exception,
            &none,
            &self.stack,
            &self.line,
            function,
            &created,
            &msecs,
            &relative,
            &around.thread,
            &around.thread_name,
            &around.process_name,
            &around.process,
            &around.task_name,
        ];
        body(&values.map(Bound::as_borrowed)[..Attribute::OF_NEW_RECORDS.len()])
    }
}

/// A record that is made of these parts, with the fields of `extra`.
pub(crate) fn of_parts<'py>(
    parts: &Parts<'py>,
    extra: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = parts.name.py();
    let attributes = PyDict::new(py);
    parts.fill(&Fields::Dict(attributes.clone()))?;
    if let Some(extra) = extra {
        attributes.update(extra.as_mapping())?;
    }
    let class = globals::get(py, intern!(py, "LogRecord"))?.cast_into::<PyType>()?;
    interpreter::new_instance_with(&class, &attributes)
}

/// The record of a call, as `makeRecord` makes it with a plain `LogRecord` as factory. `None` when the call's
/// place is not of the usual kind.
pub(crate) fn of_call<'py>(
    call: &LoggingCall<'_, 'py>,
    name: Bound<'py, PyAny>,
    options: &Options<'py>,
    settings: &Settings,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = call.logger.py();
    let Some(place) = Site::of_call(py, options, settings)? else { return Ok(None) };
    let level = PyInt::new(py, call.level).into_any();
    let arguments = PyTuple::new(py, call.arguments)?.into_any();
    let level_name = match settings.level_name(call.level) {
        Some(name) => name.object.bind(py).clone().into_any(),
        None => level_name(&level)?,
    };
    let parts = Parts {
        name,
        level_name,
        level,
        site: place.texts,
        line: place.line,
        message: call.template.to_owned(),
        arguments: unwrapped_mapping(&arguments)?,
        exception: options.exc_info(py),
        stack: place.stack.map_or_else(|| py.None().into_bound(py), Bound::into_any),
        created: settings.now(py)?,
        surroundings: Surroundings::now(py)?,
    };
    let class = settings.factory(py).to_owned().cast_into::<PyType>()?;
    if options.extra().is_none()
        && let Some(record) = parts.with_values(|values| shape::instance(&class, values))?
    {
        return Ok(Some(record));
    }
    let attributes = if let Some(site) = &place.remembered {
        site.template(&parts)?.copy_for(&parts)?
    } else {
        let attributes = PyDict::new(py);
        parts.fill(&Fields::Dict(attributes.clone()))?;
        attributes
    };
    if let Some(extra) = options.extra() {
        attributes.update(extra.as_mapping())?;
    }
    interpreter::new_instance_with(&class, &attributes).map(Some)
}

/// The place of a call as a record has it.
struct Site<'py> {
    /// Path, file, module and function.
    texts: [Bound<'py, PyAny>; 4],
    line: Bound<'py, PyAny>,
    /// What `stack_info` asks for.
    stack: Option<Bound<'py, PyString>>,
    remembered: Option<Rc<CallSite>>,
}

impl<'py> Site<'py> {
    fn of_call(py: Python<'py>, options: &Options<'py>, settings: &Settings) -> PyResult<Option<Self>> {
        if settings.finds_callers {
            return Ok(options.site(py, settings)?.map(|(site, stack)| Self {
                texts: site.objects(py).map(Bound::into_any),
                line: PyInt::new(py, site.line).into_any(),
                stack,
                // One that nobody else holds is made anew for each record.
                remembered: (Rc::strong_count(&site) > 1).then_some(site),
            }));
        }
        let (path, line, function) = caller::UNKNOWN;
        let path = PyString::new(py, path).into_any();
        let (file, module) = file_and_module(&path)?;
        let function = PyString::new(py, function).into_any();
        Ok(Some(Self {
            texts: [path, file, module, function],
            line: PyInt::new(py, line).into_any(),
            stack: None,
            remembered: None,
        }))
    }
}

fn repr<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let record = &call.object;
    let mut shown = Vec::with_capacity(5);
    for name in ["name", "levelno", "pathname", "lineno", "msg"] {
        shown.push(record.getattr(name)?);
    }
    let format = PyString::new(py, "<LogRecord: %s, %s, %s, %s, \"%s\">");
    interpreter::percent_format(&format, PyTuple::new(py, shown)?.as_any())
}

fn get_message<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let message = call.object.getattr(intern!(py, "msg"))?.str()?;
    let arguments = call.object.getattr(intern!(py, "args"))?;
    if arguments.is_truthy()? { merge(&message, &arguments) } else { Ok(message.into_any()) }
}

/// `message % arguments`; text of another class decides itself what `%` means.
pub(crate) fn merge<'py>(
    message: &Bound<'py, PyString>,
    arguments: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if message.is_exact_instance_of::<PyString>() {
        interpreter::percent_format(message, arguments)
    } else {
        message.as_any().rem(arguments)
    }
}

/// A single mapping among the arguments stands for all of them, unless it is empty.
pub(crate) fn unwrapped_mapping<'py>(arguments: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = arguments.py();
    if arguments.is_truthy()? && arguments.len()? == 1 {
        let only = arguments.get_item(0)?;
        if is_plain_value(&only) {
            return Ok(arguments.clone());
        }
        let mapping = globals::get(py, intern!(py, "collections"))?
            .getattr(intern!(py, "abc"))?
            .getattr(intern!(py, "Mapping"))?;
        if only.is_instance(&mapping)? && only.is_truthy()? {
            return Ok(only);
        }
    }
    Ok(arguments.clone())
}

/// Of a class that is certainly no mapping.
pub(crate) fn is_plain_value(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_none()
}

fn level_name<'py>(level: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = level.py();
    globals::get(py, intern!(py, "getLevelName"))?.call1((level,))
}

/// The moment at which a record is made, in the three forms that a record holds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Creation {
    pub(crate) seconds: f64,
    pub(crate) milliseconds: f64,
    pub(crate) since_start_milliseconds: f64,
}

impl Creation {
    /// Nanoseconds since the Unix epoch, to the microsecond, since the seconds hold no more; the whole
    /// milliseconds are `milliseconds`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "saturates in the year 2262"
    )]
    pub(crate) fn nanoseconds(&self) -> i64 {
        let second = self.second();
        // Rounded; no fraction of a second is negative.
        let fraction = ((self.seconds - second as f64) * 1e6 + 0.5) as i64 * 1000;
        let milliseconds = self.milliseconds as i64 * 1_000_000;
        second * 1_000_000_000 + fraction.clamp(milliseconds, milliseconds + 999_999)
    }

    /// Whether seconds and milliseconds tell the same moment, so that the nanoseconds are that of the seconds.
    #[expect(clippy::cast_precision_loss, reason = "compared within a microsecond")]
    pub(crate) fn agrees_with_itself(&self) -> bool {
        (self.nanoseconds() as f64 / 1e9 - self.seconds).abs() < 1e-6
    }

    /// The whole seconds since the Unix epoch.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "of a present time")]
    pub(crate) fn second(&self) -> i64 {
        let towards_zero = self.seconds as i64;
        towards_zero.saturating_sub((towards_zero as f64 > self.seconds).into())
    }

    /// The milliseconds as three digits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 999")]
    pub(crate) fn digits_of_milliseconds(&self) -> [u8; 3] {
        let milliseconds = self.milliseconds as u32;
        [100, 10, 1].map(|unit| b'0' + (milliseconds / unit % 10) as u8)
    }

    /// Asks the `time` module that `logging` sees, as a test may have replaced it.
    pub(crate) fn now(py: Python<'_>) -> PyResult<Self> {
        let time = globals::get(py, intern!(py, "time"))?;
        let start = StartTime::now(py)?;
        if globals::python_minor(py) >= 13 {
            Ok(Self::at_nanoseconds(time.call_method0(intern!(py, "time_ns"))?.extract()?, start))
        } else {
            Ok(Self::at_seconds(time.call_method0(intern!(py, "time"))?.extract()?, start))
        }
    }

    /// The moment that many nanoseconds after the Unix epoch, by the rules of the CPython that this is built for.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "as CPython computes it")]
    pub(crate) fn at(nanoseconds: i64, start: StartTime) -> Self {
        if cfg!(Py_3_13) {
            Self::at_nanoseconds(nanoseconds.into(), start)
        } else {
            Self::at_seconds(nanoseconds as f64 / 1e9, start)
        }
    }

    #[expect(clippy::float_cmp, reason = "as CPython 3.13 computes it")]
    fn at_nanoseconds(now: i128, start: StartTime) -> Self {
        let seconds = as_float(now) / 1e9;
        let (whole_seconds, rest) = match i64::try_from(now) {
            Ok(now) => (now.div_euclid(1_000_000_000).into(), now.rem_euclid(1_000_000_000).into()),
            Err(_) => (now.div_euclid(1_000_000_000), now.rem_euclid(1_000_000_000)),
        };
        let mut milliseconds = f64::from(u32::try_from(rest / 1_000_000).unwrap_or(0));
        if milliseconds == 999.0 && is_rounded_away(seconds, whole_seconds) {
            milliseconds = 0.0;
        }
        let since_start_milliseconds = as_float(now - start.nanoseconds) / 1e6;
        Self { seconds, milliseconds, since_start_milliseconds }
    }

    fn at_seconds(now: f64, start: StartTime) -> Self {
        Self {
            seconds: now,
            milliseconds: whole((now - whole(now)) * 1000.0),
            since_start_milliseconds: (now - start.seconds) * 1000.0,
        }
    }
}

/// A count of nanoseconds as a float; those of the centuries around now the processor converts itself.
#[expect(clippy::cast_precision_loss, reason = "as CPython computes it")]
fn as_float(nanoseconds: i128) -> f64 {
    match i64::try_from(nanoseconds) {
        Ok(nanoseconds) => nanoseconds as f64,
        Err(_) => wide_as_float(nanoseconds),
    }
}

/// A function of its own, since otherwise both conversions are made each time.
#[cold]
#[inline(never)]
#[expect(clippy::cast_precision_loss, reason = "as CPython computes it")]
fn wide_as_float(nanoseconds: i128) -> f64 {
    nanoseconds as f64
}

/// Whether a float of seconds has become the next whole one; a function of its own for the same reason.
#[cold]
#[inline(never)]
#[expect(clippy::cast_possible_truncation, reason = "as CPython computes it")]
fn is_rounded_away(seconds: f64, whole_seconds: i128) -> bool {
    seconds as i128 != whole_seconds
}

/// `number.trunc()`, without a call for usual numbers.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "within the exact range")]
fn whole(number: f64) -> f64 {
    if number.abs() < 9e15 { number as i64 as f64 } else { number.trunc() }
}

/// When logging began (`_startTime`): in seconds up to CPython 3.12, in nanoseconds from 3.13 on.
#[derive(Clone, Copy, Default)]
pub(crate) struct StartTime {
    seconds: f64,
    nanoseconds: i128,
}

impl StartTime {
    pub(crate) fn now(py: Python<'_>) -> PyResult<Self> {
        let start = globals::get(py, intern!(py, "_startTime"))?;
        Ok(if globals::python_minor(py) >= 13 {
            Self { nanoseconds: start.extract()?, ..Self::default() }
        } else {
            Self { seconds: start.extract()?, ..Self::default() }
        })
    }
}

/// The last part of a path and that part without its ending, by the rules of `os.path`.
pub(crate) fn file_and_module<'py>(
    path: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let py = path.py();
    if cfg!(unix)
        && let Ok(text) = path.cast_exact::<PyString>()
        && let Ok(text) = text.to_str()
    {
        let (file, module) = split_posix_path(text);
        return Ok((PyString::new(py, file).into_any(), PyString::new(py, module).into_any()));
    }
    let paths = globals::get(py, intern!(py, "os"))?.getattr(intern!(py, "path"))?;
    let split = || -> PyResult<_> {
        let file = paths.call_method1(intern!(py, "basename"), (path,))?;
        let module = paths.call_method1(intern!(py, "splitext"), (&file,))?.get_item(0)?;
        Ok((file, module))
    };
    split().or_else(|error| {
        let expected = error.is_instance_of::<PyTypeError>(py)
            || error.is_instance_of::<PyValueError>(py)
            || error.is_instance_of::<PyAttributeError>(py);
        if expected {
            Ok((path.clone(), intern!(py, "Unknown module").clone().into_any()))
        } else {
            Err(error)
        }
    })
}

/// `os.path.basename(path)` and the first part of its `os.path.splitext`, as POSIX has them: dots at the
/// beginning of a name begin no ending.
fn split_posix_path(path: &str) -> (&str, &str) {
    let file = path.rsplit('/').next().unwrap_or(path);
    let module = match file.rfind('.') {
        Some(dot) if file[..dot].contains(|character| character != '.') => &file[..dot],
        _ => file,
    };
    (file, module)
}
