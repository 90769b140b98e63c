//! Which journals of others this process is delivering.
//!
//! The lock of a file that other processes see belongs to the whole process: it keeps none of its threads from another, and ends
//! when any of them closes the file. So a thread that finds a journal looks here before it opens it.
//!
//! There is no lock here: a child that is forked meanwhile would wait for it for ever.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::system;

/// A file, and the process that delivers it: a forked child has its parent's list, and none of its claims.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    process: u32,
    file: (u64, u64),
}

static CLAIMED: ArcSwapOption<Vec<Key>> = ArcSwapOption::const_empty();

/// A journal that no other thread of this process may open while this lives.
pub(super) struct Claimed(Key);

impl Claimed {
    /// Claims the file at `path`; `None` where there is none, or another thread of this process has it.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let key = Key { process: std::process::id(), file: system::number_of_file(path)? };
        loop {
            let now = CLAIMED.load_full();
            let claimed = now.as_deref().map_or(&[][..], Vec::as_slice);
            if claimed.contains(&key) {
                return None;
            }
            let own = claimed.iter().filter(|other| other.process == key.process).copied();
            let next = own.chain([key]).collect();
            let previous = CLAIMED.compare_and_swap(&now, Some(Arc::new(next)));
            if previous.as_ref().map(Arc::as_ptr) == now.as_ref().map(Arc::as_ptr) {
                return Some(Self(key));
            }
        }
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        CLAIMED.rcu(|claimed| {
            let claimed = claimed.as_deref().map_or(&[][..], Vec::as_slice);
            Some(Arc::new(claimed.iter().filter(|other| **other != self.0).copied().collect()))
        });
    }
}

/// Whether this process delivers the file at `path`.
pub(super) fn is_claimed(path: &Path) -> bool {
    let Some(file) = system::number_of_file(path) else { return false };
    let key = Key { process: std::process::id(), file };
    CLAIMED.load().as_deref().is_some_and(|claimed| claimed.contains(&key))
}
