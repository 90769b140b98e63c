//! A bounded queue that loses nothing in silence: one thread at a time takes batches out of it.
//!
//! What is in the queue is not known here. No code of others runs while its lock is held: items that are
//! dropped are given back to who put them in. The locks are those of `std`, which keep all of their state in
//! themselves: a process that forks can leave a queue behind as it is and go on with another one.

mod caller;
mod ledger;
#[cfg(test)]
mod model;
mod options;
mod records;
mod standstill;
mod taker;
mod waiting;
mod worker;

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

pub use ledger::{Dropped, HandlerCounts, Ledger, Tally};
pub use options::{Options, Overflow};
pub(crate) use records::Records;
pub use waiting::{Accepts, Waiting};
pub use worker::Worker;

use crate::sync::{Condvar, Mutex, MutexGuard, ThreadId, thread};

/// A bounded queue of items of type `T`, which wait in `W`.
///
/// What it promises, at every moment, since all of it is one state under one lock:
///
/// - each item that was accepted is delivered, failed, queued, in flight, or dropped for a cause ([`Ledger`]);
/// - the items of one thread are delivered in the order in which it put them in;
/// - no more than [`Options::capacity`] items wait, and while the bytes of those reach [`Options::max_bytes`] none is added;
/// - the thread that takes items out is woken when it sleeps, never while it works.
///
/// ```
/// use duramen::Level;
/// use duramen::queue::{Options, Overflow, Queue, Tally};
///
/// let options = Options { capacity: 2, overflow: Overflow::DropNewest, ..Options::default() };
/// let queue: Queue<&str> = Queue::new(options, 0);
/// assert!(queue.push("one", Level::INFO) && queue.push("two", Level::INFO));
/// assert!(!queue.push("three", Level::INFO)); // there is no room
/// queue.close();
///
/// let mut batch = std::collections::VecDeque::new();
/// while queue.take(&mut batch) {
///     let mut tally = Tally::default();
///     batch.drain(..).for_each(|_| tally.item(false));
///     queue.settle(&tally);
/// }
/// let ledger = queue.ledger();
/// assert_eq!((ledger.delivered, ledger.dropped.newest), (2, 1));
/// ```
///
/// A thread of one's own waits for room by itself, and a batch can be handed back:
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use duramen::Level;
/// use duramen::queue::{Offer, Options, Queue, Room, Tally};
///
/// let queue: Queue<&str> = Queue::new(Options { capacity: 1, ..Options::default() }, 0);
/// assert_eq!(queue.options().capacity, 1);
/// queue.recover(["of the last run"]); // what an earlier process left comes first, whatever the capacity
/// assert_eq!(queue.offer("new", Level::INFO), Offer::Full("new"));
/// let room = queue.wait_for_room(Some(Instant::now()));
/// assert_eq!(room, Room::Late);
/// queue.give_up(room); // it is counted
///
/// let mut batch = std::collections::VecDeque::new();
/// assert!(queue.has_ready() && queue.take_ready(&mut batch));
/// assert!(queue.is_taken_by_this_thread() && !queue.is_untended());
/// queue.hand_back(&mut batch, &Tally::default()); // none of it was delivered
/// assert!(queue.wait_until_untended(Instant::now() + Duration::from_secs(1)));
///
/// queue.park(); // no thread takes items out,
/// queue.resume(); // until now
/// assert!(!queue.flush(Some(Duration::ZERO))); // something waits
/// queue.close();
/// assert_eq!(queue.abandon(), ["of the last run"]);
/// let ledger = queue.ledger();
/// assert_eq!((ledger.recovered, ledger.dropped.timeout, ledger.dropped.abandoned), (1, 1, 1));
/// ```
pub struct Queue<T, W = VecDeque<T>> {
    options: Options,
    state: Mutex<State<W>>,
    items: PhantomData<fn(T)>,
    /// For the thread that takes items out: some came, or it has to end.
    arrived: Condvar,
    /// For those who wait for room or for the end of items.
    left: Condvar,
}

struct State<W> {
    waiting: W,
    ledger: Ledger,
    is_closed: bool,
    /// The thread that takes items out has to end, whatever waits.
    is_parked: bool,
    /// Somebody waits for room that the next batch makes.
    is_hurried: bool,
    taker: Taker,
    taker_thread: Option<ThreadId>,
    /// So many items have left the waiting ones, and so many had before the batch in flight did.
    gone: u64,
    flying_from: Option<u64>,
    /// Callers that wait for room, and those that wait for the end of items.
    pushers: usize,
    flushers: usize,
}

/// What the thread that takes items out is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taker {
    /// It delivers, has been woken, or is not there.
    Awake,
    /// It lets items gather, if any come.
    Gathers,
    /// None came in that time, and it waits for the first one.
    Sleeps,
}

