//! Short texts into a buffer: most pieces of a line have fewer bytes than a call of `memcpy` takes instructions.

/// Appends `bytes` to `out`.
#[inline]
#[expect(unsafe_code, reason = "copies of two overlapping words in the place of a call")]
pub(crate) fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = bytes.len();
    out.reserve(length);
    let end = out.len();
    // SAFETY: there is room for `length` bytes behind the end. Each copy reads from within `bytes` and writes to the
    // same place within that room: its first and its last word are as long as the whole at most, and cover it.
    unsafe {
        let from = bytes.as_ptr();
        let to = out.as_mut_ptr().add(end);
        match length {
            0 => {}
            1 => to.write(*from),
            2..4 => copy_ends::<2>(from, to, length),
            4..8 => copy_ends::<4>(from, to, length),
            8..16 => copy_ends::<8>(from, to, length),
            16..=32 => copy_ends::<16>(from, to, length),
            _ => from.copy_to_nonoverlapping(to, length),
        }
        out.set_len(end + length);
    }
}

/// Appends `more` to `text`.
#[inline]
#[expect(unsafe_code, reason = "see `append`")]
pub(crate) fn append_text(text: &mut String, more: &str) {
    // SAFETY: what is appended is UTF-8 as a whole, and so is what stands before it.
    append(unsafe { text.as_mut_vec() }, more.as_bytes());
}

/// Copies the first and the last `WORD` of `length` bytes.
///
/// # Safety
/// `from` may be read and `to` written for `length` bytes, which are `WORD` at least and twice that at most.
#[inline]
#[expect(unsafe_code, reason = "see `append`")]
unsafe fn copy_ends<const WORD: usize>(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: by the contract; arrays of bytes may lie anywhere.
    unsafe {
        let first = from.cast::<[u8; WORD]>().read();
        let last = from.add(length - WORD).cast::<[u8; WORD]>().read();
        to.cast::<[u8; WORD]>().write(first);
        to.add(length - WORD).cast::<[u8; WORD]>().write(last);
    }
}

/// The place of the first per cent sign.
#[inline]
#[expect(clippy::indexing_slicing, reason = "the place is within: the loop ends before its last word does")]
pub(crate) fn find_percent(bytes: &[u8]) -> Option<usize> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut place = 0;
    // A byte of the word becomes zero where there is a sign; the lowest one that does is told exactly.
    while let Some(word) = bytes.get(place..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word) ^ (EACH * u64::from(b'%'));
        let zeros = word.wrapping_sub(EACH) & !word & (EACH << 7);
        if zeros != 0 {
            return Some(place + (zeros.trailing_zeros() / 8) as usize);
        }
        place += 8;
    }
    bytes[place..].iter().position(|byte| *byte == b'%').map(|rest| place + rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{append, append_text, find_percent};

    #[test]
    fn texts_of_all_lengths_are_appended() {
        let text: Vec<u8> = (0..=255).collect();
        for length in 0..=80 {
            let mut out = b"before".to_vec();
            out.shrink_to_fit();
            append(&mut out, &text[..length]);
            append(&mut out, b"!");
            assert_eq!(out, [b"before", &text[..length], b"!"].concat());
        }
        let mut text = String::from("é");
        append_text(&mut text, "ü and more");
        assert_eq!(text, "éü and more");
    }

    proptest! {
        #[test]
        fn the_first_sign_is_found(bytes in proptest::collection::vec(0x24_u8..0x27, 0..40)) {
            prop_assert_eq!(find_percent(&bytes), bytes.iter().position(|byte| *byte == b'%'));
        }

        #[test]
        fn other_bytes_do_not_look_like_it(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(find_percent(&bytes), bytes.iter().position(|byte| *byte == b'%'));
        }
    }
}
