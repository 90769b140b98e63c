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

#[cfg(not(Py_3_13))]
use super::instance_dict_place;
use super::new_instance;

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

/// Which attributes an instance has, as a number to be compared: in which order they were added.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Names {
    count: u8,
    order: u128,
}

impl<const N: usize> Reading<N> {
    /// The value of an attribute: a borrowed reference, or null when the instance does not have it.
    pub(crate) fn get(&self, index: usize) -> *mut ffi::PyObject {
        self.values[index]
    }
}

/// The array of an instance's values, and which names it has.
struct Storage {
    values: *const *mut ffi::PyObject,
    names: Names,
}

/// So many attributes have a place in [`Names`].
#[cfg(Py_3_11)]
const MOST_NAMES: u8 = 14;

/// The head of a dict (`cpython/dictobject.h`), the same from CPython 3.10 to 3.13.
#[cfg(not(Py_3_13))]
#[repr(C)]
struct Dict {
    head: ffi::PyObject,
    used: ffi::Py_ssize_t,
    version: u64,
    names: *const c_void,
    values: *const *mut ffi::PyObject,
}

/// The head of the values in an object of CPython 3.13 (`pycore_dict.h`); behind it stand the values, and
/// behind them one byte for each that says in which order they were added.
#[cfg(Py_3_13)]
#[repr(C)]
struct ValuesHead {
    capacity: u8,
    count: u8,
    embedded: u8,
    valid: u8,
}

/// CPython 3.13: the values lie in the object, behind its head, whether it has a dict or not.
///
/// # Safety
/// `object` is a live object.
#[cfg(Py_3_13)]
#[inline]
unsafe fn head_of_values(object: *mut ffi::PyObject) -> Option<*mut ValuesHead> {
    // SAFETY: the flag of the class says that there are values, its size where they begin.
    unsafe {
        let class = ffi::Py_TYPE(object);
        if (*class).tp_flags & INLINE_VALUES == 0 {
            return None;
        }
        let head = object.cast::<ValuesHead>().byte_offset((*class).tp_basicsize);
        ((*head).valid != 0).then_some(head)
    }
}

/// The attributes in a live object, null where there is none; `None` when it keeps them elsewhere.
///
/// # Safety
/// `object` is a live object that is not changed or freed while the slice is in use.
#[cfg(Py_3_13)]
#[inline]
pub(super) unsafe fn values_in_object<'a>(object: *mut ffi::PyObject) -> Option<&'a [*mut ffi::PyObject]> {
    // SAFETY: by the contract; the array has the capacity that the head says.
    unsafe {
        let head = head_of_values(object)?;
        Some(std::slice::from_raw_parts(first_value(head), (*head).capacity.into()))
    }
}

/// The values in a live object, their count, and how many there is room for; `None` when it keeps them elsewhere.
///
/// # Safety
/// `object` is a live object.
#[cfg(Py_3_13)]
#[inline]
pub(super) unsafe fn array_in_object(
    object: *mut ffi::PyObject,
) -> Option<(*mut *mut ffi::PyObject, *mut u8, usize)> {
    // SAFETY: by the contract.
    unsafe {
        let head = head_of_values(object)?;
        Some((first_value(head).cast_mut(), &raw mut (*head).count, (*head).capacity.into()))
    }
}

/// # Safety
/// `head` is what [`head_of_values`] gave.
#[cfg(Py_3_13)]
#[inline]
unsafe fn first_value(head: *mut ValuesHead) -> *const *mut ffi::PyObject {
    // SAFETY: the array begins at the next word.
    unsafe { head.byte_add(size_of::<usize>()).cast() }
}

/// CPython 3.13: the values lie in the object, behind its head, whether it has a dict or not.
///
/// # Safety
/// `object` is a live instance of a class for which [`has_usual_layout`] holds.
#[cfg(Py_3_13)]
unsafe fn storage(object: *mut ffi::PyObject, _names: *const c_void) -> Option<Storage> {
    // SAFETY: by the contract.
    unsafe {
        let head = head_of_values(object)?;
        let ValuesHead { capacity, count, .. } = *head;
        if count > MOST_NAMES || usize::from(capacity) < size_of::<u128>() {
            return None;
        }
        let values = first_value(head);
        let order = u128::from_le_bytes(values.add(capacity.into()).cast::<[u8; 16]>().read());
        // What stands behind the names that there are was never written.
        let order = order & !(u128::MAX << (8 * u32::from(count)));
        Some(Storage { values, names: Names { count, order } })
    }
}

