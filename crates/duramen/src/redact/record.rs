//! Masked copies of records.

use std::borrow::Cow;

use super::{MASK, Path, Redactor, Verdict};
use crate::{Record, Value};

/// Fields nested deeper than this are masked as a whole.
const DEEPEST: usize = 32;

impl Redactor {
    /// Calls `body` with a copy of `record` in which message, extra fields, exception and stack are masked.
    ///
    /// ```
    /// use duramen::redact::Redactor;
    /// use duramen::{Level, Record};
    ///
    /// let redactor = Redactor::builder().pack("credentials").build().unwrap();
    /// let message = redactor.with_masked(&Record::new("shop", Level::INFO, "password=hunter2"), |masked| {
    ///     masked.message.to_owned()
    /// });
    /// assert_eq!(message, "password=***");
    /// ```
    pub fn with_masked<R>(&self, record: &Record<'_>, body: impl FnOnce(&Record<'_>) -> R) -> R {
        let message = self.text(record.message);
        let exception = record.exception.map(|text| self.text(text));
        let stack = record.stack.map(|text| self.text(text));
        let mut path = Path::default();
        let fields: Vec<_> = record
            .fields
            .iter()
            .filter_map(|(name, value)| {
                let (verdict, masked_name) = self.verdict_of(name);
                let value = match value {
                    // What is inside is judged by the names that lead to it.
                    Value::List(_) | Value::Map(_) if verdict != Verdict::Secret => {
                        path.inside(name, |path| self.value(path, value, 0))?
                    }
                    value => self.judged(verdict, value)?,
                };
                Some((masked_name.map_or(Cow::Borrowed(*name), Cow::Owned), value))
            })
            .collect();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, value.clone())).collect();
        body(&Record {
            message: &message,
            fields: &fields,
            exception: exception.as_deref(),
            stack: stack.as_deref(),
            ..record.clone()
        })
    }

    /// The value of the field at `path`, masked; `None` when it is to be left out.
    fn value<'v>(&self, path: &mut Path, value: &'v Value<'v>, depth: usize) -> Option<Value<'v>> {
        let verdict = self.verdict(path);
        if depth > DEEPEST {
            self.count_failure();
            return Some(Value::Text(MASK.into()));
        }
        match value {
            Value::List(values) if verdict != Verdict::Secret => {
                let values = values.iter().filter_map(|value| self.value(path, value, depth + 1));
                Some(Value::List(values.collect()))
            }
            Value::Map(entries) if verdict != Verdict::Secret => {
                let masked = entries.iter().filter_map(|(key, value)| {
                    let value = path.inside(key, |path| self.value(path, value, depth + 1))?;
                    Some((self.text(key), value))
                });
                Some(Value::Map(masked.collect()))
            }
            value => self.judged(verdict, value),
        }
    }

    /// The value of a field on which the verdict is this, masked: a value that holds no others, or a secret one.
    fn judged<'v>(&self, verdict: Verdict, value: &'v Value<'v>) -> Option<Value<'v>> {
        match value {
            _ if verdict != Verdict::Search => self.masked(value),
            Value::Text(text) => Some(Value::Text(self.text(text))),
            Value::Integer(number) => Some(self.number(&number.to_string(), value)),
            Value::BigInteger(digits) => Some(self.number(digits, value)),
            value => Some(value.clone()),
        }
    }

    fn masked(&self, value: &Value<'_>) -> Option<Value<'static>> {
        self.secret(&value.to_string()).map(|text| Value::Text(text.into()))
    }

    /// A number is a secret when its digits are one: of a card, for example.
    fn number<'v>(&self, digits: &str, value: &Value<'v>) -> Value<'v> {
        match self.text(digits) {
            Cow::Borrowed(_) => value.clone(),
            Cow::Owned(masked) => Value::Text(masked.into()),
        }
    }
}
