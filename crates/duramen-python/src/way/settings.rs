//! The globals of `logging` that every record meets, in native form.
//!
//! The module's dict stays their owner: what is here stands only while that dict and the others it was read
//! from have not changed.

use std::rc::Rc;
use std::sync::Arc;

use duramen::clock::{Clock as _, SystemClock};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyModule, PyString};

use crate::classes::globals;
use crate::classes::{self, Family, KnownClass};
use crate::interpreter::{self, Attached, intern};
use crate::record::{Creation, StartTime};

/// The globals at one moment.
pub(crate) struct Settings {
    /// The dicts that were read, with their versions. The first one is the module's.
    dicts: [(*mut ffi::PyObject, u64); 3],
    /// The names of DEBUG to CRITICAL.
    names: [Option<LevelName>; 5],
    clock: Option<Clock>,
    start: StartTime,
    /// Whether call sites are looked for (`_srcfile`).
    pub(crate) finds_callers: bool,
    /// What makes records (`_logRecordFactory`); alive as long as the module's dict is as it was.
    factory: *mut ffi::PyObject,
    /// What is known of that class, if it is one of `logging`.
    record_class: Option<Arc<KnownClass>>,
}

/// The name of a level.
pub(crate) struct LevelName {
    pub(crate) text: Rc<str>,
    pub(crate) object: Py<PyString>,
}

static CURRENT: Attached<Option<Rc<Settings>>> = Attached::new(None);

/// The settings that were read last, while they are the present ones.
#[inline]
pub(crate) fn unchanged() -> Option<Rc<Settings>> {
    let owner = globals::owner_pointer();
    // SAFETY: attached, as all callers are; the reference lives only for the comparison and the clone.
    let known = unsafe { (*CURRENT.get()).as_ref()? };
    let holds = known.dicts[0].0 == owner
        // SAFETY: the module's dict is alive, and while it is as it was, it holds the other two.
        && known.dicts.iter().all(|&(dict, version)| unsafe { interpreter::dict_version(dict) } == version);
    holds.then(|| Rc::clone(known))
}

/// The present settings.
pub(crate) fn current(py: Python<'_>) -> PyResult<Option<Rc<Settings>>> {
    if let Some(known) = unchanged() {
        return Ok(Some(known));
    }
    let read = Settings::read(py)?.map(Rc::new);
    // SAFETY: attached; the previous value is dropped after the place has the new one.
    let previous = unsafe { std::mem::replace(&mut *CURRENT.get(), read.clone()) };
    drop(previous);
    Ok(read)
}

impl Settings {
    /// `None` when something is of an unusual kind, such as a `getLevelName` that is not the interpreter's own.
    fn read(py: Python<'_>) -> PyResult<Option<Self>> {
        let owner = globals::owner(py);
        let names = globals::get(py, intern!(py, "_levelToName"))?;
        let time = globals::get(py, intern!(py, "time"))?;
        let (Ok(names), Ok(time)) = (names.cast_exact::<PyDict>(), time.cast_exact::<PyModule>()) else {
            return Ok(None);
        };
        let dicts = [owner.as_ptr(), names.as_ptr(), time.dict().as_ptr()]
            // SAFETY: live dicts.
            .map(|dict| (dict, unsafe { interpreter::dict_version(dict) }));
        let factory = globals::get(py, intern!(py, "_logRecordFactory"))?;
        let get_level_name = globals::get(py, intern!(py, "getLevelName"))?;
        // Another one is called once for each record, which a line that is given up would not do.
        if !globals::is_function_of(&get_level_name, "getLevelName", &owner)? {
            return Ok(None);
        }
        let name_of = |level: i64| -> PyResult<Option<LevelName>> {
            let name = names.get_item(level)?;
            let Some(Ok(name)) = name.map(Bound::cast_into_exact::<PyString>) else { return Ok(None) };
            let text = name.to_str().ok().map(Rc::from);
            Ok(text.map(|text| LevelName { text, object: name.unbind() }))
        };
        Ok(Some(Self {
            dicts,
            names: [name_of(10)?, name_of(20)?, name_of(30)?, name_of(40)?, name_of(50)?],
            clock: Clock::of(&time.dict())?,
            start: StartTime::now(py)?,
            finds_callers: globals::is_true(py, intern!(py, "_srcfile"))?,
            factory: factory.as_ptr(),
            record_class: classes::known_record_class(&factory),
        }))
    }

