//! A bounded queue with one worker thread, which loses nothing in silence.
//!
//! What is in the queue is not known here: the worker gives each item to a function.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{JoinHandle, ThreadId};

use parking_lot::{Condvar, Mutex};

use crate::report;

/// What happens to an item for which there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The caller waits until there is room.
    #[default]
    Block,
    /// The item is dropped and counted.
    DropNewest,
}

/// Where the items have gone: `accepted = delivered + failed + queued`, and `dropped` were not accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Items taken into the queue.
    pub accepted: u64,
    /// Items that the worker's function has returned from.
    pub delivered: u64,
    /// Items at which the worker's function panicked.
    pub failed: u64,
    /// Items refused, because the queue was full or closed.
    pub dropped: u64,
    /// Items that wait or are being delivered.
    pub queued: u64,
}

/// A bounded queue in front of a worker thread.
///
/// Dropping the queue closes it.
pub struct Queue<T> {
    shared: Arc<Shared<T>>,
    worker: Mutex<Option<JoinHandle<()>>>,
    worker_id: ThreadId,
}

struct Shared<T> {
    capacity: usize,
    overflow: Overflow,
    state: Mutex<State<T>>,
    /// An item came, or the queue closed.
    arrived: Condvar,
    /// An item left, or the worker ended.
    left: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    stats: Stats,
    is_closed: bool,
}

impl<T: Send + 'static> Queue<T> {
    /// A queue for `capacity` items (at least one), each given to `deliver` in order.
    ///
    /// # Errors
    /// When the operating system starts no thread.
    pub fn start(
        capacity: usize,
        overflow: Overflow,
        deliver: impl FnMut(T) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            capacity: capacity.max(1),
            overflow,
            state: Mutex::new(State { items: VecDeque::new(), stats: Stats::default(), is_closed: false }),
            arrived: Condvar::new(),
            left: Condvar::new(),
        });
        let of_worker = Arc::clone(&shared);
        let worker = std::thread::Builder::new()
            .name("duramen-queue".to_owned())
            .spawn(move || of_worker.work(deliver))?;
        let worker_id = worker.thread().id();
        Ok(Self { shared, worker: Mutex::new(Some(worker)), worker_id })
    }

    /// Puts `item` at the end; false when it was dropped.
    ///
    /// The worker itself never waits for room, which it alone can make: its items are dropped where the
    /// queue is full.
    pub fn push(&self, item: T) -> bool {
        let shared = &*self.shared;
        let may_wait = shared.overflow == Overflow::Block && !self.is_worker();
        let mut state = shared.state.lock();
        while may_wait && !state.is_closed && state.items.len() >= shared.capacity {
            shared.left.wait(&mut state);
        }
        if state.is_closed || state.items.len() >= shared.capacity {
            state.stats.dropped += 1;
            return false;
        }
        state.items.push_back(item);
        state.stats.accepted += 1;
        state.stats.queued += 1;
        drop(state);
        shared.arrived.notify_one();
        true
    }

    /// Returns when all that was accepted before the call has been delivered or has failed.
    pub fn flush(&self) {
        if self.is_worker() {
            return;
        }
        let mut state = self.shared.state.lock();
        let accepted = state.stats.accepted;
        while state.stats.delivered + state.stats.failed < accepted {
            self.shared.left.wait(&mut state);
        }
    }

    /// Takes nothing more, delivers what is there, and ends the worker. Closing twice is allowed.
    pub fn close(&self) {
        self.shared.state.lock().is_closed = true;
        self.shared.arrived.notify_all();
        self.shared.left.notify_all();
        if self.is_worker() {
            return;
        }
        let worker = self.worker.lock().take();
        if let Some(worker) = worker {
            // The worker catches the panics of what it calls, so there is none to pass on.
            let _ = worker.join();
        }
    }

    /// Where the items have gone, from one moment.
    pub fn stats(&self) -> Stats {
        self.shared.state.lock().stats
    }

    fn is_worker(&self) -> bool {
        std::thread::current().id() == self.worker_id
    }
}

impl<T> Shared<T> {
    fn work(&self, mut deliver: impl FnMut(T)) {
        while let Some(item) = self.next() {
            let outcome = catch_unwind(AssertUnwindSafe(|| deliver(item)));
            if outcome.is_err() {
                report::error("queue", &"a handler panicked; its record is counted as failed");
            }
            let mut state = self.state.lock();
            state.stats.queued -= 1;
            match outcome {
                Ok(()) => state.stats.delivered += 1,
                Err(_) => state.stats.failed += 1,
            }
            drop(state);
            self.left.notify_all();
        }
    }

    /// The next item; `None` when the queue is closed and empty.
    fn next(&self) -> Option<T> {
        let mut state = self.state.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                self.left.notify_all();
                return Some(item);
            }
            if state.is_closed {
                return None;
            }
            self.arrived.wait(&mut state);
        }
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        self.shared.state.lock().is_closed = true;
        self.shared.arrived.notify_all();
        if let Some(worker) = self.worker.get_mut().take()
            && std::thread::current().id() != self.worker_id
        {
            let _ = worker.join();
        }
    }
}
