//! Typed values of a record's extra fields.

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
