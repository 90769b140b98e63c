//! Records of which nothing is overridden, made and read where the interpreter keeps their attributes.

use std::cell::Cell;
use std::sync::Arc;

use duramen::record::ATTRIBUTES;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyType};

use crate::classes::{self, Family, KnownClass};
use crate::interpreter::{self, Attached, Contents, Once, Shape, intern};

/// An attribute of a record: those that a new one has, in CPython's order, and those that formatting adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Name,
    Msg,
    Args,
    Levelname,
    Levelno,
    Pathname,
    Filename,
    Module,
    ExcInfo,
    ExcText,
    StackInfo,
    Lineno,
    FuncName,
    Created,
    Msecs,
    RelativeCreated,
    Thread,
    ThreadName,
    ProcessName,
    Process,
    /// Of records from CPython 3.12 on.
    TaskName,
    Message,
    Asctime,
}

const ALL: usize = ATTRIBUTES.len();

impl Attribute {
    /// Those that a new record has.
    pub(crate) const OF_NEW_RECORDS: &[Self] = {
        const FROM_3_12: &[Attribute] = &[
            Attribute::Name,
            Attribute::Msg,
            Attribute::Args,
            Attribute::Levelname,
            Attribute::Levelno,
            Attribute::Pathname,
            Attribute::Filename,
            Attribute::Module,
            Attribute::ExcInfo,
            Attribute::ExcText,
            Attribute::StackInfo,
            Attribute::Lineno,
            Attribute::FuncName,
            Attribute::Created,
            Attribute::Msecs,
            Attribute::RelativeCreated,
            Attribute::Thread,
            Attribute::ThreadName,
            Attribute::ProcessName,
            Attribute::Process,
            Attribute::TaskName,
        ];
        if cfg!(Py_3_12) { FROM_3_12 } else { FROM_3_12.split_at(20).0 }
    };

    pub(crate) fn name(self, py: Python<'_>) -> &Bound<'_, PyString> {
        static INTERNED: Once<[Py<PyString>; ALL]> = Once::new();
        let names = INTERNED.get_or_init(py, || ATTRIBUTES.map(|name| PyString::intern(py, name).unbind()));
        names[self as usize].bind(py)
    }
}

/// A class of records of which the attributes can be read.
struct RecordClass {
    class: *mut ffi::PyTypeObject,
    known: Arc<KnownClass>,
    shape: Shape<ALL>,
    /// Places of further attributes that have been found to be no methods.
    harmless: Cell<u64>,
}

/// `LogRecord`, of Duramen's own run of `logging` and of the standard library's. An entry is never taken out.
static CLASSES: Attached<Vec<&'static RecordClass>> = Attached::new(Vec::new());

/// Makes the records of `class` readable, if the interpreter keeps their attributes as expected.
pub(crate) fn learn(class: &Bound<'_, PyType>, known: Arc<KnownClass>) -> PyResult<()> {
    let address = class.as_ptr().cast::<ffi::PyTypeObject>();
    let Some(shape) = Shape::learn(class, ATTRIBUTES)? else { return Ok(()) };
    let entry = RecordClass { class: address, known, shape, harmless: Cell::new(0) };
    // SAFETY: attached, and nothing in here runs Python code.
    let classes = unsafe { &mut *CLASSES.get() };
    if classes.iter().all(|known| known.class != address) {
        // What is known of a class keeps it alive for ever too.
        classes.push(Box::leak(Box::new(entry)));
    }
    Ok(())
}

/// The entry of a class of which nothing is overridden, as far as that is known without asking the interpreter.
fn find(class: *mut ffi::PyTypeObject) -> Option<&'static RecordClass> {
    // SAFETY: attached; the entry, which lives for ever, is copied out. The class of an entry is alive.
    unsafe {
        let entry = *(*CLASSES.get()).iter().find(|entry| entry.class == class)?;
        entry.known.is_verified((*class).tp_version_tag).then_some(entry)
    }
}

