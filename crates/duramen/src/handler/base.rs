//! What handlers with one destination share: the gate, the formatter, the lock around the destination, and that neither an
//! error nor a panic reaches the caller.

mod beside;
mod waiting_lines;

use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::{ReentrantMutex, ReentrantMutexGuard};

use super::gate::Gate;
use super::{Handler, LineHandler, Rendered};
use crate::ending::{self, Pending};
use crate::formatter::text::TextFormatter;
use crate::redact::Redactor;
use crate::spool;
use crate::{Filter, Formatter, Level, Record, process, report};

use waiting_lines::{Lines, WaitingLines};

/// Where a handler brings its records: everything that is different from handler to handler.
///
/// ```
/// use std::io;
///
/// use duramen::handler::{BasicHandler, Destination};
/// use duramen::{Formatter, Record};
///
/// /// Keeps the last line, for a status page.
/// #[derive(Default)]
/// struct LastLine(Vec<u8>);
///
/// impl Destination for LastLine {
///     fn name(&self) -> &'static str {
///         "LastLine"
///     }
///     fn emit(&mut self, record: &Record<'_>, formatter: &dyn Formatter) -> io::Result<()> {
///         self.0.clear();
///         formatter.format(record, &mut self.0);
///         Ok(())
///     }
///     fn close(&mut self) -> io::Result<()> {
///         Ok(())
///     }
/// }
///
/// let handler = BasicHandler::with_destination(LastLine::default()); // level, filters, formatter, lock
/// ```
///
/// One that collects lines and sends them together, and says what it has lost:
///
/// ```
/// use std::io;
///
/// use duramen::handler::{BasicHandler, Destination};
/// use duramen::{Formatter, Handler, Level, Record};
///
/// #[derive(Default)]
/// struct Batches {
///     lines: Vec<Vec<u8>>,
///     is_held_back: bool,
///     lost: u64,
/// }
///
/// impl Destination for Batches {
///     fn name(&self) -> &'static str {
///         "Batches"
///     }
///     fn emit(&mut self, record: &Record<'_>, formatter: &dyn Formatter) -> io::Result<()> {
///         let mut line = Vec::new();
///         formatter.format(record, &mut line);
///         self.lines.push(line);
///         if self.is_held_back { Ok(()) } else { self.flush() }
///     }
///     fn hold_back(&mut self) {
///         self.is_held_back = true; // until the next flush
///     }
///     fn failed(&self) -> Option<u64> {
///         Some(self.lost)
///     }
///     fn flush(&mut self) -> io::Result<()> {
///         self.is_held_back = false;
///         let lines = std::mem::take(&mut self.lines);
///         send(&lines).inspect_err(|_| self.lost += lines.len() as u64)
///     }
///     fn close(&mut self) -> io::Result<()> {
///         self.flush()
///     }
/// }
/// # fn send(_: &[Vec<u8>]) -> io::Result<()> { Ok(()) }
///
/// let handler = BasicHandler::with_destination(Batches::default());
/// handler.handle(&Record::new("shop", Level::INFO, "paid"));
/// assert_eq!(handler.failed(), Some(0));
/// ```
pub trait Destination: Send {
    /// The handler's name in reports, as `FileHandler`.
    fn name(&self) -> &'static str;

