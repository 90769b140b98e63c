//! `Manager` and `PlaceHolder`: the tree of loggers.

use pyo3::exceptions::{PyAssertionError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::interpreter;
use crate::interpreter::intern;

pub(crate) static METHODS: &[Method] = &[
    ("__init__", init),
    ("getLogger", get_logger),
    ("setLoggerClass", set_logger_class),
    ("setLogRecordFactory", set_log_record_factory),
    ("_fixupParents", fix_up_parents),
    ("_fixupChildren", fix_up_children),
    ("_clear_cache", clear_cache),
];

pub(crate) static PLACEHOLDER_METHODS: &[Method] = &[("__init__", init_placeholder), ("append", append)];

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let manager = &call.object;
    manager.setattr(intern!(py, "root"), call.argument(0))?;
    manager.setattr(intern!(py, "disable"), 0)?;
    manager.setattr(intern!(py, "emittedNoHandlerWarning"), false)?;
    manager.setattr(intern!(py, "loggerDict"), PyDict::new(py))?;
    manager.setattr(intern!(py, "loggerClass"), py.None())?;
    manager.setattr(intern!(py, "logRecordFactory"), py.None())?;
    call.none()
}

fn get_logger<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (manager, name) = (&call.object, call.argument(0));
    if !name.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("A logger name must be a string"));
    }
    globals::locked(py, || {
        let known = manager.getattr(intern!(py, "loggerDict"))?;
        if !known.contains(name)? {
            let logger = make_logger(manager, &name)?;
            manager.call_method1(intern!(py, "_fixupParents"), (&logger,))?;
            return Ok(logger);
        }
        let found = known.get_item(name)?;
        if !is_placeholder(&found)? {
            return Ok(found);
        }
        let logger = make_logger(manager, &name)?;
        manager.call_method1(intern!(py, "_fixupChildren"), (found, &logger))?;
        manager.call_method1(intern!(py, "_fixupParents"), (&logger,))?;
        Ok(logger)
    })
}

/// A logger of the manager's class, or else of the global one, entered under its name.
fn make_logger<'py>(manager: &Bound<'py, PyAny>, name: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = manager.py();
    let own_class = manager.getattr(intern!(py, "loggerClass"))?;
    let class =
        if own_class.is_truthy()? { own_class } else { globals::get(py, intern!(py, "_loggerClass"))? };
    let logger = class.call1((name,))?;
    logger.setattr(intern!(py, "manager"), manager)?;
    manager.getattr(intern!(py, "loggerDict"))?.set_item(name, &logger)?;
    Ok(logger)
}

fn is_placeholder(node: &Bound<'_, PyAny>) -> PyResult<bool> {
    node.is_instance(&globals::get(node.py(), intern!(node.py(), "PlaceHolder"))?)
}

fn is_logger(node: &Bound<'_, PyAny>) -> PyResult<bool> {
    node.is_instance(&globals::get(node.py(), intern!(node.py(), "Logger"))?)
}

fn set_logger_class<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let class = call.argument(0);
    let logger_class = globals::get(py, intern!(py, "Logger"))?;
    if class.ne(&logger_class)? {
        let is_subclass = globals::get_builtin(py, intern!(py, "issubclass"))?;
        if !is_subclass.call1((class, logger_class))?.is_truthy()? {
            let name = class.getattr(intern!(py, "__name__"))?;
            return Err(PyTypeError::new_err(format!("logger not derived from logging.Logger: {name}")));
        }
    }
    call.object.setattr(intern!(py, "loggerClass"), class)?;
    call.none()
}

fn set_log_record_factory<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    call.object.setattr(intern!(call.py(), "logRecordFactory"), call.argument(0))?;
    call.none()
}

/// Gives `logger` its parent: the nearest logger above it. Each name between them gets a placeholder that
/// knows `logger`.
fn fix_up_parents<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (manager, logger) = (&call.object, call.argument(0));
    let name = logger.getattr(intern!(py, "name"))?;
    let mut parent = None;
    let mut dot: isize = name.call_method1(intern!(py, "rfind"), (".",))?.extract()?;
    while dot > 0 && parent.is_none() {
        let above = name.get_item(interpreter::slice(py, 0, dot)?)?;
        parent = parent_called(manager, &above, &logger)?;
        dot = name.call_method1(intern!(py, "rfind"), (".", 0, dot - 1))?.extract()?;
    }
    let parent = match parent {
        Some(parent) => parent,
        None => manager.getattr(intern!(py, "root"))?,
    };
    logger.setattr(intern!(py, "parent"), parent)?;
    call.none()
}

/// The logger called `name`; where there is none, the placeholder there gets to know `child`.
fn parent_called<'py>(
    manager: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    child: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = manager.py();
    let known = manager.getattr(intern!(py, "loggerDict"))?;
    if !known.contains(name)? {
        let placeholder = globals::get(py, intern!(py, "PlaceHolder"))?.call1((child,))?;
        known.set_item(name, placeholder)?;
        return Ok(None);
    }
    let node = known.get_item(name)?;
    if is_logger(&node)? {
        // One that counts as false does not end the search.
        return Ok(node.is_truthy()?.then_some(node));
    }
    if !is_placeholder(&node)? {
        return Err(PyAssertionError::new_err(()));
    }
    node.call_method1(intern!(py, "append"), (child,))?;
    Ok(None)
}

/// Puts `logger`, which takes the place of a placeholder, between the loggers below it and their parents.
fn fix_up_children<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (placeholder, logger) = (call.argument(0), call.argument(1));
    let name = logger.getattr(intern!(py, "name"))?;
    let head = interpreter::slice(py, 0, name.len()?.cast_signed())?;
    let children = placeholder.getattr(intern!(py, "loggerMap"))?.call_method0(intern!(py, "keys"))?;
    for child in children.try_iter()? {
        let child = child?;
        let parent = child.getattr(intern!(py, "parent"))?;
        if parent.getattr(intern!(py, "name"))?.get_item(&head)?.ne(&name)? {
            logger.setattr(intern!(py, "parent"), parent)?;
            child.setattr(intern!(py, "parent"), logger)?;
        }
    }
    call.none()
}

/// Forgets which levels are enabled, for each logger.
fn clear_cache<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let manager = &call.object;
    let clear = |logger: &Bound<'py, PyAny>| {
        logger.getattr(intern!(py, "_cache"))?.call_method0(intern!(py, "clear")).map(drop)
    };
    globals::locked(py, || {
        let known = manager.getattr(intern!(py, "loggerDict"))?;
        for node in known.call_method0(intern!(py, "values"))?.try_iter()? {
            let node = node?;
            if is_logger(&node)? {
                clear(&node)?;
            }
        }
        clear(&manager.getattr(intern!(py, "root"))?)
    })?;
    call.none()
}

fn init_placeholder<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let children = PyDict::new(py);
    children.set_item(call.argument(0), py.None())?;
    call.object.setattr(intern!(py, "loggerMap"), children)?;
    call.none()
}

fn append<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let children = call.object.getattr(intern!(py, "loggerMap"))?;
    if !children.contains(call.argument(0))? {
        children.set_item(call.argument(0), py.None())?;
    }
    call.none()
}