/// A new record of `class` with the values of its attributes, in their order; `None` where only a dict can carry them.
pub(crate) fn instance<'py>(
    class: &Bound<'py, PyType>,
    values: &[Borrowed<'_, 'py, PyAny>],
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match find(class.as_ptr().cast()) {
        Some(entry) => entry.shape.instance(class, values),
        None => Ok(None),
    }
}

/// The attributes of a record of which nothing is overridden.
pub(crate) enum Attributes<'py> {
    /// As they were at one moment: to be used before anything runs.
    Read(Bound<'py, PyAny>, [*mut ffi::PyObject; ALL]),
    Dict(Bound<'py, PyDict>),
}

impl<'py> Attributes<'py> {
    /// `None` when `record` is not exactly a `LogRecord` of which nothing is overridden.
    pub(crate) fn of(record: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        if let Some(Contents { values, .. }) = read(record)? {
            return Ok(Some(Self::Read(record.clone(), values)));
        }
        let py = record.py();
        if !classes::is_untouched_class(record.get_type().as_any(), Family::Record)? {
            return Ok(None);
        }
        let attributes = interpreter::instance_dict(record)?;
        // The other decisive methods are looked up on the class alone.
        let own = attributes.contains(intern!(py, "getMessage"))?;
        Ok((!own).then_some(Self::Dict(attributes)))
    }

    /// The attribute, if the record has it.
    #[inline]
    pub(crate) fn get(&self, attribute: Attribute) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self {
            Self::Read(record, values) => {
                // SAFETY: the record holds what was read, and nothing has run since.
                Ok(unsafe { Bound::from_borrowed_ptr_or_opt(record.py(), values[attribute as usize]) })
            }
            Self::Dict(dict) => dict.get_item(attribute.name(dict.py())),
        }
    }

    /// The extra field `name` among the attributes, if the record has it.
    pub(crate) fn extra(&self, name: &Py<PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self {
            Self::Read(record, _) => {
                let name = name.bind(record.py());
                // Formatting shows nothing of the class.
                if !interpreter::is_of_instance(record, name) {
                    return Ok(None);
                }
                interpreter::optional_attribute(record, name)
            }
            Self::Dict(dict) => dict.get_item(name),
        }
    }

    /// Sets the attribute as formatting does. What was read is out of date then.
    pub(crate) fn set(&self, attribute: Attribute, value: &Bound<'py, PyAny>) -> PyResult<()> {
        match self {
            Self::Read(record, _) => interpreter::set_plainly(record, attribute.name(record.py()), value),
            Self::Dict(dict) => dict.set_item(attribute.name(dict.py()), value),
        }
    }
}

/// The level of a usual record, if it is a plain number.
pub(crate) fn level(record: &Bound<'_, PyAny>) -> Option<i64> {
    // SAFETY: a live record, exactly of the class of the entry, which holds the value.
    let level = unsafe {
        let entry = find(ffi::Py_TYPE(record.as_ptr()))?;
        let level = entry.shape.value(record.as_ptr(), Attribute::Levelno as usize)?;
        Borrowed::from_ptr(record.py(), level)
    };
    level.cast_exact::<PyInt>().ok()?.extract().ok()
}

/// `None` for a record that is not usual, or keeps its attributes in a dict.
fn read(record: &Bound<'_, PyAny>) -> PyResult<Option<Contents<ALL>>> {
    // SAFETY: a live record, exactly of the class of the entry.
    let look = || unsafe {
        let entry = find(ffi::Py_TYPE(record.as_ptr()))?;
        Some((entry, entry.shape.read(record.as_ptr())?))
    };
    let Some((entry, found)) = look() else { return Ok(None) };
    if found.others & !entry.harmless.get() == 0 {
        return Ok(Some(found));
    }
    // Attributes that have never been seen: one of them may be a method.
    if !entry.known.is_untouched_instance(record)? {
        return Ok(None);
    }
    entry.harmless.set(entry.harmless.get() | found.others);
    Ok(look().map(|(_, found)| found))
}
