//! Every raw touch of the interpreter's C API that has no safe wrapper stands in this folder.

mod attached;
mod attributes;
pub(crate) mod ending;
pub(crate) mod forks;
mod function;
mod instances;
pub(crate) mod late_signal;
mod memory;
mod once;
pub(crate) mod plain;
mod python_code;
mod storage;
mod unchanged;

pub(crate) use attached::Attached;
pub(crate) use attributes::{Kept, Places, Reading, set as set_plainly};
pub(crate) use function::{Entry, call, is_native_function, native_function, replaced_by};
pub(crate) use instances::{Contents, Shape, is_bare};
pub(crate) use memory::{Marks, Snapshot};
pub(crate) use once::{Once, intern};
pub(crate) use python_code::{call as call_python, call_method, percent_format};
pub(crate) use storage::{Names, is_laid_out_as};
pub(crate) use unchanged::State;

use pyo3::exceptions::{PyAttributeError, PySystemError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyFunction, PySlice, PyString, PyTuple, PyType};

/// Runs `body` at the C border: its error becomes the raised exception, a panic becomes `SystemError`.
///
/// Called by functions that the interpreter calls, so the thread is attached.
pub(crate) fn at_border(
    body: impl for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>>,
) -> *mut ffi::PyObject {
    let mut body = Some(body);
    let mut run = |py: Python<'_>| body.take().map(|body| result_for_c(py, || body(py)));
    // Tells the binding library that the thread is attached. It refuses while the interpreter is being
    // finalised, when a `__del__` may still log.
    let result = Python::try_attach(&mut run).flatten();
    // SAFETY: the interpreter calls attached, at that time too.
    result.or_else(|| run(unsafe { Python::assume_attached() })).unwrap_or(std::ptr::null_mut())
}

/// Runs `body` in a function that the interpreter calls, so attached; `None` when it panicked. The binding library is
/// not told, which saves it time: `body` makes and drops nothing that asks it whether the thread is attached.
#[inline]
pub(crate) fn caught<T>(body: impl for<'py> FnOnce(Python<'py>) -> T) -> Option<T> {
    // SAFETY: by the contract.
    let body = || body(unsafe { Python::assume_attached() });
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).ok()
}

fn result_for_c<'py>(
    py: Python<'py>,
    body: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
) -> *mut ffi::PyObject {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body))
        .unwrap_or_else(|_| Err(PySystemError::new_err("internal error in duramen (a panic was caught)")));
    match result {
        Ok(value) => value.into_ptr(),
        Err(error) => {
            error.restore(py);
            std::ptr::null_mut()
        }
    }
}

/// The arguments of a fast call as borrowed objects: first the positional ones, then the keywords' values.
///
/// # Safety
/// `arguments` and `keywords` must be what the interpreter passed to a vectorcall
/// function that is still running: the caller's references keep the objects alive for `'a`.
pub(crate) unsafe fn borrowed_arguments<'a, 'py>(
    py: Python<'py>,
    arguments: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> (&'a [Borrowed<'a, 'py, PyAny>], Option<Borrowed<'a, 'py, PyTuple>>) {
    // SAFETY: by this function's contract a non-null `keywords` is the live tuple of keyword names.
    let keywords = unsafe { Borrowed::from_ptr_or_opt(py, keywords).map(|names| names.cast_unchecked()) };
    let keywords: Option<Borrowed<'a, 'py, PyTuple>> = keywords;
    let count = usize::try_from(positional).unwrap_or(0) + keywords.map_or(0, |keywords| keywords.len());
    if count == 0 {
        return (&[], keywords);
    }
    // SAFETY: `Borrowed` is a transparent pointer with lifetime markers, and the interpreter passes
    // `count` live non-null objects at `arguments`.
    let arguments =
        unsafe { std::slice::from_raw_parts(arguments.cast::<Borrowed<'a, 'py, PyAny>>(), count) };
    (arguments, keywords)
}

/// The instance dict of `object`, made if it does not exist yet.
pub(crate) fn instance_dict<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    // SAFETY: the object is live; for a type without a dict the call fails with an exception.
    let dict = unsafe {
        Bound::from_owned_ptr_or_err(
            object.py(),
            ffi::PyObject_GenericGetDict(object.as_ptr(), std::ptr::null_mut()),
        )
    }?;
    Ok(dict.cast_into::<PyDict>()?)
}

