//! What handlers with one destination share: the gate, the formatter, the lock around the destination, and that neither an
//! error nor a panic reaches the caller.

use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::ReentrantMutex;

use super::gate::Gate;
use super::{Handler, LineHandler};
use crate::ending::{self, Pending};
use crate::formatter::text::TextFormatter;
use crate::redact::Redactor;
use crate::spool;
use crate::{Filter, Formatter, Level, Record, report};

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
    /// Records that have failed otherwise than the destination counts.
    failed: AtomicU64,
}

/// Reentrant, so that a formatter or a stream that logs to its own handler is noticed, not waited for.
type Shared<D> = ReentrantMutex<RefCell<Held<D>>>;

/// What the lock guards.
struct Held<D> {
    destination: D,
    /// The form as it was when it had been set so often: reading it here costs nothing that other threads can see.
    form: Arc<Form>,
    form_number: usize,
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
            destination: Arc::new(ReentrantMutex::new(RefCell::new(Held {
                destination,
                form,
                form_number: 0,
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

    /// Hands on what is held back when the process ends by `exit` or a return from `main`.
    pub(super) fn hand_on_at_the_end(self) -> Self
    where
        D: 'static,
    {
        let destination: Arc<dyn Pending> = Arc::<Shared<D>>::clone(&self.destination);
        ending::register(Arc::downgrade(&destination));
        self
    }

    /// Runs `act` on the destination under its lock; an error or a panic is reported. Whether it went well.
    fn guarded(&self, act: impl FnOnce(&mut Held<D>) -> io::Result<()>) -> Outcome {
        let locked = self.destination.lock();
        let Ok(mut held) = locked.try_borrow_mut() else {
            report::error(self.name, &"a record made while the same handler was writing is dropped");
            return Outcome::Uncounted;
        };
        // A user's filter or formatter may panic. The destination's own state is whole between calls.
        match catch_unwind(AssertUnwindSafe(|| act(&mut held))) {
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
        let outcome = self.guarded(act);
        if outcome == Outcome::Uncounted {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        outcome == Outcome::Done
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
        self.deliver(|held| {
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
        });
    }

    fn hold_back(&self) {
        self.guarded(|held| {
            held.destination.hold_back();
            Ok(())
        });
    }

    fn failed(&self) -> Option<u64> {
        let locked = self.destination.lock();
        let by_destination = locked.try_borrow().ok().and_then(|held| held.destination.failed());
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

    fn render(&self, record: &Record<'_>, line: &mut Vec<u8>) -> bool {
        let begin = line.len();
        let rendering = || {
            if !self.gate.passes(record) {
                return false;
            }
            let form = self.form.load();
            match &form.redactor {
                Some(redactor) => redactor.with_masked(record, |record| form.formatter.format(record, line)),
                None => form.formatter.format(record, line),
            }
            line.push(b'\n');
            true
        };
        let rendered = catch_unwind(AssertUnwindSafe(rendering));
        if rendered.is_err() {
            line.truncate(begin);
            report::error(self.name, &"panic while handling a record");
        }
        rendered.unwrap_or(false)
    }

    fn write_line(&self, line: &[u8]) -> bool {
        self.deliver(|held| held.destination.write_line(line))
    }
}
