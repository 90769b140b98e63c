//! From a logging call into the queue: lines, where everything behind it is native.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use duramen::{Level, Record};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyList;
use smallvec::{SmallVec, smallvec};

use super::RecordQueue;
use super::outlet::{Lines, Outlet, Part};
use crate::classes::{self, Family};
use crate::delivery::Delivery;
use crate::handler;
use crate::handler_plan::{HandlerPlan, Kind};
use crate::interpreter::{State, intern};
use crate::pipeline::Event;
use crate::reach::Target;
use crate::remembered::{Finding, Remembered};
use crate::route::{self, Reason, Route};
use crate::settings::Settings;
use crate::sink::DirectFile;

/// A handler behind a queue.
pub(crate) struct Behind<'py> {
    plan: Rc<QueuePlan>,
    /// The handler in front of the queue.
    owner: Bound<'py, PyAny>,
    queue: Bound<'py, RecordQueue>,
    place: usize,
}

impl<'py> Behind<'py> {
    /// The one at `place` behind the queue of `owner`, whose plan this is.
    pub(crate) fn new(plan: &Rc<QueuePlan>, owner: &Bound<'py, PyAny>, place: usize) -> Self {
        let queue = plan.queue(owner.py()).to_owned();
        Self { plan: Rc::clone(plan), owner: owner.clone(), queue, place }
    }
}

/// What is known of an `AsyncHandler` while it is as it was.
pub(crate) struct QueuePlan {
    pub(crate) level: i64,
    /// References that the handler holds.
    filters: *mut ffi::PyObject,
    queue: *mut ffi::PyObject,
    state: Option<State>,
}

static PLANS: Remembered<QueuePlan> = Remembered::new();

impl Finding for QueuePlan {
    fn is_abandoned(&self) -> bool {
        self.state.as_ref().is_none_or(State::is_abandoned)
    }
}

/// What is asked of a plan is asked while it holds.
impl QueuePlan {
    /// The plan for `handler`, if it is an `AsyncHandler`.
    pub(crate) fn of(handler: &Bound<'_, PyAny>) -> Route<Option<Rc<Self>>> {
        if !RecordQueue::is_any_made() {
            return Ok(Ok(None));
        }
        // SAFETY: the handler is live.
        if let Some(plan) = PLANS.find(handler, |plan| unsafe { plan.holds(handler.as_ptr()) }) {
            return Ok(Ok(Some(plan)));
        }
        if classes::known(handler).is_none_or(|class| class.family != Family::AsyncHandler) {
            return Ok(Ok(None));
        }
        Ok(plan_anew(handler)?.map(|plan| Some(PLANS.put(handler, plan))))
    }

    /// Whether the handler is as it was.
    ///
    /// # Safety
    /// `handler` is live and the thread is attached.
    pub(crate) unsafe fn holds(&self, handler: *mut ffi::PyObject) -> bool {
        // SAFETY: by the contract.
        self.state.as_ref().is_some_and(|state| unsafe { state.holds(handler) })
    }

    fn queue<'py>(&self, py: Python<'py>) -> Borrowed<'_, 'py, RecordQueue> {
        // SAFETY: the handler holds it.
        unsafe { Borrowed::from_ptr(py, self.queue).cast_unchecked() }
    }

    /// The handlers behind the queue, by their places.
    pub(crate) fn handlers<'py>(&self, py: Python<'py>) -> impl Iterator<Item = Bound<'py, PyAny>> {
        (0..self.queue(py).get().handlers.len()).map(move |place| self.handler(py, place))
    }

    /// The one at `place`.
    pub(crate) fn handler<'py>(&self, py: Python<'py>, place: usize) -> Bound<'py, PyAny> {
        self.queue(py).get().handlers[place].bind(py).clone()
    }

    /// Whether records need not be made in Python form before the queue.
    pub(crate) fn is_native(&self, py: Python<'_>) -> Result<(), Reason> {
        // SAFETY: the handler holds the list.
        let filters: Borrowed<'_, '_, PyList> =
            unsafe { Borrowed::from_ptr(py, self.filters).cast_unchecked() };
        if !filters.is_empty() {
            return Err(Reason::Filtered { part: "handler" });
        }
        if self.queue(py).get().is_bypassed.load(Ordering::Relaxed) {
            return Err(Reason::Unusual { part: "handler", attribute: "queue" });
        }
        Ok(())
    }
}

