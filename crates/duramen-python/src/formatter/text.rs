//! The text of a record that is a Python object, without the interpreter where the record is a plain one.

use duramen::formatter::{Field, Layout};
use duramen::record::Caller;
use duramen::{Level, Record, Value};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyString, PyTuple};
use smallvec::SmallVec;

use crate::formatter::plain_fields::{self, NotPlain, PlainFields, Shown};
use crate::formatter::plan::{FormatterPlan, PlainRecord, Rendering};
use crate::interpreter::plain;
use crate::record;
use crate::record::Creation;
use crate::record::fields::TEXTS;
use crate::record::message;
use crate::record::shape::{Attribute, Attributes};
use crate::way::buffers;
use crate::way::buffers::Buffers;
use crate::way::settings::Settings;

/// The text of `record` without exception and stack by a formatter with this plan, and whether it is known that the record
/// has neither; the message and the time are left on the record, as `Formatter.format` does. `None` when only the
/// interpreter can tell: nothing has been done then.
pub(crate) fn format<'py>(
    plan: &FormatterPlan,
    record: &Bound<'py, PyAny>,
    settings: &Settings,
) -> PyResult<Option<(Bound<'py, PyString>, bool)>> {
    let Rendering::Layout(layout) = &plan.rendering else { return Ok(None) };
    let Some(attributes) = Attributes::of(record)? else { return Ok(None) };
    let py = record.py();
    let (message, attributes) = match message_of(&attributes)? {
        Message::Natively(message) => (message, attributes),
        Message::ByInterpreter(message) => match Attributes::of(record)? {
            Some(attributes) => (message, attributes),
            None => return Ok(None),
        },
        Message::Unusual => return Ok(None),
    };
    let Some(view) = RecordView::of(&attributes, plan, layout)? else { return Ok(None) };
    buffers::with(|buffers| {
        let buffers::Buffers { line, time, .. } = buffers;
        line.clear();
        time.clear();
        let has_message_only = is_message_only(&attributes)?;
        let has_asked = plan.write_time(py, &view.created, settings, time)?;
        let Ok(shown) = message.to_str() else { return Ok(None) };
        let Ok(fields) = view.fields(py, plan) else { return Ok(None) };
        let Some(texts) = view.texts(shown, fields.as_deref().unwrap_or_default()) else { return Ok(None) };
        if layout.render(&texts, time, line).is_err() {
            return Ok(None);
        }
        attributes.set(Attribute::Message, &message)?;
        if layout.uses(Field::Asctime) {
            let time = plain::new_text(py, time.as_bytes())?;
            attributes.set(Attribute::Asctime, &time)?;
        }
        Ok(Some((plain::new_text(py, line)?, has_message_only && !has_asked)))
    })
}

/// Appends the text of `record` to `line` without leaving message and time on the record, for one that nobody else sees
/// any more. `false` when the interpreter has to be asked: nothing has been done then.
pub(crate) fn render_unseen(
    plan: &FormatterPlan,
    record: &Bound<'_, PyAny>,
    settings: &Settings,
    buffers: &mut Buffers,
) -> PyResult<bool> {
    let Rendering::Layout(layout) = &plan.rendering else { return Ok(false) };
    let Some(attributes @ Attributes::Read(..)) = Attributes::of(record)? else { return Ok(false) };
    let value = |attribute| attributes.get(attribute);
    if !record::shape::is_bare(record) || !is_message_only(&attributes)? {
        return Ok(false);
    }
    let (Some(template), Some(arguments), Some(level_name)) =
        (value(Attribute::Msg)?, value(Attribute::Args)?, value(Attribute::Levelname)?)
    else {
        return Ok(false);
    };
    let (Some(level), Ok(arguments)) = (record::shape::level(record), arguments.cast_exact::<PyTuple>())
    else {
        return Ok(false);
    };
    let Some(usual_name) = settings.level_name(level).filter(|name| level_name.is(&name.object)) else {
        return Ok(false);
    };
    // SAFETY: the record holds it.
    let Some(text) = (unsafe { plain::text(template.as_ptr()) }) else { return Ok(false) };
    let Buffers { message, line, time } = buffers;
    message.clear();
    line.clear();
    let given: SmallVec<[_; 8]> = arguments.iter_borrowed().collect();
    if given.is_empty() {
        message.extend_from_slice(text.as_bytes());
    } else if !message::merge_plain(&template, text, &given, message) {
        return Ok(false);
    }
    let Some(view) = RecordView::of(&attributes, plan, layout)? else { return Ok(false) };
    // SAFETY: it has just been written, out of whole texts.
    let message = unsafe { std::str::from_utf8_unchecked(message) };
    let Ok(fields) = view.fields(record.py(), plan) else { return Ok(false) };
    let Some(texts) = view.texts(message, fields.as_deref().unwrap_or_default()) else { return Ok(false) };
    let as_it_is = PlainRecord {
        record: (&texts, &usual_name.text),
        moment: (&view.created, settings),
        // Those that the layout shows are the record's.
        fields: PlainFields::default(),
        masking: None,
    };
    let rendered = plan.render_plainly(record.py(), &as_it_is, time, line);
    Ok(rendered.is_some())
}

