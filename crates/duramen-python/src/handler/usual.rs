//! Handlers of which a subclass has overridden less than how they handle a record.

use pyo3::prelude::*;

use crate::classes::inherited::Inherited;
use crate::handler::lock;
use crate::interpreter;
use crate::interpreter::intern;

/// Whether a class of handlers has `handle`, and what that calls apart from `emit`, from `logging`.
static HANDLE: Inherited = Inherited::new(&[
    ("handle", "Handler.handle"),
    ("filter", "Filterer.filter"),
    ("acquire", "Handler.acquire"),
    ("release", "Handler.release"),
    ("__getattribute__", "object.__getattribute__"),
]);

/// Whether `handle` of `handler` is `Handler.handle`, and does what that does: the methods which it calls are
/// those of `logging` too, apart from `emit`.
pub(crate) fn has_usual_handle(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = handler.py();
    if !HANDLE.is_in(&handler.get_type())? {
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

/// Runs `body` while the lock of a usual handler is held.
pub(crate) fn locked(handler: &Bound<'_, PyAny>, body: impl FnOnce() -> PyResult<()>) -> PyResult<()> {
    let py = handler.py();
    lock::held(&handler.getattr(intern!(py, "lock"))?, body)
}
