//! The modules that write tracebacks, while they are as the interpreter ships them.
//!
//! Programs replace parts of them: to show the values of variables, to draw boxes, or to work on a file system
//! that is only imagined. Each change of a module or of its classes is seen; whether what stands there then is
//! still the interpreter's own is told by the file that its code comes from.

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyModule, PyType};

use crate::classes;
use crate::classes::globals;
use crate::interpreter::{self, Attached, intern};

/// The functions of `traceback` that write an exception, in one of CPython 3.10 to 3.13 or the other.
const TRACEBACK: &[&str] = &[
    "print_exception",
    "format_tb",
    "extract_tb",
    "walk_tb",
    "_parse_value_tb",
    "_format_final_exc_line",
    "_some_str",
    "_safe_string",
    "_walk_tb_with_full_positions",
    "_get_code_position",
    "_byte_offset_to_character_offset",
    "_extract_caret_anchors_from_line_segment",
    "_display_width",
];
const CLASSES: [(&str, &[&str]); 3] = [
    ("TracebackException", &["__init__", "format", "format_exception_only", "print", "_load_lines"]),
    (
        "StackSummary",
        &["extract", "_extract_from_extended_frame_gen", "format", "format_frame", "format_frame_summary"],
    ),
    (
        "FrameSummary",
        &["__init__", "line", "_set_lines", "_original_line", "_original_lines", "_dedented_lines"],
    ),
];
const LINECACHE: &[&str] = &["getline", "getlines", "checkcache", "updatecache", "lazycache"];

/// The modules as they were at one moment.
pub(super) struct State {
    /// The globals of `logging`, `traceback`, `linecache` and `os`.
    dicts: [(Py<PyDict>, u64); 4],
    classes: [(Py<PyAny>, u32); CLASSES.len()],
    sys: Py<PyDict>,
    /// `os`, which `linecache` imports anew each time from CPython 3.13 on.
    os: Py<PyModule>,
    /// `None` when somebody has changed them.
    shipped: Option<Modules>,
}

/// The modules as the interpreter ships them.
pub(super) struct Modules {
    /// Another one for each state.
    pub(super) number: u64,
    /// `traceback.format_tb`.
    pub(super) format_tb: Py<PyAny>,
    /// `linecache.cache`: the lines of each file, with its size and time.
    pub(super) cache: Py<PyDict>,
    /// What stands between an exception and the one that it was raised from.
    pub(super) cause_message: String,
    /// What stands between an exception and the one that was being handled when it was raised.
    pub(super) context_message: String,
}

static CURRENT: Attached<Option<Rc<State>>> = Attached::new(None);

/// The present state of the modules.
pub(super) fn current(py: Python<'_>) -> PyResult<Rc<State>> {
    // SAFETY: attached; the reference lives only for the clone.
    let known = unsafe { (*CURRENT.get()).clone() };
    if let Some(known) = known.filter(|known| known.holds(py)) {
        return Ok(known);
    }
    let read = Rc::new(State::read(py)?);
    // SAFETY: attached; the previous value is dropped after the place has the new one.
    let previous = unsafe { (*CURRENT.get()).replace(Rc::clone(&read)) };
    drop(previous);
    Ok(read)
}

impl State {
    /// The modules, if nobody has changed them, or shortened all tracebacks.
    pub(super) fn shipped(&self, py: Python<'_>) -> PyResult<Option<&Modules>> {
        let is_limited = self.sys.bind(py).contains(intern!(py, "tracebacklimit"))?;
        let modules = self.sys.bind(py).get_item(intern!(py, "modules"))?;
        let os =
            modules.and_then(|modules| modules.cast::<PyDict>().ok()?.get_item(intern!(py, "os")).ok()?);
        let is_same_os = os.is_some_and(|os| os.is(&self.os));
        Ok(self.shipped.as_ref().filter(|_| !is_limited && is_same_os))
    }

    fn holds(&self, py: Python<'_>) -> bool {
        let is_same = |dict: &Py<PyDict>, version| {
            // SAFETY: a live dict, and attached.
            unsafe { interpreter::dict_version(dict.as_ptr()) == version }
        };
        self.dicts[0].0.as_ptr() == globals::owner_pointer()
            && self.dicts.iter().all(|(dict, version)| is_same(dict, *version))
            && self
                .classes
                .iter()
                .all(|(class, version)| *version != 0 && version_of(class.bind(py)) == *version)
    }

