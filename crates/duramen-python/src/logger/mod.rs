//! `Logger`: from the logging call to the handlers.

pub(crate) mod adapter;
pub(crate) mod adapter_view;
pub(crate) mod enabled;
pub(crate) mod entry;
pub(crate) mod manager;
pub(crate) mod tree;
pub(crate) mod view;

use std::rc::Rc;

use pyo3::exceptions::PyBaseException;
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple};

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::handler::lineage::call_base;
use crate::interpreter;
use crate::interpreter::intern;
use crate::record::{caller, context};
use crate::way::call::{Keywords, LoggingCall};
use crate::way::direct::{self, Written};
use crate::way::pipeline;
use crate::way::reach::Reach;

pub(crate) static METHODS: &[Method] = &[
    ("__init__", init),
    ("setLevel", set_level),
    ("addHandler", add_handler),
    ("removeHandler", remove_handler),
    ("getChild", get_child),
    ("debug", debug),
    ("info", info),
    ("warning", warning),
    ("error", error),
    ("critical", critical),
    ("exception", exception),
    ("log", log),
    ("findCaller", caller::find_caller),
    ("makeRecord", make_record),
    ("_log", log_unconditionally),
    ("handle", handle),
    ("hasHandlers", has_handlers),
    ("callHandlers", call_handlers),
    ("getEffectiveLevel", get_effective_level),
    ("isEnabledFor", is_enabled_for),
    ("__repr__", repr),
];

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (logger, name) = (&call.object, call.argument(0));
    call_base(logger, intern!(py, "Filterer"), intern!(py, "__init__"))?;
    logger.setattr(intern!(py, "name"), name)?;
    let level = globals::get(py, intern!(py, "_checkLevel"))?.call1((call.argument(1),))?;
    logger.setattr(intern!(py, "level"), level)?;
    logger.setattr(intern!(py, "parent"), py.None())?;
    logger.setattr(intern!(py, "propagate"), true)?;
    logger.setattr(intern!(py, "handlers"), PyList::empty(py))?;
    logger.setattr(intern!(py, "disabled"), false)?;
    logger.setattr(intern!(py, "_cache"), PyDict::new(py))?;
    call.none()
}

fn set_level<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let level = globals::get(py, intern!(py, "_checkLevel"))?.call1((call.argument(0),))?;
    call.object.setattr(intern!(py, "level"), level)?;
    call.object.getattr(intern!(py, "manager"))?.call_method0(intern!(py, "_clear_cache"))?;
    call.none()
}

fn add_handler<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    globals::locked(py, || {
        if !call.object.getattr(intern!(py, "handlers"))?.contains(call.argument(0))? {
            let handlers = call.object.getattr(intern!(py, "handlers"))?;
            handlers.call_method1(intern!(py, "append"), (call.argument(0),))?;
        }
        Ok(())
    })?;
    call.none()
}

fn remove_handler<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    globals::locked(py, || {
        let handlers = call.object.getattr(intern!(py, "handlers"))?;
        if handlers.contains(call.argument(0))? {
            handlers.call_method1(intern!(py, "remove"), (call.argument(0),))?;
        }
        Ok(())
    })?;
    call.none()
}

fn get_child<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let logger = &call.object;
    let mut name = call.argument(0).to_owned();
    if !logger.getattr(intern!(py, "root"))?.is(logger) {
        name = intern!(py, ".").call_method1("join", ((logger.getattr(intern!(py, "name"))?, name),))?;
    }
    logger.getattr(intern!(py, "manager"))?.call_method1(intern!(py, "getLogger"), (name,))
}

fn debug<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, 10)
}

fn info<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, 20)
}

fn warning<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, 30)
}

fn error<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, 40)
}

fn critical<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    log_at(call, 50)
}

fn log_at<'py>(call: &Call<'_, 'py>, level: i64) -> PyResult<Bound<'py, PyAny>> {
    log_if_enabled(call, PyInt::new(call.py(), level).as_any(), call.argument(0))
}

fn log<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let level = call.argument(0).to_owned();
    if level.is_instance_of::<PyInt>() {
        return log_if_enabled(call, &level, call.argument(1));
    }
    if globals::is_true(py, intern!(py, "raiseExceptions"))? {
        return Err(PyTypeError::new_err("level must be an integer"));
    }
    call.none()
}

