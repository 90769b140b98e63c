//! The native part of `AsyncHandler`, and of a `QueueHandler` whose queue nobody has looked at: a queue in front of
//! handlers, and its worker.
//!
//! The worker is a thread that knows no interpreter while all that waits are lines. Where a record in Python
//! form waits it hands over to a thread of Python's, which writes the lines in between too.

mod earlier;
mod journaled;
mod offering;
mod outlet;
mod plan;
mod present;
mod rolling;
mod sending;
mod shortcut;
mod stats;
mod streams;
mod system;
mod waiting;
mod worker;
mod writing;

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use duramen::queue::{Options, Overflow, Waiting as _};
use duramen::writer::fsync::Syncer;
use duramen::{Level, background};
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::handler;
use crate::interpreter::{Attached, intern};
use journaled::{JournalOptions, Settings};
pub(crate) use plan::QueuePlan;
use present::Present;
pub(crate) use sending::{Behind, send};
pub(crate) use shortcut::{Shortcut, set_unseen_queue};
use streams::KnownStream;
pub(crate) use system::pause;
use waiting::{Item, Items};
use worker::{Native, Taken};

/// A wait for room looks this often whether a signal has come.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(50);

/// The queue of an `AsyncHandler`, or what stands in for that of a `QueueHandler`.
#[pyclass(frozen, weakref, module = "duramen._core")]
pub(crate) struct RecordQueue {
    options: Options,
    journal: Option<Arc<Settings>>,
    handlers: Vec<Py<PyAny>>,
    /// Called with whether a thread of Python's is wanted, when a record comes and none takes it out.
    start_worker: Py<PyAny>,
    present: Attached<Present>,
    streams: Attached<Vec<Option<KnownStream>>>,
    /// There was a line for a file that is rolled over, for which a thread of Python's is needed.
    rolls: AtomicBool,
    /// Set when the process ends: records go to the handlers directly.
    is_bypassed: AtomicBool,
    /// Set when the process ends: what is on its way to the queue goes to the handlers as well. Until then, at most, it
    /// waits for what came before.
    ends_at: OnceLock<Instant>,
}

fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value).map_err(|error| PyValueError::new_err(format!("{name}: {error}")))
}

/// Those that handlers behind a queue bring their files to the disk with.
fn syncers_of<'py>(handlers: impl Iterator<Item = Bound<'py, PyAny>>) -> PyResult<Vec<Option<Arc<Syncer>>>> {
    handlers.map(|handler| handler::fsync::of(&handler)).collect()
}

/// Whether a queue has been made: a program without one need not look for it.
static ANY_MADE: AtomicBool = AtomicBool::new(false);

impl RecordQueue {
    pub(crate) fn is_any_made() -> bool {
        ANY_MADE.load(Ordering::Relaxed)
    }
}

#[pymethods]
impl RecordQueue {
    #[new]
    fn new(
        behind: &Bound<'_, PyTuple>,
        capacity: usize,
        overflow: (String, i64),
        block_timeout: Option<f64>,
        flush_interval: f64,
        journal: Option<JournalOptions>,
        start_worker: Py<PyAny>,
    ) -> PyResult<Self> {
        let (overflow, least) = overflow;
        let overflow = match &*overflow {
            "block" => Overflow::Block,
            "drop_newest" => Overflow::DropNewest,
            "drop_oldest" => Overflow::DropOldest,
            "drop_below" => Overflow::DropBelow(Level(least)),
            _ => return Err(PyValueError::new_err(format!("there is no overflow {overflow:?}"))),
        };
        let options = Options {
            capacity,
            overflow,
            block_timeout: block_timeout.map(|longest| seconds("block_timeout", longest)).transpose()?,
            flush_interval: seconds("flush_interval", flush_interval)?,
            ..Options::default()
        };
        let handlers: Vec<_> = behind.iter().map(Bound::unbind).collect();
        let streams = Attached::new(handlers.iter().map(|_| None).collect());
        let journal = journal.map(Settings::new).transpose()?.map(Arc::new);
        let options = match &journal {
            Some(settings) => options.within_journal(settings.size()),
            None => options,
        };
        let present = Present::new(&options, handlers.len());
        if let Some(settings) = &journal {
            settings.create(&present.journal, &present.queue)?;
            present.earlier.begin(&present.queue, settings, syncers_of(behind.iter())?);
        }
        let present = Attached::new(present);
        ANY_MADE.store(true, Ordering::Relaxed);
        Ok(Self {
            options,
            journal,
            handlers,
            start_worker,
            present,
            streams,
            rolls: AtomicBool::new(false),
            is_bypassed: AtomicBool::new(false),
            ends_at: OnceLock::new(),
        })
    }

