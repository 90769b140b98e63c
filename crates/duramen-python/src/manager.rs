//! `Manager` and `PlaceHolder`: the tree of loggers.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySlice, PyString};

use crate::globals;
use crate::native_method::{Call, Method};

pub(crate) static PLACEHOLDER_METHODS: &[Method] = &[("append", append)];

pub(crate) static METHODS: &[Method] = &[
    ("getLogger", get_logger),
    ("_fixupParents", fixup_parents),
    ("_fixupChildren", fixup_children),
    ("_clear_cache", clear_cache),
];

fn append<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let children = call.object.getattr(intern!(py, "loggerMap"))?;
    if !children.contains(call.argument(0))? {
        children.set_item(call.argument(0), py.None())?;
    }
    call.none()
}

fn is_placeholder(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    object.is_instance(&globals::get(object.py(), intern!(object.py(), "PlaceHolder"))?)
}

fn is_logger(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    object.is_instance(&globals::get(object.py(), intern!(object.py(), "Logger"))?)
}

fn get_logger<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let name = call.argument(0);
    if !name.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("A logger name must be a string"));
    }
    globals::locked(call.py(), || find_or_make(&call.object, &name))
}

fn find_or_make<'py>(manager: &Bound<'py, PyAny>, name: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = manager.py();
    let loggers = manager.getattr(intern!(py, "loggerDict"))?;
    let found = if loggers.contains(name)? { Some(loggers.get_item(name)?) } else { None };
    let placeholder = match found {
        Some(found) if is_placeholder(&found)? => Some(found),
        Some(found) => return Ok(found),
        None => None,
    };
    let own_class = manager.getattr(intern!(py, "loggerClass"))?;
    let class =
        if own_class.is_truthy()? { own_class } else { globals::get(py, intern!(py, "_loggerClass"))? };
    let logger = class.call1((name,))?;
    logger.setattr(intern!(py, "manager"), manager)?;
    loggers.set_item(name, &logger)?;
    if let Some(placeholder) = placeholder {
        manager.call_method1(intern!(py, "_fixupChildren"), (placeholder, &logger))?;
    }
    manager.call_method1(intern!(py, "_fixupParents"), (&logger,))?;
    Ok(logger)
}

/// Sets the parent of a new logger: the nearest one above it that exists. What does not exist on the way
/// becomes a placeholder that remembers the logger.
fn fixup_parents<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (manager, logger) = (&call.object, call.argument(0));
    let loggers = manager.getattr(intern!(py, "loggerDict"))?;
    let name = logger.getattr(intern!(py, "name"))?;
    let last_dot = |end: isize| name.call_method1(intern!(py, "rfind"), (".", 0, end))?.extract::<isize>();
    let mut dot = last_dot(isize::MAX)?;
    let mut parent = None;
    while dot > 0 && parent.is_none() {
        let above = name.get_item(PySlice::new(py, 0, dot, 1))?;
        if loggers.contains(&above)? {
            let found = loggers.get_item(&above)?;
            if is_logger(&found)? {
                parent = Some(found);
            } else {
                found.call_method1(intern!(py, "append"), (logger,))?;
            }
        } else {
            let placeholder = globals::get(py, intern!(py, "PlaceHolder"))?.call1((logger,))?;
            loggers.set_item(&above, placeholder)?;
        }
        // As CPython has it: of two dots in a row, the first does not end a name.
        dot = last_dot(dot - 1)?;
    }
    let parent = match parent {
        Some(parent) => parent,
        None => manager.getattr(intern!(py, "root"))?,
    };
    logger.setattr(intern!(py, "parent"), parent)?;
    call.none()
}

/// Puts a new logger between the loggers that its placeholder remembers and their parents.
fn fixup_children<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (placeholder, logger) = (call.argument(0), call.argument(1));
    let name = logger.getattr(intern!(py, "name"))?;
    for child in
        placeholder.getattr(intern!(py, "loggerMap"))?.call_method0(intern!(py, "keys"))?.try_iter()?
    {
        let child = child?;
        let parent = child.getattr(intern!(py, "parent"))?;
        let parents_name = parent.getattr(intern!(py, "name"))?;
        if !parents_name.call_method1(intern!(py, "startswith"), (&name,))?.is_truthy()? {
            logger.setattr(intern!(py, "parent"), parent)?;
            child.setattr(intern!(py, "parent"), logger)?;
        }
    }
    call.none()
}

/// Every logger forgets which levels it is enabled for.
fn clear_cache<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let forget = |logger: &Bound<'py, PyAny>| {
        logger.getattr(intern!(py, "_cache"))?.call_method0(intern!(py, "clear")).map(drop)
    };
    globals::locked(py, || {
        let loggers = call.object.getattr(intern!(py, "loggerDict"))?.cast_into::<PyDict>()?;
        for logger in loggers.values() {
            if is_logger(&logger)? {
                forget(&logger)?;
            }
        }
        forget(&call.object.getattr(intern!(py, "root"))?)
    })?;
    call.none()
}
