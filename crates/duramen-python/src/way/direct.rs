//! The shortest way: a line from the call straight to one file, or into the queue before it, for which the interpreter
//! is asked nothing.
//!
//! Nothing of Python's runs between the first look at the logger and the write, so that what is looked at is borrowed,
//! nobody can change it meanwhile, and no other thread is attached. Wherever something is met that is not as usual,
//! nothing has been written, and the record goes the way of all others (`pipeline`), which writes the same.

use std::rc::Rc;

use duramen::redact::Redactor as Rules;
use duramen::{Level, Record, Value};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::filter::redactor::Redactor;
use crate::formatter::beginning::Origin;
use crate::formatter::plain_fields::{self, PlainFields};
use crate::formatter::plan::{FormatterPlan, Needs, PlainRecord};
use crate::handler::lock;
use crate::handler::plan::HandlerPlan;
use crate::interpreter::intern;
use crate::interpreter::plain;
use crate::queued::QueuePlan;
use crate::record::call_site::{self, CallSite};
use crate::record::{Creation, caller, context, message};
use crate::way::buffers::{Buffers, Taken};
use crate::way::call::{Keywords, LoggingCall};
use crate::way::reach::{End, Reach};
use crate::way::settings::{self, Settings};

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
    let py = call.logger.py();
    let extra = extra_of(py, call.keywords)?;
    let settings = &*settings::unchanged()?;
    let reach = found.insert(Reach::find(call.logger, settings)?);
    let end = reach.only_end(call.level)?;
    settings.is_known_to_make_plain_records().then_some(())?;
    let line = Line {
        call,
        end: &end,
        settings,
        level_name: &settings.level_name(call.level)?.text,
        site: site_for(end.plan.formatter.needs, py, settings)?,
        created: settings.genuine_now()?,
    };
    let mut taken = Taken::new();
    let buffers = taken.get();
    buffers.line.clear();
    // SAFETY: the caller holds it.
    let template = unsafe { plain::text(call.template.as_ptr()) };
    match template {
        Some(template) if extra.is_none() && line.shows_message_by_itself() => {
            line.put(template, &mut buffers.line)?;
            line.write(&mut buffers.line)
        }
        _ => line.write_with_fields(template, extra, buffers),
    }
}

/// What a line is made of.
struct Line<'a, 'py> {
    call: &'a LoggingCall<'a, 'py>,
    end: &'a End<'a>,
    settings: &'a Settings,
    level_name: &'a Rc<str>,
    site: Option<Rc<CallSite>>,
    created: Creation,
}

impl Line<'_, '_> {
    /// Whether the message can be put together in its place in the line, and nothing is to be done about it or about fields.
    #[inline]
    fn shows_message_by_itself(&self) -> bool {
        let plan = self.end.plan;
        // SAFETY: the plan has been found to hold, and nothing has run since.
        plan.formatter.shows_message_by_itself() && unsafe { plan.filters(self.call.logger.py()) }.is_empty()
    }

    /// Appends such a line.
    #[inline]
    fn put(&self, template: &str, line: &mut Vec<u8>) -> Option<()> {
        let Self { call, end, level_name, .. } = self;
        let formatter = &end.plan.formatter;
        let origin = Origin { name: end.name, name_number: end.name_number, level: call.level, level_name };
        formatter.begin(origin, (&self.created, self.settings), line)?;
        merge(&call.template, template, call.arguments, line)?;
        formatter.end(|| self.record("", &[]), line)
    }

    /// Puts any other line together, and writes it.
    #[inline(never)]
    fn write_with_fields(
        &self,
        template: Option<&str>,
        extra: Option<Borrowed<'_, '_, PyDict>>,
        buffers: &mut Buffers,
    ) -> Option<Written> {
        let Self { call, end, settings, .. } = self;
        let py = call.logger.py();
        let filters = end.masking(py)?;
        let masking =
            filters.as_ref().and_then(|filters| filters.only_masking(end.name)).map(Redactor::rules);
        let formatter = &end.plan.formatter;
        let needs_bound = formatter.shows_fields() || masking.is_some() || !formatter.names().is_empty();
        let bound = if needs_bound { context::bound_plainly(py)? } else { [None, None] };
        let bound = bound.each_ref().map(|bound| bound.as_ref().map(|bound| bound.as_borrowed()));
        let mut fields = PlainFields { message: None, is_message_shown: false, extra, bound };
        let shown = fields.shown(py, formatter.names()).ok()?;
        let Buffers { message, line, time } = buffers;
        if let Some(template) = template {
            merge(&call.template, template, call.arguments, message)?;
        } else {
            let dict = dict_message(call, formatter, masking).filter(|_| end.queue.is_none())?;
            (fields.message, fields.is_message_shown) = (Some(dict), formatter.shows_message());
            if fields.is_message_shown {
                message.extend_from_slice(plain_fields::message_text(dict).ok()?.as_bytes());
            }
        }
        // SAFETY: `merge` has written it, out of whole texts.
        let message = unsafe { std::str::from_utf8_unchecked(message) };
        let masked = masking.map(|rules| rules.masked_text(message));
        let message = masked.as_ref().map_or(message, |masked| &masked.text);
        let record = self.record(message, shown.as_deref().unwrap_or_default());
        let plain = PlainRecord {
            record: (&record, self.level_name),
            moment: (&self.created, settings),
            fields,
            masking,
        };
        formatter.render_plainly(py, &plain, time, line)?;
        let written = self.write(line)?;
        if let (Some(rules), Some(masked)) = (masking, &masked) {
            rules.count(masked);
        }
        Some(written)
    }

