//! Which handlers the records of a logger reach, remembered while nobody has changed anything on the way.
//!
//! The way leads from the logger to the root while records propagate. What is remembered of it are references that
//! the loggers hold, to be compared with those that they hold now, and the plans of the handlers.

use std::rc::Rc;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyList};
use smallvec::SmallVec;

use crate::classes::Family;
use crate::filter;
use crate::filter::plan::FilterPlan;
use crate::handler::plan::HandlerPlan;
use crate::interpreter::{self, State, intern};
use crate::logger;
use crate::logger::view::{LoggerState, LoggerView};
use crate::queued::{Behind, QueuePlan};
use crate::way::logger_name::LoggerName;
use crate::way::remembered::{Finding, Remembered};
use crate::way::route::{self, Reason, Route, native};
use crate::way::settings::Settings;

/// A handler that takes a record, with its plan.
pub(crate) struct Target<'py> {
    pub(crate) handler: Bound<'py, PyAny>,
    pub(crate) plan: Rc<HandlerPlan>,
    /// For a handler behind a queue.
    pub(crate) queue: Option<Behind<'py>>,
}

/// Where records of a logger end.
pub(crate) struct End<'a> {
    /// The logger's name.
    pub(crate) name: &'a str,
    /// The same number only with the same name.
    pub(crate) name_number: u64,
    /// The handler is this one of those on the way.
    pub(crate) number: usize,
    pub(crate) plan: &'a HandlerPlan,
    /// The queue that it is the only handler behind.
    pub(crate) queue: Option<&'a QueuePlan>,
}

impl End<'_> {
    /// What the handler's filters do, if there are any; `None` when that is something else than masking the record, or is
    /// not known. The reach has just been found to hold.
    #[inline]
    #[expect(clippy::option_option, reason = "no filters and others are two things")]
    pub(crate) fn masking(&self, py: Python<'_>) -> Option<Option<Rc<FilterPlan>>> {
        // SAFETY: nothing has run since.
        if unsafe { self.plan.filters(py) }.is_empty() {
            Some(None)
        } else {
            self.known_masking(py).map(Some)
        }
    }

    #[cold]
    fn known_masking(&self, py: Python<'_>) -> Option<Rc<FilterPlan>> {
        // Behind a queue filters are asked by the worker.
        let plan = self.queue.is_none().then(|| self.plan.known_filter_plan(py))??;
        plan.only_masking(self.name)?;
        Some(plan)
    }
}

/// Where a handler stands on the way of a record.
pub(crate) struct Stand<'py> {
    /// The logger that has it, the list that it is in, and where there.
    pub(crate) logger: Bound<'py, PyAny>,
    pub(crate) handlers: Bound<'py, PyList>,
    pub(crate) index: usize,
    pub(crate) handler: Bound<'py, PyAny>,
}

/// So many targets fit without an allocation.
pub(crate) type Targets<'py> = SmallVec<[Target<'py>; 2]>;

/// All handlers on the way, whatever their levels.
pub(crate) struct Reach {
    /// The loggers on the way; none where changes of them could not be told.
    loggers: SmallVec<[Seen; 3]>,
    handlers: SmallVec<[Met; 2]>,
    /// The name of the first logger, where it is text.
    name: Option<LoggerName>,
}

/// A logger on the way, as it was.
struct Seen {
    logger: *mut ffi::PyObject,
    state: LoggerState,
    /// What its list of handlers held.
    items: SmallVec<[*mut ffi::PyObject; 2]>,
}

/// A handler on the way: borrowed from the list that holds it.
enum Met {
    /// It writes nothing.
    Silent(*mut ffi::PyObject, Option<State>),
    Writes(*mut ffi::PyObject, Rc<HandlerPlan>),
    /// It is of a class of the application's, which had this version.
    Foreign(*mut ffi::PyObject, *mut ffi::PyTypeObject, u32),
    /// A queue, with those behind it that write.
    Queues(*mut ffi::PyObject, Rc<QueuePlan>, SmallVec<[(usize, Rc<HandlerPlan>); 1]>),
}

static REACHES: Remembered<Reach> = Remembered::new();