fn log_if_enabled<'py>(
    call: &Call<'_, 'py>,
    level: &Bound<'py, PyAny>,
    message: Borrowed<'_, 'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(Ok(level)) = level.cast_exact::<PyInt>().map(|level| level.extract()) {
        send_if_enabled(&LoggingCall {
            logger: &call.object,
            level,
            template: message,
            arguments: call.rest,
            keywords: call.extra_keywords.as_ref().map_or(Keywords::None, Keywords::Dict),
        })?;
    } else if is_enabled(&call.object, level, None)? {
        // A subclass of `int` may have a text of its own.
        let arguments = (level, message, call.rest_tuple()?).into_pyobject(call.py())?;
        call_log(&call.object, arguments, call.extra_keywords.as_ref())?;
    }
    call.none()
}

/// What `log` does with an exact `int` for a level.
pub(crate) fn send_if_enabled(call: &LoggingCall<'_, '_>) -> PyResult<()> {
    let level = PyInt::new(call.logger.py(), call.level);
    if is_enabled(call.logger, level.as_any(), Some(call.level))? { send(call) } else { Ok(()) }
}

/// Whether a logger, or what stands for one, logs at this level; `number` is the level if it is an exact `int`.
pub(crate) fn is_enabled<'py>(
    logger: &Bound<'py, PyAny>,
    level: &Bound<'py, PyAny>,
    number: Option<i64>,
) -> PyResult<bool> {
    match number.and_then(|number| enabled::known(logger, number)) {
        Some(answer) => Ok(answer),
        None => enabled(logger, level),
    }
}

/// As `error` with `exc_info`, through the object's own `error`, which may be overridden.
fn exception<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let keywords = call.extra_keywords.clone().unwrap_or_else(|| PyDict::new(py));
    keywords.set_item(intern!(py, "exc_info"), call.argument(1))?;
    let mut arguments = vec![call.argument(0).to_owned()];
    arguments.extend(call.rest.iter().map(|argument| (**argument).clone()));
    let arguments = PyTuple::new(py, arguments)?;
    caller::in_call(py, || call.object.call_method(intern!(py, "error"), arguments, Some(&keywords)))?;
    call.none()
}

fn enabled<'py>(logger: &Bound<'py, PyAny>, level: &Bound<'py, PyAny>) -> PyResult<bool> {
    let answer = logger.call_method1(intern!(logger.py(), "isEnabledFor"), (level,))?.is_truthy()?;
    enabled::remember(logger)?;
    Ok(answer)
}

/// Sends a record of an enabled level its way.
fn send(call: &LoggingCall<'_, '_>) -> PyResult<()> {
    let mut reach = None;
    match direct::write(call, &mut reach) {
        Some(Written::Whole) => Ok(()),
        written => send_further(call, written, reach.as_ref()),
    }
}

/// Sends a record its way that has not been written as a whole by the shortest one: the native way, or the Python one
/// through `_log`. `reach` is that of the logger, if it is known; nothing has run since it was found to hold.
pub(crate) fn send_further(
    call: &LoggingCall<'_, '_>,
    written: Option<Written>,
    reach: Option<&Rc<Reach>>,
) -> PyResult<()> {
    let py = call.logger.py();
    if caller::in_call(py, || pipeline::emit_natively(call, written, reach))? {
        return Ok(());
    }
    let arguments = (call.level, call.template, PyTuple::new(py, call.arguments)?).into_pyobject(py)?;
    call_log(call.logger, arguments, call.keywords.dict(py)?.as_ref())
}

/// Calls `_log` as a level method does.
fn call_log<'py>(
    logger: &Bound<'py, PyAny>,
    arguments: Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<()> {
    let py = logger.py();
    if caller::may_count_frames(logger)? {
        return caller::with_frames(logger, arguments, keywords);
    }
    caller::in_call(py, || logger.call_method(intern!(py, "_log"), arguments, keywords)).map(drop)
}

