//! CRC-32C, by the processor's own instruction where it has one: entries are short, and what a call of a general function
//! costs before it comes to that is more than the checksum.

/// The checksum of what has the checksum `begin`, and of the `words` behind it, each with its least significant byte first, and
/// of the `bytes` behind these.
#[inline]
pub(super) fn append<const N: usize>(begin: u32, words: &[u64; N], bytes: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if bytes.len() <= instruction::LONGEST
        && let Some(sum) = instruction::append(begin, words, bytes)
    {
        return sum;
    }
    append_in_general(begin, words, bytes)
}

/// The same on other processors, and of long texts.
#[cold]
fn append_in_general(begin: u32, words: &[u64], bytes: &[u8]) -> u32 {
    let sum = words.iter().fold(begin, |sum, word| crc32c::crc32c_append(sum, &word.to_le_bytes()));
    crc32c::crc32c_append(sum, bytes)
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "whether the processor has an instruction is known at run time")]
mod instruction {
    use std::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u32, _mm_crc32_u64};

    /// For longer ones the general function, which does three parts at a time, is faster.
    pub(super) const LONGEST: usize = 1024;

    /// `None` where the processor has no such instruction.
    #[inline]
    pub(super) fn append<const N: usize>(begin: u32, words: &[u64; N], bytes: &[u8]) -> Option<u32> {
        // SAFETY: the processor has what the function needs.
        is_x86_feature_detected!("sse4.2").then(|| unsafe { sum_of(begin, words, bytes) })
    }

    #[target_feature(enable = "sse4.2")]
    fn sum_of<const N: usize>(begin: u32, words: &[u64; N], bytes: &[u8]) -> u32 {
        let sum = words.iter().fold(u64::from(!begin), |sum, word| _mm_crc32_u64(sum, *word));
        let (chunks, rest) = bytes.as_chunks::<8>();
        let next = |sum, chunk: &[u8; 8]| _mm_crc32_u64(sum, u64::from_le_bytes(*chunk));
        let sum = lower_half(chunks.iter().fold(sum, next));
        let (halves, rest) = rest.as_chunks::<4>();
        let next = |sum, half: &[u8; 4]| _mm_crc32_u32(sum, u32::from_le_bytes(*half));
        let sum = halves.iter().fold(sum, next);
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
                assert_eq!(super::append(0x1234_5678, &[], part), crc32c::crc32c_append(0x1234_5678, part));
            }
        }
        let words = [0x0123_4567_89AB_CDEF_u64, 1];
        let as_bytes = words.map(u64::to_le_bytes);
        let expected = crc32c::crc32c_append(7, as_bytes.as_flattened());
        assert_eq!(super::append(7, &words, &[]), expected);
        assert_eq!(super::append(7, &words, b"paid"), crc32c::crc32c_append(expected, b"paid"));
        // The check value of the algorithm's catalogue, CRC-32/ISCSI.
        assert_eq!(super::append(0, &[], b"123456789"), 0xE306_9283);
    }
}
