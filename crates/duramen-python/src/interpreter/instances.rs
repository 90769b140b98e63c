//! Plain instances of a class, made with all their attributes at once and read where the interpreter keeps them.
//!
//! From CPython 3.11 on an instance of a class without slots has an array of values before it has a dict. Setting some
//! twenty attributes one by one, or making a dict of them, costs several times what filling the array does. Where each
//! name has its place is learned from an instance made for that purpose, and tried out on another one: an interpreter
//! that keeps its attributes otherwise is found out there.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyType, PyWeakrefReference};

use super::attributes::set;
use super::storage::has_usual_layout;
use super::{instance_dict, new_instance};

/// Where the instances of a class have the attributes of `N` names.
pub(crate) struct Shape<const N: usize> {
    indices: [u8; N],
    /// A bit for each index that is one of these.
    known: u64,
    /// Each name has the place of its number.
    is_in_order: bool,
}

/// The attributes of an instance at one moment, as borrowed references; null for one that it does not have.
pub(crate) struct Contents<const N: usize> {
    pub(crate) values: [*mut ffi::PyObject; N],
    /// A bit for the place of each further attribute. A place belongs to the same name as long as the class lives.
    pub(crate) others: u64,
}

/// The array of an instance's values, with how many there are and in which order they were added.
struct Array {
    values: *mut *mut ffi::PyObject,
    count: *mut u8,
    /// The place of the first one in the order; the others follow, `STEP` bytes from each other.
    order: *mut u8,
}

/// As many places as the interpreter's shared tables of names have, and more.
#[cfg(Py_3_11)]
const MOST_PLACES: u8 = 64;

const STEP: isize = if cfg!(Py_3_13) { 1 } else { -1 };

impl Array {
    /// The array of an instance that has one.
    ///
    /// # Safety
    /// `object` is a live instance of a class for which [`has_usual_layout`] holds.
    #[cfg(Py_3_13)]
    #[inline]
    unsafe fn of(object: *mut ffi::PyObject) -> Option<Self> {
        // SAFETY: by the contract; the order stands behind the values (`pycore_dict.h`).
        unsafe {
            let (values, count, capacity) = super::storage::array_in_object(object)?;
            (count.read() <= MOST_PLACES).then_some(Self {
                values,
                count,
                order: values.add(capacity).cast(),
            })
        }
    }

    /// # Safety
    /// As for CPython 3.13.
    #[cfg(all(Py_3_11, not(Py_3_13)))]
    #[inline]
    unsafe fn of(object: *mut ffi::PyObject) -> Option<Self> {
        // SAFETY: the words before an object with a managed dict are as `pycore_object.h` has them: CPython 3.12 marks
        // a pointer to values by its lowest bit, CPython 3.11 has a word for it. The count and the order stand before
        // the values (`pycore_dict.h`).
        unsafe {
            let words = object.cast::<usize>();
            #[cfg(Py_3_12)]
            let values = match words.sub(3).read() {
                tagged if tagged & 1 == 1 => tagged + 1,
                _ => 0,
            };
            #[cfg(not(Py_3_12))]
            let values = words.sub(4).read();
            if values == 0 {
                return None;
            }
            let values = values as *mut *mut ffi::PyObject;
            let count = values.cast::<u8>().sub(2);
            (count.read() <= MOST_PLACES).then_some(Self { values, count, order: count.sub(1) })
        }
    }

    /// CPython 3.10 has no such array.
    #[cfg(not(Py_3_11))]
    unsafe fn of(_object: *mut ffi::PyObject) -> Option<Self> {
        None
    }

    /// The index of the attribute that was added as this one.
    ///
    /// # Safety
    /// There are so many, and nothing has run since the array was looked up.
    #[inline]
    unsafe fn index(&self, number: usize) -> *mut u8 {
        // SAFETY: by the contract, within the order; no interpreter has as many attributes as would not fit.
        unsafe { self.order.offset(STEP * number.cast_signed()) }
    }
}

