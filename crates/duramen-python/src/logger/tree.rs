//! `Logger` and `RootLogger` as nodes of the tree: their children, their pickles, and the root itself.

use pyo3::prelude::*;
use pyo3::types::{PySet, PyTuple};

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::handler::lineage::base;
use crate::interpreter::intern;

pub(crate) static METHODS: &[Method] = &[("getChildren", get_children), ("__reduce__", reduce)];

pub(crate) static ROOT_METHODS: &[Method] = &[("__init__", init_root), ("__reduce__", reduce_root)];

fn init_root<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    base(&call.object, intern!(py, "Logger"))?
        .call_method1(intern!(py, "__init__"), (&call.object, intern!(py, "root"), call.argument(0)))?;
    call.none()
}

/// How many loggers and placeholders stand above `logger`.
fn depth(logger: &Bound<'_, PyAny>) -> PyResult<usize> {
    let py = logger.py();
    if logger.is(&logger.getattr(intern!(py, "manager"))?.getattr(intern!(py, "root"))?) {
        return Ok(0);
    }
    let dots: usize =
        logger.getattr(intern!(py, "name"))?.call_method1(intern!(py, "count"), (".",))?.extract()?;
    Ok(1 + dots)
}

fn get_children<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let known = call.object.getattr(intern!(py, "manager"))?.getattr(intern!(py, "loggerDict"))?;
    let children = PySet::empty(py)?;
    globals::locked(py, || {
        for node in known.call_method0(intern!(py, "values"))?.try_iter()? {
            let node = node?;
            if is_child(&node, &call.object)? {
                children.add(node)?;
            }
        }
        Ok(())
    })?;
    Ok(children.into_any())
}

/// Whether `node` is a logger right below `parent`; over a placeholder the parent is further away.
fn is_child<'py>(node: &Bound<'py, PyAny>, parent: &Bound<'py, PyAny>) -> PyResult<bool> {
    let py = node.py();
    Ok(node.is_instance(&globals::get(py, intern!(py, "Logger"))?)?
        && node.getattr(intern!(py, "parent"))?.is(parent)
        && depth(node)? == 1 + depth(parent)?)
}

fn pair<'py>(function: Bound<'py, PyAny>, arguments: Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    Ok((function, arguments).into_pyobject(py)?.into_any())
}

fn reduce<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let get_logger = globals::get(py, intern!(py, "getLogger"))?;
    let name = call.object.getattr(intern!(py, "name"))?;
    if !get_logger.call1((&name,))?.is(&call.object) {
        let error = py.import(intern!(py, "pickle"))?.getattr(intern!(py, "PicklingError"))?;
        return Err(PyErr::from_value(error.call1(("logger cannot be pickled",))?));
    }
    pair(get_logger, PyTuple::new(py, [name])?)
}

fn reduce_root<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    pair(globals::get(py, intern!(py, "getLogger"))?, PyTuple::empty(py))
}