    /// Formats and delivers one record.
    ///
    /// # Errors
    /// Those of the destination.
    fn emit(&mut self, record: &Record<'_>, formatter: &dyn Formatter) -> io::Result<()>;

    /// Many records come now: they may be held back until the next [`Destination::flush`].
    fn hold_back(&mut self) {}

    /// How many records have failed, where the destination counts them: one that holds records back, whose errors may be of
    /// earlier ones.
    fn failed(&self) -> Option<u64> {
        None
    }

    /// Where its lines go, where it writes lines that another process could write as well.
    ///
    /// ```
    /// use duramen::handler::Destination;
    /// use duramen::handler::Written;
    /// use duramen::{spool, writer::StreamWriter};
    ///
    /// // A journal keeps lines for it when the process is killed; the next one writes them with `write_line`.
    /// let written = Written::new("StreamHandler", StreamWriter::stderr());
    /// assert_eq!(written.place(), Some(spool::Destination::Stderr));
    /// ```
    fn place(&self) -> Option<spool::Destination> {
        None
    }

    /// Writes a line that was made before, with its terminator.
    ///
    /// ```
    /// use duramen::handler::Destination;
    /// use duramen::handler::Written;
    /// use duramen::writer::FileWriter;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.log");
    /// let mut written = Written::new("FileHandler", FileWriter::new(&path));
    /// written.write_line(b"of a process that was killed\n").unwrap();
    /// written.close().unwrap();
    /// assert_eq!(std::fs::read(path).unwrap(), b"of a process that was killed\n");
    /// ```
    ///
    /// # Errors
    /// Those of the destination; [`io::ErrorKind::Unsupported`] where it has no [`Destination::place`].
    fn write_line(&mut self, _line: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Writes the line of a record that was made before, as [`Destination::emit`] writes what it makes itself. Is asked of
    /// destinations that have a [`Destination::place`], where several threads log at the same time.
    ///
    /// ```
    /// use duramen::handler::{Destination, Written};
    /// use duramen::{Level, writer::FileWriter};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.log");
    /// let mut written = Written::new("FileHandler", FileWriter::new(&path).buffered(1024));
    /// written.emit_line(b"paid\n", Level::INFO).unwrap();
    /// assert_eq!(std::fs::read(&path).unwrap(), b"");
    /// written.emit_line(b"out of paper\n", Level::ERROR).unwrap(); // a buffer is written by a severe record
    /// assert_eq!(std::fs::read(&path).unwrap(), b"paid\nout of paper\n");
    /// ```
    ///
    /// # Errors
    /// Those of the destination.
    fn emit_line(&mut self, line: &[u8], _level: Level) -> io::Result<()> {
        self.write_line(line)
    }

    /// The records that were told of by [`Destination::hold_back`] have come: hands on what was held back for them. A buffer
    /// that a destination has anyway may keep what it would have kept of single records.
    ///
    /// ```
    /// use duramen::handler::{Destination, Written};
    /// use duramen::{Level, writer::FileWriter};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.log");
    /// let mut written = Written::new("FileHandler", FileWriter::new(&path));
    /// written.hold_back();
    /// written.emit_line(b"one\n", Level::INFO).unwrap();
    /// written.emit_line(b"two\n", Level::INFO).unwrap();
    /// assert_eq!(std::fs::read(&path).unwrap(), b"");
    /// written.release().unwrap();
    /// assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
    /// ```
    ///
    /// # Errors
    /// Those of the destination.
    fn release(&mut self) -> io::Result<()> {
        self.flush()
    }

    /// Hands on what is held back.
    ///
    /// # Errors
    /// Those of the destination.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Releases the destination; the next record opens it again.
    ///
    /// # Errors
    /// Those of the destination.
    fn close(&mut self) -> io::Result<()>;
}

/// A handler made of a destination.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::filter::NameFilter;
/// use duramen::formatter::JsonFormatter;
/// use duramen::handler::BasicHandler;
/// use duramen::handler::Written;
/// use duramen::writer::FileWriter;
/// use duramen::{Handler, Level, Record};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("app.log");
/// // What `FileHandler` is, put together by hand.
/// let handler = BasicHandler::with_destination(Written::new("FileHandler", FileWriter::new(&path)));
/// handler.set_level(Level::WARNING);
/// handler.set_formatter(Arc::new(JsonFormatter::default()));
/// handler.add_filter(Arc::new(NameFilter::new("shop")));
/// handler.handle(&Record::new("shop", Level::WARNING, "low on paper"));
/// handler.close();
/// assert!(std::fs::read_to_string(path).unwrap().contains("low on paper"));
/// ```
pub struct BasicHandler<D> {
    gate: Gate,
    form: ArcSwap<Form>,
    /// How often the form has been set.
    form_number: AtomicUsize,
    name: &'static str,
    destination: Arc<Shared<D>>,
    /// Whether lines may be made before the destination's lock is had.
    takes_lines: bool,
    waiting: WaitingLines,
    /// The destination has a buffer: a line is copied to it sooner than it could be left to another thread.
    is_buffered: bool,
    /// The process of the thread that has the destination's lock, 0 where none has: of a forked child's parent where another
    /// thread had it at that moment.
    process: AtomicU32,
    /// The process that made the handler.
    made_by: u32,
    /// Records that have failed otherwise than the destination counts.
    failed: AtomicU64,
}

/// So long a forked child waits for a lock of which nobody says that he has it: each of its threads says so soon.
const SAID_SOON: Duration = Duration::from_millis(100);

/// Reentrant, so that a formatter or a stream that logs to its own handler is noticed, not waited for.
type Shared<D> = ReentrantMutex<RefCell<Held<D>>>;

/// What the lock guards.
struct Held<D> {
    destination: D,
    /// The form as it was when it had been set so often: reading it here costs nothing that other threads can see.
    form: Arc<Form>,
    form_number: usize,
    /// Lines of other threads that are being written; kept for its memory.
    lines: Lines,
}

/// How a handler shows its records.
#[derive(Clone)]
struct Form {
    formatter: Arc<dyn Formatter>,
    redactor: Option<Arc<Redactor>>,
}

impl<D: Destination> BasicHandler<D> {
    /// A handler for all levels, without filters, that writes messages alone.
    pub fn with_destination(destination: D) -> Self {
        let form = Arc::new(Form { formatter: Arc::new(TextFormatter::default()), redactor: None });
        Self {
            gate: Gate::default(),
            form: ArcSwap::new(Arc::clone(&form)),
            form_number: AtomicUsize::new(0),
            name: destination.name(),
            takes_lines: destination.place().is_some(),
            waiting: WaitingLines::default(),
            is_buffered: false,
            process: AtomicU32::new(0),
            made_by: process::id(),
            destination: Arc::new(ReentrantMutex::new(RefCell::new(Held {
                destination,
                form,
                form_number: 0,
                lines: Lines::default(),
            }))),
            failed: AtomicU64::new(0),
        }
    }

    /// Sets the least severe level that the handler takes.
    pub fn set_level(&self, level: Level) {
        self.gate.set_level(level);
    }

    /// Sets the formatter.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{formatter::JsonFormatter, handler::StreamHandler};
    ///
    /// let handler = StreamHandler::stderr();
    /// handler.set_formatter(Arc::new(JsonFormatter::default()));
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "who sets it gives it away")]
    pub fn set_formatter(&self, formatter: Arc<dyn Formatter>) {
        self.form.rcu(|form| Form { formatter: Arc::clone(&formatter), redactor: form.redactor.clone() });
        self.form_number.fetch_add(1, Ordering::Release);
    }

