//! `duramen.filters.RedactingFilter`: masked copies of records in Python form.

use std::borrow::Cow;

use duramen::redact::{MASK, Mode, Path, Redactor as Rules, RedactorBuilder, Verdict};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PySet, PyString, PyTuple};
use smallvec::SmallVec;

use crate::classes::globals;
use crate::filter::amended::Amended;
use crate::filter::plan::Asked;
use crate::formatter::options::{Options, refused};
use crate::formatter::values::{self, Simpler};
use crate::interpreter::intern;
use crate::record::{exception, fields};
use crate::{classes, interpreter};

/// The rules of a `RedactingFilter`. It never changes.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct Redactor {
    rules: Rules,
    options: Py<PyDict>,
}

/// Fields nested deeper than this are masked as a whole.
const DEEPEST: usize = 32;

#[pymethods]
impl Redactor {
    #[new]
    fn new(options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let rules = build(&Options(options))?.build().map_err(|error| refused(&error))?;
        Ok(Self { rules, options: options.copy()?.unbind() })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (Bound<'py, PyDict>,)) {
        (slf.get_type().into_any(), (slf.get().options.bind(slf.py()).clone(),))
    }

    fn __deepcopy__<'py>(slf: &Bound<'py, Self>, _memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        slf.clone()
    }

    /// `text` with what the patterns find replaced.
    fn text<'py>(&self, text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
        Ok(self.masked_text(text)?.unwrap_or_else(|| text.clone()))
    }

    /// The value of the field `name`, masked, itself when there is nothing to mask; `None` when the field is to
    /// be left out.
    fn field<'py>(&self, name: &str, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.judged_field(name, value)?.0)
    }

    /// The names of the patterns with their regular expressions.
    fn expressions(&self) -> Vec<(String, String)> {
        self.rules.expressions().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    /// How often each rule has masked.
    fn counts(&self) -> Vec<(String, u64)> {
        self.rules.counts()
    }

    /// A copy of the record, or with `in_place` the record itself, in which message, extra fields, exception and
    /// stack are masked.
    ///
    /// Where that fails, nothing of what the application gave is on it; `None` when even that fails.
    fn record<'py>(
        slf: &Bound<'py, Self>,
        record: &Bound<'py, PyAny>,
        in_place: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = record.py();
        let copied = if in_place {
            Ok(record.clone())
        } else {
            py.import(intern!(py, "copy"))?.call_method1(intern!(py, "copy"), (record,))
        };
        let masked = copied.and_then(|copy| Self::mask(slf, &copy).map(|()| copy)).or_else(|error| {
            if !classes::is_ordinary(py, &error) {
                return Err(error);
            }
            slf.get().rules.count_failure();
            withdrawn(record, in_place)
        });
        match masked {
            Err(error) if classes::is_ordinary(py, &error) => Ok(None),
            masked => masked.map(Some),
        }
    }
}

/// What masks an event, one after the other.
#[derive(Clone, Default)]
pub(crate) struct Masks<'py>(SmallVec<[Bound<'py, Redactor>; 1]>);

impl<'py> Masks<'py> {
    pub(crate) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn add(&mut self, redactor: Bound<'py, Redactor>) {
        self.0.push(redactor);
    }

    pub(crate) fn add_all(&mut self, others: &Self) {
        self.0.extend(others.0.iter().cloned());
    }

    /// `text` masked. It is a part of one that is masked too, and counted there.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut masked = Cow::Borrowed(text);
        for redactor in &self.0 {
            if let Cow::Owned(text) = redactor.get().rules.masked_text(&masked).text {
                masked = Cow::Owned(text);
            }
        }
        masked
    }
}

impl Redactor {
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The value of the field `name`, masked, as [`Redactor::field`] gives it, and its name, where that is masked.
    fn judged_field<'py>(
        &self,
        name: &str,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<(Option<Bound<'py, PyAny>>, Option<String>)> {
        let (verdict, masked_name) = self.rules.verdict_of(name);
        if verdict == Verdict::Search {
            if let Ok(text) = value.cast_exact::<PyString>() {
                let masked = masked_text(&self.rules, text)?;
                return Ok((Some(masked.unwrap_or_else(|| text.clone()).into_any()), masked_name));
            }
            if self.is_harmless(value) {
                return Ok((Some(value.clone()), masked_name));
            }
        }
        let mut walk = Walk { rules: &self.rules, path: Path::default(), around: Vec::new() };
        Ok((walk.inside(name, value)?, masked_name))
    }

