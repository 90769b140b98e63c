//! The classes of `logging` that carry native methods, and whether anybody has overridden one.

pub(crate) mod family;
pub(crate) mod globals;
pub(crate) mod inherited;
pub(crate) mod native_method;
pub(crate) mod readable;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::RwLock;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};

pub(crate) use crate::classes::family::Family;
use crate::classes::family::is_decisive;
use crate::classes::native_method::Method;
use crate::formatter::{buffering, structured, style};
use crate::interpreter::{self, Entry, intern};
use crate::logger::{adapter, entry, manager};
use crate::{filter, formatter, handler, logger, record};

/// A class of the interpreter's `logging` and what replaces its methods.
struct NativeClass {
    name: &'static str,
    family: Family,
    methods: &'static [Method],
}

const fn class(name: &'static str, family: Family, methods: &'static [Method]) -> NativeClass {
    NativeClass { name, family, methods }
}

/// The classes of a module of the standard library that get native methods, bases first.
fn native_classes(module: &str) -> Vec<NativeClass> {
    match module {
        "logging" => vec![
            class("LogRecord", Family::Record, record::METHODS),
            class("PercentStyle", Family::Style, style::PERCENT_METHODS),
            class("StrFormatStyle", Family::Style, style::BRACE_METHODS),
            class("StringTemplateStyle", Family::Style, style::DOLLAR_METHODS),
            class("Formatter", Family::Formatter, formatter::METHODS),
            class("Filter", Family::Filter, filter::METHODS),
            class("Filterer", Family::Other, filter::FILTERER_METHODS),
            class("Handler", Family::Other, handler::base::METHODS),
            class("StreamHandler", Family::StreamHandler, handler::stream::METHODS),
            class("FileHandler", Family::StreamHandler, handler::file::METHODS),
            class("_StderrHandler", Family::Other, handler::stream::STDERR_METHODS),
            class("NullHandler", Family::NullHandler, handler::null::METHODS),
            class("Logger", Family::Logger, logger::METHODS),
            class("Logger", Family::Logger, logger::tree::METHODS),
            class("RootLogger", Family::Logger, logger::tree::ROOT_METHODS),
            class("PlaceHolder", Family::Other, manager::PLACEHOLDER_METHODS),
            class("Manager", Family::Other, manager::METHODS),
            class("BufferingFormatter", Family::Other, buffering::METHODS),
            class("LoggerAdapter", Family::Adapter, adapter::METHODS),
        ],
        "logging.handlers" => vec![
            class("BaseRotatingHandler", Family::Other, handler::rotating::BASE_METHODS),
            class("RotatingFileHandler", Family::StreamHandler, handler::rotating::METHODS),
            class("TimedRotatingFileHandler", Family::StreamHandler, handler::timed_rotating::METHODS),
            class("WatchedFileHandler", Family::StreamHandler, handler::watched::METHODS),
            class("BufferingHandler", Family::Other, handler::memory::BUFFERING_METHODS),
            class("MemoryHandler", Family::Other, handler::memory::METHODS),
            class("QueueHandler", Family::QueueHandler, handler::queue::METHODS),
            class("QueueListener", Family::QueueListener, handler::listener::METHODS),
        ],
        "duramen.handlers" => vec![class("AsyncHandler", Family::AsyncHandler, &[])],
        "duramen.formatters" => vec![
            class("JsonFormatter", Family::Formatter, structured::METHODS),
            class("LogfmtFormatter", Family::Formatter, structured::METHODS),
            class("ConsoleFormatter", Family::Formatter, structured::METHODS),
            class("EscapingFormatter", Family::Formatter, &[]),
        ],
        "duramen.filters" => vec![
            class("RedactingFilter", Family::Filter, &[]),
            class("RateLimitFilter", Family::Filter, &[]),
            class("DuplicateFilter", Family::Filter, &[]),
            class("SamplingFilter", Family::Filter, &[]),
        ],
        _ => Vec::new(),
    }
}

