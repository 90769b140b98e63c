//! The native way: a record that stays a Rust value from the logging call to the stream.

use std::rc::Rc;

use duramen::record::Caller;
use duramen::{Level, Record};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::classes::globals;
use crate::filter;
use crate::filter::amended::Amended;
use crate::filter::plan::Asked;
use crate::filter::redactor::Masks;
use crate::formatter::plan::Needs;
use crate::interpreter::intern;
use crate::queued::Behind;
use crate::record::Creation;
use crate::record::call_site::CallSite;
use crate::record::exception;
use crate::record::message::{self, Merged};
use crate::record::{caller, surroundings, threads};
use crate::way::call::{LoggingCall, Options};
use crate::way::delivery::Delivery;
use crate::way::direct::Written;
use crate::way::reach::{self, Reach, Target};
use crate::way::settings::{self, Settings};
use crate::way::{asked, buffers, record_way};
use crate::{classes, queued};

/// Sends the record natively if everything that it meets is ours and untouched. `false`: nothing has
/// been done, and the Python way has to be taken.
pub(crate) fn emit_natively(
    call: &LoggingCall<'_, '_>,
    mut written: Option<Written>,
    reach: Option<&Rc<Reach>>,
) -> PyResult<bool> {
    let py = call.logger.py();
    if let Some(reach) = reach
        && asked::send(call, reach)?
    {
        return Ok(true);
    }
    let Some(options) = Options::of(py, call.keywords)? else { return Ok(false) };
    let Some(settings) = settings::current(py)? else { return Ok(false) };
    let Ok(reach::Own { name, filters }) = reach::own_of(call.logger, &settings)? else { return Ok(false) };
    let Ok(targets) = reach::targets(call.logger, &filters, call.level, &settings, reach.cloned())? else {
        return record_way::send(call, name, &options, &filters, &settings, reach.map(|reach| &**reach));
    };
    if targets.is_empty() {
        // What its filters count is counted all the same.
        return if filters.is_empty() {
            Ok(true)
        } else {
            record_way::send(call, name, &options, &filters, &settings, None)
        };
    }
    let Ok(name) = name.cast_into_exact() else { return Ok(false) };
    buffers::with(|buffers| {
        let buffers::Buffers { message, line, time } = buffers;
        let Some(mut event) = Event::gather(call, name, options, &settings, &targets, message)? else {
            return Ok(false);
        };
        if !filters.is_empty() {
            match event.filter(&filters, &settings, message)? {
                Some(Answer::GoesOn) => {}
                Some(Answer::HeldBack) => return Ok(true),
                None => return Ok(false),
            }
        }
        // Text that is not UTF-8 (lone surrogates) only the Python way carries.
        let Some(texts) = event.texts(message) else { return Ok(false) };
        let record = event.record(&texts);
        for (number, target) in targets.iter().enumerate() {
            line.clear();
            time.clear();
            if target.queue.is_some() {
                queued::send(&event, &record, &targets, number, &settings, line, time)?;
                continue;
            }
            let delivery = Delivery::new(&event, &record, target, &settings);
            if let Some(Written::Begun(rest)) = written.take() {
                delivery.write_rest(&target.plan, &rest)?;
                continue;
            }
            delivery.run(number == 0 && !event.has_asked, line, time)?;
        }
        Ok(true)
    })
}

