//! What filters against floods have in common: a decision for each key, and a count of what it has held back.

use std::collections::HashMap;

/// Whether a record goes on.
///
/// ```
/// use duramen::filter::{Decision, RateLimitFilter};
///
/// let filter = RateLimitFilter::new(1.0, 1.0).unwrap();
/// match filter.decide("payments") {
///     Decision::Pass { suppressed: 0 } => println!("a record"),
///     Decision::Pass { suppressed } => println!("a record [{suppressed} more suppressed]"),
///     Decision::Suppress => {}
/// }
/// assert!(!filter.decide("payments").passes());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It does. So many like it have been held back since the last one that went on: whoever lets this one
    /// through says so.
    Pass {
        /// How many were held back.
        suppressed: u64,
    },
    /// It does not; it has been counted.
    Suppress,
}

impl Decision {
    /// Whether the record goes on.
    pub fn passes(self) -> bool {
        matches!(self, Self::Pass { .. })
    }
}

/// So many keys have a state of their own. Those that come when there is no more room share one.
const MOST_KEYS: usize = 10_000;

/// What a filter knows of each key, and what it has held back.
#[derive(Debug)]
pub(super) struct Suppressions<T> {
    by_key: HashMap<Box<str>, Counted<T>>,
    others: Option<Counted<T>>,
    suppressed: u64,
}

#[derive(Debug)]
struct Counted<T> {
    state: T,
    /// Held back and not yet said.
    unsaid: u64,
}

impl<T> Default for Suppressions<T> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), others: None, suppressed: 0 }
    }
}

impl<T> Suppressions<T> {
    /// Has `passes` decide by the state of `key`. Where there is no room for another one, those are forgotten first
    /// that are as good as new and of which nothing is left to say.
    pub(super) fn decide(
        &mut self,
        key: &str,
        new: impl FnOnce() -> T,
        is_as_new: impl Fn(&T) -> bool,
        passes: impl FnOnce(&mut T) -> bool,
    ) -> Decision {
        let counted = self.of(key, new, is_as_new);
        if passes(&mut counted.state) {
            return Decision::Pass { suppressed: std::mem::take(&mut counted.unsaid) };
        }
        counted.unsaid += 1;
        self.suppressed += 1;
        Decision::Suppress
    }

    fn of(&mut self, key: &str, new: impl FnOnce() -> T, is_as_new: impl Fn(&T) -> bool) -> &mut Counted<T> {
        let new = || Counted { state: new(), unsaid: 0 };
        if self.by_key.len() >= MOST_KEYS && !self.by_key.contains_key(key) {
            self.by_key.retain(|_, counted| counted.unsaid > 0 || !is_as_new(&counted.state));
            if self.by_key.len() >= MOST_KEYS {
                return self.others.get_or_insert_with(new);
            }
        }
        if !self.by_key.contains_key(key) {
            self.by_key.insert(key.into(), new());
        }
        // Present by now; the other one is never asked for.
        #[expect(clippy::unreachable, reason = "the key has just been inserted")]
        match self.by_key.get_mut(key) {
            Some(counted) => counted,
            None => unreachable!("the key has just been inserted"),
        }
    }

    /// How many records were held back.
    pub(super) fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// What was held back and has not been said yet, in the order of the keys; it counts as said from now on.
    pub(super) fn take_unsaid(&mut self) -> Vec<(String, u64)> {
        let others = self.others.iter_mut().map(|counted| ("", counted));
        let all = self.by_key.iter_mut().map(|(key, counted)| (&**key, counted)).chain(others);
        let mut unsaid: Vec<_> = all
            .filter(|(_, counted)| counted.unsaid > 0)
            .map(|(key, counted)| (key.to_owned(), std::mem::take(&mut counted.unsaid)))
            .collect();
        unsaid.sort_unstable();
        unsaid
    }
}
