//! What the macros call. It is no interface of its own: use the macros.

use std::fmt::Arguments;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::kept_text::KeptText;
use crate::value::ToValue;
use crate::{Value, report};

pub use crate::message::{ByDisplay, ByType, Given, Otherwise, Template};

/// A field whose value keeps its type. One whose conversion panics is null, and that is reported.
#[inline]
pub fn typed<'v, T: ToValue + ?Sized>(key: &'static str, value: &'v T) -> (&'static str, Value<'v>) {
    let value = catch_unwind(AssertUnwindSafe(|| value.to_value())).unwrap_or_else(|_| {
        report::error("a field", &format_args!("the value of {key} is lost: its conversion panicked"));
        Value::Null
    });
    (key, value)
}

/// A field whose value is shown by its `Display` or `Debug`.
pub fn text(key: &'static str, value: Arguments<'_>) -> TextField {
    let (text, is_whole) = KeptText::of_arguments(value);
    if !is_whole {
        report::error("a field", &format_args!("the value of {key} cannot be shown: its formatting failed"));
    }
    TextField { key, text }
}

/// Holds the text of a field for as long as the statement that logs.
pub struct TextField {
    key: &'static str,
    text: KeptText,
}

impl TextField {
    /// The field, which borrows the text.
    pub fn field(&self) -> (&'static str, Value<'_>) {
        (self.key, Value::Text((*self.text).into()))
    }
}
