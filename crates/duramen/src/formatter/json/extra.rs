//! The extra fields: their keys, and that none meets another's.

use super::{Details, ValueWriter, escape, pairs, writer};
use crate::append::append;

/// In which syntax the extra fields are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Members of an object.
    #[default]
    Json,
    /// Members with keys of letters, digits, `_`, `-` and `.` alone, and values that are text or numbers.
    Plain,
    /// Pairs as `key=value`.
    Pairs,
    /// Pairs with faint keys, for a terminal.
    PaintedPairs,
}

/// Stands before the name of a field whose key is taken.
const MOVED: &str = "extra.";

/// How the extra fields are written.
#[derive(Clone, Debug, Default)]
pub(super) struct ExtraRules {
    /// Stands before each key.
    pub(super) prefix: String,
    /// Names that a member of its own shows.
    pub(super) named: Vec<String>,
    /// Keys beside which the extra fields stand, as they would be called without the prefix.
    pub(super) taken: Vec<String>,
    /// Names and the keys that they get.
    pub(super) renamed: Vec<(String, String)>,
    /// Names that begin with an underscore are left out.
    pub(super) without_private: bool,
    pub(super) syntax: Syntax,
    /// A bit for each name that needs more than being written.
    suspects: u64,
}

impl ExtraRules {
    /// To be called when all names are set.
    pub(super) fn seal(&mut self) {
        let keys = || self.taken.iter().chain(self.renamed.iter().map(|(_, key)| key));
        let names = self.named.iter().chain(self.renamed.iter().map(|(name, _)| name)).chain(keys());
        let moved = keys().map(|key| format!("{MOVED}{key}"));
        self.suspects =
            names.map(|name| bit(name)).chain(moved.map(|name| bit(&name))).fold(0, |bits, bit| bits | bit);
    }

    /// The key of the extra field `name`, in two parts; `None` when it is shown elsewhere or left out.
    fn key_of<'n>(&'n self, name: &'n str) -> Option<[&'n str; 2]> {
        if self.without_private && name.starts_with('_') { None } else { self.key_of_entry(name) }
    }

    /// The same for a field that is shown though its name may begin with an underscore.
    fn key_of_entry<'n>(&'n self, name: &'n str) -> Option<[&'n str; 2]> {
        if self.suspects & bit(name) != 0 {
            if self.named.iter().any(|named| named == name) {
                return None;
            }
            if let Some((_, key)) = self.renamed.iter().find(|(renamed, _)| renamed == name) {
                return Some([if self.taken.contains(key) { MOVED } else { "" }, key]);
            }
            if self.is_taken(name) || name.strip_prefix(MOVED).is_some_and(|rest| self.is_taken(rest)) {
                return Some([MOVED, name]);
            }
        }
        Some(["", name])
    }

    /// Whether something else has this key, or may have it in some records: a field's key depends on itself alone.
    fn is_taken(&self, key: &str) -> bool {
        let is_renamed =
            |(name, other): &(String, String)| other == key && !crate::record::is_attribute(name);
        self.taken.iter().any(|taken| taken == key) || self.renamed.iter().any(is_renamed)
    }

    /// Appends the key of a member and what stands behind it.
    fn write_key(&self, parts: [&str; 2], ascii: bool, out: &mut Vec<u8>) {
        append(out, b"\"");
        if !self.prefix.is_empty() {
            escape::write_inner(&self.prefix, ascii, out);
        }
        if self.syntax == Syntax::Plain {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
            let bytes = parts.iter().flat_map(|part| part.bytes());
            out.extend(bytes.map(|byte| if plain(byte) { byte } else { b'_' }));
        } else {
            for part in parts.into_iter().filter(|part| !part.is_empty()) {
                escape::write_inner(part, ascii, out);
            }
        }
        append(out, b"\": ");
    }
}

/// A bit that depends on the name's length and ends, which are cheap to look at.
fn bit(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let ends =
        bytes.first().zip(bytes.last()).map_or(0, |(&first, &last)| usize::from(first ^ last.rotate_left(3)));
    1 << ((ends ^ bytes.len()) & 63)
}

/// Takes the extra fields one by one.
///
/// ```
/// use duramen::formatter::json::{Details, ExceptionPart, ExtraWriter, Members, ValueWriter};
/// use duramen::formatter::JsonFormatter;
/// use duramen::{Level, Record};
///
/// /// Fields that are the same for many records, whose text is kept.
/// struct Kept<'t>(&'t std::cell::RefCell<Vec<u8>>);
///
/// impl Details for Kept<'_> {
///     type Error = std::fmt::Error;
///     fn write_extra(&self, extra: &mut ExtraWriter<'_>) -> Result<(), Self::Error> {
///         let mut kept = self.0.borrow_mut();
///         if kept.is_empty() {
///             let start = extra.position();
///             extra.field("region", |value| Ok(value.text("north")))?;
///             kept.extend_from_slice(extra.since(start).unwrap_or_default());
///             return Ok(());
///         }
///         extra.kept(&kept, |_| Ok(()))
///     }
///     fn write_named(&self, _: &str, _: ValueWriter<'_>) -> Result<bool, Self::Error> {
///         Ok(false)
///     }
///     fn write_part(&self, _: ExceptionPart, _: ValueWriter<'_>) -> Result<bool, Self::Error> {
///         Ok(false)
///     }
///     fn write_exception(&self, _: &mut Members<'_>) -> Result<bool, Self::Error> {
///         Ok(false)
///     }
/// }
///
/// let (formatter, kept) = (JsonFormatter::default(), Default::default());
/// for _ in 0..2 {
///     let mut line = Vec::new();
///     formatter.format_with(&Record::new("app", Level::INFO, "hello"), None, &Kept(&kept), &mut line).unwrap();
///     assert!(line.ends_with(br#""message": "hello", "region": "north"}"#));
/// }
/// ```
pub struct ExtraWriter<'o> {
    rules: &'o ExtraRules,
    ascii: bool,
    out: &'o mut Vec<u8>,
}

