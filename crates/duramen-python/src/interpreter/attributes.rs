//! Attributes of plain instances, read from where the interpreter keeps them.
//!
//! Asking an object for its `__dict__` makes a dict, after which each attribute costs more for everybody,
//! and looking names up costs more than all else in a call of a disabled level. An instance of a class
//! without slots has an array of values, in which each name has the same place in all instances. Where a
//! name's place is, is learned from an instance made for that purpose, and tried out on it: an interpreter
//! that keeps its attributes otherwise is found out there, and the documented way is taken.

use std::ffi::c_void;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyType};

use super::new_instance;
use super::storage::{Names, Storage, has_usual_layout, mask, shared_names, storage, values_with};

/// Where the instances of one class have the attributes of which the names were given.
#[derive(Clone, Copy)]
pub(crate) struct Places<const N: usize> {
    indices: [u8; N],
    /// The table of names that all instances share, for instances whose attributes are in a dict.
    names: *const c_void,
}

/// The attributes of one instance at one moment.
pub(crate) struct Reading<const N: usize> {
    values: [*mut ffi::PyObject; N],
    /// Changes when an attribute is added or deleted.
    pub(crate) names: Names,
}

impl<const N: usize> Reading<N> {
    /// The value of an attribute: a borrowed reference, or null when the instance does not have it.
    pub(crate) fn get(&self, index: usize) -> *mut ffi::PyObject {
        self.values[index]
    }
}

impl<const N: usize> Places<N> {
    /// Learns the places of `names` in instances of `class`; `None` where they cannot be relied on.
    pub(crate) fn learn(class: &Bound<'_, PyType>, names: [&str; N]) -> PyResult<Option<Self>> {
        if cfg!(not(target_pointer_width = "64")) || cfg!(target_endian = "big") || !has_usual_layout(class) {
            return Ok(None);
        }
        let py = class.py();
        let probe = new_instance(class)?;
        let mut given = Vec::new();
        for name in names {
            let value = PyList::empty(py).into_any();
            set(&probe, &PyString::intern(py, name), &value)?;
            given.push(value);
        }
        let Some(places) = Self::of_probe(&probe, &given) else { return Ok(None) };
        Ok(places.is_right_for(&probe, names, &given)?.then_some(places))
    }

    /// Reads the places from the order in which the attributes of `probe` were added.
    fn of_probe(probe: &Bound<'_, PyAny>, given: &[Bound<'_, PyAny>]) -> Option<Self> {
        let names = shared_names(probe);
        // SAFETY: a live instance whose layout was looked at.
        let Storage { values, names: Names { count, order } } = unsafe { storage(probe.as_ptr(), names) }?;
        if usize::from(count) != N {
            return None;
        }
        let order = order.to_le_bytes();
        let mut places = Self { indices: [0; N], names };
        for (number, value) in given.iter().enumerate() {
            let index = if cfg!(Py_3_13) {
                order[number]
            } else if cfg!(Py_3_11) {
                order[13 - number]
            } else {
                u8::try_from(number).ok()?
            };
            // SAFETY: the interpreter's own order says that this place holds a value.
            if unsafe { values.add(index.into()).read() } != value.as_ptr() {
                return None;
            }
            places.indices[number] = index;
        }
        Some(places)
    }

    /// Whether changes of an instance are seen: of a value, by an added and by a deleted attribute.
    fn is_right_for(
        &self,
        probe: &Bound<'_, PyAny>,
        names: [&str; N],
        given: &[Bound<'_, PyAny>],
    ) -> PyResult<bool> {
        let py = probe.py();
        // SAFETY: `probe` is a live instance of the class that was learned.
        let read = || unsafe { self.read(probe.as_ptr()) };
        let Some(before) = read() else { return Ok(false) };
        let other = PyList::empty(py).into_any();
        set(probe, &PyString::intern(py, names[0]), &other)?;
        let changed = read().is_some_and(|now| {
            now.get(0) == other.as_ptr()
                && now.names == before.names
                && given.iter().enumerate().skip(1).all(|(index, value)| now.get(index) == value.as_ptr())
        });
        set(probe, &PyString::intern(py, names[N - 1]), py.None().bind(py))?;
        let with_none = read().is_some_and(|now| now.get(N - 1) == py.None().as_ptr());
        Ok(changed && with_none && (cfg!(not(Py_3_11)) || self.sees_deletion(probe, names, before.names)?))
    }

    /// Whether a deleted attribute is seen. Not to be tried on CPython 3.10, where a deletion ends the
    /// sharing of names for this instance, which is then not read any more, and for all later ones.
    fn sees_deletion(&self, probe: &Bound<'_, PyAny>, names: [&str; N], before: Names) -> PyResult<bool> {
        probe.delattr(names[N - 1])?;
        // SAFETY: `probe` is a live instance of the class that was learned.
        let now = unsafe { self.read(probe.as_ptr()) };
        Ok(now.is_none_or(|now| now.get(N - 1).is_null() && now.names != before))
    }

    /// Reads the attributes; `None` when this instance keeps them otherwise.
    ///
    /// # Safety
    /// `object` is a live instance of exactly the class that was learned, and the thread is attached.
    pub(crate) unsafe fn read(&self, object: *mut ffi::PyObject) -> Option<Reading<N>> {
        // SAFETY: by the contract; the learned indices lie within the array of every instance.
        unsafe {
            let Storage { values, names } = storage(object, self.names)?;
            let values = self.indices.map(|index| values.add(index.into()).read());
            Some(Reading { values, names })
        }
    }
}

