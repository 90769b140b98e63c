//! Shapes of numbers and addresses: a text without one cannot match the pattern, and finding that out takes a
//! fraction of what the regular expression takes.

/// Whether a text may match a pattern.
pub(super) type Shape = fn(&[u8]) -> bool;

fn digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

fn hex_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_hexdigit)
}

/// `123-45-6789` stands in it.
#[expect(clippy::indexing_slicing, reason = "a window is as long as it is asked to be")]
pub(super) fn ssn(text: &[u8]) -> bool {
    let is_core = |core: &[u8]| {
        core[3] == b'-' && core[6] == b'-' && digits(&core[..3]) && digits(&core[4..6]) && digits(&core[7..])
    };
    text.windows(11).any(is_core)
}

/// `+1` or `123 4567` stands in it.
#[expect(clippy::indexing_slicing, reason = "a window is as long as it is asked to be")]
pub(super) fn phone(text: &[u8]) -> bool {
    let is_core =
        |core: &[u8]| matches!(core[3], b' ' | b'.' | b'-') && digits(&core[..3]) && digits(&core[4..]);
    text.windows(2).any(|two| two[0] == b'+' && two[1].is_ascii_digit()) || text.windows(8).any(is_core)
}

/// Six pairs of hexadecimal digits stand in it, with a character between them.
#[expect(clippy::indexing_slicing, reason = "a window is as long as it is asked to be")]
pub(super) fn mac(text: &[u8]) -> bool {
    let is_separator = |byte: u8| matches!(byte, b':' | b'-');
    let is_core = |core: &[u8]| {
        is_separator(core[2])
            && is_separator(core[5])
            && core
                .chunks(3)
                .all(|pair| hex_digits(&pair[..2]) && pair.get(2).is_none_or(|&byte| is_separator(byte)))
    };
    text.windows(17).any(is_core)
}

/// `::` stands in it, or six colons with nothing but hexadecimal digits between them.
pub(super) fn ipv6(text: &[u8]) -> bool {
    let mut colons = 0;
    let mut last = 0;
    text.iter().any(|&byte| {
        match byte {
            b':' => colons += 1,
            byte if byte.is_ascii_hexdigit() => {}
            _ => colons = 0,
        }
        let found = byte == b':' && (last == b':' || colons >= 6);
        last = byte;
        found
    })
}

/// Four numbers stand in it, with dots between them.
pub(super) fn ipv4(text: &[u8]) -> bool {
    let mut numbers = 0;
    let mut last = 0_u8;
    text.iter().any(|&byte| {
        match byte {
            b'0'..=b'9' | b'.' if last.is_ascii_digit() => {}
            b'0'..=b'9' if last == b'.' => numbers += 1,
            b'0'..=b'9' => numbers = 1,
            _ => numbers = 0,
        }
        last = byte;
        numbers >= 4
    })
}

/// 13 digits stand in it, with no more between two of them than a space or a hyphen.
pub(super) fn card(text: &[u8]) -> bool {
    let mut count = 0;
    let mut last = 0_u8;
    text.iter().any(|&byte| {
        match byte {
            b'0'..=b'9' => count += 1,
            b' ' | b'-' if last.is_ascii_digit() => {}
            _ => count = 0,
        }
        last = byte;
        count >= 13
    })
}

/// `AB12` stands in it.
#[expect(clippy::indexing_slicing, reason = "a window is as long as it is asked to be")]
pub(super) fn iban(text: &[u8]) -> bool {
    let is_core =
        |core: &[u8]| core[0].is_ascii_uppercase() && core[1].is_ascii_uppercase() && digits(&core[2..]);
    text.windows(4).any(is_core)
}
