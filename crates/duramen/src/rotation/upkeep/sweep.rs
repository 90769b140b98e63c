//! Bringing the backups of one file in order, in a thread that ends when nothing is left to do.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use super::backups::{self, DateForms, folder_of};
use super::compress::{self, Outcome};
use super::interrupted;
use super::leave;
use super::options::UpkeepOptions;
use super::threads;
use crate::clock::Clock;
use crate::fs::{FileIdentity, FileSystem, LockedFile};
use crate::report;
use crate::rotation::turn::{self, Turn, wait};

/// So many names of files that were taken away are remembered.
const REMEMBERED: usize = 100;

/// A clock may be ahead of the time that has passed by this much before retention believes it no longer.
const BELIEVED_AHEAD: i64 = 3600;

/// So long a sweep comes back to backups that other processes are still writing to. What is left then waits for the
/// next sweep.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(500));

/// So long a name change waits for the file that the next record makes.
const LONGEST_WITHOUT_FILE: Duration = Duration::from_millis(200);

/// So long the notes are waited for: their owner may be a thread that a fork has left behind.
const LONGEST_FOR_NOTES: Duration = Duration::from_secs(1);

/// What was done with the backups of one file since the program began.
///
/// ```
/// use duramen::rotation::UpkeepStats;
///
/// /// What a health check says.
/// fn is_well(stats: &UpkeepStats) -> bool {
///     stats.failed == 0
/// }
///
/// assert!(is_well(&UpkeepStats::default()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpkeepStats {
    /// Rollovers.
    pub rolled_over: u64,
    /// Backups compressed.
    pub compressed: u64,
    /// Backups moved to the archive.
    pub archived: u64,
    /// Files deleted by retention, in the folder and in the archive.
    pub removed: u64,
    /// Steps that met an error; each was reported.
    pub failed: u64,
    /// The last files that were moved to the archive or deleted, as they were called before, the latest last: 100 at
    /// most.
    pub taken_away: VecDeque<PathBuf>,
}

#[derive(Debug, Default)]
struct Notes {
    /// The process that they are of: a forked child begins anew.
    process: u32,
    forms: DateForms,
    stats: UpkeepStats,
    /// Backups of which `on_rotate` has not been told.
    fresh: Vec<FileIdentity>,
}

/// What a sweep needs to know.
#[derive(Debug)]
pub(super) struct Sweeper {
    pub(super) fs: Arc<dyn FileSystem>,
    pub(super) base: PathBuf,
    pub(super) options: UpkeepOptions,
    clock: Arc<dyn Clock>,
    /// What the clock showed when the program began.
    began: (i64, Duration),
    /// The number of the process whose thread sweeps, times 4, and what it does.
    state: AtomicU64,
    /// Set while the thread waits for other processes to let go of their backups.
    is_waiting: AtomicBool,
    notes: Mutex<Notes>,
}

/// While it is there, no name is changed by others.
pub(super) struct NamesLock {
    /// The log file, locked; `None` where the system has no locks.
    _file: Option<Box<dyn LockedFile>>,
}

const IS_RUNNING: u64 = 1;
/// Another sweep is wanted after the running one.
const IS_ASKED_AGAIN: u64 = 2;

fn state_of_this_process() -> u64 {
    u64::from(std::process::id()) * 4
}

