//! Short texts into a buffer: most pieces of a line have fewer bytes than a call of `memcpy` takes instructions.

/// Appends `bytes` to `out`.
#[inline]
#[expect(unsafe_code, reason = "copies of two overlapping words in the place of a call")]
pub(crate) fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = bytes.len();
    out.reserve(length);
    let end = out.len();
    // SAFETY: there is room for `length` bytes behind the end.
    unsafe {
        let from = bytes.as_ptr();
        copy(from, out.as_mut_ptr().add(end), length);
        out.set_len(end + length);
    }
}

/// Copies `length` bytes.
///
/// # Safety
/// `from` may be read and `to` written for so many bytes, which do not overlap.
#[inline]
#[expect(unsafe_code, reason = "see `append`")]
unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: by the contract. Of a short text the first and the last word are copied, which cover it.
    unsafe {
        match length {
            0 => {}
            1 => to.write(*from),
            2..4 => copy_ends::<2>(from, to, length),
            4..8 => copy_ends::<4>(from, to, length),
            8..16 => copy_ends::<8>(from, to, length),
            16..=32 => copy_ends::<16>(from, to, length),
            _ => from.copy_to_nonoverlapping(to, length),
        }
    }
}

/// A text that is written again and again. Its first bytes stand apart, with zeros behind a shorter one, so that it is copied
/// as a word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Literal<T = &'static str> {
    text: T,
    first: [u8; SHORT],
}

/// So many bytes of a literal are copied as a word.
const SHORT: usize = 16;

impl Literal {
    pub(crate) const fn of(text: &'static str) -> Self {
        Self { text, first: first_bytes(text) }
    }
}

impl Literal<Box<str>> {
    pub(crate) fn owned(text: Box<str>) -> Self {
        Self { first: first_bytes(&text), text }
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "guarded by comparisons; while compiling it would be an error there"
)]
const fn first_bytes(text: &str) -> [u8; SHORT] {
    let mut first = [0; SHORT];
    let mut place = 0;
    while place < text.len() && place < first.len() {
        first[place] = text.as_bytes()[place];
        place += 1;
    }
    first
}

/// Appends short texts one after the other, and tells the buffer of it at the end: its place and its room are in registers
/// meanwhile.
pub(crate) struct Appender<'o, B: Buffer = String> {
    text: &'o mut B,
    /// The place behind what is written, and how many bytes may be written there.
    to: *mut u8,
    room: usize,
}

/// What texts are appended to.
pub(crate) trait Buffer {
    /// Its bytes, to which whole texts are appended.
    fn bytes(&mut self) -> &mut Vec<u8>;
}

impl Buffer for Vec<u8> {
    #[inline]
    fn bytes(&mut self) -> &mut Vec<u8> {
        self
    }
}

impl Buffer for String {
    #[inline]
    #[expect(unsafe_code, reason = "see `append`")]
    fn bytes(&mut self) -> &mut Vec<u8> {
        // SAFETY: what is appended in this module is UTF-8 as a whole.
        unsafe { self.as_mut_vec() }
    }
}