fn log_unconditionally<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let logger = &call.object;
    let [level, message, arguments, exception, extra, stack_info, stack_level] =
        std::array::from_fn(|index| call.argument(index));
    if caller::may_count_frames(logger)?
        && let Some(function) = interpreter::replaced_by(&logger_class(py)?.getattr(intern!(py, "_log"))?)
    {
        return function.call1((
            logger,
            level,
            message,
            arguments,
            exception,
            extra,
            stack_info,
            stack_level,
        ));
    }
    let (path, line, function, stack) = if globals::is_true(py, intern!(py, "_srcfile"))? {
        caller::in_call(py, || find_caller_of(logger, &stack_info, &stack_level))?
    } else {
        unknown_caller(py)
    };
    let exception = exception_triple(&exception)?;
    let name = logger.getattr(intern!(py, "name"))?;
    let record = logger.call_method1(
        intern!(py, "makeRecord"),
        (name, level, path, line, message, arguments, exception, function, extra, stack),
    )?;
    logger.call_method1(intern!(py, "handle"), (record,))?;
    call.none()
}

fn logger_class(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    globals::get(py, intern!(py, "Logger"))
}

type CallSite<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

fn find_caller_of<'py>(
    logger: &Bound<'py, PyAny>,
    stack_info: &Bound<'py, PyAny>,
    stack_level: &Bound<'py, PyAny>,
) -> PyResult<CallSite<'py>> {
    let py = logger.py();
    let found = logger
        .call_method1(intern!(py, "findCaller"), (stack_info, stack_level))
        .and_then(|found| found.extract::<CallSite<'py>>());
    match found {
        Err(error) if error.is_instance_of::<PyValueError>(py) => Ok(unknown_caller(py)),
        result => result,
    }
}

fn unknown_caller(py: Python<'_>) -> CallSite<'_> {
    let (path, line, function) = caller::UNKNOWN;
    (
        PyString::new(py, path).into_any(),
        PyInt::new(py, line).into_any(),
        PyString::new(py, function).into_any(),
        py.None().into_bound(py),
    )
}

/// The `exc_info` argument as the triple that a record holds.
pub(crate) fn exception_triple<'py>(given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = given.py();
    if !given.is_truthy()? || given.is_instance_of::<PyTuple>() {
        return Ok(given.clone());
    }
    if given.is_instance_of::<PyBaseException>() {
        let traceback = given.getattr(intern!(py, "__traceback__"))?;
        return Ok((given.get_type(), given, traceback).into_pyobject(py)?.into_any());
    }
    globals::get(py, intern!(py, "sys"))?.call_method0(intern!(py, "exc_info"))
}

fn make_record<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let [name, level, path, line, message, arguments, exception, function, extra, stack] =
        std::array::from_fn(|index| call.argument(index));
    let factory = globals::get(py, intern!(py, "_logRecordFactory"))?;
    let record = factory.call1((name, level, path, line, message, arguments, exception, function, stack))?;
    if !extra.is_none() {
        for key in extra.try_iter()? {
            let key = key?;
            let fields = record.getattr(intern!(py, "__dict__"))?;
            if key.eq(intern!(py, "message"))? || key.eq(intern!(py, "asctime"))? || fields.contains(&key)? {
                let key = (key,).into_pyobject(py)?;
                let text = interpreter::percent_format(
                    intern!(py, "Attempt to overwrite %r in LogRecord"),
                    key.as_any(),
                )?;
                return Err(PyKeyError::new_err((text.unbind(),)));
            }
            fields.set_item(&key, extra.get_item(&key)?)?;
        }
    }
    context::put_on(&record)?;
    Ok(record)
}

fn handle<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (logger, mut record) = (&call.object, call.argument(0).to_owned());
    if logger.getattr(intern!(py, "disabled"))?.is_truthy()? {
        return call.none();
    }
    let answer = logger.call_method1(intern!(py, "filter"), (&record,))?;
    if answer.is_truthy()? {
        if globals::python_minor(py) >= 12 && globals::is_log_record(&answer)? {
            record = answer;
        }
        logger.call_method1(intern!(py, "callHandlers"), (record,))?;
    }
    call.none()
}

/// Walks from `logger` towards the root while records propagate, until `visit` answers false.
fn walk<'py>(
    logger: &Bound<'py, PyAny>,
    mut visit: impl FnMut(&Bound<'py, PyAny>) -> PyResult<bool>,
) -> PyResult<()> {
    let py = logger.py();
    let mut current = logger.clone();
    while current.is_truthy()? {
        if !visit(&current)? || !current.getattr(intern!(py, "propagate"))?.is_truthy()? {
            break;
        }
        current = current.getattr(intern!(py, "parent"))?;
    }
    Ok(())
}

