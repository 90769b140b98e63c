//! Threads that log to one handler at the same time.

#![cfg(unix)]

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use duramen::handler::{BasicHandler, FileHandler, Written};
use duramen::rotation::{Customs, SizeLimit};
use duramen::writer::{FileWriter, RotatingWriter};
use duramen::{Formatter, Handler, Level, Manager, Record, error, info, report};
use duramen_testkit::FakeDisk;
use duramen_testkit::disk::Write;

const THREADS: usize = 8;

/// The lines of each thread, in the order of the text.
fn by_thread(text: &str) -> Vec<Vec<usize>> {
    let mut numbers = vec![Vec::new(); THREADS];
    for line in text.lines() {
        let (thread, number) = line.split_once(' ').expect("whole lines");
        let thread: usize = thread.parse().expect("the number of a thread");
        numbers[thread].push(number.parse().expect("the number of a record"));
    }
    numbers
}

fn from_all_threads(handler: Arc<dyn Handler>, act: impl Fn(&Manager, usize) + Sync) {
    let manager = Manager::new();
    manager.root().set_level(Level::INFO);
    manager.root().add_handler(handler);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (manager, act) = (&manager, &act);
            scope.spawn(move || act(manager, thread));
        }
    });
    manager.shutdown();
}

#[test]
fn a_record_is_in_the_file_when_its_call_returns_and_those_of_a_thread_are_in_order() {
    const RECORDS: usize = 200;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    from_all_threads(Arc::new(FileHandler::new(&path).expect("opened")), |manager, thread| {
        for number in 0..RECORDS {
            info!(manager.root(), "{thread} {number}");
            if number % 20 == 19 {
                let text = fs::read_to_string(&path).expect("written");
                let own = by_thread(text.rsplit_once('\n').expect("lines").0).swap_remove(thread);
                assert_eq!(own, (0..=number).collect::<Vec<_>>());
            }
        }
    });
    let text = fs::read_to_string(&path).expect("written");
    assert_eq!(by_thread(&text), vec![(0..RECORDS).collect::<Vec<_>>(); THREADS]);
}

#[test]
fn a_file_that_is_rolled_over_has_all_records_in_order() {
    const RECORDS: usize = 500;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let writer = RotatingWriter::new(FileWriter::new(&path), SizeLimit::new(20_000, 9), Customs::default());
    let handler = BasicHandler::with_destination(Written::new("RotatingFileHandler", writer));
    from_all_threads(Arc::new(handler), |manager, thread| {
        (0..RECORDS).for_each(|number| info!(manager.root(), "{thread} {number}"));
    });
    let files = (1..=9).rev().map(|number| folder.path().join(format!("app.log.{number}")));
    let files: Vec<_> = files.filter(|path| path.exists()).chain([path]).collect();
    assert!(files.len() > 1);
    let read = |path: &std::path::PathBuf| fs::read_to_string(path).expect("written");
    let texts: Vec<String> = files.iter().map(read).collect();
    assert!(texts.iter().all(|text| text.len() <= 20_000));
    assert_eq!(by_thread(&texts.concat()), vec![(0..RECORDS).collect::<Vec<_>>(); THREADS]);
}

#[test]
fn of_records_that_a_full_disk_takes_no_more_each_is_counted_once() {
    const RECORDS: usize = 100;
    report::set_enabled(false);
    let disk = FakeDisk::default();
    let full = Write::Fails(ErrorKind::StorageFull);
    disk.plan_writes([Write::Short(1 << 20), full, full].into_iter().cycle().take(90));
    let writer = FileWriter::on(Arc::new(disk.clone()), "app.log");
    let handler = Arc::new(BasicHandler::with_destination(Written::new("FileHandler", writer)));
    from_all_threads(handler.clone(), |manager, thread| {
        (0..RECORDS).for_each(|number| info!(manager.root(), "{thread} {number}"));
    });
    assert!(handler.failed().is_some_and(|failed| failed >= 60));
    let whole = disk.text("app.log").expect("there").matches('\n').count();
    assert_eq!(handler.failed(), Some((THREADS * RECORDS - whole) as u64));
}