impl QueuePlan {
    /// Puts `line` for the one handler behind the queue, whose plan holds, into it, without a wait and without asking the
    /// interpreter; `None` where that cannot be, and nothing has been done.
    pub(crate) fn put_line(
        &self,
        behind: &HandlerPlan,
        py: Python<'_>,
        level: Level,
        line: &[u8],
    ) -> Option<()> {
        goes_behind(behind).ok()?;
        self.is_native(py).ok()?;
        let queue = self.queue(py);
        let queue = queue.get();
        // SAFETY: attached; nothing runs while the reference lives, and the handler holds the stream.
        let outlet = unsafe {
            let [Some(known)] = &(&*queue.streams.get())[..] else { return None };
            let is_same = known.stream.as_ptr() == behind.stream_object() && known.file.takes(line);
            is_same.then(|| Arc::clone(&known.outlet))?
        };
        let part = Part { place: Some(0), end: line.len(), outlet };
        let parts = smallvec![part];
        queue.offer_at_once(
            Lines { bytes: SmallVec::from_slice(line), parts, skipped: SmallVec::new(), kept: None },
            level,
        )
    }
}

/// Whether lines for the handler are written behind a queue by who knows no interpreter.
pub(crate) fn goes_behind(plan: &HandlerPlan) -> Result<(), Reason> {
    if matches!(plan.kind, Kind::Stream | Kind::File) {
        Ok(())
    } else {
        Err(Reason::Unusual { part: "handler behind the queue", attribute: "class" })
    }
}

fn plan_anew(handler: &Bound<'_, PyAny>) -> Route<QueuePlan> {
    let py = handler.py();
    let own = match route::part(handler, Family::AsyncHandler, "handler")? {
        Ok(own) => own.attributes,
        Err(reason) => return Ok(Err(reason)),
    };
    let unusual = |attribute| Ok(Err(Reason::Unusual { part: "handler", attribute }));
    let Some(Ok(level)) = own.get_item(intern!(py, "level"))?.map(|least| least.extract::<i64>()) else {
        return unusual("level");
    };
    let Some(Ok(filters)) = own.get_item(intern!(py, "filters"))?.map(Bound::cast_into_exact::<PyList>)
    else {
        return unusual("filters");
    };
    let Some(Ok(queue)) = own.get_item(intern!(py, "_queue"))?.map(Bound::cast_into_exact::<RecordQueue>)
    else {
        return unusual("queue");
    };
    let state = State::of(handler);
    Ok(Ok(QueuePlan { level, filters: filters.as_ptr(), queue: queue.as_ptr(), state }))
}

/// Puts the lines of the record for all handlers of one queue into it, when `number` is the first of them.
pub(crate) fn send<'py>(
    event: &Event<'_, 'py>,
    record: &Record<'_>,
    targets: &[Target<'py>],
    number: usize,
    settings: &Settings,
    line: &mut Vec<u8>,
    time: &mut String,
) -> PyResult<()> {
    let Some(behind) = &targets[number].queue else { return Ok(()) };
    let is_same = |target: &&Target<'py>| {
        target.queue.as_ref().is_some_and(|other| Rc::ptr_eq(&other.plan, &behind.plan))
    };
    if number > 0 && is_same(&&targets[number - 1]) {
        return Ok(());
    }
    let mut lines =
        Lines { bytes: SmallVec::new(), parts: SmallVec::new(), skipped: SmallVec::new(), kept: None };
    for target in targets[number..].iter().take_while(is_same) {
        line.clear();
        time.clear();
        let delivery = Delivery::new(event, record, target, settings);
        if !add_line(&delivery, target, &mut lines, line, time)? {
            let record = event.python_record(settings)?;
            return behind.owner.call_method1(intern!(record.py(), "handle"), (record,)).map(drop);
        }
    }
    let queue = behind.queue.get();
    for place in 0..queue.handlers.len() {
        if !lines.parts.iter().any(|part| part.place == Some(place)) {
            lines.skipped.push(place);
        }
    }
    queue.put_lines(behind.owner.py(), lines, Level(record.level.0))
}

