//! What is known of a handler before a queue, found out once and remembered while nothing changes.

use std::rc::Rc;
use std::sync::atomic::Ordering;

use duramen::Level;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyTuple};

use super::RecordQueue;
use super::shortcut::Shortcut;
use crate::classes::globals;
use crate::classes::{self, Family};
use crate::filter::plan::KnownFilters;
use crate::formatter::plan::FormatterPlan;
use crate::handler::plan::HandlerPlan;
use crate::interpreter::{State, intern};
use crate::way::remembered::{Finding, Remembered};
use crate::way::route::{self, Reason, Route, native};
use crate::way::settings::Settings;

/// What is known of an `AsyncHandler`, or of a `QueueHandler` whose queue nobody has looked at, while it is as it was.
pub(crate) struct QueuePlan {
    pub(crate) level: i64,
    /// References that the handler holds.
    filters: *mut ffi::PyObject,
    queue: *mut ffi::PyObject,
    /// What the handler's filters do, when they were last looked at.
    pub(super) filter_plan: KnownFilters,
    state: Option<State>,
    pub(super) listened: Option<Listened>,
}

/// What more is known of a `QueueHandler`.
pub(super) struct Listened {
    /// References that the handler holds, its queue, and what starts the listener.
    unseen: (*mut ffi::PyObject, State),
    shortcut: *mut ffi::PyObject,
    listener: (*mut ffi::PyObject, State),
    /// Handlers behind get no record below their levels.
    respects_levels: bool,
    /// What `prepare` puts in the place of the message and the exception.
    pub(super) formatter: Rc<FormatterPlan>,
    formatter_object: *mut ffi::PyObject,
    globals: u64,
}

static PLANS: Remembered<QueuePlan> = Remembered::new();

impl Finding for QueuePlan {
    fn is_abandoned(&self) -> bool {
        self.state.as_ref().is_none_or(State::is_abandoned)
    }
}

impl Listened {
    /// Whether all is as it was, and records go to `queue`.
    ///
    /// # Safety
    /// The handler is as it was, and the thread is attached.
    unsafe fn holds(&self, queue: *mut ffi::PyObject, settings: &Settings) -> bool {
        // SAFETY: the handler holds its queue, which holds the shortcut, which holds the queue of records, which holds
        // what has the listener; the handler or the globals hold the formatter.
        unsafe {
            self.globals == settings.version()
                && self.unseen.1.holds(self.unseen.0)
                && Borrowed::from_ptr(Python::assume_attached(), self.shortcut)
                    .cast_unchecked::<Shortcut>()
                    .get()
                    .address()
                    == queue
                && self.listener.1.holds(self.listener.0)
                && self.formatter.holds(self.formatter_object)
        }
    }
}

/// What is asked of a plan is asked while it holds.
impl QueuePlan {
    fn new(
        handler: &Bound<'_, PyAny>,
        level: i64,
        filters: &Bound<'_, PyList>,
        queue: &Bound<'_, RecordQueue>,
        listened: Option<Listened>,
    ) -> Self {
        Self {
            level,
            filters: filters.as_ptr(),
            queue: queue.as_ptr(),
            filter_plan: KnownFilters::default(),
            state: State::of(handler),
            listened,
        }
    }

    /// The plan for `handler`, if it is one before a queue of records.
    pub(crate) fn of(handler: &Bound<'_, PyAny>, settings: &Settings) -> Route<Option<Rc<Self>>> {
        if !RecordQueue::is_any_made() {
            return Ok(Ok(None));
        }
        // SAFETY: the handler is live.
        if let Some(plan) = PLANS.find(handler, |plan| unsafe { plan.holds(handler.as_ptr(), settings) }) {
            return Ok(Ok(Some(plan)));
        }
        let plan = match classes::known(handler).map(|class| class.family) {
            Some(Family::AsyncHandler) => native!(plan_anew(handler)?),
            Some(Family::QueueHandler) => native!(plan_of_listened(handler, settings)?),
            _ => return Ok(Ok(None)),
        };
        Ok(Ok(Some(PLANS.put(handler, plan))))
    }

    /// Whether the handler is as it was.
    ///
    /// # Safety
    /// `handler` is live and the thread is attached.
    pub(crate) unsafe fn holds(&self, handler: *mut ffi::PyObject, settings: &Settings) -> bool {
        // SAFETY: by the contract.
        unsafe {
            self.state.as_ref().is_some_and(|state| state.holds(handler))
                && self.listened.as_ref().is_none_or(|listened| listened.holds(self.queue, settings))
        }
    }