fn has_handlers<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let mut found = false;
    walk(&call.object, |logger| {
        found = logger.getattr(intern!(py, "handlers"))?.is_truthy()?;
        Ok(!found)
    })?;
    Ok(PyBool::new(py, found).to_owned().into_any())
}

fn call_handlers<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let (logger, record) = (&call.object, &call.argument(0));
    if !meets_handlers(logger, record)? {
        without_handlers(logger, record)?;
    }
    call.none()
}

fn reaches(record: &Bound<'_, PyAny>, handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = record.py();
    record.getattr(intern!(py, "levelno"))?.ge(handler.getattr(intern!(py, "level"))?)
}

/// Hands the record to the handlers of `logger` and of those above it, and says whether there was one.
pub(crate) fn meets_handlers(logger: &Bound<'_, PyAny>, record: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = logger.py();
    let mut found = false;
    walk(logger, |logger| {
        for handler in logger.getattr(intern!(py, "handlers"))?.try_iter()? {
            let handler = handler?;
            found = true;
            if reaches(record, &handler)? {
                handler.call_method1(intern!(py, "handle"), (record,))?;
            }
        }
        Ok(true)
    })?;
    Ok(found)
}

/// A record that no handler took goes to the handler of last resort; without one, `sys.stderr` is told
/// once for each manager.
pub(crate) fn without_handlers(logger: &Bound<'_, PyAny>, record: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = logger.py();
    let last_resort = globals::get(py, intern!(py, "lastResort"))?;
    if last_resort.is_truthy()? {
        if reaches(record, &last_resort)? {
            last_resort.call_method1(intern!(py, "handle"), (record,))?;
        }
        return Ok(());
    }
    let warned = intern!(py, "emittedNoHandlerWarning");
    if globals::is_true(py, intern!(py, "raiseExceptions"))? {
        let manager = logger.getattr(intern!(py, "manager"))?;
        if !manager.getattr(warned)?.is_truthy()? {
            let name = logger.getattr(intern!(py, "name"))?;
            let format = intern!(py, "No handlers could be found for logger \"%s\"\n");
            let text = interpreter::percent_format(format, (name,).into_pyobject(py)?.as_any())?;
            let stream = globals::get(py, intern!(py, "sys"))?.getattr(intern!(py, "stderr"))?;
            stream.call_method1(intern!(py, "write"), (text,))?;
            manager.setattr(warned, true)?;
        }
    }
    Ok(())
}

fn get_effective_level<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let mut logger = call.object.clone();
    while logger.is_truthy()? {
        let level = logger.getattr(intern!(py, "level"))?;
        if level.is_truthy()? {
            return Ok(level);
        }
        logger = logger.getattr(intern!(py, "parent"))?;
    }
    globals::get(py, intern!(py, "NOTSET"))
}

fn is_enabled_for<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (logger, level) = (&call.object, call.argument(0));
    if logger.getattr(intern!(py, "disabled"))?.is_truthy()? {
        return Ok(PyBool::new(py, false).to_owned().into_any());
    }
    let cached = logger.getattr(intern!(py, "_cache"))?.get_item(level);
    match cached {
        Err(error) if error.is_instance_of::<PyKeyError>(py) => {}
        answer => return answer,
    }
    globals::locked(py, || compute_enabled(logger, &level))
}

fn compute_enabled<'py>(
    logger: &Bound<'py, PyAny>,
    level: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = logger.py();
    let disable = logger.getattr(intern!(py, "manager"))?.getattr(intern!(py, "disable"))?;
    let enabled = !disable.ge(level)? && level.ge(logger.call_method0(intern!(py, "getEffectiveLevel"))?)?;
    let answer = PyBool::new(py, enabled).to_owned().into_any();
    logger.getattr(intern!(py, "_cache"))?.set_item(level, &answer)?;
    Ok(answer)
}

fn repr<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let level = call.object.call_method0(intern!(py, "getEffectiveLevel"))?;
    let (class, level) = crate::handler::base::class_and_level(&call.object, &level)?;
    let name = call.object.getattr(intern!(py, "name"))?;
    let shown = (class, name, level).into_pyobject(py)?;
    interpreter::percent_format(intern!(py, "<%s %s (%s)>"), shown.as_any())
}
