//! Calls of the program's Python code by native methods, from which a thread may not return.
//!
//! Before CPython 3.14 a daemon thread that wants to go on while the interpreter is finalised is ended by unwinding its
//! stack, which aborts the process where it meets a native frame (see `ending`). Such a thread stays in the call for good
//! instead, as it does from CPython 3.14 on; the binding library does the same where a thread has let go of the interpreter.

use std::hint::black_box;
use std::mem;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use smallvec::SmallVec;

/// A function of the interpreter's that may unwind, so that the compiler keeps a place for what has to happen then. The
/// binding library declares them as ones that may not, which the compiler must not see here.
///
/// To be used where `unsafe` says why the call is sound: the two types differ in nothing but whether the caller reckons with
/// being unwound.
macro_rules! unwinding {
    ($function:path, fn($($argument:ty),*)) => {{
        type Declared = unsafe extern "C" fn($($argument),*) -> *mut ffi::PyObject;
        type Unwinding = unsafe extern "C-unwind" fn($($argument),*) -> *mut ffi::PyObject;
        black_box(mem::transmute::<Declared, Unwinding>($function))
    }};
}

type Object = *mut ffi::PyObject;

/// Where a thread ends that is unwound. A panic does not come here: it does not pass the interpreter's frames.
struct Stays;

impl Drop for Stays {
    fn drop(&mut self) {
        loop {
            std::thread::park();
        }
    }
}

/// Runs `call`, which owns nothing that would have to be dropped.
#[inline]
fn staying(py: Python<'_>, call: impl FnOnce() -> *mut ffi::PyObject) -> PyResult<Bound<'_, PyAny>> {
    let stays = Stays;
    let result = call();
    mem::forget(stays);
    // SAFETY: what the interpreter's functions give is a new reference, or null with an exception.
    unsafe { Bound::from_owned_ptr_or_err(py, result) }
}

/// What `function(*arguments)` gives.
pub(crate) fn call<'py>(
    function: &Bound<'py, PyAny>,
    arguments: &[&Bound<'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    let given: SmallVec<[_; 4]> = arguments.iter().map(|argument| argument.as_ptr()).collect();
    // SAFETY: live objects, as many as are told.
    staying(function.py(), || unsafe {
        let call = unwinding!(ffi::PyObject_VectorcallDict, fn(Object, *const Object, usize, Object));
        call(function.as_ptr(), given.as_ptr(), given.len(), std::ptr::null_mut())
    })
}

/// What `object.name(*arguments)` gives.
pub(crate) fn call_method<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    arguments: &[&Bound<'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    let all = std::iter::once(&object).chain(arguments);
    let given: SmallVec<[_; 4]> = all.map(|argument| argument.as_ptr()).collect();
    // SAFETY: live objects, as many as are told.
    staying(object.py(), || unsafe {
        let call = unwinding!(ffi::PyObject_VectorcallMethod, fn(Object, *const Object, usize, Object));
        call(name.as_ptr(), given.as_ptr(), given.len(), std::ptr::null_mut())
    })
}

/// `format % arguments` as the interpreter does it for text.
pub(crate) fn percent_format<'py>(
    format: &Bound<'py, PyString>,
    arguments: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: both are live objects and the first is text.
    staying(format.py(), || unsafe {
        unwinding!(ffi::PyUnicode_Format, fn(Object, Object))(format.as_ptr(), arguments.as_ptr())
    })
}
