//! The attributes of loggers of which nothing is overridden, read without asking for their dicts.

use std::sync::Arc;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::classes::KnownClass;
use crate::interpreter::{self, Attached, Kept, Names, Places, Reading};

const ATTRIBUTES: [&str; 8] =
    ["filters", "name", "level", "parent", "propagate", "handlers", "disabled", "_cache"];

/// What a logger's instance holds at this moment, as borrowed references.
pub(crate) struct LoggerView(Reading<8>);

impl LoggerView {
    pub(crate) fn filters(&self) -> *mut ffi::PyObject {
        self.0.get(0)
    }

    pub(crate) fn name(&self) -> *mut ffi::PyObject {
        self.0.get(1)
    }

    pub(crate) fn parent(&self) -> *mut ffi::PyObject {
        self.0.get(3)
    }

    pub(crate) fn propagate(&self) -> *mut ffi::PyObject {
        self.0.get(4)
    }

    pub(crate) fn handlers(&self) -> *mut ffi::PyObject {
        self.0.get(5)
    }
}

/// What says which levels of a logger are enabled, as it was: references that the logger holds.
#[derive(Clone, Copy)]
pub(crate) struct LevelState(Kept<2>);

impl LevelState {
    /// The present state of `logger`, if it is exactly of one of our classes and nothing is overridden on it.
    pub(crate) fn of(logger: &Bound<'_, PyAny>) -> Option<Self> {
        // SAFETY: a live logger, attached, and nothing runs meanwhile.
        unsafe {
            let (entry, reading) = find(logger.as_ptr())?;
            // The cache and whether it is disabled.
            Some(Self(entry.places.keep(logger.as_ptr(), &reading, [7, 6])))
        }
    }

    /// # Safety
    /// `logger` is live and the thread is attached.
    #[inline]
    pub(crate) unsafe fn holds(&self, logger: *mut ffi::PyObject) -> bool {
        // SAFETY: by the contract.
        unsafe { self.0.holds(logger) }
    }

    pub(crate) fn cache(&self) -> *mut ffi::PyObject {
        self.0.get(0)
    }

    pub(crate) fn disabled(&self) -> *mut ffi::PyObject {
        self.0.get(1)
    }
}

/// What leads a record on its way from a logger, as it was: references that the logger holds.
pub(crate) struct LoggerState(Kept<5>);

impl LoggerState {
    /// The present state of `logger`, if it is exactly of one of our classes and nothing is overridden on it.
    pub(crate) fn of(logger: &Bound<'_, PyAny>) -> Option<Self> {
        // SAFETY: a live logger, attached, and nothing runs meanwhile.
        unsafe {
            let (entry, reading) = find(logger.as_ptr())?;
            // Filters, name, parent, handlers and propagate.
            Some(Self(entry.places.keep(logger.as_ptr(), &reading, [0, 1, 3, 5, 4])))
        }
    }

    /// # Safety
    /// `logger` is live and the thread is attached.
    #[inline]
    pub(crate) unsafe fn holds(&self, logger: *mut ffi::PyObject) -> bool {
        // SAFETY: by the contract.
        unsafe { self.0.holds(logger) }
    }

    pub(crate) fn filters(&self) -> *mut ffi::PyObject {
        self.0.get(0)
    }

    pub(crate) fn name(&self) -> *mut ffi::PyObject {
        self.0.get(1)
    }

    pub(crate) fn parent(&self) -> *mut ffi::PyObject {
        self.0.get(2)
    }

    pub(crate) fn handlers(&self) -> *mut ffi::PyObject {
        self.0.get(3)
    }
}

/// A class of loggers of which the attributes can be read.
struct LoggerClass {
    class: *mut ffi::PyTypeObject,
    known: Arc<KnownClass>,
    places: Places<8>,
    /// Sets of attributes in which no method is overridden.
    untouched: Vec<Names>,
}

/// `Logger` and `RootLogger`, of Duramen's own run of `logging` and of the standard library's.
static CLASSES: Attached<Vec<LoggerClass>> = Attached::new(Vec::new());

/// Loggers with attributes of their own come in few kinds; a program that gives each another set gets no more.
const MOST_SETS: usize = 16;

/// Makes the loggers of `class` readable, if the interpreter keeps their attributes as expected.
pub(crate) fn learn(class: &Bound<'_, PyType>, known: Arc<KnownClass>) -> PyResult<()> {
    let address = class.as_ptr().cast::<ffi::PyTypeObject>();
    let places = Places::learn(class, ATTRIBUTES)?;
    // SAFETY: attached, and nothing in here runs Python code.
    let classes = unsafe { &mut *CLASSES.get() };
    classes.retain(|class| class.class != address);
    if let Some(places) = places {
        classes.push(LoggerClass { class: address, known, places, untouched: Vec::new() });
    }
    Ok(())
}

/// The attributes of `logger`, if it is exactly of one of our classes and nothing is overridden on it.
///
/// # Safety
/// `logger` is a live object and the thread is attached.
#[inline]
pub(crate) unsafe fn read(logger: *mut ffi::PyObject) -> Option<LoggerView> {
    // SAFETY: by the contract.
    unsafe { find(logger).map(|(_, reading)| LoggerView(reading)) }
}

/// # Safety
/// As for [`read`]; the entry is used before anything else runs.
#[inline]
unsafe fn find<'a>(logger: *mut ffi::PyObject) -> Option<(&'a LoggerClass, Reading<8>)> {
    // SAFETY: a live object; the class entry stands for exactly its class; nothing here runs Python code.
    unsafe {
        let class = ffi::Py_TYPE(logger);
        let entry = (*CLASSES.get()).iter().find(|entry| entry.class == class)?;
        if !entry.known.is_verified((*class).tp_version_tag) {
            return None;
        }
        let reading = entry.places.read(logger)?;
        entry.untouched.contains(&reading.names).then_some((entry, reading))
    }
}

/// The attributes of `logger`; to be used before anything runs that could change them.
pub(crate) fn of(logger: &Bound<'_, PyAny>) -> Option<LoggerView> {
    // SAFETY: a live logger.
    unsafe { read(logger.as_ptr()) }
}

/// Looks closer at a logger that could not be read: whether it can be from now on.
pub(crate) fn examine(logger: &Bound<'_, PyAny>) -> PyResult<bool> {
    let class = logger.get_type().as_ptr().cast::<ffi::PyTypeObject>();
    let find = || {
        // SAFETY: attached; what is found is copied out before anything else runs.
        let classes = unsafe { &*CLASSES.get() };
        let entry = classes.iter().find(|entry| entry.class == class)?;
        Some((Arc::clone(&entry.known), entry.places))
    };
    let Some((known, places)) = find() else { return Ok(false) };
    if !known.verify(logger.py())? || !known.is_untouched_instance(logger)? {
        return Ok(false);
    }
    // SAFETY: a live instance of exactly this class.
    let Some(reading) = (unsafe { places.read(logger.as_ptr()) }) else { return Ok(false) };
    // SAFETY: attached; nothing runs while the reference lives.
    let classes = unsafe { &mut *CLASSES.get() };
    if let Some(entry) = classes.iter_mut().find(|entry| entry.class == class)
        && !entry.untouched.contains(&reading.names)
    {
        if entry.untouched.len() == MOST_SETS {
            entry.untouched.clear();
        }
        entry.untouched.push(reading.names);
    }
    Ok(interpreter::type_version(&logger.get_type()).is_some_and(|version| known.is_verified(version)))
}
