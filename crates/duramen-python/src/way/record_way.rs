//! The way of a record that meets something written in Python: a `LogRecord` goes from step to step, but the
//! steps that nobody has overridden are taken natively.

use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList};

use crate::classes::native_method;
use crate::handler::plan::HandlerPlan;
use crate::handler::usual;
use crate::interpreter::intern;
use crate::record::fresh::Fresh;
use crate::way::call::{LoggingCall, Options};
use crate::way::reach::{Place, Reach, Stand};
use crate::way::record_delivery;
use crate::way::route;
use crate::way::settings::{self, Settings};
use crate::{filter, handler, interpreter, logger, record};

/// Makes the record of a call, asks the logger's `filters` and hands it to the handlers. The logger is a usual
/// one. `reach` is that of the logger, if it was found to hold. `false`: nothing has been done.
pub(crate) fn send<'py>(
    call: &LoggingCall<'_, 'py>,
    name: Bound<'py, PyAny>,
    options: &Options<'py>,
    filters: &Bound<'py, PyList>,
    settings: &Settings,
    reach: Option<&Reach>,
) -> PyResult<bool> {
    native_method::refuse_deep_recursion()?;
    if options.are_none()
        && let Some(fresh) = Fresh::of(call, name.as_borrowed(), settings)?
    {
        let sent = match reach.filter(|_| filters.is_empty()) {
            Some(reach) => hand_to_only(call.logger, reach, &fresh, settings),
            None => Ok(false),
        };
        let sent = sent.and_then(|sent| if sent { Ok(()) } else { hand_on(call.logger, filters, &fresh) });
        fresh.made.end(call.logger.py());
        return sent.map(|()| true);
    }
    let Some(made) = record::of_call(call, name, options, settings)? else { return Ok(false) };
    if let Some(record) = filter::passed(filters.as_any(), made)? {
        call_handlers(call.logger, &record)?;
    }
    Ok(true)
}

/// Hands the record to the only handler that there is, if it is of a class of the application's and nothing on the way has
/// changed. `false`: nothing has been done.
fn hand_to_only<'py>(
    logger: &Bound<'py, PyAny>,
    reach: &Reach,
    fresh: &Fresh<'py>,
    settings: &Settings,
) -> PyResult<bool> {
    let py = logger.py();
    if !reach.holds(logger, settings) {
        return Ok(false);
    }
    let Some(stand) = reach.only_foreign(py) else { return Ok(false) };
    let record = fresh.record(py);
    call_one(&stand.handler, record, || Ok(false))?;
    // Where the record goes on is asked afterwards: a handler may have changed it.
    if !reach.holds(logger, settings) {
        call_handlers_after(&stand, record)?;
    }
    Ok(true)
}

/// Asks the logger's `filters` and hands the record to the handlers.
fn hand_on<'py>(
    logger: &Bound<'py, PyAny>,
    filters: &Bound<'py, PyList>,
    fresh: &Fresh<'py>,
) -> PyResult<()> {
    let record = fresh.record(logger.py());
    match filter::passed(filters.as_any(), record.clone())? {
        // Held once, so that it is known whether somebody else does.
        Some(passed) if passed.is(record) => {
            drop(passed);
            call_handlers(logger, record)
        }
        Some(other) => call_handlers(logger, &other),
        None => Ok(()),
    }
}

/// As `Logger.callHandlers` does it.
fn call_handlers<'py>(logger: &Bound<'py, PyAny>, record: &Bound<'py, PyAny>) -> PyResult<()> {
    if call_handlers_above(Some(logger.clone()), record, false)? {
        Ok(())
    } else {
        logger::without_handlers(logger, record)
    }
}

/// Calls the handlers that come after `stand`.
pub(crate) fn call_handlers_after<'py>(stand: &Stand<'py>, record: &Bound<'py, PyAny>) -> PyResult<()> {
    let Stand { logger, handlers, index, .. } = stand;
    if call_each(logger, handlers, index + 1, record)? == Called::AndNoMore {
        return Ok(());
    }
    call_handlers_above(Place::of(logger)?.parent, record, true).map(drop)
}

/// Calls the handlers of the loggers from `next` on, and says whether there is any; `found` says whether there was one before.
fn call_handlers_above<'py>(
    mut next: Option<Bound<'py, PyAny>>,
    record: &Bound<'py, PyAny>,
    mut found: bool,
) -> PyResult<bool> {
    while let Some(current) = next {
        if logger::view::of(&current).is_none() {
            // One that records only pass by has not been looked at before.
            logger::view::examine(&current)?;
        }
        let place = Place::of(&current)?;
        let Ok(handlers) = place.handlers() else {
            // What a filter or handler has done to the logger is for the method itself.
            return Ok(found | logger::meets_handlers(&current, record)?);
        };
        match call_each(&current, handlers, 0, record)? {
            Called::None => next = place.parent,
            // Where the record goes on is asked afterwards: a handler may have changed it.
            Called::Some => {
                found = true;
                next = Place::of(&current)?.parent;
            }
            Called::AndNoMore => return Ok(true),
        }
    }
    Ok(found)
}

/// Which handlers of a logger were called.
#[derive(PartialEq, Eq)]
enum Called {
    None,
    Some,
    /// The last one on the whole way was among them, and nothing has run since.
    AndNoMore,
}

