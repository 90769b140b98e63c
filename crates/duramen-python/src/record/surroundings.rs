//! What a record shows of the process and the task that runs.
//!
//! What is asked for each record is remembered while the dicts in which it was found are as they were: that of
//! `logging`, that of `sys`, `sys.modules` and that of `os`.

use std::rc::Rc;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyModule, PyString};

use crate::classes;
use crate::classes::globals;
use crate::interpreter::{self, Attached, forks, intern};
use crate::record::{around, threads};

/// Where a record is made: the values of its fields, `None` for what is not shown.
pub(crate) struct Surroundings<'py> {
    pub(crate) thread: Bound<'py, PyAny>,
    pub(crate) thread_name: Bound<'py, PyAny>,
    pub(crate) process_name: Bound<'py, PyAny>,
    pub(crate) process: Bound<'py, PyAny>,
    pub(crate) task_name: Bound<'py, PyAny>,
    /// Whether something was asked that may have run code of the program's.
    pub(crate) has_asked: bool,
}

impl<'py> Surroundings<'py> {
    pub(crate) fn now(py: Python<'py>) -> PyResult<Self> {
        if let Some(unchanged) = around::unchanged(py)? {
            return Ok(unchanged);
        }
        let (thread, thread_name) = threads::current(py)?;
        let found = Self {
            thread,
            thread_name,
            process_name: process_name(py)?,
            process: process(py)?,
            task_name: task_name(py)?,
            has_asked: true,
        };
        around::remember(&found)?;
        Ok(found)
    }
}

/// What records show: the globals of `logging` that say so.
#[derive(Clone, Copy)]
pub(crate) enum Shown {
    Threads,
    Multiprocessing,
    Processes,
    /// From CPython 3.12 on.
    Tasks,
}

/// The answers, a bit for each, and the globals that gave them.
static SHOWN: Attached<Option<(Seen, u8)>> = Attached::new(None);

