//! The shortest way past filters written in Python: a record of one handler that has such, and goes to a file.
//!
//! They get a `LogRecord`, and may do with it and with all else what they like. Where they have left everything as it was
//! and nobody holds the record any more, the line is made from what the call was given, as on the shortest way (`direct`).
//! Otherwise the record goes on as one that is a Python object (`record_way`), from the place to which it has come.

use pyo3::prelude::*;

use crate::classes::native_method;
use crate::filter;
use crate::formatter::plain_fields::PlainFields;
use crate::formatter::plan::{FormatterPlan, Needs, PlainRecord};
use crate::handler::plan::HandlerPlan;
use crate::interpreter::{self, plain};
use crate::record::context;
use crate::record::fresh::Fresh;
use crate::record::shape::Attribute;
use crate::way::call::{Keywords, LoggingCall};
use crate::way::direct::{self, Written};
use crate::way::reach::Reach;
use crate::way::settings::{self, Settings};
use crate::way::{buffers, record_delivery, record_way};

/// Sends the record of a call whose logger has this reach, which has just been found to hold. `false`: it takes another
/// way, and nothing has been done.
pub(super) fn send(call: &LoggingCall<'_, '_>, reach: &Reach) -> PyResult<bool> {
    let py = call.logger.py();
    let Some(end) = reach.only_end(call.level) else { return Ok(false) };
    let plan = end.plan;
    if end.queue.is_some()
        || !plan.has_foreign_filters(py)
        || !plan.formatter.rendering.is_native()
        || !is_plain(call)
    {
        return Ok(false);
    }
    let Some(settings) = settings::unchanged() else { return Ok(false) };
    if !settings.is_known_to_make_plain_records() {
        return Ok(false);
    }
    native_method::refuse_deep_recursion()?;
    let (Some(name), Some(stand)) = (reach.name(py), reach.stand(py, end.number)) else { return Ok(false) };
    // SAFETY: the plan holds, and nothing has run since.
    let filters = unsafe { plan.filters(py) }.to_owned().into_any();
    let Some(fresh) = Fresh::of(call, name.as_borrowed(), &settings)? else { return Ok(false) };
    let is_as_it_was = || {
        settings::unchanged().is_some_and(|now| std::ptr::eq(&raw const *now, &raw const *settings))
            && settings.is_known_to_make_plain_records()
            && reach.holds(call.logger, &settings)
    };
    // Before CPython 3.12 making objects may collect garbage.
    if (fresh.surroundings.has_asked || cfg!(not(Py_3_12))) && !is_as_it_was() {
        return Ok(false);
    }
    let passed = filter::passed(&filters, fresh.record(py).clone())?;
    let is_as_it_was = is_as_it_was();
    let Some(passed) = passed else {
        if is_as_it_was {
            fresh.made.end(py);
            return Ok(true);
        }
        return record_way::call_handlers_after(&stand, fresh.record(py)).map(|()| true);
    };
    // It is held here and in what was made.
    if is_as_it_was
        && passed.is(fresh.record(py))
        && interpreter::has_no_other_holders(&passed, 2)
        && fresh.made.is_unchanged()
        && let Some(written) = write(call, plan, &fresh, &settings)
    {
        drop(passed);
        fresh.made.end(py);
        if let Written::Begun(rest) = written {
            record_delivery::write_rest(&stand.handler, &rest)?;
        }
        return Ok(true);
    }
    record_way::emit_passed(&stand.handler, &passed)?;
    record_way::call_handlers_after(&stand, fresh.record(py)).map(|()| true)
}

/// Whether the record has no fields beside its own, and its message is text.
fn is_plain(call: &LoggingCall<'_, '_>) -> bool {
    let py = call.logger.py();
    // SAFETY: the caller holds it.
    matches!(call.keywords, Keywords::None)
        && unsafe { plain::text(call.template.as_ptr()) }.is_some()
        && context::bound_plainly(py).is_some_and(|bound| bound.iter().all(Option::is_none))
}

/// Writes the line of a record that is as it was made; `None` when the interpreter has to be asked, and nothing has been
/// done. The plan holds.
fn write(
    call: &LoggingCall<'_, '_>,
    plan: &HandlerPlan,
    fresh: &Fresh<'_>,
    settings: &Settings,
) -> Option<Written> {
    let py = call.logger.py();
    let formatter: &FormatterPlan = &plan.formatter;
    let level_name = &settings.level_name(call.level)?.text;
    // SAFETY: what was made holds the values.
    let text = |attribute| unsafe { plain::text(fresh.value(py, attribute).as_ptr()) };
    let optional = |attribute| match text(attribute) {
        Some(text) => Some(Some(text)),
        None => fresh.value(py, attribute).is_none().then_some(None),
    };
    let created = &fresh.created;
    buffers::with(|buffers| {
        let buffers::Buffers { message, line, time } = buffers;
        direct::merge(&fresh.value(py, Attribute::Msg), text(Attribute::Msg)?, call.arguments, message)?;
        line.clear();
        let mut record = duramen::Record {
            name: text(Attribute::Name)?,
            // SAFETY: `merge` has written it, out of whole texts.
            message: unsafe { std::str::from_utf8_unchecked(message) },
            caller: fresh.caller(),
            ..direct::bare_record(call.level, level_name, created)
        };
        if formatter.needs.has_any() && !formatter.needs.is_only(Needs::SITE) {
            let [thread, process] =
                [Attribute::Thread, Attribute::Process].map(|number| fresh.value(py, number));
            record.thread = thread.extract().ok()?;
            record.process = process.extract().ok()?;
            record.thread_name = optional(Attribute::ThreadName)?;
            record.process_name = optional(Attribute::ProcessName)?;
            record.task_name = if cfg!(Py_3_12) { optional(Attribute::TaskName)? } else { None };
        }
        let as_it_is = PlainRecord {
            record: (&record, level_name),
            moment: (created, settings),
            fields: PlainFields::default(),
            masking: None,
        };
        formatter.render_plainly(py, &as_it_is, time, line)?;
        direct::write_line(plan, created.seconds, line)
    })
}
