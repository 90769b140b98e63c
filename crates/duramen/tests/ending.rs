//! What is held in memory goes out when a program ends without a word to its loggers.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::sync::Arc;

use duramen::handler::{AsyncHandler, FileHandler, MemoryHandler};
use duramen::queue::Options;
use duramen::{Handler, Level, Logger, Manager, error, info};

const RECORDS: usize = 1000;
const BUFFER: usize = 4096;

fn logger(handler: Arc<dyn Handler>) -> Logger {
    let manager = Manager::new();
    manager.root().set_level(Level::INFO);
    manager.root().add_handler(handler);
    let log = manager.root();
    // As a program's own manager, it is never dropped.
    std::mem::forget(manager);
    log
}

/// The program whose end is tested: it runs when it is told so, in a process of its own.
#[test]
fn program() {
    let Ok(path) = std::env::var("DURAMEN_TEST_LOG").map(PathBuf::from) else { return };
    let (way, end) = (std::env::var("DURAMEN_TEST_WAY"), std::env::var("DURAMEN_TEST_END"));
    let handler: Arc<dyn Handler> = if way.as_deref() == Ok("buffered") {
        Arc::new(FileHandler::buffered(path, BUFFER).expect("a file"))
    } else if way.as_deref() == Ok("memory") {
        let file = Arc::new(FileHandler::new(path).expect("a file"));
        Arc::new(MemoryHandler::new(2 * RECORDS, Level::ERROR, file))
    } else {
        let file = FileHandler::buffered(path, BUFFER).expect("a file");
        Arc::new(AsyncHandler::new(vec![Arc::new(file)], Options::default()).expect("a thread"))
    };
    let log = logger(handler);
    (0..RECORDS).for_each(|number| info!(log, "record {number}"));
    match end.as_deref() {
        Ok("exit") => exit(0),
        Ok("exit in a thread") => drop(std::thread::spawn(|| exit(0)).join()),
        Ok("abort") => std::process::abort(),
        _ => {}
    }
}

fn lines_after(way: &str, end: &str, path: &Path) -> usize {
    let mut program = Command::new(std::env::current_exe().expect("this test"));
    program.args(["--exact", "program"]);
    program.env("DURAMEN_TEST_LOG", path).env("DURAMEN_TEST_WAY", way).env("DURAMEN_TEST_END", end);
    let output = program.output().expect("it runs");
    assert_eq!(output.status.success(), end != "abort", "{output:?}");
    std::fs::read_to_string(path).expect("a log").lines().count()
}

#[test]
fn nothing_is_lost_by_an_exit_or_a_return() {
    let folder = tempfile::tempdir().expect("a folder");
    for way in ["buffered", "async", "memory"] {
        for end in ["exit", "exit in a thread", "return"] {
            let path = folder.path().join(format!("{way}-{end}.log"));
            assert_eq!(lines_after(way, end, &path), RECORDS, "{way}, {end}");
        }
    }
}

#[test]
fn a_kill_loses_no_more_than_the_buffer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("killed.log");
    let lines = lines_after("buffered", "abort", &path);
    let all: usize = (0..RECORDS).map(|number| format!("record {number}\n").len()).sum();
    let written = std::fs::read(&path).expect("a log").len();
    assert!(lines < RECORDS && written + BUFFER >= all, "{written} of {all} bytes");
}

#[test]
fn a_severe_record_is_not_held_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("severe.log");
    let log = logger(Arc::new(FileHandler::buffered(&path, BUFFER).expect("a file")));
    info!(log, "before");
    assert_eq!(std::fs::read_to_string(&path).expect("a log"), "");
    error!(log, "severe");
    assert_eq!(std::fs::read_to_string(&path).expect("a log"), "before\nsevere\n");
}