    /// Whether `value` is of a kind that holds no text, or a number in which nothing is masked.
    fn is_harmless(&self, value: &Bound<'_, PyAny>) -> bool {
        if value.is_none()
            || value.is_exact_instance_of::<PyBool>()
            || value.is_exact_instance_of::<PyFloat>()
        {
            return true;
        }
        let number = value.is_exact_instance_of::<PyInt>().then(|| value.extract::<i64>().ok()).flatten();
        number.is_some_and(|number| matches!(self.rules.text(&number.to_string()), Cow::Borrowed(_)))
    }

    /// `None` when there is nothing to mask.
    fn masked_text<'py>(&self, text: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyString>>> {
        masked_text(&self.rules, text)
    }

    fn mask(slf: &Bound<'_, Self>, record: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = record.py();
        let masks = slf.get();
        masks.mask_message(record)?;
        Self::mask_exception(slf, record)?;
        let stack = intern!(py, "stack_info");
        if let Ok(text) = record.getattr(stack)?.cast_into::<PyString>() {
            record.setattr(stack, masks.text(&text)?)?;
        }
        let attributes = record.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        for change in masks.changes(&attributes.copy()?)? {
            change.make(&attributes)?;
        }
        Ok(())
    }

    /// Masks an event of the native way.
    pub(crate) fn amend<'py>(
        slf: &Bound<'py, Self>,
        asked: &Asked<'_, 'py>,
        amended: &mut Amended<'py>,
    ) -> PyResult<()> {
        let masks = slf.get();
        masks.amend_message(asked, amended)?;
        let shown = amended.record(asked.record);
        let masked = |text: Option<&str>| match text.map(|text| masks.rules.text(text)) {
            Some(Cow::Owned(masked)) => Some(masked),
            _ => None,
        };
        let (exception, stack) = (masked(shown.exception), masked(shown.stack));
        amended.exception = exception.or_else(|| amended.exception.take());
        amended.stack = stack.or_else(|| amended.stack.take());
        amended.masks.add(slf.clone());
        masks.amend_fields(asked.extra, amended)
    }

    fn amend_message<'py>(&self, asked: &Asked<'_, 'py>, amended: &mut Amended<'py>) -> PyResult<()> {
        if let Some(fields) = asked.message_fields(amended) {
            amended.message_fields = Some(self.masked_dict(&fields)?);
            return Ok(());
        }
        let message = amended.message.as_deref().unwrap_or(asked.record.message);
        if let Cow::Owned(masked) = self.rules.text(message) {
            amended.message = Some(masked);
        }
        Ok(())
    }

    fn amend_fields<'py>(
        &self,
        extra: Option<&Bound<'py, PyDict>>,
        amended: &mut Amended<'py>,
    ) -> PyResult<()> {
        if let Some(fields) = amended.extra.as_ref().or(extra) {
            // The application, be it another thread, may add to its own dict before the line is written.
            let fields = fields.copy()?;
            for change in self.changes(&fields)? {
                change.make(&fields)?;
            }
            amended.extra = Some(fields);
        }
        Ok(())
    }

    /// What masking changes about the fields among `attributes`, which nobody else changes, that are none of a
    /// record's own.
    fn changes<'py>(&self, attributes: &Bound<'py, PyDict>) -> PyResult<Vec<Change<'py>>> {
        let mut changes = Vec::new();
        for (name, value) in interpreter::entries(attributes) {
            let text = values::key_text(&name)?;
            if fields::is_own_attribute(&text) {
                continue;
            }
            let (masked, masked_name) = self.judged_field(&text, &value)?;
            if masked.as_ref().is_none_or(|masked| !masked.is(&value)) || masked_name.is_some() {
                let masked = masked.map(|masked| (masked_name.unwrap_or_else(|| text.into_owned()), masked));
                changes.push(Change { name: name.clone(), masked });
            }
        }
        Ok(changes)
    }

    /// The message with its arguments in it: they are not kept, since they may hold what it does not show.
    fn mask_message(&self, record: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = record.py();
        let msg = intern!(py, "msg");
        let masked = if let Ok(fields) = record.getattr(msg)?.cast_into::<PyDict>() {
            self.masked_dict(&fields)?.into_any()
        } else {
            let message = record.call_method0(intern!(py, "getMessage"))?.str()?;
            self.text(&message)?.into_any()
        };
        record.setattr(msg, masked)?;
        record.setattr(intern!(py, "args"), py.None())?;
        if record.hasattr(intern!(py, "message"))? {
            record.delattr(intern!(py, "message"))?;
        }
        Ok(())
    }

    /// The fields of a message that is a dict.
    fn masked_dict<'py>(&self, fields: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
        let masked = PyDict::new(fields.py());
        for (name, value) in interpreter::entries(fields) {
            let name = values::key_text(&name)?;
            if let Some(value) = self.field(&name, &value)? {
                masked.set_item(&*self.rules.text(&name), value)?;
            }
        }
        Ok(masked)
    }

    /// The masked text of the exception stands for it, and for structured lines what is left of its parts: the exception
    /// itself cannot be masked.
    fn mask_exception(slf: &Bound<'_, Self>, record: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = record.py();
        let exc_text = intern!(py, "exc_text");
        let exception = record.getattr(intern!(py, "exc_info"))?;
        let mut text = record.getattr(exc_text)?;
        if exception.is_truthy()? && !text.is_truthy()? {
            let formatter = globals::get(py, intern!(py, "_defaultFormatter"))?;
            text = formatter.call_method1(intern!(py, "formatException"), (exception,))?;
        }
        if !text.is_truthy()? {
            return record.setattr(intern!(py, "exc_info"), py.None());
        }
        let masked = slf.get().rules.text(&values::text_of(&text.str()?)?).into_owned();
        let mut masks = Masks::default();
        masks.add(slf.clone());
        exception::put_masked(record, &masks, Some(&masked))
    }
}

