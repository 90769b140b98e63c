//! The side of a queue on which items come in.

use std::time::Instant;

use super::{Accepts, Offer, Overflow, Queue, Room, State, Taker, Waiting, standstill, wait};
use crate::Level;
use crate::sync::{MutexGuard, thread};

impl<T, W: Waiting> Queue<T, W> {
    /// Puts `item` at the end, waiting as the options say; false when it was dropped.
    pub fn push<I>(&self, item: I, level: Level) -> bool
    where
        W: Accepts<I>,
    {
        matches!(self.put(item, level, self.longest_wait()), Offer::Accepted(_))
    }

    /// Until when a caller that comes now may wait; `None`: without end.
    pub(crate) fn longest_wait(&self) -> Option<Instant> {
        self.options.block_timeout.and_then(|longest| Instant::now().checked_add(longest))
    }

    /// Puts `item` at the end, waiting until `until` where the options have a caller wait. Afterwards it is
    /// [`Offer::Accepted`], or [`Offer::Dropped`] and counted.
    pub(crate) fn put<I>(&self, mut item: I, level: Level, until: Option<Instant>) -> Offer<I, W::Evicted>
    where
        W: Accepts<I>,
    {
        loop {
            item = match self.offer(item, level) {
                Offer::Evicted(item, _) => item,
                Offer::Full(item) => match self.wait_for_room(until) {
                    Room::Made => item,
                    in_vain => {
                        self.give_up(in_vain);
                        return Offer::Dropped(item);
                    }
                },
                outcome => return outcome,
            }
        }
    }

    /// Puts `item` at the end without ever waiting.
    pub fn offer<I>(&self, item: I, level: Level) -> Offer<I, W::Evicted>
    where
        W: Accepts<I>,
    {
        let mut guard = self.state();
        let state = &mut *guard;
        let dropped = &mut state.ledger.dropped;
        if state.is_closed {
            dropped.closed += 1;
            return Offer::Dropped(item);
        }
        let mut evicted = None;
        let is_full = self.is_full(&state.waiting);
        let refused = if is_full { Err(item) } else { state.waiting.accept(item) };
        if let Err(item) = refused {
            match self.options.overflow {
                Overflow::DropNewest => {
                    dropped.newest += 1;
                    return Offer::Dropped(item);
                }
                Overflow::DropBelow(least) if level < least => {
                    dropped.below_level += 1;
                    return Offer::Dropped(item);
                }
                Overflow::DropOldest => {
                    let Some(oldest) = state.waiting.evict() else {
                        // What is in flight takes all of the journal.
                        dropped.newest += 1;
                        return Offer::Dropped(item);
                    };
                    dropped.oldest += 1;
                    state.ledger.queued -= 1;
                    state.gone += 1;
                    // One makes room, unless it is bytes that there is none for.
                    let refused =
                        if self.is_full(&state.waiting) { Err(item) } else { state.waiting.accept(item) };
                    if let Err(item) = refused {
                        return Offer::Evicted(item, oldest);
                    }
                    evicted = Some(oldest);
                }
                Overflow::Block | Overflow::DropBelow(_) => {
                    if state.taker_thread == Some(thread::current().id()) {
                        dropped.reentrant += 1;
                        return Offer::Dropped(item);
                    }
                    if !is_full {
                        // It is the journal that is full: what gathers has to leave it.
                        state.is_hurried = true;
                        self.hurry(state);
                    }
                    return Offer::Full(item);
                }
            }
        }
        self.has_accepted(guard);
        Offer::Accepted(evicted)
    }

    /// Puts `item` at the end whatever the capacity and the overflow, without ever waiting: for a thread for which those wait
    /// that would have to make room. It is [`Offer::Full`] where a journal has no room for it.
    ///
    /// ```
    /// use duramen::Level;
    /// use duramen::queue::{Offer, Options, Queue};
    ///
    /// let queue: Queue<i32> = Queue::new(Options { capacity: 1, ..Options::default() }, 0);
    /// assert_eq!(queue.offer(1, Level::INFO), Offer::Accepted(None));
    /// assert_eq!(queue.offer(2, Level::INFO), Offer::Full(2));
    /// assert_eq!(queue.insist(2), Offer::Accepted(None));
    /// assert_eq!(queue.ledger().queued, 2);
    /// ```
    pub fn insist<I>(&self, item: I) -> Offer<I, W::Evicted>
    where
        W: Accepts<I>,
    {
        let mut state = self.state();
        if state.is_closed {
            state.ledger.dropped.closed += 1;
            return Offer::Dropped(item);
        }
        if let Err(item) = state.waiting.accept(item) {
            return Offer::Full(item);
        }
        self.has_accepted(state);
        Offer::Accepted(None)
    }

    /// Counts an item that has come, and wakes who takes it out, if it is time.
    #[inline]
    fn has_accepted(&self, mut state: MutexGuard<'_, State<W>>) {
        state.ledger.accepted += 1;
        state.ledger.queued += 1;
        let wakes = match state.taker {
            Taker::Awake => false,
            Taker::Sleeps => true,
            Taker::Gathers => self.is_crowded(&state.waiting),
        };
        if wakes {
            state.taker = Taker::Awake;
            // It would only meet the lock.
            drop(state);
            self.arrived.notify_one();
        }
    }

    /// Waits until there is room or the queue is closed, until `until` at most.
    pub fn wait_for_room(&self, until: Option<Instant>) -> Room {
        let mut state = self.state();
        state.pushers += 1;
        let (mut in_time, mut goes_on) = (true, true);
        while in_time && !state.is_closed && self.is_full(&state.waiting) {
            let Some(_waits) = standstill::wait_for(self.address()) else {
                goes_on = false;
                break;
            };
            self.hurry(&mut state);
            (state, in_time) = wait(&self.left, state, until);
        }
        state.pushers -= 1;
        match state.is_closed || !self.is_full(&state.waiting) {
            true => Room::Made,
            false if goes_on => Room::Late,
            false => Room::Never,
        }
    }

    /// Counts an item for which there was no room, for this reason.
    pub fn give_up(&self, room: Room) {
        let dropped = &mut self.state().ledger.dropped;
        *(if room == Room::Never { &mut dropped.reentrant } else { &mut dropped.timeout }) += 1;
    }
}
