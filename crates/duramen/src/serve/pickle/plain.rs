//! Texts, bytes and numbers as pickles hold them.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Done, PickleError};
use crate::Value;

/// Digits of a whole number are worked out up to so many bytes.
const INTEGER_BYTES: usize = 512;

/// Text as Python pickles it: UTF-8, in which halves of surrogate pairs may stand. Those are shown as `\ud800`.
#[expect(clippy::indexing_slicing, reason = "the place was found in it")]
pub(super) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len() + 8);
    let mut rest = bytes;
    while !rest.is_empty() {
        if let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, after @ ..] = rest {
            let unit = 0xd000 | (u32::from(*second & 0x3f) << 6) | u32::from(*third & 0x3f);
            // Writing to a text does not fail.
            let _ = write!(text, "\\u{unit:04x}");
            rest = after;
        } else {
            let until = rest.iter().skip(1).position(|byte| *byte == 0xed).map_or(rest.len(), |at| at + 1);
            text.push_str(&String::from_utf8_lossy(&rest[..until]));
            rest = &rest[until..];
        }
    }
    text.into()
}

pub(super) fn latin_1<'a>(text: &str) -> Option<Cow<'a, [u8]>> {
    text.chars()
        .map(|character| u8::try_from(u32::from(character)).ok())
        .collect::<Option<Vec<_>>>()
        .map(Cow::Owned)
}

/// As Python shows bytes.
pub(super) fn repr_of_bytes(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut text = format!("b{quote}");
    for byte in bytes {
        match byte {
            b'\t' => text.push_str("\\t"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' if char::from(*byte) == quote => text.extend(['\\', quote]),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => {
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text.push(quote);
    text
}

pub(super) fn from_digits<'a>(digits: &str) -> Done<Value<'a>> {
    if let Ok(number) = digits.parse() {
        return Ok(Value::Integer(number));
    }
    let figures = digits.strip_prefix('-').unwrap_or(digits);
    if figures.is_empty() || !figures.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PickleError::Malformed("a number has no digits"));
    }
    Ok(Value::BigInteger(digits.to_owned().into()))
}

/// A number of any length in two's complement.
#[expect(clippy::indexing_slicing, reason = "it has eight bytes at most, by the comparison")]
pub(super) fn from_little_endian<'a>(bytes: &[u8]) -> Done<Value<'a>> {
    if bytes.len() > INTEGER_BYTES {
        return Err(PickleError::TooLarge);
    }
    let is_negative = bytes.last().is_some_and(|last| *last >= 0x80);
    if bytes.len() <= 8 {
        let mut all = [if is_negative { 0xff } else { 0 }; 8];
        all[..bytes.len()].copy_from_slice(bytes);
        return Ok(Value::Integer(i64::from_le_bytes(all)));
    }
    let mut magnitude: Vec<u8> = bytes.to_vec();
    if is_negative {
        let mut carry = true;
        for byte in &mut magnitude {
            let (sum, overflows) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (sum, overflows);
        }
    }
    // Digits, the lowest first, as the number is multiplied together from its highest byte on.
    let mut digits = vec![0_u32];
    for byte in magnitude.iter().rev() {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            let product = *digit * 256 + carry;
            (*digit, carry) = (product % 10, product / 10);
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    let sign = if is_negative { "-" } else { "" };
    let figures: String = digits.iter().rev().filter_map(|digit| char::from_digit(*digit, 10)).collect();
    from_digits(&format!("{sign}{figures}"))
}
