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

/// So many attributes a new record has.
pub(crate) const OF_NEW: usize = Attribute::OF_NEW_RECORDS.len();

/// A record and what it was made of, which is held: an attribute is another one when it is another object.
///
/// One that nobody holds any more and nobody has changed is used again. Making one and ending it are most of what a
/// record costs, and of two records in a row most attributes are the same.
pub(crate) struct Made {
    record: Py<PyAny>,
    class: &'static RecordClass,
    values: [Py<PyAny>; OF_NEW],
}

/// One that is used again.
static SPARE: Attached<Option<Box<Made>>> = Attached::new(None);

impl Made {
    /// A record of `class` with the attributes of a new one; `None` where only a dict can carry them.
    pub(crate) fn new<'py>(
        class: &Bound<'py, PyType>,
        values: &[Borrowed<'_, 'py, PyAny>; OF_NEW],
    ) -> PyResult<Option<Box<Self>>> {
        let Some(entry) = find(class.as_ptr().cast()) else { return Ok(None) };
        // SAFETY: attached; it is taken out before anything else runs.
        if let Some(mut spare) = unsafe { (*SPARE.get()).take() } {
            // SAFETY: it was hidden when it was put there.
            unsafe { interpreter::show(spare.record.as_ptr()) };
            if std::ptr::eq(spare.class, entry) && spare.fill(class.py(), values) {
                return Ok(Some(spare));
            }
        }
        let Some(record) = entry.shape.instance(class, values)? else { return Ok(None) };
        let values = values.each_ref().map(|value| (*value).to_owned().unbind());
        Ok(Some(Box::new(Self { record: record.unbind(), class: entry, values })))
    }

    pub(crate) fn record<'a, 'py>(&'a self, py: Python<'py>) -> &'a Bound<'py, PyAny> {
        self.record.bind(py)
    }

    /// One of the values that it was made of.
    pub(crate) fn value<'a, 'py>(
        &'a self,
        py: Python<'py>,
        attribute: Attribute,
    ) -> Borrowed<'a, 'py, PyAny> {
        self.values[attribute as usize].bind_borrowed(py)
    }

    /// Whether the record still has the attributes with which it was made, and no others, and nothing beside it shows them:
    /// from CPython 3.13 on its dict, which somebody may hold without the record, has them in common with it.
    #[inline]
    pub(crate) fn is_unchanged(&self) -> bool {
        let record = self.record.as_ptr();
        // SAFETY: a live object, attached; its attributes are looked at if it still is of the class of the entry.
        unsafe {
            ffi::Py_TYPE(record) == self.class.class
                && interpreter::is_bare(record)
                && self.class.shape.has_exactly(record, &self.values)
        }
    }

    /// Gives the record other values.
    fn fill(&mut self, py: Python<'_>, values: &[Borrowed<'_, '_, PyAny>; OF_NEW]) -> bool {
        for (number, (value, own)) in values.iter().zip(&mut self.values).enumerate() {
            if value.as_ptr() != own.as_ptr() {
                let previous = std::mem::replace(own, (*value).to_owned().unbind());
                // SAFETY: as above; the record was found to have all attributes when it was put aside.
                if !unsafe { self.class.shape.replace(self.record.as_ptr(), number, value) } {
                    return false;
                }
                previous.drop_ref(py);
            }
        }
        true
    }

    /// Lets the record go, or keeps it to be used again where nobody else has it or has changed it. What formatting has
    /// left on it is no change.
    pub(crate) fn end(mut self: Box<Self>, py: Python<'_>) {
        let record = self.record.as_ptr();
        // SAFETY: a live object, attached; its attributes are looked at if it still is of the class of the entry.
        let is_usable = unsafe {
            interpreter::has_no_other_holders(self.record.bind(py), 1)
                && ffi::Py_TYPE(record) == self.class.class
                && interpreter::is_bare(record)
                && self.class.shape.shorten(record, &self.values)
        };
        if !is_usable {
            return;
        }
        // What the call was given lives no longer than it would otherwise.
        let none = py.None();
        for attribute in [Attribute::Msg, Attribute::Args] {
            let number = attribute as usize;
            let previous = std::mem::replace(&mut self.values[number], none.clone_ref(py));
            // SAFETY: as above.
            if !unsafe { self.class.shape.replace(record, number, &none.bind_borrowed(py)) } {
                return;
            }
            previous.drop_ref(py);
        }
        // Letting them go may have run something, for which another one may have been put there.
        // SAFETY: attached; nothing runs but what ends one that was there.
        unsafe {
            if (*SPARE.get()).is_none() && interpreter::has_no_other_holders(self.record.bind(py), 1) {
                interpreter::hide(record);
                *SPARE.get() = Some(self);
            }
        }
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
            Self::Read(record, _) => {
                if add(record, attribute, value) {
                    return Ok(());
                }
                interpreter::set_plainly(record, attribute.name(record.py()), value)
            }
            Self::Dict(dict) => dict.set_item(attribute.name(dict.py()), value),
        }
    }
}

/// Adds an attribute that formatting leaves on a usual record; false when the interpreter has to do it.
fn add(record: &Bound<'_, PyAny>, attribute: Attribute, value: &Bound<'_, PyAny>) -> bool {
    let object = record.as_ptr();
    // SAFETY: a live record, exactly of the class of the entry; a bare one has no dict.
    unsafe {
        find(ffi::Py_TYPE(object)).is_some_and(|entry| {
            interpreter::is_bare(object) && entry.shape.add(object, attribute as usize, value)
        })
    }
}

/// Whether nothing beside a record whose attributes were read shows them.
pub(crate) fn is_bare(record: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a live record, of a class of which the instances are as expected.
    find(record.get_type_ptr()).is_some() && unsafe { interpreter::is_bare(record.as_ptr()) }
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
