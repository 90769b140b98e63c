//! Which patterns a text can match at all: found out in one look at it, as most texts hold no secret.

use std::collections::BTreeMap;

use aho_corasick::packed::Searcher;
use aho_corasick::{AhoCorasick, Input, Match, Span};

use super::patterns::Trigger;
use super::shapes::Shape;

#[derive(Debug)]
pub(super) struct Triggers {
    beginnings: Option<Beginnings>,
    /// The patterns that are always tried, and those that an `@` or a run triggers, as bits.
    always: u64,
    at: u64,
    run: u64,
    /// The patterns that so many digits, or colons and hyphens, and a shape trigger.
    digits: Vec<Counted>,
    colons: Vec<Counted>,
}

/// What triggers a pattern where so many characters of a kind stand.
#[derive(Debug)]
struct Counted {
    least: usize,
    shape: Shape,
    /// The pattern, as a bit.
    pattern: u64,
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

/// So long a run of characters of keys is looked at.
const RUN: usize = 32;

/// So many bytes of a word are looked for at once.
const BEGINNING: usize = 4;

impl Triggers {
    /// For patterns with these triggers, at most [`MOST_PATTERNS`]. Words are in lower case.
    pub(super) fn new(triggers: &[Trigger]) -> Self {
        let mut made =
            Self { beginnings: None, always: 0, at: 0, run: 0, digits: Vec::new(), colons: Vec::new() };
        let mut words = Vec::new();
        for (index, trigger) in triggers.iter().enumerate() {
            let patterns = 1 << index;
            match *trigger {
                Trigger::Words(own) => {
                    words.extend(own.iter().map(|word| Word { text: word.as_bytes(), patterns }));
                }
                Trigger::Always => made.always |= patterns,
                Trigger::At => made.at |= patterns,
                Trigger::Run => made.run |= patterns,
                Trigger::Digits(least, shape) => {
                    made.digits.push(Counted { least, shape, pattern: patterns });
                }
                Trigger::Colons(least, shape) => {
                    made.colons.push(Counted { least, shape, pattern: patterns });
                }
            }
        }
        made.beginnings = Beginnings::of(words);
        made
    }

    /// The numbers of the patterns that are to be tried on `text`, in order.
    pub(super) fn triggered(&self, text: &str) -> impl Iterator<Item = usize> + use<> {
        let bytes = text.as_bytes();
        let mut bits = self.always | self.beginnings.as_ref().map_or(0, |words| words.triggered(bytes));
        if self.run & !bits != 0 && has_run(bytes) {
            bits |= self.run;
        }
        let counts = Counts::of(bytes);
        if counts.ats > 0 {
            bits |= self.at;
        }
        let reached = |patterns: &[Counted], count| {
            let reached = patterns.iter().filter(|counted| counted.least <= count && (counted.shape)(bytes));
            reached.fold(0, |bits, counted| bits | counted.pattern)
        };
        bits |= reached(&self.digits, counts.digits) | reached(&self.colons, counts.colons);
        std::iter::from_fn(move || {
            let index = bits.trailing_zeros() as usize;
            bits &= bits.wrapping_sub(1);
            (index < MOST_PATTERNS).then_some(index)
        })
    }
}

/// Where words may begin: their first bytes are looked for, all of them at once.
#[derive(Debug)]
struct Beginnings {
    search: Search,
    /// The words with each beginning.
    words: Vec<Vec<Word>>,
}

#[derive(Debug)]
enum Search {
    /// With the vector instructions of the processor.
    Packed(Searcher),
    /// Where it has none that will do.
    Automaton(AhoCorasick),
}

/// So much of a text is put into lower case at once.
const PIECE: usize = 512;

impl Beginnings {
    #[expect(clippy::indexing_slicing, reason = "no longer than the whole; the words are ASCII")]
    fn of(words: Vec<Word>) -> Option<Self> {
        let mut by_beginning: BTreeMap<_, Vec<Word>> = BTreeMap::new();
        for word in words {
            let beginning = &word.text[..word.text.len().min(BEGINNING)];
            by_beginning.entry(beginning).or_default().push(word);
        }
        if by_beginning.is_empty() {
            return None;
        }
        let automaton = || AhoCorasick::new(by_beginning.keys()).ok().map(Search::Automaton);
        let search = Searcher::new(by_beginning.keys()).map(Search::Packed).or_else(automaton)?;
        Some(Self { search, words: by_beginning.into_values().collect() })
    }