/// The indices of places in their order, and backwards.
const ASCENDING: [u8; MOST_IN_ORDER] = {
    let mut indices = [0; MOST_IN_ORDER];
    let mut index: u8 = 0;
    while (index as usize) < MOST_IN_ORDER {
        indices[index as usize] = index;
        index += 1;
    }
    indices
};
const DESCENDING: [u8; MOST_IN_ORDER] = {
    let mut indices = [0; MOST_IN_ORDER];
    let mut index: u8 = 0;
    while (index as usize) < MOST_IN_ORDER {
        indices[MOST_IN_ORDER - 1 - index as usize] = index;
        index += 1;
    }
    indices
};
const MOST_IN_ORDER: usize = 64;

impl Array {
    /// Whether its `count` attributes were added in the order of their places.
    ///
    /// # Safety
    /// There are so many, and nothing has run since the array was looked up.
    #[inline]
    unsafe fn is_in_order(&self, count: usize) -> bool {
        // SAFETY: by the contract; the order stands in `count` bytes that follow each other, in one or the other direction.
        unsafe {
            if count == 0 || count > MOST_IN_ORDER {
                return false;
            }
            let (first, expected) = if STEP > 0 {
                (self.order, &ASCENDING[..count])
            } else {
                (self.order.sub(count - 1), &DESCENDING[MOST_IN_ORDER - count..])
            };
            std::slice::from_raw_parts(first, count) == expected
        }
    }
}

impl<const N: usize> Shape<N> {
    /// Learns the places of `names` in instances of `class`; `None` where they cannot be relied on.
    pub(crate) fn learn(class: &Bound<'_, PyType>, names: [&str; N]) -> PyResult<Option<Self>> {
        if cfg!(not(Py_3_11)) || cfg!(not(target_pointer_width = "64")) || !has_usual_layout(class) {
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
        let Some(shape) = Self::of_probe(&probe, &given) else { return Ok(None) };
        Ok(shape.is_right_for(class, names)?.then_some(shape))
    }

    fn of_probe(probe: &Bound<'_, PyAny>, given: &[Bound<'_, PyAny>]) -> Option<Self> {
        let mut shape = Self { indices: [0; N], known: 0, is_in_order: true };
        // SAFETY: a live instance whose layout was looked at.
        unsafe {
            let array = Array::of(probe.as_ptr())?;
            if usize::from(array.count.read()) != N {
                return None;
            }
            for (number, value) in given.iter().enumerate() {
                let index = array.index(number).read();
                if index >= MOST_PLACE_BITS || array.values.add(index.into()).read() != value.as_ptr() {
                    return None;
                }
                shape.indices[number] = index;
                shape.is_in_order &= usize::from(index) == number;
                shape.known |= 1 << index;
            }
        }
        Some(shape)
    }

    /// Tries the places out: an instance that is made has the attributes for everybody else, in their order, and
    /// changes of it are seen.
    fn is_right_for(&self, class: &Bound<'_, PyType>, names: [&str; N]) -> PyResult<bool> {
        let py = class.py();
        let values: [_; N] = std::array::from_fn(|_| PyList::empty(py).into_any());
        let addresses = values.each_ref().map(Bound::as_ptr);
        let Some(made) = self.instance(class, &values.each_ref().map(Bound::as_borrowed))? else {
            return Ok(false);
        };
        // SAFETY: a live instance of the class.
        let read = || unsafe { self.read(made.as_ptr()) };
        let is_as_given = read().is_some_and(|now| now.values == addresses && now.others == 0);
        for (name, value) in names.iter().zip(&values) {
            if !is_as_given || !made.getattr_opt(*name)?.is_some_and(|found| found.is(value)) {
                return Ok(false);
            }
        }
        // SAFETY: as above.
        let is_bare = || unsafe { is_bare(made.as_ptr()) };
        if !is_bare() {
            return Ok(false);
        }
        let reference = PyWeakrefReference::new(&made)?;
        let is_seen_to_be_watched = !is_bare();
        drop(reference);
        if !is_seen_to_be_watched || !is_bare() {
            return Ok(false);
        }
        set(&made, &PyString::intern(py, names[0]), py.None().bind(py))?;
        made.delattr(names[1])?;
        let is_seen = read().is_some_and(|now| {
            now.values[0] == py.None().as_ptr()
                && now.values[1].is_null()
                && now.values[2..] == addresses[2..]
        });
        set(&made, &PyString::intern(py, "_duramen_probe"), &values[1])?;
        let has_other = read().is_none_or(|now| now.others != 0);
        let dict: Bound<'_, PyDict> = instance_dict(&made)?;
        let expected: Vec<&str> =
            names[..1].iter().chain(&names[2..]).copied().chain(["_duramen_probe"]).collect();
        Ok(is_seen && has_other && !is_bare() && dict.keys().extract::<Vec<String>>()? == expected)
    }

