//! `duramen.formatters`: structured lines, from a record of either way.

use std::cell::RefCell;
use std::rc::Rc;

use duramen::formatter::json::{Details, ExceptionPart, ExtraWriter, JsonFormatter, Members, ValueWriter};
use duramen::formatter::{ConsoleFormatter, Field, LogfmtFormatter, console};
use duramen::record::Caller;
use duramen::{Level, Record};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::classes::native_method::{Call, Method};
use crate::filter::redactor::Masks;
use crate::formatter::beginning::Beginning;
use crate::formatter::options::Options;
use crate::formatter::plain_fields::PlainDetails;
use crate::formatter::shown_message::ShownMessage;
use crate::formatter::values::{self, Rules};
use crate::interpreter;
use crate::interpreter::intern;
use crate::record::Creation;
use crate::record::exception::{self, Masked};
use crate::record::fields;
use crate::way::settings::Settings;

pub(crate) static METHODS: &[Method] = &[("format", format)];

/// What a structured formatter does, made of its options once. It stands in the formatter's attribute
/// `_layout` and never changes.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct StructuredLayout {
    form: Form,
    rules: Rules,
    /// Makes the line another one, where an option asks for what only Python code does.
    finish: Option<Py<PyAny>>,
    needs_record: bool,
    /// What it was made of, for copies and pickles.
    kind: String,
    options: Py<PyDict>,
}

enum Form {
    Json(JsonFormatter),
    Logfmt(LogfmtFormatter),
    Console(ConsoleFormatter),
}

#[pymethods]
impl StructuredLayout {
    /// The layout of `kind` that the options describe.
    #[new]
    fn new(kind: String, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let given = Options(options);
        let rules = given.rules()?;
        let form = match kind.as_str() {
            "json" => Form::Json(given.json(&rules)?),
            "logfmt" => Form::Logfmt(given.logfmt(&rules)?),
            "console" => Form::Console(given.console()?),
            _ => return Err(PyValueError::new_err(format!("there is no structured layout {kind:?}"))),
        };
        let finish = given.get("finish")?.map(Bound::unbind);
        let needs_record = kind != "console" && given.need_a_record()?;
        Ok(Self { form, rules, finish, needs_record, kind, options: options.copy()?.unbind() })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (String, Bound<'py, PyDict>)) {
        let layout = slf.get();
        (slf.get_type().into_any(), (layout.kind.clone(), layout.options.bind(slf.py()).clone()))
    }

    /// It never changes, so that it is its own copy.
    fn __deepcopy__<'py>(slf: &Bound<'py, Self>, _memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        slf.clone()
    }
}