/// Adds the line for one handler; `false` when only the interpreter can make or write it.
fn add_line<'py>(
    delivery: &Delivery<'_, 'py>,
    target: &Target<'py>,
    lines: &mut Lines,
    line: &mut Vec<u8>,
    time: &mut String,
) -> PyResult<bool> {
    let Some(behind) = &target.queue else { return Ok(false) };
    let Some(plan) = delivery.present_plan(false)? else { return Ok(false) };
    // SAFETY: the plan has just been found to hold.
    if !unsafe { plan.filters(behind.owner.py()) }.is_empty() {
        // They are asked by the handler itself, on the thread of Python's: a line must not pass them by.
        return Ok(false);
    }
    let rendered = match delivery.format(&plan, line, time) {
        Ok(rendered) => rendered.is_some(),
        Err(error) if classes::is_ordinary(behind.owner.py(), &error) => false,
        Err(error) => return Err(error),
    };
    if !rendered {
        return Ok(false);
    }
    line.extend_from_slice(plan.terminator.as_bytes());
    let handler = &target.handler;
    let Some(outlet) = behind.queue.get().outlet(handler, behind.place, &plan, line)? else {
        return Ok(false);
    };
    lines.bytes.extend_from_slice(line);
    lines.parts.push(Part { place: Some(behind.place), end: lines.bytes.len(), outlet });
    Ok(true)
}

/// The stream of a handler behind a queue, in the state in which the worker can write below it.
pub(super) struct KnownStream {
    stream: Py<PyAny>,
    file: DirectFile,
    outlet: Arc<Outlet>,
}

// SAFETY: its pointers are followed only by threads that are attached, one at a time.
unsafe impl Send for KnownStream {}

impl RecordQueue {
    /// Where the worker writes `line` for the handler, if nobody can tell the difference.
    fn outlet(
        &self,
        handler: &Bound<'_, PyAny>,
        place: usize,
        plan: &HandlerPlan,
        line: &[u8],
    ) -> PyResult<Option<Arc<Outlet>>> {
        let py = handler.py();
        let mut stream = handler.getattr(intern!(py, "stream"))?;
        if stream.is_none() && plan.kind == Kind::File {
            if handler::file::open_if_delayed(handler).is_err() {
                // The handler itself reports it.
                return Ok(None);
            }
            stream = handler.getattr(intern!(py, "stream"))?;
        }
        // SAFETY: attached; the reference does not outlive the look at what it holds.
        let known = unsafe { &*self.streams.get() };
        let is_known = known[place].as_ref().is_some_and(|known| known.stream.is(&stream));
        if !is_known && !self.look_at(&stream, place)? {
            return Ok(None);
        }
        // SAFETY: as above; the handler holds the stream.
        Ok(unsafe {
            let known = (&*self.streams.get())[place].as_ref();
            known.filter(|known| known.file.takes(line)).map(|known| Arc::clone(&known.outlet))
        })
    }

    /// Flushes the stream of the handler at `place` and remembers it, if the worker can write below it.
    pub(super) fn look_at(&self, stream: &Bound<'_, PyAny>, place: usize) -> PyResult<bool> {
        let py = stream.py();
        let flushed = stream.call_method0(intern!(py, "flush")).is_ok();
        let file = if flushed { DirectFile::of(stream)? } else { None };
        // SAFETY: attached, and nothing runs while the reference lives.
        let previous = unsafe { (&mut *self.streams.get())[place].take() };
        let Some(file) = file else { return Ok(false) };
        // The worker's lines and those of the new look go through one descriptor as long as the stream is one.
        let outlet = match &previous {
            Some(previous) if previous.stream.is(stream) => Arc::clone(&previous.outlet),
            _ => match file.duplicate() {
                Ok(duplicate) => {
                    let syncer = handler::fsync::of(self.handlers[place].bind(py))?;
                    Arc::new(Outlet::new(duplicate, syncer))
                }
                Err(_) => return Ok(false),
            },
        };
        let known = KnownStream { stream: stream.clone().unbind(), file, outlet };
        // SAFETY: as above.
        let replaced = unsafe { (&mut *self.streams.get())[place].replace(known) };
        drop((previous, replaced));
        Ok(true)
    }
}