/// A field that does not stay as it is.
struct Change<'py> {
    name: Bound<'py, PyAny>,
    /// Its name and value from now on; `None` when it is left out.
    masked: Option<(String, Bound<'py, PyAny>)>,
}

impl Change<'_> {
    fn make(self, fields: &Bound<'_, PyDict>) -> PyResult<()> {
        fields.del_item(&self.name)?;
        self.masked.map_or(Ok(()), |(name, value)| fields.set_item(name, value))
    }
}

/// A record that says of `record` where it comes from and no more; with `in_place`, `record` itself as such a one.
fn withdrawn<'py>(record: &Bound<'py, PyAny>, in_place: bool) -> PyResult<Bound<'py, PyAny>> {
    let py = record.py();
    let attribute = |name| record.getattr_opt(name).ok().flatten();
    let message = format!("{MASK} (a record that could not be masked)");
    let said = globals::get(py, intern!(py, "LogRecord"))?.call1((
        attribute("name"),
        attribute("levelno"),
        attribute("pathname"),
        attribute("lineno"),
        message,
        py.None(),
        py.None(),
        attribute("funcName"),
    ))?;
    if !in_place {
        return Ok(said);
    }
    let attributes = record.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
    attributes.clear();
    attributes.update(said.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?.as_mapping())?;
    Ok(record.clone())
}

/// `None` when there is nothing to mask.
fn masked_text<'py>(rules: &Rules, text: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyString>>> {
    // Text with lone surrogates is looked through in the form that it is written in.
    let utf8 = text
        .to_str()
        .map_or_else(|_| values::text_of(text).map(Cow::Owned), |text| Ok(Cow::Borrowed(text)))?;
    Ok(match rules.text(&utf8) {
        Cow::Owned(masked) if masked != *utf8 => Some(PyString::new(text.py(), &masked)),
        _ => None,
    })
}

/// A walk through a value and all that is inside it.
struct Walk<'a> {
    rules: &'a Rules,
    path: Path,
    /// The containers on the way here.
    around: Vec<*mut ffi::PyObject>,
}

