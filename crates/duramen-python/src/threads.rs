//! Which thread runs, as the `threading` module tells it.
//!
//! Its functions are Python functions, which cost more than all else in making a record. While they are the
//! interpreter's own, what they would find is looked up where they look it up. A program that puts others in
//! their place, as those with green threads do, is asked through these.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyModule};

use crate::globals;
use crate::interpreter::{self, Attached, intern};
use crate::surroundings::Shown;

/// The `threading` module while its functions are the interpreter's own.
struct Usual {
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
    /// The last thread that was asked for, as a number and as an object.
    last: RefCell<Option<(u64, Py<PyAny>)>>,
}

static KNOWN: Attached<Option<Rc<Usual>>> = Attached::new(None);

/// Identifier and name of the running thread, or `None` twice when `logThreads` is off.
pub(crate) fn current(py: Python<'_>) -> PyResult<(Bound<'_, PyAny>, Bound<'_, PyAny>)> {
    if !Shown::Threads.is_on(py)? {
        return Ok((py.None().into_bound(py), py.None().into_bound(py)));
    }
    let threading = globals::get(py, intern!(py, "threading"))?;
    if let Some(found) = find(&threading)? {
        return Ok(found);
    }
    Ok((
        threading.call_method0(intern!(py, "get_ident"))?,
        threading.call_method0(intern!(py, "current_thread"))?.getattr(intern!(py, "name"))?,
    ))
}

/// The same without the functions of the module; `None` when only they can tell.
fn find<'py>(threading: &Bound<'py, PyAny>) -> PyResult<Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    let py = threading.py();
    let Ok(threading) = threading.cast_exact::<PyModule>() else { return Ok(None) };
    let usual = usual(threading)?;
    let Some(functions) = &usual.functions else { return Ok(None) };
    let identifier = functions.identifier(py)?;
    // A thread that was not started by the module gets its entry there.
    let Some(thread) = functions.active.bind(py).get_item(&identifier)? else { return Ok(None) };
    if !functions.have_name(&thread)? {
        return Ok(None);
    }
    let name = interpreter::optional_attribute(&thread, intern!(py, "_name"))?;
    Ok(name.map(|name| (identifier, name)))
}

fn usual(threading: &Bound<'_, PyModule>) -> PyResult<Rc<Usual>> {
    let module = threading.dict();
    // SAFETY: a live dict, and attached.
    let version = unsafe { interpreter::dict_version(module.as_ptr()) };
    // SAFETY: attached; the reference lives only for the clone.
    let known = unsafe { (*KNOWN.get()).clone() };
    if let Some(known) = known.filter(|known| known.module.is(&module) && known.version == version) {
        return Ok(known);
    }
    let functions = Functions::of(&module)?;
    let read = Rc::new(Usual { module: module.unbind(), version, functions });
    // SAFETY: attached; the previous value is dropped after the place has the new one.
    let previous = unsafe { (*KNOWN.get()).replace(Rc::clone(&read)) };
    drop(previous);
    Ok(read)
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

    /// The identifier of the running thread.
    fn identifier<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let number = interpreter::thread_identifier();
        if let Some((last, object)) = &*self.last.borrow()
            && *last == number
        {
            return Ok(object.bind(py).clone());
        }
        let object = number.into_pyobject(py)?.into_any();
        let previous = self.last.replace(Some((number, object.clone().unbind())));
        drop(previous);
        Ok(object)
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
