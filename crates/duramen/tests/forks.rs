//! A forked child logs on with the handlers of its parent, and leaves what these hold to it.

#![cfg(unix)]
#![allow(unsafe_code, reason = "forks")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use duramen::handler::{AsyncHandler, FileHandler, JournaledHandler, MemoryHandler};
use duramen::queue::Options;
use duramen::{Handler, Level, Manager, info, report, spool};

/// How many records the parent has logged before it forks, which may be anywhere by then.
const BEFORE: usize = 1000;

/// What came of a child.
#[derive(Debug, PartialEq, Eq)]
enum Child {
    Hangs,
    /// It was forked in the middle of a write, and has counted that it could not use the handler.
    HasCounted,
    HasLogged,
}

fn forked(act: impl FnOnce()) -> Child {
    // SAFETY: the child logs, which the test is about, and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: a child that hangs is ended by the signal.
        unsafe { libc::alarm(20) };
        let before = report::count();
        act();
        // SAFETY: it ends the child, without what the tests would do at their end.
        unsafe { libc::_exit(if report::count() == before { 7 } else { 8 }) };
    }
    let mut status = 0;
    // SAFETY: it writes to the place that it is given.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    match libc::WEXITSTATUS(status) {
        7 if libc::WIFEXITED(status) => Child::HasLogged,
        8 if libc::WIFEXITED(status) => Child::HasCounted,
        _ => Child::Hangs,
    }
}

/// Each record is in the file once, whoever wrote it, and however the child ends.
fn each_once(make: impl Fn(Arc<FileHandler>, &Path) -> Arc<dyn Handler>) {
    report::set_enabled(false);
    for ends_by_closing in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.log");
        let file = Arc::new(FileHandler::buffered(&path, 1 << 20).expect("opened"));
        let manager = Manager::new();
        manager.root().set_level(Level::INFO);
        manager.root().add_handler(make(file, folder.path()));
        let log = manager.get_logger("app");
        (0..BEFORE).for_each(|number| info!(log, "of the parent {number}"));
        let mut expected: Vec<_> = (0..=BEFORE).map(|number| format!("of the parent {number}")).collect();
        for number in 0..3 {
            let child = forked(|| {
                info!(log, "of the child {number}");
                if ends_by_closing { manager.shutdown() } else { manager.flush() }
            });
            assert_ne!(child, Child::Hangs, "{number}");
            if child == Child::HasLogged {
                expected.push(format!("of the child {number}"));
            }
        }
        info!(log, "of the parent {BEFORE}");
        manager.shutdown();
        let text = std::fs::read_to_string(&path).expect("a log");
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        expected.sort_unstable();
        assert_eq!(lines, expected);
    }
}

#[test]
fn a_buffer() {
    each_once(|file, _| file);
}

#[test]
fn a_memory() {
    each_once(|file, _| Arc::new(MemoryHandler::new(1 << 20, Level::CRITICAL, file)));
}

#[test]
fn a_queue() {
    each_once(|file, _| Arc::new(AsyncHandler::new(vec![file], Options::default()).expect("a thread")));
}

#[test]
fn a_queue_with_a_journal() {
    each_once(|file, folder| {
        let journals = folder.join("spool");
        let handler = JournaledHandler::new(vec![file], Options::default(), &journals, spool::DEFAULT_SIZE);
        Arc::new(handler.expect("a journal"))
    });
}

#[test]
fn no_child_hangs_while_threads_log() {
    report::set_enabled(false);
    let folder = tempfile::tempdir().expect("a folder");
    let manager = Manager::new();
    let file = Arc::new(FileHandler::new(folder.path().join("app.log")).expect("opened"));
    let behind = Arc::new(FileHandler::new(folder.path().join("queue.log")).expect("opened"));
    manager.root().set_level(Level::INFO);
    manager.root().add_handler(file);
    manager
        .root()
        .add_handler(Arc::new(AsyncHandler::new(vec![behind], Options::default()).expect("a thread")));
    let (log, is_over) = (manager.get_logger("app"), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    info!(log, "of a thread");
                }
            });
        }
        let children = (0..100).map(|number| {
            forked(|| {
                info!(log, "of child {number}");
                manager.flush();
            })
        });
        let hanging = children.filter(|child| *child == Child::Hangs).count();
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(hanging, 0);
    });
}