    fn read(py: Python<'_>) -> PyResult<Self> {
        let [traceback, linecache, os] = ["traceback", "linecache", "os"].map(|name| py.import(name));
        let (traceback, linecache, os) = (traceback?, linecache?, os?);
        let shipped = match Modules::read(&traceback, &linecache, &os) {
            Err(error) if !classes::is_ordinary(py, &error) => return Err(error),
            read => read.unwrap_or(None),
        };
        Ok(Self {
            dicts: [globals::owner(py), traceback.dict(), linecache.dict(), os.dict()].map(|dict| {
                // SAFETY: a live dict, and attached.
                let version = unsafe { interpreter::dict_version(dict.as_ptr()) };
                (dict.unbind(), version)
            }),
            // Looking their methods up has given them versions.
            classes: CLASSES.map(|(class, _)| match traceback.getattr(class) {
                Ok(class) => {
                    let version = version_of(&class);
                    (class.unbind(), version)
                }
                Err(_) => (py.None(), 0),
            }),
            sys: py.import("sys")?.dict().unbind(),
            os: os.unbind(),
            shipped,
        })
    }
}

impl Modules {
    fn read(
        traceback: &Bound<'_, PyModule>,
        linecache: &Bound<'_, PyModule>,
        os: &Bound<'_, PyModule>,
    ) -> PyResult<Option<Self>> {
        static STATES: AtomicU64 = AtomicU64::new(0);
        let py = traceback.py();
        let is_wired = globals::get(py, intern!(py, "traceback"))?.is(traceback)
            && globals::get(py, intern!(py, "io"))?.is(py.import("io")?)
            && traceback.getattr("linecache")?.is(linecache)
            && linecache.getattr_opt("os")?.is_none_or(|found| found.is(os))
            && os.getattr("stat")?.is_exact_instance_of::<PyCFunction>()
            && traceback.getattr("_RECURSIVE_CUTOFF")?.eq(super::MOST_REPEATED)?;
        let cache = linecache.getattr("cache")?;
        let Ok(cache) = cache.cast_into_exact::<PyDict>() else { return Ok(None) };
        if !is_wired
            || !is_of_one_file(linecache, LINECACHE, &[])?
            || !is_of_one_file(traceback, TRACEBACK, &CLASSES)?
        {
            return Ok(None);
        }
        Ok(Some(Self {
            number: STATES.fetch_add(1, Ordering::Relaxed),
            format_tb: traceback.getattr("format_tb")?.unbind(),
            cache: cache.unbind(),
            cause_message: traceback.getattr("_cause_message")?.extract()?,
            context_message: traceback.getattr("_context_message")?.extract()?,
        }))
    }
}

/// Whether all these functions and methods come from the same file: one that somebody has put in comes from
/// another. Names that this interpreter does not have are passed over.
fn is_of_one_file(
    module: &Bound<'_, PyModule>,
    functions: &[&str],
    classes: &[(&str, &[&str])],
) -> PyResult<bool> {
    let mut owners = vec![(module.as_any().clone(), functions)];
    for (class, methods) in classes {
        owners.push((module.getattr(class)?, methods));
    }
    let mut file: Option<Bound<'_, PyAny>> = None;
    for (owner, names) in owners {
        for name in names {
            let Some(function) = owner.getattr_opt(*name)? else { continue };
            let Some(found) = file_of(&function)? else { return Ok(false) };
            if !file.get_or_insert_with(|| found.clone()).eq(found)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The file that a function, a method or a property comes from.
fn file_of<'py>(function: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let function = function.getattr_opt("fget")?.unwrap_or_else(|| function.clone());
    let Some(code) = function.getattr_opt("__code__")? else { return Ok(None) };
    code.getattr_opt("co_filename")
}

/// The version of the class; zero when it has none.
fn version_of(class: &Bound<'_, PyAny>) -> u32 {
    class.cast::<PyType>().ok().and_then(interpreter::type_version).unwrap_or(0)
}
