//! One line of an audit trail: its number, its code, and what it says.

use std::fmt::Write as _;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::key::AuditKey;

/// The code of a line (HMAC-SHA256, RFC 2104), which depends on all lines before it.
pub(super) type Code = [u8; 32];

/// What stands before the first line of a trail.
pub(super) const NO_CODE: Code = [0; 32];

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A record.
    Record,
    /// The trail's own note: a file begins, files were deleted, a torn line was taken away.
    Note,
}

impl Kind {
    fn mark(self) -> u8 {
        match self {
            Self::Record => b'+',
            Self::Note => b'=',
        }
    }
}

/// The last line of a trail: what the next one is chained to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) number: u64,
    pub(super) code: Code,
}

impl Link {
    /// Before the first line.
    pub(super) const BEGIN: Self = Self { number: 0, code: NO_CODE };

    /// Appends the next line, with its line break, to `out`, and goes on to it.
    pub(super) fn append(&mut self, key: &AuditKey, kind: Kind, text: &[u8], out: &mut Vec<u8>) {
        self.number += 1;
        let body = Body { number: self.number, kind, text };
        self.code = body.code(key, &self.code);
        out.extend_from_slice(self.number.to_string().as_bytes());
        out.push(b' ');
        out.extend_from_slice(hex(&self.code).as_bytes());
        out.extend_from_slice(&[b' ', kind.mark(), b' ']);
        out.extend_from_slice(text);
        out.push(b'\n');
    }
}

/// What the code of a line is made of.
#[derive(Clone, Copy)]
struct Body<'a> {
    number: u64,
    kind: Kind,
    text: &'a [u8],
}

impl Body<'_> {
    fn mac(&self, key: &AuditKey, previous: &Code) -> Hmac<Sha256> {
        let mut mac = key.mac();
        mac.update(previous);
        mac.update(&self.number.to_be_bytes());
        mac.update(&[self.kind.mark()]);
        mac.update(self.text);
        mac
    }

    fn code(&self, key: &AuditKey, previous: &Code) -> Code {
        self.mac(key, previous).finalize().into_bytes().into()
    }
}

/// A line as it was read.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: u64,
    pub(super) code: Code,
    pub(super) kind: Kind,
    pub(super) text: &'a [u8],
}

impl<'a> Line<'a> {
    /// Reads a line without its line break; `None` for what [`Link::append`] does not write.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let mut parts = line.splitn(4, |byte| *byte == b' ');
        let (number, code, mark, text) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let number = std::str::from_utf8(number).ok().filter(|digits| !digits.starts_with(['0', '+']))?;
        let kind = match mark {
            b"+" => Kind::Record,
            b"=" => Kind::Note,
            _ => return None,
        };
        Some(Self { number: number.parse().ok()?, code: from_hex(code)?, kind, text })
    }

    /// Whether it is what followed a line with the code `previous`.
    pub(super) fn follows(&self, key: &AuditKey, previous: &Code) -> bool {
        let Self { number, kind, text, .. } = *self;
        Body { number, kind, text }.mac(key, previous).verify_slice(&self.code).is_ok()
    }

    pub(super) fn link(&self) -> Link {
        Link { number: self.number, code: self.code }
    }
}

/// Puts `text` on one line: line breaks become `\n` and `\r`.
pub(super) fn on_one_line(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            other => out.push(*other),
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[expect(clippy::indexing_slicing, reason = "the chunks are pairs")]
pub(super) fn from_hex(text: &[u8]) -> Option<Code> {
    let mut code = NO_CODE;
    if text.len() != 2 * code.len() {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    for (byte, pair) in code.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(code)
}
