//! What stands where a secret stood.

use std::fmt::Write as _;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// What stands where a secret stood.
///
/// ```
/// use duramen::redact::{MASK, Mode, Redactor};
///
/// assert_eq!((Mode::by_name("mask"), MASK), (Some(Mode::Mask), "***"));
/// let redactor = Redactor::builder().key("card").mode(Mode::Partial).build().unwrap();
/// assert_eq!(redactor.secret("4111 1111 1111 1111").unwrap(), "***1111");
/// let redactor = Redactor::builder().key("card").mode(Mode::Drop).build().unwrap();
/// assert_eq!(redactor.secret("4111 1111 1111 1111"), None); // the field is left out
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `***`.
    #[default]
    Mask,
    /// `***` and the last four characters; `***` alone for what has fewer than twelve.
    Partial,
    /// A token made with a secret key: the same text gives the same token, and nobody without the key can
    /// find out by trying which text it was.
    Pseudonym,
    /// The name of the rule in brackets, as `[email]`.
    TypeName,
    /// Nothing: a field is left out; in text nothing stands in its place.
    Drop,
}

impl Mode {
    /// The mode called `name` in configurations: `mask`, `partial`, `pseudonym`, `type`, `drop`.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "mask" => Self::Mask,
            "partial" => Self::Partial,
            "pseudonym" => Self::Pseudonym,
            "type" => Self::TypeName,
            "drop" => Self::Drop,
            _ => return None,
        })
    }
}

/// What stands for a masked text.
///
/// ```
/// use duramen::redact::{MASK, Redactor};
///
/// assert_eq!(Redactor::builder().key("pin").build().unwrap().secret("1234").as_deref(), Some(MASK));
/// ```
pub const MASK: &str = "***";

/// So many characters a text has at least before four of them are shown.
const SHOWN_FROM: usize = 12;

/// A pseudonym begins so, and has so many bytes of the hash.
const PSEUDONYM: &str = "pseudonym:";
const PSEUDONYM_BYTES: usize = 8;

/// The secret key of pseudonyms. It is never shown.
#[derive(Clone)]
pub(super) struct Key(Hmac<Sha256>);

impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Key(…)")
    }
}

impl Key {
    /// `None` for a key that is too short to be a secret: fewer than 16 bytes.
    pub(super) fn new(secret: &[u8]) -> Option<Self> {
        let key = Hmac::new_from_slice(secret).ok()?;
        (secret.len() >= 16).then_some(Self(key))
    }

    /// The first 64 bits of the keyed hash, in hexadecimal digits.
    #[expect(clippy::indexing_slicing, reason = "a hash is longer")]
    fn pseudonym(&self, secret: &str, out: &mut String) {
        let mut hash = self.0.clone();
        hash.update(secret.as_bytes());
        out.push_str(PSEUDONYM);
        for byte in &hash.finalize().into_bytes()[..PSEUDONYM_BYTES] {
            let _ = write!(out, "{byte:02x}");
        }
    }
}

/// Whether `text` is what the mode has put in the place of a secret: a record may pass two handlers that mask, of
/// which the second one must not make another token of the first one's.
fn is_replacement(mode: Mode, text: &str) -> bool {
    match mode {
        Mode::Pseudonym => text.strip_prefix(PSEUDONYM).is_some_and(|digits| {
            digits.len() == 2 * PSEUDONYM_BYTES && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        }),
        Mode::Partial => text.strip_prefix(MASK).is_some_and(|last| last.chars().count() <= 4),
        _ => false,
    }
}

/// Appends what stands for `secret`, which the rule `name` has found.
#[expect(clippy::string_slice, reason = "the place was found in it, between characters")]
pub(super) fn replace(mode: Mode, key: Option<&Key>, name: &str, secret: &str, out: &mut String) {
    match (mode, key) {
        _ if is_replacement(mode, secret) => out.push_str(secret),
        (Mode::Drop, _) => {}
        (Mode::TypeName, _) => {
            out.push('[');
            out.push_str(name);
            out.push(']');
        }
        (Mode::Pseudonym, Some(key)) => key.pseudonym(secret, out),
        (Mode::Partial, _) if secret.chars().count() >= SHOWN_FROM => {
            out.push_str(MASK);
            let last = secret.char_indices().rev().nth(3).map_or(0, |(position, _)| position);
            out.push_str(&secret[last..]);
        }
        _ => out.push_str(MASK),
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Mode, replace};

    fn replaced(mode: Mode, secret: &str) -> String {
        let mut out = String::new();
        replace(mode, Key::new(b"a key of sixteen bytes").as_ref(), "card", secret, &mut out);
        out
    }

    #[test]
    fn each_mode_shows_what_it_says() {
        assert_eq!(replaced(Mode::Mask, "4111111111111111"), "***");
        assert_eq!(replaced(Mode::Partial, "4111111111111234"), "***1234");
        assert_eq!(replaced(Mode::Partial, "pässwörter€ä"), "***er€ä");
        assert_eq!(replaced(Mode::Partial, "short"), "***");
        assert_eq!(replaced(Mode::TypeName, "x"), "[card]");
        assert_eq!(replaced(Mode::Drop, "x"), "");
    }

    #[test]
    fn a_pseudonym_is_the_same_for_the_same_text_and_key_alone() {
        assert_eq!(replaced(Mode::Pseudonym, "a@b.c"), replaced(Mode::Pseudonym, "a@b.c"));
        assert_ne!(replaced(Mode::Pseudonym, "a@b.c"), replaced(Mode::Pseudonym, "a@b.d"));
        let mut other = String::new();
        replace(Mode::Pseudonym, Key::new(b"another key of 16 bytes").as_ref(), "card", "a@b.c", &mut other);
        assert_ne!(other, replaced(Mode::Pseudonym, "a@b.c"));
        assert!(Key::new(b"short").is_none());
    }
}
