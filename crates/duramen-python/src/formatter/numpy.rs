//! Scalars of numpy, as values that JSON has a rule for. Numpy is never imported: who has none of it has none of them.

use pyo3::prelude::*;
use pyo3::types::PyFloat;

use crate::interpreter::intern;

/// What stands for `value`; `None` when it is no scalar of numpy's, or when its text is what is written.
pub(crate) fn simpler<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = value.py();
    let modules = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
    let numpy = modules.call_method1(intern!(py, "get"), (intern!(py, "numpy"),))?;
    // A part of it may be there while it is imported.
    let is = |class| {
        let class = numpy.getattr_opt(class)?;
        class.map_or(Ok(false), |class| value.is_instance(&class))
    };
    if !is(intern!(py, "generic"))? {
        return Ok(None);
    }
    if is(intern!(py, "datetime64"))? || is(intern!(py, "timedelta64"))? {
        // `item()` is a number without its unit where Python's own classes have no such unit.
        let is_none = numpy.call_method1(intern!(py, "isnat"), (value,))?.is_truthy()?;
        return Ok(is_none.then(|| py.None().into_bound(py)));
    }
    let item = value.call_method0(intern!(py, "item"))?;
    if !item.get_type().is(value.get_type()) {
        return Ok(Some(item));
    }
    // Wider than any of Python's own: the nearest number, if there is one.
    if !is(intern!(py, "floating"))? {
        return Ok(None);
    }
    let nearest = value.call_method0(intern!(py, "__float__"))?.cast_into::<PyFloat>()?;
    let is_beyond = nearest.value().is_infinite() && value.ne(&nearest)?;
    Ok((!is_beyond).then(|| nearest.into_any()))
}
