//! The base class whose method an object's method goes on to, and the other steps that constructors share.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::classes;
use crate::classes::globals;
use crate::interpreter::intern;

/// The class called `name` that a method of `object` names as its base.
///
/// It is the global of that name. Where `object` does not derive from that one, since it was made by the
/// other run of the interpreter's modules or since the class is of `logging.handlers`, it is the class
/// with native methods that `object` does derive from.
pub(crate) fn base<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    let global = globals::owner(object.py()).get_item(name)?;
    if let Some(class) = &global
        && object.is_instance(class)?
    {
        return Ok(class.clone());
    }
    for class in object.get_type().mro() {
        if classes::known_class(&class).is_some_and(|known| name == known.name) {
            return Ok(class);
        }
    }
    match global {
        Some(class) => Ok(class),
        None => globals::get(object.py(), name),
    }
}

/// `Class.method(object)` for the base class called `class`.
pub(crate) fn call_base<'py>(
    object: &Bound<'py, PyAny>,
    class: &Bound<'py, PyString>,
    method: &Bound<'py, PyString>,
) -> PyResult<()> {
    base(object, class)?.call_method1(method, (object,)).map(drop)
}

/// What a constructor of a file handler passes on.
pub(crate) struct FileArguments<'a, 'py> {
    pub(crate) path: Borrowed<'a, 'py, PyAny>,
    pub(crate) mode: Bound<'py, PyAny>,
    pub(crate) encoding: Bound<'py, PyAny>,
    pub(crate) delay: Borrowed<'a, 'py, PyAny>,
    pub(crate) errors: Borrowed<'a, 'py, PyAny>,
}

impl<'py> FileArguments<'_, 'py> {
    /// `FileHandler.__init__`.
    pub(crate) fn init_file_handler(&self, handler: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = handler.py();
        let keywords = self.keywords(py)?;
        keywords.set_item(intern!(py, "mode"), &self.mode)?;
        base(handler, intern!(py, "FileHandler"))?
            .call_method(intern!(py, "__init__"), (handler, self.path), Some(&keywords))
            .map(drop)
    }

    /// `BaseRotatingHandler.__init__`.
    pub(crate) fn init_rotating_handler(&self, handler: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = handler.py();
        base(handler, intern!(py, "BaseRotatingHandler"))?
            .call_method(intern!(py, "__init__"), (handler, self.path, &self.mode), Some(&self.keywords(py)?))
            .map(drop)
    }

    fn keywords(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "encoding"), &self.encoding)?;
        keywords.set_item(intern!(py, "delay"), self.delay)?;
        keywords.set_item(intern!(py, "errors"), self.errors)?;
        Ok(keywords)
    }
}

/// The encoding of a file that is opened in `mode`: one that was left out is the locale's, of which the
/// caller is warned where the interpreter was asked to; binary files have none.
pub(crate) fn text_encoding<'py>(
    mode: &Bound<'py, PyAny>,
    encoding: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if mode.contains("b")? { Ok(encoding.clone()) } else { locale_encoding(encoding) }
}

/// As [`text_encoding`] for a file that is always text.
pub(crate) fn locale_encoding<'py>(encoding: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = encoding.py();
    // A native constructor has no frame of its own: the calling one, at level 1, is warned.
    globals::get(py, intern!(py, "io"))?.call_method1(intern!(py, "text_encoding"), (encoding, 1))
}

/// The result of a `try` block with a `finally` block: the latter always runs and its error wins.
pub(crate) fn finally<T>(result: PyResult<T>, last: impl FnOnce() -> PyResult<()>) -> PyResult<T> {
    last().and(result)
}