impl StructuredLayout {
    /// The layout of a formatter, if its lines can be written without a record in Python form.
    pub(crate) fn native<'py>(attributes: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, Self>>> {
        let layout = attributes.get_item(intern!(attributes.py(), "_layout"))?;
        let layout = layout.and_then(|layout| layout.cast_into_exact::<Self>().ok());
        Ok(layout.filter(|layout| layout.get().finish.is_none() && !layout.get().needs_record))
    }

    /// Whether the line shows `field`, so that it has to be found out.
    pub(crate) fn uses(&self, field: Field) -> bool {
        match &self.form {
            Form::Json(json) => json.uses(field),
            Form::Logfmt(logfmt) => logfmt.uses(field),
            Form::Console(_) => {
                matches!(field, Field::Asctime | Field::Levelname | Field::Name | Field::Message)
            }
        }
    }

    /// How many containers in fields may stand inside each other.
    pub(crate) fn deepest(&self) -> usize {
        self.rules.deepest
    }

    /// Whether lines have a beginning that is the same for many.
    pub(crate) fn has_beginning(&self) -> bool {
        matches!(&self.form, Form::Json(json) if json.has_beginning())
    }

    /// Appends the line of a record on the shortest way; `None` when it has to take another one.
    pub(crate) fn write_plainly(
        &self,
        moment: (&Creation, &Settings),
        record: (&Record<'_>, &Rc<str>),
        asctime: &str,
        details: &PlainDetails<'_, '_>,
        beginning: Option<&RefCell<Beginning>>,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        if let (Form::Json(json), Some(beginning)) = (&self.form, beginning) {
            let begun = beginning.try_borrow_mut().ok()?.put_json(json, moment, record, out);
            return json.end(begun, record.0, Some(asctime), details, out).ok();
        }
        self.write_with(record.0, asctime, details, out).ok()
    }

    /// Appends the line of a record of the native way, with the fields of a message that is a dict and the extra ones.
    ///
    /// # Errors
    /// Those that do not derive from `Exception`.
    pub(crate) fn write<'py>(
        &self,
        record: &Record<'_>,
        asctime: &str,
        (message, extra): (Option<&Bound<'py, PyDict>>, Option<&Bound<'py, PyDict>>),
        exception: Option<(&Bound<'py, PyAny>, &Masks<'py>)>,
        out: &mut Vec<u8>,
    ) -> PyResult<()> {
        let exception = exception.map(|(triple, masks)| ShownException::Given(triple, masks));
        let details = |extra, attributes, message| PythonDetails {
            rules: &self.rules,
            extra,
            attributes,
            exception,
            message,
        };
        let Some(fields) = message else {
            return self.write_with(record, asctime, &details(extra, None, None), out);
        };
        let shown = self.shown_of(fields)?;
        let record = Record { message: &shown.text, ..record.clone() };
        self.write_with(&record, asctime, &details(Some(fields), extra, Some(&shown)), out)
    }

    /// What is shown in the place of a message that is a dict, if lines have one.
    fn shown_of<'py>(&self, fields: &Bound<'py, PyDict>) -> PyResult<ShownMessage<'py>> {
        if self.uses(Field::Message) { ShownMessage::of_fields(fields) } else { Ok(ShownMessage::default()) }
    }

    fn write_with<D: Details>(
        &self,
        record: &Record<'_>,
        asctime: &str,
        details: &D,
        out: &mut Vec<u8>,
    ) -> Result<(), D::Error> {
        match &self.form {
            Form::Json(json) => json.format_with(record, Some(asctime), details, out),
            Form::Logfmt(logfmt) => logfmt.format_with(record, Some(asctime), details, out),
            Form::Console(console) => console.format_with(record, asctime, details, out),
        }
    }
}

/// What a record in Python form holds beyond its own fields.
struct PythonDetails<'a, 'py> {
    rules: &'a Rules,
    /// Fields that are extra ones all.
    extra: Option<&'a Bound<'py, PyDict>>,
    /// The attributes of a record, its own ones among them.
    attributes: Option<&'a Bound<'py, PyDict>>,
    exception: Option<ShownException<'a, 'py>>,
    /// What the record cannot hold of the message.
    message: Option<&'a ShownMessage<'py>>,
}

/// What is known of an exception.
#[derive(Clone, Copy)]
enum ShownException<'a, 'py> {
    /// A triple, of which everything is shown as these leave it.
    Given(&'a Bound<'py, PyAny>, &'a Masks<'py>),
    /// What a filter has left of it.
    Masked(&'a Masked),
}

impl Details for PythonDetails<'_, '_> {
    type Error = PyErr;

    fn text_with_surrogates(&self, field: Field) -> Option<&[u8]> {
        self.message.filter(|_| field == Field::Message)?.with_surrogates.as_deref()
    }

    fn write_extra(&self, extra: &mut ExtraWriter<'_>) -> PyResult<()> {
        for (source, own_among_them) in [(self.extra, false), (self.attributes, true)] {
            let Some(source) = source else { continue };
            // Of a message that is a dict.
            let is_message = !own_among_them && self.message.is_some();
            for (key, value) in interpreter::entries(source) {
                if is_message && self.message.is_some_and(|message| message.is_entry(&key)) {
                    continue;
                }
                let name = values::key_text(&key)?;
                let shadowed = || match self.attributes {
                    Some(attributes) if !own_among_them && !fields::is_own_attribute(&name) => {
                        attributes.contains(&*name)
                    }
                    _ => Ok(false),
                };
                if (own_among_them && fields::is_own_attribute(&name)) || shadowed()? {
                    continue;
                }
                let body = |place: ValueWriter<'_>| self.rules.write(&value, place);
                if is_message { extra.entry(&name, body) } else { extra.field(&name, body) }?;
            }
        }
        Ok(())
    }