    pub(super) fn queue<'py>(&self, py: Python<'py>) -> Borrowed<'_, 'py, RecordQueue> {
        // SAFETY: the handler holds it, or what it holds does.
        unsafe { Borrowed::from_ptr(py, self.queue).cast_unchecked() }
    }

    pub(super) fn filters<'py>(&self, py: Python<'py>) -> Borrowed<'_, 'py, PyList> {
        // SAFETY: the handler holds the list.
        unsafe { Borrowed::from_ptr(py, self.filters).cast_unchecked() }
    }

    /// The handlers behind the queue, by their places.
    pub(crate) fn handlers<'py>(&self, py: Python<'py>) -> impl Iterator<Item = Bound<'py, PyAny>> {
        (0..self.queue(py).get().handlers.len()).map(move |place| self.handler(py, place))
    }

    /// The one at `place`.
    pub(crate) fn handler<'py>(&self, py: Python<'py>, place: usize) -> Bound<'py, PyAny> {
        self.queue(py).get().handlers[place].bind(py).clone()
    }

    /// Whether a handler behind the queue, of level `least`, gets records of `level`.
    pub(crate) fn gives(&self, level: i64, least: i64) -> bool {
        level >= least || self.listened.as_ref().is_some_and(|listened| !listened.respects_levels)
    }

    /// Whether records need not be made in Python form before the queue.
    pub(crate) fn is_native(&self, py: Python<'_>) -> Route<()> {
        let filters = self.filters(py);
        if !filters.is_empty() && self.filter_plan.of(&filters)?.is_none() {
            return Ok(Err(Reason::Filtered { part: "handler" }));
        }
        if self.queue(py).get().is_bypassed.load(Ordering::Relaxed) {
            return Ok(Err(Reason::Unusual { part: "handler", attribute: "queue" }));
        }
        Ok(Ok(()))
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
        self.filters(py).is_empty().then_some(())?;
        let queue = self.queue(py);
        let queue = queue.get();
        (!queue.is_bypassed.load(Ordering::Relaxed)).then_some(())?;
        // Another text than the message needs a record.
        self.listened.as_ref().is_none_or(|listened| listened.formatter.is_message()).then_some(())?;
        // SAFETY: attached, and nothing runs until the line is in the queue.
        let outlet = unsafe { queue.only_outlet(behind, line) }?;
        queue.offer_at_once(line, outlet, level)
    }
}

/// The attributes that handlers before a queue of records share: the level and the filters.
fn level_and_filters<'py>(own: &Bound<'py, PyDict>) -> Route<(i64, Bound<'py, PyList>)> {
    let py = own.py();
    let unusual = |attribute| Ok(Err(Reason::Unusual { part: "handler", attribute }));
    let Some(Ok(level)) = own.get_item(intern!(py, "level"))?.map(|least| least.extract::<i64>()) else {
        return unusual("level");
    };
    let Some(Ok(filters)) = own.get_item(intern!(py, "filters"))?.map(Bound::cast_into_exact::<PyList>)
    else {
        return unusual("filters");
    };
    Ok(Ok((level, filters)))
}

fn plan_anew(handler: &Bound<'_, PyAny>) -> Route<QueuePlan> {
    let py = handler.py();
    let own = native!(route::part(handler, Family::AsyncHandler, "handler")?).attributes;
    let (level, filters) = native!(level_and_filters(&own)?);
    let Some(Ok(queue)) = own.get_item(intern!(py, "_queue"))?.map(Bound::cast_into_exact::<RecordQueue>)
    else {
        return Ok(Err(Reason::Unusual { part: "handler", attribute: "queue" }));
    };
    Ok(Ok(QueuePlan::new(handler, level, &filters, &queue, None)))
}

/// The plan for a `QueueHandler`, if nobody has looked at its queue and a usual listener runs.
fn plan_of_listened(handler: &Bound<'_, PyAny>, settings: &Settings) -> Route<QueuePlan> {
    let py = handler.py();
    let own = native!(route::part(handler, Family::QueueHandler, "handler")?).attributes;
    let (level, filters) = native!(level_and_filters(&own)?);
    let unusual = |part, attribute| Ok(Err(Reason::Unusual { part, attribute }));
    let unseen = own.get_item(intern!(py, "queue"))?;
    let shortcut = unseen.as_ref().map(Shortcut::of).transpose()?.flatten();
    let (Some(unseen), Some(shortcut)) = (unseen, shortcut) else { return unusual("handler", "queue") };
    let Some(queue) = shortcut.get().records(py) else { return unusual("handler", "listener") };
    let listener = queue.get().start_worker.bind(py).getattr(intern!(py, "listener"))?;
    let of_listener = native!(route::part(&listener, Family::QueueListener, "listener")?).attributes;
    let handlers = of_listener.get_item(intern!(py, "handlers"))?;
    let Some(Ok(handlers)) = handlers.map(Bound::cast_into_exact::<PyTuple>) else {
        return unusual("listener", "handlers");
    };
    let behind = &queue.get().handlers;
    if handlers.len() != behind.len() || !handlers.iter().zip(behind).all(|(one, other)| one.is(other)) {
        return unusual("listener", "handlers");
    }
    let respects_levels = of_listener.get_item(intern!(py, "respect_handler_level"))?;
    let Some(Ok(respects_levels)) = respects_levels.map(Bound::cast_into_exact::<PyBool>) else {
        return unusual("listener", "respect_handler_level");
    };
    let Some(formatter) = own.get_item(intern!(py, "formatter"))? else {
        return unusual("handler", "formatter");
    };
    let formatter =
        if formatter.is_none() { globals::get(py, intern!(py, "_defaultFormatter"))? } else { formatter };
    let plan = native!(route::formatter_plan_of(&formatter)?);
    let (Some(of_unseen), Some(of_listener)) = (State::of(&unseen), State::of(&listener)) else {
        return unusual("handler", "queue");
    };
    let more = Listened {
        unseen: (unseen.as_ptr(), of_unseen),
        shortcut: shortcut.as_ptr(),
        listener: (listener.as_ptr(), of_listener),
        respects_levels: respects_levels.is_true(),
        formatter: plan,
        formatter_object: formatter.as_ptr(),
        globals: settings.version(),
    };
    Ok(Ok(QueuePlan::new(handler, level, &filters, &queue, Some(more))))
}
