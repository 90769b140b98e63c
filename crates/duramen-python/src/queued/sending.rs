//! From a logging call into the queue: lines, where everything behind it is native.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use duramen::{Level, Record};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyTuple};
use smallvec::{SmallVec, smallvec};

use super::RecordQueue;
use super::outlet::{Lines, Outlet, Part};
use super::rolling::Rolling;
use super::shortcut::Shortcut;
use crate::amended::Amended;
use crate::classes::{self, Family};
use crate::delivery::Delivery;
use crate::filter_plan::KnownFilters;
use crate::formatter_plan::{FormatterPlan, Needs};
use crate::globals;
use crate::handler;
use crate::handler_plan::{HandlerPlan, Kind, Rollover};
use crate::interpreter::{State, intern};
use crate::pipeline::Event;
use crate::reach::Target;
use crate::remembered::{Finding, Remembered};
use crate::route::{self, Reason, Route, native};
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

/// What is known of an `AsyncHandler`, or of a `QueueHandler` whose queue nobody has looked at, while it is as it was.
pub(crate) struct QueuePlan {
    pub(crate) level: i64,
    /// References that the handler holds.
    filters: *mut ffi::PyObject,
    queue: *mut ffi::PyObject,
    /// What the handler's filters do, when they were last looked at.
    filter_plan: KnownFilters,
    state: Option<State>,
    listened: Option<Listened>,
}

/// What more is known of a `QueueHandler`.
struct Listened {
    /// References that the handler holds, its queue, and what starts the listener.
    unseen: (*mut ffi::PyObject, State),
    shortcut: *mut ffi::PyObject,
    listener: (*mut ffi::PyObject, State),
    /// Handlers behind get no record below their levels.
    respects_levels: bool,
    /// What `prepare` puts in the place of the message and the exception.
    formatter: Rc<FormatterPlan>,
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