impl Sweeper {
    pub(super) fn new(
        fs: Arc<dyn FileSystem>,
        base: PathBuf,
        options: UpkeepOptions,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let began = (clock.now_seconds(), clock.elapsed());
        let (state, is_waiting, notes) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::default());
        Self { fs, base, options, clock, began, state, is_waiting, notes }
    }

    /// Starts the thread that sweeps, or has the running one go on.
    pub(super) fn start(self: &Arc<Self>) {
        let idle = state_of_this_process();
        let state = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
            // In a forked child there is no such thread, whatever the parent had.
            let is_running = state & !IS_ASKED_AGAIN == idle | IS_RUNNING;
            Some(if is_running { state | IS_ASKED_AGAIN } else { idle | IS_RUNNING })
        });
        if state.is_ok_and(|state| state & !IS_ASKED_AGAIN == idle | IS_RUNNING) {
            return;
        }
        let sweeper = Arc::clone(self);
        if let Err(error) = threads::start(move || sweeper.run()) {
            self.state.store(idle, Ordering::Release);
            self.report("upkeep", Err(error));
        }
    }

    fn run(self: &Arc<Self>) {
        let running = state_of_this_process() | IS_RUNNING;
        let ended = running & !IS_RUNNING;
        loop {
            let swept = catch_unwind(AssertUnwindSafe(|| self.sweep_patiently(running)));
            if swept.is_err() {
                self.report("upkeep", Err(io::Error::other("a panic")));
            }
            let is_left = matches!(swept, Ok(Outcome::Later));
            if threads::are_to_end() && (is_left || self.state.load(Ordering::Acquire) != running) {
                // First: who starts it again is to find it ended.
                self.state.store(ended, Ordering::Release);
                if !threads::goes_on_later(self) {
                    self.start();
                }
                return;
            }
            if self.state.compare_exchange(running, ended, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return;
            }
            self.state.store(running, Ordering::Release);
        }
    }

    /// Sweeps until nothing is left, another sweep is wanted, a fork is coming, or patience ends.
    fn sweep_patiently(&self, running: u64) -> Outcome {
        let started = Instant::now();
        let mut pause = PAUSES.0;
        while self.sweep() == Outcome::Later {
            let is_interrupted = self.state.load(Ordering::Acquire) != running || threads::are_to_end();
            if is_interrupted || started.elapsed() >= PATIENCE {
                return Outcome::Later;
            }
            // At first for the rollover that has started the sweep, and still has the backup locked.
            self.is_waiting.store(pause > PAUSES.0, Ordering::Release);
            // Until a fork is coming.
            thread::park_timeout(pause);
            self.is_waiting.store(false, Ordering::Release);
            pause = (pause * 2).min(PAUSES.1);
        }
        Outcome::Done
    }

    /// One sweep. What meets an error does not keep the rest from being done.
    pub(super) fn sweep(&self) -> Outcome {
        self.report("upkeep", compress::remove_abandoned(self, folder_of(&self.base)));
        self.report("upkeep", interrupted::finish(self));
        if let Some(archive) = &self.options.archive_to {
            self.report("archive_to", compress::remove_abandoned(self, archive));
        } else {
            // What leaves need not be compressed first.
            self.report("upkeep", leave::take_away(self));
        }
        let compressed = self.compress_all();
        self.announce();
        self.report("upkeep", leave::take_away(self));
        self.report("archive_max_age", leave::clean_archive(self));
        compressed
    }

    fn compress_all(&self) -> Outcome {
        let Some(compression) = self.options.compression else { return Outcome::Done };
        let backups = match self.backups() {
            Ok(backups) => backups,
            Err(error) => {
                self.report("compression", Err(error));
                return Outcome::Done;
            }
        };
        let mut all = Outcome::Done;
        for backup in backups.iter().filter(|backup| backup.compression.is_none()) {
            if threads::are_to_end() {
                return Outcome::Later;
            }
            match compress::compress(self, backup, compression) {
                Ok(Outcome::Done) => {}
                Ok(Outcome::Later) => all = Outcome::Later,
                Err(error) => self.report("compression", Err(error)),
            }
        }
        all
    }

    /// Tells `on_rotate` of backups that are done as they are.
    fn announce(&self) {
        if self.options.compression.is_some() {
            return;
        }
        for backup in self.backups().unwrap_or_default() {
            self.announce_one(backup.status.identity, &backup.path);
        }
    }

    /// Tells `on_rotate` of the backup at `path`, if this process has made it from the file `identity`.
    pub(super) fn announce_one(&self, identity: Option<FileIdentity>, path: &Path) {
        let Some(on_rotate) = &self.options.on_rotate else { return };
        let is_fresh = self.notes().is_some_and(|mut notes| {
            let place = notes.fresh.iter().position(|fresh| Some(*fresh) == identity);
            place.map(|place| notes.fresh.swap_remove(place)).is_some()
        });
        if is_fresh && catch_unwind(AssertUnwindSafe(|| on_rotate.call(path))).is_err() {
            self.report("on_rotate", Err(io::Error::other("a panic")));
        }
    }

    /// The backups in the folder of the file, the oldest first.
    pub(super) fn backups(&self) -> io::Result<Vec<backups::Backup>> {
        backups::list(self.fs.as_ref(), folder_of(&self.base), &self.base, &self.forms())
    }

    /// Keeps all others from changing names until the lock is dropped; `None` when that could not be had, for now.
    pub(super) fn lock_names(&self) -> Option<NamesLock> {
        let started = Instant::now();
        loop {
            match self.fs.status(&self.base) {
                Ok(status) => match turn::take(self.fs.as_ref(), &self.base, status.identity) {
                    Turn::Ours(lock) => return Some(NamesLock { _file: lock }),
                    Turn::Taken => return None,
                    Turn::Moved => {}
                },
                Err(_) if started.elapsed() >= LONGEST_WITHOUT_FILE => return None,
                Err(_) => {}
            }
            wait(PAUSES.0);
        }
    }

    /// The present time for retention, in seconds since the epoch.
    pub(super) fn believed_now(&self) -> i64 {
        let (wall, elapsed) = self.began;
        let passed = self.clock.elapsed().saturating_sub(elapsed).as_secs();
        let latest = wall.saturating_add_unsigned(passed).saturating_add(BELIEVED_AHEAD);
        self.clock.now_seconds().min(latest)
    }

    /// The time that the clock shows.
    pub(super) fn now(&self) -> i64 {
        self.clock.now_seconds()
    }

    pub(super) fn report(&self, option: &str, result: io::Result<()>) {
        if let Err(error) = result {
            self.count(|stats| stats.failed += 1);
            report::error(&self.base.display().to_string(), &format!("{option}: {error}"));
        }
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut UpkeepStats)) {
        if let Some(mut notes) = self.notes() {
            change(&mut notes.stats);
        }
    }

    pub(super) fn has_taken_away(&self, path: &Path) {
        self.count(|stats| {
            if stats.taken_away.len() == REMEMBERED {
                stats.taken_away.pop_front();
            }
            stats.taken_away.push_back(path.to_owned());
        });
    }

    pub(super) fn has_rolled_over(&self, file: Option<FileIdentity>) {
        if let Some(mut notes) = self.notes() {
            notes.stats.rolled_over += 1;
            if self.options.on_rotate.is_some() {
                notes.fresh.extend(file);
            }
        }
    }

    pub(super) fn set_forms(&self, forms: DateForms) {
        if let Some(mut notes) = self.notes() {
            notes.forms = forms;
        }
    }

    pub(super) fn forms(&self) -> DateForms {
        self.notes().map(|notes| notes.forms.clone()).unwrap_or_default()
    }

    pub(super) fn stats(&self) -> UpkeepStats {
        self.notes().map(|notes| notes.stats.clone()).unwrap_or_default()
    }

    fn notes(&self) -> Option<MutexGuard<'_, Notes>> {
        let mut notes = self.notes.try_lock_for(LONGEST_FOR_NOTES)?;
        let process = std::process::id();
        if notes.process != process {
            let forms = std::mem::take(&mut notes.forms);
            *notes = Notes { process, forms, ..Notes::default() };
        }
        Some(notes)
    }

    pub(super) fn wait(&self, longest: Duration, only_for_work: bool) -> bool {
        let started = Instant::now();
        let running = state_of_this_process() | IS_RUNNING;
        while self.state.load(Ordering::Acquire) & !IS_ASKED_AGAIN == running
            && !(only_for_work && self.is_waiting.load(Ordering::Acquire))
        {
            if started.elapsed() >= longest {
                return false;
            }
            wait(PAUSES.0);
        }
        true
    }
}
