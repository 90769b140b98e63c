//! What waits in a queue, in the order in which it came.
//!
//! Lines of one file stand side by side in memory that is used again, so that a line that comes costs a copy of its bytes,
//! and the worker writes them from where they stand. With a journal that memory is the journal's ring, from which the worker
//! copies them. Everything else waits as an [`Item`].

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use duramen::queue::{Accepts, Waiting};
use duramen::spool::{OwnAppender, OwnJournal, Ticket};
use pyo3::prelude::*;
use smallvec::SmallVec;

use super::journaled::{Kept, as_word};
use super::outlet::Outlet;

/// So many stand together, and are taken together: fewer than a batch may have ([`duramen::queue::Options::batch`]).
const MOST: usize = 256;
/// A run of lines that has so many bytes takes no more.
const FULL: usize = 64 * 1024;
/// Memory of so many runs is kept for the next ones; what has grown far beyond [`FULL`] is not.
const MOST_SPARE: usize = 32;

/// What waits in a queue, if it is not a line for the only handler behind it.
pub(crate) enum Item {
    /// A record as the lines that the handlers behind the queue write.
    Lines(Lines),
    /// A record for handlers that are written in Python.
    Record(Py<PyAny>, Option<Kept>),
}

impl Item {
    /// Where it stands in a journal.
    pub(super) fn kept(&mut self) -> &mut Option<Kept> {
        match self {
            Self::Lines(lines) => &mut lines.kept,
            Self::Record(_, kept) => kept,
        }
    }
}

/// The lines of one record, one after the other.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) bytes: Vec<u8>,
    pub(crate) parts: SmallVec<[Part; 1]>,
    /// Places of the handlers whose level is above that of the record.
    pub(crate) skipped: SmallVec<[usize; 4]>,
    pub(crate) kept: Option<Kept>,
}

impl Lines {
    /// Whether one of them is for a file that is rolled over or watched.
    pub(super) fn roll(&self) -> bool {
        self.parts.iter().any(|part| part.outlet.rolling().is_some())
    }
}

/// The line for one handler.
pub(crate) struct Part {
    /// The handler's; none for a line that an earlier process left.
    pub(crate) place: Option<usize>,
    pub(crate) end: usize,
    pub(crate) outlet: Arc<Outlet>,
}

/// A line for the only handler behind the queue.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) outlet: &'a Arc<Outlet>,
}

/// What waits in a queue.
#[derive(Default)]
pub(crate) struct Items {
    /// None of them is empty.
    blocks: VecDeque<Block>,
    count: usize,
    spare: Vec<Texts>,
    /// Who writes the journal, if there is one; what was taken out has none.
    appender: Option<OwnAppender>,
}

enum Block {
    Run(Run),
    Items(VecDeque<Item>),
}

/// Lines for the only handler behind the queue, all for the same file.
pub(super) struct Run {
    outlet: Arc<Outlet>,
    texts: Texts,
}

#[derive(Default)]
struct Texts {
    /// The lines, and where each of them ends; those in a journal once they are to be written.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// As many as lines, where these are in a journal; otherwise none.
    tickets: Vec<Ticket>,
    /// How long the lines are together.
    length: usize,
}

/// What waits first.
pub(super) enum First<'a> {
    Run(&'a Run),
    Item(&'a Item),
}

impl Run {
    fn new(outlet: Arc<Outlet>, texts: Texts) -> Self {
        Self { outlet, texts }
    }

    fn len(&self) -> usize {
        self.texts.ends.len().max(self.texts.tickets.len())
    }

    pub(super) fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }

    /// Whether they are for a file that is rolled over or watched.
    pub(super) fn rolls(&self) -> bool {
        self.outlet.rolling().is_some()
    }

    /// The lines, and where each of them ends. Those in a journal have to be loaded before.
    pub(super) fn lines(&self) -> (&[u8], &[usize]) {
        (&self.texts.bytes, &self.texts.ends)
    }

    /// Where they stand in the journal of this process, if they do.
    pub(super) fn tickets(&self) -> &[Ticket] {
        &self.texts.tickets
    }

    /// Copies lines out of the journal.
    fn load(&mut self, journal: &OwnJournal) {
        let Texts { bytes, ends, tickets, .. } = &mut self.texts;
        for ticket in tickets.iter().skip(ends.len()) {
            journal.load(*ticket, bytes);
            ends.push(bytes.len());
        }
    }

    #[inline]
    fn has_room_for(&self, line: &Line<'_>) -> bool {
        Arc::ptr_eq(&self.outlet, line.outlet) && self.len() < MOST && self.texts.length < FULL
    }

    #[inline]
    fn push(&mut self, bytes: &[u8], ticket: Option<Ticket>) {
        self.texts.length += bytes.len();
        if let Some(ticket) = ticket {
            self.texts.tickets.push(ticket);
        } else {
            self.texts.bytes.extend_from_slice(bytes);
            self.texts.ends.push(self.texts.bytes.len());
        }
    }
}

