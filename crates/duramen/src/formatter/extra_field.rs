//! Extra fields in lines of text: each has a value that stands for it where a record has none.

use super::UnsupportedLayout;
use super::conversion::{Conversion, FieldValue, Form, Kind};
use crate::{Record, Value};

/// The values that stand for extra fields which a record does not have, by their names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Defaults<'d> {
    values: &'d [(String, Value<'static>)],
    allows_others: bool,
}

impl<'d> Defaults<'d> {
    /// These values, and no other extra fields.
    pub(super) fn new(values: &'d [(String, Value<'static>)]) -> Self {
        Self { values, allows_others: false }
    }

    /// No values: each record has to have the extra fields that the layout shows.
    pub(super) fn required() -> Self {
        Self { values: &[], allows_others: true }
    }

    /// The value for the field; `Ok(None)` where each record has to have it.
    pub(super) fn get(self, name: &str) -> Result<Option<&'d Value<'static>>, UnsupportedLayout> {
        let known = self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let is_usual = known.is_some() || (self.allows_others && is_name(name));
        if is_usual { Ok(known) } else { Err(UnsupportedLayout) }
    }
}

/// Whether a record may have an extra field of this name.
fn is_name(name: &str) -> bool {
    let is_identifier = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    // What a `LogRecord` has beside its fields.
    is_identifier && !matches!(name, "msg" | "args" | "exc_info" | "exc_text" | "stack_info" | "getMessage")
}

/// An extra field in a layout.
#[derive(Debug)]
pub(super) struct ExtraField {
    pub(super) name: String,
    default: Option<Value<'static>>,
    /// How the field is written, by the kind of value that a record has for it; `None` where CPython refuses that kind.
    as_text: Option<Conversion>,
    as_integer: Option<Conversion>,
    as_float: Option<Conversion>,
}

impl ExtraField {
    /// The field `name`, written as `conversion` has it for a kind of value.
    ///
    /// # Errors
    /// When `default` cannot be written so, or no value can.
    pub(super) fn new(
        name: &str,
        default: Option<&Value<'static>>,
        conversion: impl Fn(Kind) -> Result<Conversion, UnsupportedLayout>,
    ) -> Result<Self, UnsupportedLayout> {
        let field = Self {
            name: name.to_owned(),
            default: default.cloned(),
            as_text: conversion(Kind::Text).ok(),
            as_integer: conversion(Kind::Integer).ok(),
            as_float: conversion(Kind::Float).ok(),
        };
        match default {
            Some(default) => field.write_value(default, &mut Vec::new())?,
            None if [field.as_text, field.as_integer, field.as_float].iter().any(Option::is_some) => {}
            None => return Err(UnsupportedLayout),
        }
        Ok(field)
    }

    /// Appends what `record` has, or the default.
    ///
    /// # Errors
    /// When CPython cannot show this value so, or there is none.
    pub(super) fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), UnsupportedLayout> {
        let found = record.fields.iter().find(|(name, _)| *name == self.name).map(|(_, value)| value);
        self.write_value(found.or(self.default.as_ref()).ok_or(UnsupportedLayout)?, out)
    }

    fn write_value(&self, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), UnsupportedLayout> {
        let by = |conversion: Option<Conversion>| conversion.ok_or(UnsupportedLayout);
        match value {
            Value::Null => by(self.as_text)?.write(&FieldValue::None, out),
            Value::Integer(number) => by(self.as_integer)?.write(&FieldValue::Integer(*number), out),
            Value::Float(number) => by(self.as_float)?.write(&FieldValue::Float(*number), out),
            Value::Text(text) => by(self.as_text)?.write(&FieldValue::Text(text), out),
            // Truth values are whole numbers in Python, which have names where they are shown as text.
            Value::Bool(value) => match by(self.as_integer)? {
                conversion if conversion.form == Form::Text => {
                    conversion.write(&FieldValue::Text(if *value { "True" } else { "False" }), out)
                }
                conversion => conversion.write(&FieldValue::Integer((*value).into()), out),
            },
            Value::BigInteger(digits) => match by(self.as_integer)? {
                conversion if conversion.form == Form::Text => {
                    conversion.write(&FieldValue::Text(digits), out)
                }
                _ => Err(UnsupportedLayout),
            },
            Value::List(_) | Value::Map(_) => {
                by(self.as_text)?.write(&FieldValue::Text(&value.to_string()), out)
            }
        }
    }
}
