//! From a caller into the queue: at once, after a wait, or past it when the process ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use duramen::Level;
use duramen::queue::{Accepts as _, Offer, Overflow, Queue, Room, Tally};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyTuple};

use super::journaled;
use super::outlet::Outlet;
use super::waiting::{Item, Items, Line, Lines};
use super::{BETWEEN_SIGNALS, RecordQueue, writing};
use crate::classes::globals;
use crate::handler::lock;
use crate::interpreter::{self, intern};

impl RecordQueue {
    /// Puts lines into the queue, and the journal, if there is one, waiting as the options say.
    pub(super) fn put_lines(&self, py: Python<'_>, mut lines: Lines, level: Level) -> PyResult<()> {
        if self.journal.is_some() {
            self.keep_lines(&mut lines);
        }
        self.offer(py, Item::Lines(lines), level)
    }

    /// Puts the line of the only handler behind the queue into it, whose worker runs, and into the journal, if there is one;
    /// `None` when there is no room, or the interpreter has to be asked, and nothing has been done.
    #[inline]
    pub(super) fn offer_at_once(&self, bytes: &[u8], outlet: &Arc<Outlet>, level: Level) -> Option<()> {
        // SAFETY: attached; nothing runs while the reference lives.
        let present = unsafe { &*self.present.get() };
        let runs = present.native.as_ref().is_some_and(|native| native.runs.load(Ordering::Acquire));
        let is_tended =
            present.has_python || (runs && !present.wants_python && !self.rolls.load(Ordering::Relaxed));
        // What is given up for a newer record may be a record in Python form.
        (is_tended && self.options.overflow != Overflow::DropOldest).then_some(())?;
        if self.journal.is_some() {
            journaled::opened(&present.journal)?.could_hold(1, bytes.len()).then_some(())?;
        }
        match present.queue.offer(Line { bytes, outlet }, level) {
            Offer::Accepted(_) | Offer::Dropped(_) => Some(()),
            Offer::Full(_) | Offer::Evicted(..) => None,
        }
    }

    /// Puts `item` into the queue, waiting as the options say with the interpreter released: one wait for the queue and its
    /// journal.
    pub(super) fn offer(&self, py: Python<'_>, mut item: Item, level: Level) -> PyResult<()> {
        let wants_python = matches!(item, Item::Record(..)) || self.rolls.load(Ordering::Relaxed);
        let mut begun = None;
        loop {
            // Nobody closes the queue between this look and the offer, since the thread stays attached.
            if let Some(ends_at) = self.ends_at.get() {
                self.wait_for_what_came_before(py, *ends_at)?;
                return self.deliver_here(py, item);
            }
            self.renew_journal_for(&mut item);
            let (queue, slot) = (self.queue(), self.slot());
            // What comes back is dropped here, where no lock is held: it may run code of the program's.
            item = match queue.offer(item, level) {
                Offer::Accepted(_) => return self.start_worker_for(py, wants_python),
                Offer::Dropped(_) => return Ok(()),
                Offer::Evicted(again, _) => {
                    item = again;
                    continue;
                }
                Offer::Full(item) if self.waits_for_this_thread(py)? => {
                    self.insist(item);
                    return Ok(());
                }
                Offer::Full(item) => item,
            };
            let wanted = journaled::opened(&slot).zip(item.wanted());
            let is_kept =
                || wanted.is_none_or(|(journal, (lines, bytes))| journal.has_room_for(lines, bytes));
            let room = |next| match (queue.wait_for_room(Some(next)), wanted) {
                (Room::Made, Some((journal, _))) if !is_kept() => {
                    journal.wait_for_room(next);
                    if is_kept() { Room::Made } else { Room::Late }
                }
                (room, _) => room,
            };
            match self.wait(py, &mut begun, room)? {
                Room::Made => {}
                in_vain => {
                    queue.give_up(in_vain);
                    return Ok(());
                }
            }
        }
    }

    /// Whether no worker can start, or go on, before the calling thread does, which a signal handler or a hook for forks has
    /// interrupted: it is starting or ending the worker, or forks.
    pub(super) fn is_held_here(&self, py: Python<'_>) -> PyResult<bool> {
        // SAFETY: attached; the reference lives only for the look.
        let starting = unsafe { (*self.present()).starting };
        if starting == Some(thread::current().id()) {
            return Ok(true);
        }
        let starter = self.start_worker.bind(py);
        interpreter::call_method(starter, intern!(py, "is_held_here"), &[])?.is_truthy()
    }

