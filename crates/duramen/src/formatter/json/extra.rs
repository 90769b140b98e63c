//! The extra fields: their keys, and that none meets another's.

use super::{Details, ValueWriter, escape, pairs, writer};

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
        let renamed = self.renamed.iter().map(|(name, _)| name);
        self.suspects =
            self.named.iter().chain(&self.taken).chain(renamed).fold(0, |bits, name| bits | bit(name));
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
        let rules = self.rules;
        if rules.without_private && name.starts_with('_') {
            return Ok(());
        }
        if rules.suspects & bit(name) == 0 {
            self.key(&[name]);
        } else if rules.named.iter().any(|named| named == name) {
            return Ok(());
        } else if let Some((_, key)) = rules.renamed.iter().find(|(renamed, _)| renamed == name) {
            self.key(&[key]);
        } else if rules.taken.iter().any(|taken| taken == name) {
            self.key(&["extra.", name]);
        } else {
            self.key(&[name]);
        }
        let start = self.out.len();
        let result = body(ValueWriter::new(self.out, self.ascii));
        match rules.syntax {
            Syntax::Json => {}
            Syntax::Plain => make_plain(self.out, start, self.ascii),
            Syntax::Pairs | Syntax::PaintedPairs => pairs::finish_value(self.out, start),
        }
        result
    }

    fn key(&mut self, parts: &[&str]) {
        match self.rules.syntax {
            Syntax::Json => {
                writer::separate(self.out);
                self.out.push(b'"');
                escape::write_inner(&self.rules.prefix, self.ascii, self.out);
                for part in parts {
                    escape::write_inner(part, self.ascii, self.out);
                }
                self.out.extend_from_slice(b"\": ");
            }
            Syntax::Plain => {
                writer::separate(self.out);
                self.out.push(b'"');
                escape::write_inner(&self.rules.prefix, self.ascii, self.out);
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
                let bytes = parts.iter().flat_map(|part| part.bytes());
                self.out.extend(bytes.map(|byte| if plain(byte) { byte } else { b'_' }));
                self.out.extend_from_slice(b"\": ");
            }
            Syntax::Pairs => pairs::write_key(parts, false, self.out),
            Syntax::PaintedPairs => pairs::write_key(parts, true, self.out),
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
