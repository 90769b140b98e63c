//! Exceptions as objects: class, message, frames, causes, groups.

use duramen::formatter::json::{Members, ValueWriter};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple, PyType};

use crate::classes;
use crate::filter::redactor::Masks;
use crate::formatter::values;
use crate::interpreter::{Once, intern};

/// Of longer tracebacks, as a recursion without end leaves them, the middle is left out.
const MOST_FRAMES: usize = 100;

/// More causes than this, or groups nested deeper, are left out.
const MOST_LINKS: usize = 16;

/// Writes the members of the exception of a triple `(class, value, traceback)`; `false` when it has none.
///
/// # Errors
/// Those that do not derive from `Exception`.
pub(crate) fn write_triple<'py>(
    triple: &Bound<'py, PyAny>,
    masks: &Masks<'py>,
    members: &mut Members<'_>,
) -> PyResult<bool> {
    let Some((exception, traceback)) = parts(triple) else { return Ok(false) };
    Chain { masks, seen: Vec::new() }.write(&exception, Some(traceback), members)?;
    Ok(true)
}

/// The exception and the traceback of a triple.
fn parts<'py>(triple: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let triple = triple.cast::<PyTuple>().ok().filter(|triple| triple.len() == 3)?;
    let exception = triple.get_item(1).ok().filter(|exception| !exception.is_none())?;
    Some((exception, triple.get_item(2).ok()?))
}

/// Writes the name of the exception's class, as `ValueError` or `requests.Timeout`.
pub(crate) fn write_type(triple: &Bound<'_, PyAny>, masks: &Masks<'_>, place: ValueWriter<'_>) -> bool {
    let Some((exception, _)) = parts(triple) else { return false };
    place.text(&masks.text(&whole_name(&exception)));
    true
}

fn whole_name(exception: &Bound<'_, PyAny>) -> String {
    match class_of(exception) {
        (Some(module), name) if module != "builtins" => format!("{module}.{name}"),
        (_, name) => name,
    }
}

/// Writes what the exception says.
pub(crate) fn write_message(
    triple: &Bound<'_, PyAny>,
    masks: &Masks<'_>,
    place: ValueWriter<'_>,
) -> PyResult<bool> {
    let Some((exception, _)) = parts(triple) else { return Ok(false) };
    write_text_of(&exception, masks, place)?;
    Ok(true)
}

fn write_text_of(exception: &Bound<'_, PyAny>, masks: &Masks<'_>, place: ValueWriter<'_>) -> PyResult<()> {
    match exception.str() {
        Ok(text) if masks.are_none() => values::write_text(&text, place),
        Ok(text) => {
            // A pattern may know the line of the traceback, in which the class stands before the message.
            let class = whole_name(exception) + ": ";
            let line = class.clone() + &masks.text(&values::text_of(&text)?);
            let line = masks.text(&line);
            place.text(line.strip_prefix(&class).unwrap_or(&line));
            Ok(())
        }
        Err(error) => values::write_failure(exception, error, place),
    }
}

/// What is left of an exception that was masked.
pub(crate) struct Masked {
    /// As [`write_type`] and [`write_message`] give them, JSON texts.
    pub(crate) class: String,
    pub(crate) message: String,
    /// Its object as JSON.
    pub(crate) object: String,
}

