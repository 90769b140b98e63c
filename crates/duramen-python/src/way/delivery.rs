//! A record on its way to one handler: formatted and written under the handler's lock.

use std::rc::Rc;

use duramen::Record;
use duramen::formatter::{EscapingFormatter, Layout};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::classes::native_method;
use crate::filter::amended::Amended;
use crate::filter::plan::{Asked, FilterPlan};
use crate::filter::redactor::Masks;
use crate::formatter::plain_fields::PlainFields;
use crate::formatter::plan::{FormatterPlan, Rendering};
use crate::handler::lock;
use crate::handler::plan::HandlerPlan;
use crate::handler::sink::DirectFile;
use crate::interpreter::intern;
use crate::way::pipeline::Event;
use crate::way::reach::Target;
use crate::way::route;
use crate::way::settings::Settings;
use crate::{handler, interpreter};

/// One record for one handler.
pub(crate) struct Delivery<'a, 'py> {
    event: &'a Event<'a, 'py>,
    record: &'a Record<'a>,
    extra: Option<&'a Bound<'py, PyDict>>,
    /// The message, where it is a dict.
    message: Option<&'a Bound<'py, PyDict>>,
    /// The triple of the exception, to be shown as the masks leave it.
    exception: Option<&'a Bound<'py, PyAny>>,
    masks: Masks<'py>,
    /// What the handler's filters have changed about the event.
    amended: Option<&'a Amended<'py>>,
    target: &'a Target<'py>,
    settings: &'a Settings,
}

impl<'a, 'py> Delivery<'a, 'py> {
    /// For the event as it is, whose record is `record`.
    pub(crate) fn new(
        event: &'a Event<'a, 'py>,
        record: &'a Record<'a>,
        target: &'a Target<'py>,
        settings: &'a Settings,
    ) -> Self {
        let (extra, exception) = (event.options.extra(), event.options.exception());
        let (message, masks) = (event.message_fields(), event.masks.clone());
        Self { event, record, extra, message, exception, masks, amended: None, target, settings }
    }

    /// Asks the handler's filters and delivers the record; an error goes to the handler's `handleError`. The
    /// buffers are empty. `is_fresh`: the target's plan was found to hold, and no code of the program's has run
    /// since.
    pub(crate) fn run(&self, is_fresh: bool, line: &mut Vec<u8>, time: &mut String) -> PyResult<()> {
        // What ran for the handlers before may have changed this one.
        let Some(plan) = self.present_plan(is_fresh)? else { return self.handle_in_python() };
        // SAFETY: the plan has just been found to hold.
        let filters = unsafe { plan.filters(self.target.handler.py()) };
        if filters.is_empty() {
            return self.deliver(&plan, line, time);
        }
        self.run_filtered(&plan, &filters.to_owned(), line, time)
    }

    fn run_filtered(
        &self,
        plan: &HandlerPlan,
        filters: &Bound<'py, PyList>,
        line: &mut Vec<u8>,
        time: &mut String,
    ) -> PyResult<()> {
        let Some(filter_plan) = plan.filter_plan(filters)? else { return self.handle_in_python() };
        let Some(amended) = self.ask(&filter_plan, filters)? else { return Ok(()) };
        let record = amended.record(self.record);
        let Some(plan) = self.present_plan(false)? else { return self.handle_in_python() };
        self.with(&amended, &record).deliver(&plan, line, time)
    }