impl<'o> ExtraWriter<'o> {
    pub(super) fn new(rules: &'o ExtraRules, ascii: bool, out: &'o mut Vec<u8>) -> Self {
        Self { rules, ascii, out }
    }

    /// Takes the field `name`, of which `body` writes the value. It is not called for a field that is shown
    /// elsewhere or left out.
    ///
    /// # Errors
    /// Those of `body`.
    pub fn field<E>(
        &mut self,
        name: &str,
        body: impl FnOnce(ValueWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.rules.key_of(name) {
            Some(parts) => self.write(parts, body),
            None => Ok(()),
        }
    }

    /// The same for a field that is a part of the message itself: one whose name begins with an underscore is shown too.
    ///
    /// ```
    /// use duramen::formatter::json::ExtraWriter;
    ///
    /// fn write_message(extra: &mut ExtraWriter<'_>, entries: &[(&str, &str)]) {
    ///     for (name, text) in entries {
    ///         let _ = extra.entry(name, |value| Ok::<_, std::fmt::Error>(value.text(text)));
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of `body`.
    pub fn entry<E>(
        &mut self,
        name: &str,
        body: impl FnOnce(ValueWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.rules.key_of_entry(name) {
            Some(parts) => self.write(parts, body),
            None => Ok(()),
        }
    }

    fn write<E>(
        &mut self,
        parts: [&str; 2],
        body: impl FnOnce(ValueWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.key(parts);
        let start = self.out.len();
        let result = body(ValueWriter::new(self.out, self.ascii));
        match self.rules.syntax {
            Syntax::Json => {}
            Syntax::Plain => make_plain(self.out, start, self.ascii),
            Syntax::Pairs | Syntax::PaintedPairs => pairs::finish_value(self.out, start),
        }
        result
    }

    /// The text that stands before the value of the field `name`, to be given to [`ExtraWriter::kept`] for the next
    /// record; `None` where it is not all that decides, or the field is shown elsewhere or left out.
    ///
    /// ```
    /// use duramen::formatter::json::ExtraWriter;
    ///
    /// /// Writes a counter, of which the key alone is the same each time.
    /// fn write_count(extra: &mut ExtraWriter<'_>, key: &mut Option<Vec<u8>>, count: i64) -> Result<(), std::fmt::Error> {
    ///     if key.is_none() {
    ///         *key = extra.key_to_keep("count");
    ///     }
    ///     match key {
    ///         Some(key) => extra.kept(key, |value| Ok(value.integer(count))),
    ///         None => extra.field("count", |value| Ok(value.integer(count))),
    ///     }
    /// }
    /// ```
    pub fn key_to_keep(&self, name: &str) -> Option<Vec<u8>> {
        if self.rules.syntax != Syntax::Json {
            return None;
        }
        let mut text = Vec::new();
        self.rules.write_key(self.rules.key_of(name)?, self.ascii, &mut text);
        Some(text)
    }

    /// Takes what was kept of an earlier record of the same formatter: the text before a value, which `body` writes, or
    /// that of whole fields, as [`ExtraWriter::since`] gives it, for which it writes none.
    ///
    /// # Errors
    /// Those of `body`.
    #[inline]
    pub fn kept<E>(
        &mut self,
        text: &[u8],
        body: impl FnOnce(ValueWriter<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        writer::separate(self.out);
        append(self.out, text);
        body(ValueWriter::new(self.out, self.ascii))
    }

    /// How long the line is.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// The fields that were written since this position, to be given to [`ExtraWriter::kept`]; `None` where others decide
    /// too what they look like, or there are none.
    pub fn since(&self, position: usize) -> Option<&[u8]> {
        let written = self.out.get(position..)?;
        let written = written.strip_prefix(b", ").unwrap_or(written);
        (self.rules.syntax == Syntax::Json && !written.is_empty()).then_some(written)
    }

    fn key(&mut self, parts: [&str; 2]) {
        match self.rules.syntax {
            Syntax::Json | Syntax::Plain => {
                writer::separate(self.out);
                self.rules.write_key(parts, self.ascii, self.out);
            }
            Syntax::Pairs => pairs::write_key(&parts, false, self.out),
            Syntax::PaintedPairs => pairs::write_key(&parts, true, self.out),
        }
    }
}

/// Makes text of the value from `start` on, unless it is text or a number.
pub(super) fn make_plain(out: &mut Vec<u8>, start: usize, ascii: bool) {
    if out.get(start).is_some_and(|&first| !matches!(first, b'"' | b'-' | b'0'..=b'9')) {
        let json = out.split_off(start);
        ValueWriter::new(out, ascii).text(&String::from_utf8_lossy(&json));
    }
}

/// Writes extra fields as pairs, for formatters whose lines are made for people.
#[derive(Clone, Debug)]
pub(in crate::formatter) struct PairRules(ExtraRules);

impl PairRules {
    /// With faint keys, or without color.
    pub(in crate::formatter) fn new(painted: bool) -> Self {
        let syntax = if painted { Syntax::PaintedPairs } else { Syntax::Pairs };
        Self(ExtraRules { syntax, ..ExtraRules::default() })
    }

    /// Appends the extra fields that `details` writes, each with a space before it.
    pub(in crate::formatter) fn write<D: Details>(
        &self,
        details: &D,
        out: &mut Vec<u8>,
    ) -> Result<(), D::Error> {
        details.write_extra(&mut ExtraWriter::new(&self.0, false, out))
    }
}
