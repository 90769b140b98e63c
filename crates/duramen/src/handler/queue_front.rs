//! What handlers before a queue share: level and filters, the thread behind it, the wait for what it holds, and that
//! nothing that happens behind it reaches the caller.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::Handler;
use super::batch;
use super::gate::Gate;
use crate::ending::{self, Pending};
use crate::queue::{Ledger, Queue, Tally, Waiting, Worker};
use crate::{Record, process, report};

/// So long a record that comes while the process ends is waited for.
const AT_THE_END: Duration = Duration::from_secs(1);

/// A queue, and the handlers behind it.
///
/// A forked child has neither the thread nor, maybe, the queue's lock back: it leaves what is in the queue to its parent,
/// and gives its own records to the handlers at once.
pub(super) struct Behind<T, W> {
    /// Who they are behind, in reports.
    pub(super) name: &'static str,
    pub(super) queue: Arc<Queue<T, W>>,
    pub(super) handlers: Arc<[Arc<dyn Handler>]>,
    /// Whose thread takes what is queued.
    process: u32,
    has_said_that_it_drops: AtomicBool,
}

impl<T, W: Waiting> Behind<T, W> {
    pub(super) fn new(
        name: &'static str,
        queue: Arc<Queue<T, W>>,
        handlers: Arc<[Arc<dyn Handler>]>,
    ) -> Self {
        Self { name, queue, handlers, process: process::id(), has_said_that_it_drops: AtomicBool::new(false) }
    }

    /// Whether this is a forked child.
    #[inline]
    pub(super) fn is_left_behind(&self) -> bool {
        self.process != process::id()
    }

    /// Until when a caller may wait for room; `None`: without end.
    #[inline]
    pub(super) fn longest_wait(&self) -> Option<Instant> {
        let (own, at_the_end) = (self.queue.longest_wait(), ending::until());
        own.map_or(at_the_end, |own| Some(at_the_end.map_or(own, |end| end.min(own))))
    }

    /// Gives a record to the handlers, past the queue.
    #[cold]
    pub(super) fn handle_at_once(&self, record: &Record<'_>) {
        for handler in self.handlers.iter().filter(|handler| record.level >= handler.level()) {
            report::guarded(self.name, || handler.handle(record));
        }
    }

    /// Where the records have gone that came in this process.
    pub(super) fn ledger(&self) -> Ledger {
        if self.is_left_behind() { Ledger::default() } else { self.queue.ledger() }
    }

    /// Records that handlers behind have failed at, and that were dropped.
    pub(super) fn lost(&self) -> u64 {
        let ledger = self.ledger();
        ledger.failed + ledger.dropped.total()
    }

    /// Waits until the handlers have all that came before, and flushes them; false when `timeout` came first. They are not
    /// flushed then.
    pub(super) fn flush_within(&self, timeout: Option<Duration>) -> bool {
        let in_time = self.is_left_behind() || self.queue.flush(timeout.or_else(left_at_the_end));
        if in_time {
            batch::on_all(self.name, &self.handlers, "in a flush", |handler| handler.flush());
        }
        in_time
    }

    /// The same at the end of the process; what is left then is told, with what `becomes` of it.
    pub(super) fn hand_on(&self, longest: Duration, becomes: &str) -> bool {
        // The thread that delivers may be the one that has called `exit`; it cannot wait for itself.
        let in_time = self.flush_within(Some(longest));
        if !in_time {
            let ledger = self.queue.ledger();
            let left = ledger.queued + ledger.in_flight;
            report::error(self.name, &format_args!("the process ends with {left} records {becomes}"));
        }
        in_time
    }
}

/// How long a wait may take while the process ends; `None`: it does not.
fn left_at_the_end() -> Option<Duration> {
    ending::until().map(|until| until.saturating_duration_since(Instant::now()))
}

/// What is before the queue.
pub(super) struct Front {
    pub(super) gate: Gate,
    worker: Mutex<Option<Worker>>,
}

impl Front {
    /// Starts the thread that has `deliver` deliver, and has `pending` asked at the end of the process.
    pub(super) fn start<T: 'static, W: Waiting + 'static>(
        queue: &Arc<Queue<T, W>>,
        pending: &Arc<dyn Pending>,
        deliver: impl FnMut(&mut W, &mut Tally) + Send + 'static,
    ) -> io::Result<Self> {
        let worker = Worker::start(Arc::clone(queue), deliver)?;
        ending::register(Arc::downgrade(pending));
        Ok(Self { gate: Gate::default(), worker: Mutex::new(Some(worker)) })
    }

    /// A record has been put into the queue, or dropped: while the process ends, nobody may come for it, or look at the
    /// counts, later.
    pub(super) fn has_put<T, W: Waiting>(behind: &Behind<T, W>, is_accepted: bool) {
        if !ending::has_begun() {
            return;
        }
        if is_accepted {
            behind.flush_within(left_at_the_end().map(|left| left.min(AT_THE_END)));
        } else if !behind.has_said_that_it_drops.swap(true, Ordering::Relaxed) {
            let what =
                "records that come while the process ends are dropped, as there is no room for them in time";
            report::error(behind.name, &what);
        }
    }

    /// Takes nothing more, and waits until what was accepted is delivered.
    pub(super) fn end<T, W: Waiting>(&self, behind: &Behind<T, W>) {
        if behind.is_left_behind() {
            // Its thread is none that could be waited for, or let go of.
            std::mem::forget(self.worker.try_lock().and_then(|mut worker| worker.take()));
            return;
        }
        behind.queue.close();
        let worker = self.worker.lock().take();
        if let Some(worker) = worker {
            worker.join();
        }
    }

    /// The same, and closes the handlers.
    pub(super) fn close<T, W: Waiting>(&self, behind: &Behind<T, W>) {
        self.end(behind);
        batch::on_all(behind.name, &behind.handlers, "in a flush", |handler| handler.flush());
        batch::on_all(behind.name, &behind.handlers, "when it was closed", |handler| handler.close());
    }
}
