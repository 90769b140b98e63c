//! From a logging call into the queue: lines, where everything behind it is native.

use std::rc::Rc;

use duramen::{Level, Record};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smallvec::SmallVec;

use super::RecordQueue;
use super::plan::QueuePlan;
use super::waiting::{Lines, Part};
use crate::classes;
use crate::filter::amended::Amended;
use crate::formatter::plan::Needs;
use crate::handler;
use crate::handler::plan::HandlerPlan;
use crate::interpreter::intern;
use crate::way::delivery::Delivery;
use crate::way::pipeline::Event;
use crate::way::reach::Target;
use crate::way::settings::Settings;

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
        Answer::ByPython(made) => return behind.hand_over(&whole, &made, &[]),
    };
    let shown = made.amended.as_ref().map(|amended| (amended, amended.record(record)));
    let (mut lines, mut decided) = (Lines::default(), SmallVec::new());
    for target in targets[number..].iter().take_while(is_same) {
        line.clear();
        time.clear();
        let plain = Delivery::new(event, record, target, settings);
        let delivery = match &shown {
            Some((amended, shown)) => plain.with(amended, shown),
            None => plain,
        };
        if !add_line(&delivery, target, &mut lines, &mut decided, line, time)? {
            return behind.hand_over(&whole, &made, &decided);
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

/// What the filters of handlers behind a queue, by their places, have made of an event; nothing where they hold it back.
type Decided<'py> = SmallVec<[(usize, Option<Amended<'py>>); 1]>;

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
        if listened.formatter.is_message() && !delivery.has_more_than_a_message() {
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
        amended.is_without_exception = true;
        amended.stack = Some(String::new());
        Ok(Answer::Goes(Made { amended: Some(amended), is_prepared: true }))
    }

    /// Has the methods of the handler in front go on with the event. No filter that has decided is asked again: some count
    /// what they are asked.
    fn hand_over(
        &self,
        delivery: &Delivery<'_, 'py>,
        made: &Made<'py>,
        decided: &[(usize, Option<Amended<'py>>)],
    ) -> PyResult<()> {
        let py = self.owner.py();
        if !decided.is_empty() {
            return match &made.amended {
                Some(amended) => {
                    let shown = amended.record(delivery.record());
                    self.hand_over_decided(&delivery.with(amended, &shown), decided)
                }
                None => self.hand_over_decided(delivery, decided),
            };
        }
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

    /// The same after the handler in front, whose filters have been asked, where filters behind it have been too.
    fn hand_over_decided(
        &self,
        delivery: &Delivery<'_, 'py>,
        decided: &[(usize, Option<Amended<'py>>)],
    ) -> PyResult<()> {
        let py = self.owner.py();
        let by_place = PyDict::new(py);
        for (place, amended) in decided {
            let own = match amended {
                Some(amended) => {
                    let shown = amended.record(delivery.record());
                    Some(delivery.with(amended, &shown).python_record()?)
                }
                None => None,
            };
            by_place.set_item(place, own)?;
        }
        let put = self.queue.get().start_worker.bind(py);
        put.call_method1(intern!(py, "put_decided"), (&self.owner, delivery.python_record()?, by_place))
            .map(drop)
    }

    /// Whether the handler in front makes text of the message.
    pub(crate) fn makes_text(&self) -> bool {
        self.plan.listened.is_some()
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
    decided: &mut Decided<'py>,
    line: &mut Vec<u8>,
    time: &mut String,
) -> PyResult<bool> {
    let Some(behind) = &target.queue else { return Ok(false) };
    let Some(plan) = delivery.present_plan(false)? else { return Ok(false) };
    // SAFETY: the plan has just been found to hold.
    let filters = unsafe { plan.filters(behind.owner.py()) }.to_owned();
    let mut amended = None;
    if !filters.is_empty() {
        // A line must not pass them by, into a journal neither: they are asked before there is one.
        let Some(known) = plan.filter_plan(&filters)? else { return Ok(false) };
        decided.push((behind.place, delivery.ask(&known, &filters)?));
        amended = decided.last().and_then(|(_, amended)| amended.as_ref());
        if amended.is_none() {
            return add_part(&plan, target, lines, line);
        }
    }
    let shown = amended.map(|amended| (amended, amended.record(delivery.record())));
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
