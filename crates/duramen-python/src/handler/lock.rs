//! A handler's lock, taken only where somebody could notice.
//!
//! While a thread holds the interpreter's lock from before it looks at a free handler lock until after its
//! write, no other thread can come between: taking the handler's lock as well would change nothing. A lock
//! that is held, or that is no `_thread.RLock`, is taken as any other caller takes it.

use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::classes::globals;
use crate::interpreter::{self, Marks, intern};

/// The class of `threading.RLock()`, its words that are zero while it is free, and its methods, which nobody can replace:
/// the class is immutable.
struct Layout {
    class: usize,
    held: Marks,
    acquire: Py<PyAny>,
    release: Py<PyAny>,
}

static LAYOUT: OnceLock<Option<Layout>> = OnceLock::new();

fn learn(py: Python<'_>) -> PyResult<Option<Layout>> {
    let class = py.import(intern!(py, "_thread"))?.getattr(intern!(py, "RLock"))?;
    let (free, released, held) = (class.call0()?, class.call0()?, class.call0()?);
    for lock in [&released, &held] {
        lock.call_method0(intern!(py, "acquire"))?;
    }
    released.call_method0(intern!(py, "release"))?;
    let (address, locks) = (class.as_ptr() as usize, [free, released]);
    let marks = Marks::zero_only_in(&locks, std::slice::from_ref(&held));
    held.call_method0(intern!(py, "release"))?;
    // The owner and how often it holds the lock.
    if marks.count() < 2 {
        return Ok(None);
    }
    let [acquire, release] = [intern!(py, "acquire"), intern!(py, "release")].map(|name| class.getattr(name));
    Ok(Some(Layout { class: address, held: marks, acquire: acquire?.unbind(), release: release?.unbind() }))
}

/// What is known of the class, once it has been learned.
fn layout(py: Python<'_>) -> Option<&'static Layout> {
    if LAYOUT.get().is_none() {
        let learned = learn(py).unwrap_or(None);
        LAYOUT.get_or_init(|| learned);
    }
    LAYOUT.get().and_then(Option::as_ref)
}

/// Whether `lock` is a free `_thread.RLock`.
pub(crate) fn is_free(lock: &Bound<'_, PyAny>) -> bool {
    // It has been learned then.
    let _ = layout(lock.py());
    // SAFETY: a live lock.
    unsafe { is_free_at(lock.as_ptr()) }
}

/// The same, if it has been learned how to tell.
///
/// # Safety
/// `lock` is a live object and the thread is attached.
#[inline]
pub(crate) unsafe fn is_free_at(lock: *mut ffi::PyObject) -> bool {
    // SAFETY: of the class that was learned.
    LAYOUT.get().and_then(Option::as_ref).is_some_and(|layout| unsafe {
        ffi::Py_TYPE(lock) as usize == layout.class && layout.held.are_zero(lock)
    })
}

/// Whether the calling thread holds `lock`, where the lock can tell.
pub(crate) fn is_owned(lock: &Bound<'_, PyAny>) -> bool {
    let owned = lock.call_method0(intern!(lock.py(), "_is_owned"));
    owned.and_then(|owned| owned.is_truthy()).unwrap_or(false)
}

/// Runs `body` while `lock` is held, as `Handler.handle` does it where `acquire` and `release` are its own.
pub(crate) fn held(lock: &Bound<'_, PyAny>, body: impl FnOnce() -> PyResult<()>) -> PyResult<()> {
    let py = lock.py();
    if let Some(layout) = layout(py).filter(|layout| lock.get_type_ptr() as usize == layout.class) {
        interpreter::call_python(layout.acquire.bind(py), &[lock])?;
        let result = body();
        layout.release.bind(py).call1((lock,))?;
        return result;
    }
    if globals::python_minor(py) >= 13 {
        return interpreter::with(lock, body);
    }
    if !lock.is_truthy()? {
        return body();
    }
    interpreter::call_method(lock, intern!(py, "acquire"), &[])?;
    let result = body();
    lock.call_method0(intern!(py, "release"))?;
    result
}