/// Whether there is room for another item, after a wait.
///
/// ```
/// use std::time::Instant;
///
/// use duramen::Level;
/// use duramen::queue::{Options, Queue, Room};
///
/// let queue: Queue<i32> = Queue::new(Options { capacity: 1, ..Options::default() }, 0);
/// assert_eq!(queue.wait_for_room(None), Room::Made);
/// assert!(queue.push(1, Level::INFO));
/// assert_eq!(queue.wait_for_room(Some(Instant::now())), Room::Late);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is, or the queue is closed.
    Made,
    /// There was none in time.
    Late,
    /// The caller takes items out of another queue ([`Queue::begin_service`]), for which those wait that would have to make
    /// room here.
    Never,
}

/// What has become of an item that was offered.
///
/// ```
/// use duramen::Level;
/// use duramen::queue::{Offer, Options, Overflow, Queue};
///
/// let options = Options { capacity: 1, overflow: Overflow::DropOldest, ..Options::default() };
/// let queue: Queue<i32> = Queue::new(options, 0);
/// assert_eq!(queue.offer(1, Level::INFO), Offer::Accepted(None));
/// assert_eq!(queue.offer(2, Level::INFO), Offer::Accepted(Some(1))); // the oldest left for it
/// queue.close();
/// assert_eq!(queue.offer(3, Level::INFO), Offer::Dropped(3));
/// ```
#[derive(Debug, PartialEq, Eq)]
pub enum Offer<I, E = I> {
    /// It is in the queue; with it comes what had to leave for it.
    Accepted(Option<E>),
    /// It was refused and counted.
    Dropped(I),
    /// There is no room, and the caller is to wait for some ([`Queue::wait_for_room`]).
    Full(I),
    /// This one has left for it, and there is no room yet: it is to be offered again.
    Evicted(I, E),
}

impl<T: Send> Queue<T> {
    /// An empty queue in front of `handlers` handlers.
    pub fn new(options: Options, handlers: usize) -> Self {
        Self::with(options, handlers)
    }
}

impl<T, W: Waiting> Queue<T, W> {
    /// An empty queue in front of `handlers` handlers, whose items wait in a `W`.
    ///
    /// ```
    /// use std::collections::VecDeque;
    ///
    /// use duramen::Level;
    /// use duramen::queue::{Options, Queue};
    ///
    /// let queue: Queue<String, VecDeque<String>> = Queue::with(Options::default(), 1);
    /// assert!(queue.push("one".to_owned(), Level::INFO));
    /// ```
    pub fn with(options: Options, handlers: usize) -> Self {
        let ledger = Ledger { handlers: vec![HandlerCounts::default(); handlers], ..Ledger::default() };
        Self {
            options: options.at_least_one(),
            state: Mutex::new(State {
                waiting: W::default(),
                ledger,
                is_closed: false,
                is_parked: false,
                is_hurried: false,
                taker: Taker::Awake,
                taker_thread: None,
                gone: 0,
                flying_from: None,
                pushers: 0,
                flushers: 0,
            }),
            items: PhantomData,
            arrived: Condvar::new(),
            left: Condvar::new(),
        }
    }

    /// Puts items that an earlier process left before all that wait, however many they are.
    pub fn recover<I>(&self, items: impl IntoIterator<Item = I>)
    where
        W: Accepts<I>,
    {
        let mut recovered = W::default();
        for item in items {
            // They are in a journal already, and need no room in another one.
            let _ = recovered.accept(item);
        }
        let count = recovered.count() as u64;
        let mut state = self.state();
        state.waiting.give_back(&mut recovered);
        state.ledger.recovered += count;
        state.ledger.queued += count;
        state.taker = Taker::Awake;
        self.arrived.notify_one();
    }

    /// The options that it was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Has `act` do something to what waits, with the queue's lock held: the same holds for it as for [`Waiting`].
    ///
    /// ```
    /// use std::collections::VecDeque;
    ///
    /// use duramen::queue::{Options, Queue};
    ///
    /// let queue: Queue<i32> = Queue::new(Options::default(), 0);
    /// queue.with_waiting(|waiting| waiting.reserve(1000));
    /// ```
    pub fn with_waiting<R>(&self, act: impl FnOnce(&mut W) -> R) -> R {
        act(&mut self.state().waiting)
    }

    fn address(&self) -> standstill::Address {
        std::ptr::from_ref(self).addr()
    }

    fn is_full(&self, waiting: &W) -> bool {
        waiting.count() >= self.options.capacity || waiting.bytes() >= self.options.max_bytes
    }