    /// Adds a filter.
    pub fn add_filter(&self, filter: Arc<dyn Filter>) {
        self.gate.add_filter(filter);
    }

    /// Formats masked copies of the records from now on; other handlers see them as they were.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::redact::Redactor;
    /// use duramen::{Manager, handler::FileHandler, warning};
    ///
    /// let path = std::env::temp_dir().join(format!("masked-{}.log", std::process::id()));
    /// let handler = FileHandler::new(&path).unwrap();
    /// handler.set_redactor(Arc::new(Redactor::builder().pack("credentials").build().unwrap()));
    /// let manager = Manager::new();
    /// manager.root().add_handler(Arc::new(handler));
    /// warning!(manager.root(), "refused password=hunter2");
    /// assert!(!std::fs::read_to_string(&path).unwrap().contains("hunter2"));
    /// # std::fs::remove_file(path).unwrap();
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "who sets it gives it away")]
    pub fn set_redactor(&self, redactor: Arc<Redactor>) {
        self.form.rcu(|form| Form {
            formatter: Arc::clone(&form.formatter),
            redactor: Some(Arc::clone(&redactor)),
        });
        self.form_number.fetch_add(1, Ordering::Release);
    }

    /// The destination has a buffer, which is handed on when the process ends by `exit` or a return from `main`.
    pub(super) fn with_buffer(mut self) -> Self
    where
        D: 'static,
    {
        let destination: Arc<dyn Pending> = Arc::<Shared<D>>::clone(&self.destination);
        ending::register(Arc::downgrade(&destination));
        self.is_buffered = true;
        self
    }

    /// Runs `act` on the destination under its lock; an error or a panic is reported. Whether it went well.
    fn guarded(&self, act: impl FnOnce(&mut Held<D>) -> io::Result<()>) -> Outcome {
        self.lock().map_or(Outcome::Uncounted, |locked| self.guarded_by(&locked, act))
    }

    /// Waits for the destination's lock; none in a forked child of which nobody gives it back.
    fn lock(&self) -> Option<ReentrantMutexGuard<'_, RefCell<Held<D>>>> {
        let locked = self.destination.try_lock();
        if locked.is_some() {
            return locked;
        }
        if self.is_left_behind() {
            let what = "the process was forked while another thread was writing: this handler cannot be used in the child";
            report::error(self.name, &what);
            return None;
        }
        Some(self.destination.lock())
    }

    fn is_left_behind(&self) -> bool {
        match self.process.load(Ordering::Relaxed) {
            0 => self.made_by != process::id() && self.is_left_without_a_word(),
            process => process != process::id(),
        }
    }

    /// The parent's thread may have been about to say that it has the lock, or to give it back.
    #[cold]
    fn is_left_without_a_word(&self) -> bool {
        let is_left = self.destination.try_lock_for(SAID_SOON).is_none();
        is_left
            && self.process.compare_exchange(0, self.made_by, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn guarded_by(
        &self,
        locked: &ReentrantMutexGuard<'_, RefCell<Held<D>>>,
        act: impl FnOnce(&mut Held<D>) -> io::Result<()>,
    ) -> Outcome {
        let Ok(mut held) = locked.try_borrow_mut() else {
            self.refuse_nested();
            return Outcome::Uncounted;
        };
        self.acting(|| self.act(&mut held, act))
    }

    /// Does with the destination what catches all panics.
    #[inline]
    fn acting<R>(&self, act: impl FnOnce() -> R) -> R {
        self.process.store(process::id(), Ordering::Relaxed);
        let result = act();
        self.process.store(0, Ordering::Relaxed);
        result
    }

    fn refuse_nested(&self) {
        report::error(self.name, &"a record made while the same handler was writing is dropped");
    }

    fn act(&self, held: &mut Held<D>, act: impl FnOnce(&mut Held<D>) -> io::Result<()>) -> Outcome {
        // A user's filter or formatter may panic. The destination's own state is whole between calls.
        match catch_unwind(AssertUnwindSafe(|| act(held))) {
            Ok(Ok(())) => Outcome::Done,
            Ok(Err(error)) => {
                report::error(self.name, &error);
                if held.destination.failed().is_some() { Outcome::Counted } else { Outcome::Uncounted }
            }
            Err(_) => {
                report::error(self.name, &"panic while handling a record");
                Outcome::Uncounted
            }
        }
    }

    /// [`BasicHandler::guarded`] for one record; false when something failed, which is counted.
    fn deliver(&self, act: impl FnOnce(&mut Held<D>) -> io::Result<()>) -> bool {
        self.counted(self.guarded(act))
    }

    fn counted(&self, outcome: Outcome) -> bool {
        if outcome == Outcome::Uncounted {
            self.has_failed();
        }
        outcome == Outcome::Done
    }

    fn has_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes the record to the destination, which is locked.
    fn emit(&self, held: &mut Held<D>, record: &Record<'_>) -> io::Result<()> {
        if !self.gate.passes(record) {
            return Ok(());
        }
        // Asked before the form is: one that is set meanwhile is taken now or at the next record.
        let number = self.form_number.load(Ordering::Acquire);
        if held.form_number != number {
            held.form = self.form.load_full();
            held.form_number = number;
        }
        let Held { destination, form, .. } = held;
        let formatter = form.formatter.as_ref();
        match &form.redactor {
            Some(redactor) => redactor.with_masked(record, |record| destination.emit(record, formatter)),
            None => destination.emit(record, formatter),
        }
    }

    /// Appends the line of a record.
    fn rendered(&self, record: &Record<'_>, line: &mut Vec<u8>) -> Rendered {
        let begin = line.len();
        let rendering = || {
            if !self.gate.passes(record) {
                return Rendered::HeldBack;
            }
            let form = self.form.load();
            match &form.redactor {
                Some(redactor) => redactor.with_masked(record, |record| form.formatter.format(record, line)),
                None => form.formatter.format(record, line),
            }
            line.push(b'\n');
            Rendered::Line
        };
        catch_unwind(AssertUnwindSafe(rendering)).unwrap_or_else(|_| {
            line.truncate(begin);
            report::error(self.name, &"panic while handling a record");
            Rendered::Failed
        })
    }
}

/// What has become of an act on a destination.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// It failed, and the destination counts what fails.
    Counted,
    /// It failed.
    Uncounted,
}