    fn queue<'py>(&self, py: Python<'py>) -> Borrowed<'_, 'py, RecordQueue> {
        // SAFETY: the handler holds it, or what it holds does.
        unsafe { Borrowed::from_ptr(py, self.queue).cast_unchecked() }
    }

    fn filters<'py>(&self, py: Python<'py>) -> Borrowed<'_, 'py, PyList> {
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

    pub(crate) fn has_journal(&self, py: Python<'_>) -> bool {
        self.queue(py).get().journal.is_some()
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
        // SAFETY: attached; nothing runs while the reference lives, and the handler holds the stream.
        let outlet = unsafe {
            let [Some(known)] = &(&*queue.streams.get())[..] else { return None };
            let is_same = known.stream.as_ptr() == behind.stream_object()
                && known.rollover == behind.rollover
                && known.file.takes(line);
            is_same.then(|| Arc::clone(&known.outlet))?
        };
        let part = Part { place: Some(0), end: line.len(), outlet };
        let parts = smallvec![part];
        queue
            .offer_at_once(Lines { bytes: line.to_vec(), parts, skipped: SmallVec::new(), kept: None }, level)
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
    Ok(Ok(QueuePlan {
        level,
        filters: filters.as_ptr(),
        queue: queue.as_ptr(),
        filter_plan: KnownFilters::default(),
        state: State::of(handler),
        listened: None,
    }))
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
    Ok(Ok(QueuePlan {
        level,
        filters: filters.as_ptr(),
        queue: queue.as_ptr(),
        filter_plan: KnownFilters::default(),
        state: State::of(handler),
        listened: Some(more),
    }))
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
    let whole = Delivery::new(event, record, &targets[number], settings);
    let made = match behind.make(&whole, settings, line, time)? {
        Answer::Goes(made) => made,
        Answer::HeldBack => return Ok(()),
        Answer::ByPython(made) => return behind.hand_over(&whole, &made),
    };
    let shown = made.amended.as_ref().map(|amended| (amended, amended.record(record)));
    let mut lines = Lines { bytes: Vec::new(), parts: SmallVec::new(), skipped: SmallVec::new(), kept: None };
    for target in targets[number..].iter().take_while(is_same) {
        line.clear();
        time.clear();
        let plain = Delivery::new(event, record, target, settings);
        let delivery = match &shown {
            Some((amended, shown)) => plain.with(amended, shown),
            None => plain,
        };
        if !add_line(&delivery, target, &mut lines, line, time)? {
            return behind.hand_over(&whole, &made);
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

/// What a handler before a queue says about an event.
enum Answer<'py> {
    Goes(Made<'py>),
    HeldBack,
    /// The handler's own methods have to go on.
    ByPython(Made<'py>),
}

/// What a handler before a queue has made of an event.
#[derive(Default)]
struct Made<'py> {
    /// Nothing, if its filters have not been asked.
    amended: Option<Amended<'py>>,
    /// What its method `prepare` does is done.
    is_prepared: bool,
}

impl<'py> Behind<'py> {
    /// Asks the filters of the handler in front, and does what its `prepare` does, if it has one.
    fn make(
        &self,
        delivery: &Delivery<'_, 'py>,
        settings: &Settings,
        text: &mut Vec<u8>,
        time: &mut String,
    ) -> PyResult<Answer<'py>> {
        let py = self.owner.py();
        let mut made = Made::default();
        // SAFETY: a live handler. What ran meanwhile may have changed it.
        if !unsafe { self.plan.holds(self.owner.as_ptr(), settings) } {
            return Ok(Answer::ByPython(made));
        }
        // The plan may not hold any more when filters have run.
        let listened = self.plan.listened.as_ref();
        let filters = self.plan.filters(py).to_owned();
        if !filters.is_empty() {
            let Some(plan) = self.plan.filter_plan.of(&filters)? else { return Ok(Answer::ByPython(made)) };
            made.amended = delivery.ask(&plan, &filters)?;
            if made.amended.is_none() {
                return Ok(Answer::HeldBack);
            }
        }
        let Some(listened) = listened else { return Ok(Answer::Goes(made)) };
        let amended = made.amended.take().unwrap_or_default();
        let shown = amended.record(delivery.record());
        let delivery = delivery.with(&amended, &shown);
        if listened.formatter.is_message() && !delivery.has_exception() {
            // The message is the text.
            made.amended = (!filters.is_empty()).then_some(amended);
            return Ok(Answer::Goes(made));
        }
        text.clear();
        time.clear();
        let written = match delivery.format_with(&listened.formatter, text, time) {
            Ok(written) => written.is_some(),
            Err(error) if classes::is_ordinary(py, &error) => false,
            Err(error) => return Err(error),
        };
        let message = if written { std::str::from_utf8(text).ok().map(str::to_owned) } else { None };
        let Some(message) = message else {
            made.amended = (!filters.is_empty()).then_some(amended);
            return Ok(Answer::ByPython(made));
        };
        let mut amended = amended;
        amended.message = Some(message);
        amended.leave_exception_out();
        Ok(Answer::Goes(Made { amended: Some(amended), is_prepared: true }))
    }

    /// Has the methods of the handler in front go on with the event.
    fn hand_over(&self, delivery: &Delivery<'_, 'py>, made: &Made<'py>) -> PyResult<()> {
        let py = self.owner.py();
        let Some(amended) = &made.amended else {
            let record = delivery.python_record()?;
            return self.owner.call_method1(intern!(py, "handle"), (record,)).map(drop);
        };
        let shown = amended.record(delivery.record());
        let record = delivery.with(amended, &shown).python_record()?;
        if self.plan.listened.is_none() {
            // One that waits for room holds no lock.
            return self.owner.call_method1(intern!(py, "emit"), (record,)).map(drop);
        }
        handler::usual::locked(&self.owner, || {
            if !made.is_prepared {
                return self.owner.call_method1(intern!(py, "emit"), (record,)).map(drop);
            }
            handler::error::guarded_entirely(&self.owner, &record, || {
                self.owner.call_method1(intern!(py, "enqueue"), (&record,)).map(drop)
            })
        })
    }

    /// What the handler in front shows of a record.
    pub(crate) fn needs(&self) -> Needs {
        self.plan.listened.as_ref().map_or_else(Needs::default, |listened| listened.formatter.needs)
    }
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
    let filters = unsafe { plan.filters(behind.owner.py()) }.to_owned();
    let mut amended = None;
    if !filters.is_empty() {
        // A line must not pass them by. What the journal of a queue has does not go through filters behind it.
        let known = if behind.queue.get().journal.is_none() { plan.filter_plan(&filters)? } else { None };
        let Some(known) = known else { return Ok(false) };
        amended = delivery.ask(&known, &filters)?;
        if amended.is_none() {
            return add_part(&plan, target, lines, line);
        }
    }
    let shown = amended.as_ref().map(|amended| (amended, amended.record(delivery.record())));
    let rendered = match &shown {
        Some((amended, shown)) => delivery.with(amended, shown).format(&plan, line, time),
        None => delivery.format(&plan, line, time),
    };
    let rendered = match rendered {
        Ok(rendered) => rendered.is_some(),
        Err(error) if classes::is_ordinary(behind.owner.py(), &error) => false,
        Err(error) => return Err(error),
    };
    if !rendered {
        return Ok(false);
    }
    line.extend_from_slice(plan.terminator.as_bytes());
    add_part(&plan, target, lines, line)
}

/// Adds what the handler writes, which is nothing where a filter of its holds the record back.
fn add_part(plan: &HandlerPlan, target: &Target<'_>, lines: &mut Lines, line: &[u8]) -> PyResult<bool> {
    let Some(behind) = &target.queue else { return Ok(false) };
    let Some(outlet) = behind.queue.get().outlet(&target.handler, behind.place, plan, line)? else {
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
    /// As the plan of the handler had it.
    rollover: Rollover,
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
        if stream.is_none() && plan.kind != Kind::Stream {
            if let Some(outlet) = self.rolling_outlet(place, plan, line) {
                // It is being rolled over: who writes finds the file that is open then.
                return Ok(Some(outlet));
            }
            if handler::file::open_if_delayed(handler).is_err() {
                // The handler itself reports it.
                return Ok(None);
            }
            stream = handler.getattr(intern!(py, "stream"))?;
        }
        // SAFETY: attached; the reference does not outlive the look at what it holds.
        let known = unsafe { &*self.streams.get() };
        let is_known = known[place]
            .as_ref()
            .is_some_and(|known| known.stream.is(&stream) && known.rollover == plan.rollover);
        if !is_known && !self.look_at(&stream, place, Some(plan))? {
            return Ok(None);
        }
        // SAFETY: as above; the handler holds the stream.
        Ok(unsafe {
            let known = (&*self.streams.get())[place].as_ref();
            known.filter(|known| known.file.takes(line)).map(|known| Arc::clone(&known.outlet))
        })
    }

    /// The one for a handler that rolls its file over, whatever its stream is now.
    fn rolling_outlet(&self, place: usize, plan: &HandlerPlan, line: &[u8]) -> Option<Arc<Outlet>> {
        // SAFETY: attached; nothing runs while the reference lives.
        let known = unsafe { (&*self.streams.get())[place].as_ref()? };
        let is_usual = known.rollover == plan.rollover && known.file.carries(line);
        (is_usual && known.outlet.rolling().is_some()).then(|| Arc::clone(&known.outlet))
    }

    /// Flushes the stream of the handler at `place` and remembers it, if the worker can write below it. Without its plan, if
    /// it is the one that is remembered.
    pub(super) fn look_at(
        &self,
        stream: &Bound<'_, PyAny>,
        place: usize,
        plan: Option<&HandlerPlan>,
    ) -> PyResult<bool> {
        let py = stream.py();
        let flushed = stream.call_method0(intern!(py, "flush")).is_ok();
        let file = if flushed { DirectFile::of(stream)? } else { None };
        // SAFETY: attached, and nothing runs while the reference lives.
        let previous = unsafe { (&mut *self.streams.get())[place].take() };
        let Some(file) = file else {
            if previous.as_ref().is_some_and(|previous| previous.outlet.rolling().is_some()) {
                // SAFETY: as above.
                let replaced = unsafe { std::mem::replace(&mut (&mut *self.streams.get())[place], previous) };
                drop(replaced);
            }
            return Ok(false);
        };
        let is_one = |previous: &KnownStream| -> PyResult<bool> {
            Ok(previous.stream.is(stream)
                || match (previous.outlet.rolling(), plan) {
                    (Some(rolling), Some(plan)) => rolling.is_of(self.handlers[place].bind(py), plan)?,
                    (rolling, None) => rolling.is_some(),
                    (None, Some(_)) => false,
                })
        };
        let is_one = previous.as_ref().map(is_one).transpose()?.unwrap_or(false);
        // The worker's lines and those of the new look go through one descriptor as long as the stream is one, and as long
        // as the file is rolled over: lines that two of them have for one file would come out of order.
        let (outlet, rollover) = match (&previous, plan) {
            (Some(previous), _) if is_one => {
                if let (Some(rolling), Some(plan)) = (previous.outlet.rolling(), plan) {
                    rolling.follow(plan);
                }
                (Arc::clone(&previous.outlet), plan.map_or(previous.rollover, |plan| plan.rollover))
            }
            (_, Some(plan)) => {
                let handler = self.handlers[place].bind(py);
                let rolling = Rolling::of(handler, plan)?;
                let (Ok(duplicate), syncer) = (file.duplicate(), handler::fsync::of(handler)?) else {
                    return Ok(false);
                };
                self.rolls.fetch_or(rolling.is_some(), Ordering::Relaxed);
                (Arc::new(Outlet::new(duplicate, syncer, rolling)), plan.rollover)
            }
            _ => return Ok(false),
        };
        let known = KnownStream { stream: stream.clone().unbind(), file, outlet, rollover };
        // SAFETY: as above.
        let replaced = unsafe { (&mut *self.streams.get())[place].replace(known) };
        drop((previous, replaced));
        Ok(true)
    }
}