    fn write_named(&self, name: &str, place: ValueWriter<'_>) -> PyResult<bool> {
        for source in [self.attributes, self.extra].into_iter().flatten() {
            if let Some(value) = source.get_item(name)? {
                self.rules.write(&value, place)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write_part(&self, part: ExceptionPart, place: ValueWriter<'_>) -> PyResult<bool> {
        use ExceptionPart::{Message, Type};
        match (self.exception, part) {
            (None, _) => return Ok(false),
            (Some(ShownException::Given(triple, masks)), Type) => {
                return Ok(exception::write_type(triple, masks, place));
            }
            (Some(ShownException::Given(triple, masks)), Message) => {
                return exception::write_message(triple, masks, place);
            }
            (Some(ShownException::Masked(left)), Type) => place.json(&left.class),
            (Some(ShownException::Masked(left)), Message) => place.json(&left.message),
        }
        Ok(true)
    }

    fn write_exception(&self, members: &mut Members<'_>) -> PyResult<bool> {
        match self.exception {
            None => Ok(false),
            Some(ShownException::Given(triple, masks)) => exception::write_triple(triple, masks, members),
            Some(ShownException::Masked(left)) => {
                members.json(&left.object);
                Ok(true)
            }
        }
    }
}

fn format<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let (formatter, record) = (&call.object, call.argument(0));
    let layout = formatter.getattr(intern!(py, "_layout"))?.cast_into::<StructuredLayout>()?;
    let layout = layout.get();
    let parts = Parts::of(formatter, &record, layout)?;
    let mut line = Vec::with_capacity(512);
    parts
        .with_record(|record| layout.write_with(record, &parts.asctime, &parts.details(layout), &mut line))?;
    let line = PyString::from_bytes(py, &line)?.into_any();
    match &layout.finish {
        Some(finish) => finish.bind(py).call1((line,)),
        None => Ok(line),
    }
}

/// The parts of a record in Python form that structured lines show.
#[derive(Default)]
struct Parts<'py> {
    /// The fields of [`fields::TEXTS`], where the line shows them.
    texts: [Option<String>; fields::TEXTS.len()],
    level: i64,
    line: u32,
    thread: Option<u64>,
    process: Option<u32>,
    created_ns: i64,
    relative_created_ms: f64,
    asctime: String,
    message: ShownMessage<'py>,
    /// The fields of a message that is a dict.
    message_fields: Option<Bound<'py, PyDict>>,
    attributes: Option<Bound<'py, PyDict>>,
    exception: Option<Bound<'py, PyAny>>,
    masks: Masks<'py>,
    masked_exception: Option<Masked>,
    exception_text: Option<String>,
    stack: Option<String>,
}

impl<'py> Parts<'py> {
    fn of(
        formatter: &Bound<'py, PyAny>,
        record: &Bound<'py, PyAny>,
        layout: &StructuredLayout,
    ) -> PyResult<Self> {
        let py = record.py();
        let mut parts = Self::default();
        for ((field, attribute), text) in fields::TEXTS.iter().zip(&mut parts.texts) {
            if layout.uses(*field) {
                *text = text_of_attribute(record, attribute.name(py))?;
            }
        }
        parts.level = number(record, intern!(py, "levelno"))?.unwrap_or(0);
        parts.line = number(record, intern!(py, "lineno"))?.unwrap_or(0);
        parts.thread = number(record, intern!(py, "thread"))?;
        parts.process = number(record, intern!(py, "process"))?;
        let seconds: f64 = record.getattr(intern!(py, "created"))?.extract()?;
        let created = Creation {
            seconds,
            milliseconds: milliseconds(seconds, number(record, intern!(py, "msecs"))?),
            since_start_milliseconds: number(record, intern!(py, "relativeCreated"))?.unwrap_or(0.0),
        };
        parts.created_ns = created.nanoseconds();
        parts.relative_created_ms = created.since_start_milliseconds;
        if layout.uses(Field::Asctime) {
            let date_format = formatter.getattr(intern!(py, "datefmt"))?;
            let time = formatter.call_method1(intern!(py, "formatTime"), (record, date_format))?;
            parts.asctime = values::text_of(&time.str()?)?;
        }
        parts.take_message(record, layout)?;
        parts.take_exception(formatter, record)?;
        parts.attributes = Some(record.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?);
        Ok(parts)
    }

