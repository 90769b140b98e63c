//! Threads of the core crate, which are ended before a fork: its child has none of them, and CPython 3.12 and later warn of
//! a fork where the system counts more than one.

use std::fs;
use std::time::{Duration, Instant};

use duramen::rotation::upkeep;
use duramen::writer::fsync;
use pyo3::prelude::*;

use crate::queued::pause;

/// So long a thread that has ended may be counted still.
const LONGEST_COUNTED: Duration = Duration::from_millis(100);
const BETWEEN_LOOKS: Duration = Duration::from_micros(100);

/// Does now what is planned for later, and ends the threads: a fork is coming.
#[pyfunction]
pub(crate) fn end_threads_before_fork(py: Python<'_>) {
    py.detach(|| {
        fsync::hurry();
        if upkeep::end_before_fork() {
            let started = Instant::now();
            while is_counted() && started.elapsed() < LONGEST_COUNTED {
                pause(BETWEEN_LOOKS);
            }
        }
    });
}

/// Goes on after the fork, in the parent; in the child there is nothing to go on with.
#[pyfunction]
pub(crate) fn go_on_after_fork(py: Python<'_>) {
    py.detach(upkeep::go_on_after_fork);
}

/// Whether the system counts a thread that has ended (Linux; none elsewhere).
fn is_counted() -> bool {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return false };
    threads.flatten().any(|thread| {
        let name = fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
        matches!(name.trim_end(), "duramen-upkeep" | "duramen-fsync")
    })
}
