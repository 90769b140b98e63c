//! The options of the structured formatters, checked: each mistake is a `ValueError` with the option's path.

use duramen::error::OptionError;
use duramen::formatter::json::{
    ExceptionForm, Json, JsonBuilder, JsonFormatter, Preset, Source, TimestampForm,
};
use duramen::formatter::{ConsoleFormatter, LogfmtFormatter, console};
use jiff::tz::TimeZone;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString};

use crate::formatter::values::{self, Rules};

/// The options of a formatter as Python gives them: each is there, `None` stands for its default.
pub(crate) struct Options<'a, 'py>(pub(crate) &'a Bound<'py, PyDict>);

/// The error that a user sees.
pub(crate) fn refused(error: &OptionError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn wrong(path: impl Into<String>, found: &Bound<'_, PyAny>, expected: &str) -> PyErr {
    let found = found.repr().and_then(|text| values::text_of(&text)).unwrap_or_else(|_| "?".to_owned());
    refused(&OptionError::new(path, found, expected))
}

impl<'py> Options<'_, 'py> {
    /// The option, unless it is `None`.
    pub(crate) fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.0.get_item(name)?.filter(|value| !value.is_none()))
    }

    pub(crate) fn text(&self, name: &str) -> PyResult<Option<String>> {
        self.get(name)?.map(|value| text_at(name, &value)).transpose()
    }

    pub(crate) fn flag(&self, name: &str) -> PyResult<bool> {
        match self.get(name)? {
            None => Ok(false),
            Some(value) => value.extract().map_err(|_| wrong(name, &value, "true or false")),
        }
    }

    /// The names in a sequence of them.
    pub(crate) fn names(&self, name: &str) -> PyResult<Vec<String>> {
        let Some(value) = self.get(name)? else { return Ok(Vec::new()) };
        let expected = "a sequence of names";
        if value.is_instance_of::<PyString>() {
            return Err(wrong(name, &value, expected));
        }
        let names = value.try_iter().map_err(|_| wrong(name, &value, expected))?;
        names.enumerate().map(|(index, item)| text_at(&format!("{name}[{index}]"), &item?)).collect()
    }

    /// The entries of a mapping from names.
    fn entries(&self, name: &str) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
        let Some(value) = self.get(name)? else { return Ok(Vec::new()) };
        let Ok(items) = value.call_method0("items") else {
            return Err(wrong(name, &value, "a mapping from names"));
        };
        let mut entries = Vec::new();
        for item in items.try_iter()? {
            let (key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = item?.extract()?;
            entries.push((text_at(&format!("a key of {name}"), &key)?, value));
        }
        Ok(entries)
    }

    /// The entries of a mapping from names to texts.
    pub(crate) fn texts(&self, name: &str) -> PyResult<Vec<(String, String)>> {
        let entries = self.entries(name)?.into_iter();
        entries.map(|(key, value)| Ok((key.clone(), text_at(&format!("{name}['{key}']"), &value)?))).collect()
    }

    /// What `known` makes of the text of the option.
    pub(crate) fn one_of<T>(
        &self,
        name: &str,
        expected: &str,
        known: impl Fn(&str) -> Option<T>,
    ) -> PyResult<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match known(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(refused(&OptionError::new(name, format!("'{text}'"), expected))),
        }
    }

    /// Whether a member shows what a record has and a logging call has not: the message before its arguments are merged in,
    /// and the arguments.
    pub(crate) fn need_a_record(&self) -> PyResult<bool> {
        let is_one = |name: &str| matches!(name, "msg" | "args");
        let mut fields = self.entries("fields")?.into_iter();
        let mut defaults = self.entries("defaults")?.into_iter().chain(self.entries("static_fields")?);
        Ok(fields.any(|(_, source)| source.extract::<&str>().is_ok_and(is_one))
            || defaults.any(|(name, _)| is_one(&name)))
    }

    /// How values are written.
    pub(crate) fn rules(&self) -> PyResult<Rules> {
        let default = self.get("default")?;
        if let Some(default) = default.as_ref().filter(|default| !default.is_callable()) {
            return Err(wrong("default", default, "a function of one value"));
        }
        let deepest = match self.get("max_depth")? {
            None => values::DEEPEST,
            Some(value) => match value.cast::<PyInt>().map(|number| number.extract::<u8>()) {
                // Each level takes some of the stack.
                Ok(Ok(depth @ 1..=100)) => depth.into(),
                _ => return Err(wrong("max_depth", &value, "a whole number from 1 to 100")),
            },
        };
        Ok(Rules { default: default.map(Bound::unbind), deepest })
    }

    /// The formatter that the options of `JsonFormatter` describe.
    pub(crate) fn json(&self, rules: &Rules) -> PyResult<JsonFormatter> {
        self.builder(rules)?.build().map_err(|error| refused(&error))
    }

    /// The formatter that the options of `LogfmtFormatter` describe.
    pub(crate) fn logfmt(&self, rules: &Rules) -> PyResult<LogfmtFormatter> {
        self.builder(rules)?.build_logfmt().map_err(|error| refused(&error))
    }

    /// The formatter that the options of `ConsoleFormatter` describe.
    pub(crate) fn console(&self) -> PyResult<ConsoleFormatter> {
        let columns = match self.get("align")? {
            None => console::DEFAULT_ALIGN,
            Some(value) => match value.extract::<u8>() {
                Ok(columns) => columns.into(),
                Err(_) => return Err(wrong("align", &value, "a whole number from 0 to 255")),
            },
        };
        Ok(ConsoleFormatter::new(self.flag("color")?).align(columns))
    }

    fn builder(&self, rules: &Rules) -> PyResult<JsonBuilder> {
        let mut builder = match self.text("preset")? {
            None => JsonBuilder::default(),
            Some(name) => {
                let host = self.text("host")?.unwrap_or_default();
                let preset = Preset::by_name(&name, &host, self.text("project")?.as_deref());
                JsonBuilder::preset(&preset.map_err(|error| refused(&error))?)
            }
        };
        if self.get("fields")?.is_some() {
            let mut members = Vec::new();
            for (key, source) in self.entries("fields")? {
                let source = text_at(&format!("fields['{key}']"), &source)?;
                members.push((key, Source::by_name(&source)));
            }
            builder = builder.members(members);
        }
        for name in self.names("hidden")? {
            builder = builder.hide(name);
        }
        for (name, value) in self.entries("static_fields")? {
            builder = builder.fixed(name, Json::written(|place| rules.write(&value, place))?);
        }
        for (name, value) in self.entries("defaults")? {
            builder = builder.default_value(&name, Json::written(|place| rules.write(&value, place))?);
        }
        for (name, key) in self.entries("rename_fields")? {
            let key = text_at(&format!("rename_fields['{name}']"), &key)?;
            builder = builder.rename(name, key);
        }
        let forms = "one of text, lines, object, both";
        if let Some(form) = self.one_of("exceptions", forms, ExceptionForm::by_name)? {
            builder = builder.exceptions(form);
        }
        let forms = "one of rfc3339, epoch, epoch_ms, epoch_us, epoch_ns";
        if let Some(form) = self.one_of("time_format", forms, TimestampForm::by_name)? {
            builder = builder.timestamps(form);
        }
        if let Some(zone) = self.one_of("time_zone", "UTC, local or the name of a time zone", zone)? {
            builder = builder.zone(zone);
        }
        if let Some(prefix) = self.text("prefix")? {
            builder = builder.prefix(prefix);
        }
        if let Some(indent) = self.text("indent")? {
            builder = builder.indent(indent);
        }
        for (flag, apply) in [
            ("private_hidden", JsonBuilder::without_private as fn(JsonBuilder) -> JsonBuilder),
            ("stack_as_lines", JsonBuilder::stack_as_lines),
            ("ascii", JsonBuilder::ascii),
        ] {
            if self.flag(flag)? {
                builder = apply(builder);
            }
        }
        Ok(builder)
    }
}

fn zone(name: &str) -> Option<TimeZone> {
    match name {
        "UTC" => Some(TimeZone::UTC),
        "local" => Some(TimeZone::system()),
        _ => TimeZone::get(name).ok(),
    }
}

fn text_at(path: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = value.cast::<PyString>().ok().and_then(|text| text.to_str().ok().map(str::to_owned));
    text.ok_or_else(|| wrong(path, value, "text"))
}
