//! Instances of classes that may be the program's, of which the attributes are read where the interpreter keeps them.
//!
//! Such a class is learned when one of its instances is met. What is known of it holds while the class has its version tag,
//! and for an instance while it has no attribute of a name that was not seen before, since that may be a method.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::interpreter::{self, Attached, Names, Places, Reading};

/// What is known of a class: the one of `logging` that it derives from and whose instances hold the same in themselves, and
/// what its instances have in common.
pub(crate) type Usual<'py, T> = Option<(Bound<'py, PyType>, T)>;

/// Classes of which the instances can be read.
pub(crate) struct Readable<const N: usize, T: 'static> {
    attributes: [&'static str; N],
    /// An instance that has one of these itself is not read.
    methods: &'static [&'static str],
    classes: Attached<Vec<ReadableClass<N, T>>>,
}

struct ReadableClass<const N: usize, T> {
    class: *mut ffi::PyTypeObject,
    version: u32,
    /// `None` for a class of which the instances are not usual, or cannot be read.
    usual: Option<(Places<N>, T)>,
    /// Sets of attributes in which no method is overridden.
    untouched: Vec<Names>,
}

impl<const N: usize, T> ReadableClass<N, T> {
    /// # Safety
    /// `object` is live and the thread is attached.
    #[inline]
    unsafe fn is_class_of(&self, object: *mut ffi::PyObject) -> bool {
        // SAFETY: by the contract. A version of a class, other than 0, belongs to no other class.
        unsafe {
            let class = ffi::Py_TYPE(object);
            self.class == class && (*class).tp_version_tag == self.version && self.version != 0
        }
    }
}

/// A program that makes classes without end must not fill the memory.
const MOST_CLASSES: usize = 16;
const MOST_SETS: usize = 16;

impl<const N: usize, T: Copy> Readable<N, T> {
    pub(crate) const fn new(attributes: [&'static str; N], methods: &'static [&'static str]) -> Self {
        Self { attributes, methods, classes: Attached::new(Vec::new()) }
    }

    /// What is known of the class of a live object.
    ///
    /// # Safety
    /// `object` is live and the thread is attached. The reference is used before anything else runs.
    #[inline]
    unsafe fn class_of(&self, object: *mut ffi::PyObject) -> Option<&ReadableClass<N, T>> {
        // SAFETY: by the contract.
        unsafe { (*self.classes.get()).iter().find(|entry| entry.is_class_of(object)) }
    }

    /// The attributes of `object`, all of which it has, if it is known to be a usual one.
    ///
    /// # Safety
    /// `object` is live and the thread is attached.
    #[inline]
    pub(crate) unsafe fn read(&self, object: *mut ffi::PyObject) -> Option<(Reading<N>, T)> {
        // SAFETY: by the contract; the version says that the class is the one that was learned.
        unsafe {
            let class = self.class_of(object)?;
            let (places, common) = class.usual.as_ref()?;
            let reading = places.read(object)?;
            let is_whole = (0..N).all(|index| !reading.get(index).is_null());
            (is_whole && class.untouched.contains(&reading.names)).then_some((reading, *common))
        }
    }

    /// Learns which attributes `object` has; `false` when one of them is a method, or it is not of a usual class, which
    /// `usual` says.
    pub(crate) fn learn<'py>(
        &self,
        object: &Bound<'py, PyAny>,
        usual: impl FnOnce(&Bound<'py, PyType>) -> PyResult<Usual<'py, T>>,
    ) -> PyResult<bool> {
        let class = object.get_type();
        // SAFETY: a live object; what is found is copied out.
        let places = || unsafe {
            self.class_of(object.as_ptr()).map(|class| class.usual.as_ref().map(|(places, _)| *places))
        };
        if places().is_none() {
            self.learn_class(&class, usual)?;
        }
        let Some(Some(places)) = places() else { return Ok(false) };
        for name in self.methods {
            // A method is bound anew each time.
            let name = PyString::intern(class.py(), name);
            let function = object.getattr(&name)?.getattr_opt("__func__")?;
            if !function.is_some_and(|function| class.getattr(&name).is_ok_and(|own| own.is(&function))) {
                return Ok(false);
            }
        }
        // SAFETY: a live instance of exactly this class; nothing runs while the entry is changed.
        unsafe {
            let classes = &mut *self.classes.get();
            let entry = classes.iter_mut().find(|entry| entry.is_class_of(object.as_ptr()));
            let (Some(reading), Some(entry)) = (places.read(object.as_ptr()), entry) else {
                return Ok(false);
            };
            if !entry.untouched.contains(&reading.names) {
                if entry.untouched.len() == MOST_SETS {
                    entry.untouched.clear();
                }
                entry.untouched.push(reading.names);
            }
        }
        Ok(true)
    }

    /// Learns whether instances of `class` are usual ones, and where they have their attributes.
    fn learn_class<'py>(
        &self,
        class: &Bound<'py, PyType>,
        usual: impl FnOnce(&Bound<'py, PyType>) -> PyResult<Usual<'py, T>>,
    ) -> PyResult<()> {
        let mut found = usual(class)?;
        for name in self.attributes {
            // It may stand before the instance's own.
            if class.getattr_opt(name)?.is_some() {
                found = None;
            }
        }
        let usual = match found {
            // A class that refuses to be instantiated is not read.
            Some((base, common)) if interpreter::is_laid_out_as(class, &base) => {
                Places::learn(class, self.attributes).unwrap_or(None).map(|places| (places, common))
            }
            _ => None,
        };
        let Some(version) = interpreter::type_version(class) else { return Ok(()) };
        let class = class.as_ptr().cast();
        // SAFETY: attached, and nothing runs while the table is changed.
        let classes = unsafe { &mut *self.classes.get() };
        classes.retain(|entry| entry.class != class);
        if classes.len() == MOST_CLASSES {
            classes.clear();
        }
        classes.push(ReadableClass { class, version, usual, untouched: Vec::new() });
        Ok(())
    }
}
