//! Texts and numbers of the interpreter's own classes, read where they lie: nothing runs, and nothing is made.

use duramen::formatter::message::Argument;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The text of an exact `str` as UTF-8; `None` for other objects and for text that has no such form.
///
/// # Safety
/// `object` is live for `'a`, and the thread is attached.
#[inline]
pub(crate) unsafe fn text<'a>(object: *mut ffi::PyObject) -> Option<&'a str> {
    // SAFETY: by the contract; ASCII lies behind the object's head, and is UTF-8.
    unsafe {
        if ffi::PyUnicode_CheckExact(object) == 0 {
            return None;
        }
        if ffi::PyUnicode_IS_COMPACT_ASCII(object) != 0 {
            let length = usize::try_from(ffi::PyUnicode_GET_LENGTH(object)).ok()?;
            let bytes = std::slice::from_raw_parts(ffi::PyUnicode_1BYTE_DATA(object), length);
            return Some(std::str::from_utf8_unchecked(bytes));
        }
        other_text(object)
    }
}

/// Text beyond ASCII, of which the object keeps a form in UTF-8.
///
/// # Safety
/// As for [`text`], and it is an exact `str`.
#[cold]
#[inline(never)]
unsafe fn other_text<'a>(object: *mut ffi::PyObject) -> Option<&'a str> {
    // SAFETY: by the contract; the form in UTF-8 lives as long as the object.
    unsafe {
        let mut length = 0;
        let bytes = ffi::PyUnicode_AsUTF8AndSize(object, &raw mut length);
        if bytes.is_null() {
            // Surrogates, or no memory: whoever meets the text next says which.
            ffi::PyErr_Clear();
            return None;
        }
        let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), usize::try_from(length).ok()?);
        Some(std::str::from_utf8_unchecked(bytes))
    }
}

/// A new text out of UTF-8.
#[inline]
pub(crate) fn new_text<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    if bytes.len() < 2 || !bytes.is_ascii() {
        // The interpreter keeps the shortest texts itself.
        return PyString::from_bytes(py, bytes);
    }
    // SAFETY: attached; a new text of as many ASCII characters, which nobody else has, is filled as a whole.
    unsafe {
        let text = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(bytes.len().cast_signed(), 127))?;
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), ffi::PyUnicode_1BYTE_DATA(text.as_ptr()), bytes.len());
        Ok(text.cast_into_unchecked())
    }
}

/// The value of an argument of a message, if it is of a class whose text needs no interpreter.
///
/// # Safety
/// As for [`text`].
#[inline]
pub(crate) unsafe fn argument<'a>(object: *mut ffi::PyObject) -> Option<Argument<'a>> {
    // SAFETY: by the contract; each class is looked at before its value is read.
    unsafe {
        let class = ffi::Py_TYPE(object);
        if class == &raw mut ffi::PyUnicode_Type {
            return text(object).map(Argument::Text);
        }
        if class == &raw mut ffi::PyLong_Type {
            let mut overflow = 0;
            let value = ffi::PyLong_AsLongLongAndOverflow(object, &raw mut overflow);
            return (overflow == 0).then_some(Argument::Integer(value));
        }
        if class == &raw mut ffi::PyFloat_Type {
            return Some(Argument::Float(ffi::PyFloat_AS_DOUBLE(object)));
        }
        if class == &raw mut ffi::PyBool_Type {
            return Some(Argument::Bool(object == ffi::Py_True()));
        }
        (object == ffi::Py_None()).then_some(Argument::None)
    }
}

/// Whether all texts that say the same and were interned are this one object.
///
/// # Safety
/// `object` is live and an exact `str`, and the thread is attached.
pub(crate) unsafe fn is_interned(object: *mut ffi::PyObject) -> bool {
    #[cfg(not(Py_3_14))]
    // SAFETY: by the contract, it begins with the fields of every text.
    let interned = unsafe { (*object.cast::<ffi::PyASCIIObject>()).interned() != 0 };
    #[cfg(Py_3_14)]
    let interned = {
        let _ = object;
        false
    };
    interned
}