unsafe extern "C" {
    /// Looks a method up without binding it: 1 if it is a function of the class, 0 for any other attribute.
    fn _PyObject_GetMethod(
        object: *mut ffi::PyObject,
        name: *mut ffi::PyObject,
        method: *mut *mut ffi::PyObject,
    ) -> std::ffi::c_int;

    /// Looks an attribute up without an error where there is none (`cpython/object.h`).
    #[cfg_attr(Py_3_13, link_name = "PyObject_GetOptionalAttr")]
    fn _PyObject_LookupAttr(
        object: *mut ffi::PyObject,
        name: *mut ffi::PyObject,
        value: *mut *mut ffi::PyObject,
    ) -> std::ffi::c_int;

    /// Looks a name up in a class and its bases (`cpython/object.h`): a borrowed reference or null, and no error.
    fn _PyType_Lookup(class: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject;

    /// The last instruction of a frame (`cpython/pyframe.h`, from CPython 3.11 on).
    #[cfg(Py_3_11)]
    fn PyFrame_GetLasti(frame: *mut ffi::PyFrameObject) -> std::ffi::c_int;

    /// Where an object keeps its dict (`cpython/object.h`), which the binding library does not declare.
    fn _PyObject_GetDictPtr(object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject;
}

/// Where `object` keeps its instance dict; null when it can have none.
///
/// # Safety
/// `object` is a live object and the thread is attached.
pub(crate) unsafe fn instance_dict_place(object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject {
    // SAFETY: by the contract.
    unsafe { _PyObject_GetDictPtr(object) }
}

/// The version of a dict's content (PEP 509): no two contents of any dicts have the same.
///
/// # Safety
/// `dict` is a live dict and the thread is attached.
#[inline]
pub(crate) unsafe fn dict_version(dict: *mut ffi::PyObject) -> u64 {
    /// The head of a dict (`cpython/dictobject.h`), the same from CPython 3.10 to 3.13.
    #[repr(C)]
    struct Dict {
        head: ffi::PyObject,
        used: ffi::Py_ssize_t,
        version: u64,
    }
    // SAFETY: by the contract.
    unsafe { (*dict.cast::<Dict>()).version }
}

/// The attribute `name` of `object`, if it has one: no error is made up and thrown away where it has none.
pub(crate) fn optional_attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let mut value = std::ptr::null_mut();
    // SAFETY: live objects; the result is a new reference or null, with an exception if the status says so.
    unsafe {
        match _PyObject_LookupAttr(object.as_ptr(), name.as_ptr(), &raw mut value) {
            ..0 => Err(PyErr::fetch(object.py())),
            _ => Ok(Bound::from_owned_ptr_or_opt(object.py(), value)),
        }
    }
}

/// What `object.name(argument)` gives; `None` where it has no such attribute.
pub(crate) fn call_method_if_any<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    // A function has no methods of that kind, and to look for one would make up an error.
    if !has_generic_attributes(object) || object.is_exact_instance_of::<PyFunction>() {
        let method = optional_attribute(object, name)?;
        return method.map(|method| call_python(&method, &[argument])).transpose();
    }
    let mut method = std::ptr::null_mut();
    // SAFETY: live objects; what is found is a new reference, or null with an exception. A function of the class takes
    // the object as its first argument, anything else has it already.
    unsafe {
        let is_of_class = _PyObject_GetMethod(object.as_ptr(), name.as_ptr(), &raw mut method) == 1;
        if method.is_null() {
            let error = PyErr::fetch(py);
            return if error.is_instance_of::<PyAttributeError>(py) { Ok(None) } else { Err(error) };
        }
        let given = &[object, argument][usize::from(!is_of_class)..];
        call_python(&Bound::from_owned_ptr(py, method), given).map(Some)
    }
}

/// Whether `object.name` is this function of its class, bound to it.
pub(crate) fn has_method(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    function: *mut ffi::PyObject,
) -> bool {
    let mut found = std::ptr::null_mut();
    // SAFETY: live objects; the result is a new reference, or null with an exception.
    unsafe {
        let is_of_class = _PyObject_GetMethod(object.as_ptr(), name.as_ptr(), &raw mut found) == 1;
        if found.is_null() {
            ffi::PyErr_Clear();
        } else {
            ffi::Py_DECREF(found);
        }
        is_of_class && found == function
    }
}

/// Whether the attributes of `object` are looked up as `object` looks them up.
pub(crate) fn has_generic_attributes(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the class of a live object.
    let lookup = unsafe { (*object.get_type_ptr()).tp_getattro };
    lookup
        .is_some_and(|lookup| std::ptr::fn_addr_eq(lookup, ffi::PyObject_GenericGetAttr as ffi::getattrofunc))
}

/// Whether an attribute of this name, if `object` has one, is certainly the instance's own.
pub(crate) fn is_of_instance(object: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> bool {
    // SAFETY: live objects, and the thread is attached.
    has_generic_attributes(object)
        && unsafe { _PyType_Lookup(object.get_type_ptr(), name.as_ptr()) }.is_null()
}

/// An instance of a class without a `__new__` of its own, as `object.__new__` makes it.
pub(crate) fn new_instance<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    let nothing = PyTuple::empty(py);
    // SAFETY: `object.__new__` takes any class that derives from `object`; a null result carries an exception.
    unsafe {
        let make = ffi::PyBaseObject_Type.tp_new.ok_or_else(|| PySystemError::new_err("object.__new__"))?;
        let class = class.as_ptr().cast::<ffi::PyTypeObject>();
        Bound::from_owned_ptr_or_err(py, make(class, nothing.as_ptr(), std::ptr::null_mut()))
    }
}

/// An instance of a class written in Python that has no `__new__` of its own, with these attributes.
pub(crate) fn new_instance_with<'py>(
    class: &Bound<'py, PyType>,
    attributes: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    // SAFETY: a class, which the instance holds. `object.__new__` does the same and prepares attributes of which
    // the dict takes the place here; a null result carries an exception.
    let instance = unsafe {
        let class = class.as_ptr().cast::<ffi::PyTypeObject>();
        Bound::from_owned_ptr_or_err(py, ffi::PyType_GenericAlloc(class, 0))?
    };
    // SAFETY: live objects. The setter of `object` is taken, since CPython 3.13.0 loses the attributes otherwise.
    let result = unsafe {
        ffi::PyObject_GenericSetAttr(instance.as_ptr(), intern!(py, "__dict__").as_ptr(), attributes.as_ptr())
    };
    if result < 0 { Err(PyErr::fetch(py)) } else { Ok(instance) }
}

