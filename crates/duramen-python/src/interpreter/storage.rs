//! Where the interpreter keeps the attributes of plain instances, by its version.
//!
//! An instance of a class without slots has an array of values, in which each name has the same place in all instances,
//! and beside it the order in which they were added.

use std::ffi::c_void;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

#[cfg(not(Py_3_13))]
use super::instance_dict_place;
#[cfg(all(Py_3_11, not(Py_3_13)))]
use super::new_instance;

/// Which attributes an instance has, as a number to be compared: in which order they were added.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Names {
    pub(super) count: u8,
    pub(super) order: u128,
}

/// The array of an instance's values, and which names it has.
pub(super) struct Storage {
    pub(super) values: *const *mut ffi::PyObject,
    pub(super) names: Names,
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
#[repr(C, align(4))]
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

/// CPython 3.13: where an object has its values, and how many there are and are at most.
#[cfg(Py_3_13)]
#[derive(Clone, Copy)]
pub(super) struct ValuesPlace {
    offset: isize,
    /// All of [`ValuesHead`].
    head: u32,
}

#[cfg(Py_3_13)]
impl ValuesPlace {
    /// The place of a live object's values; `None` when it keeps them elsewhere.
    ///
    /// # Safety
    /// `object` is a live object.
    pub(super) unsafe fn of(object: *mut ffi::PyObject) -> Option<Self> {
        // SAFETY: by the contract; the head stands at the beginning of a word.
        unsafe {
            let head = head_of_values(object)?.cast::<u32>();
            Some(Self { offset: head.byte_offset_from(object), head: head.read() })
        }
    }