    /// Asks filters; what they have changed, or `None` when one holds the event back.
    pub(crate) fn ask(
        &self,
        plan: &FilterPlan,
        filters: &Bound<'py, PyList>,
    ) -> PyResult<Option<Amended<'py>>> {
        let python_record = |amended: &Amended<'py>| {
            let made = self.python_record()?;
            amended.put_on(&made, self.record, self.extra).map(|()| made)
        };
        let asked = Asked {
            record: self.record,
            message: self.message,
            extra: self.extra,
            exception: self.exception.filter(|_| self.masks.are_none()),
            python_record: &python_record,
            kept: &|amended| self.event.kept(amended, self.record, self.settings),
        };
        plan.ask(filters, &asked)
    }

    /// The same with what `amended` has changed; `record` is as it is shown then.
    pub(crate) fn with<'b>(&'b self, amended: &'b Amended<'py>, record: &'b Record<'b>) -> Delivery<'b, 'py> {
        let mut masks = self.masks.clone();
        masks.add_all(&amended.masks);
        Delivery {
            record,
            extra: amended.extra.as_ref().or(self.extra),
            message: amended.message_fields.as_ref().or(self.message).filter(|_| amended.message.is_none()),
            exception: self.exception.filter(|_| !amended.is_without_exception),
            masks,
            amended: Some(amended),
            ..*self
        }
    }

    pub(crate) fn record(&self) -> &Record<'a> {
        self.record
    }

    pub(crate) fn has_more_than_a_message(&self) -> bool {
        self.exception.is_some() || self.record.exception.is_some() || self.record.stack.is_some()
    }

    /// The event as a `LogRecord`, as filters have left it.
    pub(crate) fn python_record(&self) -> PyResult<Bound<'py, PyAny>> {
        let made = self.event.python_record(self.settings)?;
        if let Some(amended) = self.amended {
            amended.put_on(&made, self.record, self.event.options.extra())?;
        }
        Ok(made)
    }

    /// Hands the event as it was made to the handler's own method.
    fn handle_in_python(&self) -> PyResult<()> {
        let record = self.event.python_record(self.settings)?;
        let handle = intern!(self.target.handler.py(), "handle");
        interpreter::call_method(&self.target.handler, handle, &[&record]).map(drop)
    }

    /// Delivers what the filters let through. The plan has just been found to hold.
    fn deliver(&self, plan: &HandlerPlan, line: &mut Vec<u8>, time: &mut String) -> PyResult<()> {
        // SAFETY: by the contract.
        let lock = unsafe { plan.lock(self.target.handler.py()) };
        if lock::is_free(&lock) && self.write_at_once(plan, &lock, line, time)? {
            return Ok(());
        }
        native_method::refuse_deep_recursion()?;
        lock::held(&lock, || {
            line.clear();
            time.clear();
            self.format_and_write(plan, line, time).or_else(|error| {
                handler::error::guarded_with(&self.target.handler, || self.python_record(), error)
            })
        })
    }

    /// The handler's plan as it is now.
    pub(crate) fn present_plan(&self, is_fresh: bool) -> PyResult<Option<Rc<HandlerPlan>>> {
        if is_fresh || self.target.plan.holds(&self.target.handler, self.settings) {
            return Ok(Some(Rc::clone(&self.target.plan)));
        }
        Ok(route::plan_of(&self.target.handler, self.settings)?.ok().flatten())
    }

    /// Writes to the handler's file without taking a lock or asking the interpreter; `false` when that cannot
    /// be done, and nothing has been written.
    fn write_at_once(
        &self,
        plan: &HandlerPlan,
        lock: &Bound<'py, PyAny>,
        line: &mut Vec<u8>,
        time: &mut String,
    ) -> PyResult<bool> {
        let py = self.target.handler.py();
        let Ok(file) = plan.file.try_borrow() else { return Ok(false) };
        let Some(file) = file.as_ref().filter(|file| file.is_prompt) else { return Ok(false) };
        let Ok(Some(has_asked)) = self.format(plan, line, time) else { return Ok(false) };
        // What ran meanwhile can have changed the handler, or let a thread run that has taken the lock.
        if has_asked && !(lock::is_free(lock) && plan.holds(&self.target.handler, self.settings)) {
            return Ok(false);
        }
        if !plan.takes_at_once(file, self.event.created.seconds, line) {
            return Ok(false);
        }
        line.extend_from_slice(plan.terminator.as_bytes());
        // SAFETY: the handler is as it was when its file was looked at, so that it holds the stream.
        if !unsafe { file.takes(line) } {
            return Ok(false);
        }
        let Some(written @ 1..) = file.write(py, line) else { return Ok(false) };
        plan.has_written(file);
        if written < line.len() {
            self.write_rest(plan, &line[written..])?;
        }
        Ok(true)
    }

    /// Writes what the system did not take at once, through the stream's buffer: the beginning is written.
    pub(crate) fn write_rest(&self, plan: &HandlerPlan, rest: &[u8]) -> PyResult<()> {
        let py = self.target.handler.py();
        // SAFETY: nothing has run since the plan was found to hold.
        let lock = unsafe { plan.lock(py) };
        lock::held(&lock, || {
            let write = || write_through_buffer(&self.target.handler.getattr(intern!(py, "stream"))?, rest);
            write().or_else(|error| {
                handler::error::guarded_with(&self.target.handler, || self.python_record(), error)
            })
        })
    }

    /// Appends the text of the record to `line`, without the terminator, and says whether code of the program's
    /// may have run meanwhile; `None` when only the interpreter can render it.
    pub(crate) fn format(
        &self,
        plan: &HandlerPlan,
        line: &mut Vec<u8>,
        time: &mut String,
    ) -> PyResult<Option<bool>> {
        self.format_with(&plan.formatter, line, time)
    }

    /// The same for a formatter.
    pub(crate) fn format_with(
        &self,
        formatter: &FormatterPlan,
        line: &mut Vec<u8>,
        time: &mut String,
    ) -> PyResult<Option<bool>> {
        let py = self.target.handler.py();
        let has_asked = formatter.write_time(py, &self.event.created, self.settings, time)?;
        let Some(fields) = self.message.filter(|_| !formatter.shows_fields()) else {
            let rendered = self.render(self.record, formatter, time, line)?;
            return Ok(rendered.then_some(has_asked || formatter.rendering.may_run_python()));
        };
        // Its text is made of the values' own.
        let text = fields.str()?;
        let Ok(message) = text.to_str() else { return Ok(None) };
        let rendered = self.render(&Record { message, ..self.record.clone() }, formatter, time, line)?;
        Ok(rendered.then_some(true))
    }

    /// Appends the text of the record, `asctime` being its creation time; `false` for a value that only the
    /// interpreter renders.
    fn render(
        &self,
        record: &Record<'_>,
        formatter: &FormatterPlan,
        asctime: &str,
        line: &mut Vec<u8>,
    ) -> PyResult<bool> {
        match &formatter.rendering {
            Rendering::Structured(layout) => {
                let exception = self.exception.map(|triple| (triple, &self.masks));
                layout.get().write(record, asctime, (self.message, self.extra), exception, line)?;
            }
            Rendering::Python => return Ok(false),
            Rendering::Layout(layout) => {
                let render = |record: &Record<'_>| append(layout, record, asctime, line);
                return Ok(self.with_shown(record, formatter.names(), render).is_some());
            }
            // The format of a date may have control characters too.
            Rendering::Escaped(_) if asctime.contains(|byte| !matches!(byte, ' '..='~')) => return Ok(false),
            Rendering::Escaped(layout) => {
                let render = |record: &Record<'_>| {
                    EscapingFormatter::escaped(record, |shown| append(layout, shown, asctime, line))
                };
                return Ok(self.with_shown(record, formatter.names(), render).is_some());
            }
        }
        Ok(true)
    }

    /// What `render` makes of the record with the extra fields that are called `names`.
    fn with_shown(
        &self,
        record: &Record<'_>,
        names: &[Py<PyString>],
        render: impl FnOnce(&Record<'_>) -> Option<()>,
    ) -> Option<()> {
        if names.is_empty() {
            return render(record);
        }
        let fields =
            PlainFields { extra: self.extra.map(|extra| extra.as_borrowed()), ..PlainFields::default() };
        let shown = fields.shown(self.target.handler.py(), names).ok()?.unwrap_or_default();
        render(&Record { fields: &shown, ..record.clone() })
    }

    /// As `StreamHandler.emit` does it; the handler's lock is held.
    fn format_and_write(&self, plan: &HandlerPlan, line: &mut Vec<u8>, time: &mut String) -> PyResult<()> {
        let handler = &self.target.handler;
        let py = handler.py();
        if self.format(plan, line, time)?.is_none() {
            return interpreter::call_method(handler, intern!(py, "emit"), &[&self.python_record()?])
                .map(drop);
        }
        plan.kind.prepare(handler, line)?;
        let _secured = plan.kind.secure(handler, line)?;
        line.extend_from_slice(plan.terminator.as_bytes());
        let stream = handler.getattr(intern!(py, "stream"))?;
        if stream.is_none() {
            // A closed handler that would empty its file by opening it.
            return Ok(());
        }
        if let Ok(file) = plan.file.try_borrow()
            && let Some(file) = file.as_ref()
            && file.is_of(&stream)
            // SAFETY: the stream is alive.
            && unsafe { file.takes(line) }
            && let Some(written @ 1..) = file.write(py, line)
        {
            write_through_buffer(&stream, &line[written..])?;
            return plan.sync(handler);
        }
        let line = PyString::from_bytes(py, line)?;
        interpreter::call_method(&stream, intern!(py, "write"), &[&line])?;
        if let Some(flush) = interpreter::optional_attribute(&stream, intern!(py, "flush"))? {
            interpreter::call_python(&flush, &[])?;
        }
        if let Ok(mut file) = plan.file.try_borrow_mut() {
            // From now on it is known what the stream looks like when nothing waits in it.
            *file = DirectFile::of(&stream)?;
        }
        plan.sync(handler)
    }
}

/// Appends what `layout` shows of `record`, and exception and stack below it, as `Formatter.format` puts it.
fn append(layout: &Layout, record: &Record<'_>, asctime: &str, line: &mut Vec<u8>) -> Option<()> {
    layout.render(record, asctime, line).ok()?;
    for text in [record.exception, record.stack].into_iter().flatten() {
        if line.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        line.extend_from_slice(text.as_bytes());
    }
    Some(())
}

/// Writes what the system did not take at once: the rest of a line, which may begin within a character.
pub(crate) fn write_through_buffer(stream: &Bound<'_, PyAny>, rest: &[u8]) -> PyResult<()> {
    let py = stream.py();
    if rest.is_empty() {
        return Ok(());
    }
    let buffer = stream.getattr(intern!(py, "buffer"))?;
    interpreter::call_method(&buffer, intern!(py, "write"), &[&PyBytes::new(py, rest)])?;
    interpreter::call_method(stream, intern!(py, "flush"), &[]).map(drop)
}
