//! Writing JSON value by value at the end of a buffer, without a tree in between.

use super::escape;
use crate::Value;
use crate::append::append;

/// How many lists and mappings may stand inside each other, unless a formatter is told otherwise: no reader of logs wants
/// to see more.
///
/// ```
/// use duramen::formatter::json::{DEEPEST, JsonFormatter};
///
/// assert_eq!(JsonFormatter::default().deepest(), DEEPEST);
/// ```
pub const DEEPEST: usize = 16;

/// The place of one value, at the end of a buffer. Exactly one of its methods is called.
///
/// ```
/// use duramen::formatter::json::ValueWriter;
///
/// let mut line = Vec::new();
/// ValueWriter::new(&mut line, false).object(|members| {
///     members.member("name").text("Ada");
///     members.member("born").integer(1815);
/// });
/// assert_eq!(line, br#"{"name": "Ada", "born": 1815}"#);
/// ```
///
/// Each kind of value has its method:
///
/// ```
/// use duramen::Value;
/// use duramen::formatter::json::ValueWriter;
///
/// let mut line = Vec::new();
/// ValueWriter::new(&mut line, true).list(|list| {
///     list.element().null();
///     list.element().boolean(true);
///     list.element().float(0.5);
///     list.element().float(f64::NAN); // JSON has none
///     list.element().digits("18446744073709551616"); // any number, as text
///     list.element().joined(&["traces/", "4bf9"]);
///     list.element().text_with_surrogates(b"\xed\xa0\x80"); // alone, as Python's texts may hold them
///     list.element().sorted_list(vec![b"2".to_vec(), b"1".to_vec()]); // a set
///     list.element().json(r#"{"of": "another writer"}"#);
///     list.element().value(&Value::Map(vec![("n".into(), Value::Integer(1))]));
///     let element = list.element();
///     assert!(element.is_ascii());
///     element.text("é");
/// });
/// assert_eq!(
///     String::from_utf8(line).unwrap(),
///     r#"[null, true, 0.5, null, 18446744073709551616, "traces/4bf9", "\ud800", [1, 2], {"of": "another writer"}, {"n": 1}, "\u00e9"]"#
/// );
/// ```
#[must_use = "a value is missing where none is written"]
pub struct ValueWriter<'o> {
    out: &'o mut Vec<u8>,
    ascii: bool,
}

impl<'o> ValueWriter<'o> {
    /// Appends to `out`; with `ascii` every character beyond ASCII as `\uXXXX`.
    pub fn new(out: &'o mut Vec<u8>, ascii: bool) -> Self {
        Self { out, ascii }
    }

    /// Whether characters beyond ASCII are escaped.
    pub fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// `null`.
    pub fn null(self) {
        append(self.out, b"null");
    }

    /// `true` or `false`.
    pub fn boolean(self, value: bool) {
        append(self.out, if value { b"true" } else { b"false" });
    }

    /// A whole number.
    pub fn integer(self, number: i64) {
        append(self.out, itoa::Buffer::new().format(number).as_bytes());
    }

    /// A number, from the text that is its form in JSON too.
    pub fn digits(self, number: &str) {
        append(self.out, number.as_bytes());
    }

    /// A floating-point number, in the shortest form that reads back as the same; NaN and the infinities,
    /// which JSON has no form for, as `null`.
    pub fn float(self, number: f64) {
        if number.is_finite() {
            append(self.out, zmij::Buffer::new().format_finite(number).as_bytes());
        } else {
            self.null();
        }
    }

    /// Text.
    pub fn text(self, text: &str) {
        escape::write_text(text, self.ascii, self.out);
    }

    /// Text of which the pieces follow one another.
    pub fn joined(self, pieces: &[&str]) {
        self.out.push(b'"');
        for piece in pieces {
            escape::write_inner(piece, self.ascii, self.out);
        }
        self.out.push(b'"');
    }

    /// Text that may hold surrogates alone, as three bytes each: `\ud800` to `\udfff`. A high one that is
    /// followed by a low one reads back as the character that the two name.
    pub fn text_with_surrogates(self, bytes: &[u8]) {
        escape::write_with_surrogates(bytes, self.ascii, self.out);
    }

    /// A value that is JSON already.
    pub(super) fn literal(self, json: &[u8]) {
        append(self.out, json);
    }

    /// A value that was written by another writer before, which escaped nothing but what has to be.
    pub fn json(self, json: &str) {
        escape::write_json(json, self.ascii, self.out);
    }

