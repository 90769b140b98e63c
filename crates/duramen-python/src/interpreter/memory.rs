//! Objects of built-in classes, compared with what they were by their memory.
//!
//! A text stream tells nobody whether text is waiting in it or whether it has been set up anew; a lock does
//! not tell whether it is held. Their fields are private and differ between interpreters. But a copy of an
//! object's memory, taken when its state was known, says whether that is still its state. Which words of it
//! mean what is learned from objects made for that purpose.

use pyo3::ffi;
use pyo3::prelude::*;

/// Objects larger than this are not those that are meant here.
const LARGEST: usize = 512;

/// The words of an object behind its head (its count of references and its type).
///
/// # Safety
/// `object` is a live object of a built-in class without items, and nothing runs while the words are used.
unsafe fn words<'a>(object: *mut ffi::PyObject) -> &'a [usize] {
    let head = size_of::<ffi::PyObject>();
    // SAFETY: an object is as large as its type says, and aligned to words.
    unsafe {
        let size = usize::try_from((*ffi::Py_TYPE(object)).tp_basicsize).unwrap_or(0);
        let count = size.clamp(head, LARGEST) / size_of::<usize>() - head / size_of::<usize>();
        std::slice::from_raw_parts(object.cast::<usize>().byte_add(head), count)
    }
}

/// An object's memory at one moment, and the content of its dict.
pub(crate) struct Snapshot {
    class: *mut ffi::PyTypeObject,
    words: Box<[usize]>,
    /// Null when there was none. The object holds it as long as its memory, which has the pointer to it, is the same.
    dict: *mut ffi::PyObject,
    dict_version: u64,
}

impl Snapshot {
    /// Takes the memory of `object`, which is of a built-in class.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> Self {
        let object = object.as_ptr();
        // SAFETY: a live object.
        unsafe {
            let dict = dict_of(object);
            let dict_version = if dict.is_null() { 0 } else { super::dict_version(dict) };
            Self { class: ffi::Py_TYPE(object), words: words(object).into(), dict, dict_version }
        }
    }

    /// Whether `object` is as it was.
    ///
    /// # Safety
    /// `object` is live and the thread is attached.
    pub(crate) unsafe fn holds(&self, object: *mut ffi::PyObject) -> bool {
        // SAFETY: of the same class, the object is as large as the one that was taken.
        unsafe {
            let head = size_of::<ffi::PyObject>();
            ffi::Py_TYPE(object) == self.class
                && *std::slice::from_raw_parts(object.cast::<usize>().byte_add(head), self.words.len())
                    == *self.words
                && (self.dict.is_null() || super::dict_version(self.dict) == self.dict_version)
        }
    }
}

/// An object's dict; null when it has none.
///
/// # Safety
/// `object` is a live object of a built-in class.
unsafe fn dict_of(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: such classes say where the pointer to the dict stands, which is null before the first use.
    unsafe {
        let offset = (*ffi::Py_TYPE(object)).tp_dictoffset;
        if offset <= 0 {
            return std::ptr::null_mut();
        }
        object.cast::<*mut ffi::PyObject>().byte_offset(offset).read()
    }
}

/// The words of an object that have a meaning: by their number.
pub(crate) struct Marks(Vec<usize>);

impl Marks {
    /// The words that are zero in all of `zero` and not in any of `other`; objects of one class.
    pub(crate) fn zero_only_in(zero: &[Bound<'_, PyAny>], other: &[Bound<'_, PyAny>]) -> Self {
        let all = |objects: &[Bound<'_, PyAny>], number: usize, is_zero: bool| {
            objects.iter().all(|object| {
                // SAFETY: a live object, and nothing runs while its words are compared.
                let words = unsafe { words(object.as_ptr()) };
                words.get(number).is_some_and(|word| (*word == 0) == is_zero)
            })
        };
        Self(
            (0..LARGEST / size_of::<usize>())
                .filter(|&word| all(zero, word, true) && all(other, word, false))
                .collect(),
        )
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether the words are zero in `object`, which is of the class that they were learned from.
    ///
    /// # Safety
    /// `object` is live and the thread is attached.
    pub(crate) unsafe fn are_zero(&self, object: *mut ffi::PyObject) -> bool {
        // SAFETY: by the contract: the object has the words that those had which were learned from.
        unsafe {
            let words = object.cast::<usize>().byte_add(size_of::<ffi::PyObject>());
            self.0.iter().all(|&number| words.add(number).read() == 0)
        }
    }
}