    /// Whether room may come only after the calling thread has gone on: the worker is held here, or waits for a lock that is,
    /// of a handler behind the queue or of the module.
    fn waits_for_this_thread(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.is_held_here(py)?
            || self.has_lock_here(py)?
            || lock::is_owned(&globals::get(py, intern!(py, "_lock"))?))
    }

    /// Whether the calling thread holds the lock of a handler behind the queue.
    pub(super) fn has_lock_here(&self, py: Python<'_>) -> PyResult<bool> {
        for handler in &self.handlers {
            let lock = handler.bind(py).getattr_opt(intern!(py, "lock"))?;
            if lock.is_some_and(|lock| lock::is_owned(&lock)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether nothing comes to its end before the calling thread goes on: there is no worker, and none can start, or one of
    /// Python's needs the lock of a handler that this thread has.
    pub(super) fn stands_still_here(&self, py: Python<'_>) -> PyResult<bool> {
        // SAFETY: attached; the reference lives only for the look.
        let has_python = unsafe { (*self.present()).has_python };
        Ok((!self.has_worker() && self.is_held_here(py)?) || (has_python && self.has_lock_here(py)?))
    }

    /// Puts `item` into the queue whatever its capacity, and where there is no room for it in the journal, without that.
    fn insist(&self, item: Item) {
        // What comes back of a closed queue is counted there.
        if let Offer::Full(mut item) = self.queue().insist(item) {
            self.leave_out_of_journal(&mut item);
            let _ = self.queue().insist(item);
        }
    }

    /// Waits until what is in the queue has come to its end, or the end of the process, at `ends_at`, has given it up.
    fn wait_for_what_came_before(&self, py: Python<'_>, ends_at: Instant) -> PyResult<()> {
        /// For who gives up then, and for the record that the worker is about.
        const GRACE: Duration = Duration::from_millis(500);
        let until = ends_at + GRACE;
        let mut before = None;
        while self.flush_a_little(py, &mut before, until.saturating_duration_since(Instant::now())).is_none()
        {
            py.check_signals()?;
        }
        Ok(())
    }

    /// Delivers an item on the calling thread, since the process ends.
    fn deliver_here(&self, py: Python<'_>, item: Item) -> PyResult<()> {
        let journal = self.slot();
        match item {
            Item::Record(record, _) => {
                let handlers = PyTuple::new(py, &self.handlers)?;
                interpreter::call_method(
                    self.start_worker.bind(py),
                    intern!(py, "deliver"),
                    &[&handlers, record.bind(py)],
                )?;
            }
            lines @ Item::Lines(_) => {
                let prepare = |place, rolling: &_, line: &_| self.prepare(place, rolling, line);
                py.detach(|| {
                    let mut items = Items::default();
                    // It has no journal that may be full.
                    let _ = items.accept(lines);
                    let (mut tally, never) = (Tally::default(), AtomicBool::new(false));
                    writing::write_front(&mut items, &mut tally, &journal, Some(&prepare), &never);
                });
            }
        }
        Ok(())
    }

    /// Waits a little, with the interpreter released; [`Room::Made`]: it is to be tried again. The longest wait is counted from
    /// the first call on.
    fn wait(
        &self,
        py: Python<'_>,
        begun: &mut Option<Instant>,
        wait: impl FnOnce(Instant) -> Room + Send,
    ) -> PyResult<Room> {
        self.start_if_needed(py)?;
        let now = Instant::now();
        let begun = *begun.get_or_insert(now);
        let limit = self.options.block_timeout.map(|longest| begun + longest);
        let slice = now + BETWEEN_SIGNALS;
        let room = py.detach(|| wait(limit.map_or(slice, |limit| limit.min(slice))));
        let is_late = room == Room::Late && limit.is_some_and(|limit| Instant::now() >= limit);
        if is_late || room == Room::Never {
            return Ok(room);
        }
        py.check_signals().map(|()| Room::Made)
    }

    /// Waits a little, `longest` at most, with the interpreter released, until what was in the queue at the first call has come
    /// to its end: whether it has; `None`: it is to be asked again.
    pub(super) fn flush_a_little(
        &self,
        py: Python<'_>,
        before: &mut Option<(Arc<Queue<Item, Items>>, u64)>,
        longest: Duration,
    ) -> Option<bool> {
        // A signal handler may have forked since the last call.
        let (queue, begun, longest) = (self.queue(), Instant::now(), longest.min(BETWEEN_SIGNALS));
        let count = match before {
            Some((same, count)) if Arc::ptr_eq(same, &queue) => *count,
            _ => before.insert((Arc::clone(&queue), queue.accepted())).1,
        };
        if py.detach(|| queue.flush_first(count, Some(longest))) {
            return Some(true);
        }
        // Who would wait for itself, a handler behind the queue for instance, has the answer before.
        (begun.elapsed() < longest || longest.is_zero()).then_some(false)
    }

    /// Starts what takes out what waits, after a fork for instance.
    pub(super) fn start_if_needed(&self, py: Python<'_>) -> PyResult<()> {
        if self.queue().is_untended() && self.queue().ledger().queued > 0 {
            return self.start_worker_for(py, false);
        }
        Ok(())
    }

    pub(super) fn start_worker_for(&self, py: Python<'_>, wants_python: bool) -> PyResult<()> {
        // SAFETY: attached; the reference lives only for the look, and nothing runs before its last use.
        let present = unsafe { &mut *self.present() };
        present.wants_python |= wants_python;
        let runs = present.native.as_ref().is_some_and(|native| native.runs.load(Ordering::Acquire));
        if present.has_python || (runs && !present.wants_python) {
            return Ok(());
        }
        let wants_python = present.wants_python;
        interpreter::call_python(self.start_worker.bind(py), &[&PyBool::new(py, wants_python)]).map(drop)
    }
}
