//! CRC-32C, by the processor's own instruction where it has one: entries are short, and what a call of a general function
//! costs before it comes to that is more than the checksum.

/// The checksum of what has the checksum `begin` and of the `bytes` behind it.
#[inline]
pub(super) fn append(begin: u32, bytes: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if bytes.len() <= instruction::LONGEST
        && let Some(sum) = instruction::append(begin, bytes)
    {
        return sum;
    }
    crc32c::crc32c_append(begin, bytes)
}

/// The same of words, with the least significant byte of each first.
#[inline]
pub(super) fn append_words<const N: usize>(begin: u32, words: &[u64; N]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if let Some(sum) = instruction::append_words(begin, words) {
        return sum;
    }
    words.iter().fold(begin, |sum, word| crc32c::crc32c_append(sum, &word.to_le_bytes()))
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "whether the processor has an instruction is known at run time")]
mod instruction {
    use std::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u64};

    /// For longer ones the general function, which does three parts at a time, is faster.
    pub(super) const LONGEST: usize = 1024;

    /// `None` where the processor has no such instruction.
    #[inline]
    pub(super) fn append(begin: u32, bytes: &[u8]) -> Option<u32> {
        // SAFETY: the processor has what the function needs.
        is_x86_feature_detected!("sse4.2").then(|| unsafe { of_bytes(begin, bytes) })
    }

    /// The same of words.
    #[inline]
    pub(super) fn append_words(begin: u32, words: &[u64]) -> Option<u32> {
        // SAFETY: as above.
        is_x86_feature_detected!("sse4.2").then(|| unsafe { of_words(begin, words) })
    }

    #[target_feature(enable = "sse4.2")]
    fn of_words(begin: u32, words: &[u64]) -> u32 {
        let sum = words.iter().fold(u64::from(!begin), |sum, word| _mm_crc32_u64(sum, *word));
        !lower_half(sum)
    }

    #[target_feature(enable = "sse4.2")]
    fn of_bytes(begin: u32, bytes: &[u8]) -> u32 {
        let (words, rest) = bytes.as_chunks::<8>();
        let next = |sum, word: &[u8; 8]| _mm_crc32_u64(sum, u64::from_le_bytes(*word));
        let sum = lower_half(words.iter().fold(u64::from(!begin), next));
        !rest.iter().fold(sum, |sum, byte| _mm_crc32_u8(sum, *byte))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the instruction leaves the upper half zero")]
    fn lower_half(sum: u64) -> u32 {
        sum as u32
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_the_same_as_the_general_one() {
        let bytes: Vec<u8> = (0..3000_u32).map(|number| (number * 7 % 251) as u8).collect();
        for length in (0..200).chain([1023, 1024, 1025, 3000]) {
            for start in [0, 1, 3, 8].into_iter().filter(|start| *start <= length) {
                let part = &bytes[start..length];
                assert_eq!(super::append(0x1234_5678, part), crc32c::crc32c_append(0x1234_5678, part));
            }
        }
        let words = [0x0123_4567_89AB_CDEF_u64, 1];
        let as_bytes = words.map(u64::to_le_bytes);
        assert_eq!(super::append_words(7, &words), super::append(7, as_bytes.as_flattened()));
        // The check value of the algorithm's catalogue, CRC-32/ISCSI.
        assert_eq!(super::append(0, b"123456789"), 0xE306_9283);
    }
}