    /// A new instance of `class`, the one that was learned, with the first attributes, in the order of their names;
    /// `None` when the interpreter has made one that keeps them otherwise.
    pub(crate) fn instance<'py>(
        &self,
        class: &Bound<'py, PyType>,
        attributes: &[Borrowed<'_, 'py, PyAny>],
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let made = new_instance(class)?;
        // SAFETY: a new instance of the class, whose places are all empty and lie within its array, since the table of
        // names never becomes shorter. Each value is owned by its place from here on, and nothing runs before the
        // count says so.
        unsafe {
            let Some(array) = Array::of(made.as_ptr()) else { return Ok(None) };
            for (number, (value, &index)) in attributes.iter().zip(&self.indices).enumerate() {
                array.values.add(index.into()).write(ffi::Py_NewRef(value.as_ptr()));
                array.index(number).write(index);
            }
            array.count.write(u8::try_from(attributes.len().min(N)).unwrap_or(0));
        }
        Ok(Some(made))
    }

    /// Reads the attributes; `None` when this instance keeps them otherwise.
    ///
    /// # Safety
    /// `object` is a live instance of exactly the class that was learned, and the thread is attached.
    #[inline]
    pub(crate) unsafe fn read(&self, object: *mut ffi::PyObject) -> Option<Contents<N>> {
        // SAFETY: by the contract; the learned places lie within the array of every instance.
        unsafe {
            let array = Array::of(object)?;
            let values = self.indices.map(|index| array.values.add(index.into()).read());
            let present = values.iter().filter(|value| !value.is_null()).count();
            let count = usize::from(array.count.read());
            let others = if count == present { 0 } else { self.others(&array, count) };
            Some(Contents { values, others })
        }
    }

    /// One attribute as it is now.
    ///
    /// # Safety
    /// As for [`Shape::read`].
    #[inline]
    pub(crate) unsafe fn value(
        &self,
        object: *mut ffi::PyObject,
        number: usize,
    ) -> Option<*mut ffi::PyObject> {
        // SAFETY: by the contract.
        unsafe {
            let value = Array::of(object)?.values.add(self.indices[number].into()).read();
            (!value.is_null()).then_some(value)
        }
    }

    /// Whether the instance has the first attributes, with these values and in their order, and no others.
    ///
    /// # Safety
    /// As for [`Shape::read`].
    #[inline]
    pub(crate) unsafe fn has_exactly(&self, object: *mut ffi::PyObject, values: &[Py<PyAny>]) -> bool {
        // SAFETY: by the contract.
        unsafe {
            Array::of(object).is_some_and(|array| {
                usize::from(array.count.read()) == values.len() && self.begins_with(&array, values)
            })
        }
    }

    /// Takes the known attributes that were added behind the first ones away again. False when the first ones have not
    /// these values in their order, or others were added: then nothing has been done.
    ///
    /// # Safety
    /// As for [`Shape::read`]. Nobody else uses the object, which has no dict.
    pub(crate) unsafe fn shorten(&self, object: *mut ffi::PyObject, values: &[Py<PyAny>]) -> bool {
        // SAFETY: by the contract. As the last ones in the order, they end where the count ends; their values are let
        // go, which may run anything, after the object is whole again.
        unsafe {
            let Some(array) = Array::of(object) else { return false };
            let (count, first) = (usize::from(array.count.read()), values.len());
            let are_known = (first..count).all(|number| {
                self.indices.get(number).is_some_and(|index| array.index(number).read() == *index)
            });
            if count < first || !are_known || !self.begins_with(&array, values) {
                return false;
            }
            let mut taken = [std::ptr::null_mut(); N];
            for (taken, &index) in taken.iter_mut().zip(&self.indices[first..count]) {
                *taken = array.values.add(index.into()).replace(std::ptr::null_mut());
            }
            array.count.write(u8::try_from(first).unwrap_or(0));
            for taken in &taken[..count - first] {
                ffi::Py_XDECREF(*taken);
            }
            true
        }
    }

    /// Whether the first attributes have these values and were added in their order.
    ///
    /// # Safety
    /// There are so many, and nothing has run since the array was looked up.
    #[inline]
    unsafe fn begins_with(&self, array: &Array, values: &[Py<PyAny>]) -> bool {
        // SAFETY: by the contract, and the learned places lie within the array.
        unsafe {
            if self.is_in_order {
                // Compared as words and as bytes, each as a whole.
                let present = std::slice::from_raw_parts(array.values.cast::<usize>(), values.len());
                let given = std::slice::from_raw_parts(values.as_ptr().cast::<usize>(), values.len());
                return present == given && array.is_in_order(values.len());
            }
            values.iter().zip(&self.indices).enumerate().all(|(number, (value, &index))| {
                array.values.add(index.into()).read() == value.as_ptr() && array.index(number).read() == index
            })
        }
    }

    /// Puts `value` into the place of an attribute that the instance has; false when it keeps them otherwise.
    ///
    /// # Safety
    /// As for [`Shape::read`], and the instance has the attribute.
    #[inline]
    pub(crate) unsafe fn replace(
        &self,
        object: *mut ffi::PyObject,
        number: usize,
        value: &Borrowed<'_, '_, PyAny>,
    ) -> bool {
        // SAFETY: by the contract. The place owns its value, and has the new one before the previous one is let go,
        // which may run anything.
        unsafe {
            let Some(array) = Array::of(object) else { return false };
            let place = array.values.add(self.indices[number].into());
            let previous = place.replace(ffi::Py_NewRef(value.as_ptr()));
            ffi::Py_DECREF(previous);
            true
        }
    }

    /// Adds an attribute, behind the others, that the instance does not have; false when it has it, or keeps them otherwise.
    ///
    /// # Safety
    /// As for [`Shape::read`], and the object has no dict.
    #[inline]
    pub(crate) unsafe fn add(
        &self,
        object: *mut ffi::PyObject,
        number: usize,
        value: &Bound<'_, PyAny>,
    ) -> bool {
        // SAFETY: by the contract. The order has room for every place once, and this one is not in it, being empty; the
        // count says so when all is written.
        unsafe {
            let Some(array) = Array::of(object) else { return false };
            let place = array.values.add(self.indices[number].into());
            if !place.read().is_null() {
                return false;
            }
            let count = array.count.read();
            place.write(ffi::Py_NewRef(value.as_ptr()));
            array.index(count.into()).write(self.indices[number]);
            array.count.write(count + 1);
            true
        }
    }

    /// # Safety
    /// As for [`Array::index`].
    #[cold]
    unsafe fn others(&self, array: &Array, count: usize) -> u64 {
        // SAFETY: by the contract. A place beyond all bits is none that is known.
        let bit = |number| unsafe { 1_u64.checked_shl(array.index(number).read().into()).unwrap_or(1 << 63) };
        (0..count).fold(0, |bits, number| bits | bit(number)) & !self.known
    }
}

/// Whether there is nothing beside the object that shows it: no dict of its attributes, no weak reference to it.
///
/// # Safety
/// `object` is a live instance of a class for which [`has_usual_layout`] holds, and the thread is attached.
#[inline]
pub(crate) unsafe fn is_bare(object: *mut ffi::PyObject) -> bool {
    if cfg!(not(Py_3_11)) {
        return false;
    }
    // SAFETY: by the contract. From CPython 3.11 on the third word before an object with a managed dict is that dict,
    // which CPython 3.12 marks where it is values; the class says where the list of weak references begins, before or
    // in the object.
    unsafe {
        let dict = object.cast::<usize>().sub(3).read();
        let has_dict = if cfg!(all(Py_3_12, not(Py_3_13))) { dict & 1 == 0 } else { dict != 0 };
        let offset = (*ffi::Py_TYPE(object)).tp_weaklistoffset;
        !has_dict && (offset == 0 || object.byte_offset(offset).cast::<usize>().read() == 0)
    }
}

/// So many places have a bit of their own; the last bit stands for all others.
const MOST_PLACE_BITS: u8 = 63;