impl Finding for Reach {
    fn is_abandoned(&self) -> bool {
        self.handlers.iter().any(Met::is_abandoned)
    }
}

impl Reach {
    /// What was found out before about `logger`, if it still holds.
    pub(crate) fn find(logger: &Bound<'_, PyAny>, settings: &Settings) -> Option<Rc<Self>> {
        REACHES.find(logger, |reach| reach.holds(logger, settings))
    }

    /// Walks from `logger`, which is in this place, to the root.
    pub(crate) fn walk(logger: &Bound<'_, PyAny>, place: &Place<'_>, settings: &Settings) -> Route<Rc<Self>> {
        let mut reach = Self { loggers: SmallVec::new(), handlers: SmallVec::new(), name: None };
        let mut seen = Some(SmallVec::new());
        let mut current = (logger.clone(), None);
        loop {
            let place = current.1.as_ref().unwrap_or(place);
            let handlers = native!(place.handlers());
            for handler in handlers.iter() {
                reach.handlers.push(native!(Met::of(&handler, settings)?));
            }
            match (&mut seen, Seen::of(&current.0, place)?) {
                (Some(seen), Some(logger)) => seen.push(logger),
                _ => seen = None,
            }
            let Some(parent) = place.parent.clone() else { break };
            let next = Place::of(&parent)?;
            current = (parent, Some(next));
        }
        let Some(loggers) = seen else { return Ok(Ok(Rc::new(reach))) };
        reach.name = loggers.first().and_then(|seen: &Seen| LoggerName::of(&seen.state));
        reach.loggers = loggers;
        Ok(Ok(REACHES.put(logger, reach)))
    }

    /// Whether everything on the way is as it was.
    #[inline]
    pub(crate) fn holds(&self, logger: &Bound<'_, PyAny>, settings: &Settings) -> bool {
        let mut next = logger.as_ptr();
        // SAFETY: attached; the first logger is live, and each one that is as it was holds its parent and its list of
        // handlers, which holds these.
        unsafe {
            self.loggers.iter().all(|seen| {
                let holds = seen.logger == next && seen.holds();
                next = seen.state.parent();
                holds
            }) && self.handlers.iter().all(|met| met.holds(logger.py(), settings))
        }
    }

    /// Where records of `level` end, if that is one handler and the logger has no filters. The reach has just been found
    /// to hold.
    #[inline]
    pub(crate) fn only_end(&self, level: i64) -> Option<End<'_>> {
        let name = self.name.as_ref()?;
        let filters = self.loggers.first()?.state.filters();
        // SAFETY: the logger holds its filters, and nothing has run since.
        let has_none = unsafe {
            !filters.is_null() && ffi::PyList_CheckExact(filters) != 0 && ffi::PyList_GET_SIZE(filters) == 0
        };
        has_none.then_some(())?;
        let (number, met) = match &self.handlers[..] {
            [met] if met.takes(level) => (0, met),
            handlers => only_taking(handlers, level)?,
        };
        let (plan, queue) = match met {
            Met::Writes(_, plan) => (plan, None),
            Met::Queues(_, queue, writing) => match &writing[..] {
                [(0, plan)] if queue.gives(level, plan.level) => (plan, Some(&**queue)),
                _ => return None,
            },
            Met::Silent(..) | Met::Foreign(..) => return None,
        };
        Some(End { name: name.text(), name_number: name.number, number, plan, queue })
    }

    /// Where the only handler on the way stands, if it is of a class of the application's. The reach has just been found to
    /// hold.
    pub(crate) fn only_foreign<'py>(&self, py: Python<'py>) -> Option<Stand<'py>> {
        match self.handlers[..] {
            [Met::Foreign(..)] => self.stand(py, 0),
            _ => None,
        }
    }

    /// Where the handler of this number stands. The reach has just been found to hold.
    pub(crate) fn stand<'py>(&self, py: Python<'py>, number: usize) -> Option<Stand<'py>> {
        let mut rest = number;
        for seen in &self.loggers {
            if let Some(handler) = seen.items.get(rest) {
                // SAFETY: the logger is alive, and holds the list, which holds the handler.
                return unsafe {
                    let [logger, handlers, handler] = [seen.logger, seen.state.handlers(), *handler]
                        .map(|object| Bound::from_borrowed_ptr(py, object));
                    let handlers = handlers.cast_into_exact().ok()?;
                    Some(Stand { logger, handlers, index: rest, handler })
                };
            }
            rest -= seen.items.len();
        }
        None
    }

    /// The name of the logger. The reach has just been found to hold.
    pub(crate) fn name<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: the logger holds its name, or has none.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.loggers.first()?.state.name()) }
    }

    /// The handlers that take records of `level`.
    pub(crate) fn targets<'py>(&self, py: Python<'py>, level: i64) -> Route<Targets<'py>> {
        let mut targets = Targets::new();
        if self.handlers.is_empty() {
            return Ok(Err(Reason::NoHandlers));
        }
        for met in &self.handlers {
            native!(met.add_to(&mut targets, py, level)?);
        }
        Ok(Ok(targets))
    }
}

