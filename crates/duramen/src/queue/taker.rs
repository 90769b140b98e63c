//! The side of a queue on which batches are taken out.

use std::sync::PoisonError;
use std::time::Instant;

use super::{Queue, Taker, Tally, Waiting, standstill, wait};
use crate::sync::thread;

impl<T, W: Waiting> Queue<T, W> {
    /// The calling thread takes items out of this queue from now on. What it waits for in other queues then is waited for by
    /// this one: [`Room::Never`](super::Room::Never) is how a circle of such waits is told.
    ///
    /// ```
    /// use duramen::Level;
    /// use duramen::queue::{Options, Queue, Room};
    ///
    /// let queue: Queue<i32> = Queue::new(Options { capacity: 1, ..Options::default() }, 0);
    /// assert!(queue.push(1, Level::INFO));
    /// queue.begin_service();
    /// // It would have to be made by this thread.
    /// assert_eq!(queue.wait_for_room(None), Room::Never);
    /// queue.give_up(Room::Never);
    /// assert_eq!(queue.ledger().dropped.reentrant, 1);
    /// queue.end_service();
    /// ```
    pub fn begin_service(&self) {
        standstill::serve(Some(self.address()));
    }

    /// The calling thread takes no more items out of this queue ([`Queue::begin_service`]).
    ///
    /// ```
    /// let queue: duramen::queue::Queue<i32> = duramen::queue::Queue::new(Default::default(), 0);
    /// queue.begin_service();
    /// queue.end_service();
    /// ```
    pub fn end_service(&self) {
        standstill::serve(None);
    }

    /// Takes items out into `batch`, which is empty, waiting for the first. False: there is nothing more to
    /// do, since the queue is closed and empty, or parked.
    ///
    /// One thread at a time does this, and calls [`Queue::settle`] after each batch; another one waits until
    /// that has come to its end or given up ([`Queue::hand_back`]).
    pub fn take(&self, batch: &mut W) -> bool {
        self.take_or(batch, true)
    }

    /// Takes out what waits now, for a caller that stands in for a worker. False: there is nothing, or another
    /// thread takes it.
    pub fn take_ready(&self, batch: &mut W) -> bool {
        self.take_or(batch, false)
    }

    /// Whether [`Queue::take_ready`] would take something out.
    pub fn has_ready(&self) -> bool {
        let state = self.state();
        let is_free = state.taker_thread.is_none_or(|taker| taker == thread::current().id());
        is_free && !state.is_parked && state.waiting.count() > 0
    }

    fn take_or(&self, batch: &mut W, waits: bool) -> bool {
        let own = thread::current().id();
        let mut state = self.state();
        while state.taker_thread.is_some_and(|taker| taker != own) {
            if state.is_parked || !waits {
                return false;
            }
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.taker_thread = Some(own);
        let mut gathered_until = None;
        loop {
            let count = state.waiting.count();
            if state.is_parked || ((state.is_closed || !waits) && count == 0) {
                state.taker = Taker::Awake;
                state.taker_thread = None;
                self.left.notify_all();
                return false;
            }
            let is_wanted =
                !waits || state.is_closed || state.is_hurried || state.pushers + state.flushers > 0;
            if count > 0
                && (is_wanted || count >= self.options.worth_a_batch() || self.is_crowded(&state.waiting))
            {
                break;
            }
            // It begins with the end of the last batch: while items come at least as often, nobody has to wake this thread.
            let until = *gathered_until
                .get_or_insert_with(|| Instant::now().checked_add(self.options.flush_interval));
            state.taker = Taker::Gathers;
            let in_time;
            (state, in_time) = wait(&self.arrived, state, until);
            if in_time {
                continue;
            }
            if state.waiting.count() > 0 {
                break;
            }
            state.taker = Taker::Sleeps;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            gathered_until = None;
        }
        state.taker = Taker::Awake;
        state.is_hurried = false;
        state.waiting.take(self.options.batch, batch);
        let count = batch.count();
        state.flying_from = Some(state.gone);
        state.gone += count as u64;
        state.ledger.queued -= count as u64;
        state.ledger.in_flight = count as u64;
        if state.pushers > 0 {
            standstill::wake(self.address());
            self.left.notify_all();
        }
        true
    }

    /// Says what has become of the batch that was taken out.
    pub fn settle(&self, tally: &Tally) {
        let mut state = self.state();
        state.ledger.settle(tally);
        state.flying_from = None;
        if state.flushers > 0 {
            standstill::wake(self.address());
            self.left.notify_all();
        }
    }

    /// Puts the rest of a batch back, for another thread to take: the items that the tally does not know.
    pub fn hand_back(&self, batch: &mut W, tally: &Tally) {
        let mut state = self.state();
        let count = batch.count() as u64;
        state.ledger.in_flight -= count.min(state.ledger.in_flight);
        state.ledger.settle(tally);
        state.ledger.queued += count;
        state.gone -= count;
        state.flying_from = None;
        state.waiting.give_back(batch);
        state.taker_thread = None;
        self.left.notify_all();
    }
}
