//! Which thread runs, as the `threading` module tells it.
//!
//! Its functions are Python functions, which cost more than all else in making a record. While they are the
//! interpreter's own, what they would find is looked up where they look it up. A program that puts others in
//! their place, as those with green threads do, is asked through these.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyModule};

use crate::classes::globals;
use crate::interpreter::{self, Attached, State, intern};
use crate::record::surroundings::{Seen, Shown};

/// The `threading` module while its functions are the interpreter's own.
struct Usual {
    /// The globals of `logging`, which hold the module.
    globals: Seen,
    module: Py<PyDict>,
    version: u64,
    /// `None` when they are not.
    functions: Option<Functions>,
}

struct Functions {
    /// The threads by their identifiers.
    active: Py<PyDict>,
    /// The property that gives a thread's name.
    name: Py<PyAny>,
    /// A class that has been found to have that property, by its address and its version tag.
    class: Cell<(usize, u32)>,
    /// The last thread that was asked for.
    last: RefCell<Option<Rc<Last>>>,
}

/// A thread by its identifier, as a number and as an object.
struct Last {
    number: u64,
    identifier: Py<PyAny>,
    /// The thread itself, which the dict of all threads holds while that has this version.
    thread: Cell<(*mut ffi::PyObject, u64)>,
}

static KNOWN: Attached<Option<Rc<Usual>>> = Attached::new(None);

/// Identifier and name of the running thread, or `None` twice when `logThreads` is off.
pub(crate) fn current(py: Python<'_>) -> PyResult<(Bound<'_, PyAny>, Bound<'_, PyAny>)> {
    if !Shown::Threads.is_on(py)? {
        return Ok((py.None().into_bound(py), py.None().into_bound(py)));
    }
    if let Some(usual) = usual(py)?
        && let Some(found) = usual.find(py)?
    {
        return Ok(found);
    }
    let threading = globals::get(py, intern!(py, "threading"))?;
    Ok((
        threading.call_method0(intern!(py, "get_ident"))?,
        threading.call_method0(intern!(py, "current_thread"))?.getattr(intern!(py, "name"))?,
    ))
}

/// A thread as it was when its identifier and its name were found.
///
/// What is compared holds what is compared next: the globals of `logging` the module, its dict that of all threads, that
/// one the thread.
pub(crate) struct Running {
    globals: Seen,
    module: Seen,
    active: Seen,
    number: u64,
    thread: *mut ffi::PyObject,
    state: State,
}

impl Running {
    /// The running thread; `None` where its name is not found without the functions of the module.
    pub(crate) fn now(py: Python<'_>) -> PyResult<Option<Self>> {
        let Some(usual) = usual(py)? else { return Ok(None) };
        let Some(functions) = &usual.functions else { return Ok(None) };
        let last = functions.last(py)?;
        let Some(thread) = functions.thread(py, &last)? else { return Ok(None) };
        if !functions.have_name(&thread)? {
            return Ok(None);
        }
        let (number, thread_object) = (last.number, thread.as_ptr());
        let (module, active) = (Seen::of(usual.module.bind(py)), Seen::of(functions.active.bind(py)));
        let state = State::of(&thread);
        let globals = usual.globals;
        Ok(state.map(|state| Self { globals, module, active, number, thread: thread_object, state }))
    }

    /// Whether the same thread runs, and all is as it was.
    #[inline]
    pub(crate) fn holds(&self) -> bool {
        interpreter::thread_identifier() == self.number
            && self.globals == Seen::globals()
            && self.module.holds()
            && self.active.holds()
            // SAFETY: the dict of all threads is as it was when it held the thread, and all callers are attached.
            && unsafe { self.state.holds(self.thread) }
    }
}

/// What is known of the module that `logging` has; `None` for something else in its place.
fn usual(py: Python<'_>) -> PyResult<Option<Rc<Usual>>> {
    // SAFETY: attached; the reference lives only for the clone.
    let known = unsafe { (*KNOWN.get()).clone() };
    if let Some(known) = known.filter(|known| known.holds()) {
        return Ok(Some(known));
    }
    let threading = globals::get(py, intern!(py, "threading"))?;
    let Ok(module) = threading.cast_exact::<PyModule>().map(PyModuleMethods::dict) else { return Ok(None) };
    // SAFETY: a live dict, and attached.
    let version = unsafe { interpreter::dict_version(module.as_ptr()) };
    let functions = Functions::of(&module)?;
    let read = Rc::new(Usual { globals: Seen::globals(), module: module.unbind(), version, functions });
    // SAFETY: attached; the previous value is dropped after the place has the new one.
    let previous = unsafe { (*KNOWN.get()).replace(Rc::clone(&read)) };
    drop(previous);
    Ok(Some(read))
}

