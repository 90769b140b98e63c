//! Objects that have not changed since they were looked at.

use pyo3::ffi;
use pyo3::prelude::*;

use super::instance_dict_place;
use content::Content;

/// The class of an object, the state of that class and the object's attributes at one moment.
pub(crate) struct State {
    class: *mut ffi::PyTypeObject,
    class_version: u32,
    content: Content,
}

impl State {
    /// The state of `object`, an instance of a class that is written in Python. `None` when changes of it
    /// could not be told.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> Option<Self> {
        let content = Content::of(object)?;
        let class = object.get_type_ptr();
        // SAFETY: the class of a live object.
        let class_version = unsafe { (*class).tp_version_tag };
        (class_version != 0).then_some(Self { class, class_version, content })
    }

    /// Whether class and attributes of `object` are the same as then.
    ///
    /// # Safety
    /// `object` is live and the thread is attached.
    #[inline]
    pub(crate) unsafe fn holds(&self, object: *mut ffi::PyObject) -> bool {
        // SAFETY: by the contract.
        unsafe {
            let class = ffi::Py_TYPE(object);
            class == self.class
                && (*class).tp_version_tag == self.class_version
                && self.content.is_that_of(object)
        }
    }

    /// Leaves to `other`, which is kept as long, to hold what both hold.
    pub(crate) fn share_with(&mut self, other: &Self) {
        self.content.share_with(&other.content);
    }

    /// Whether the object is certainly not as it was any more: nobody but this state holds one of its values.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.content.is_abandoned()
    }
}

/// The version of the object's dict, if it has one.
///
/// # Safety
/// `object` is live and the thread is attached.
#[inline]
unsafe fn version_of_dict(object: *mut ffi::PyObject) -> Option<u64> {
    // SAFETY: by the contract; the place of a dict holds a dict or null.
    unsafe {
        let place = instance_dict_place(object);
        if place.is_null() || place.read().is_null() {
            return None;
        }
        Some(super::dict_version(place.read())).filter(|version| *version != 0)
    }
}

/// Up to CPython 3.12 the version of the dict tells everything.
#[cfg(not(Py_3_13))]
mod content {
    use pyo3::ffi;
    use pyo3::prelude::*;

    use super::version_of_dict;

    pub(super) struct Content(u64);

    impl Content {
        /// `None` also where an interpreter keeps the pointer to the dict elsewhere than [`dict_in_place`] has it.
        pub(super) fn of(object: &Bound<'_, PyAny>) -> Option<Self> {
            // SAFETY: a live object, which has a dict after the first question.
            unsafe {
                let version = version_of_dict(object.as_ptr())?;
                let content = Self(version);
                content.is_that_of(object.as_ptr()).then_some(content)
            }
        }

        /// # Safety
        /// `object` is live, of the same class, and the thread is attached.
        #[inline]
        pub(super) unsafe fn is_that_of(&self, object: *mut ffi::PyObject) -> bool {
            // SAFETY: by the contract.
            unsafe {
                let dict = Self::dict_in_place(object);
                !dict.is_null() && super::super::dict_version(dict) == self.0
            }
        }

        /// The dict of an object, if it has one: read where the interpreter keeps it, without a call.
        ///
        /// # Safety
        /// As for [`Content::is_that_of`].
        #[inline]
        unsafe fn dict_in_place(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
            // SAFETY: by the contract. The words before an object with a managed dict are as `pycore_object.h` has
            // them; of other objects the class says where the pointer stands.
            unsafe {
                let class = ffi::Py_TYPE(object);
                #[cfg(Py_3_11)]
                if (*class).tp_flags & super::super::storage::MANAGED_DICT != 0 {
                    let dict = object.cast::<usize>().sub(3).read();
                    // CPython 3.12 marks a pointer to values in place of a dict by its lowest bit.
                    return if dict & 1 == 1 { std::ptr::null_mut() } else { dict as *mut ffi::PyObject };
                }
                let offset = (*class).tp_dictoffset;
                if offset <= 0 {
                    return std::ptr::null_mut();
                }
                object.byte_offset(offset).cast::<*mut ffi::PyObject>().read()
            }
        }