impl Shown {
    pub(crate) fn is_on(self, py: Python<'_>) -> PyResult<bool> {
        // SAFETY: attached; copied out.
        if let Some((globals, answers)) = unsafe { *SHOWN.get() }
            && globals == Seen::globals()
        {
            return Ok(answers & self.bit() != 0);
        }
        let globals = Seen::globals();
        let mut answers = 0;
        for (one, name) in [
            (Self::Threads, intern!(py, "logThreads")),
            (Self::Multiprocessing, intern!(py, "logMultiprocessing")),
            (Self::Processes, intern!(py, "logProcesses")),
            (Self::Tasks, intern!(py, "logAsyncioTasks")),
        ] {
            let exists = !matches!(one, Self::Tasks) || globals::python_minor(py) >= 12;
            if exists && globals::is_true(py, name)? {
                answers |= one.bit();
            }
        }
        // SAFETY: attached; nothing in it has to be dropped.
        unsafe { *SHOWN.get() = Some((globals, answers)) };
        Ok(answers & self.bit() != 0)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A dict and its version at one moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen(*mut ffi::PyObject, u64);

impl Seen {
    pub(crate) fn of(dict: &Bound<'_, PyDict>) -> Self {
        // SAFETY: a live dict.
        Self(dict.as_ptr(), unsafe { interpreter::dict_version(dict.as_ptr()) })
    }

    /// The globals of `logging`.
    pub(crate) fn globals() -> Self {
        let owner = globals::owner_pointer();
        // SAFETY: a live dict, if there is one.
        Self(owner, if owner.is_null() { 0 } else { unsafe { interpreter::dict_version(owner) } })
    }

    /// Whether the dict, which is alive, is as it was.
    pub(crate) fn holds(self) -> bool {
        // SAFETY: by the contract.
        unsafe { interpreter::dict_version(self.0) == self.1 }
    }
}

/// The modules that a record has something from, once the program has imported them; null before.
#[derive(Clone, Copy)]
pub(super) struct Imported {
    /// The globals, which hold `sys`, whose dict holds `modules`, which holds the rest: each that is as it was
    /// keeps the next one alive, and the last one what follows.
    globals: Seen,
    sys: Seen,
    modules: Seen,
    pub(super) asyncio: *mut ffi::PyObject,
    pub(super) multiprocessing: *mut ffi::PyObject,
    open_telemetry: *mut ffi::PyObject,
}

static IMPORTED: Attached<Option<Imported>> = Attached::new(None);

impl Imported {
    /// Whether nothing was imported since, nor anything else changed.
    #[inline]
    pub(super) fn holds(&self) -> bool {
        self.globals == Seen::globals() && self.sys.holds() && self.modules.holds()
    }

    /// What was found last, if it still holds.
    pub(super) fn known() -> Option<Self> {
        // SAFETY: attached; copied out.
        let known = unsafe { *IMPORTED.get() }?;
        known.holds().then_some(known)
    }

    /// `None` when `sys` or `sys.modules` is of an unusual kind.
    fn now(py: Python<'_>) -> PyResult<Option<Self>> {
        if let Some(known) = Self::known() {
            return Ok(Some(known));
        }
        let sys = globals::get(py, intern!(py, "sys"))?;
        let Ok(sys) = sys.cast_exact::<PyModule>().map(PyModuleMethods::dict) else { return Ok(None) };
        let modules = sys.get_item(intern!(py, "modules"))?;
        let Some(Ok(modules)) = modules.map(Bound::cast_into_exact::<PyDict>) else { return Ok(None) };
        let find = |name: &Bound<'_, PyString>| -> PyResult<_> {
            let module = modules.get_item(name)?.filter(|module| !module.is_none());
            Ok(module.map_or(std::ptr::null_mut(), |module| module.as_ptr()))
        };
        let found = Self {
            globals: Seen::globals(),
            sys: Seen::of(&sys),
            modules: Seen::of(&modules),
            asyncio: find(intern!(py, "asyncio"))?,
            multiprocessing: find(intern!(py, "multiprocessing"))?,
            open_telemetry: find(intern!(py, "opentelemetry.trace"))?,
        };
        // SAFETY: attached; nothing in it has to be dropped.
        unsafe { *IMPORTED.get() = Some(found) };
        Ok(Some(found))
    }
}

/// The module that `pick` chooses, or that `sys.modules` has under `name`.
fn imported_module<'py>(
    py: Python<'py>,
    pick: fn(&Imported) -> *mut ffi::PyObject,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Some(imported) = Imported::now(py)? {
        // SAFETY: `sys.modules` holds the module, and nothing has run.
        return Ok(unsafe { Bound::from_borrowed_ptr_or_opt(py, pick(&imported)) });
    }
    let modules = globals::get(py, intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
    let module = modules.call_method1(intern!(py, "get"), (name,))?;
    Ok((!module.is_none()).then_some(module))
}

/// Name of the process as `multiprocessing` knows it, or `None` when `logMultiprocessing` is off.
pub(crate) fn process_name(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    if !Shown::Multiprocessing.is_on(py)? {
        return Ok(py.None().into_bound(py));
    }
    let main = intern!(py, "MainProcess").clone().into_any();
    let name = intern!(py, "multiprocessing");
    let Some(multiprocessing) = imported_module(py, |imported| imported.multiprocessing, name)? else {
        return Ok(main);
    };
    // The module may be half imported when an import hook logs.
    let name = multiprocessing
        .call_method0(intern!(py, "current_process"))
        .and_then(|process| process.getattr(intern!(py, "name")));
    ordinary_error_as(name, main)
}

/// OpenTelemetry's API for traces, if the program has imported it.
pub(crate) fn open_telemetry(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    imported_module(py, |imported| imported.open_telemetry, intern!(py, "opentelemetry.trace"))
}

/// The same as long as it is known without asking, and null if the program has not imported it. It lives until something
/// runs.
pub(crate) fn known_open_telemetry() -> Option<*mut ffi::PyObject> {
    Imported::known().map(|known| known.open_telemetry)
}

/// The identifier that `os.getpid`, the built-in function, gave in this process.
struct Identifier {
    found: Process,
    object: Py<PyAny>,
}

/// The process in which something was found.
#[derive(Clone, Copy)]
pub(super) struct Process {
    /// The globals, which hold `os`.
    globals: Seen,
    os: Seen,
    forks: u64,
}

impl Process {
    /// Whether it is this one, and nobody has changed where its identifier is from.
    #[inline]
    pub(super) fn holds(&self) -> bool {
        self.globals == Seen::globals() && self.os.holds() && self.forks == forks::count()
    }

