//! Who takes records out of a queue: a thread that knows no interpreter, or one of Python's.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use duramen::queue::{Accepts as _, Queue, Tally, Waiting as _};
use pyo3::prelude::*;

use super::earlier::Earlier;
use super::journaled::{self, Kept, Slot};
use super::system;
use super::waiting::{Item, Items};
use super::writing;

/// The thread that knows no interpreter.
pub(super) struct Native {
    pub(super) thread: JoinHandle<()>,
    /// Becomes false when it takes no more; the number is the system's, 0 until it is known.
    pub(super) runs: Arc<AtomicBool>,
    pub(super) number: Arc<AtomicU64>,
}

/// What the thread of Python's has taken out.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) items: Items,
    /// Where the records stand in the journal that the thread has now, in their order.
    pub(super) kept: VecDeque<Option<Kept>>,
    pub(super) tally: Tally,
    /// There is a batch that has not been settled.
    pub(super) is_open: bool,
}

impl Taken {
    /// Notes that the next record is about to be delivered.
    pub(super) fn begin_next(&self, journal: &Slot) {
        if let Some(Some(kept)) = self.kept.front() {
            journaled::begin(journal, kept);
        }
    }

    /// Gives up the rest of the batch, in front of which `records` were.
    pub(super) fn give_up(&mut self, queue: &Queue<Item, Items>, records: Vec<Py<PyAny>>) {
        let mut rest = Items::default();
        for record in records {
            let kept = self.kept.pop_front().flatten();
            // It has no journal that may be full.
            let _ = rest.accept(Item::Record(record, kept));
        }
        self.items.give_back(&mut rest);
        self.is_open = false;
        give_up(queue, &mut self.items, &mem::take(&mut self.tally));
    }
}

impl Native {
    /// Waits for its end; gives it back when `until` came first.
    pub(super) fn end(self, until: Instant) -> Option<Self> {
        while self.runs.load(Ordering::Acquire) {
            if Instant::now() >= until {
                return Some(self);
            }
            system::pause(system::SHORT);
        }
        // It catches the panics of what it calls.
        let _ = self.thread.join();
        let number = self.number.load(Ordering::Relaxed);
        while number > 0 && system::has_thread(number) && Instant::now() < until {
            system::pause(system::SHORT);
        }
        None
    }
}

/// The work of the thread that knows no interpreter.
pub(super) fn write_lines(
    queue: &Queue<Item, Items>,
    journal: &Slot,
    earlier: &Earlier,
    has_given_up: &AtomicBool,
) {
    let mut batch = Items::default();
    while queue.take(&mut batch) {
        let mut tally = Tally::default();
        writing::write_front(&mut batch, &mut tally, journal, None, has_given_up);
        if batch.is_empty() {
            earlier.go_on(queue);
            queue.settle(&tally);
        } else if has_given_up.load(Ordering::Acquire) {
            give_up(queue, &mut batch, &tally);
            return;
        } else {
            // A record in Python form, or a file that is rolled over, for the thread that has been started for it.
            queue.hand_back(&mut batch, &tally);
            return;
        }
    }
}

/// Gives up the rest of a batch and what waits, in a process that ends.
fn give_up(queue: &Queue<Item, Items>, batch: &mut Items, tally: &Tally) {
    queue.hand_back(batch, tally);
    drop(queue.abandon());
}
