//! How lines wait in a queue that has a journal: the journal's ring is the queue's memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use super::earlier::Earlier;
use crate::queue::{Accepts, Waiting};
use crate::spool::{OwnAppender, OwnJournal, Ticket};

/// The lines of a record.
#[derive(Clone, Default)]
pub(super) struct Made {
    pub(super) bytes: Vec<u8>,
    /// For each line the place of its handler, and where it ends.
    pub(super) parts: Vec<(u32, u32)>,
}

/// Memory for lines that has grown beyond this is given back.
const LARGEST_KEPT: usize = 64 * 1024;

thread_local! {
    /// What the thread makes lines in, from call to call.
    static MADE: RefCell<Made> = const { RefCell::new(Made { bytes: Vec::new(), parts: Vec::new() }) };
}

impl Made {
    /// Calls `act` with room for lines, which the thread keeps.
    #[inline]
    pub(super) fn with_room(mut act: impl FnMut(&mut Self)) {
        let has_acted = MADE.try_with(|kept| {
            let Ok(mut made) = kept.try_borrow_mut() else { return false };
            made.bytes.clear();
            made.parts.clear();
            act(&mut made);
            if made.bytes.capacity() > LARGEST_KEPT {
                made.bytes = Vec::new();
            }
            true
        });
        if has_acted != Ok(true) {
            Self::with_room_of_its_own(act);
        }
    }

    /// The same for a filter or a formatter that logs, and for a thread that is being destroyed.
    #[cold]
    fn with_room_of_its_own(mut act: impl FnMut(&mut Self)) {
        act(&mut Self::default());
    }

    /// The place of a handler, and where its line ends: here.
    #[inline]
    pub(super) fn end_line(&mut self, place: usize) {
        let word = |number| u32::try_from(number).unwrap_or(u32::MAX);
        self.parts.push((word(place), word(self.bytes.len())));
    }
}

/// What waits.
pub(super) enum Item {
    /// In the journal of this process.
    Own(Ticket),
    /// At this place of what an earlier process left.
    Earlier(Arc<Earlier>, usize),
    /// In memory alone: it is longer than the whole journal.
    Unjournaled(Box<Made>),
}

impl Item {
    /// Puts its lines into `made`; those of an earlier process are not here.
    pub(super) fn load(&self, journal: &OwnJournal, made: &mut Made) {
        made.bytes.clear();
        made.parts.clear();
        match self {
            Self::Own(ticket) => journal.load_with_parts(*ticket, &mut made.bytes, &mut made.parts),
            Self::Unjournaled(kept) => {
                made.bytes.extend_from_slice(&kept.bytes);
                made.parts.extend_from_slice(&kept.parts);
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
    #[inline]
    fn accept(&mut self, made: &'a Made) -> Result<(), &'a Made> {
        let Some(appender) = &mut self.appender else { return Err(made) };
        let ticket = appender.append(&made.bytes, made.parts.iter().copied()).map_err(|_| made)?;
        self.items.push_back(Item::Own(ticket));
        Ok(())
    }
}
