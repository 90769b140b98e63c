//! The threads of a process that sweep, which are ended before a fork: its child has none of them, and CPython warns of a
//! fork where there are threads.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use super::sweep::Sweeper;
use crate::background;
use crate::rotation::turn::wait;

/// So long a fork waits for threads: none is ended in the middle of compressing a backup, which would have to begin anew.
const LONGEST_BEFORE_FORK: Duration = Duration::from_millis(100);
const BETWEEN_LOOKS: Duration = Duration::from_micros(200);

/// So long the list is waited for: its owner may be a thread that a fork has left behind.
const LONGEST_FOR_LIST: Duration = Duration::from_secs(1);

struct Threads {
    /// The process that they are of: a forked child begins anew.
    process: u32,
    running: Vec<JoinHandle<()>>,
    /// What was interrupted.
    later: Vec<Arc<Sweeper>>,
}

static THREADS: Mutex<Threads> = Mutex::new(Threads { process: 0, running: Vec::new(), later: Vec::new() });

/// Whether a fork is coming.
static ARE_TO_END: AtomicBool = AtomicBool::new(false);

fn threads() -> Option<MutexGuard<'static, Threads>> {
    let mut threads = THREADS.try_lock_for(LONGEST_FOR_LIST)?;
    let process = std::process::id();
    if threads.process != process {
        // Handles of threads that are not here, and what the parent goes on with.
        std::mem::forget(std::mem::take(&mut threads.running));
        std::mem::forget(std::mem::take(&mut threads.later));
        threads.process = process;
    }
    Some(threads)
}

/// Starts a thread that does `work`.
pub(super) fn start(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = background::spawn("duramen-upkeep", work)?;
    if let Some(mut threads) = threads() {
        threads.running.retain(|thread| !thread.is_finished());
        threads.running.push(thread);
    }
    Ok(())
}

/// Whether the calling thread is to come to its end: a fork is coming.
pub(super) fn are_to_end() -> bool {
    ARE_TO_END.load(Ordering::Acquire)
}

/// Has `sweeper` go on after the fork; false when that is over already.
pub(super) fn goes_on_later(sweeper: &Arc<Sweeper>) -> bool {
    let Some(mut threads) = threads() else { return false };
    let is_coming = are_to_end();
    if is_coming {
        threads.later.push(Arc::clone(sweeper));
    }
    is_coming
}

/// Ends the threads that compress, archive and delete backups, as far as they come to an end in a tenth of a second;
/// whether none is left. [`go_on_after_fork`] starts them again.
///
/// ```
/// use duramen::rotation::upkeep::{end_before_fork, go_on_after_fork};
///
/// let none_is_left = end_before_fork();
/// // Here the process forks.
/// go_on_after_fork(); // in the parent and in the child
/// assert!(none_is_left);
/// ```
pub fn end_before_fork() -> bool {
    ARE_TO_END.store(true, Ordering::Release);
    let Some(mut running) = threads().map(|mut threads| std::mem::take(&mut threads.running)) else {
        return false;
    };
    let started = Instant::now();
    loop {
        for thread in running.extract_if(.., |thread| thread.is_finished()) {
            // A panic of it was reported by the thread itself.
            let _ = thread.join();
        }
        if running.is_empty() {
            return true;
        }
        if started.elapsed() >= LONGEST_BEFORE_FORK {
            break;
        }
        for thread in &running {
            thread.thread().unpark();
        }
        wait(BETWEEN_LOOKS);
    }
    if let Some(mut threads) = threads() {
        threads.running.append(&mut running);
    }
    false
}

/// Goes on with what [`end_before_fork`] has interrupted: after the fork, in the parent and in the child, which has nothing
/// to go on with.
///
/// ```
/// use duramen::rotation::upkeep::{end_before_fork, go_on_after_fork};
///
/// end_before_fork();
/// go_on_after_fork();
/// ```
pub fn go_on_after_fork() {
    let Some(later) = threads().map(|mut threads| {
        // With the list locked: what is put into it comes before this.
        ARE_TO_END.store(false, Ordering::Release);
        std::mem::take(&mut threads.later)
    }) else {
        return ARE_TO_END.store(false, Ordering::Release);
    };
    later.iter().for_each(Sweeper::start);
}
