//! What waits in a queue, in the order in which it came.
//!
//! Lines of one file stand side by side in memory that is used again, so that a line that comes costs a copy of its bytes,
//! and the worker writes them from where they stand. Everything else waits as an [`Item`].

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use duramen::queue::{Accepts, Waiting};
use duramen::spool::Ticket;
use pyo3::prelude::*;
use smallvec::SmallVec;

use super::journaled::Kept;
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
    /// Where it stands in the journal of this process, if there is one.
    pub(super) ticket: Option<Ticket>,
}

/// What waits in a queue.
#[derive(Default)]
pub(crate) struct Items {
    /// None of them is empty.
    blocks: VecDeque<Block>,
    count: usize,
    spare: Vec<Texts>,
}

enum Block {
    Run(Run),
    Items(VecDeque<Item>),
}

/// Lines for the only handler behind the queue, all for the same file.
pub(super) struct Run {
    outlet: Arc<Outlet>,
    /// So many of the first ones have left.
    left: usize,
    texts: Texts,
}

#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// As many as lines, where these are in a journal; otherwise none.
    tickets: Vec<Ticket>,
}

/// What waits first.
pub(super) enum First<'a> {
    Run(&'a Run),
    Item(&'a Item),
}

impl Run {
    fn new(outlet: Arc<Outlet>, texts: Texts) -> Self {
        Self { outlet, left: 0, texts }
    }

    fn len(&self) -> usize {
        self.texts.ends.len() - self.left
    }

    pub(super) fn outlet(&self) -> &Arc<Outlet> {
        &self.outlet
    }

    /// Whether they are for a file that is rolled over or watched.
    pub(super) fn rolls(&self) -> bool {
        self.outlet.rolling().is_some()
    }

    /// All bytes, where the first line that has not left begins among them, and where each of those ends.
    pub(super) fn lines(&self) -> (&[u8], usize, &[usize]) {
        (&self.texts.bytes, self.begin(), &self.texts.ends[self.left..])
    }

    /// Where they stand in the journal of this process, if they do.
    pub(super) fn tickets(&self) -> &[Ticket] {
        self.texts.tickets.get(self.left..).unwrap_or_default()
    }

    fn begin(&self) -> usize {
        self.left.checked_sub(1).map_or(0, |last| self.texts.ends[last])
    }

    #[inline]
    fn has_room_for(&self, line: &Line<'_>) -> bool {
        Arc::ptr_eq(&self.outlet, line.outlet)
            && self.texts.ends.len() < MOST
            && self.texts.bytes.len() < FULL
            && self.texts.tickets.is_empty() == line.ticket.is_none()
    }

    #[inline]
    fn push(&mut self, bytes: &[u8], ticket: Option<Ticket>) {
        self.texts.bytes.extend_from_slice(bytes);
        self.texts.ends.push(self.texts.bytes.len());
        self.texts.tickets.extend(ticket);
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
            self.spare.push(texts);
        }
    }
}

impl Waiting for Items {
    type Evicted = Item;

    fn count(&self) -> usize {
        self.count
    }

    fn evict(&mut self) -> Option<Item> {
        let Some(Block::Run(run)) = self.blocks.front_mut() else { return self.pop_item() };
        let kept = run.tickets().first().copied().map(Kept::Own);
        if run.len() == 1 {
            self.leave_run();
        } else {
            run.left += 1;
            self.count -= 1;
        }
        Some(Item::Lines(Lines { kept, ..Lines::default() }))
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
    fn accept(&mut self, item: Item) {
        self.count += 1;
        if let Some(Block::Items(items)) = self.blocks.back_mut()
            && items.len() < MOST
        {
            items.push_back(item);
        } else {
            self.blocks.push_back(Block::Items(VecDeque::from([item])));
        }
    }
}

impl<'a> Accepts<Line<'a>> for Items {
    #[inline]
    fn accept(&mut self, line: Line<'a>) {
        self.count += 1;
        if let Some(Block::Run(run)) = self.blocks.back_mut()
            && run.has_room_for(&line)
        {
            run.push(line.bytes, line.ticket);
            return;
        }
        let mut run = Run::new(Arc::clone(line.outlet), self.spare.pop().unwrap_or_default());
        run.push(line.bytes, line.ticket);
        self.blocks.push_back(Block::Run(run));
    }
}