/// What the native path knows of one class object.
pub(crate) struct KnownClass {
    /// The class's name in `logging`.
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    /// Keeps the class alive, so that its address stays its own.
    class: Py<PyType>,
    /// The decisive methods as they were when the native methods were put in.
    expected: Vec<(Py<PyString>, Py<PyAny>)>,
    /// False when somebody had replaced a method before the native ones could be put in.
    native: bool,
    /// The version tag for which `expected` was found to hold.
    verified: AtomicU32,
}

/// By the address of the class object, which the entry keeps alive.
type KnownClasses = HashMap<usize, Arc<KnownClass>, BuildHasherDefault<AddressHasher>>;

static KNOWN: RwLock<Option<KnownClasses>> = RwLock::new(None);

/// Addresses of objects differ in their middle bits already: mixing them well would cost more than it saves.
#[derive(Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_usize(&mut self, address: usize) {
        // The table takes the bucket from the low bits and a tag from the high ones.
        self.0 = (address as u64 >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// The class of `object`, where it is exactly one that carries native methods.
pub(crate) fn known(object: &Bound<'_, PyAny>) -> Option<Arc<KnownClass>> {
    KNOWN.read().as_ref()?.get(&(object.get_type().as_ptr() as usize)).cloned()
}

/// What is known of `class`, where it is one that carries native methods.
pub(crate) fn known_class(class: &Bound<'_, PyAny>) -> Option<Arc<KnownClass>> {
    KNOWN.read().as_ref()?.get(&(class.as_ptr() as usize)).cloned()
}

/// What is known of `factory`, where that is the class of records with native methods.
pub(crate) fn known_record_class(factory: &Bound<'_, PyAny>) -> Option<Arc<KnownClass>> {
    known_class(factory).filter(|class| class.family == Family::Record && class.native)
}

/// Whether `object` is exactly of one of our classes: no subclass has a say in its attributes.
pub(crate) fn is_plain(object: &Bound<'_, PyAny>) -> bool {
    known(object).is_some()
}

/// Whether `error` derives from `Exception` (so that `except Exception` would catch it).
pub(crate) fn is_ordinary(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyException>(py)
}

impl KnownClass {
    /// Whether nothing is overridden on a class with this version tag, as far as that is known.
    pub(crate) fn is_verified(&self, version: u32) -> bool {
        version != 0 && version == self.verified.load(Ordering::Relaxed)
    }

    /// Looks whether nothing is overridden on the class.
    pub(crate) fn verify(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.native && self.overridden_on_class(py)?.is_none())
    }

    /// Whether it is in `family`, and nobody had replaced a method before the native ones were put in.
    pub(crate) fn is_native(&self, family: Family) -> bool {
        self.family == family && self.native
    }

    /// The decisive methods that `class`, the class itself or one that derives from it, has of its own.
    pub(crate) fn overridden_in<'py>(
        &self,
        class: &Bound<'py, PyType>,
    ) -> PyResult<Vec<Bound<'py, PyString>>> {
        let mut overridden = Vec::new();
        for (name, expected) in &self.expected {
            let name = name.bind(class.py());
            if !class.getattr(name)?.is(expected) {
                overridden.push(name.clone());
            }
        }
        Ok(overridden)
    }

    /// Whether every decisive method of `object`, an instance, is the class's own.
    pub(crate) fn is_untouched_instance(&self, object: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = object.py();
        for (name, expected) in &self.expected {
            let found = object.getattr(name.bind(py))?;
            // A method is bound anew each time; slots such as `__getattribute__` are the class's alone.
            let function = found.getattr_opt(intern!(py, "__func__"))?;
            if !function.is_some_and(|function| function.is(expected))
                && !interpreter::is_slot(expected.bind(py))
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The decisive method that has been overridden on the class, if any.
    fn overridden_on_class<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        let class = self.class.bind(py);
        let version = interpreter::type_version(class);
        if version.is_some_and(|version| version == self.verified.load(Ordering::Relaxed)) {
            return Ok(None);
        }
        for (name, expected) in &self.expected {
            if !class.getattr(name.bind(py))?.is(expected) {
                return Ok(Some(name.bind(py).clone()));
            }
        }
        if let Some(version) = interpreter::type_version(class) {
            self.verified.store(version, Ordering::Relaxed);
        }
        Ok(None)
    }

    /// The decisive method that has been overridden on the instance, if any.
    fn overridden_on_instance<'py>(
        &self,
        attributes: &Bound<'py, PyDict>,
    ) -> PyResult<Option<Bound<'py, PyString>>> {
        for (name, _) in &self.expected {
            let name = name.bind(attributes.py());
            if attributes.contains(name)? {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }
}

