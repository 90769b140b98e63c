//! Which patterns a text can match at all: found out in one look at it, as most texts hold no secret.

use super::patterns::Trigger;

#[derive(Debug)]
pub(super) struct Triggers {
    /// By the number of the pattern.
    of_patterns: Vec<Trigger>,
    words: Vec<Word>,
    /// A bit for each hash of three bytes with which a word begins.
    beginnings: [u64; BEGINNINGS / 64],
    /// The patterns that are always tried, as bits.
    always: u64,
}

/// A text that triggers patterns.
#[derive(Debug)]
struct Word {
    text: &'static [u8],
    /// The patterns, as bits.
    patterns: u64,
}

/// So many patterns there can be: each has a bit.
pub(super) const MOST_PATTERNS: usize = 64;

/// So many hashes there are.
const BEGINNINGS: usize = 4096;

/// So long a run of characters of keys is looked at.
const RUN: usize = 32;

impl Triggers {
    /// For patterns with these triggers, at most [`MOST_PATTERNS`]. Words have three bytes or more.
    pub(super) fn new(triggers: Vec<Trigger>) -> Self {
        let mut words: Vec<Word> = Vec::new();
        let mut beginnings = [0; BEGINNINGS / 64];
        let mut always = 0;
        for (index, trigger) in triggers.iter().enumerate() {
            match trigger {
                Trigger::Words(own) => {
                    for word in *own {
                        let text = word.as_bytes();
                        let hash = hash(text.iter().take(3).fold(0, |last, &byte| shifted(last, byte)));
                        beginnings[hash / 64] |= 1 << (hash % 64);
                        words.push(Word { text, patterns: 1 << index });
                    }
                }
                Trigger::Always => always |= 1 << index,
                _ => {}
            }
        }
        Self { of_patterns: triggers, words, beginnings, always }
    }

    /// The numbers of the patterns that are to be tried on `text`, in order.
    pub(super) fn triggered(&self, text: &str) -> impl Iterator<Item = usize> + use<> {
        let look = self.look_at(text.as_bytes());
        let mut bits = self.always | look.patterns;
        for (index, trigger) in self.of_patterns.iter().enumerate() {
            let triggered = match *trigger {
                Trigger::Digits(least) => look.digits >= least,
                Trigger::At => look.ats > 0,
                Trigger::Colons(least) => look.colons >= least,
                Trigger::Run => look.has_run,
                Trigger::Words(_) | Trigger::Always => false,
            };
            bits |= u64::from(triggered) << index;
        }
        std::iter::from_fn(move || {
            let index = bits.trailing_zeros() as usize;
            bits &= bits.wrapping_sub(1);
            (index < MOST_PATTERNS).then_some(index)
        })
    }

    fn look_at(&self, bytes: &[u8]) -> Look {
        let mut look = Look { patterns: 0, digits: 0, ats: 0, colons: 0, has_run: has_run(bytes) };
        let mut last = 0;
        let mut begin = 0;
        for chunk in bytes.chunks(LONGEST_COUNT) {
            let mut counts = 0;
            for (index, &byte) in chunk.iter().enumerate() {
                counts += CLASSES[usize::from(byte)];
                last = shifted(last, byte);
                let hash = hash(last);
                if self.beginnings[hash / 64] >> (hash % 64) & 1 != 0 {
                    look.patterns |= self.words_at(bytes, (begin + index).saturating_sub(2));
                }
            }
            look.digits += (counts & 0xFFFF) as usize;
            look.ats += (counts >> 16 & 0xFFFF) as usize;
            look.colons += (counts >> 32) as usize;
            begin += chunk.len();
        }
        look
    }

    /// The patterns of the words that begin at `position`, as bits.
    #[cold]
    fn words_at(&self, bytes: &[u8], position: usize) -> u64 {
        let begins = |word: &&Word| {
            let found = bytes.get(position..position + word.text.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(word.text))
        };
        self.words.iter().filter(begins).fold(0, |patterns, word| patterns | word.patterns)
    }
}

/// The last three bytes, the case of letters aside.
fn shifted(last: u32, byte: u8) -> u32 {
    (last << 8 | u32::from(byte | 0x20)) & 0x00FF_FFFF
}

fn hash(last: u32) -> usize {
    (last.wrapping_mul(0x9E37_79B1) >> 20) as usize
}

/// What was found in a text.
struct Look {
    /// The patterns that its words trigger, as bits.
    patterns: u64,
    digits: usize,
    ats: usize,
    /// Colons and hyphens.
    colons: usize,
    has_run: bool,
}

/// So many bytes are counted before a counter of [`CLASSES`] could overflow.
const LONGEST_COUNT: usize = 4096;

/// For each byte what it adds to three counters in one number: digits, `@`, colons and hyphens.
static CLASSES: [u64; 256] = {
    let mut classes = [0; 256];
    let mut digit = b'0';
    while digit <= b'9' {
        classes[digit as usize] = 1;
        digit += 1;
    }
    classes[b'@' as usize] = 1 << 16;
    classes[b':' as usize] = 1 << 32;
    classes[b'-' as usize] = 1 << 32;
    classes
};

/// Whether [`RUN`] characters of keys follow one another: then one of them stands at a multiple of that.
fn has_run(bytes: &[u8]) -> bool {
    let of_key = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-');
    let mut looked_at = 0;
    (RUN - 1..bytes.len()).step_by(RUN).any(|position| {
        if position < looked_at {
            return false;
        }
        let before = bytes[..position].iter().rev().take(RUN).take_while(of_key).count();
        let after = bytes[position..].iter().take(RUN).take_while(of_key).count();
        looked_at = position + after;
        after > 0 && before + after >= RUN
    })
}

#[cfg(test)]
mod tests {
    use super::has_run;

    #[test]
    fn runs_are_found_wherever_they_begin() {
        for start in 0..70 {
            let text = format!("{}{}{}", " ".repeat(start), "a".repeat(32), " b".repeat(20));
            assert!(has_run(text.as_bytes()), "{start}");
            let text = format!("{}{}{}", " ".repeat(start), "a".repeat(31), " b".repeat(20));
            assert!(!has_run(text.as_bytes()), "{start}");
        }
    }
}
