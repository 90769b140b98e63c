//! Typed values of a record's extra fields.

mod conversion;
mod tree;

pub use conversion::ToValue;
pub(crate) use tree::Tree;

/// One value of an extra field, as it arrived at the logging call.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value (`None`).
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number that fits 64 bits.
    Integer(i64),
    /// A whole number that does not fit 64 bits, as decimal digits with an optional sign.
    BigInteger(std::borrow::Cow<'a, str>),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Text(std::borrow::Cow<'a, str>),
    /// A sequence.
    List(Vec<Value<'a>>),
    /// A mapping, in its own order.
    Map(Vec<(std::borrow::Cow<'a, str>, Value<'a>)>),
}

impl Value<'_> {
    /// The same value, which borrows nothing.
    ///
    /// ```
    /// use duramen::Value;
    ///
    /// let value: Value<'static> = Value::Text(String::from("ada").as_str().into()).into_owned();
    /// assert_eq!(value, Value::Text("ada".into()));
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(number) => Value::Integer(number),
            Self::BigInteger(digits) => Value::BigInteger(digits.into_owned().into()),
            Self::Float(number) => Value::Float(number),
            Self::Text(text) => Value::Text(text.into_owned().into()),
            Self::List(values) => Value::List(values.into_iter().map(Value::into_owned).collect()),
            Self::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.into_owned().into(), value.into_owned()))
                    .collect(),
            ),
        }
    }

    /// The same value, which borrows its text; lists and maps are copied.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::BigInteger(digits) => Value::BigInteger(digits.as_ref().into()),
            Self::Text(text) => Value::Text(text.as_ref().into()),
            other => other.clone(),
        }
    }
}

/// As text for people: lists and maps in the form of JSON, text without quotes.
impl std::fmt::Display for Value<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Integer(number) => write!(out, "{number}"),
            Self::BigInteger(text) | Self::Text(text) => out.write_str(text),
            Self::Float(number) => write!(out, "{number:?}"),
            Self::List(values) => {
                out.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(out, "{}{value}", if index > 0 { ", " } else { "" })?;
                }
                out.write_str("]")
            }
            Self::Map(entries) => {
                out.write_str("{")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    write!(out, "{}{key}: {value}", if index > 0 { ", " } else { "" })?;
                }
                out.write_str("}")
            }
        }
    }
}
