//! What handlers could not deliver of what a server gave them.

use std::sync::{Arc, Weak};

use crate::{Handler, Manager, report};

/// Records that handlers have lost, also those that another configuration has replaced meanwhile.
#[derive(Default)]
pub(super) struct Losses {
    /// The handlers that there are, and what each had lost when it was looked at last.
    seen: Vec<(Weak<dyn Handler>, u64)>,
    total: u64,
}

impl Losses {
    /// How many they are by now, of the handlers that loggers of `manager` have or had.
    pub(super) fn of(&mut self, manager: &Manager) -> u64 {
        for handler in manager.attached_handlers() {
            if !self.seen.iter().any(|(seen, _)| seen.ptr_eq(&Arc::downgrade(&handler))) {
                self.seen.push((Arc::downgrade(&handler), 0));
            }
        }
        let total = &mut self.total;
        self.seen.retain_mut(|(handler, before)| {
            let Some(handler) = handler.upgrade() else { return false };
            let mut lost = *before;
            report::guarded("serve", || lost = handler.failed().unwrap_or(0));
            *total += lost.saturating_sub(*before);
            *before = lost;
            true
        });
        self.total
    }
}
