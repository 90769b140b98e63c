//! The first records that a filter has held back, of which the end of the program says how many there were.

use std::collections::HashMap;
use std::mem;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use crate::record::exception::Masked;
use crate::record::surroundings::Surroundings;
use crate::record::{self, Creation, Parts};

/// A filter keeps records of so many keys.
const MOST: usize = 1000;

/// A record that was held back.
pub(crate) enum Kept {
    Record(Py<PyAny>),
    Event(Box<KeptEvent>),
}

/// What a record can be made of. What it has of Python's is the program's own, and held.
pub(crate) struct KeptEvent {
    pub(crate) name: Py<PyString>,
    pub(crate) level: i64,
    pub(crate) level_name: String,
    /// Path, file, module and function.
    pub(crate) site: [Py<PyString>; 4],
    pub(crate) line: u32,
    pub(crate) message: KeptMessage,
    pub(crate) created: Creation,
    /// Thread, its name, name of the process, process, task.
    pub(crate) surroundings: [Py<PyAny>; 5],
    /// `exc_info`.
    pub(crate) exception: Option<Py<PyAny>>,
    /// The text of an exception that is known by its text alone, and what else is left of it.
    pub(crate) masked_exception: Option<(String, Option<Masked>)>,
    pub(crate) stack: Option<String>,
    pub(crate) extra: Option<Py<PyDict>>,
}

pub(crate) enum KeptMessage {
    Text(String),
    Fields(Py<PyDict>),
}

impl KeptEvent {
    fn into_record(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let none = || py.None().into_bound(py);
        let [thread, thread_name, process_name, process, task_name] =
            self.surroundings.map(|value| value.into_bound(py));
        let parts = Parts {
            name: self.name.into_bound(py).into_any(),
            level: PyInt::new(py, self.level).into_any(),
            level_name: PyString::new(py, &self.level_name).into_any(),
            site: self.site.map(|text| text.into_bound(py).into_any()),
            line: PyInt::new(py, self.line).into_any(),
            message: match self.message {
                KeptMessage::Text(text) => PyString::new(py, &text).into_any(),
                KeptMessage::Fields(fields) => fields.into_bound(py).into_any(),
            },
            arguments: PyTuple::empty(py).into_any(),
            exception: self.exception.map_or_else(none, |triple| triple.into_bound(py)),
            stack: self.stack.map_or_else(none, |text| PyString::new(py, &text).into_any()),
            created: self.created,
            surroundings: Surroundings {
                thread,
                thread_name,
                process_name,
                process,
                task_name,
                has_asked: false,
            },
        };
        let record = record::of_parts(&parts, self.extra.map(|extra| extra.into_bound(py)).as_ref())?;
        if let Some((text, masked)) = self.masked_exception {
            Masked::put_on(masked, &record, Some(&text))?;
        }
        Ok(record)
    }
}

impl Kept {
    fn into_record(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Self::Record(record) => Ok(record.into_bound(py)),
            Self::Event(event) => event.into_record(py),
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let event = match self {
            Self::Record(record) => return visit.call(record),
            Self::Event(event) => event,
        };
        if let KeptMessage::Fields(fields) = &event.message {
            visit.call(fields)?;
        }
        visit.call(&event.exception)?;
        visit.call(&event.extra)?;
        event.surroundings.iter().try_for_each(|value| visit.call(value))
    }
}

/// The first record of each key that was held back since one went on.
#[derive(Default)]
pub(crate) struct KeptRecords(Mutex<HashMap<String, Kept>>);

impl KeptRecords {
    /// Keeps what `make` gives, if there is none of the key yet. Nothing is made or dropped under the lock, since that may
    /// run code of the program's.
    pub(crate) fn keep(&self, key: &str, make: impl FnOnce() -> PyResult<Kept>) -> PyResult<()> {
        let is_wanted = {
            let kept = self.0.lock();
            kept.len() < MOST && !kept.contains_key(key)
        };
        if is_wanted {
            let record = make()?;
            let last = self.0.lock().insert(key.to_owned(), record);
            drop(last);
        }
        Ok(())
    }

    /// Lets go of the record of `key`, since one like it goes on and says how many did not.
    pub(crate) fn forget(&self, key: &str) {
        let last = self.0.lock().remove(key);
        drop(last);
    }

    /// Takes the record of `key` out.
    pub(crate) fn take<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let kept = self.0.lock().remove(key);
        kept.map(|kept| kept.into_record(py)).transpose()
    }

    /// For the garbage collector. One that is being changed is left alone: what it holds is reachable then.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_lock() {
            Some(kept) => kept.values().try_for_each(|one| one.traverse(visit)),
            None => Ok(()),
        }
    }

    pub(crate) fn clear(&self) {
        let all = mem::take(&mut *self.0.lock());
        drop(all);
    }
}
