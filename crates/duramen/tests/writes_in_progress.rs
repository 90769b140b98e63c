//! A line across the end of a page is there in halves for a moment: who looks can wait until it is whole.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use duramen::fs::{Disk, FileSystem as _};

/// The length of a file whose last line has no end.
fn half(path: &Path) -> Option<u64> {
    let mut file = Disk.read(path).expect("it is there");
    let length = file.status().expect("it is open").length;
    let last = file.read_end(1).expect("it can be read");
    (!last.is_empty() && last != b"\n").then_some(length)
}

#[test]
fn a_line_that_somebody_writes_is_whole_after_the_wait() {
    const WRITERS: usize = 3;
    /// So many halves are enough, and after so many looks none is waited for: one processor may never show any.
    const ENOUGH: usize = 500;
    const MOST_LOOKS: usize = 300_000;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let line = [vec![b'x'; 3000], vec![b'\n']].concat();
    std::fs::write(&path, &line).expect("room");
    let is_enough = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let mut file = Disk.open(&path, false).expect("it can be opened");
                while !is_enough.load(Ordering::Relaxed) {
                    let written = file.write(&line).expect("room");
                    assert_eq!(written, line.len());
                    if file.status().expect("it is open").length > 64 * 1024 * 1024 {
                        file.truncate(0).expect("it can be cut off");
                    }
                }
            });
        }
        let mut halves = 0;
        let still_half = (0..MOST_LOOKS).filter_map(|_| half(&path)).take(ENOUGH).find(|length| {
            halves += 1;
            let waited = Disk.read(&path).is_ok_and(|file| file.await_writes());
            !waited || half(&path) == Some(*length)
        });
        is_enough.store(true, Ordering::Relaxed);
        assert_eq!(still_half, None, "after {halves} halves");
    });
}