#[test]
fn a_buffer_is_written_by_a_severe_record_whoever_writes_it() {
    const RECORDS: usize = 100;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let handler = FileHandler::buffered(&path, 64 * 1024).expect("opened");
    from_all_threads(Arc::new(handler), |manager, thread| {
        for number in 0..RECORDS {
            if number % 10 == 9 {
                error!(manager.root(), "{thread} {number}");
                let text = fs::read_to_string(&path).expect("written");
                assert!(text.contains(&format!("{thread} {number}\n")));
            } else {
                info!(manager.root(), "{thread} {number}");
            }
        }
    });
    let text = fs::read_to_string(&path).expect("written");
    assert_eq!(by_thread(&text), vec![(0..RECORDS).collect::<Vec<_>>(); THREADS]);
}

/// Logs to its own handler in the middle of a record that says so.
#[derive(Default)]
struct Nested {
    handler: OnceLock<Arc<dyn Handler>>,
    has_logged: Mutex<Option<Sender<()>>>,
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

impl Formatter for Nested {
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(record.message.as_bytes());
        if record.message == "outer" {
            DEPTH.set(DEPTH.get() + 1);
            assert!(DEPTH.get() < 10, "a record within a record is refused, not followed for ever");
            let handler = self.handler.get().expect("set");
            duramen_testkit::record(Level::INFO, "outer", |record| handler.handle(record));
            DEPTH.set(DEPTH.get() - 1);
            if let Some(tell) = &*self.has_logged.lock().expect("no panic") {
                tell.send(()).expect("somebody listens");
            }
        }
    }
}

/// A handler for a pipe that nobody reads from yet, with who can, and a text that is longer than a pipe holds: who writes it
/// has the lock until somebody reads.
fn pipe(folder: &std::path::Path) -> (Arc<FileHandler>, File, String) {
    let path = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    let reader = File::options().read(true).write(true).open(&path).expect("opened");
    (Arc::new(FileHandler::new(&path).expect("opened")), reader, "x".repeat(1 << 20))
}

#[test]
fn a_child_that_is_forked_while_another_thread_writes_does_not_wait_for_it() {
    report::set_enabled(false);
    let folder = tempfile::tempdir().expect("a folder");
    let (handler, mut reader, long) = pipe(folder.path());
    thread::scope(|scope| {
        scope.spawn(|| duramen_testkit::record(Level::INFO, &long, |record| handler.handle(record)));
        let mut first = [0; 1];
        reader.read_exact(&mut first).expect("it has begun");
        // SAFETY: the child does nothing but to handle a record, and to end.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: a child that hangs is ended by the signal.
            unsafe { libc::alarm(20) };
            duramen_testkit::record(Level::INFO, "of the child", |record| handler.handle(record));
            handler.flush();
            let is_counted = handler.failed() == Some(1);
            // SAFETY: it ends the child, without what the tests would do at their end.
            unsafe { libc::_exit(if is_counted { 7 } else { 8 }) };
        }
        let mut status = 0;
        // SAFETY: it writes to the place that it is given.
        unsafe { libc::waitpid(child, &raw mut status, 0) };
        let ended = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
        reader.read_exact(&mut vec![0; long.len()]).expect("the parent writes on");
        assert_eq!(ended, Some(7), "the child has counted its record");
    });
    assert_eq!(handler.failed(), Some(0));
}

#[test]
fn a_formatter_that_logs_to_its_handler_is_noticed_while_another_thread_writes() {
    report::set_enabled(false);
    let folder = tempfile::tempdir().expect("a folder");
    let (handler, mut reader, long) = pipe(folder.path());
    let formatter = Arc::new(Nested::default());
    assert!(formatter.handler.set(handler.clone()).is_ok());
    handler.set_formatter(formatter.clone());
    let (tell, told) = channel();
    thread::scope(|scope| {
        scope.spawn(|| duramen_testkit::record(Level::INFO, &long, |record| handler.handle(record)));
        let mut first = [0; 1];
        reader.read_exact(&mut first).expect("it has begun");
        *formatter.has_logged.lock().expect("no panic") = Some(tell);
        scope.spawn(|| duramen_testkit::record(Level::INFO, "outer", |record| handler.handle(record)));
        told.recv().expect("made beside the one that is written");
        let mut rest = vec![0; long.len() + "\nouter\n".len() - 1];
        reader.read_exact(&mut rest).expect("both");
        assert!(rest.ends_with(b"x\nouter\n"));
    });
    assert_eq!(handler.failed(), Some(1), "the inner one");
}
