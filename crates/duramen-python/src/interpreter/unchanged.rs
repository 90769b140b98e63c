//! Objects that have not changed since they were looked at.

use pyo3::ffi;
use pyo3::prelude::*;

use super::instance_dict_place;

/// The class of an object, the state of that class and the content of the object's dict at one moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    class: *mut ffi::PyTypeObject,
    class_version: u32,
    dict_version: u64,
    /// How many changes of watched dicts there had been.
    changes: u64,
}

impl State {
    /// The state of `object`, an instance of a class that is written in Python. `None` when changes of it
    /// could not be told.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> Option<Self> {
        watch::begin(object)?;
        // SAFETY: a live object.
        let state = unsafe { Self::now(object.as_ptr()) };
        (state.class_version != 0 && state.dict_version != 0).then_some(state)
    }

    /// Whether class and attributes of `object` are the same as then.
    ///
    /// # Safety
    /// `object` is live and the thread is attached.
    #[inline]
    pub(crate) unsafe fn holds(&self, object: *mut ffi::PyObject) -> bool {
        // SAFETY: by the contract.
        unsafe { Self::now(object) == *self }
    }

    /// # Safety
    /// As for [`State::holds`].
    #[inline]
    unsafe fn now(object: *mut ffi::PyObject) -> Self {
        // SAFETY: by the contract; the place of a dict holds a dict or null.
        unsafe {
            let class = ffi::Py_TYPE(object);
            let place = instance_dict_place(object);
            let dict = if place.is_null() { std::ptr::null_mut() } else { place.read() };
            let dict_version = if dict.is_null() { 0 } else { super::dict_version(dict) };
            let class_version = (*class).tp_version_tag;
            Self { class, class_version, dict_version, changes: watch::changes() }
        }
    }
}

/// CPython 3.13 keeps an object's attributes in the object, and setting one there leaves the version of the
/// object's dict as it is. It does tell who watches the dict.
#[cfg(Py_3_13)]
mod watch {
    use std::ffi::c_int;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use pyo3::ffi;
    use pyo3::prelude::*;

    use super::instance_dict_place;

    /// `PyDict_WatchCallback` (`cpython/dictobject.h`).
    type Callback =
        unsafe extern "C" fn(c_int, *mut ffi::PyObject, *mut ffi::PyObject, *mut ffi::PyObject) -> c_int;

    unsafe extern "C" {
        fn PyDict_AddWatcher(callback: Callback) -> c_int;
        fn PyDict_Watch(watcher: c_int, dict: *mut ffi::PyObject) -> c_int;
    }

    static CHANGES: AtomicU64 = AtomicU64::new(0);

    static WATCHER: OnceLock<Option<c_int>> = OnceLock::new();

    unsafe extern "C" fn changed(
        _event: c_int,
        _dict: *mut ffi::PyObject,
        _key: *mut ffi::PyObject,
        _value: *mut ffi::PyObject,
    ) -> c_int {
        CHANGES.fetch_add(1, Ordering::Relaxed);
        0
    }

    pub(super) fn changes() -> u64 {
        CHANGES.load(Ordering::Relaxed)
    }

    /// Counts the changes of the object's dict from now on.
    pub(super) fn begin(object: &Bound<'_, PyAny>) -> Option<()> {
        let watcher = *WATCHER.get_or_init(|| {
            // SAFETY: the thread is attached; the function lives as long as the process.
            let watcher = unsafe { PyDict_AddWatcher(changed) };
            if watcher < 0 {
                // All places are taken: nothing is remembered then.
                drop(PyErr::take(object.py()));
            }
            (watcher >= 0).then_some(watcher)
        });
        // SAFETY: a live object and its dict.
        let result = unsafe {
            let place = instance_dict_place(object.as_ptr());
            if place.is_null() || place.read().is_null() {
                return None;
            }
            PyDict_Watch(watcher?, place.read())
        };
        if result < 0 {
            drop(PyErr::take(object.py()));
            return None;
        }
        Some(())
    }
}

/// Up to CPython 3.12 the version of the dict tells everything.
#[cfg(not(Py_3_13))]
mod watch {
    use pyo3::prelude::*;

    pub(super) fn changes() -> u64 {
        0
    }

    #[expect(clippy::unnecessary_wraps, reason = "as for CPython 3.13")]
    pub(super) fn begin(_object: &Bound<'_, PyAny>) -> Option<()> {
        Some(())
    }
}