/// What a logging call hands to the native way, as Python objects that the record borrows from.
pub(crate) struct Event<'a, 'py> {
    pub(super) call: &'a LoggingCall<'a, 'py>,
    pub(super) name: Bound<'py, PyString>,
    pub(super) level_name: Rc<str>,
    pub(crate) created: Creation,
    site: Option<Rc<CallSite>>,
    thread: Option<(u64, Bound<'py, PyString>)>,
    process: Option<u32>,
    process_name: Option<Bound<'py, PyString>>,
    task_name: Option<Bound<'py, PyString>>,
    pub(crate) options: Options<'py>,
    exception: Option<Bound<'py, PyString>>,
    stack: Option<Bound<'py, PyString>>,
    /// The message that filters of the logger have put in the place of the call's, with its arguments.
    message: Option<Bound<'py, PyString>>,
    /// A message that is a dict.
    message_fields: Option<Bound<'py, PyDict>>,
    /// What has masked the event. Its exception is shown as these leave it.
    pub(crate) masks: Masks<'py>,
    /// Whether something was asked that may have run code of the program's, be it by a garbage collection.
    has_asked: bool,
}

/// What the filters of a logger say about an event.
enum Answer {
    GoesOn,
    HeldBack,
}

/// The texts of an event as UTF-8, borrowed from the Python objects.
struct Texts<'a> {
    name: &'a str,
    level_name: &'a str,
    message: &'a str,
    caller: Caller<'a>,
    thread_name: Option<&'a str>,
    process_name: Option<&'a str>,
    task_name: Option<&'a str>,
    exception: Option<&'a str>,
    stack: Option<&'a str>,
}