impl Masked {
    /// `None` where there is no exception.
    pub(crate) fn of<'py>(triple: &Bound<'py, PyAny>, masks: &Masks<'py>) -> PyResult<Option<Self>> {
        let text = |write: &dyn Fn(ValueWriter<'_>) -> PyResult<bool>| {
            let mut json = Vec::new();
            let is_there = write(ValueWriter::new(&mut json, false))?;
            PyResult::Ok(String::from_utf8(json).ok().filter(|_| is_there))
        };
        let class = text(&|place| Ok(write_type(triple, masks, place)))?;
        let message = text(&|place| write_message(triple, masks, place))?;
        let object = text(&|place| place.object(|members| write_triple(triple, masks, members)))?;
        Ok(match (class, message, object) {
            (Some(class), Some(message), Some(object)) => Some(Self { class, message, object }),
            _ => None,
        })
    }

    /// Puts what is left on `record` in the place of its exception; `text` is that of the exception.
    pub(crate) fn put_on(left: Option<Self>, record: &Bound<'_, PyAny>, text: Option<&str>) -> PyResult<()> {
        let py = record.py();
        let exc_text = intern!(py, "exc_text");
        match left {
            Some(Self { class, message, object }) => {
                record.setattr(exc_text, text_class(py)?.call1((text, (class, message, object)))?)?;
            }
            None => record.setattr(exc_text, text)?,
        }
        record.setattr(intern!(py, "exc_info"), py.None())
    }

    /// What [`put_masked`] has left on a record beside `text`, its `exc_text`.
    pub(crate) fn beside(text: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let py = text.py();
        if text.get_type().is(text_class(py)?) {
            let (class, message, object) = text.getattr(intern!(py, "parts"))?.extract()?;
            return Ok(Some(Self { class, message, object }));
        }
        Ok(None)
    }
}

/// Takes the exception away from a record, leaving its `text`, and what `masks` leave of it for structured lines.
pub(crate) fn put_masked<'py>(
    record: &Bound<'py, PyAny>,
    masks: &Masks<'py>,
    text: Option<&str>,
) -> PyResult<()> {
    let masked = match text {
        // Of an exception that another filter has masked before, there is no more than the text.
        Some(_) if !masks.are_none() => {
            Masked::of(&record.getattr(intern!(record.py(), "exc_info"))?, masks)?
        }
        _ => None,
    };
    Masked::put_on(masked, record, text)
}

/// The class of text that holds beside itself what structured lines show of a masked exception.
fn text_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: Once<Py<PyType>> = Once::new();
    CLASS.import(py, "duramen._masked", "MaskedTraceback")
}

fn class_of(exception: &Bound<'_, PyAny>) -> (Option<String>, String) {
    let class = exception.get_type();
    let text = |text: PyResult<Bound<'_, PyString>>| text.and_then(|text| values::text_of(&text)).ok();
    (text(class.module()), text(class.qualname()).unwrap_or_default())
}

/// An exception and those that it leads to.
struct Chain<'a, 'py> {
    masks: &'a Masks<'py>,
    /// The exceptions on the way here, so that a chain that leads back to one of them ends.
    seen: Vec<*mut pyo3::ffi::PyObject>,
}