    #[inline]
    fn record<'r>(&'r self, message: &'r str, fields: &'r [(&'r str, Value<'r>)]) -> Record<'r> {
        Record {
            name: self.end.name,
            message,
            caller: self.site.as_deref().map_or_else(|| caller::unknown(), |site| site.caller()),
            fields,
            ..bare_record(self.call.level, self.level_name, &self.created)
        }
    }

    /// Writes the line to the handler's file, or puts it into the queue before the handler.
    #[inline]
    fn write(&self, line: &mut Vec<u8>) -> Option<Written> {
        let Self { call, end, .. } = self;
        match end.queue {
            Some(queue) => put_line(queue, end.plan, call.logger.py(), call.level, line),
            None => write_line(end.plan, self.created.seconds, line),
        }
    }
}

/// A record of which no more is known.
#[inline]
pub(super) fn bare_record<'a>(level: i64, level_name: &'a str, created: &Creation) -> Record<'a> {
    Record {
        level_name,
        created_ns: created.nanoseconds(),
        relative_created_ms: created.since_start_milliseconds,
        caller: caller::unknown(),
        ..Record::new("", Level(level), "")
    }
}

/// The extra fields of the call, if it has no other keywords.
#[inline]
#[expect(clippy::option_option, reason = "none and something else are two things")]
fn extra_of<'a, 'py>(
    py: Python<'py>,
    keywords: Keywords<'a, 'py>,
) -> Option<Option<Borrowed<'a, 'py, PyDict>>> {
    let (name, value) = match keywords {
        Keywords::None => return Some(None),
        // SAFETY: a tuple with one name.
        Keywords::Given { names, values: [value] } => unsafe {
            (ffi::PyTuple_GET_ITEM(names.as_ptr(), 0), *value)
        },
        Keywords::Dict(dict) => match only_entry(dict)? {
            Some(entry) => entry,
            None => return Some(None),
        },
        Keywords::Extra(value) => (intern!(py, "extra").as_ptr(), value),
        Keywords::Given { .. } => return None,
    };
    // Names in calls are interned.
    let is_extra = name == intern!(py, "extra").as_ptr();
    match value.cast_exact::<PyDict>() {
        Ok(extra) if is_extra => Some(Some(extra)),
        _ => (is_extra && value.is_none()).then_some(None),
    }
}

/// The entry of a dict that has one at most.
#[expect(clippy::option_option, reason = "none and several are two things")]
fn only_entry<'a, 'py>(
    dict: &'a Bound<'py, PyDict>,
) -> Option<Option<(*mut ffi::PyObject, Borrowed<'a, 'py, PyAny>)>> {
    let mut entries = plain_fields::entries(dict.as_borrowed());
    let first = entries.next();
    // SAFETY: the dict holds the value, and nobody changes it while the call is looked at.
    let entry = first.map(|(name, value)| unsafe { (name, Borrowed::from_ptr(dict.py(), value)) });
    entries.next().is_none().then_some(entry)
}

/// A message that is a dict, for a formatter that shows its items as fields.
#[cold]
fn dict_message<'a, 'py>(
    call: &LoggingCall<'a, 'py>,
    formatter: &FormatterPlan,
    masking: Option<&Rules>,
) -> Option<Borrowed<'a, 'py, PyDict>> {
    let is_usual = formatter.shows_fields() && masking.is_none() && call.arguments.is_empty();
    call.template.cast_exact().ok().filter(|_| is_usual)
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

/// Writes the message to `out`, if its arguments are all plain; `text` is the text of the template.
pub(super) fn merge(
    template: &Bound<'_, PyAny>,
    text: &str,
    arguments: &[Borrowed<'_, '_, PyAny>],
    out: &mut Vec<u8>,
) -> Option<()> {
    if arguments.is_empty() {
        out.extend_from_slice(text.as_bytes());
        return Some(());
    }
    message::merge_plain(template, text, arguments, out).then_some(())
}

/// Ends the line and writes it to the handler's file.
pub(super) fn write_line(plan: &HandlerPlan, seconds: f64, line: &mut Vec<u8>) -> Option<Written> {
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
