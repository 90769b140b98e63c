//! The type of native methods: what stands in a class of `logging` in the place of a Python function.
//!
//! Such an object runs native code when it is called and is, for everybody who looks at it, the function
//! that it replaces: attributes are that function's, and `isinstance` takes it for a function. It binds as
//! functions do, to a real bound method. So `inspect.signature`, `help`, `mock.create_autospec` and a
//! call with any kind of `self` give what they give with the interpreter's own.

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::mem::offset_of;
use std::ptr;

use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::{Once, at_border, borrowed_arguments, ending};
use crate::classes::native_method::Definition;

unsafe extern "C" {
    /// A bound method (`cpython/classobject.h`), which the binding library does not declare.
    fn PyMethod_New(function: *mut ffi::PyObject, object: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// The object. Its fields are written once, when it is made.
#[repr(C)]
struct NativeFunction {
    head: ffi::PyObject,
    vectorcall: Option<ffi::vectorcallfunc>,
    weak_references: *mut ffi::PyObject,
    /// The function that is replaced; an owned reference.
    original: *mut ffi::PyObject,
    /// An owned `Box<Definition>`.
    definition: *mut Definition,
}

/// Attributes that are the object's own; all others are the original's.
const OWN_ATTRIBUTES: [&CStr; 4] = [c"__call__", c"__get__", c"__reduce__", c"__reduce_ex__"];

static TYPE: Once<Py<PyType>> = Once::new();

/// What the interpreter calls (PEP 590).
pub(crate) type Entry = ffi::vectorcallfunc;

/// Makes the native method that replaces `original`. The interpreter calls `entry`, which may do the
/// simplest calls itself and leaves the others to [`call`].
pub(crate) fn native_function<'py>(
    original: &Bound<'py, PyAny>,
    definition: Definition,
    entry: Entry,
) -> PyResult<Bound<'py, PyAny>> {
    let py = original.py();
    let class = TYPE.get_or_try_init(py, || make_type(py))?;
    // SAFETY: `class` is a heap type whose instances have the layout of `NativeFunction`; the new object
    // is zeroed apart from its head, and the fields are set before anybody else sees it.
    unsafe {
        let object = ffi::PyType_GenericAlloc(class.as_ptr().cast::<ffi::PyTypeObject>(), 0);
        let object = Bound::from_owned_ptr_or_err(py, object)?;
        let function = object.as_ptr().cast::<NativeFunction>();
        (*function).vectorcall = Some(entry);
        (*function).original = original.clone().into_ptr();
        (*function).definition = Box::into_raw(Box::new(definition));
        Ok(object)
    }
}

/// Whether `object` is a native method.
pub(crate) fn is_native_function(object: &Bound<'_, PyAny>) -> bool {
    TYPE.get(object.py()).is_some_and(|class| object.get_type().is(class))
}

/// The function that `object` replaces, if it is a native method.
pub(crate) fn replaced_by<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: an object of exactly this type, which holds the function from its making to its end.
    is_native_function(object).then(|| unsafe {
        Bound::from_borrowed_ptr(object.py(), (*object.as_ptr().cast::<NativeFunction>()).original)
    })
}

/// Calls a native method with bound arguments, or the function that it replaces once the interpreter ends (see
/// `ending`).
///
/// No value that has to be dropped may live here: CPython before 3.14 ends threads by unwinding this frame.
///
/// # Safety
/// Only for the interpreter, and for an [`Entry`] with the arguments that it got from it.
pub(crate) unsafe extern "C" fn call(
    function: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls this for a live `NativeFunction` with its own arguments, which go on as
    // they are.
    unsafe {
        let fields = function.cast::<NativeFunction>();
        if ending::has_begun() && (*(*fields).definition).replaces_whole_function() {
            ffi::PyObject_Vectorcall((*fields).original, arguments, count, keywords)
        } else {
            call_natively(fields, arguments, count, keywords)
        }
    }
}

#[inline(never)]
unsafe extern "C" fn call_natively(
    function: *mut NativeFunction,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    ending::counted(|| {
        at_border(|py| {
            // SAFETY: as `call` got them; the interpreter keeps all of it alive until it returns.
            let (definition, (arguments, keywords)) = unsafe {
                let positional = ffi::PyVectorcall_NARGS(count);
                let definition = &*(*function).definition;
                (definition, borrowed_arguments(py, arguments, positional, keywords))
            };
            definition.call(py, arguments, keywords)
        })
    })
}

unsafe extern "C" fn get_attribute(
    function: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter passes a live function and a live name; references are as each call says.
    unsafe {
        if ffi::PyUnicode_CompareWithASCIIString(name, c"__class__".as_ptr()) == 0 {
            let class = ffi::Py_TYPE((*function.cast::<NativeFunction>()).original);
            return ffi::Py_NewRef(class.cast::<ffi::PyObject>());
        }
        for own in OWN_ATTRIBUTES {
            if ffi::PyUnicode_CompareWithASCIIString(name, own.as_ptr()) == 0 {
                return ffi::PyObject_GenericGetAttr(function, name);
            }
        }
        ffi::PyObject_GetAttr((*function.cast::<NativeFunction>()).original, name)
    }
}

