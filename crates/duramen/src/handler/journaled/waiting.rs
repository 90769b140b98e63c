//! How lines wait in a queue that has a journal: the journal's ring is the queue's memory.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use smallvec::SmallVec;

use super::earlier::Earlier;
use crate::queue::{Accepts, Waiting};
use crate::spool::{OwnAppender, OwnJournal, Ticket};

/// For each line of a record the place of its handler, and where it ends.
pub(super) type Parts = SmallVec<[(u32, u32); 2]>;

/// The lines of a record, in memory that the thread keeps.
pub(super) struct Made {
    pub(super) bytes: Vec<u8>,
    pub(super) parts: Parts,
}

/// Memory for lines that has grown beyond this is given back.
const LARGEST_KEPT: usize = 64 * 1024;

thread_local! {
    /// What no call uses at the moment: a filter or a message that logs finds it empty, and has some of its own.
    static UNUSED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Made {
    /// Without a line yet.
    pub(super) fn new() -> Self {
        // There is none when the thread is being destroyed.
        Self { bytes: UNUSED.try_with(Cell::take).unwrap_or_default(), parts: Parts::new() }
    }

    /// The place of a handler, and where its line ends: here.
    pub(super) fn end_line(&mut self, place: usize) {
        let word = |number| u32::try_from(number).unwrap_or(u32::MAX);
        self.parts.push((word(place), word(self.bytes.len())));
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if self.bytes.capacity() <= LARGEST_KEPT {
            self.bytes.clear();
            let bytes = std::mem::take(&mut self.bytes);
            let _ = UNUSED.try_with(|unused| unused.set(bytes));
        }
    }
}

/// What waits.
pub(super) enum Item {
    /// In the journal of this process.
    Own(Ticket),
    /// At this place of what an earlier process left.
    Earlier(Arc<Earlier>, usize),
    /// In memory alone: it is longer than the whole journal.
    Unjournaled(Vec<u8>, Parts),
}

impl Item {
    /// Puts its lines into `made`; those of an earlier process are not here.
    pub(super) fn load(&self, journal: &OwnJournal, made: &mut Made) {
        made.bytes.clear();
        made.parts.clear();
        match self {
            Self::Own(ticket) => journal.load_with_parts(*ticket, &mut made.bytes, &mut made.parts),
            Self::Unjournaled(bytes, parts) => {
                made.bytes.extend_from_slice(bytes);
                made.parts.extend_from_slice(parts);
            }
            Self::Earlier(..) => {}
        }
    }
}

/// Lines that wait, in their order.
#[derive(Default)]
pub(super) struct Kept {
    items: VecDeque<Item>,
    /// Only the queue has one, not a batch.
    appender: Option<OwnAppender>,
}

impl Kept {
    /// From now on lines are written down.
    pub(super) fn set_appender(&mut self, appender: OwnAppender) {
        self.appender = Some(appender);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    pub(super) fn next(&mut self) -> Option<Item> {
        self.items.pop_front()
    }
}

impl Waiting for Kept {
    /// What has memory of its own.
    type Evicted = Option<Item>;

    fn count(&self) -> usize {
        self.items.len()
    }

    fn evict(&mut self) -> Option<Option<Item>> {
        let item = self.items.pop_front()?;
        match (item, &mut self.appender) {
            (Item::Own(ticket), Some(appender)) => {
                appender.give_up(ticket);
                Some(None)
            }
            (item, _) => Some(Some(item)),
        }
    }

    fn take(&mut self, most: usize, batch: &mut Self) {
        Waiting::take(&mut self.items, most, &mut batch.items);
    }

    fn give_back(&mut self, batch: &mut Self) {
        self.items.give_back(&mut batch.items);
    }

    fn clear(&mut self) {
        self.items.clear();
    }
}

impl Accepts<Item> for Kept {
    /// What is not to be written down.
    fn accept(&mut self, item: Item) -> Result<(), Item> {
        if let Some(appender) = &mut self.appender {
            appender.let_go();
        }
        self.items.push_back(item);
        Ok(())
    }
}

impl<'a> Accepts<&'a Made> for Kept {
    fn accept(&mut self, made: &'a Made) -> Result<(), &'a Made> {
        let Some(appender) = &mut self.appender else { return Err(made) };
        let ticket = appender.append(&made.bytes, made.parts.iter().copied()).map_err(|_| made)?;
        self.items.push_back(Item::Own(ticket));
        Ok(())
    }
}