    /// The patterns that the words in the text trigger, as bits.
    #[expect(
        clippy::indexing_slicing,
        reason = "pieces begin and end within, and the search finds places and patterns of its own"
    )]
    fn triggered(&self, bytes: &[u8]) -> u64 {
        let mut patterns = 0;
        let mut lower = [0; PIECE];
        let mut begin = 0;
        loop {
            let piece = &bytes[begin..bytes.len().min(begin + PIECE)];
            let lower = &mut lower[..piece.len()];
            lower.copy_from_slice(piece);
            lower.make_ascii_lowercase();
            let mut from = 0;
            while let Some(found) = self.search.find(lower, from) {
                let rest = &bytes[begin + found.start()..];
                for word in &self.words[found.pattern().as_usize()] {
                    if rest.get(..word.text.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.text))
                    {
                        patterns |= word.patterns;
                    }
                }
                from = found.start() + 1;
            }
            if begin + piece.len() == bytes.len() {
                return patterns;
            }
            // A word may lie across the end of this piece.
            begin += PIECE + 1 - BEGINNING;
        }
    }
}

impl Search {
    fn find(&self, text: &[u8], from: usize) -> Option<Match> {
        match self {
            Self::Packed(packed) => packed.find_in(text, Span { start: from, end: text.len() }),
            Self::Automaton(automaton) => automaton.find(Input::new(text).range(from..)),
        }
    }
}

/// How often characters stand in a text.
struct Counts {
    digits: usize,
    ats: usize,
    /// Colons and hyphens.
    colons: usize,
}

impl Counts {
    fn of(bytes: &[u8]) -> Self {
        let mut counts = Self { digits: 0, ats: 0, colons: 0 };
        // Short enough for counters of one byte, of which the processor adds many at once.
        for piece in bytes.chunks(usize::from(u8::MAX)) {
            let count = |wanted: fn(u8) -> bool| {
                usize::from(piece.iter().fold(0_u8, |count, &byte| count + u8::from(wanted(byte))))
            };
            counts.digits += count(|byte| byte.is_ascii_digit());
            counts.ats += count(|byte| byte == b'@');
            counts.colons += count(|byte| byte == b':' || byte == b'-');
        }
        counts
    }
}

/// Whether [`RUN`] characters of keys follow one another: then one of them stands at a multiple of that.
#[expect(clippy::indexing_slicing, reason = "the place was found in it")]
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
    use super::{PIECE, Trigger, Triggers, has_run};

    #[test]
    fn runs_are_found_wherever_they_begin() {
        for start in 0..70 {
            let text = format!("{}{}{}", " ".repeat(start), "a".repeat(32), " b".repeat(20));
            assert!(has_run(text.as_bytes()), "{start}");
            let text = format!("{}{}{}", " ".repeat(start), "a".repeat(31), " b".repeat(20));
            assert!(!has_run(text.as_bytes()), "{start}");
        }
    }

    #[test]
    fn words_and_characters_are_found_wherever_they_stand() {
        let triggers = Triggers::new(&[
            Trigger::Words(&["token", "token=", "xox"]),
            Trigger::Words(&["token="]),
            Trigger::Digits(3, |_| true),
            Trigger::At,
            Trigger::Colons(2, |text| text.contains(&b':')),
            Trigger::Always,
        ]);
        let found = |text: &str| triggers.triggered(text).collect::<Vec<_>>();
        assert_eq!(found(""), [5]);
        assert_eq!(found(&"the tok en 12 : ".repeat(100)[..90]), [2, 4, 5]);
        for start in (0..40).chain(PIECE - 10..PIECE + 10).chain(2 * PIECE - 20..2 * PIECE) {
            for end in [0, 40] {
                let text = |middle| format!("{}{middle}{}", " ".repeat(start), " ".repeat(end));
                assert_eq!(found(&text("ToKeN=")), [0, 1, 5], "{start}");
                assert_eq!(found(&text("token")), [0, 5], "{start}");
                assert_eq!(found(&text("tokexox")), [0, 5], "{start}");
                assert_eq!(found(&text("12@3:-")), [2, 3, 4, 5], "{start}");
                assert_eq!(found(&text("1@:2")), [3, 5], "{start}");
            }
        }
    }

    #[test]
    fn counts_do_not_overflow() {
        let triggers = Triggers::new(&[Trigger::Digits(1000, |_| true), Trigger::Digits(1001, |_| true)]);
        assert_eq!(triggers.triggered(&"7".repeat(1000)).collect::<Vec<_>>(), [0]);
    }
}