unsafe extern "C" fn set_attribute(
    function: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> c_int {
    // SAFETY: as for `get_attribute`; a null value means deletion for both functions.
    unsafe { ffi::PyObject_SetAttr((*function.cast::<NativeFunction>()).original, name, value) }
}

unsafe extern "C" fn bind(
    function: *mut ffi::PyObject,
    object: *mut ffi::PyObject,
    _class: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: live objects; on a class (no object) the function itself is the answer.
    unsafe {
        if object.is_null() || object == ffi::Py_None() {
            return ffi::Py_NewRef(function);
        }
        PyMethod_New(function, object)
    }
}

unsafe extern "C" fn represent(function: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: a live function.
    unsafe { ffi::PyObject_Repr((*function.cast::<NativeFunction>()).original) }
}

/// A pickle names the function, as a pickle of a Python function does.
unsafe extern "C" fn reduce(
    function: *mut ffi::PyObject,
    _protocol: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: a live function.
    unsafe {
        ffi::PyObject_GetAttrString((*function.cast::<NativeFunction>()).original, c"__qualname__".as_ptr())
    }
}

unsafe extern "C" fn traverse(
    function: *mut ffi::PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: called by the collector for a live function; each owned reference is visited once, the
    // type's included, as heap types have to.
    unsafe {
        let original = (*function.cast::<NativeFunction>()).original;
        for reference in [original, ffi::Py_TYPE(function).cast::<ffi::PyObject>()] {
            if !reference.is_null() {
                let result = visit(reference, argument);
                if result != 0 {
                    return result;
                }
            }
        }
        0
    }
}

unsafe extern "C" fn deallocate(function: *mut ffi::PyObject) {
    // SAFETY: the last reference is gone; the fields are released once, then the memory and the type.
    unsafe {
        let class = ffi::Py_TYPE(function);
        ffi::PyObject_GC_UnTrack(function.cast::<c_void>());
        let fields = function.cast::<NativeFunction>();
        if !(*fields).weak_references.is_null() {
            ffi::PyObject_ClearWeakRefs(function);
        }
        ffi::Py_XDECREF((*fields).original);
        if !(*fields).definition.is_null() {
            drop(Box::from_raw((*fields).definition));
        }
        ffi::PyObject_GC_Del(function.cast::<c_void>());
        ffi::Py_DECREF(class.cast::<ffi::PyObject>());
    }
}

/// `__doc__`, which some ask the type for and not the object.
unsafe extern "C" fn get_documentation(
    function: *mut ffi::PyObject,
    _closure: *mut c_void,
) -> *mut ffi::PyObject {
    // SAFETY: a live function.
    unsafe { ffi::PyObject_GetAttrString((*function.cast::<NativeFunction>()).original, c"__doc__".as_ptr()) }
}

fn make_type(py: Python<'_>) -> PyResult<Py<PyType>> {
    let offset = |position: usize| ffi::Py_ssize_t::try_from(position).unwrap_or(0);
    let member = |name: &'static CStr, position: usize| ffi::PyMemberDef {
        name: name.as_ptr(),
        type_code: ffi::Py_T_PYSSIZET,
        offset: offset(position),
        flags: ffi::Py_READONLY,
        doc: ptr::null(),
    };
    // The type keeps pointers to its tables of members and methods.
    let members = Box::leak(Box::new([
        member(c"__vectorcalloffset__", offset_of!(NativeFunction, vectorcall)),
        member(c"__weaklistoffset__", offset_of!(NativeFunction, weak_references)),
        // SAFETY: all zeros is the end marker that the interpreter expects.
        unsafe { std::mem::zeroed() },
    ]));
    let reduce_method = |name: &'static CStr, flags| ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: reduce },
        ml_flags: flags,
        ml_doc: ptr::null(),
    };
    let methods = Box::leak(Box::new([
        reduce_method(c"__reduce__", ffi::METH_NOARGS),
        reduce_method(c"__reduce_ex__", ffi::METH_O),
        ffi::PyMethodDef::zeroed(),
    ]));
    let computed = Box::leak(Box::new([
        ffi::PyGetSetDef {
            name: c"__doc__".as_ptr(),
            get: Some(get_documentation),
            set: None,
            doc: ptr::null(),
            closure: ptr::null_mut(),
        },
        ffi::PyGetSetDef::default(),
    ]));
    let slot = |slot: c_int, pointer: *mut c_void| ffi::PyType_Slot { slot, pfunc: pointer };
    let mut slots = [
        slot(ffi::Py_tp_call, ffi::PyVectorcall_Call as *mut c_void),
        slot(ffi::Py_tp_getattro, get_attribute as *mut c_void),
        slot(ffi::Py_tp_setattro, set_attribute as *mut c_void),
        slot(ffi::Py_tp_descr_get, bind as *mut c_void),
        slot(ffi::Py_tp_repr, represent as *mut c_void),
        slot(ffi::Py_tp_traverse, traverse as *mut c_void),
        slot(ffi::Py_tp_dealloc, deallocate as *mut c_void),
        slot(ffi::Py_tp_members, members.as_mut_ptr().cast()),
        slot(ffi::Py_tp_getset, computed.as_mut_ptr().cast()),
        slot(ffi::Py_tp_methods, methods.as_mut_ptr().cast()),
        slot(0, ptr::null_mut()),
    ];
    let flags = ffi::Py_TPFLAGS_DEFAULT
        | ffi::Py_TPFLAGS_HAVE_GC
        | ffi::Py_TPFLAGS_HAVE_VECTORCALL
        | ffi::Py_TPFLAGS_METHOD_DESCRIPTOR
        | ffi::Py_TPFLAGS_IMMUTABLETYPE
        | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
    let mut specification = ffi::PyType_Spec {
        name: c"duramen._core.native_function".as_ptr(),
        basicsize: c_int::try_from(size_of::<NativeFunction>())
            .map_err(|_| PySystemError::new_err("a native function is too large"))?,
        itemsize: 0,
        flags: c_uint::try_from(flags).map_err(|_| PySystemError::new_err("type flags"))?,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the specification is complete and ends with a null slot; its tables live forever.
    let class = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&raw mut specification)) }?;
    Ok(class.cast_into::<PyType>()?.unbind())
}