    /// A handler behind the queue may refer to the one in front of it. What breaks such a circle is that one's
    /// dict, so that there is nothing to clear here.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for handler in &self.handlers {
            visit.call(handler)?;
        }
        visit.call(&self.start_worker)
    }

    /// Puts a record in Python form into the queue, waiting as the options say. `lines`: those for the journal, with
    /// the places of their handlers; none where they could not be made.
    #[pyo3(signature = (record, level, lines=None))]
    fn put(
        &self,
        py: Python<'_>,
        record: Py<PyAny>,
        level: i64,
        lines: Option<Vec<(usize, PyBackedBytes)>>,
    ) -> PyResult<()> {
        let kept = self.lines_of_record(lines);
        self.offer(py, Item::Record(record, kept), Level(level))
    }

    /// Starts the thread that knows no interpreter.
    fn start_native(&self) -> PyResult<()> {
        let queue = self.queue();
        let runs = Arc::new(AtomicBool::new(true));
        let number = Arc::default();
        let (of_thread, own_number) = (Arc::clone(&runs), Arc::clone(&number));
        let (journal, earlier, given_up) = (self.slot(), self.earlier(), self.has_given_up());
        let work = move || {
            system::number_of_this_thread(&own_number);
            worker::write_lines(&queue, &journal, &earlier, &given_up);
            of_thread.store(false, Ordering::Release);
        };
        let thread = background::spawn("duramen-queue", work)?;
        // SAFETY: attached; a handle that is replaced is of a thread that has ended.
        let previous = unsafe { (*self.present()).native.replace(Native { thread, runs, number }) };
        drop(previous);
        Ok(())
    }

    /// For the thread of Python's: writes the lines that wait, and gives the records that come next; `None` when
    /// there is nothing more to do. Without `waits`, for a thread that stands in for it: nothing to do now.
    fn take<'py>(&self, py: Python<'py>, waits: bool) -> Option<Bound<'py, PyList>> {
        let (queue, taken, journal, given_up) =
            (self.queue(), self.taken(), self.slot(), self.has_given_up());
        let earlier = self.earlier();
        let prepare = |place, rolling: &_, line: &_| self.prepare(place, rolling, line);
        py.detach(|| {
            loop {
                let mut batch = taken.lock();
                if batch.items.is_empty() {
                    if mem::take(&mut batch.is_open) {
                        earlier.go_on(&queue);
                        queue.settle(&mem::take(&mut batch.tally));
                    }
                    drop(batch);
                    let mut fresh = Items::default();
                    let has_taken = if waits { queue.take(&mut fresh) } else { queue.take_ready(&mut fresh) };
                    if !has_taken {
                        return None;
                    }
                    batch = taken.lock();
                    (batch.items, batch.is_open) = (fresh, true);
                }
                let Taken { items, tally, .. } = &mut *batch;
                writing::write_front(items, tally, &journal, Some(&prepare), &given_up);
                if given_up.load(Ordering::Acquire) {
                    batch.give_up(&queue, Vec::new());
                    return None;
                }
                let (records, kept): (Vec<_>, VecDeque<_>) =
                    writing::records_in_front(items).into_iter().unzip();
                if !records.is_empty() {
                    batch.kept = kept;
                    batch.begin_next(&journal);
                    return Some(records);
                }
            }
        })
        .and_then(|records| PyList::new(py, records).ok())
    }

    /// Counts what the handler at `place` has made of a record: `delivered`, `failed` or `below_level`.
    fn count(&self, place: usize, outcome: &str) {
        let taken = self.taken();
        let mut batch = taken.lock();
        let counts = batch.tally.handler(place.min(self.handlers.len()));
        match outcome {
            "delivered" => counts.delivered += 1,
            "failed" => counts.failed += 1,
            _ => counts.below_level += 1,
        }
    }

    /// Counts a record that has come to its end; false in a child that its handler has forked, and to which the rest of the
    /// batch does not belong.
    fn count_record(&self, failed: bool) -> bool {
        let (taken, journal) = (self.taken(), self.slot());
        let mut taken = taken.lock();
        if !taken.is_open {
            return false;
        }
        taken.tally.item(failed);
        if let Some(Some(kept)) = taken.kept.pop_front() {
            journaled::end(&journal, [(kept, failed)]);
        }
        taken.begin_next(&journal);
        true
    }

    /// Looks at the stream of the handler at `place` again, which the thread of Python's has written to.
    fn look_again(&self, py: Python<'_>, place: usize) -> PyResult<()> {
        let Some(handler) = self.handlers.get(place) else { return Ok(()) };
        let stream = handler.bind(py).getattr_opt(intern!(py, "stream"))?;
        // SAFETY: attached; the reference does not outlive the look.
        let is_looked_at = unsafe { (&*self.streams.get())[place].is_some() };
        if let Some(stream) = stream.filter(|stream| is_looked_at && !stream.is_none()) {
            self.look_at(&stream, place, None)?;
        }
        Ok(())
    }

    /// Notes the system's number of the thread of Python's, which calls this.
    fn python_has_begun(&self, number: u64) {
        self.queue().begin_service();
        // SAFETY: attached.
        unsafe { (*self.present()).python_number = Some(number) };
    }

    /// Starts a thread of Python's that calls `function` with `arguments`, unless there is one; whether it did.
    ///
    /// That it is there is noted together with its start: what a signal handler logs in between would wait for the thread
    /// that it has interrupted.
    fn start_python(
        &self,
        start_new_thread: &Bound<'_, PyAny>,
        function: &Bound<'_, PyAny>,
        arguments: &Bound<'_, PyTuple>,
    ) -> PyResult<bool> {
        // SAFETY: attached; nothing runs while the reference lives.
        let has_begun = unsafe {
            let present = &mut *self.present();
            let had_one = mem::replace(&mut present.has_python, true);
            present.starting = if had_one { present.starting } else { Some(thread::current().id()) };
            !had_one
        };
        if !has_begun {
            return Ok(false);
        }
        let started = start_new_thread.call1((function, arguments));
        // SAFETY: as above.
        unsafe {
            let present = &mut *self.present();
            present.starting = None;
            present.has_python &= started.is_ok();
        }
        started.map(|_| true)
    }

    /// The thread of Python's is at its end.
    fn python_has_ended(&self) {
        self.queue().end_service();
        // SAFETY: attached.
        unsafe { (*self.present()).has_python = false };
    }

    /// Waits until what was accepted before has come to its end; false when `timeout` seconds were not enough.
    fn flush(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let until = Instant::now() + seconds("timeout", timeout)?;
        let mut before = None;
        loop {
            // Another thread may have forked meanwhile, or fork now.
            self.start_if_needed(py)?;
            let left = until.saturating_duration_since(Instant::now());
            if let Some(answer) = self.flush_a_little(py, &mut before, left) {
                return Ok(answer);
            }
            if self.stands_still_here(py)? {
                return Ok(false);
            }
            py.check_signals()?;
        }
    }

    /// Whether what waits may come to its end only after the calling thread has gone on, which a signal handler or a hook has
    /// interrupted.
    fn waits_here(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.is_held_here(py)? || self.has_lock_here(py)?)
    }

    /// Takes nothing more from now on. The files stay open for the lines that wait.
    fn close(&self) {
        self.queue().close();
        self.is_bypassed.store(true, Ordering::Relaxed);
        self.forget_streams();
    }

    /// Whether records wait, or are being delivered. Nothing is imported for it, as late in the end of the interpreter as this
    /// is asked.
    fn has_records(&self) -> bool {
        let ledger = self.queue().ledger();
        ledger.queued + ledger.in_flight > 0
    }

    /// Whether something waits that the calling thread could take out at once.
    fn has_ready(&self) -> bool {
        self.queue().has_ready()
    }

    /// Whether a thread takes out what waits, or has been started for that.
    fn has_worker(&self) -> bool {
        // SAFETY: attached; the reference lives only for the look.
        let present = unsafe { &*self.present() };
        present.has_python
            || present.native.as_ref().is_some_and(|native| native.runs.load(Ordering::Acquire))
    }

    /// Ends the worker after the batch that it is about, and waits for that, `timeout` seconds at most: whether
    /// it has ended.
    fn park(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let until = Instant::now() + seconds("timeout", timeout)?;
        let queue = self.queue();
        // SAFETY: attached; nothing runs while the reference lives.
        let native = unsafe { (*self.present()).native.take() };
        let native = py.detach(|| {
            queue.park();
            queue.wait_until_untended(until);
            native.and_then(|native| native.end(until))
        });
        let native_has_ended = native.is_none();
        // SAFETY: as above.
        unsafe { (*self.present()).native = native };
        loop {
            // SAFETY: as above.
            let (has_python, number) = unsafe {
                let present = &*self.present();
                (present.has_python, present.python_number)
            };
            if !has_python && !number.is_some_and(system::has_thread) {
                // The system may give it to another thread.
                // SAFETY: as above.
                unsafe { (*self.present()).python_number = None };
                return Ok(native_has_ended);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            py.detach(|| system::pause(system::SHORT));
        }
    }

    /// Ends the worker as [`RecordQueue::park`] does, and lets go of the files, and of the journal where nothing in it waits,
    /// until the next record comes; whether it has ended in time.
    ///
    /// In any case the next record may start a worker: no signal handler can come in between that would keep the queue parked.
    fn rest(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let has_ended = self.park(py, timeout)?;
        if has_ended {
            self.put_journal_away();
        }
        self.queue().resume();
        if has_ended {
            self.forget_streams();
        }
        Ok(has_ended)
    }

    /// For the thread that ends the process: lets a worker be started, where a signal handler has come here from what keeps
    /// it at rest on this thread.
    fn go_on_here(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_held_here(py)? {
            self.queue().resume();
        }
        Ok(())
    }

    /// Has records delivered by who logs them from now on, after what waits: that is given `timeout` seconds.
    fn bypass(&self, timeout: f64) -> PyResult<()> {
        let ends_at = Instant::now() + seconds("timeout", timeout)?;
        self.is_bypassed.store(true, Ordering::Relaxed);
        self.ends_at.get_or_init(|| ends_at);
        Ok(())
    }

    /// Before a fork: takes over what children that have ended without an orderly end left in the folder of the journal, so
    /// that they do not fill the disk while this process lives.
    fn adopt(&self, py: Python<'_>) -> PyResult<()> {
        let Some(settings) = self.journal.as_ref().filter(|settings| settings.has_to_look()) else {
            return Ok(());
        };
        let syncers = syncers_of(self.handlers.iter().map(|handler| handler.bind(py).clone()))?;
        let (queue, earlier) = (self.queue(), self.earlier());
        py.detach(|| earlier.begin(&queue, settings, syncers));
        self.start_if_needed(py)
    }

    /// Lets a worker be started again.
    fn resume(&self) {
        self.queue().resume();
    }

    /// Gives up what waits; how many records that were, with those in flight.
    fn abandon(&self) -> u64 {
        let queue = self.queue();
        let in_flight = queue.ledger().in_flight;
        if self.ends_at.get().is_some() {
            // Records that come are delivered at once: nothing of this may come after them.
            self.has_given_up().store(true, Ordering::Release);
        }
        queue.abandon().count() as u64 + in_flight
    }

    /// Whether what waits is given up, so that the worker has to leave its next record.
    fn is_given_up(&self) -> bool {
        self.has_given_up().load(Ordering::Acquire)
    }

    /// Gives up `records`, the rest of what [`RecordQueue::take`] gave, with all that the thread has taken out.
    fn leave(&self, records: Vec<Py<PyAny>>) {
        self.taken().lock().give_up(&self.queue(), records);
    }

    /// Removes the journal, unless something in it waits for who opens its folder next; whether that is so.
    fn close_journal(&self) -> bool {
        journaled::opened(&self.slot()).is_some_and(|journal| {
            journal.discard_if_empty();
            !journal.is_empty()
        })
    }

    /// Where the records have gone.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = stats::of(py, &self.queue().ledger())?;
        let journal = self.journal.as_ref().map(|settings| settings.stats(py, &self.slot())).transpose()?;
        stats.set_item("journal", journal)?;
        Ok(stats)
    }
}