impl Block {
    fn len(&self) -> usize {
        match self {
            Self::Run(run) => run.len(),
            Self::Items(items) => items.len(),
        }
    }
}

impl Items {
    /// What comes from now on is written down.
    pub(super) fn set_appender(&mut self, appender: OwnAppender) {
        self.appender = Some(appender);
    }

    /// What comes from now on is not.
    pub(super) fn leave_appender(&mut self) -> Option<OwnAppender> {
        self.appender.take()
    }

    /// Copies the lines of the run that waits first out of the journal, if that is where they are.
    pub(super) fn load_run(&mut self, journal: &OwnJournal) {
        if let Some(Block::Run(run)) = self.blocks.front_mut() {
            run.load(journal);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn first(&self) -> Option<First<'_>> {
        match self.blocks.front()? {
            Block::Run(run) => Some(First::Run(run)),
            Block::Items(items) => items.front().map(First::Item),
        }
    }

    /// Takes the first item out, unless what waits first is a run.
    pub(super) fn pop_item(&mut self) -> Option<Item> {
        let Some(Block::Items(items)) = self.blocks.front_mut() else { return None };
        let item = items.pop_front()?;
        self.count -= 1;
        if items.is_empty() {
            self.blocks.pop_front();
        }
        Some(item)
    }

    /// Lets go of the run that waits first.
    pub(super) fn leave_run(&mut self) {
        if let Some(Block::Run(_)) = self.blocks.front()
            && let Some(Block::Run(run)) = self.blocks.pop_front()
        {
            self.count -= run.len();
            self.keep(run.texts);
        }
    }

    /// Keeps memory for the next run.
    fn keep(&mut self, mut texts: Texts) {
        if self.spare.len() < MOST_SPARE && texts.bytes.capacity() <= 2 * FULL {
            texts.bytes.clear();
            texts.ends.clear();
            texts.tickets.clear();
            texts.length = 0;
            self.spare.push(texts);
        }
    }
}

impl Waiting for Items {
    type Evicted = Item;

    fn count(&self) -> usize {
        self.count
    }

    /// Where the oldest is given up for the newest, there are no runs (`RecordQueue::offer_at_once`).
    fn evict(&mut self) -> Option<Item> {
        let mut item = self.pop_item()?;
        if let Some(appender) = &mut self.appender
            && let Some(Kept::Own(ticket)) = item.kept()
        {
            appender.give_up(*ticket);
            *item.kept() = None;
        }
        Some(item)
    }

    fn take(&mut self, most: usize, batch: &mut Self) {
        self.spare.append(&mut batch.spare);
        self.spare.truncate(MOST_SPARE);
        while let Some(count) = self.blocks.front().map(Block::len)
            && (batch.count == 0 || batch.count + count <= most)
        {
            batch.blocks.extend(self.blocks.pop_front());
            batch.count += count;
            self.count -= count;
        }
    }

    fn give_back(&mut self, batch: &mut Self) {
        self.count += mem::take(&mut batch.count);
        while let Some(block) = batch.blocks.pop_back() {
            self.blocks.push_front(block);
        }
    }

    fn clear(&mut self) {
        self.count = 0;
        self.blocks.clear();
    }
}

impl Accepts<Item> for Items {
    fn accept(&mut self, mut item: Item) -> Result<(), Item> {
        if let Some(appender) = &mut self.appender
            && !item.write_down(appender)
        {
            return Err(item);
        }
        self.count += 1;
        if let Some(Block::Items(items)) = self.blocks.back_mut()
            && items.len() < MOST
        {
            items.push_back(item);
        } else {
            self.blocks.push_back(Block::Items(VecDeque::from([item])));
        }
        Ok(())
    }
}

impl<'a> Accepts<Line<'a>> for Items {
    #[inline]
    fn accept(&mut self, line: Line<'a>) -> Result<(), Line<'a>> {
        let ticket = match &mut self.appender {
            Some(appender) => {
                let part = (0, as_word(line.bytes.len()));
                Some(appender.append(line.bytes, [part].into_iter()).map_err(|_| line)?)
            }
            None => None,
        };
        self.count += 1;
        if let Some(Block::Run(run)) = self.blocks.back_mut()
            && run.has_room_for(&line)
        {
            run.push(line.bytes, ticket);
            return Ok(());
        }
        let mut run = Run::new(Arc::clone(line.outlet), self.spare.pop().unwrap_or_default());
        run.push(line.bytes, ticket);
        self.blocks.push_back(Block::Run(run));
        Ok(())
    }
}