/// Some attributes of an instance as they were, to be compared with those that it has now.
#[derive(Clone, Copy)]
pub(crate) struct Kept<const N: usize> {
    class: *mut ffi::PyTypeObject,
    class_version: u32,
    names: Names,
    mask: u128,
    shared_names: *const c_void,
    attributes: [(u8, *mut ffi::PyObject); N],
}

impl<const N: usize> Places<N> {
    /// Keeps the attributes with these numbers of `object`, of which `reading` has just been made.
    ///
    /// # Safety
    /// As for [`Places::read`].
    pub(crate) unsafe fn keep<const M: usize>(
        &self,
        object: *mut ffi::PyObject,
        reading: &Reading<N>,
        numbers: [usize; M],
    ) -> Kept<M> {
        // SAFETY: a live object.
        let (class, class_version) = unsafe {
            let class = ffi::Py_TYPE(object);
            (class, (*class).tp_version_tag)
        };
        Kept {
            class,
            class_version,
            names: reading.names,
            mask: mask(reading.names.count),
            shared_names: self.names,
            attributes: numbers.map(|number| (self.indices[number], reading.values[number])),
        }
    }
}

impl<const N: usize> Kept<N> {
    /// The attribute at this place, as it was.
    pub(crate) fn get(&self, place: usize) -> *mut ffi::PyObject {
        self.attributes[place].1
    }

    /// Whether `object` is of the same class, which nobody has changed, has the same names and these attributes.
    ///
    /// # Safety
    /// `object` is live and the thread is attached.
    #[inline]
    pub(crate) unsafe fn holds(&self, object: *mut ffi::PyObject) -> bool {
        // SAFETY: by the contract; of the class that was learned, the object keeps its attributes as it did.
        unsafe {
            let class = ffi::Py_TYPE(object);
            class == self.class
                && (*class).tp_version_tag == self.class_version
                && values_with(object, self.shared_names, &self.names, self.mask).is_some_and(|values| {
                    self.attributes.iter().all(|&(index, value)| values.add(index.into()).read() == value)
                })
        }
    }
}

/// Sets an attribute as `object.__setattr__` does.
pub(crate) fn set(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    // SAFETY: live objects; a failure leaves an exception.
    let result = unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value.as_ptr()) };
    if result < 0 { Err(PyErr::fetch(object.py())) } else { Ok(()) }
}