    /// A list with the elements that `body` writes.
    pub fn list<R>(self, body: impl FnOnce(&mut Elements<'_>) -> R) -> R {
        self.out.push(b'[');
        let result = body(&mut Elements { out: self.out, ascii: self.ascii });
        self.out.push(b']');
        result
    }

    /// A list of elements that are JSON already, in the order of their text: what has no order of its own, as
    /// a set, gives the same line each time.
    pub fn sorted_list(self, mut elements: Vec<Vec<u8>>) {
        elements.sort_unstable();
        self.list(|list| elements.iter().for_each(|element| list.element().literal(element)));
    }

    /// An object with the members that `body` writes.
    pub fn object<R>(self, body: impl FnOnce(&mut Members<'_>) -> R) -> R {
        self.out.push(b'{');
        let result = body(&mut Members { out: self.out, ascii: self.ascii });
        self.out.push(b'}');
        result
    }

    /// An object with the members that `body` writes; `false`, with nothing written, when it writes none.
    ///
    /// # Errors
    /// Those of `body`.
    pub(super) fn object_or_nothing<E>(
        self,
        body: impl FnOnce(&mut Members<'_>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let start = self.out.len();
        self.out.push(b'{');
        body(&mut Members { out: self.out, ascii: self.ascii })?;
        if self.out.len() == start + 1 {
            self.out.truncate(start);
            return Ok(false);
        }
        self.out.push(b'}');
        Ok(true)
    }

    /// A typed value, in which what nests deeper than [`DEEPEST`] is named.
    pub fn value(self, value: &Value<'_>) {
        self.value_within(value, DEEPEST);
    }

    /// A typed value: lists and mappings inside `deepest` others are named as Python calls them, in place of what they
    /// hold.
    pub(super) fn value_within(self, value: &Value<'_>, deepest: usize) {
        match value {
            Value::Null => self.null(),
            Value::Bool(value) => self.boolean(*value),
            Value::Integer(number) => self.integer(*number),
            Value::BigInteger(digits) => self.digits(digits),
            Value::Float(number) => self.float(*number),
            Value::Text(text) => self.text(text),
            Value::List(_) if deepest == 0 => self.text("<too deep: list>"),
            Value::Map(_) if deepest == 0 => self.text("<too deep: dict>"),
            Value::List(values) => self.list(|elements| {
                for value in values {
                    elements.element().value_within(value, deepest - 1);
                }
            }),
            Value::Map(entries) => self.object(|members| {
                for (key, value) in entries {
                    members.member(key).value_within(value, deepest - 1);
                }
            }),
        }
    }
}

/// The elements of a list that is being written.
///
/// ```
/// use duramen::formatter::json::{Elements, ValueWriter};
///
/// fn write_sizes(sizes: &mut Elements<'_>) {
///     for size in [1, 2] {
///         sizes.element().integer(size);
///     }
/// }
///
/// let mut line = Vec::new();
/// ValueWriter::new(&mut line, false).list(write_sizes);
/// assert_eq!(line, b"[1, 2]");
/// ```
pub struct Elements<'o> {
    out: &'o mut Vec<u8>,
    ascii: bool,
}

impl Elements<'_> {
    /// The place of the next element.
    pub fn element(&mut self) -> ValueWriter<'_> {
        separate(self.out);
        ValueWriter { out: self.out, ascii: self.ascii }
    }
}

/// The members of an object that is being written.
///
/// ```
/// use duramen::formatter::json::{Members, ValueWriter};
///
/// fn write_user(user: &mut Members<'_>) {
///     user.member("id").integer(7);
/// }
///
/// let mut line = Vec::new();
/// ValueWriter::new(&mut line, false).object(write_user);
/// assert_eq!(line, br#"{"id": 7}"#);
/// ```
pub struct Members<'o> {
    out: &'o mut Vec<u8>,
    ascii: bool,
}

impl Members<'_> {
    /// The place of the value of the next member. Keys are the caller's to keep apart.
    pub fn member(&mut self, key: &str) -> ValueWriter<'_> {
        separate(self.out);
        escape::write_text(key, self.ascii, self.out);
        append(self.out, b": ");
        ValueWriter { out: self.out, ascii: self.ascii }
    }

    /// The members of an object that was written by another writer before, as [`ValueWriter::json`] takes it.
    ///
    /// ```
    /// use duramen::formatter::json::{Members, ValueWriter};
    ///
    /// let mut line = Vec::new();
    /// ValueWriter::new(&mut line, false).object(|user: &mut Members<'_>| {
    ///     user.member("id").integer(7);
    ///     user.json(r#"{"name": "ann", "admin": true}"#);
    /// });
    /// assert_eq!(line, br#"{"id": 7, "name": "ann", "admin": true}"#);
    /// ```
    pub fn json(&mut self, object: &str) {
        let members = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
        if !members.is_empty() {
            separate(self.out);
            escape::write_json(members, self.ascii, self.out);
        }
    }
}

/// A comma, unless the list or object has just been opened.
#[inline]
pub(super) fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'[' | b'{')) {
        append(out, b", ");
    }
}
