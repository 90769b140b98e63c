//! Text as a JSON string, quotes included.
//!
//! Escaped are the quote, the backslash, every control character (U+0000 to U+001F, U+007F to U+009F) and
//! the line separators U+2028 and U+2029: no reader that knows any of Unicode's ends of line finds one, and
//! a terminal that shows the line is not driven by it. All else stands as UTF-8, or with `ascii` as
//! `\uXXXX`.

use crate::append::append;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` in quotes.
pub(super) fn write_text(text: &str, ascii: bool, out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    write_inner(text, ascii, out);
    out.push(b'"');
}

/// Appends `bytes` in quotes: UTF-8 in which surrogates may stand alone, three bytes each, as `\ud800` to
/// `\udfff`. Bytes of no such form are shown as U+FFFD.
#[expect(clippy::indexing_slicing, reason = "a window of three bytes was found there")]
pub(super) fn write_with_surrogates(bytes: &[u8], ascii: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = bytes;
    while let Some(position) = rest.windows(3).position(is_surrogate) {
        write_inner(&String::from_utf8_lossy(&rest[..position]), ascii, out);
        let (second, third) = (u16::from(rest[position + 1]), u16::from(rest[position + 2]));
        write_unit(0xD000 | (second & 0x3F) << 6 | third & 0x3F, out);
        rest = &rest[position + 3..];
    }
    write_inner(&String::from_utf8_lossy(rest), ascii, out);
    out.push(b'"');
}

/// Appends what is JSON already; with `ascii` what its texts hold beyond that is escaped.
pub(super) fn write_json(json: &str, ascii: bool, out: &mut Vec<u8>) {
    if !ascii {
        return append(out, json.as_bytes());
    }
    for character in json.chars() {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => out.push(byte),
            _ => character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| write_unit(*unit, out)),
        }
    }
}

fn is_surrogate(bytes: &[u8]) -> bool {
    matches!(bytes, [0xED, 0xA0..=0xBF, 0x80..=0xBF])
}

/// Appends `text` without quotes.
#[inline]
pub(super) fn write_inner(text: &str, ascii: bool, out: &mut Vec<u8>) {
    if are_plain(text.as_bytes()) {
        append(out, text.as_bytes());
    } else {
        write_escaped(text, ascii, out);
    }
}

#[inline(never)]
#[expect(clippy::indexing_slicing, reason = "both places are before bytes of the text, or its end")]
fn write_escaped(text: &str, ascii: bool, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut written = 0;
    let mut position = 0;
    loop {
        position = next_suspect(bytes, position, ascii);
        let Some(&byte) = bytes.get(position) else { break };
        // A suspect stands at the first byte of a character: all others are plain.
        let character = char_at(text, position);
        let end = position + character.len_utf8();
        if !character.is_ascii() && !ascii && !is_control_or_separator(character) {
            position = end;
            continue;
        }
        append(out, &bytes[written..position]);
        write_escape(byte, character, out);
        position = end;
        written = end;
    }
    append(out, &bytes[written..]);
}

#[expect(clippy::string_slice, reason = "a character begins there")]
fn char_at(text: &str, position: usize) -> char {
    text[position..].chars().next().unwrap_or_default()
}

fn is_control_or_separator(character: char) -> bool {
    matches!(character, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}')
}

fn write_escape(byte: u8, character: char, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write_unit(*unit, out);
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// A UTF-16 code unit as `\uXXXX`.
#[expect(clippy::indexing_slicing, reason = "four bits are below 16")]
fn write_unit(unit: u16, out: &mut Vec<u8>) {
    let digit = |shift: u32| HEX[usize::from(unit >> shift & 0xF)];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

/// So many bytes are looked at together; the compiler makes vector instructions of it.
const STRIDE: usize = 16;

/// The position of the next byte from `start` on that may have to be escaped, or the length.
#[expect(clippy::indexing_slicing, reason = "the place is a byte of the text or its end")]
fn next_suspect(bytes: &[u8], start: usize, ascii: bool) -> usize {
    let mut position = start;
    while let Some(stride) = bytes.get(position..position + STRIDE) {
        if stride.iter().fold(false, |found, &byte| found | is_suspect(byte, ascii)) {
            break;
        }
        position += STRIDE;
    }
    // Most texts are short: a word tells fast that nothing in it is suspect, one byte after the other what is.
    while let Some(word) = bytes.get(position..).and_then(|rest| rest.first_chunk::<WORD>()) {
        if !is_plain(u64::from_le_bytes(*word)) {
            break;
        }
        position += WORD;
    }
    let rest = &bytes[position..];
    if rest.len() < WORD && last_word(bytes).is_some_and(is_plain) {
        return bytes.len();
    }
    rest.iter().position(|&byte| is_suspect(byte, ascii)).map_or(bytes.len(), |found| position + found)
}

const WORD: usize = size_of::<u64>();

/// Whether all bytes are visible ASCII other than quotes and backslashes, as in most texts.
#[inline]
fn are_plain(bytes: &[u8]) -> bool {
    let (words, _) = bytes.as_chunks::<WORD>();
    let all = words.iter().fold(0, |found, word| found | suspects(u64::from_le_bytes(*word)));
    // Where the length is no multiple of a word, the last bytes are looked at again.
    let last = last_word(bytes).map_or(0, suspects);
    (all | last) & HIGHEST == 0
}

/// The last bytes as a word: of fewer than eight some stand in it more than once.
#[expect(clippy::indexing_slicing, reason = "a half is less than the whole, which is not empty")]
fn last_word(bytes: &[u8]) -> Option<u64> {
    if let Some(word) = bytes.last_chunk::<WORD>() {
        return Some(u64::from_le_bytes(*word));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return Some(u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32);
    }
    let (first, last) = (*bytes.first()?, *bytes.last()?);
    let middle = bytes[bytes.len() / 2];
    Some(u64::from_le_bytes([first, middle, last, first, middle, last, first, last]))
}

/// Whether no byte of the word is suspect: all of them are visible ASCII other than quotes and backslashes.
#[inline]
fn is_plain(word: u64) -> bool {
    suspects(word) & HIGHEST == 0
}

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGHEST: u64 = EACH << 7;

/// A word in which the highest bit of no byte is set when no byte of `word` is suspect. One is set, be it that of another
/// byte, when one is: beyond ASCII by itself, and otherwise since a subtraction from less, or an addition to 0x7F, sets it.
#[inline]
fn suspects(word: u64) -> u64 {
    let less_than = |word: u64, byte: u8| word.wrapping_sub(EACH * u64::from(byte));
    let equal = |byte: u8| less_than(word ^ (EACH * u64::from(byte)), 1);
    word | less_than(word, 0x20) | equal(b'"') | equal(b'\\') | word.wrapping_add(EACH)
}

/// Of the lead bytes 0xC2 begins U+0080 to U+00BF and 0xE2 among others the line separators.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch, which no vector has")]
#[expect(clippy::inline_always, reason = "the loop around it becomes vector instructions only then")]
#[inline(always)]
fn is_suspect(byte: u8, ascii: bool) -> bool {
    (byte < 0x20)
        | (byte == b'"')
        | (byte == b'\\')
        | (byte == 0x7F)
        | (byte == 0xC2)
        | (byte == 0xE2)
        | (ascii & (byte >= 0xC0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{write_text, write_with_surrogates};

    fn json(text: &str, ascii: bool) -> String {
        let mut out = Vec::new();
        write_text(text, ascii, &mut out);
        String::from_utf8(out).expect("UTF-8 in, UTF-8 out")
    }

    #[test]
    fn what_ends_a_line_or_drives_a_terminal_is_escaped() {
        assert_eq!(
            json("a\"b\\c\n\r\t\u{8}\u{c}\u{1b}[0m\u{7f}\u{85}\u{9b}\u{2028}\u{2029}", false),
            r#""a\"b\\c\n\r\t\b\f\u001b[0m\u007f\u0085\u009b\u2028\u2029""#
        );
        assert_eq!(
            json("° é “ 😀 long enough for the stride", false),
            "\"° é “ 😀 long enough for the stride\""
        );
        assert_eq!(json("é😀", true), r#""\u00e9\ud83d\ude00""#);
    }

    #[test]
    fn lone_surrogates_keep_their_number() {
        let mut out = Vec::new();
        write_with_surrogates(b"a\xed\xb2\x80b\xed\xa0\x80", false, &mut out);
        assert_eq!(String::from_utf8(out).expect("UTF-8"), r#""a\udc80b\ud800""#);
    }

    proptest! {
        #[test]
        fn a_reader_gets_the_same_text_back(text in any::<String>(), ascii: bool) {
            let json = json(&text, ascii);
            prop_assert_eq!(&serde_json::from_str::<String>(&json).expect("valid JSON"), &text);
            prop_assert!(!json.contains(|character: char| character.is_control()));
            prop_assert!(!ascii || json.is_ascii());
        }

        #[test]
        fn text_of_suspects_comes_back_too(text in "[\u{0}-\u{a0}\u{2020}-\u{2030}\"\\\\]{0,80}", ascii: bool) {
            prop_assert_eq!(serde_json::from_str::<String>(&json(&text, ascii)).expect("valid JSON"), text);
        }

        #[test]
        fn any_bytes_become_a_line_of_ascii(bytes in any::<Vec<u8>>()) {
            let mut out = Vec::new();
            write_with_surrogates(&bytes, true, &mut out);
            prop_assert!(out.iter().all(|byte| (0x20..0x7f).contains(byte)));
        }
    }
}