impl<'a, 'py> Event<'a, 'py> {
    /// `None` when a part is of a kind that only the Python way carries, or fails: it is evaluated
    /// there again, and its error is reported where CPython reports it.
    fn gather(
        call: &'a LoggingCall<'a, 'py>,
        name: Bound<'py, PyString>,
        options: Options<'py>,
        settings: &Settings,
        targets: &[Target<'py>],
        message: &mut Vec<u8>,
    ) -> PyResult<Option<Self>> {
        let py = call.logger.py();
        let created = settings.now(py)?;
        let Some(level_name) = level_name(py, call.level, settings)? else { return Ok(None) };
        let message_fields = fields_of_message(call, targets);
        let merged = if message_fields.is_some() { Merged::Natively } else { message::merge(call, message)? };
        if merged == Merged::Not {
            return Ok(None);
        }
        let needs = targets.iter().fold(Needs::default(), |needs, target| {
            let of_queue = target.queue.as_ref().map_or_else(Needs::default, Behind::needs);
            needs.and(target.plan.formatter.needs).and(of_queue)
        });
        let has_asked = merged == Merged::ByInterpreter
            || needs.has_any()
            || options.has_exception
            || options.wants_stack
            || settings.level_name(call.level).is_none()
            || !settings.has_genuine_clock();
        let mut event = Self {
            call,
            name,
            level_name,
            created,
            site: None,
            thread: None,
            process: None,
            process_name: None,
            task_name: None,
            options,
            exception: None,
            stack: None,
            message: None,
            message_fields,
            masks: Masks::default(),
            has_asked,
        };
        if !event.fill(needs, settings)? {
            return Ok(None);
        }
        match event.fill_exception(&targets[0]) {
            Ok(()) => Ok(Some(event)),
            Err(error) if classes::is_ordinary(py, &error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The message, where it is a dict.
    pub(crate) fn message_fields(&self) -> Option<&Bound<'py, PyDict>> {
        self.message_fields.as_ref()
    }

    /// Asks for what the targets show and no more; `false` when a part is not of the usual kind.
    fn fill(&mut self, needs: Needs, settings: &Settings) -> PyResult<bool> {
        let py = self.call.logger.py();
        if self.options.wants_stack && !settings.finds_callers {
            // As CPython has it: what looks for the caller looks for the stack.
            self.options.wants_stack = false;
        }
        if needs.has(Needs::SITE) || self.options.wants_stack {
            let Some((site, stack)) = self.options.site(py, settings)? else { return Ok(false) };
            (self.site, self.stack) = (Some(site), stack);
        }
        if needs.has(Needs::THREAD) {
            let (identifier, name) = threads::current(py)?;
            if !identifier.is_none() {
                let (Ok(identifier), Ok(name)) = (identifier.extract(), name.cast_into_exact()) else {
                    return Ok(false);
                };
                self.thread = Some((identifier, name));
            }
        }
        if needs.has(Needs::PROCESS) {
            self.process = surroundings::process(py)?.extract()?;
        }
        for (need, value, ask) in [
            (Needs::PROCESS_NAME, &mut self.process_name, surroundings::process_name as fn(_) -> _),
            (Needs::TASK_NAME, &mut self.task_name, surroundings::task_name),
        ] {
            if needs.has(need) {
                let name: Bound<'py, PyAny> = ask(py)?;
                if !name.is_none() {
                    let Ok(name) = name.cast_into_exact() else { return Ok(false) };
                    *value = Some(name);
                }
            }
        }
        Ok(true)
    }

    /// The text of the exception.
    fn fill_exception(&mut self, first: &Target<'py>) -> PyResult<()> {
        let py = self.call.logger.py();
        if let Some(exception) = self.options.exception() {
            let formatter = first.handler.getattr(intern!(py, "formatter"))?;
            let formatter = if formatter.is_none() {
                globals::get(py, intern!(py, "_defaultFormatter"))?
            } else {
                formatter
            };
            let text = formatter.call_method1(intern!(py, "formatException"), (exception,))?;
            self.exception = Some(text.cast_into_exact::<PyString>()?);
        }
        Ok(())
    }

    /// Asks the filters of the logger, whose changes all handlers see; `None` when only the Python way can. `message` is
    /// the event's.
    fn filter(
        &mut self,
        filters: &Bound<'py, PyList>,
        settings: &Settings,
        message: &mut Vec<u8>,
    ) -> PyResult<Option<Answer>> {
        let Some(plan) = filter::plan::of_logger(filters)? else { return Ok(None) };
        let Some(texts) = self.texts(message) else { return Ok(None) };
        let record = self.record(&texts);
        let python_record = |amended: &Amended<'py>| {
            let made = self.python_record(settings)?;
            amended.put_on(&made, &record, self.options.extra()).map(|()| made)
        };
        let asked = Asked {
            record: &record,
            message: self.message_fields(),
            extra: self.options.extra(),
            exception: self.options.exception(),
            python_record: &python_record,
            kept: &|amended| self.kept(amended, &record, settings),
        };
        let Some(amended) = plan.ask(filters, &asked)? else { return Ok(Some(Answer::HeldBack)) };
        self.amend(amended, message);
        Ok(Some(Answer::GoesOn))
    }

    fn amend(&mut self, amended: Amended<'py>, message: &mut Vec<u8>) {
        let py = self.call.logger.py();
        self.has_asked = true;
        if let Some(text) = &amended.message {
            message.clear();
            message.extend_from_slice(text.as_bytes());
        }
        if amended.message.is_some() {
            self.message_fields = None;
        } else if amended.message_fields.is_some() {
            self.message_fields = amended.message_fields;
        }
        if self.message_fields.is_none() && (amended.message.is_some() || !amended.masks.are_none()) {
            // SAFETY: it was text before, and is one of the filters' now.
            let text = unsafe { std::str::from_utf8_unchecked(message) };
            self.message = Some(PyString::new(py, text));
        }
        let replace = |place: &mut Option<Bound<'py, PyString>>, text: Option<String>| {
            if let Some(text) = text {
                *place = Some(PyString::new(py, &text));
            }
        };
        replace(&mut self.exception, amended.exception);
        replace(&mut self.stack, amended.stack);
        if amended.is_without_exception {
            self.options.exc_info = None;
            self.options.has_exception = false;
            self.exception = None;
        }
        self.masks = amended.masks;
        if let Some(fields) = amended.extra {
            self.options.extra = Some(fields);
        }
    }

    fn texts<'t>(&'t self, message: &'t [u8]) -> Option<Texts<'t>> {
        let caller = self.site.as_deref().map_or_else(|| caller::unknown(), |site| site.caller());
        Some(Texts {
            name: self.name.to_str().ok()?,
            level_name: &self.level_name,
            // SAFETY: `merge` has written it, out of whole texts.
            message: unsafe { std::str::from_utf8_unchecked(message) },
            caller,
            thread_name: optional_text(self.thread.as_ref().map(|(_, name)| name))?,
            process_name: optional_text(self.process_name.as_ref())?,
            task_name: optional_text(self.task_name.as_ref())?,
            exception: optional_text(self.exception.as_ref())?,
            stack: optional_text(self.stack.as_ref())?,
        })
    }

    fn record<'t>(&self, texts: &'t Texts<'t>) -> Record<'t> {
        Record {
            name: texts.name,
            level: Level(self.call.level),
            level_name: texts.level_name,
            message: texts.message,
            created_ns: self.created.nanoseconds(),
            relative_created_ms: self.created.since_start_milliseconds,
            caller: texts.caller,
            thread: self.thread.as_ref().map(|(identifier, _)| *identifier),
            thread_name: texts.thread_name,
            process: self.process,
            process_name: texts.process_name,
            task_name: texts.task_name,
            // Written from the Python values, where they are shown.
            fields: &[],
            exception: texts.exception.filter(|text| !text.is_empty()),
            stack: texts.stack.filter(|text| !text.is_empty()),
        }
    }

    /// The same event as a `LogRecord`, for what is written in Python.
    pub(crate) fn python_record(&self, settings: &Settings) -> PyResult<Bound<'py, PyAny>> {
        let py = self.call.logger.py();
        let found = self.found_site(settings)?;
        let (path, line, function) = match &found {
            Some(site) => (&*site.path, i64::from(site.line), &*site.function),
            None => caller::UNKNOWN,
        };
        let (template, arguments) = match (&self.message, &self.message_fields) {
            (Some(message), _) => (message.as_any().as_borrowed(), PyTuple::empty(py)),
            (None, Some(fields)) => (fields.as_any().as_borrowed(), PyTuple::empty(py)),
            (None, None) => (self.call.template, PyTuple::new(py, self.call.arguments)?),
        };
        let made = globals::get(py, intern!(py, "_logRecordFactory"))?.call1((
            &self.name,
            self.call.level,
            path,
            line,
            template,
            arguments,
            self.options.exc_info(py),
            function,
            &self.stack,
        ))?;
        if !self.masks.are_none() {
            let text = self.exception.as_ref().map(|text| text.to_str()).transpose()?;
            exception::put_masked(&made, &self.masks, text.filter(|text| !text.is_empty()))?;
        }
        if let Some(extra) = self.options.extra() {
            made.getattr(intern!(py, "__dict__"))?.call_method1(intern!(py, "update"), (extra,))?;
        }
        Ok(made)
    }
}

