//! Handlers of which a subclass has overridden less than how they handle a record.

use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList, PyType};

use crate::classes;
use crate::classes::inherited::Inherited;
use crate::classes::readable::{Readable, Usual};
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

/// Handlers of which this is so, and no instance has such a method itself.
static HANDLERS: Readable<4, ()> =
    Readable::new(["level", "filters", "lock", "formatter"], &["handle", "filter", "acquire", "release"]);

/// What decides how a handler handles a record.
pub(crate) struct Own<'py> {
    pub(crate) level: i64,
    pub(crate) filters: Bound<'py, PyList>,
    pub(crate) lock: Bound<'py, PyAny>,
}

/// The attributes of `handler`, if it is known to have the usual `handle`, and they are of the usual kinds.
pub(crate) fn own_of<'py>(handler: &Bound<'py, PyAny>) -> Option<Own<'py>> {
    let py = handler.py();
    // SAFETY: a live object, which holds what is read; nothing has run since.
    let [level, filters, lock] = unsafe {
        let (reading, ()) = HANDLERS.read(handler.as_ptr())?;
        [0, 1, 2].map(|index| Bound::from_borrowed_ptr(py, reading.get(index)))
    };
    Some(Own {
        level: level.cast_exact::<PyInt>().ok()?.extract().ok()?,
        filters: filters.cast_into_exact().ok()?,
        lock,
    })
}

/// The formatter of `handler`.
pub(crate) fn formatter_of<'py>(handler: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = handler.py();
    // SAFETY: a live object, which holds what is read; nothing has run since.
    let known = unsafe {
        HANDLERS.read(handler.as_ptr()).map(|(reading, ())| Bound::from_borrowed_ptr(py, reading.get(3)))
    };
    known.map_or_else(|| handler.getattr(intern!(py, "formatter")), Ok)
}

/// The class of `logging` that a class of handlers derives from; `None` for one of `logging`, whose handlers have plans.
fn base_of<'py>(class: &Bound<'py, PyType>) -> PyResult<Usual<'py, ()>> {
    if classes::known_class(class).is_some() {
        return Ok(None);
    }
    let mut bases = class.mro().into_iter();
    let base = bases.find(|base| classes::known_class(base).is_some_and(|known| known.name == "Handler"));
    Ok(base.map(Bound::cast_into).transpose()?.map(|base| (base, ())))
}

/// Whether `handle` of `handler` is `Handler.handle`, and does what that does: the methods which it calls are
/// those of `logging` too, apart from `emit`.
pub(crate) fn has_usual_handle(handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = handler.py();
    if !HANDLE.is_in(&handler.get_type())? {
        return Ok(false);
    }
    if HANDLERS.learn(handler, base_of)? {
        return Ok(true);
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