/// Why an object cannot be met by the native path.
pub(crate) enum Obstacle {
    /// Its class is not exactly one of ours.
    ForeignClass,
    /// This method is overridden, on the class or on the instance.
    Overridden(String),
}

/// An object of which everything is ours: its attributes can be read from its dict.
pub(crate) struct Untouched<'py> {
    pub(crate) attributes: Bound<'py, PyDict>,
}

/// Looks whether `object` is exactly of one of our classes in `family` with nothing overridden.
pub(crate) fn untouched<'py>(
    object: &Bound<'py, PyAny>,
    family: Family,
) -> PyResult<Result<Untouched<'py>, Obstacle>> {
    let Some(class) = known(object).filter(|class| class.family == family && class.native) else {
        return Ok(Err(Obstacle::ForeignClass));
    };
    if let Some(name) = class.overridden_on_class(object.py())? {
        return Ok(Err(Obstacle::Overridden(name.to_string())));
    }
    let attributes = interpreter::instance_dict(object)?;
    if let Some(name) = class.overridden_on_instance(&attributes)? {
        return Ok(Err(Obstacle::Overridden(name.to_string())));
    }
    Ok(Ok(Untouched { attributes }))
}

/// Whether the class object itself is one of ours in `family` with nothing overridden.
pub(crate) fn is_untouched_class(class: &Bound<'_, PyAny>, family: Family) -> PyResult<bool> {
    let found = KNOWN.read().as_ref().and_then(|known| known.get(&(class.as_ptr() as usize)).cloned());
    match found {
        Some(known) if known.family == family && known.native => {
            Ok(known.overridden_on_class(class.py())?.is_none())
        }
        _ => Ok(false),
    }
}

/// Puts the native methods into the classes that `namespace`, a run of the standard library's `module`,
/// defines. Returns `(class, name, original, replacement)` for each method, so that it can be undone.
///
/// A method that is no longer the interpreter's own is left alone: somebody has replaced it.
#[pyfunction]
pub(crate) fn put_native_methods<'py>(
    namespace: &Bound<'py, PyDict>,
    module: &str,
) -> PyResult<Bound<'py, PyList>> {
    let py = namespace.py();
    let changes = PyList::empty(py);
    let mut incomplete = Vec::new();
    for native in native_classes(module) {
        let Some(class) = namespace.get_item(native.name)? else { continue };
        let class = class.cast_into::<PyType>()?;
        for &(name, body) in native.methods.iter().chain(methods_of_this_interpreter(&class, native.name)?) {
            let Some(original) = own_attribute(&class, name)? else { continue };
            if is_interpreters_own(&original, namespace, native.name, name)? {
                let entry = entry_of(native.family, name);
                let replacement = native_method::replacement(&original, body, entry)?;
                class.setattr(name, &replacement)?;
                changes.append((&class, name, original, replacement))?;
            } else if is_decisive(name) && !interpreter::is_native_function(&original) {
                incomplete.push(class.clone());
            }
        }
        if native.name == "Handler" {
            remake_name_property(&class, &changes)?;
        }
    }
    for native in native_classes(module) {
        if let Some(class) = namespace.get_item(native.name)? {
            remember(&class.cast_into::<PyType>()?, &native, &incomplete)?;
        }
    }
    Ok(changes)
}