    /// A number that is another one when a global has changed.
    pub(crate) fn version(&self) -> u64 {
        self.dicts[0].1
    }

    /// A number that is another one when something in the `time` module has changed, such as its zone.
    pub(crate) fn time_version(&self) -> u64 {
        self.dicts[2].1
    }

    /// The name of one of the standard levels.
    pub(crate) fn level_name(&self, level: i64) -> Option<&LevelName> {
        let index = usize::try_from(level / 10 - 1).ok().filter(|_| level % 10 == 0)?;
        self.names.get(index)?.as_ref()
    }

    pub(crate) fn factory<'py>(&self, py: Python<'py>) -> Borrowed<'_, 'py, PyAny> {
        // SAFETY: the module's dict holds it, and is as it was when the settings were asked for.
        unsafe { Borrowed::from_ptr(py, self.factory) }
    }

    /// Whether records are those of `logging`, of which nothing is overridden.
    pub(crate) fn makes_plain_records(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.is_known_to_make_plain_records()
            || classes::is_untouched_class(&self.factory(py), Family::Record)?)
    }

    /// The same as far as it is known without asking the interpreter.
    #[inline]
    pub(crate) fn is_known_to_make_plain_records(&self) -> bool {
        self.record_class.as_ref().is_some_and(|class| {
            // SAFETY: what is known of a class is kept with the class, which the module's dict holds.
            class.is_verified(unsafe { (*self.factory.cast::<ffi::PyTypeObject>()).tp_version_tag })
        })
    }

    /// The present time, from the system's clock or, where a program has replaced it, from the `time` module.
    pub(crate) fn now(&self, py: Python<'_>) -> PyResult<Creation> {
        self.genuine_now().map_or_else(|| Creation::now(py), Ok)
    }

    /// The present time, if it is that of the system's clock.
    #[inline]
    pub(crate) fn genuine_now(&self) -> Option<Creation> {
        let clock = self.clock.as_ref().filter(|clock| clock.is_genuine())?;
        Some(Creation::at(clock.system.now_ns(), self.start))
    }

    /// Whether the present time is the system's, so that no code of the program's is asked for it.
    pub(crate) fn has_genuine_clock(&self) -> bool {
        self.clock.as_ref().is_some_and(Clock::is_genuine)
    }
}

/// The built-in function that tells the time, while it still is the one of the interpreter.
///
/// Some programs put another C function into the built-in object, so that its identity says nothing.
struct Clock {
    /// What that function asks.
    system: SystemClock,
    definition: *const ffi::PyMethodDef,
    function: usize,
}

impl Clock {
    /// The clock of the `time` module with this dict.
    fn of(time: &Bound<'_, PyDict>) -> PyResult<Option<Self>> {
        let py = time.py();
        let name = if globals::python_minor(py) >= 13 { intern!(py, "time_ns") } else { intern!(py, "time") };
        let Some(function) = time.get_item(name)? else { return Ok(None) };
        let Ok(function) = function.cast_exact::<PyCFunction>() else { return Ok(None) };
        let definition = interpreter::definition_of(function);
        let now = function.call0()?;
        #[expect(clippy::cast_possible_truncation, reason = "compared within seconds")]
        let now = match now.extract::<i128>() {
            Ok(nanoseconds) => nanoseconds,
            Err(_) => (now.extract::<f64>()? * 1e9) as i128,
        };
        // A clock that goes differently has been replaced already.
        let system = SystemClock::default();
        let agrees = (i128::from(system.now_ns()) - now).abs() < 1_000_000_000;
        Ok(agrees.then(|| Self { system, definition, function: function_of(definition) }))
    }

    fn is_genuine(&self) -> bool {
        function_of(self.definition) == self.function
    }
}

/// The address of the C function of a built-in.
fn function_of(definition: *const ffi::PyMethodDef) -> usize {
    // SAFETY: the definition is alive while the `time` module holds the function; all members of the union
    // are pointers to functions.
    unsafe { (*definition).ml_meth.PyCFunction as usize }
}
