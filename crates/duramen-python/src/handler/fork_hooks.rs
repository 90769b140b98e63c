//! What a fork takes before it, and gives back after it, whatever interrupts its hooks.
//!
//! A signal handler may raise `KeyboardInterrupt` wherever Python code runs, within a hook too, of which the interpreter goes
//! on with the fork all the same. So a lock and the note that it is to be let go are one step here, and no code of Python's has
//! to run for that after a fork.

use std::thread::{self, ThreadId};

use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::interpreter::{Attached, intern};

/// A hook that was interrupted is called so often in all.
const MOST_CALLS: usize = 3;

/// A fork that is under way.
struct Fork {
    thread: ThreadId,
    /// What is to be called afterwards in the parent, the last first.
    undo: Vec<Py<PyAny>>,
    rests: bool,
}

/// Hooks for forks: `before()` calls a function, which says what is to be undone; `in_child()` does another one.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct ForkHooks {
    before: Py<PyAny>,
    in_child: Py<PyAny>,
    /// A signal handler that interrupts one may fork as well.
    forks: Attached<Vec<Fork>>,
}

#[pymethods]
impl ForkHooks {
    #[new]
    fn new(before: Py<PyAny>, in_child: Py<PyAny>) -> Self {
        Self { before, in_child, forks: Attached::new(Vec::new()) }
    }

    fn before(&self, py: Python<'_>) -> PyResult<()> {
        let fork = Fork { thread: thread::current().id(), undo: Vec::new(), rests: false };
        // SAFETY: attached; nothing runs while the reference lives.
        unsafe { (*self.forks.get()).push(fork) };
        self.before.call0(py).map(drop)
    }

    /// Takes `lock`, in `timeout` seconds at most where these are not below zero, until the fork is over; whether that was in
    /// time.
    #[pyo3(signature = (lock, timeout = -1.0))]
    fn hold(&self, lock: &Bound<'_, PyAny>, timeout: f64) -> PyResult<bool> {
        let py = lock.py();
        let release = lock.getattr(intern!(py, "release"))?;
        let is_held = lock.call_method1(intern!(py, "acquire"), (true, timeout))?.is_truthy()?;
        if is_held {
            self.afterwards(release.unbind());
        }
        Ok(is_held)
    }

    /// Takes all of `locks` until the fork is over, and has none of them while it waits for another: threads that have one may
    /// fork as well.
    fn hold_all(&self, locks: &Bound<'_, PyList>) -> PyResult<()> {
        let locks: Vec<_> = locks.iter().collect();
        let mut awaited = 0;
        loop {
            let mut taken = Vec::new();
            let mut order = (awaited..locks.len()).chain(0..awaited);
            let outcome = order.find_map(|place| match acquire(&locks[place], place == awaited) {
                Ok(true) => {
                    taken.push(place);
                    None
                }
                Ok(false) => Some(Ok(place)),
                Err(error) => Some(Err(error)),
            });
            let releases = taken.iter().map(|place| locks[*place].getattr("release"));
            let releases = releases.collect::<PyResult<Vec<_>>>()?;
            match outcome {
                None => {
                    for release in releases {
                        self.afterwards(release.unbind());
                    }
                    return Ok(());
                }
                Some(outcome) => {
                    for release in releases {
                        release.call0()?;
                    }
                    awaited = outcome?;
                }
            }
        }
    }

    /// Has `function` called after the fork of the calling thread, in the parent.
    fn afterwards(&self, function: Py<PyAny>) {
        // SAFETY: attached; nothing runs while the reference lives.
        if let Some(fork) = unsafe { self.own() } {
            fork.undo.push(function);
        }
    }

    /// Nothing that was brought to rest is started until the fork of the calling thread is over.
    fn keep_at_rest(&self) {
        // SAFETY: as above.
        if let Some(fork) = unsafe { self.own() } {
            fork.rests = true;
        }
    }

    /// Whether a fork keeps at rest what was brought to it.
    fn keeps_at_rest(&self) -> bool {
        // SAFETY: attached; the reference lives only for the look.
        unsafe { (*self.forks.get()).iter().any(|fork| fork.rests) }
    }

    /// The same, where it is the calling thread that forks.
    fn keeps_at_rest_here(&self) -> bool {
        // SAFETY: as above.
        self.keeps_at_rest() && unsafe { self.own().is_some() }
    }

    fn after_in_parent(&self, py: Python<'_>) -> PyResult<()> {
        let mut outcome = Ok(());
        loop {
            // SAFETY: attached; nothing runs while the reference lives.
            let next = unsafe { self.own().map(|fork| fork.undo.pop()) };
            let Some(Some(function)) = next else { break };
            outcome = outcome.and(insist(py, &function));
        }
        // SAFETY: as above.
        let ended = unsafe {
            let forks = &mut *self.forks.get();
            let place = forks.iter().rposition(|fork| fork.thread == thread::current().id());
            place.map(|place| forks.remove(place))
        };
        drop(ended);
        outcome
    }

    fn after_in_child(&self, py: Python<'_>) -> PyResult<()> {
        // SAFETY: attached; what is dropped is dropped when the place has nothing of it.
        let of_parent = unsafe { std::mem::take(&mut *self.forks.get()) };
        drop(of_parent);
        insist(py, &self.in_child)
    }
}

impl ForkHooks {
    /// The last fork that the calling thread has begun.
    ///
    /// # Safety
    /// The thread is attached, and nothing of the interpreter's runs while the reference lives.
    #[expect(clippy::mut_from_ref, reason = "one attached thread at a time comes to it")]
    unsafe fn own(&self) -> Option<&mut Fork> {
        let own = thread::current().id();
        // SAFETY: by the contract.
        unsafe { (*self.forks.get()).iter_mut().rev().find(|fork| fork.thread == own) }
    }
}

fn acquire(lock: &Bound<'_, PyAny>, waits: bool) -> PyResult<bool> {
    lock.call_method1(intern!(lock.py(), "acquire"), (waits,))?.is_truthy()
}

/// Calls `function`, again where it was interrupted: it may not have begun. What it raised is raised when it is done.
fn insist(py: Python<'_>, function: &Py<PyAny>) -> PyResult<()> {
    let mut outcome = Ok(());
    for _ in 0..MOST_CALLS {
        let called = function.call0(py).map(drop);
        let is_done = called.is_ok();
        outcome = outcome.and(called);
        if is_done {
            break;
        }
    }
    outcome
}