/// Calls the handlers in the list of `logger` from `index` on, which may change while they run.
fn call_each<'py>(
    logger: &Bound<'py, PyAny>,
    handlers: &Bound<'py, PyList>,
    mut index: usize,
    record: &Bound<'py, PyAny>,
) -> PyResult<Called> {
    let mut called = Called::None;
    while index < handlers.len() {
        let handler = handlers.get_item(index)?;
        index += 1;
        called = Called::Some;
        let is_last = || Ok(index >= handlers.len() && Place::of(logger)?.is_last()?);
        if call_one(&handler, record, is_last)? {
            return Ok(Called::AndNoMore);
        }
    }
    Ok(called)
}

/// Hands the record to `handler` if its level says so. `is_last` and the answer are as for [`hand_over`].
fn call_one<'py>(
    handler: &Bound<'py, PyAny>,
    record: &Bound<'py, PyAny>,
    is_last: impl FnOnce() -> PyResult<bool>,
) -> PyResult<bool> {
    if let (Some(own), Some(level)) = (usual::own_of(handler), record::shape::level(record)) {
        if level >= own.level {
            hand_to_own(handler, &own, record)?;
        }
        return Ok(false);
    }
    let settings = settings::current(record.py())?;
    let plan = settings.and_then(|settings| HandlerPlan::find(handler, &settings));
    if reaches(record, handler, plan.as_deref())? {
        return hand_over(handler, plan, record, is_last);
    }
    Ok(false)
}

/// As `handler.handle(record)` does it where nothing of that is the application's own but `emit`.
fn hand_to_own<'py>(
    handler: &Bound<'py, PyAny>,
    own: &usual::Own<'py>,
    record: &Bound<'py, PyAny>,
) -> PyResult<()> {
    if own.filters.is_empty() {
        let emit = intern!(handler.py(), "emit");
        return handler::lock::held(&own.lock, || {
            interpreter::call_method(handler, emit, &[record]).map(drop)
        });
    }
    match filter::passed(own.filters.as_any(), record.clone())? {
        Some(passed) => emit_passed(handler, &passed),
        None => Ok(()),
    }
}

/// Whether the record's level is at least that of the handler, whose plan holds if there is one.
fn reaches(
    record: &Bound<'_, PyAny>,
    handler: &Bound<'_, PyAny>,
    plan: Option<&HandlerPlan>,
) -> PyResult<bool> {
    let py = record.py();
    let level = record::shape::level(record);
    if let (Some(plan), Some(level)) = (plan, level) {
        return Ok(level >= plan.level);
    }
    let least = handler.getattr(intern!(py, "level"))?;
    if let (Some(level), Ok(Ok(least))) =
        (level, least.cast_exact::<PyInt>().map(|least| least.extract::<i64>()))
    {
        return Ok(level >= least);
    }
    record.getattr(intern!(py, "levelno"))?.ge(least)
}

/// As `handler.handle(record)` does it. `plan` is that of the handler, if it has one that holds; `is_last` says whether no
/// other handler follows. True when that is known to be so, and nothing has run since.
fn hand_over<'py>(
    handler: &Bound<'py, PyAny>,
    plan: Option<Rc<HandlerPlan>>,
    record: &Bound<'py, PyAny>,
    is_last: impl FnOnce() -> PyResult<bool>,
) -> PyResult<bool> {
    let py = handler.py();
    if plan.is_none() && !usual::has_usual_handle(handler)? {
        interpreter::call_method(handler, intern!(py, "handle"), &[record])?;
        return Ok(false);
    }
    let filters = match &plan {
        // SAFETY: the plan holds.
        Some(plan) => unsafe { plan.filters(py) }.to_owned().into_any(),
        None => handler.getattr(intern!(py, "filters"))?,
    };
    let Some(passed) = filter::passed(&filters, record.clone())? else { return Ok(false) };
    let settings = settings::current(py)?;
    let plan = plan_afterwards(handler, plan, settings.as_deref())?;
    // It is held here twice, as what was handed in and as what the filters have let through.
    if let (Some(plan), Some(settings)) = (&plan, &settings)
        && passed.is(record)
        && interpreter::has_no_other_holders(record, 2)
        && is_last()?
        && record_delivery::write_unseen(handler, plan, record, settings)?
    {
        return Ok(true);
    }
    emit(handler, plan.as_deref(), &passed, settings.as_deref()).map(|()| false)
}

/// Emits a record that has passed the filters of `handler`.
pub(crate) fn emit_passed<'py>(handler: &Bound<'py, PyAny>, passed: &Bound<'py, PyAny>) -> PyResult<()> {
    let settings = settings::current(passed.py())?;
    let plan = plan_afterwards(handler, None, settings.as_deref())?;
    emit(handler, plan.as_deref(), passed, settings.as_deref())
}

/// The plan of a handler whose filters have run, if it has one. `plan` is the one before.
fn plan_afterwards(
    handler: &Bound<'_, PyAny>,
    plan: Option<Rc<HandlerPlan>>,
    settings: Option<&Settings>,
) -> PyResult<Option<Rc<HandlerPlan>>> {
    let Some(settings) = settings else { return Ok(None) };
    match plan.filter(|plan| plan.holds(handler, settings)) {
        Some(plan) => Ok(Some(plan)),
        None => Ok(route::plan_of(handler, settings)?.ok().flatten()),
    }
}

/// Calls `emit` with the handler's lock. The plan, if there is one, holds.
fn emit<'py>(
    handler: &Bound<'py, PyAny>,
    plan: Option<&HandlerPlan>,
    passed: &Bound<'py, PyAny>,
    settings: Option<&Settings>,
) -> PyResult<()> {
    match (plan, settings) {
        (Some(plan), Some(settings)) => record_delivery::run(handler, plan, passed, settings),
        _ => usual::locked(handler, || {
            interpreter::call_method(handler, intern!(handler.py(), "emit"), &[passed]).map(drop)
        }),
    }
}