impl<D: Destination> Handler for BasicHandler<D> {
    fn level(&self) -> Level {
        self.gate.level()
    }

    fn handle(&self, record: &Record<'_>) {
        if self.is_rendering_beside() {
            self.refuse_nested();
            return self.has_failed();
        }
        let locked = match self.destination.try_lock() {
            Some(locked) => Some(locked),
            // In a forked child lines of the parent's threads may be waiting, which are the parent's to write.
            None if self.takes_lines && self.made_by == process::id() => return self.deliver_beside(record),
            None => self.lock(),
        };
        let Some(locked) = locked else { return self.has_failed() };
        self.counted(self.guarded_by(&locked, |held| self.emit(held, record)));
    }

    fn hold_back(&self) {
        self.guarded(|held| {
            held.destination.hold_back();
            Ok(())
        });
    }

    fn failed(&self) -> Option<u64> {
        let locked = self.lock();
        let held = locked.as_ref().and_then(|locked| locked.try_borrow().ok());
        let by_destination = held.and_then(|held| held.destination.failed());
        Some(self.failed.load(Ordering::Relaxed) + by_destination.unwrap_or(0))
    }

    fn as_lines(&self) -> Option<&dyn LineHandler> {
        Some(self)
    }

    fn flush(&self) {
        self.guarded(|held| held.destination.flush());
    }

    fn close(&self) {
        self.guarded(|held| held.destination.close());
    }
}

impl<D: Destination> Pending for Shared<D> {
    fn hand_on(&self, longest: Duration) {
        // A thread that hangs in a write has it; or this very thread, which has called `exit` in the middle of one.
        let Some(destination) = self.try_lock_for(longest) else { return };
        let Ok(mut held) = destination.try_borrow_mut() else { return };
        if let Err(error) = held.destination.flush() {
            report::error(held.destination.name(), &error);
        }
    }
}

impl<D: Destination> LineHandler for BasicHandler<D> {
    fn destination(&self) -> Option<spool::Destination> {
        let mut place = None;
        self.guarded(|held| {
            place = held.destination.place();
            Ok(())
        });
        place
    }

    fn render(&self, record: &Record<'_>, line: &mut Vec<u8>) -> Rendered {
        self.rendered(record, line)
    }

    fn write_line(&self, line: &[u8]) -> bool {
        self.deliver(|held| held.destination.write_line(line))
    }
}
