//! The attributes of adapters, read without asking for their dicts, and the loggers behind them.
//!
//! An adapter counts as usual where a call of it does what CPython's does: its class may be a subclass, with a `process`
//! of its own or without, but `log`, `isEnabledFor` and attribute access are nobody else's.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::classes::{self, Family};
use crate::interpreter::plain;
use crate::interpreter::{self, Attached, Names, Places, Reading, intern};

/// `merge_extra` came with CPython 3.13.
#[cfg(Py_3_13)]
const ATTRIBUTES: [&str; 3] = ["logger", "extra", "merge_extra"];
#[cfg(not(Py_3_13))]
const ATTRIBUTES: [&str; 2] = ["logger", "extra"];

/// What an adapter's instance holds at this moment, as borrowed references.
pub(crate) struct AdapterView {
    reading: Reading<{ ATTRIBUTES.len() }>,
    /// Whether its class has a `process` of its own.
    has_own_process: bool,
}

impl AdapterView {
    pub(crate) fn logger(&self) -> *mut ffi::PyObject {
        self.reading.get(0)
    }

    fn extra(&self) -> *mut ffi::PyObject {
        self.reading.get(1)
    }

    /// Whether the fields of a call are joined with the adapter's; `None` where only the interpreter can tell.
    #[cfg(Py_3_13)]
    fn merges(&self) -> Option<bool> {
        let merges = self.reading.get(2);
        // SAFETY: compares addresses.
        unsafe { [ffi::Py_False(), ffi::Py_True()] }
            .iter()
            .position(|truth| *truth == merges)
            .map(|at| at == 1)
    }

    #[cfg(not(Py_3_13))]
    #[expect(clippy::unnecessary_wraps, reason = "as for CPython 3.13")]
    fn merges(&self) -> Option<bool> {
        let _ = self;
        Some(false)
    }
}

/// A class of adapters.
struct AdapterClass {
    class: *mut ffi::PyTypeObject,
    version: u32,
    /// `None` for a class of which the adapters are not usual, or cannot be read.
    places: Option<Places<{ ATTRIBUTES.len() }>>,
    has_own_process: bool,
    /// Sets of attributes in which no method is overridden.
    untouched: Vec<Names>,
}

static CLASSES: Attached<Vec<AdapterClass>> = Attached::new(Vec::new());

/// A program that makes classes without end must not fill the memory.
const MOST_CLASSES: usize = 16;
const MOST_SETS: usize = 16;

/// So many adapters may stand before a logger; more are taken one by one.
const MOST_ADAPTERS: usize = 8;

/// What is known of the class of a live object.
///
/// # Safety
/// `adapter` is live and the thread is attached. The reference is used before anything else runs.
#[inline]
unsafe fn class_of<'a>(adapter: *mut ffi::PyObject) -> Option<&'a mut AdapterClass> {
    // SAFETY: by the contract. A version of a class, other than 0, belongs to no other class.
    unsafe {
        let class = ffi::Py_TYPE(adapter);
        let version = (*class).tp_version_tag;
        (*CLASSES.get())
            .iter_mut()
            .find(|entry| entry.class == class && entry.version == version && version != 0)
    }
}

/// The attributes of `adapter`, if it is known to be a usual one.
///
/// # Safety
/// `adapter` is live and the thread is attached.
#[inline]
unsafe fn read(adapter: *mut ffi::PyObject) -> Option<AdapterView> {
    // SAFETY: by the contract; the version says that the class is the one that was learned.
    unsafe {
        let class = class_of(adapter)?;
        let reading = class.places.as_ref()?.read(adapter)?;
        let is_whole = (0..ATTRIBUTES.len()).all(|index| !reading.get(index).is_null());
        (is_whole && class.untouched.contains(&reading.names))
            .then_some(AdapterView { reading, has_own_process: class.has_own_process })
    }
}

/// The attributes of `adapter`, and of the adapters behind it that are known to be usual ones.
///
/// # Safety
/// As for [`read`]; nothing runs while the views are used.
unsafe fn chain(adapter: *mut ffi::PyObject) -> impl Iterator<Item = AdapterView> {
    let mut next = adapter;
    (0..MOST_ADAPTERS).map_while(move |_| {
        // SAFETY: by the contract; each adapter holds its logger.
        let view = unsafe { read(next) }?;
        next = view.logger();
        Some(view)
    })
}

/// What is behind `adapter` and further ones, if none of them does anything but giving records its fields.
///
/// # Safety
/// `adapter` is live and the thread is attached; what is given is borrowed from the adapters.
#[inline]
pub(crate) unsafe fn logger_behind(adapter: *mut ffi::PyObject) -> Option<*mut ffi::PyObject> {
    let mut logger = None;
    // SAFETY: by the contract, and nothing runs.
    for view in unsafe { chain(adapter) } {
        if view.has_own_process {
            return None;
        }
        logger = Some(view.logger());
    }
    logger
}