impl Usual {
    /// Whether `logging` has the same module, and that has not changed.
    fn holds(&self) -> bool {
        // SAFETY: the dict is held, and all callers are attached.
        self.globals == Seen::globals()
            && unsafe { interpreter::dict_version(self.module.as_ptr()) } == self.version
    }

    /// Identifier and name of the running thread without the functions of the module; `None` when only they can tell.
    fn find<'py>(&self, py: Python<'py>) -> PyResult<Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
        let Some(functions) = &self.functions else { return Ok(None) };
        let last = functions.last(py)?;
        // A thread that was not started by the module gets its entry there.
        let Some(thread) = functions.thread(py, &last)? else { return Ok(None) };
        if !functions.have_name(&thread)? {
            return Ok(None);
        }
        let name = interpreter::optional_attribute(&thread, intern!(py, "_name"))?;
        Ok(name.map(|name| (last.identifier.bind(py).clone(), name)))
    }
}

impl Functions {
    fn of(module: &Bound<'_, PyDict>) -> PyResult<Option<Self>> {
        let parts = ["get_ident", "current_thread", "_active", "Thread"].map(|name| module.get_item(name));
        let [Ok(Some(get_ident)), Ok(Some(current_thread)), Ok(Some(active)), Ok(Some(thread))] = parts
        else {
            return Ok(None);
        };
        let Some(name) = thread.getattr_opt("name")? else { return Ok(None) };
        let Some(get_name) = name.getattr_opt("fget")? else { return Ok(None) };
        let is_usual = get_ident.is_exact_instance_of::<PyCFunction>()
            && get_ident.getattr("__module__")?.eq("_thread")?
            && globals::is_function_of(&current_thread, "current_thread", module)?
            && globals::is_function_of(&get_name, "name", module)?;
        let Ok(active) = active.cast_into_exact::<PyDict>() else { return Ok(None) };
        Ok(is_usual.then(|| Self {
            active: active.unbind(),
            name: name.unbind(),
            class: Cell::default(),
            last: RefCell::default(),
        }))
    }

    /// The running thread.
    fn last(&self, py: Python<'_>) -> PyResult<Rc<Last>> {
        let number = interpreter::thread_identifier();
        if let Some(last) = &*self.last.borrow()
            && last.number == number
        {
            return Ok(Rc::clone(last));
        }
        let identifier = number.into_pyobject(py)?.into_any().unbind();
        let last = Rc::new(Last { number, identifier, thread: Cell::new((std::ptr::null_mut(), 0)) });
        let previous = self.last.replace(Some(Rc::clone(&last)));
        drop(previous);
        Ok(last)
    }

    /// The object of a thread, if it has one.
    fn thread<'py>(&self, py: Python<'py>, last: &Last) -> PyResult<Option<Bound<'py, PyAny>>> {
        let active = self.active.bind(py);
        // SAFETY: a live dict, and attached.
        let version = unsafe { interpreter::dict_version(active.as_ptr()) };
        let (known, seen) = last.thread.get();
        if !known.is_null() && seen == version {
            // SAFETY: the dict is as it was when it held the thread.
            return Ok(Some(unsafe { Bound::from_borrowed_ptr(py, known) }));
        }
        let thread = active.get_item(&last.identifier)?;
        if let Some(thread) = &thread {
            last.thread.set((thread.as_ptr(), version));
        }
        Ok(thread)
    }

    /// Whether the name of `thread` is what the module's own class says.
    fn have_name(&self, thread: &Bound<'_, PyAny>) -> PyResult<bool> {
        let class = thread.get_type();
        let seen = (class.as_ptr() as usize, interpreter::type_version(&class).unwrap_or(0));
        if self.class.get() == seen && seen.1 != 0 {
            return Ok(true);
        }
        let has_name = class.getattr(intern!(thread.py(), "name"))?.is(&self.name);
        if has_name {
            self.class.set(seen);
        }
        Ok(has_name)
    }
}
