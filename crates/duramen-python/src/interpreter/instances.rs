//! Plain instances of a class, made with all their attributes at once and read where the interpreter keeps them.
//!
//! From CPython 3.11 on an instance of a class without slots has an array of values before it has a dict. Setting some
//! twenty attributes one by one, or making a dict of them, costs several times what filling the array does. Where each
//! name has its place is learned from an instance made for that purpose, and tried out on another one: an interpreter
//! that keeps its attributes otherwise is found out there.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyType};

use super::attributes::set;
use super::storage::has_usual_layout;
use super::{instance_dict, new_instance};

/// Where the instances of a class have the attributes of `N` names.
pub(crate) struct Shape<const N: usize> {
    indices: [u8; N],
    /// A bit for each index that is one of these.
    known: u64,
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
        let mut shape = Self { indices: [0; N], known: 0 };
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
        Ok(is_seen && has_other && dict.keys().extract::<Vec<String>>()? == expected)
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

    /// # Safety
    /// As for [`Array::index`].
    #[cold]
    unsafe fn others(&self, array: &Array, count: usize) -> u64 {
        // SAFETY: by the contract. A place beyond all bits is none that is known.
        let bit = |number| unsafe { 1_u64.checked_shl(array.index(number).read().into()).unwrap_or(1 << 63) };
        (0..count).fold(0, |bits, number| bits | bit(number)) & !self.known
    }
}

/// So many places have a bit of their own; the last bit stands for all others.
const MOST_PLACE_BITS: u8 = 63;
