//! Pairs as `key=value`, the syntax of logfmt: a value that is one word stands as it is, all else in quotes,
//! with the escapes of JSON.

use super::escape;
use crate::formatter::console::{DIM, RESET};

/// A space before all pairs but the first, the key, and the sign of equality. What would end the key or let
/// it look like another is replaced by `_`.
pub(super) fn write_key(parts: &[&str], painted: bool, out: &mut Vec<u8>) {
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.push(b' ');
    }
    out.extend_from_slice(if painted { DIM.as_bytes() } else { b"" });
    for character in parts.iter().flat_map(|part| part.chars()) {
        let taken = matches!(character, ' ' | '=' | '"' | '\\')
            || character.is_control()
            || character.is_whitespace();
        out.extend_from_slice(if taken { '_' } else { character }.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.extend_from_slice(if painted { RESET.as_bytes() } else { b"" });
    out.push(b'=');
}

/// Makes the JSON value from `start` on the value of a pair.
#[expect(clippy::indexing_slicing, reason = "a text in JSON has two quotes")]
pub(super) fn finish_value(out: &mut Vec<u8>, start: usize) {
    match out.get(start) {
        Some(b'"') => {
            let inner = &out[start + 1..out.len() - 1];
            if !inner.is_empty() && !inner.iter().any(|byte| matches!(byte, b' ' | b'=' | b'"' | b'\\')) {
                out.pop();
                out.remove(start);
            }
        }
        Some(b'[' | b'{') => {
            let json = out.split_off(start);
            escape::write_text(&String::from_utf8_lossy(&json), false, out);
        }
        _ => {}
    }
}