    /// Whether so much waits that a thread which lets items gather is to be woken: far less than there is room for.
    fn is_crowded(&self, waiting: &W) -> bool {
        waiting.count() >= self.options.worth_a_wake() || waiting.bytes() >= self.options.max_bytes / 2
    }

    /// Waits until no thread takes items out; false when `until` came first.
    pub fn wait_until_untended(&self, until: Instant) -> bool {
        let mut state = self.state();
        let mut in_time = true;
        while in_time && state.taker_thread.is_some() {
            (state, in_time) = wait(&self.left, state, Some(until));
        }
        state.taker_thread.is_none()
    }

    /// Waits until all that was accepted before the call, and what is recovered, has left the queue and been brought to its
    /// end; false when `timeout` came first. The thread that takes items out gets the answer at once, and so does one for which
    /// that thread waits.
    pub fn flush(&self, timeout: Option<Duration>) -> bool {
        self.flush_first(self.accepted(), timeout)
    }

    /// How many items have been accepted so far.
    pub fn accepted(&self) -> u64 {
        self.state().ledger.accepted
    }

    /// The same as [`Queue::flush`] for the first `count` items that were accepted, for who waits in several steps: others may
    /// put items in all the time.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use duramen::Level;
    /// use duramen::queue::{Options, Queue};
    ///
    /// let queue: Queue<i32> = Queue::new(Options::default(), 0);
    /// let before = queue.accepted();
    /// assert!(queue.push(1, Level::INFO));
    /// assert!(queue.flush_first(before, Some(Duration::ZERO)));
    /// assert!(!queue.flush_first(queue.accepted(), Some(Duration::ZERO)));
    /// ```
    pub fn flush_first(&self, count: u64, timeout: Option<Duration>) -> bool {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.state();
        let is_taker = state.taker_thread == Some(thread::current().id());
        let mut in_time = !is_taker;
        state.flushers += 1;
        while in_time && !state.has_ended(count) {
            let Some(_waits) = standstill::wait_for(self.address()) else { break };
            self.hurry(&mut state);
            (state, in_time) = wait(&self.left, state, until);
        }
        state.flushers -= 1;
        state.has_ended(count)
    }

    /// Takes nothing more from now on; what waits can still be taken out.
    pub fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        self.wake_all(&mut state);
    }

    /// Ends the thread that takes items out after the batch that it is about; what waits stays. Until
    /// [`Queue::resume`] no other one takes any.
    pub fn park(&self) {
        let mut state = self.state();
        state.is_parked = true;
        self.wake_all(&mut state);
    }

    /// Lets a thread take items out again.
    pub fn resume(&self) {
        self.state().is_parked = false;
    }

    /// Gives up what waits, which is counted as abandoned, and gives it back.
    pub fn abandon(&self) -> W {
        let mut state = self.state();
        let mut waiting = W::default();
        state.waiting.take(usize::MAX, &mut waiting);
        let count = waiting.count() as u64;
        state.ledger.queued -= count;
        state.ledger.dropped.abandoned += count;
        state.gone += count;
        self.left.notify_all();
        waiting
    }

    /// Whether no thread is there that takes items out, or is on its way to its end.
    pub fn is_untended(&self) -> bool {
        self.state().taker_thread.is_none()
    }

    /// Whether it is the calling thread that takes items out.
    pub fn is_taken_by_this_thread(&self) -> bool {
        self.state().taker_thread == Some(thread::current().id())
    }

    /// Where the items have gone, from one moment.
    pub fn ledger(&self) -> Ledger {
        self.state().ledger.clone()
    }

    fn wake_all(&self, state: &mut State<W>) {
        state.taker = Taker::Awake;
        self.arrived.notify_one();
        self.left.notify_all();
    }

    /// Wakes the thread that lets items gather: somebody waits for them.
    fn hurry(&self, state: &mut State<W>) {
        if state.taker == Taker::Gathers {
            state.taker = Taker::Awake;
            self.arrived.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        // Nothing that can panic runs while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> State<W> {
    /// Whether the first `count` items that were accepted have come to their end. What an earlier process left comes before them.
    fn has_ended(&self, count: u64) -> bool {
        self.flying_from.unwrap_or(self.gone) >= count + self.ledger.recovered
    }
}

/// Waits for `condition`; false when `until` has come.
fn wait<'a, W>(
    condition: &Condvar,
    state: MutexGuard<'a, State<W>>,
    until: Option<Instant>,
) -> (MutexGuard<'a, State<W>>, bool) {
    let Some(until) = until else {
        return (condition.wait(state).unwrap_or_else(PoisonError::into_inner), true);
    };
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return (state, false);
    }
    let (state, _) = condition.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
    (state, true)
}
