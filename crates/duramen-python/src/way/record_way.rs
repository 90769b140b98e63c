//! The way of a record that meets something written in Python: a `LogRecord` goes from step to step, but the
//! steps that nobody has overridden are taken natively.

use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList};

use crate::classes::native_method;
use crate::handler::plan::HandlerPlan;
use crate::interpreter::intern;
use crate::way::pipeline::{LoggingCall, Options};
use crate::way::reach::Place;
use crate::way::record_delivery;
use crate::way::route;
use crate::way::settings::Settings;
use crate::{filter, handler, interpreter, logger, record};

/// Makes the record of a call, asks the logger's `filters` and hands it to the handlers. The logger is a usual
/// one. `false`: nothing has been done.
pub(crate) fn send<'py>(
    call: &LoggingCall<'_, 'py>,
    name: Bound<'py, PyAny>,
    options: &Options<'py>,
    filters: &Bound<'py, PyList>,
    settings: &Settings,
) -> PyResult<bool> {
    native_method::refuse_deep_recursion()?;
    let Some(made) = record::of_call(call, name, options, settings)? else { return Ok(false) };
    if let Some(record) = filter::passed(filters.as_any(), made)? {
        call_handlers(call.logger, &record, settings)?;
    }
    Ok(true)
}

/// As `Logger.callHandlers` does it.
fn call_handlers<'py>(
    logger: &Bound<'py, PyAny>,
    record: &Bound<'py, PyAny>,
    settings: &Settings,
) -> PyResult<()> {
    let mut found = false;
    let mut next = Some(logger.clone());
    while let Some(current) = next {
        if logger::view::of(&current).is_none() {
            // One that records only pass by has not been looked at before.
            logger::view::examine(&current)?;
        }
        let place = Place::of(&current)?;
        let Ok(handlers) = place.handlers() else {
            // What a filter or handler has done to the logger is for the method itself.
            found |= logger::meets_handlers(&current, record)?;
            break;
        };
        let mut index = 0;
        // The list may change while its handlers run.
        while index < handlers.len() {
            let handler = handlers.get_item(index)?;
            index += 1;
            found = true;
            let plan = HandlerPlan::find(&handler, settings);
            if reaches(record, &handler, plan.as_deref())? {
                let is_last = || Ok(index >= handlers.len() && place.is_last()?);
                if hand_over(&handler, plan, record, settings, is_last)? {
                    return Ok(());
                }
            }
        }
        next = place.parent;
    }
    if found { Ok(()) } else { logger::without_handlers(logger, record) }
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
    settings: &Settings,
    is_last: impl FnOnce() -> PyResult<bool>,
) -> PyResult<bool> {
    let py = handler.py();
    if plan.is_none() && !handler::usual::has_usual_handle(handler)? {
        handler.call_method1(intern!(py, "handle"), (record,))?;
        return Ok(false);
    }
    let filters = match &plan {
        // SAFETY: the plan holds.
        Some(plan) => unsafe { plan.filters(py) }.to_owned().into_any(),
        None => handler.getattr(intern!(py, "filters"))?,
    };
    let Some(passed) = filter::passed(&filters, record.clone())? else { return Ok(false) };
    let plan = match plan.filter(|plan| plan.holds(handler, settings)) {
        Some(plan) => Some(plan),
        None => route::plan_of(handler, settings)?.ok().flatten(),
    };
    let Some(plan) = plan else {
        let emit = || handler.call_method1(intern!(py, "emit"), (passed,)).map(drop);
        return handler::usual::locked(handler, emit).map(|()| false);
    };
    // It is held here twice, as what was handed in and as what the filters have let through.
    if passed.is(record)
        && interpreter::has_no_other_holders(record, 2)
        && is_last()?
        && record_delivery::write_unseen(handler, &plan, record, settings)?
    {
        return Ok(true);
    }
    record_delivery::run(handler, &plan, &passed, settings).map(|()| false)
}