        /// Nothing is held.
        #[expect(
            clippy::unused_self,
            clippy::needless_pass_by_ref_mut,
            reason = "the same for all interpreters"
        )]
        pub(super) fn share_with(&mut self, _other: &Self) {}

        /// Nothing is held that would have to be let go.
        #[expect(clippy::unused_self, reason = "the same for all interpreters")]
        pub(super) fn is_abandoned(&self) -> bool {
            false
        }
    }
}

/// CPython 3.13 keeps the attributes in the object, and setting one there leaves the version of the object's
/// dict as it is (3.13.0 does not tell those who watch the dict either): the attributes are compared.
#[cfg(Py_3_13)]
mod content {
    use pyo3::ffi;
    use pyo3::prelude::*;
    use pyo3::types::{PyDict, PyFloat, PyInt, PyString};

    use super::super::intern;
    use super::super::storage::{ValuesPlace, values_in_object};
    use super::version_of_dict;

    pub(super) enum Content {
        Values {
            place: ValuesPlace,
            /// Up to the last one that there is: one that comes behind it changes their number.
            addresses: Box<[*mut ffi::PyObject]>,
            /// Plain values are held, so that no other one comes to lie at the same address. The rest is not, since
            /// somebody may wait for its end: what is kept of a formatter or a stream has its own state.
            held: Vec<Py<PyAny>>,
        },
        /// The version of the dict of an object that does not keep its attributes any more.
        Dict(u64),
    }

    impl Content {
        pub(super) fn of(object: &Bound<'_, PyAny>) -> Option<Self> {
            // SAFETY: a live object.
            let (place, values) =
                unsafe { (ValuesPlace::of(object.as_ptr()), values_in_object(object.as_ptr())) };
            let (Some(place), Some(values)) = (place, values) else {
                // SAFETY: a live object.
                return unsafe { version_of_dict(object.as_ptr()) }.map(Self::Dict);
            };
            let count = values.iter().rposition(|value| !value.is_null()).map_or(0, |last| last + 1);
            let addresses: Box<[_]> = values[..count].into();
            let dict =
                object.getattr(intern!(object.py(), "__dict__")).ok()?.cast_into_exact::<PyDict>().ok()?;
            let attributes = dict.values();
            // An interpreter that keeps its values otherwise is found out here.
            let is_complete = attributes.len() == addresses.iter().filter(|value| !value.is_null()).count()
                && attributes.iter().all(|value| addresses.contains(&value.as_ptr()));
            let held = attributes.iter().filter(is_plain_value).map(Bound::unbind).collect();
            is_complete.then_some(Self::Values { place, addresses, held })
        }

        /// # Safety
        /// `object` is live, of the same class, and the thread is attached.
        #[inline]
        pub(super) unsafe fn is_that_of(&self, object: *mut ffi::PyObject) -> bool {
            // SAFETY: by the contract.
            unsafe {
                match self {
                    Self::Values { place, addresses, .. } => place.values(object).is_some_and(|values| {
                        // Almost always all are the same: without a branch for each.
                        let differences = (0..addresses.len()).map(|index| {
                            values.add(index).read().addr() ^ addresses.get_unchecked(index).addr()
                        });
                        differences.fold(0, |all, one| all | one) == 0
                    }),
                    Self::Dict(version) => {
                        values_in_object(object).is_none() && version_of_dict(object) == Some(*version)
                    }
                }
            }
        }

        pub(super) fn share_with(&mut self, other: &Self) {
            if let (Self::Values { held, .. }, Self::Values { held: others, .. }) = (self, other) {
                held.retain(|value| !others.iter().any(|other| other.is(value)));
            }
        }

        pub(super) fn is_abandoned(&self) -> bool {
            match self {
                Self::Values { held, .. } => {
                    // SAFETY: held, so alive; attached, as all that looks at states is.
                    held.iter().any(|value| unsafe { ffi::Py_REFCNT(value.as_ptr()) } == 1)
                }
                Self::Dict(_) => false,
            }
        }
    }

    /// Whether nobody notices when `value` lives on: it is a number, a text, or refers to no other objects.
    fn is_plain_value(value: &Bound<'_, PyAny>) -> bool {
        value.is_instance_of::<PyInt>()
            || value.is_instance_of::<PyFloat>()
            || value.is_instance_of::<PyString>()
            // SAFETY: the class of a live object.
            || unsafe { ffi::PyType_HasFeature(value.get_type_ptr(), ffi::Py_TPFLAGS_HAVE_GC) == 0 }
    }
}