/// The one that takes records of `level`, if there is one and no other.
#[inline(never)]
fn only_taking(handlers: &[Met], level: i64) -> Option<(usize, &Met)> {
    let mut taking = handlers.iter().enumerate().filter(|(_, met)| met.takes(level));
    taking.next().filter(|_| taking.next().is_none())
}

impl Seen {
    /// `None` when changes could not be told.
    fn of(logger: &Bound<'_, PyAny>, place: &Place<'_>) -> PyResult<Option<Self>> {
        if LoggerState::of(logger).is_none() {
            // One that records only pass by has not been looked at before.
            logger::view::examine(logger)?;
        }
        Ok(Self::known(logger, place))
    }

    fn known(logger: &Bound<'_, PyAny>, place: &Place<'_>) -> Option<Self> {
        // The truth of other objects may change while they stay the same.
        let is_constant = place.propagate.is_exact_instance_of::<PyBool>()
            || place.propagate.is_exact_instance_of::<PyInt>();
        is_constant.then_some(())?;
        let items = place.handlers().ok()?.iter().map(|handler| handler.as_ptr()).collect();
        Some(Self { logger: logger.as_ptr(), state: LoggerState::of(logger)?, items })
    }

    /// # Safety
    /// The logger is live and the thread is attached.
    #[inline]
    unsafe fn holds(&self) -> bool {
        // SAFETY: by the contract. What the logger holds is live, and its type is looked at before it is taken for a
        // list: it may be another object at the same address.
        unsafe {
            self.state.holds(self.logger) && {
                let handlers = self.state.handlers();
                ffi::PyList_CheckExact(handlers) != 0
                    && usize::try_from(ffi::PyList_GET_SIZE(handlers)) == Ok(self.items.len())
                    && (0..)
                        .zip(&self.items)
                        .all(|(index, item)| ffi::PyList_GET_ITEM(handlers, index) == *item)
            }
        }
    }
}

impl Met {
    fn of(handler: &Bound<'_, PyAny>, settings: &Settings) -> Route<Self> {
        if let Some(plan) = native!(QueuePlan::of(handler, settings)?) {
            let mut writing = SmallVec::new();
            for (place, behind) in plan.handlers(handler.py()).enumerate() {
                if let Some(plan) = native!(route::plan_of(&behind, settings)?) {
                    writing.push((place, plan));
                }
            }
            return Ok(Ok(Self::Queues(handler.as_ptr(), plan, writing)));
        }
        Ok(match route::plan_of(handler, settings)? {
            Ok(Some(plan)) => Ok(Self::Writes(handler.as_ptr(), plan)),
            Ok(None) => Ok(Self::Silent(handler.as_ptr(), State::of(handler))),
            Err(reason) => match (&reason, interpreter::type_version(&handler.get_type())) {
                (Reason::ForeignClass { part: "handler", .. }, Some(version)) => {
                    Ok(Self::Foreign(handler.as_ptr(), handler.get_type_ptr(), version))
                }
                _ => Err(reason),
            },
        })
    }

