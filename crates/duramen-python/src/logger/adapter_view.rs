//! The attributes of adapters, read without asking for their dicts, and the loggers behind them.
//!
//! An adapter counts as usual where a call of it does what CPython's does: its class may be a subclass, with a `process`
//! of its own or without, but `log`, `isEnabledFor` and attribute access are nobody else's.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::classes::readable::{Readable, Usual};
use crate::classes::{self, Family};
use crate::interpreter::{self, Reading, intern, plain};

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

/// What a class has in common for its adapters: whether it has a `process` of its own.
static ADAPTERS: Readable<{ ATTRIBUTES.len() }, bool> =
    Readable::new(ATTRIBUTES, &["log", "isEnabledFor", "process"]);

/// So many adapters may stand before a logger; more are taken one by one.
const MOST_ADAPTERS: usize = 8;

/// The attributes of `adapter`, if it is known to be a usual one.
///
/// # Safety
/// `adapter` is live and the thread is attached.
#[inline]
unsafe fn read(adapter: *mut ffi::PyObject) -> Option<AdapterView> {
    // SAFETY: by the contract.
    let (reading, has_own_process) = unsafe { ADAPTERS.read(adapter) }?;
    Some(AdapterView { reading, has_own_process })
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
pub(crate) struct UsualAdapter {
    pub(crate) has_own_process: bool,
}

/// Looks closer at an adapter; `None` when it is not a usual one, so that its methods have to be called.
pub(crate) fn examine(adapter: &Bound<'_, PyAny>) -> PyResult<Option<UsualAdapter>> {
    // SAFETY: a live object.
    let read = || unsafe { read(adapter.as_ptr()) };
    let view = match read() {
        None if ADAPTERS.learn(adapter, usual_methods)? => read(),
        view => view,
    };
    Ok(view.map(|view| UsualAdapter { has_own_process: view.has_own_process }))
}

/// The class of `logging` that `class` is or derives from, and whether it has a `process` of its own; `None` when it has
/// anything else of its own that decides what a call does.
fn usual_methods<'py>(class: &Bound<'py, PyType>) -> PyResult<Usual<'py, bool>> {
    let py = class.py();
    for base in class.mro() {
        let Some(known) = classes::known_class(&base).filter(|known| known.is_native(Family::Adapter)) else {
            continue;
        };
        let overridden = known.overridden_in(class)?;
        let process = intern!(py, "process");
        let is_usual = overridden.iter().all(|name| name.is(process));
        return Ok(is_usual.then_some((base.cast_into()?, !overridden.is_empty())));
    }
    Ok(None)
}
