//! The names of fields that were judged before: a program has few, and logs them again and again.

use std::collections::HashMap;

use parking_lot::RwLock;

use super::Verdict;

/// So many names are remembered. Those of a program whose names have no end are judged each time.
const MOST_NAMES: usize = 1000;

/// Longer names are not remembered.
const LONGEST_NAME: usize = 100;

/// The verdicts on names in which nothing is masked.
#[derive(Debug, Default)]
pub(super) struct Names(RwLock<HashMap<Box<str>, Verdict>>);

impl Names {
    pub(super) fn find(&self, name: &str) -> Option<Verdict> {
        self.0.read().get(name).copied()
    }

    pub(super) fn remember(&self, name: &str, verdict: Verdict) {
        if name.len() <= LONGEST_NAME {
            let mut names = self.0.write();
            if names.len() < MOST_NAMES {
                names.insert(name.into(), verdict);
            }
        }
    }
}
