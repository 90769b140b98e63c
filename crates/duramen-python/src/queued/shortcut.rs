//! The way past the queue that Duramen made for a `QueueHandler`, while nobody has looked at it.
//!
//! Such a queue is a `queue.Queue` of a class whose attributes cannot be read without a look (`_listening.py`). While
//! a listener runs, records go to a [`RecordQueue`] instead, as if the listener had taken them out at once; otherwise they
//! wait in the queue itself. No step here lets other threads run, so that each is whole for them: a record is put on one
//! side of a change or on the other.

use std::sync::atomic::Ordering;

use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use super::RecordQueue;
use super::waiting::Item;
use crate::interpreter::{self, Attached, Once, intern};
use duramen::Level;

/// The class of queues that nobody has looked at.
static UNSEEN: Once<Py<PyType>> = Once::new();

/// Makes `class` the one of queues that nobody has looked at.
#[pyfunction]
pub(crate) fn set_unseen_queue(py: Python<'_>, class: Py<PyType>) {
    UNSEEN.get_or_init(py, || class);
}

/// Where the records for one queue go.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct Shortcut(Attached<State>);

#[derive(Default)]
struct State {
    /// While a listener runs.
    records: Option<Py<RecordQueue>>,
    is_left: bool,
    /// So many records had not been delivered when somebody looked.
    owed: u64,
}

#[pymethods]
impl Shortcut {
    #[new]
    fn new() -> Self {
        // From now on handlers are asked whether they are in front of one: the answer may be kept until a listener starts.
        super::ANY_MADE.store(true, Ordering::Relaxed);
        Self(Attached::new(State::default()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // SAFETY: the collector runs attached, and nothing else meanwhile.
        unsafe { (*self.0.get()).records.as_ref().map_or(Ok(()), |records| visit.call(records)) }
    }

    fn __clear__(&self) {
        drop(self.close());
    }

    /// Has records go to `records` from now on, after those that wait in `queue`; false when that cannot be: somebody has
    /// looked, another listener runs, or the order to stop, `sentinel`, waits among them.
    fn open(
        &self,
        queue: &Bound<'_, PyAny>,
        records: Bound<'_, RecordQueue>,
        sentinel: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let py = queue.py();
        let waiting = waiting_in(queue)?;
        for record in waiting.try_iter()? {
            if record?.is(sentinel) {
                return Ok(false);
            }
        }
        // SAFETY: attached; the reference lives only for the look.
        if unsafe { (*self.0.get()).is_left || (*self.0.get()).records.is_some() } {
            return Ok(false);
        }
        let target = records.get().queue();
        while waiting.len()? > 0 {
            let record = waiting.call_method0(intern!(py, "popleft"))?;
            // There is room without end.
            drop(target.offer(Item::Record(record.unbind(), None), Level(0)));
        }
        // SAFETY: attached; nothing was there.
        unsafe { (*self.0.get()).records = Some(records.unbind()) };
        Ok(true)
    }

    /// Has records wait in the queue itself from now on; those that went past it, if they did.
    fn close(&self) -> Option<Py<RecordQueue>> {
        // SAFETY: attached; the reference lives only for this.
        let records = unsafe { (*self.0.get()).records.take() };
        if let Some(records) = &records {
            records.get().close();
        }
        records
    }

    /// Somebody looks at `queue`: it is one of `class`, `queue.Queue`, from now on, and counts as unfinished what is not
    /// delivered. Gives what starts the listener's thread, if one runs.
    fn leave<'py>(
        &self,
        queue: &Bound<'py, PyAny>,
        class: &Bound<'py, PyType>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = queue.py();
        // SAFETY: attached; the reference lives only for this.
        let was_left = unsafe { std::mem::replace(&mut (*self.0.get()).is_left, true) };
        if was_left {
            return Ok(None);
        }
        let records = self.close();
        let owed = records.as_ref().map_or(0, |records| {
            let ledger = records.get().queue().ledger();
            ledger.queued + ledger.in_flight
        });
        // SAFETY: as above.
        unsafe { (*self.0.get()).owed = owed };
        let unfinished = waiting_in(queue)?.len()? as u64 + owed;
        interpreter::instance_dict(queue)?.set_item(intern!(py, "unfinished_tasks"), unfinished)?;
        let name = intern!(py, "__class__").as_ptr();
        // SAFETY: live objects; past the method of the class, which looks.
        if unsafe { ffi::PyObject_GenericSetAttr(queue.as_ptr(), name, class.as_ptr()) } < 0 {
            return Err(PyErr::fetch(py));
        }
        Ok(records.map(|records| records.get().start_worker.bind(py).clone()))
    }

    /// Whether records go past the queue.
    #[getter]
    fn is_open(&self) -> bool {
        // SAFETY: attached.
        unsafe { (*self.0.get()).records.is_some() }
    }

    /// Takes what is put into `queue` where a look cannot make it a plain one.
    fn put(&self, queue: &Bound<'_, PyAny>, record: &Bound<'_, PyAny>) -> PyResult<()> {
        self.take_in(queue, record)
    }

    /// Whether somebody has looked.
    #[getter]
    fn is_left(&self) -> bool {
        // SAFETY: attached.
        unsafe { (*self.0.get()).is_left }
    }

    /// How many records had not been delivered then.
    #[getter]
    fn owed(&self) -> u64 {
        // SAFETY: attached.
        unsafe { (*self.0.get()).owed }
    }
}

impl Shortcut {
    /// That of `queue`, if it is one that nobody has looked at.
    pub(crate) fn of<'py>(queue: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Self>>> {
        let py = queue.py();
        if !UNSEEN.get(py).is_some_and(|class| queue.get_type().is(class)) {
            return Ok(None);
        }
        let shortcut = interpreter::instance_dict(queue)?.get_item(intern!(py, "_shortcut"))?;
        Ok(shortcut.and_then(|shortcut| shortcut.cast_into_exact::<Self>().ok()))
    }

    /// Where records go while a listener runs.
    pub(super) fn records<'py>(&self, py: Python<'py>) -> Option<Bound<'py, RecordQueue>> {
        // SAFETY: attached; the reference lives only for the clone.
        unsafe { (*self.0.get()).records.as_ref().map(|records| records.bind(py).clone()) }
    }

    /// The address of the same.
    pub(super) fn address(&self) -> *mut ffi::PyObject {
        // SAFETY: as above.
        unsafe { (*self.0.get()).records.as_ref().map_or(std::ptr::null_mut(), Py::as_ptr) }
    }

    /// Takes what was put into `queue`.
    pub(crate) fn take_in(&self, queue: &Bound<'_, PyAny>, record: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = queue.py();
        match self.records(py) {
            Some(records) => records.get().offer(py, Item::Record(record.clone().unbind(), None), Level(0)),
            None => waiting_in(queue)?.call_method1(intern!(py, "append"), (record,)).map(drop),
        }
    }
}

/// The deque of a queue.
fn waiting_in<'py>(queue: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let attributes: Bound<'_, PyDict> = interpreter::instance_dict(queue)?;
    attributes.as_any().get_item(intern!(queue.py(), "queue"))
}