    fn take_message(&mut self, record: &Bound<'py, PyAny>, layout: &StructuredLayout) -> PyResult<()> {
        let py = record.py();
        if let Ok(fields) = record.getattr(intern!(py, "msg"))?.cast_into::<PyDict>() {
            self.message = layout.shown_of(&fields)?;
            self.message_fields = Some(fields);
        } else {
            let message = record.call_method0(intern!(py, "getMessage"))?.str()?;
            self.message = ShownMessage::of_text(&message)?;
        }
        Ok(())
    }

    fn take_exception(&mut self, formatter: &Bound<'py, PyAny>, record: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = record.py();
        let exc_text = intern!(py, "exc_text");
        let exception = record.getattr(intern!(py, "exc_info"))?;
        if exception.is_truthy()? {
            if !record.getattr(exc_text)?.is_truthy()? {
                // Kept on the record, as logging's own formatter does.
                let text = formatter.call_method1(intern!(py, "formatException"), (&exception,))?;
                record.setattr(exc_text, text)?;
            }
            self.exception = Some(exception);
        }
        let text = record.getattr(exc_text)?;
        if text.is_truthy()? {
            self.masked_exception = Masked::beside(&text)?;
            self.exception_text = Some(values::text_of(&text.str()?)?);
        }
        let stack = record.getattr(intern!(py, "stack_info"))?;
        if stack.is_truthy()? {
            let stack = formatter.call_method1(intern!(py, "formatStack"), (stack,))?;
            self.stack = Some(values::text_of(&stack.str()?)?);
        }
        Ok(())
    }

    fn details<'a>(&'a self, layout: &'a StructuredLayout) -> PythonDetails<'a, 'py> {
        let given = self.exception.as_ref().map(|triple| ShownException::Given(triple, &self.masks));
        PythonDetails {
            rules: &layout.rules,
            extra: self.message_fields.as_ref(),
            attributes: self.attributes.as_ref(),
            exception: given.or(self.masked_exception.as_ref().map(ShownException::Masked)),
            message: Some(&self.message),
        }
    }

    fn with_record<R>(&self, body: impl FnOnce(&Record<'_>) -> R) -> R {
        let [name, level_name, pathname, filename, module, function, thread_name, process_name, task_name] =
            self.texts.each_ref().map(Option::as_deref);
        body(&Record {
            name: name.unwrap_or_default(),
            level: Level(self.level),
            level_name: level_name.unwrap_or_default(),
            message: &self.message.text,
            created_ns: self.created_ns,
            relative_created_ms: self.relative_created_ms,
            caller: Caller {
                pathname: pathname.unwrap_or_default(),
                filename: filename.unwrap_or_default(),
                module: module.unwrap_or_default(),
                line: self.line,
                function: function.unwrap_or_default(),
            },
            thread: self.thread,
            thread_name,
            process: self.process,
            process_name,
            task_name,
            fields: &[],
            exception: self.exception_text.as_deref(),
            stack: self.stack.as_deref(),
        })
    }
}

/// The attribute as text; `None` when the record has none or it is `None`.
fn text_of_attribute(record: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> PyResult<Option<String>> {
    match record.getattr_opt(name)?.filter(|value| !value.is_none()) {
        Some(value) => Ok(Some(values::text_of(&value.str()?)?)),
        None => Ok(None),
    }
}

/// The attribute as a number; `None` when the record has none.
fn number<'py, T: for<'a> FromPyObject<'a, 'py>>(
    record: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<T>> {
    Ok(record.getattr_opt(name)?.and_then(|value| value.extract().ok()))
}

/// The milliseconds of a creation time: as the record has them, unless they belong to another time.
fn milliseconds(seconds: f64, stated: Option<f64>) -> f64 {
    let exact = (seconds - seconds.floor()) * 1000.0;
    stated.filter(|stated| (stated - exact).abs() < 1.0).unwrap_or_else(|| exact.floor())
}

/// `text` with its control characters and line separators escaped.
#[pyfunction]
pub(crate) fn escape_controls<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
    let mut escaped = Vec::new();
    console::write_escaped(&values::text_of(text)?, &mut escaped);
    PyString::from_bytes(text.py(), &escaped)
}
