//! What the system says of threads: it counts one for a moment longer than that runs, and a process that forks
//! meanwhile is warned of it (CPython 3.12 and later).

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A pause between two looks at what the system tells nobody about: that a thread is gone, or that a descriptor
/// takes bytes again.
#[expect(clippy::disallowed_methods, reason = "there is no condition to wait for")]
pub(crate) fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// Between two looks whether a thread is gone.
pub(super) const SHORT: Duration = Duration::from_micros(100);

/// Stores the number of the calling thread, where the system tells it (Linux).
pub(super) fn number_of_this_thread(place: &AtomicU64) {
    let number = std::fs::read_link("/proc/thread-self").ok();
    let number = number.and_then(|path| path.file_name()?.to_str()?.parse().ok());
    place.store(number.unwrap_or(0), Ordering::Relaxed);
}

/// Whether the process has a thread with this number.
pub(super) fn has_thread(number: u64) -> bool {
    Path::new(&format!("/proc/self/task/{number}")).exists()
}