    /// # Safety
    /// The handler is live.
    #[inline]
    unsafe fn holds(&self, py: Python<'_>, settings: &Settings) -> bool {
        // SAFETY: by the contract; a queue holds the handlers behind it.
        unsafe {
            match self {
                Self::Silent(handler, state) => state.as_ref().is_some_and(|state| state.holds(*handler)),
                Self::Writes(handler, plan) => plan.holds_for(*handler, settings),
                Self::Foreign(handler, class, version) => {
                    ffi::Py_TYPE(*handler) == *class && (**class).tp_version_tag == *version
                }
                Self::Queues(handler, plan, writing) => {
                    plan.holds(*handler, settings)
                        && writing.iter().all(|(place, behind)| {
                            behind.holds_for(plan.handler(py, *place).as_ptr(), settings)
                        })
                }
            }
        }
    }

    /// Whether a record of `level` does not just pass by.
    #[inline]
    fn takes(&self, level: i64) -> bool {
        match self {
            Self::Silent(..) => false,
            Self::Writes(_, plan) => plan.level <= level,
            Self::Queues(_, queue, _) => queue.level <= level,
            Self::Foreign(..) => true,
        }
    }

    fn is_abandoned(&self) -> bool {
        match self {
            Self::Silent(_, state) => state.as_ref().is_none_or(State::is_abandoned),
            Self::Writes(_, plan) => plan.is_abandoned(),
            Self::Foreign(..) => false,
            Self::Queues(_, plan, writing) => {
                plan.is_abandoned() || writing.iter().any(|(_, plan)| plan.is_abandoned())
            }
        }
    }

    /// Adds what takes a record of `level`. The reach has just been found to hold or made.
    fn add_to<'py>(&self, targets: &mut Targets<'py>, py: Python<'py>, level: i64) -> Route<()> {
        match self {
            Self::Silent(..) => {}
            Self::Foreign(handler, ..) => {
                // SAFETY: the list of handlers holds it.
                let handler = unsafe { Bound::from_borrowed_ptr(py, *handler) };
                return Ok(Err(Reason::ForeignClass { part: "handler", class: handler.get_type().unbind() }));
            }
            Self::Writes(handler, plan) => {
                if level >= plan.level {
                    native!(knows_filters(plan, py)?);
                    native!(plan.is_native(py));
                    // SAFETY: the list of handlers holds it.
                    let handler = unsafe { Bound::from_borrowed_ptr(py, *handler) };
                    targets.push(Target { handler, plan: Rc::clone(plan), queue: None });
                }
            }
            Self::Queues(handler, queue, writing) => {
                if level < queue.level {
                    return Ok(Ok(()));
                }
                // SAFETY: the list of handlers holds it.
                let owner = unsafe { Bound::from_borrowed_ptr(py, *handler) };
                native!(queue.is_native(py)?);
                for (place, plan) in writing.iter().filter(|(_, plan)| queue.gives(level, plan.level)) {
                    native!(goes_behind_a_queue(plan, py)?);
                    targets.push(Target {
                        handler: queue.handler(py, *place),
                        plan: Rc::clone(plan),
                        queue: Some(Behind::new(queue, &owner, *place)),
                    });
                }
            }
        }
        Ok(Ok(()))
    }
}

/// Whether no filter of the handler needs a record in Python form. The plan has just been found or made.
pub(crate) fn knows_filters(plan: &HandlerPlan, py: Python<'_>) -> Route<()> {
    // SAFETY: nothing has run since.
    let filters = unsafe { plan.filters(py) };
    let known = filters.is_empty() || plan.filter_plan(&filters.to_owned())?.is_some();
    Ok(if known { Ok(()) } else { Err(Reason::Filtered { part: "handler" }) })
}

/// Whether lines for the handler can be made before a queue and written behind it. The plan holds.
fn goes_behind_a_queue(plan: &HandlerPlan, py: Python<'_>) -> Route<()> {
    native!(knows_filters(plan, py)?);
    Ok(plan.is_native(py))
}

/// A logger on the way to the root, as it is when it is looked at.
pub(crate) struct Place<'py> {
    handlers: Bound<'py, PyAny>,
    propagate: Bound<'py, PyAny>,
    /// The next one, if records propagate to it.
    pub(crate) parent: Option<Bound<'py, PyAny>>,
}

