//! What filters against floods have in common: a decision for each key, and a count of what it has held back.

use std::collections::HashMap;

/// Whether a record goes on.
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

/// A state for each key.
#[derive(Debug)]
pub(super) struct States<T> {
    by_key: HashMap<Box<str>, T>,
    others: Option<T>,
}

impl<T> Default for States<T> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), others: None }
    }
}

impl<T> States<T> {
    /// The state of `key`. Where there is no room, those are forgotten first that say nothing any more.
    pub(super) fn of(
        &mut self,
        key: &str,
        says_nothing: impl Fn(&T) -> bool,
        new: impl FnOnce() -> T,
    ) -> &mut T {
        if self.by_key.len() >= MOST_KEYS && !self.by_key.contains_key(key) {
            self.by_key.retain(|_, state| !says_nothing(state));
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
            Some(state) => state,
            None => unreachable!("the key has just been inserted"),
        }
    }

    /// All states with their keys.
    pub(super) fn all(&mut self) -> impl Iterator<Item = (&str, &mut T)> {
        let others = self.others.iter_mut().map(|state| ("", state));
        self.by_key.iter_mut().map(|(key, state)| (&**key, state)).chain(others)
    }
}