/// Whether nobody but the caller holds `object`, so many times, and nothing of the program's runs for it when it ends.
pub(crate) fn has_no_other_holders(object: &Bound<'_, PyAny>, times: ffi::Py_ssize_t) -> bool {
    // SAFETY: a live object, and the thread is attached.
    unsafe {
        let class = ffi::Py_TYPE(object.as_ptr());
        ffi::Py_REFCNT(object.as_ptr()) == times
            && (*class).tp_finalize.is_none()
            && (*class).tp_del.is_none()
    }
}

/// Hides an object that has no other holder from the garbage collector, which would show it to others.
///
/// # Safety
/// `object` is live, of a class with garbage collection, and tracked.
pub(crate) unsafe fn hide(object: *mut ffi::PyObject) {
    // SAFETY: by the contract.
    unsafe { ffi::PyObject_GC_UnTrack(object.cast()) };
}

/// Ends what [`hide`] did.
///
/// # Safety
/// `object` is live, and was hidden.
pub(crate) unsafe fn show(object: *mut ffi::PyObject) {
    // SAFETY: by the contract.
    unsafe { ffi::PyObject_GC_Track(object.cast()) };
}

/// What `_thread.get_ident` gives.
pub(crate) fn thread_identifier() -> u64 {
    unsafe extern "C" {
        /// `pythread.h`
        fn PyThread_get_thread_ident() -> std::ffi::c_ulong;
    }
    // SAFETY: it asks the system which thread runs and has no conditions.
    #[allow(clippy::useless_conversion, reason = "the type differs between systems")]
    unsafe {
        u64::from(PyThread_get_thread_ident())
    }
}

