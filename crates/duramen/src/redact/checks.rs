//! What a pattern cannot say: check digits, ranges, randomness.

/// The check that a match has to pass.
pub(super) type Check = fn(&str) -> bool;

pub(super) fn always(_: &str) -> bool {
    true
}

fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> + Clone {
    text.chars().filter_map(|character| character.to_digit(10))
}

/// 13 to 19 digits that begin as those of payment cards do, with their check digit (Luhn), not all the same.
pub(super) fn is_card(text: &str) -> bool {
    let count = digits(text).count();
    let sum: u32 = digits(text)
        .rev()
        .enumerate()
        .map(|(index, digit)| match index % 2 {
            0 => digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    let first = digits(text).next();
    first.is_some_and(|first| (2..=6).contains(&first))
        && (13..=19).contains(&count)
        && sum.is_multiple_of(10)
        && digits(text).any(|digit| Some(digit) != first)
}

/// An account number whose check digits hold (ISO 7064, modulo 97).
#[expect(clippy::indexing_slicing, reason = "it has 15 bytes at least")]
pub(super) fn is_iban(text: &str) -> bool {
    let plain: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    if !(15..=34).contains(&plain.len()) {
        return false;
    }
    let rotated = plain[4..].iter().chain(&plain[..4]);
    let remainder = rotated.fold(0_u32, |remainder, &byte| match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        _ => (remainder * 100 + u32::from(byte.to_ascii_uppercase() - b'A') + 10) % 97,
    });
    remainder == 1
}

/// A social security number of the United States that can have been given out.
pub(super) fn is_ssn(text: &str) -> bool {
    let mut parts = text.split('-');
    let (area, group, serial) = (parts.next(), parts.next(), parts.next());
    !matches!(area, None | Some("000" | "666"))
        && area.is_some_and(|area| !area.starts_with('9'))
        && group != Some("00")
        && serial != Some("0000")
}

/// An address of IP version 6; a zone may follow it.
pub(super) fn is_ipv6(text: &str) -> bool {
    let address = text.split('%').next().unwrap_or(text);
    address.bytes().any(|byte| byte.is_ascii_hexdigit()) && address.parse::<std::net::Ipv6Addr>().is_ok()
}

/// Not words with hyphens between them.
pub(super) fn is_key(text: &str) -> bool {
    text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Not a word as people write it: what follows `Basic` or `token` may be one.
pub(super) fn is_token(text: &str) -> bool {
    let uppercase_inside = text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    uppercase_inside || text.bytes().any(|byte| byte.is_ascii_digit() || b"=_-+/".contains(&byte))
}

/// Letters of both cases and digits, as evenly spread as keys made by chance are.
#[expect(clippy::indexing_slicing, reason = "one for each byte")]
pub(super) fn is_random(text: &str) -> bool {
    let mut counts = [0_u16; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] = counts[usize::from(byte)].saturating_add(1);
    }
    let has =
        |range: std::ops::RangeInclusive<u8>| range.into_iter().any(|byte| counts[usize::from(byte)] > 0);
    if !(has(b'a'..=b'z') && has(b'A'..=b'Z') && has(b'0'..=b'9')) {
        return false;
    }
    let length: f64 = counts.iter().map(|&count| f64::from(count)).sum();
    let bits: f64 = counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| f64::from(count) / length)
        .map(|share| -share * share.log2())
        .sum();
    bits >= LEAST_BITS
}

/// Bits in each character: words run together have fewer, and 32 characters made by chance have more.
const LEAST_BITS: f64 = 4.0;