/// CPython 3.11 and 3.12: a pointer before the object leads to the values or to a dict.
///
/// # Safety
/// As for CPython 3.13.
#[cfg(all(Py_3_11, not(Py_3_13)))]
unsafe fn storage(object: *mut ffi::PyObject, names: *const c_void) -> Option<Storage> {
    // SAFETY: the words before an object with a managed dict are as `pycore_object.h` has them.
    unsafe {
        let words = object.cast::<usize>();
        let third = words.sub(3).read();
        #[cfg(Py_3_12)]
        let (values, dict) = if third & 1 == 1 { (third + 1, 0) } else { (0, third) };
        #[cfg(not(Py_3_12))]
        let (values, dict) = (words.sub(4).read(), third);
        let values = if values != 0 {
            values as *const *mut ffi::PyObject
        } else {
            values_of_dict(dict as *const Dict, names)?
        };
        // The bytes before the array: the size of this part, the count, and the order backwards.
        let count = values.cast::<u8>().sub(2).read();
        if count > MOST_NAMES {
            return None;
        }
        let order = values.byte_sub(size_of::<u128>()).cast::<[u8; 16]>().read();
        // What stands before the names that there are was never written.
        let order = u128::from_le_bytes(order) & u128::MAX << (8 * u32::from(MOST_NAMES - count));
        Some(Storage { values, names: Names { count, order } })
    }
}

/// CPython 3.10: each instance has a dict, which shares its names with those of the other instances.
///
/// # Safety
/// As for CPython 3.13.
#[cfg(not(Py_3_11))]
unsafe fn storage(object: *mut ffi::PyObject, names: *const c_void) -> Option<Storage> {
    // SAFETY: the type says where the pointer to the dict stands. In a dict that shares its names they are
    // always added in the same order, so that their count says which ones there are.
    unsafe {
        let offset = (*ffi::Py_TYPE(object)).tp_dictoffset;
        let dict = object.cast::<*const Dict>().byte_offset(offset).read();
        let values = values_of_dict(dict, names)?;
        Some(Storage { values, names: Names { count: u8::try_from((*dict).used).ok()?, order: 0 } })
    }
}

/// The values of a dict that shares `names` with the other instances of its class.
///
/// # Safety
/// `dict` is a live instance dict or null.
#[cfg(not(Py_3_13))]
unsafe fn values_of_dict(dict: *const Dict, names: *const c_void) -> Option<*const *mut ffi::PyObject> {
    // SAFETY: by the contract.
    unsafe {
        (!dict.is_null() && (*dict).names == names && !(*dict).values.is_null()).then(|| (*dict).values)
    }
}

/// `Py_TPFLAGS_INLINE_VALUES` and `Py_TPFLAGS_MANAGED_DICT` (`object.h`).
const INLINE_VALUES: std::ffi::c_ulong = 1 << 2;
pub(super) const MANAGED_DICT: std::ffi::c_ulong = 1 << 4;

/// Whether instances of `class` keep their attributes as the functions above expect.
pub(super) fn has_usual_layout(class: &Bound<'_, PyType>) -> bool {
    // SAFETY: a live type object.
    let (flags, size, offset) = unsafe {
        let class = class.as_ptr().cast::<ffi::PyTypeObject>();
        ((*class).tp_flags, (*class).tp_basicsize, (*class).tp_dictoffset)
    };
    if cfg!(Py_3_13) {
        flags & INLINE_VALUES != 0 && usize::try_from(size) == Ok(size_of::<ffi::PyObject>())
    } else if cfg!(Py_3_11) {
        flags & MANAGED_DICT != 0
    } else {
        offset > 0
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
                && storage(object, self.shared_names).is_some_and(|Storage { values, names }| {
                    names == self.names
                        && self
                            .attributes
                            .iter()
                            .all(|&(index, value)| values.add(index.into()).read() == value)
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

/// The table of names that the dicts of all instances share.
#[cfg(not(Py_3_11))]
fn shared_names(probe: &Bound<'_, PyAny>) -> *const c_void {
    // SAFETY: a live instance that has attributes, so that it has a dict.
    unsafe {
        let place = instance_dict_place(probe.as_ptr());
        if place.is_null() { std::ptr::null() } else { (*place.read().cast::<Dict>()).names }
    }
}

/// The table of names that the dicts of all instances share.
#[cfg(all(Py_3_11, not(Py_3_13)))]
fn shared_names(probe: &Bound<'_, PyAny>) -> *const c_void {
    // A second instance gets a dict: the first one shall keep its values where it has them.
    let class = probe.get_type();
    let Ok(other) = new_instance(&class) else { return std::ptr::null() };
    // SAFETY: asks a live instance for its dict, which it keeps alive.
    unsafe {
        let place = instance_dict_place(other.as_ptr());
        if place.is_null() || place.read().is_null() {
            return std::ptr::null();
        }
        (*place.read().cast::<Dict>()).names
    }
}

/// CPython 3.13 finds the values without the table.
#[cfg(Py_3_13)]
fn shared_names(_probe: &Bound<'_, PyAny>) -> *const c_void {
    std::ptr::null()
}
