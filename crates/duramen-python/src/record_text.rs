//! The text of a record that is a Python object, without the interpreter where the record is a plain one.

use duramen::formatter::{Field, Layout};
use duramen::record::Caller;
use duramen::{Level, Record};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyString, PyTuple};

use crate::classes::{self, Family};
use crate::formatter_plan::{FormatterPlan, Rendering};
use crate::interpreter::intern;
use crate::record::Creation;
use crate::settings::Settings;
use crate::{buffers, fields, interpreter, pipeline, record};

/// The attributes of `record`, if it is exactly a `LogRecord` of which nothing is overridden.
pub(crate) fn attributes_of_plain<'py>(record: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let py = record.py();
    if !classes::is_untouched_class(record.get_type().as_any(), Family::Record)? {
        return Ok(None);
    }
    let attributes = interpreter::instance_dict(record)?;
    // The other decisive methods are looked up on the class alone.
    let own = attributes.contains(intern!(py, "getMessage"))?;
    Ok((!own).then_some(attributes))
}

/// The text of `record` without exception and stack by a formatter with this plan; the message and the time
/// are left on the record, as `Formatter.format` does. `None` when only the interpreter can tell: nothing has
/// been done then.
pub(crate) fn format<'py>(
    plan: &FormatterPlan,
    record: &Bound<'py, PyAny>,
    settings: &Settings,
) -> PyResult<Option<Bound<'py, PyString>>> {
    let Rendering::Layout(layout) = &plan.rendering else { return Ok(None) };
    let Some(attributes) = attributes_of_plain(record)? else { return Ok(None) };
    let py = record.py();
    let Some(message) = message_of(&attributes)? else { return Ok(None) };
    let Some(view) = RecordView::of(&attributes, layout)? else { return Ok(None) };
    buffers::with(|buffers| {
        let buffers::Buffers { line, time, .. } = buffers;
        line.clear();
        time.clear();
        plan.write_time(py, &view.created, settings, time)?;
        let Some(texts) = view.texts(&message) else { return Ok(None) };
        if layout.render(&texts, time, line).is_err() {
            return Ok(None);
        }
        attributes.set_item(intern!(py, "message"), &message)?;
        if layout.uses(Field::Asctime) {
            attributes.set_item(intern!(py, "asctime"), &**time)?;
        }
        PyString::from_bytes(py, line).map(Some)
    })
}

/// Whether a plain record has neither exception nor stack.
pub(crate) fn has_message_only(record: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = record.py();
    let attributes = interpreter::instance_dict(record)?;
    for name in [intern!(py, "exc_info"), intern!(py, "exc_text"), intern!(py, "stack_info")] {
        if attributes.get_item(name)?.is_none_or(|value| !value.is_none()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What `getMessage` gives; `None` when it may be something else than text of the usual kind.
fn message_of<'py>(attributes: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyString>>> {
    let py = attributes.py();
    let (Some(template), Some(arguments)) =
        (attributes.get_item(intern!(py, "msg"))?, attributes.get_item(intern!(py, "args"))?)
    else {
        return Ok(None);
    };
    let Ok(template) = template.cast_into_exact::<PyString>() else { return Ok(None) };
    let Ok(given) = arguments.cast_exact::<PyTuple>() else {
        if !arguments.is_truthy()? {
            return Ok(Some(template));
        }
        return Ok(record::merge(&template, &arguments)?.cast_into_exact().ok());
    };
    if given.is_empty() {
        return Ok(Some(template));
    }
    let given: Vec<_> = given.iter_borrowed().collect();
    let merged = buffers::with(|buffers| {
        let text = template.to_str().ok()?;
        pipeline::merge_plain(text, &given, &mut buffers.message).then_some(())?;
        PyString::from_bytes(py, &buffers.message).ok()
    });
    match merged {
        Some(merged) => Ok(Some(merged)),
        None => Ok(interpreter::percent_format(&template, &arguments)?.cast_into_exact().ok()),
    }
}

/// The values of a record that a layout shows, of the usual kinds.
struct RecordView<'py> {
    created: Creation,
    level: i64,
    line: u32,
    thread: Option<u64>,
    process: Option<u32>,
    /// Absent for a field that is not shown, or `None` in the record.
    texts: [Option<Bound<'py, PyString>>; fields::TEXTS],
}

impl<'py> RecordView<'py> {
    /// `None` when a value that is shown is missing or of an unusual kind.
    fn of(attributes: &Bound<'py, PyDict>, layout: &Layout) -> PyResult<Option<Self>> {
        let py = attributes.py();
        let float = |name: &Bound<'py, PyString>| -> PyResult<Option<f64>> {
            let value = attributes.get_item(name)?;
            Ok(value.and_then(|value| value.cast_exact::<PyFloat>().ok().map(PyFloatMethods::value)))
        };
        let mut created = Creation::default();
        if [Field::Asctime, Field::Created, Field::Msecs, Field::RelativeCreated]
            .into_iter()
            .any(|field| layout.uses(field))
        {
            let (Some(seconds), Some(milliseconds), Some(since_start_milliseconds)) = (
                float(intern!(py, "created"))?,
                float(intern!(py, "msecs"))?,
                float(intern!(py, "relativeCreated"))?,
            ) else {
                return Ok(None);
            };
            created = Creation { seconds, milliseconds, since_start_milliseconds };
        }
        let mut view =
            Self { created, level: 0, line: 0, thread: None, process: None, texts: Default::default() };
        let integer = |field, name: &Bound<'py, PyString>| -> PyResult<Result<Option<i64>, ()>> {
            if !layout.uses(field) {
                return Ok(Ok(None));
            }
            Ok(match attributes.get_item(name)? {
                Some(value) if value.is_none() => Ok(None),
                Some(value) if value.is_exact_instance_of::<PyInt>() => {
                    value.extract().map(Some).map_err(drop)
                }
                _ => Err(()),
            })
        };
        let (Ok(level), Ok(line), Ok(thread), Ok(process)) = (
            integer(Field::Levelno, intern!(py, "levelno"))?,
            integer(Field::Lineno, intern!(py, "lineno"))?,
            integer(Field::Thread, intern!(py, "thread"))?,
            integer(Field::Process, intern!(py, "process"))?,
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
        view.take_texts(attributes, layout).map(|usual| usual.then_some(view))
    }

    fn take_texts(&mut self, attributes: &Bound<'py, PyDict>, layout: &Layout) -> PyResult<bool> {
        for ((field, name), text) in fields::texts(attributes.py()).iter().zip(&mut self.texts) {
            if !layout.uses(*field) {
                continue;
            }
            let Some(value) = attributes.get_item(name)? else {
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

    /// The record in native form; `None` when a text has no UTF-8 form.
    fn texts<'t>(&'t self, message: &'t Bound<'py, PyString>) -> Option<Record<'t>> {
        let mut texts = [None; fields::TEXTS];
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
            message: message.to_str().ok()?,
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
            fields: &[],
            exception: None,
            stack: None,
        })
    }
}