/// What the interpreter calls for a method: most need their arguments bound first.
fn entry_of(family: Family, method: &str) -> Entry {
    let quick = match family {
        Family::Logger => entry::of(method),
        Family::Adapter => entry::of_adapter(method),
        _ => None,
    };
    quick.unwrap_or(interpreter::call)
}

/// `Handler.name` is a property of `get_name` and `set_name` as they were: one of the native methods takes
/// its place, unless somebody has replaced it.
fn remake_name_property(handler: &Bound<'_, PyType>, changes: &Bound<'_, PyList>) -> PyResult<()> {
    let py = handler.py();
    let Some(original) = own_attribute(handler, "name")? else { return Ok(()) };
    let mut functions = Vec::new();
    for part in ["fget", "fset"] {
        let Some(part) = original.getattr_opt(part)? else { return Ok(()) };
        for change in changes {
            let change = change.cast_into::<PyTuple>()?;
            if change.get_item(2)?.is(&part) {
                functions.push(change.get_item(3)?);
            }
        }
    }
    if let [get, set] = functions.as_slice() {
        let property = py.import(intern!(py, "builtins"))?.getattr(intern!(py, "property"))?;
        let replacement = property.call1((get, set))?;
        handler.setattr("name", &replacement)?;
        changes.append((handler, "name", original, replacement))?;
    }
    Ok(())
}

/// The further native methods of `class`, which replace only some versions of the interpreter's.
fn methods_of_this_interpreter(class: &Bound<'_, PyType>, name: &str) -> PyResult<&'static [Method]> {
    match name {
        // CPython 3.10 counts the adapter's frames for `stacklevel`: they have to be there.
        "LoggerAdapter" if globals::python_minor(class.py()) >= 11 => Ok(adapter::LOGGING_METHODS),
        "TimedRotatingFileHandler" => handler::schedule::methods_for(class),
        _ => Ok(&[]),
    }
}

fn own_attribute<'py>(class: &Bound<'py, PyType>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let attributes = class.getattr(intern!(class.py(), "__dict__"))?;
    let value = attributes.call_method1(intern!(class.py(), "get"), (name,))?;
    Ok((!value.is_none()).then_some(value))
}

/// Whether `function` is what the interpreter's module defined under this name.
fn is_interpreters_own(
    function: &Bound<'_, PyAny>,
    namespace: &Bound<'_, PyDict>,
    class: &str,
    name: &str,
) -> PyResult<bool> {
    let py = function.py();
    if interpreter::is_native_function(function) {
        return Ok(false);
    }
    let Ok(globals) = function.getattr(intern!(py, "__globals__")) else { return Ok(false) };
    let qualified: PyBackedStr = function.getattr(intern!(py, "__qualname__"))?.extract()?;
    Ok(globals.is(namespace)
        && qualified.strip_prefix(class).and_then(|rest| rest.strip_prefix('.')) == Some(name)
        && interpreter::optional_attribute(function, intern!(py, "__wrapped__"))?.is_none())
}

fn remember(
    class: &Bound<'_, PyType>,
    native_class: &NativeClass,
    incomplete: &[Bound<'_, PyType>],
) -> PyResult<()> {
    let NativeClass { name, family, .. } = *native_class;
    let py = class.py();
    let mut native = true;
    for base in incomplete {
        native &= !class.is_subclass(base)?;
    }
    let expected = family
        .decisive_methods()
        .iter()
        .filter_map(|name| {
            let name = PyString::intern(py, name);
            let method = class.getattr_opt(&name).transpose()?;
            Some(method.map(|method| (name.unbind(), method.unbind())))
        })
        .collect::<PyResult<Vec<_>>>()?;
    let address = class.as_ptr() as usize;
    let known = Arc::new(KnownClass {
        name,
        family,
        class: class.clone().unbind(),
        expected,
        native,
        verified: AtomicU32::new(0),
    });
    KNOWN.write().get_or_insert_default().insert(address, Arc::clone(&known));
    if family == Family::Logger && native {
        logger::view::learn(class, known)?;
    } else if family == Family::Record && native {
        record::shape::learn(class, known)?;
    }
    Ok(())
}
