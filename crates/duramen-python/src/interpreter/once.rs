//! Objects that are made at their first use and kept.

use std::convert::Infallible;

use pyo3::prelude::*;
use pyo3::types::PyType;

use super::Attached;

/// A value that is made at its first use.
///
/// Nobody waits for it: two threads that come at once may both make one, of which the first stays. PyO3's own cells
/// have the second thread wait, and let go of the interpreter meanwhile: a process that is forked in this moment has a
/// cell that nobody will ever fill.
pub(crate) struct Once<T>(Attached<Option<T>>);

impl<T> Once<T> {
    pub(crate) const fn new() -> Self {
        Self(Attached::new(None))
    }

    pub(crate) fn get(&self, _py: Python<'_>) -> Option<&T> {
        // SAFETY: attached, as the token shows; what is there is never replaced.
        unsafe { (*self.0.get()).as_ref() }
    }

    pub(crate) fn get_or_init(&self, py: Python<'_>, make: impl FnOnce() -> T) -> &T {
        let Ok(value) = self.get_or_try_init(py, || Ok::<T, Infallible>(make()));
        value
    }

    pub(crate) fn get_or_try_init<E>(
        &self,
        py: Python<'_>,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<&T, E> {
        if let Some(value) = self.get(py) {
            return Ok(value);
        }
        let value = make()?;
        if let Some(earlier) = self.get(py) {
            return Ok(earlier);
        }
        // SAFETY: attached; nothing runs while the reference lives, and nobody has one to a place that is empty.
        Ok(unsafe { (*self.0.get()).insert(value) })
    }
}

impl Once<Py<PyType>> {
    /// The class `name` of `module`.
    pub(crate) fn import<'py>(
        &self,
        py: Python<'py>,
        module: &str,
        name: &str,
    ) -> PyResult<&Bound<'py, PyType>> {
        let class = self.get_or_try_init(py, || {
            py.import(module)?.getattr(name)?.cast_into::<PyType>().map(Bound::unbind).map_err(PyErr::from)
        });
        class.map(|class| class.bind(py))
    }
}

/// A text that is made once and kept, as PyO3's macro of this name gives it.
macro_rules! intern {
    ($py:expr, $text:expr) => {{
        static INTERNED: $crate::interpreter::Once<pyo3::Py<pyo3::types::PyString>> =
            $crate::interpreter::Once::new();
        let py: pyo3::Python<'_> = $py;
        INTERNED.get_or_init(py, || pyo3::types::PyString::intern(py, $text).unbind()).bind(py)
    }};
}
pub(crate) use intern;