/// The definition of a built-in function.
pub(crate) fn definition_of(function: &Bound<'_, PyCFunction>) -> *const ffi::PyMethodDef {
    /// The head of a built-in function (`cpython/methodobject.h`).
    #[repr(C)]
    struct Function {
        head: ffi::PyObject,
        definition: *const ffi::PyMethodDef,
    }
    // SAFETY: an object of exactly this type.
    unsafe { (*function.as_ptr().cast::<Function>()).definition }
}

/// Whether `object` is a slot of a built-in class, such as `object.__getattribute__`.
pub(crate) fn is_slot(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: compares the types of live objects.
    unsafe { ffi::Py_TYPE(object.as_ptr()) == &raw mut ffi::PyWrapperDescr_Type }
}

/// The entries of `dict`, while code that runs between them may change it: then some may be left out, and no
/// more are given than it had at first.
pub(crate) fn entries<'py>(
    dict: &Bound<'py, PyDict>,
) -> impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let dict = dict.clone();
    let mut position = 0;
    (0..dict.len()).map_while(move |_| {
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: a live dict, and `position` is what the last call left; the call looks up what the dict
        // holds now, so that a change in between leads to no entry that is gone. The references are borrowed
        // from the dict, and owned before anything else runs.
        unsafe {
            (ffi::PyDict_Next(dict.as_ptr(), &raw mut position, &raw mut key, &raw mut value) != 0).then(
                || (Bound::from_borrowed_ptr(dict.py(), key), Bound::from_borrowed_ptr(dict.py(), value)),
            )
        }
    })
}

/// Runs `body` as the block of a `with` statement for `manager`. An error of the block is raised again, whatever
/// `__exit__` gives: no lock keeps one back.
pub(crate) fn with<T>(manager: &Bound<'_, PyAny>, body: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let py = manager.py();
    let class = manager.get_type();
    let method = |name, missing: &str| {
        class.getattr_opt(name)?.ok_or_else(|| {
            let class = class.name().map_or_else(|_| String::new(), |name| name.to_string());
            PyTypeError::new_err(format!(
                "'{class}' object does not support the context manager protocol{missing}"
            ))
        })
    };
    let enter = method(intern!(py, "__enter__"), "")?;
    let exit = method(intern!(py, "__exit__"), " (missed __exit__ method)")?;
    enter.call1((manager,))?;
    let result = body();
    match &result {
        Ok(_) => exit.call1((manager, py.None(), py.None(), py.None()))?,
        Err(error) => while_handling(py, error, || {
            exit.call1((manager, error.get_type(py), error.value(py), error.traceback(py)))
        })?,
    };
    result
}

/// The version tag of a type's attribute table; it changes when the type or one of its bases is
/// changed. `None` while the interpreter has assigned none.
pub(crate) fn type_version(class: &Bound<'_, PyType>) -> Option<u32> {
    // SAFETY: a live type object; the field is read while the interpreter's lock is held.
    let tag = unsafe { (*class.as_ptr().cast::<ffi::PyTypeObject>()).tp_version_tag };
    (tag != 0).then_some(tag)
}

/// The frame of the Python code that called into this extension, if there is any.
pub(crate) fn current_frame(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    // SAFETY: returns a borrowed frame of the running thread, or null when no Python code runs.
    unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyEval_GetFrame().cast::<ffi::PyObject>()) }
}

