//! Handlers of which a subclass has overridden less than how they handle a record.

use std::rc::Rc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::handler::base;
use crate::interpreter;
use crate::remembered::{Finding, Remembered};

/// What is known of a class of handlers.
struct HandlerClass {
    /// The version tag of the class when it was looked at.
    version: u32,
    /// Whether `handle`, `filter`, `acquire` and `release` are those of `logging`.
    is_usual: bool,
}

static CLASSES: Remembered<HandlerClass> = Remembered::new();

impl Finding for HandlerClass {
    fn is_abandoned(&self) -> bool {
        false
    }
}

/// Whether `handle` of `handler` is `Handler.handle`, and does what that does: the methods which it calls are
/// those of `logging` too, apart from `emit`.
pub(crate) fn has_usual_handle(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = handler.py();
    if !class_of(&handler.get_type())?.is_usual {
        return Ok(false);
    }
    let attributes = interpreter::instance_dict(handler)?;
    for method in
        [intern!(py, "handle"), intern!(py, "filter"), intern!(py, "acquire"), intern!(py, "release")]
    {
        if attributes.contains(method)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn class_of(class: &Bound<'_, PyType>) -> PyResult<Rc<HandlerClass>> {
    let version = interpreter::type_version(class);
    let known = CLASSES.find(class.as_any(), |known| version == Some(known.version));
    if let Some(known) = known {
        return Ok(known);
    }
    let py = class.py();
    let mut is_usual = true;
    for (name, qualified) in [
        ("handle", "Handler.handle"),
        ("filter", "Filterer.filter"),
        ("acquire", "Handler.acquire"),
        ("release", "Handler.release"),
        ("__getattribute__", "object.__getattribute__"),
    ] {
        // Whatever has a level and a `handle` can be among the handlers of a logger.
        let Some(method) = class.getattr_opt(PyString::intern(py, name))? else {
            is_usual = false;
            continue;
        };
        let native = interpreter::is_native_function(&method) || interpreter::is_slot(&method);
        is_usual &= native && method.getattr(intern!(py, "__qualname__"))?.eq(qualified)?;
    }
    // Looking the methods up has given the class a tag, unless the interpreter has none left.
    let version = interpreter::type_version(class).unwrap_or(0);
    Ok(CLASSES.put(class.as_any(), HandlerClass { version, is_usual }))
}

/// Runs `body` while the lock of a usual handler is held.
pub(crate) fn locked(handler: &Bound<'_, PyAny>, body: impl FnOnce() -> PyResult<()>) -> PyResult<()> {
    let py = handler.py();
    let lock = handler.getattr(intern!(py, "lock"))?;
    if lock.is_none() {
        return base::locked(handler, body);
    }
    lock.call_method0(intern!(py, "acquire"))?;
    let result = body();
    lock.call_method0(intern!(py, "release"))?;
    result
}
