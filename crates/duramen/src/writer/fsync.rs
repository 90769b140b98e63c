//! When what was written is brought to the disk, and the thread that does so by interval.
//!
//! What the operating system has taken survives the end of the process. Only what is on the disk survives a power cut.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{fmt, io};

use parking_lot::{Condvar, Mutex};

use crate::background;
use crate::fs::{FileSystem, LogFile};
use crate::report;
use crate::rotation::{InvalidOption, parse_age};

/// When a file is brought to the disk (`fdatasync(2)`), with its name in the folder.
///
/// ```
/// use std::time::Duration;
///
/// use duramen::writer::Fsync;
///
/// assert_eq!("5s".parse(), Ok(Fsync::Interval(Duration::from_secs(5))));
/// assert_eq!(Fsync::from_seconds(0.5), Some(Fsync::Interval(Duration::from_millis(500))));
/// let error = "always".parse::<Fsync>().unwrap_err();
/// assert!(error.to_string().ends_with(Fsync::EXPECTED));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fsync {
    /// When the operating system likes.
    #[default]
    Never,
    /// When the handler leaves the file: at a rollover, when it follows somebody who moved the file, at its end.
    OnRotation,
    /// So long after a record at the latest, by a thread: the caller does not wait. When the handler leaves the file, too.
    Interval(Duration),
    /// Before the logging call returns, and when the handler leaves the file.
    EveryRecord,
}

impl Fsync {
    /// What would be right for the option.
    pub const EXPECTED: &'static str =
        "\"never\", \"rotation\", \"record\", or an interval: text such as \"5s\", or seconds above 0";

    /// The option as a number: an interval in seconds. `None` where it is none.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let interval = Duration::try_from_secs_f64(seconds).ok()?;
        (!interval.is_zero()).then_some(Self::Interval(interval))
    }
}

impl FromStr for Fsync {
    type Err = InvalidOption;

    /// Reads `never`, `rotation`, `record`, or an interval such as `5s`.
    fn from_str(text: &str) -> Result<Self, InvalidOption> {
        Ok(match text {
            "never" => Self::Never,
            "rotation" => Self::OnRotation,
            "record" => Self::EveryRecord,
            _ => match parse_age("fsync", text) {
                Ok(interval) => Self::Interval(interval),
                Err(_) => return Err(InvalidOption::new("fsync", format!("{text:?}"), Self::EXPECTED)),
            },
        })
    }
}

impl fmt::Display for Fsync {
    /// As it is read; an interval in seconds.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => formatter.write_str("never"),
            Self::OnRotation => formatter.write_str("rotation"),
            Self::Interval(interval) => write!(formatter, "{}", interval.as_secs_f64()),
            Self::EveryRecord => formatter.write_str("record"),
        }
    }
}

/// Brings the file of one writer to the disk.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::fs::{Disk, FileSystem};
/// use duramen::writer::Fsync;
/// use duramen::writer::fsync::Syncer;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("app.log");
/// let syncer = Arc::new(Syncer::new(Arc::new(Disk), &path, Fsync::EveryRecord));
/// let mut file = Disk.open(&path, false)?;
/// file.write(b"one\n")?;
/// syncer.has_written(&*file)?; // it is on the disk now
/// assert_eq!((syncer.fsync(), syncer.counts()), (Fsync::EveryRecord, (1, 0)));
/// syncer.leave(&*file)?; // before it is closed
/// Disk.rename(&path, &folder.path().join("app.log.1"))?;
/// syncer.report(syncer.has_moved()); // its new name too; errors go to the report channel
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Syncer {
    fs: Arc<dyn FileSystem>,
    path: PathBuf,
    fsync: Fsync,
    /// Whether the file's name may not be on the disk yet.
    has_new_name: AtomicBool,
    /// When the thread is going to sync, in nanoseconds since [`start`]; 0: it does not.
    due: AtomicU64,
    /// The file to be synced then.
    waiting: Mutex<Option<Box<dyn LogFile>>>,
    synced: AtomicU64,
    failed: AtomicU64,
}