impl Event<'_, '_> {
    /// The place of the call, asked for if it is not known yet.
    pub(super) fn found_site(&self, settings: &Settings) -> PyResult<Option<Rc<CallSite>>> {
        match &self.site {
            Some(site) => Ok(Some(Rc::clone(site))),
            None => Ok(self.options.site(self.call.logger.py(), settings)?.map(|(site, _)| site)),
        }
    }
}

/// The message of a call as the fields that it is, where it is a dict and nothing before a queue makes text of it.
fn fields_of_message<'py>(
    call: &LoggingCall<'_, 'py>,
    targets: &[Target<'py>],
) -> Option<Bound<'py, PyDict>> {
    let fields = call.template.cast::<PyDict>().ok().filter(|_| call.arguments.is_empty())?;
    let stays = |target: &Target<'py>| target.queue.as_ref().is_none_or(|queue| !queue.makes_text());
    targets.iter().all(stays).then(|| fields.to_owned())
}

/// `None` when the text has no UTF-8 form.
#[expect(clippy::option_option, reason = "absent and unusable are two things")]
fn optional_text<'a>(text: Option<&'a Bound<'_, PyString>>) -> Option<Option<&'a str>> {
    match text {
        Some(text) => text.to_str().ok().map(Some),
        None => Some(None),
    }
}

fn level_name(py: Python<'_>, level: i64, settings: &Settings) -> PyResult<Option<Rc<str>>> {
    if let Some(name) = settings.level_name(level) {
        return Ok(Some(Rc::clone(&name.text)));
    }
    let name = globals::get(py, intern!(py, "getLevelName"))?.call1((level,))?;
    Ok(name.cast_exact::<PyString>().ok().and_then(|name| name.to_str().ok().map(Rc::from)))
}