/// Whether a plain record has neither exception nor stack.
fn is_message_only(attributes: &Attributes<'_>) -> PyResult<bool> {
    for attribute in [Attribute::ExcInfo, Attribute::ExcText, Attribute::StackInfo] {
        if attributes.get(attribute)?.is_none_or(|value| !value.is_none()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The message of a record.
enum Message<'py> {
    /// No code of the program's has run for it.
    Natively(Bound<'py, PyString>),
    ByInterpreter(Bound<'py, PyString>),
    /// It may be something else than text of the usual kind.
    Unusual,
}

/// What `getMessage` gives.
fn message_of<'py>(attributes: &Attributes<'py>) -> PyResult<Message<'py>> {
    let (Some(template), Some(arguments)) =
        (attributes.get(Attribute::Msg)?, attributes.get(Attribute::Args)?)
    else {
        return Ok(Message::Unusual);
    };
    let Ok(template) = template.cast_into_exact::<PyString>() else { return Ok(Message::Unusual) };
    let py = template.py();
    if let Ok(given) = arguments.cast_exact::<PyTuple>() {
        if given.is_empty() {
            return Ok(Message::Natively(template));
        }
        let given: SmallVec<[_; 8]> = given.iter_borrowed().collect();
        let merged = buffers::with(|buffers| {
            let text = template.to_str().ok()?;
            message::merge_plain(&template, text, &given, &mut buffers.message).then_some(())?;
            plain::new_text(py, &buffers.message).ok()
        });
        if let Some(merged) = merged {
            return Ok(Message::Natively(merged));
        }
    } else if !arguments.is_truthy()? {
        return Ok(Message::ByInterpreter(template));
    }
    let merged = record::merge(&template, &arguments)?;
    Ok(merged.cast_into_exact().map_or(Message::Unusual, Message::ByInterpreter))
}

/// The values of a record that a layout shows, of the usual kinds.
struct RecordView<'py> {
    created: Creation,
    level: i64,
    line: u32,
    thread: Option<u64>,
    process: Option<u32>,
    /// Absent for a field that is not shown, or `None` in the record.
    texts: [Option<Bound<'py, PyString>>; TEXTS.len()],
    /// The values of the extra fields that are shown.
    extra: Vec<Bound<'py, PyAny>>,
}

impl<'py> RecordView<'py> {
    /// `None` when a value that is shown is missing or of an unusual kind.
    fn of(attributes: &Attributes<'py>, plan: &FormatterPlan, layout: &Layout) -> PyResult<Option<Self>> {
        let float = |attribute| -> PyResult<Option<f64>> {
            let value = attributes.get(attribute)?;
            Ok(value.and_then(|value| value.cast_exact::<PyFloat>().ok().map(PyFloatMethods::value)))
        };
        let mut created = Creation::default();
        if [Field::Asctime, Field::Created, Field::Msecs, Field::RelativeCreated]
            .into_iter()
            .any(|field| layout.uses(field))
        {
            let (Some(seconds), Some(milliseconds), Some(since_start_milliseconds)) =
                (float(Attribute::Created)?, float(Attribute::Msecs)?, float(Attribute::RelativeCreated)?)
            else {
                return Ok(None);
            };
            created = Creation { seconds, milliseconds, since_start_milliseconds };
            // Somebody may have set one and left the other.
            if layout.uses(Field::Created) && !created.agrees_with_itself() {
                return Ok(None);
            }
        }
        let mut view = Self {
            created,
            level: 0,
            line: 0,
            thread: None,
            process: None,
            texts: Default::default(),
            extra: Vec::new(),
        };
        let integer = |field, attribute| -> PyResult<Result<Option<i64>, ()>> {
            if !layout.uses(field) {
                return Ok(Ok(None));
            }
            Ok(match attributes.get(attribute)? {
                Some(value) if value.is_none() => Ok(None),
                Some(value) if value.is_exact_instance_of::<PyInt>() => {
                    value.extract().map(Some).map_err(drop)
                }
                _ => Err(()),
            })
        };
        let (Ok(level), Ok(line), Ok(thread), Ok(process)) = (
            integer(Field::Levelno, Attribute::Levelno)?,
            integer(Field::Lineno, Attribute::Lineno)?,
            integer(Field::Thread, Attribute::Thread)?,
            integer(Field::Process, Attribute::Process)?,
        ) else {
            return Ok(None);
        };
        let shown = |field, value: Option<i64>| value.is_some() || !layout.uses(field);
        let Ok(line_number) = u32::try_from(line.unwrap_or(0)) else { return Ok(None) };
        if !shown(Field::Levelno, level) || !shown(Field::Lineno, line) {
            return Ok(None);
        }
        view.level = level.unwrap_or(0);
        view.line = line_number;
        view.thread = thread.and_then(|thread| u64::try_from(thread).ok());
        view.process = process.and_then(|process| u32::try_from(process).ok());
        if view.thread.is_some() != thread.is_some() || view.process.is_some() != process.is_some() {
            return Ok(None);
        }
        for name in plan.names() {
            let Some(value) = attributes.extra(name)? else { return Ok(None) };
            view.extra.push(value);
        }
        view.take_texts(attributes, layout).map(|usual| usual.then_some(view))
    }

    fn take_texts(&mut self, attributes: &Attributes<'py>, layout: &Layout) -> PyResult<bool> {
        for ((field, attribute), text) in TEXTS.iter().zip(&mut self.texts) {
            if !layout.uses(*field) {
                continue;
            }
            let Some(value) = attributes.get(*attribute)? else {
                return Ok(false);
            };
            let may_be_absent = matches!(field, Field::ThreadName | Field::ProcessName | Field::TaskName);
            if value.is_none() && may_be_absent {
                continue;
            }
            match value.cast_into_exact() {
                Ok(value) => *text = Some(value),
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The extra fields that are shown, if there are any.
    ///
    /// # Errors
    /// When the interpreter has to be asked for the text of one.
    #[inline]
    fn fields<'t>(&'t self, py: Python<'py>, plan: &'t FormatterPlan) -> Result<Option<Shown<'t>>, NotPlain> {
        if plan.names().is_empty() {
            return Ok(None);
        }
        let mut values = self.extra.iter();
        // SAFETY: the view holds the values.
        let shown = unsafe { plain_fields::shown(py, plan.names(), |_| values.next().map(Bound::as_ptr)) };
        shown.map(Some)
    }

    /// The record in native form, with these extra fields; `None` when a text has no UTF-8 form.
    fn texts<'t>(&'t self, message: &'t str, fields: &'t [(&'t str, Value<'t>)]) -> Option<Record<'t>> {
        let mut texts = [None; TEXTS.len()];
        for (text, object) in texts.iter_mut().zip(&self.texts) {
            *text = object.as_ref().map(|object| object.to_str()).transpose().ok()?;
        }
        let [name, level_name, pathname, filename, module, function, thread_name, process_name, task_name] =
            texts;
        let or_empty = |text: Option<&'t str>| text.unwrap_or_default();
        Some(Record {
            name: or_empty(name),
            level: Level(self.level),
            level_name: or_empty(level_name),
            message,
            created_ns: self.created.nanoseconds(),
            relative_created_ms: self.created.since_start_milliseconds,
            caller: Caller {
                pathname: or_empty(pathname),
                filename: or_empty(filename),
                module: or_empty(module),
                line: self.line,
                function: or_empty(function),
            },
            thread: self.thread,
            thread_name,
            process: self.process,
            process_name,
            task_name,
            fields,
            exception: None,
            stack: None,
        })
    }
}