impl Syncer {
    /// For the file at `path` of `fs`.
    pub fn new(fs: Arc<dyn FileSystem>, path: impl Into<PathBuf>, fsync: Fsync) -> Self {
        Self {
            fs,
            path: path.into(),
            fsync,
            has_new_name: AtomicBool::new(true),
            due: AtomicU64::new(0),
            waiting: Mutex::default(),
            synced: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// What was asked for.
    pub fn fsync(&self) -> Fsync {
        self.fsync
    }

    /// How often a file was brought to the disk, and how often that failed.
    pub fn counts(&self) -> (u64, u64) {
        (self.synced.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    /// Something was written to `file`.
    ///
    /// # Errors
    /// Those of the operating system, where every record is brought to the disk.
    pub fn has_written(self: &Arc<Self>, file: &dyn LogFile) -> io::Result<()> {
        match self.fsync {
            Fsync::Never | Fsync::OnRotation => Ok(()),
            Fsync::EveryRecord => self.sync(file),
            Fsync::Interval(interval) => {
                let now = since_start();
                let due = self.due.load(Ordering::Relaxed);
                let interval = nanoseconds(interval);
                // One that is overdue was planned in a process from which this one was forked: its thread is not here.
                if due != 0 && now <= due.saturating_add(interval) {
                    return Ok(());
                }
                self.plan(file, now.saturating_add(interval))
            }
        }
    }

    /// The file that was written to is going to be closed, and perhaps to get another name.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn leave(&self, file: &dyn LogFile) -> io::Result<()> {
        if self.fsync == Fsync::Never {
            return Ok(());
        }
        if let Some(mut waiting) = self.waiting.try_lock_for(LONGEST_FOR_LOCKS) {
            *waiting = None;
            self.due.store(0, Ordering::Relaxed);
        }
        let synced = self.sync(file);
        self.has_new_name.store(true, Ordering::Relaxed);
        synced
    }

    /// The file has got another name.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn has_moved(&self) -> io::Result<()> {
        if self.fsync == Fsync::Never {
            Ok(())
        } else {
            self.counted(self.fs.sync_folder(folder(&self.path)))
        }
    }

    /// Says on the report channel what went wrong, where nobody else is told.
    pub fn report(&self, result: io::Result<()>) {
        if let Err(error) = result {
            report::error(&self.path.display().to_string(), &format_args!("fsync: {error}"));
        }
    }

    fn sync(&self, file: &dyn LogFile) -> io::Result<()> {
        let synced = file.sync().and_then(|()| {
            if self.has_new_name.swap(false, Ordering::Relaxed) {
                self.fs.sync_folder(folder(&self.path))?;
            }
            Ok(())
        });
        self.counted(synced)
    }

    fn counted(&self, synced: io::Result<()>) -> io::Result<()> {
        let count = if synced.is_ok() { &self.synced } else { &self.failed };
        count.fetch_add(1, Ordering::Relaxed);
        synced
    }

    /// Has the thread sync at `due`. Where there cannot be one, syncs now.
    fn plan(self: &Arc<Self>, file: &dyn LogFile, due: u64) -> io::Result<()> {
        let planned = match file.duplicate() {
            Ok(file) => self.waiting.try_lock_for(LONGEST_FOR_LOCKS).is_some_and(|mut waiting| {
                *waiting = Some(file);
                self.due.store(due, Ordering::Relaxed);
                true
            }),
            Err(_) => false,
        };
        if planned && Timer::add(due, self) {
            return Ok(());
        }
        self.due.store(0, Ordering::Relaxed);
        self.sync(file)
    }

    /// What was planned for now.
    fn sync_waiting(&self) {
        let Some(mut waiting) = self.waiting.try_lock_for(LONGEST_FOR_LOCKS) else { return };
        let file = waiting.take();
        // Before the file is synced: what is written meanwhile plans anew.
        self.due.store(0, Ordering::Relaxed);
        drop(waiting);
        if let Some(file) = file {
            self.report(self.sync(file.as_ref()));
        }
    }
}

/// The folder of `path`.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// So long locks are waited for: their owner may be a thread that a fork has left behind.
const LONGEST_FOR_LOCKS: Duration = Duration::from_secs(1);

fn start() -> Instant {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// Nanoseconds since the first call, never 0.
fn since_start() -> u64 {
    nanoseconds(start().elapsed()).max(1)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The thread for all writers of a process, which ends when nothing is planned.
struct Timer {
    /// The process that it is of: a forked child begins anew.
    process: u32,
    planned: Vec<(u64, Arc<Syncer>)>,
    thread: Option<JoinHandle<()>>,
    is_running: bool,
    /// All that is planned is to be done now.
    hurries: bool,
}

static TIMER: Mutex<Timer> =
    Mutex::new(Timer { process: 0, planned: Vec::new(), thread: None, is_running: false, hurries: false });
static CHANGED: Condvar = Condvar::new();

impl Timer {
    /// Has `syncer` sync at `due`; false where there is no thread for it.
    fn add(due: u64, syncer: &Arc<Syncer>) -> bool {
        let Some(mut timer) = TIMER.try_lock_for(LONGEST_FOR_LOCKS) else { return false };
        let process = std::process::id();
        if timer.process != process {
            // What a parent has planned, the parent does. Its handle is of a thread that is not here.
            std::mem::forget(timer.thread.take());
            *timer = Self { process, planned: Vec::new(), thread: None, is_running: false, hurries: false };
        }
        if !timer.is_running {
            let Ok(thread) = background::spawn("duramen-fsync", Self::run) else {
                return false;
            };
            timer.thread = Some(thread);
            timer.is_running = true;
        }
        timer.planned.push((due, Arc::clone(syncer)));
        CHANGED.notify_one();
        true
    }

    fn run() {
        let mut timer = TIMER.lock();
        loop {
            let now = if timer.hurries { u64::MAX } else { since_start() };
            let due: Vec<_> = timer.planned.extract_if(.., |(due, _)| *due <= now).collect();
            if !due.is_empty() {
                drop(timer);
                for (_, syncer) in &due {
                    syncer.sync_waiting();
                }
                drop(due);
                timer = TIMER.lock();
                continue;
            }
            let Some(next) = timer.planned.iter().map(|(due, _)| *due).min() else {
                timer.is_running = false;
                return;
            };
            CHANGED.wait_for(&mut timer, Duration::from_nanos(next - now));
        }
    }
}

/// Does now what is planned for later, and waits for the thread to end: before a fork, whose child has no such thread,
/// and of which CPython warns where there are threads.
///
/// ```
/// duramen::writer::fsync::hurry(); // then the process may fork
/// ```
pub fn hurry() {
    let Some(mut timer) = TIMER.try_lock_for(LONGEST_FOR_LOCKS) else { return };
    if timer.process != std::process::id() {
        return;
    }
    timer.hurries = true;
    let thread = timer.thread.take();
    CHANGED.notify_one();
    drop(timer);
    if let Some(thread) = thread {
        // A panic of it was reported by the thread itself.
        let _ = thread.join();
    }
    if let Some(mut timer) = TIMER.try_lock_for(LONGEST_FOR_LOCKS) {
        timer.hurries = false;
    }
}

/// The examples of the page run with those of this documentation.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/durability.md")]
struct Page;