/// Appends what `write` does.
#[inline]
pub(crate) fn append_parts<B: Buffer, R>(text: &mut B, write: impl FnOnce(&mut Appender<'_, B>) -> R) -> R {
    let (to, room) = room_behind(text, 0);
    let mut appender = Appender { text, to, room };
    let result = write(&mut appender);
    appender.tell();
    result
}

/// The place behind the end of a text, and how many bytes, so many at least, may be written there.
#[inline]
#[expect(unsafe_code, reason = "see `append`")]
fn room_behind(text: &mut impl Buffer, least: usize) -> (*mut u8, usize) {
    let bytes = text.bytes();
    bytes.reserve(least);
    let room = bytes.capacity() - bytes.len();
    let end = bytes.len();
    // SAFETY: the end is within what is allocated. The pointer is that of the buffer, since the text's own reaches to its end
    // alone; what is written there is UTF-8 when the text is told of it.
    (unsafe { bytes.as_mut_ptr().add(end) }, room)
}

/// The end of the text is at `to` now.
#[inline]
#[expect(unsafe_code, reason = "see `append`")]
fn tell(text: &mut impl Buffer, to: *mut u8) {
    let bytes = text.bytes();
    let length = to.addr() - bytes.as_ptr().addr();
    // SAFETY: all before that place is written, by texts that are UTF-8 as a whole.
    unsafe { bytes.set_len(length) };
}

#[cold]
#[inline(never)]
fn grow(text: &mut impl Buffer, to: *mut u8, least: usize) -> (*mut u8, usize) {
    tell(text, to);
    room_behind(text, least)
}

impl<B: Buffer> Appender<'_, B> {
    fn tell(&mut self) {
        tell(self.text, self.to);
    }

    #[inline]
    fn make_room(&mut self, bytes: usize) {
        if self.room < bytes {
            (self.to, self.room) = grow(self.text, self.to, bytes);
        }
    }

    /// Writes the bytes of a word, of which the first `length`, a whole text, stay.
    #[inline(always)]
    #[expect(unsafe_code, clippy::inline_always, reason = "see `append` and `number`")]
    pub(crate) fn first_of<const WORD: usize>(&mut self, word: &[u8; WORD], length: usize) {
        self.make_room(WORD);
        let length = length.min(WORD);
        // SAFETY: there is room for the word, and the new place is within it or behind it.
        unsafe {
            self.to.cast::<[u8; WORD]>().write(*word);
            self.to = self.to.add(length);
        }
        self.room -= length;
    }

    /// Appends a text that is written again and again.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as for `number`")]
    pub(crate) fn literal(&mut self, literal: &Literal<impl AsRef<str>>) {
        let text = literal.text.as_ref();
        if text.len() <= SHORT {
            self.first_of(&literal.first, text.len());
        } else {
            self.text(text);
        }
    }

    /// Appends a text.
    #[inline(always)]
    #[expect(unsafe_code, clippy::inline_always, reason = "see `append` and `number`")]
    pub(crate) fn text(&mut self, more: &str) {
        let length = more.len();
        self.make_room(length);
        // SAFETY: there is room for `length` bytes.
        unsafe {
            copy(more.as_ptr(), self.to, length);
            self.to = self.to.add(length);
        }
        self.room -= length;
    }

    /// Appends the decimal digits of a number.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the place in the buffer stays in registers only without a call"
    )]
    pub(crate) fn number(&mut self, number: u64) {
        match u32::try_from(number) {
            Ok(number) if number < EIGHT_DIGITS => {
                let (digits, shown) = shown_digits(number);
                self.first_of(&digits.to_le_bytes(), shown);
            }
            _ => self.text(itoa::Buffer::new().format(number)),
        }
    }

    /// Appends the decimal digits of a number, behind a sign if it is below zero.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as for `number`")]
    pub(crate) fn integer(&mut self, number: i64) {
        if number < 0 {
            self.text("-");
        }
        self.number(number.unsigned_abs());
    }

    /// Appends what `write` does to the text itself.
    #[inline]
    pub(crate) fn by<R>(&mut self, write: impl FnOnce(&mut B) -> R) -> R {
        self.tell();
        let result = write(self.text);
        (self.to, self.room) = room_behind(self.text, 0);
        result
    }
}

/// The digits of a number that has eight at most, the first one lowest, and how many they are.
#[inline]
fn shown_digits(number: u32) -> (u64, usize) {
    let digits = eight_digits(number);
    // The last one stays, be it a zero.
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    ((digits | ZEROS) >> (8 * zeros), 8 - zeros as usize)
}

/// The least number that has more than eight digits.
pub(crate) const EIGHT_DIGITS: u32 = 100_000_000;
/// Eight times the character `0`.
pub(crate) const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The eight decimal digits of a number, as the values of the bytes of a word, the first digit lowest. All halves are divided at
/// once, by the product with a power of two over the divisor.
#[inline]
pub(crate) fn eight_digits(number: u32) -> u64 {
    let number = u64::from(number);
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let pairs = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000F_000F_000F_000F;
    tens | ((pairs - tens * 10) << 8)
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

    use super::{Literal, append, append_parts, find_percent};

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
    }

    #[test]
    fn literals_of_all_lengths_are_appended() {
        const LITERALS: [Literal; 5] = [
            Literal::of(""),
            Literal::of("é"),
            Literal::of("sixteen bytes ü"),
            Literal::of("seventeen bytes ü"),
            Literal::of("more than that, and more than that"),
        ];
        for literal in LITERALS {
            let mut text = String::from("before ");
            text.shrink_to_fit();
            append_parts(&mut text, |parts| parts.literal(&literal));
            text.push('!');
            assert_eq!(text, format!("before {}!", literal.text));
        }
    }

    #[test]
    fn parts_of_all_lengths_follow_one_another() {
        let (mut text, mut expected) = (String::new(), String::new());
        for length in 0..80 {
            let part = "é".repeat(length);
            let written = append_parts(&mut text, |parts| {
                parts.text(&part);
                parts.number(length as u64);
                parts.by(|text| text.push_str(" and "));
                parts.text(&part);
                length
            });
            assert_eq!(written, length);
            expected.extend([&*part, &length.to_string(), " and ", &part]);
        }
        assert_eq!(text, expected);
    }

    fn digits(number: u64) -> String {
        let mut text = String::new();
        append_parts(&mut text, |parts| parts.number(number));
        text
    }

    #[test]
    fn all_counts_of_digits_are_written() {
        let powers = std::iter::successors(Some(1_u64), |power| power.checked_mul(10));
        for number in powers.flat_map(|power| [power - 1, power, power + 1, power / 2]).chain([u64::MAX]) {
            assert_eq!(digits(number), number.to_string());
        }
        let step = if cfg!(miri) { 20_011 } else { 7 };
        (0..1_000_000).step_by(step).for_each(|number| assert_eq!(digits(number), number.to_string()));
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