impl Walk<'_> {
    fn inside<'py>(&mut self, name: &str, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut path = std::mem::take(&mut self.path);
        let result = path.inside(name, |path| {
            std::mem::swap(&mut self.path, path);
            let result = self.value(value);
            std::mem::swap(&mut self.path, path);
            result
        });
        self.path = path;
        result
    }

    /// The value masked, or itself; an error of its own code is masked as a whole.
    fn value<'py>(&mut self, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = value.py();
        let depth = self.around.len();
        let result = if depth > DEEPEST || self.around.contains(&value.as_ptr()) {
            self.rules.count_failure();
            Ok(Some(PyString::new(py, MASK).into_any()))
        } else {
            self.around.push(value.as_ptr());
            self.judged(value)
        };
        self.around.truncate(depth);
        match result {
            Err(error) if classes::is_ordinary(py, &error) => {
                self.rules.count_failure();
                Ok(Some(PyString::new(py, MASK).into_any()))
            }
            result => result,
        }
    }

    fn judged<'py>(&mut self, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let verdict = self.rules.verdict(&self.path);
        if verdict == Verdict::Secret {
            return self.secret(value);
        }
        if let Ok(map) = value.cast::<PyDict>() {
            return self.dict(map).map(Some);
        }
        if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            return self.sequence(value).map(Some);
        }
        if verdict == Verdict::Unlisted {
            return self.secret(value);
        }
        if let Ok(text) = value.cast::<PyString>() {
            return Ok(Some(masked_text(self.rules, text)?.map_or_else(|| value.clone(), Bound::into_any)));
        }
        if value.is_none() || value.is_instance_of::<PyBool>() || value.is_instance_of::<PyFloat>() {
            return Ok(Some(value.clone()));
        }
        self.other(value)
    }

    fn secret<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let text = values::text_of(&value.str()?)?;
        Ok(self.rules.secret(&text).map(|masked| PyString::new(value.py(), &masked).into_any()))
    }

    fn dict<'py>(&mut self, map: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let masked = PyDict::new(map.py());
        let mut same = true;
        for (key, value) in interpreter::entries(map) {
            let name = values::key_text(&key)?;
            let inner = self.inside(&name, &value)?;
            let masked_name = self.rules.text(&name);
            same &= masked_name == name && inner.as_ref().is_some_and(|inner| inner.is(&value));
            if let Some(inner) = inner {
                if masked_name == name {
                    masked.set_item(key, inner)?;
                } else {
                    masked.set_item(&*masked_name, inner)?;
                }
            }
        }
        Ok(if same { map.clone() } else { masked }.into_any())
    }

    fn sequence<'py>(&mut self, values: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = values.py();
        let mut masked = Vec::new();
        let mut same = true;
        for value in values.try_iter()? {
            let value = value?;
            let inner = self.value(&value)?;
            same &= inner.as_ref().is_some_and(|inner| inner.is(&value));
            masked.extend(inner);
        }
        if same {
            return Ok(values.clone());
        }
        if values.is_instance_of::<PyTuple>() {
            return Ok(PyTuple::new(py, masked)?.into_any());
        }
        Ok(PyList::new(py, masked)?.into_any())
    }

    /// A value of another kind: what it would be written as is looked through, and takes its place where
    /// something in it is masked.
    fn other<'py>(&mut self, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let simpler = if value.is_instance_of::<PyInt>() { None } else { values::simpler(value)? };
        let (written, masked) = match simpler {
            Some(Simpler::Value(written)) => {
                let masked = self.value(&written)?;
                (written, masked)
            }
            Some(Simpler::Set(elements)) => {
                let masked = self.sequence(elements.as_any())?;
                let same = masked.is(&elements);
                let masked = if same {
                    masked
                } else {
                    PySet::new(value.py(), masked.try_iter()?.collect::<PyResult<Vec<_>>>()?)?.into_any()
                };
                (elements.into_any(), Some(masked))
            }
            None => {
                let text = value.str()?;
                let masked = masked_text(self.rules, &text)?;
                let text = text.into_any();
                (text.clone(), Some(masked.map_or(text, Bound::into_any)))
            }
        };
        Ok(match masked {
            Some(masked) if masked.is(&written) => Some(value.clone()),
            masked => masked,
        })
    }
}

fn build(options: &Options<'_, '_>) -> PyResult<RedactorBuilder> {
    let mut builder = Rules::builder();
    for pack in options.names("packs")? {
        builder = builder.pack(pack);
    }
    for key in options.names("keys")? {
        builder = builder.key(key);
    }
    for name in options.names("allow")? {
        builder = builder.allow(name);
    }
    for (name, expression) in options.texts("patterns")? {
        builder = builder.pattern(name, expression);
    }
    let modes = "one of mask, partial, pseudonym, type, drop";
    if let Some(mode) = options.one_of("mode", modes, Mode::by_name)? {
        builder = builder.mode(mode);
    }
    for (name, mode) in options.texts("modes")? {
        let known = Mode::by_name(&mode).ok_or_else(|| {
            refused(&duramen::error::OptionError::new(format!("modes['{name}']"), format!("'{mode}'"), modes))
        })?;
        builder = builder.mode_of(name, known);
    }
    if let Some(key) = options.get("pseudonym_key")? {
        builder = builder.pseudonym_key(key.extract::<Vec<u8>>()?);
    }
    Ok(builder)
}
