//! The way of a record that meets something written in Python: a `LogRecord` goes from step to step, but the
//! steps that nobody has overridden are taken natively.

use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::interpreter::intern;
use crate::pipeline::{LoggingCall, Options};
use crate::reach::Place;
use crate::route;
use crate::settings::Settings;
use crate::{filter, handler, logger, native_method, record, record_delivery};

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
    let py = logger.py();
    let mut found = false;
    let mut next = Some(logger.clone());
    while let Some(current) = next {
        let place = Place::of(&current)?;
        let Ok(handlers) = place.handlers() else {
            // What a filter or handler has done to the logger is for the method itself.
            return logger::call_handlers_from(&current, record, found);
        };
        let mut index = 0;
        // The list may change while its handlers run.
        while index < handlers.len() {
            let handler = handlers.get_item(index)?;
            index += 1;
            found = true;
            if record.getattr(intern!(py, "levelno"))?.ge(handler.getattr(intern!(py, "level"))?)? {
                hand_over(&handler, record, settings)?;
            }
        }
        next = place.parent;
    }
    if found { Ok(()) } else { logger::without_handlers(logger, record) }
}

/// As `handler.handle(record)` does it.
fn hand_over<'py>(
    handler: &Bound<'py, PyAny>,
    record: &Bound<'py, PyAny>,
    settings: &Settings,
) -> PyResult<()> {
    let py = handler.py();
    if !handler::usual::has_usual_handle(handler)? {
        return handler.call_method1(intern!(py, "handle"), (record,)).map(drop);
    }
    let filters = handler.getattr(intern!(py, "filters"))?;
    let Some(record) = filter::passed(&filters, record.clone())? else { return Ok(()) };
    if let Ok(Some(plan)) = route::plan_of(handler, settings)? {
        return record_delivery::run(handler, &plan, &record, settings);
    }
    handler::usual::locked(handler, || handler.call_method1(intern!(py, "emit"), (record,)).map(drop))
}