/// The extra fields that the logger is given for a call with `given`, by adapters for which [`logger_behind`] has just
/// found one; `None` where only the interpreter can tell.
pub(crate) fn fields<'py>(
    adapter: Borrowed<'_, 'py, PyAny>,
    given: Option<Borrowed<'_, 'py, PyAny>>,
) -> Option<Bound<'py, PyAny>> {
    let py = adapter.py();
    let mut fields = given.map(Borrowed::to_owned);
    // SAFETY: a live object; exact dicts with texts for keys are joined without running anything.
    for view in unsafe { chain(adapter.as_ptr()) } {
        // SAFETY: the adapter holds its fields.
        let own = unsafe { Bound::from_borrowed_ptr(py, view.extra()) };
        let merges = view.merges()?;
        fields = Some(match fields {
            Some(given) if merges => joined(&own, &given)?.into_any(),
            _ => own,
        });
    }
    fields
}

/// `{**first, **second}`, without running anything: `None` where that could.
fn joined<'py>(first: &Bound<'py, PyAny>, second: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    let [first, second] = [first, second].map(|dict| dict.cast_exact::<PyDict>().ok());
    let (first, second) = (first?, second?);
    let are_texts = |dict: &Bound<'py, PyDict>| {
        // SAFETY: the dict holds its keys.
        interpreter::entries(dict).all(|(name, _)| unsafe { plain::text(name.as_ptr()) }.is_some())
    };
    (are_texts(first) && are_texts(second)).then_some(())?;
    let all = first.copy().ok()?;
    all.update(second.as_mapping()).ok()?;
    Some(all)
}

/// What is known of a usual adapter.
#[derive(Clone, Copy)]
pub(crate) struct Usual {
    pub(crate) has_own_process: bool,
}

/// Looks closer at an adapter; `None` when it is not a usual one, so that its methods have to be called.
pub(crate) fn examine(adapter: &Bound<'_, PyAny>) -> PyResult<Option<Usual>> {
    // SAFETY: a live object.
    let read = || unsafe { read(adapter.as_ptr()) };
    let view = match read() {
        None if learn(adapter)? => read(),
        view => view,
    };
    Ok(view.map(|view| Usual { has_own_process: view.has_own_process }))
}

/// Learns which attributes `adapter` has; `false` when one of them is a method, or it is not of a usual class.
fn learn(adapter: &Bound<'_, PyAny>) -> PyResult<bool> {
    let class = adapter.get_type();
    // SAFETY: a live object; what is found is copied out.
    let places = || unsafe { class_of(adapter.as_ptr()).map(|class| class.places) };
    if places().is_none() {
        learn_class(&class)?;
    }
    let Some(Some(places)) = places() else { return Ok(false) };
    for name in
        [intern!(class.py(), "log"), intern!(class.py(), "isEnabledFor"), intern!(class.py(), "process")]
    {
        // A method is bound anew each time.
        let function = adapter.getattr(name)?.getattr_opt(intern!(class.py(), "__func__"))?;
        if !function.is_some_and(|function| class.getattr(name).is_ok_and(|own| own.is(&function))) {
            return Ok(false);
        }
    }
    // SAFETY: a live instance of exactly this class; nothing runs while the entry is changed.
    unsafe {
        let (Some(reading), Some(entry)) = (places.read(adapter.as_ptr()), class_of(adapter.as_ptr())) else {
            return Ok(false);
        };
        if entry.untouched.len() == MOST_SETS {
            entry.untouched.clear();
        }
        entry.untouched.push(reading.names);
    }
    Ok(true)
}

/// Learns whether adapters of `class` are usual ones, and where they have their attributes.
fn learn_class(class: &Bound<'_, PyType>) -> PyResult<()> {
    let found = usual_methods(class)?;
    let places = match &found {
        Some((base, _)) if interpreter::is_laid_out_as(class, base) => {
            // A class that refuses to be instantiated is not read.
            Places::learn(class, ATTRIBUTES).unwrap_or(None)
        }
        _ => None,
    };
    let Some(version) = interpreter::type_version(class) else { return Ok(()) };
    let has_own_process = found.is_some_and(|(_, has_own_process)| has_own_process);
    let class = class.as_ptr().cast();
    // SAFETY: attached, and nothing runs while the table is changed.
    let classes = unsafe { &mut *CLASSES.get() };
    classes.retain(|entry| entry.class != class);
    if classes.len() == MOST_CLASSES {
        classes.clear();
    }
    classes.push(AdapterClass { class, version, places, has_own_process, untouched: Vec::new() });
    Ok(())
}

/// The class of `logging` that `class` is or derives from, and whether it has a `process` of its own; `None` when it has
/// anything else of its own that decides what a call does.
fn usual_methods<'py>(class: &Bound<'py, PyType>) -> PyResult<Option<(Bound<'py, PyType>, bool)>> {
    let py = class.py();
    for base in class.mro() {
        let Some(known) = classes::known_class(&base).filter(|known| known.is_native(Family::Adapter)) else {
            continue;
        };
        for name in ATTRIBUTES {
            if class.getattr_opt(name)?.is_some() {
                return Ok(None);
            }
        }
        let overridden = known.overridden_in(class)?;
        let process = intern!(py, "process");
        let is_usual = overridden.iter().all(|name| name.is(process));
        return Ok(is_usual.then_some((base.cast_into()?, !overridden.is_empty())));
    }
    Ok(None)
}