    /// The one whose identifier was asked for last.
    pub(super) fn known() -> Option<Self> {
        // SAFETY: attached; copied out.
        unsafe { (*IDENTIFIER.get()).as_ref().map(|known| known.found) }.filter(Self::holds)
    }
}

static IDENTIFIER: Attached<Option<Identifier>> = Attached::new(None);

/// Identifier of the process, or `None` when `logProcesses` is off.
pub(crate) fn process(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    if !Shown::Processes.is_on(py)? {
        return Ok(py.None().into_bound(py));
    }
    // SAFETY: attached; the reference lives only for the comparison and the clone.
    if let Some(known) = unsafe { &*IDENTIFIER.get() }
        && known.found.holds()
    {
        return Ok(known.object.bind(py).clone());
    }
    let os = globals::get(py, intern!(py, "os"))?;
    let Some(get_identifier) = os.getattr_opt(intern!(py, "getpid"))? else {
        return Ok(py.None().into_bound(py));
    };
    let identifier = get_identifier.call0()?;
    if let Ok(module) = os.cast_exact::<PyModule>()
        && get_identifier.is_exact_instance_of::<PyCFunction>()
        && forks::are_counted()
    {
        let found = Process { globals: Seen::globals(), os: Seen::of(&module.dict()), forks: forks::count() };
        let known = Identifier { found, object: identifier.clone().unbind() };
        // SAFETY: attached; the previous value, a number, is dropped after the place has the new one.
        let previous = unsafe { (*IDENTIFIER.get()).replace(known) };
        drop(previous);
    }
    Ok(identifier)
}

/// What of `asyncio` is asked, as its module had it at one moment.
struct Tasks {
    asyncio: Seen,
    current_task: Py<PyAny>,
    /// The helper that says whether a loop is running; only beside the built-in `current_task`.
    running_loop: Option<Py<PyAny>>,
}

static TASKS: Attached<Option<Rc<Tasks>>> = Attached::new(None);

impl Tasks {
    fn of(asyncio: &Bound<'_, PyAny>) -> PyResult<Rc<Self>> {
        let py = asyncio.py();
        let dict = asyncio.cast_exact::<PyModule>().map(PyModuleMethods::dict);
        // SAFETY: attached; the reference lives only for the comparison and the clone.
        if let Some(known) = unsafe { &*TASKS.get() }
            && dict.as_ref().is_ok_and(|dict| Seen::of(dict) == known.asyncio)
        {
            return Ok(Rc::clone(known));
        }
        let current_task = asyncio.getattr(intern!(py, "current_task"))?;
        // Outside a loop the built-in function raises an error for each record; its helper says so for less.
        let running_loop = if current_task.is_exact_instance_of::<PyCFunction>() {
            let function = asyncio.getattr_opt(intern!(py, "_get_running_loop"))?;
            function.filter(PyAnyMethods::is_exact_instance_of::<PyCFunction>)
        } else {
            None
        };
        let found = Rc::new(Self {
            asyncio: dict.as_ref().map_or(Seen(std::ptr::null_mut(), 0), Seen::of),
            current_task: current_task.unbind(),
            running_loop: running_loop.map(Bound::unbind),
        });
        if dict.is_ok() {
            // SAFETY: attached; the previous value is dropped after the place has the new one.
            let previous = unsafe { (*TASKS.get()).replace(Rc::clone(&found)) };
            drop(previous);
        }
        Ok(found)
    }

    /// Whether the interpreter's own function says that no loop runs in this thread.
    fn is_idle(&self, py: Python<'_>) -> bool {
        let running = self.running_loop.as_ref().map(|running_loop| running_loop.bind(py).call0());
        running.is_some_and(|running| running.is_ok_and(|running| running.is_none()))
    }

    /// The name of the running task, or `None` outside a loop.
    fn name<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if self.is_idle(py) {
            return Ok(py.None().into_bound(py));
        }
        self.current_task.bind(py).call0()?.call_method0(intern!(py, "get_name"))
    }
}

/// Whether no task runs in this thread, which is told without running code of the program's. `asyncio` is that module.
pub(super) fn is_idle(asyncio: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(Tasks::of(asyncio)?.is_idle(asyncio.py()))
}

/// Name of the running asyncio task, or `None` when there is none or `logAsyncioTasks` is off. Records have
/// it from CPython 3.12 on.
pub(crate) fn task_name(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let none = py.None().into_bound(py);
    if !Shown::Tasks.is_on(py)? {
        return Ok(none);
    }
    let Some(asyncio) = imported_module(py, |imported| imported.asyncio, intern!(py, "asyncio"))? else {
        return Ok(none);
    };
    ordinary_error_as(Tasks::of(&asyncio).and_then(|tasks| tasks.name(py)), none)
}

/// `value`, where it stands for an error that derives from `Exception`.
fn ordinary_error_as<'py>(
    result: PyResult<Bound<'py, PyAny>>,
    value: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    result.or_else(|error| if classes::is_ordinary(value.py(), &error) { Ok(value) } else { Err(error) })
}