impl<'py> Place<'py> {
    pub(crate) fn of(logger: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = logger.py();
        let view = logger::view::of(logger);
        let attribute = |get: fn(&LoggerView) -> _, name| {
            // SAFETY: the logger holds its attributes, and nothing has run; null is one that it does not have.
            let value =
                view.as_ref().and_then(|view| unsafe { Bound::from_borrowed_ptr_or_opt(py, get(view)) });
            value.map_or_else(|| logger.getattr(name), Ok)
        };
        let handlers = attribute(LoggerView::handlers, intern!(py, "handlers"))?;
        let propagate = attribute(LoggerView::propagate, intern!(py, "propagate"))?;
        let parent = if propagate.is_truthy()? {
            Some(attribute(LoggerView::parent, intern!(py, "parent"))?).filter(|parent| !parent.is_none())
        } else {
            None
        };
        Ok(Self { handlers, propagate, parent })
    }

    /// Whether the loggers above have no handlers.
    pub(crate) fn is_last(&self) -> PyResult<bool> {
        let mut next = self.parent.clone();
        while let Some(current) = next {
            let place = Self::of(&current)?;
            if !place.handlers().is_ok_and(PyListMethods::is_empty) {
                return Ok(false);
            }
            next = place.parent;
        }
        Ok(true)
    }

    /// The logger's own handlers.
    pub(crate) fn handlers(&self) -> Result<&Bound<'py, PyList>, Reason> {
        let unusual = |_| Reason::Unusual { part: "logger", attribute: "handlers" };
        self.handlers.cast_exact::<PyList>().map_err(unusual)
    }
}

/// What a logger of which nothing is overridden adds to a record itself.
pub(crate) struct Own<'py> {
    pub(crate) name: Bound<'py, PyAny>,
    pub(crate) filters: Bound<'py, PyList>,
}

/// Whether `logger` makes and hands on records as `logging` does: nothing of it is overridden, and the records are
/// plain ones. Its name and its filters, if so.
pub(crate) fn own_of<'py>(logger: &Bound<'py, PyAny>, settings: &Settings) -> Route<Own<'py>> {
    let py = logger.py();
    let unusual = || Reason::Unusual { part: "logger", attribute: "filters" };
    let (name, filters) = if let Some(view) = logger::view::of(logger) {
        // SAFETY: the logger holds its attributes, and nothing has run; null is one that it does not have.
        unsafe {
            (
                Bound::from_borrowed_ptr_or_opt(py, view.name()),
                Bound::from_borrowed_ptr_or_opt(py, view.filters()),
            )
        }
    } else {
        let own = native!(route::part(logger, Family::Logger, "logger")?);
        (own.attributes.get_item(intern!(py, "name"))?, own.attributes.get_item(intern!(py, "filters"))?)
    };
    if !settings.makes_plain_records(py)? {
        return Ok(Err(Reason::RecordFactory));
    }
    let name = name.map_or_else(|| logger.getattr(intern!(py, "name")), Ok)?;
    Ok(match filters.map(Bound::cast_into_exact::<PyList>) {
        Some(Ok(filters)) => Ok(Own { name, filters }),
        _ => Err(unusual()),
    })
}

/// The handlers that a record of `level` reaches from `logger` on, if nothing on the way is written in Python.
/// `filters` are those of the logger, `known` its reach, if that has just been found to hold.
pub(crate) fn targets<'py>(
    logger: &Bound<'py, PyAny>,
    filters: &Bound<'py, PyList>,
    level: i64,
    settings: &Settings,
    known: Option<Rc<Reach>>,
) -> Route<Targets<'py>> {
    if !filters.is_empty() && filter::plan::of_logger(filters)?.is_none() {
        return Ok(Err(Reason::Filtered { part: "logger" }));
    }
    let reach = match known.or_else(|| Reach::find(logger, settings)) {
        Some(reach) => reach,
        None => native!(Reach::walk(logger, &Place::of(logger)?, settings)?),
    };
    reach.targets(logger.py(), level)
}