/// The code of the Python function that called into this extension, and the instruction that it is at.
pub(crate) fn current_instruction(py: Python<'_>) -> Option<(Bound<'_, PyAny>, i32)> {
    let frame = current_frame(py)?;
    // SAFETY: a live frame.
    #[cfg(Py_3_11)]
    let instruction = unsafe { PyFrame_GetLasti(frame.as_ptr().cast::<ffi::PyFrameObject>()) };
    #[cfg(not(Py_3_11))]
    let instruction = i32::try_from(frame_line(&frame)).ok()?;
    Some((frame_code(&frame), instruction))
}

/// The caller of `frame`.
pub(crate) fn frame_back<'py>(frame: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: `frame` comes from `current_frame` or from this function, so it is a frame object; the
    // result is a new reference, or null at the bottom of the stack.
    unsafe {
        Bound::from_owned_ptr_or_opt(
            frame.py(),
            ffi::PyFrame_GetBack(frame.as_ptr().cast::<ffi::PyFrameObject>()).cast::<ffi::PyObject>(),
        )
    }
}

/// The code object of `frame`.
pub(crate) fn frame_code<'py>(frame: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    // SAFETY: as for `frame_back`; the call returns a new reference and never fails.
    unsafe {
        Bound::from_owned_ptr(
            frame.py(),
            ffi::PyFrame_GetCode(frame.as_ptr().cast::<ffi::PyFrameObject>()).cast::<ffi::PyObject>(),
        )
    }
}

/// The line that `frame` is at.
pub(crate) fn frame_line(frame: &Bound<'_, PyAny>) -> u32 {
    // SAFETY: as for `frame_back`.
    let line = unsafe { ffi::PyFrame_GetLineNumber(frame.as_ptr().cast::<ffi::PyFrameObject>()) };
    u32::try_from(line).unwrap_or(0)
}

/// Runs `body` as an `except` block for `error` would run: `sys.exc_info()` shows the error meanwhile.
pub(crate) fn while_handling<T>(
    py: Python<'_>,
    error: &PyErr,
    body: impl FnOnce() -> PyResult<T>,
) -> PyResult<T> {
    let mut previous = [std::ptr::null_mut::<ffi::PyObject>(); 3];
    // SAFETY: `PyErr_GetExcInfo` writes three new references or nulls; `PyErr_SetExcInfo` steals three
    // references, which are made for it here; the previous ones are handed back in the end.
    unsafe {
        let [class, value, traceback] = &mut previous;
        ffi::PyErr_GetExcInfo(class, value, traceback);
        ffi::PyErr_SetExcInfo(
            error.get_type(py).into_ptr(),
            error.value(py).clone().into_ptr(),
            error.traceback(py).map_or(std::ptr::null_mut(), Bound::into_ptr),
        );
    }
    let result = body();
    let [class, value, traceback] = previous;
    // SAFETY: the three references that `PyErr_GetExcInfo` gave are handed back once.
    unsafe { ffi::PyErr_SetExcInfo(class, value, traceback) };
    result
}

/// `error` with the calling frame at the head of its traceback, as a Python function in this place would
/// have left it: who handles the error finds where the logging call stands.
pub(crate) fn with_calling_frame(py: Python<'_>, error: PyErr) -> PyErr {
    let Some(frame) = current_frame(py) else { return error };
    error.restore(py);
    // SAFETY: an exception is set and `frame` is a live frame object. When the entry cannot be made, the
    // exception that says so takes the place of the first one.
    unsafe { ffi::PyTraceBack_Here(frame.as_ptr().cast::<ffi::PyFrameObject>()) };
    let error = PyErr::fetch(py);
    // Before CPython 3.12 an exception that native code has fetched does not know its traceback.
    if let Some(traceback) = error.traceback(py) {
        // SAFETY: a live exception and its own traceback.
        unsafe { ffi::PyException_SetTraceback(error.value(py).as_ptr(), traceback.as_ptr()) };
    }
    error
}

/// `slice(start, stop)`. The binding library's own constructor loses a reference to each number.
pub(crate) fn slice(py: Python<'_>, start: isize, stop: isize) -> PyResult<Bound<'_, PyAny>> {
    py.get_type::<PySlice>().call1((start, stop))
}