    /// The values of `object`, if it still has them there, and as many.
    ///
    /// # Safety
    /// `object` is a live object of the class, in the same version, for an instance of which the place was found.
    #[inline]
    pub(super) unsafe fn values(self, object: *mut ffi::PyObject) -> Option<*const *mut ffi::PyObject> {
        // SAFETY: all instances of a class have the head in the same place, and the head says that it was not left.
        unsafe {
            let head = object.byte_offset(self.offset).cast::<u32>();
            (head.read() == self.head).then(|| first_value(head.cast()))
        }
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
pub(super) unsafe fn storage(object: *mut ffi::PyObject, _names: *const c_void) -> Option<Storage> {
    // SAFETY: by the contract.
    unsafe {
        let head = head_of_values(object)?;
        let ValuesHead { capacity, count, .. } = *head;
        if count > MOST_NAMES || usize::from(capacity) < size_of::<u128>() {
            return None;
        }
        let values = first_value(head);
        let order = u128::from_le_bytes(values.add(capacity.into()).cast::<[u8; 16]>().read());
        Some(Storage { values, names: Names { count, order: order & mask(count) } })
    }
}

/// The bytes in which the order of so many names stands; behind them nothing was ever written.
#[cfg(Py_3_13)]
#[inline]
pub(super) fn mask(count: u8) -> u128 {
    static MASKS: [u128; MOST_NAMES as usize + 1] = {
        let mut masks = [0; MOST_NAMES as usize + 1];
        let mut count = 1;
        while count < masks.len() {
            masks[count] = masks[count - 1] << 8 | 0xFF;
            count += 1;
        }
        masks
    };
    MASKS[usize::from(count)]
}

/// The values of an instance that has exactly these names, of which `mask` is the mask.
///
/// # Safety
/// As for [`storage`].
#[cfg(Py_3_13)]
#[inline]
pub(super) unsafe fn values_with(
    object: *mut ffi::PyObject,
    _shared: *const c_void,
    names: &Names,
    mask: u128,
) -> Option<*const *mut ffi::PyObject> {
    // SAFETY: by the contract.
    unsafe {
        let head = head_of_values(object)?;
        let ValuesHead { capacity, count, .. } = *head;
        if count != names.count || usize::from(capacity) < size_of::<u128>() {
            return None;
        }
        let values = first_value(head);
        let order = u128::from_le_bytes(values.add(capacity.into()).cast::<[u8; 16]>().read());
        (order & mask == names.order).then_some(values)
    }
}

/// CPython 3.11 and 3.12: a pointer before the object leads to the values or to a dict.
///
/// # Safety
/// As for CPython 3.13.
#[cfg(all(Py_3_11, not(Py_3_13)))]
#[inline]
unsafe fn values_of(object: *mut ffi::PyObject, names: *const c_void) -> Option<*const *mut ffi::PyObject> {
    // SAFETY: the words before an object with a managed dict are as `pycore_object.h` has them.
    unsafe {
        let words = object.cast::<usize>();
        let third = words.sub(3).read();
        #[cfg(Py_3_12)]
        let (values, dict) = if third & 1 == 1 { (third + 1, 0) } else { (0, third) };
        #[cfg(not(Py_3_12))]
        let (values, dict) = (words.sub(4).read(), third);
        if values != 0 {
            Some(values as *const *mut ffi::PyObject)
        } else {
            values_of_dict(dict as *const Dict, names)
        }
    }
}

/// The bytes before the array of values, as a number: the size of this part, the count, and the order backwards.
///
/// # Safety
/// `values` is what [`values_of`] gave.
#[cfg(all(Py_3_11, not(Py_3_13)))]
#[inline]
unsafe fn order_of(values: *const *mut ffi::PyObject) -> u128 {
    // SAFETY: by the contract.
    unsafe { u128::from_le_bytes(values.byte_sub(size_of::<u128>()).cast::<[u8; 16]>().read()) }
}

/// The bytes in which the order of so many names stands, with their count; before them nothing was ever written.
#[cfg(all(Py_3_11, not(Py_3_13)))]
#[inline]
pub(super) fn mask(count: u8) -> u128 {
    static MASKS: [u128; MOST_NAMES as usize + 1] = {
        let mut masks = [0xFFFF << (8 * MOST_NAMES); MOST_NAMES as usize + 1];
        let mut count = 1;
        while count < masks.len() {
            masks[count] = masks[count - 1] >> 8 | masks[0];
            count += 1;
        }
        masks
    };
    MASKS[usize::from(count)]
}

/// # Safety
/// As for CPython 3.13.
#[cfg(all(Py_3_11, not(Py_3_13)))]
pub(super) unsafe fn storage(object: *mut ffi::PyObject, names: *const c_void) -> Option<Storage> {
    // SAFETY: by the contract.
    unsafe {
        let values = values_of(object, names)?;
        let count = values.cast::<u8>().sub(2).read();
        if count > MOST_NAMES {
            return None;
        }
        Some(Storage { values, names: Names { count, order: order_of(values) & mask(count) } })
    }
}

/// The values of an instance that has exactly these names, of which `mask` is the mask.
///
/// # Safety
/// As for [`storage`].
#[cfg(all(Py_3_11, not(Py_3_13)))]
#[inline]
pub(super) unsafe fn values_with(
    object: *mut ffi::PyObject,
    shared: *const c_void,
    names: &Names,
    mask: u128,
) -> Option<*const *mut ffi::PyObject> {
    // SAFETY: by the contract. The order has the count in it.
    unsafe { values_of(object, shared).filter(|values| order_of(*values) & mask == names.order) }
}

/// CPython 3.10: each instance has a dict, which shares its names with those of the other instances.
///
/// # Safety
/// As for CPython 3.13.
#[cfg(not(Py_3_11))]
pub(super) unsafe fn storage(object: *mut ffi::PyObject, names: *const c_void) -> Option<Storage> {
    // SAFETY: the type says where the pointer to the dict stands. In a dict that shares its names they are
    // always added in the same order, so that their count says which ones there are.
    unsafe {
        let offset = (*ffi::Py_TYPE(object)).tp_dictoffset;
        let dict = object.cast::<*const Dict>().byte_offset(offset).read();
        let values = values_of_dict(dict, names)?;
        Some(Storage { values, names: Names { count: u8::try_from((*dict).used).ok()?, order: 0 } })
    }
}

/// The values of an instance that has exactly these names; there is no mask.
///
/// # Safety
/// As for [`storage`].
#[cfg(not(Py_3_11))]
pub(super) unsafe fn values_with(
    object: *mut ffi::PyObject,
    shared: *const c_void,
    names: &Names,
    _mask: u128,
) -> Option<*const *mut ffi::PyObject> {
    // SAFETY: by the contract.
    let storage = unsafe { storage(object, shared) };
    storage.filter(|storage| storage.names == *names).map(|storage| storage.values)
}

/// The names of an instance of CPython 3.10 are told by their count alone.
#[cfg(not(Py_3_11))]
pub(super) fn mask(_count: u8) -> u128 {
    0
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

/// Whether instances of `class`, which derives from `base`, hold in themselves what those of `base` do, and may be made
/// and ended without running anything of the class.
pub(crate) fn is_laid_out_as(class: &Bound<'_, PyType>, base: &Bound<'_, PyType>) -> bool {
    // SAFETY: live type objects.
    unsafe {
        let [class, base] = [class, base].map(|class| class.as_ptr().cast::<ffi::PyTypeObject>());
        (*class).tp_basicsize == (*base).tp_basicsize
            && (*class).tp_itemsize == (*base).tp_itemsize
            && (*class).tp_finalize.is_none()
            && (*class).tp_del.is_none()
    }
}

/// The table of names that the dicts of all instances share.
#[cfg(not(Py_3_11))]
pub(super) fn shared_names(probe: &Bound<'_, PyAny>) -> *const c_void {
    // SAFETY: a live instance that has attributes, so that it has a dict.
    unsafe {
        let place = instance_dict_place(probe.as_ptr());
        if place.is_null() { std::ptr::null() } else { (*place.read().cast::<Dict>()).names }
    }
}

/// The table of names that the dicts of all instances share.
#[cfg(all(Py_3_11, not(Py_3_13)))]
pub(super) fn shared_names(probe: &Bound<'_, PyAny>) -> *const c_void {
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
pub(super) fn shared_names(_probe: &Bound<'_, PyAny>) -> *const c_void {
    std::ptr::null()
}
