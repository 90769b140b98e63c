//! The shortest way: a line from the call straight to one file, or into the queue before it, for which the interpreter
//! is asked nothing.
//!
//! Nothing of Python's runs between the first look at the logger and the write, so that what is looked at is borrowed,
//! nobody can change it meanwhile, and no other thread is attached. Wherever something is met that is not as usual,
//! nothing has been written, and the record goes the way of all others (`pipeline`), which writes the same.

use std::rc::Rc;

use duramen::{Level, Record};
use pyo3::prelude::*;

use crate::call_site::{self, CallSite};
use crate::formatter_plan::Needs;
use crate::handler_plan::HandlerPlan;
use crate::pipeline::{self, Keywords, LoggingCall};
use crate::queued::QueuePlan;
use crate::reach::{End, Reach};
use crate::settings::{self, Settings};
use crate::{buffers, caller, lock, plain};

/// What has become of a record.
pub(crate) enum Written {
    /// It is in the file.
    Whole,
    /// Its beginning is in the file, and this is what the system did not take at once.
    Begun(Vec<u8>),
}

/// Writes the record of the call; `None` when it takes another way, and nothing has been done. What was found out about the
/// logger is left in `found`: it holds until something runs.
pub(crate) fn write(call: &LoggingCall<'_, '_>, found: &mut Option<Rc<Reach>>) -> Option<Written> {
    if !matches!(call.keywords, Keywords::None) {
        return None;
    }
    let settings = &*settings::unchanged()?;
    let reach = found.insert(Reach::find(call.logger, settings)?);
    let py = call.logger.py();
    let End { name, plan, queue } = reach.only_end(py, call.level)?;
    settings.is_known_to_make_plain_records().then_some(())?;
    let level_name = &settings.level_name(call.level)?.text;
    let site = site_for(plan.formatter.needs, py, settings)?;
    // SAFETY: the caller holds it.
    let template = unsafe { plain::text(call.template.as_ptr())? };
    let created = settings.genuine_now()?;
    buffers::with(|buffers| {
        let buffers::Buffers { message, line, time } = buffers;
        merge(template, call.arguments, message)?;
        line.clear();
        let record = Record {
            name,
            level: Level(call.level),
            level_name,
            // SAFETY: `merge` has written it, out of whole texts.
            message: unsafe { std::str::from_utf8_unchecked(message) },
            created_ns: created.nanoseconds(),
            relative_created_ms: created.since_start_milliseconds,
            caller: site.as_deref().map_or_else(|| caller::unknown(), |site| site.caller()),
            thread: None,
            thread_name: None,
            process: None,
            process_name: None,
            task_name: None,
            fields: &[],
            exception: None,
            stack: None,
        };
        plan.formatter.render_plainly((&created, settings), (&record, level_name), time, line)?;
        match queue {
            Some(queue) => put_line(queue, plan, py, call.level, line),
            None => write_line(plan, created.seconds, line),
        }
    })
}

/// The place of the call, if that is all that has to be asked for; `None` where more is shown, or where asking could
/// run a garbage collection, as it can before CPython 3.12.
#[expect(clippy::option_option, reason = "not wanted and not known are two things")]
fn site_for(needs: Needs, py: Python<'_>, settings: &Settings) -> Option<Option<Rc<CallSite>>> {
    if !needs.has_any() {
        return Some(None);
    }
    (cfg!(Py_3_12) && needs.is_only(Needs::SITE)).then_some(())?;
    call_site::remembered(py, settings).map(Some)
}

/// Writes the message to `out`, if its arguments are all plain.
fn merge(template: &str, arguments: &[Borrowed<'_, '_, PyAny>], out: &mut Vec<u8>) -> Option<()> {
    if arguments.is_empty() {
        out.extend_from_slice(template.as_bytes());
        return Some(());
    }
    pipeline::merge_plain(template, arguments, out).then_some(())
}

/// Ends the line and writes it to the handler's file.
fn write_line(plan: &HandlerPlan, seconds: f64, line: &mut Vec<u8>) -> Option<Written> {
    let file = plan.file.try_borrow().ok()?;
    let file = file.as_ref().filter(|file| file.is_prompt)?;
    // SAFETY: the plan has been found to hold, and nothing has run since: the handler holds its lock and its stream.
    unsafe {
        lock::is_free_at(plan.lock_object()).then_some(())?;
        plan.takes_at_once(file, seconds, line).then_some(())?;
        line.extend_from_slice(plan.terminator.as_bytes());
        file.takes(line).then_some(())?;
    }
    let written = file.write_promptly(line).filter(|written| *written > 0)?;
    plan.has_written(file);
    Some(if written == line.len() { Written::Whole } else { Written::Begun(line[written..].to_vec()) })
}

/// Ends the line and puts it into the queue before the handler.
fn put_line(
    queue: &QueuePlan,
    plan: &HandlerPlan,
    py: Python<'_>,
    level: i64,
    line: &mut Vec<u8>,
) -> Option<Written> {
    line.extend_from_slice(plan.terminator.as_bytes());
    queue.put_line(plan, py, Level(level), line).map(|()| Written::Whole)
}