impl<'py> Chain<'_, 'py> {
    fn write(
        &mut self,
        exception: &Bound<'py, PyAny>,
        traceback: Option<Bound<'py, PyAny>>,
        members: &mut Members<'_>,
    ) -> PyResult<()> {
        let py = exception.py();
        let (module, name) = class_of(exception);
        members.member("type").text(&self.masks.text(&name));
        if let Some(module) = module {
            members.member("module").text(&self.masks.text(&module));
        }
        write_text_of(exception, self.masks, members.member("message"))?;
        if let Some(notes) = attribute(exception, intern!(py, "__notes__"))? {
            self.write_notes(&notes, members.member("notes"))?;
        }
        let traceback = match traceback {
            Some(traceback) => Some(traceback),
            None => attribute(exception, intern!(py, "__traceback__"))?,
        };
        if let Some(traceback) = traceback {
            self.write_frames(traceback, members)?;
        }
        if self.seen.len() >= MOST_LINKS {
            return Ok(());
        }
        self.seen.push(exception.as_ptr());
        let cause = attribute(exception, intern!(py, "__cause__"))?;
        let suppressed = attribute(exception, intern!(py, "__suppress_context__"))?;
        if let Some(cause) = cause {
            self.write_linked("cause", &cause, members)?;
        } else if !suppressed.is_some_and(|suppressed| suppressed.is_truthy().unwrap_or(false))
            && let Some(context) = attribute(exception, intern!(py, "__context__"))?
        {
            self.write_linked("context", &context, members)?;
        }
        if let Some(group) = group_of(exception)? {
            let inner: Vec<_> = group.iter().filter(|inner| !self.seen.contains(&inner.as_ptr())).collect();
            members.member("exceptions").list(|elements| {
                inner.iter().try_for_each(|inner| {
                    elements.element().object(|members| self.write(inner, None, members))
                })
            })?;
        }
        self.seen.pop();
        Ok(())
    }

    fn write_linked(
        &mut self,
        key: &str,
        exception: &Bound<'py, PyAny>,
        members: &mut Members<'_>,
    ) -> PyResult<()> {
        if self.seen.contains(&exception.as_ptr()) {
            return Ok(());
        }
        members.member(key).object(|members| self.write(exception, None, members))
    }

    /// The notes, which are a list of texts unless the program has put something else there.
    fn write_notes(&self, notes: &Bound<'py, PyAny>, place: ValueWriter<'_>) -> PyResult<()> {
        if self.masks.are_none() {
            return values::Rules::plain().write(notes, place);
        }
        let write = |note: &Bound<'py, PyAny>, place: ValueWriter<'_>| {
            match note.str().and_then(|text| values::text_of(&text)) {
                Ok(text) => place.text(&self.masks.text(&text)),
                Err(error) => return values::write_failure(note, error, place),
            }
            Ok(())
        };
        match notes.cast::<PyList>() {
            Ok(notes) => {
                place.list(|elements| notes.iter().try_for_each(|note| write(&note, elements.element())))
            }
            Err(_) => write(notes, place),
        }
    }

    /// The frames from the outermost to the one that raised, each with file, line and function.
    fn write_frames(&self, traceback: Bound<'_, PyAny>, members: &mut Members<'_>) -> PyResult<()> {
        let py = traceback.py();
        let mut entries = Vec::new();
        let mut next = Some(traceback).filter(|traceback| !traceback.is_none());
        while let Some(entry) = next {
            next = attribute(&entry, intern!(py, "tb_next"))?;
            entries.push(entry);
        }
        let omitted = entries.len().saturating_sub(MOST_FRAMES);
        let middle = MOST_FRAMES / 2..MOST_FRAMES / 2 + omitted;
        members.member("frames").list(|elements| {
            let shown = entries.iter().enumerate().filter(|(index, _)| !middle.contains(index));
            for (_, entry) in shown {
                let code = entry.getattr(intern!(py, "tb_frame"))?.getattr(intern!(py, "f_code"))?;
                elements.element().object(|members| {
                    let rules = values::Rules::plain();
                    let text = |name| values::text_of(&code.getattr(name)?.str()?);
                    members.member("file").text(&self.masks.text(&text(intern!(py, "co_filename"))?));
                    rules.write(&entry.getattr(intern!(py, "tb_lineno"))?, members.member("line"))?;
                    members.member("function").text(&self.masks.text(&text(intern!(py, "co_name"))?));
                    PyResult::Ok(())
                })?;
            }
            PyResult::Ok(())
        })?;
        if omitted > 0 {
            members.member("frames_left_out").integer(i64::try_from(omitted).unwrap_or(i64::MAX));
        }
        Ok(())
    }
}

/// The exceptions of an exception group (CPython 3.11 and later).
fn group_of<'py>(exception: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let py = exception.py();
    let group = py.import(intern!(py, "builtins"))?.getattr_opt(intern!(py, "BaseExceptionGroup"))?;
    match group {
        Some(group) if exception.is_instance(&group)? => {
            Ok(attribute(exception, intern!(py, "exceptions"))?.and_then(|inner| inner.cast_into().ok()))
        }
        _ => Ok(None),
    }
}

/// The attribute, unless it is missing, `None` or fails.
fn attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match object.getattr_opt(name) {
        Ok(value) => Ok(value.filter(|value| !value.is_none())),
        Err(error) if classes::is_ordinary(object.py(), &error) => Ok(None),
        Err(error) => Err(error),
    }
}
