//! A disk that answers with EIO, and one that does not answer: the caller goes on, nothing is mangled, the counters add up.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use duramen::fs::{FileStatus, FileSystem, LockedFile, LogFile, NewFile, SourceFile};
use duramen::handler::{AsyncHandler, FileHandler, Handler, JournaledHandler};
use duramen::queue::{Ledger, Options, Overflow};
use duramen::rotation::{Customs, SizeLimit};
use duramen::writer::{FileWriter, Fsync, RotatingWriter, Writer as _};
use duramen::{Level, report};
use duramen_testkit::{FakeDisk, capture};
use parking_lot::{Condvar, Mutex, MutexGuard};

/// The number of EIO on Linux, macOS and the BSDs.
const EIO: i32 = 5;

/// A disk in memory whose writes stop or fail when a test says so.
#[derive(Clone, Debug, Default)]
struct Door {
    disk: FakeDisk,
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

#[derive(Debug, Default)]
struct Gate {
    /// What each write fails with.
    error: Option<i32>,
    /// Writes do not return.
    is_shut: bool,
    /// Writes that wait.
    waiting: usize,
}

impl Door {
    fn fail(&self, error: Option<i32>) {
        self.gate.0.lock().error = error;
    }

    fn shut(&self, is_shut: bool) {
        self.gate.0.lock().is_shut = is_shut;
        self.gate.1.notify_all();
    }

    fn wait_for_a_writer(&self) {
        let mut gate = self.gate.0.lock();
        while gate.waiting == 0 {
            self.gate.1.wait(&mut gate);
        }
    }

    fn pass(&self) -> io::Result<()> {
        let mut gate = self.gate.0.lock();
        gate.waiting += 1;
        self.gate.1.notify_all();
        while gate.is_shut {
            self.gate.1.wait(&mut gate);
        }
        gate.waiting -= 1;
        gate.error.map_or(Ok(()), |error| Err(io::Error::from_raw_os_error(error)))
    }

    fn file(&self) -> FileWriter {
        FileWriter::on(Arc::new(self.clone()), "app.log")
    }

    fn lines(&self) -> Vec<String> {
        let names = self.disk.names();
        let texts = names.iter().filter_map(|name| self.disk.text(name));
        let mut lines: Vec<_> =
            texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        lines.sort();
        lines
    }
}

#[derive(Debug)]
struct DoorFile {
    door: Door,
    file: Box<dyn LogFile>,
}

impl LogFile for DoorFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.door.pass()?;
        self.file.write(bytes)
    }

    fn status(&self) -> io::Result<FileStatus> {
        self.file.status()
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.truncate(length)
    }

    fn duplicate(&self) -> io::Result<Box<dyn LogFile>> {
        self.file.duplicate()
    }
}

impl FileSystem for Door {
    fn open(&self, path: &Path, truncate: bool) -> io::Result<Box<dyn LogFile>> {
        Ok(Box::new(DoorFile { door: self.clone(), file: self.disk.open(path, truncate)? }))
    }

    fn status(&self, path: &Path) -> io::Result<FileStatus> {
        self.disk.status(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        self.disk.list(directory)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockedFile>>> {
        self.disk.try_lock(path)
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn SourceFile>> {
        self.disk.read(path)
    }

    fn create(&self, path: &Path, like: &dyn SourceFile) -> io::Result<Box<dyn NewFile>> {
        self.disk.create(path, like)
    }

    fn link(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.disk.link(target, link)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.disk.make_folder(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.disk.sync_folder(folder)
    }

    fn overwrite(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.disk.overwrite(path, bytes)
    }
}

fn log(handler: &dyn Handler, message: &str) {
    capture::record(Level::INFO, message, |record| handler.handle(record));
}

/// The count of reports is that of the process: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock()
}

#[test]
fn each_record_is_in_the_file_or_reported_while_writes_fail() {
    let _alone = alone();
    let door = Door::default();
    let handler = FileHandler::with_writer(door.file());
    let before = report::count();
    let mut expected = Vec::new();
    for number in 0..300 {
        // Three times the disk fails, and recovers.
        let is_failing = number % 100 >= 50;
        door.fail(is_failing.then_some(EIO));
        let text = format!("{number:03}");
        log(&handler, &text);
        if !is_failing {
            expected.push(text);
        }
    }
    assert_eq!(door.lines(), expected);
    assert_eq!(report::count() - before, 150);
}

#[test]
fn a_file_that_is_due_is_rolled_over_whether_writes_fail_or_not() {
    let _alone = alone();
    let door = Door::default();
    let mut writer = RotatingWriter::new(door.file(), SizeLimit::new(40, 100), Customs::default());
    let mut accepted = Vec::new();
    for number in 0..200 {
        door.fail((number % 20 >= 10).then_some(EIO));
        let text = format!("entry {number:03}");
        match writer.write_entry(format!("{text}\n").as_bytes()) {
            Ok(()) => accepted.push(text),
            Err(error) => assert_eq!(error.raw_os_error(), Some(EIO)),
        }
    }
    assert_eq!(accepted.len(), 100);
    assert_eq!(door.lines(), accepted);
}

#[test]
fn a_disk_that_does_not_answer_holds_up_no_caller_behind_a_queue() {
    let _alone = alone();
    let door = Door::default();
    let before = report::count();
    let options = Options { capacity: 10, overflow: Overflow::DropNewest, ..Options::default() };
    let behind: Arc<dyn Handler> = Arc::new(FileHandler::with_writer(door.file()));
    let handler = AsyncHandler::new(vec![behind], options).expect("a thread");
    door.shut(true);
    log(&handler, "the first");
    door.wait_for_a_writer();
    for number in 0..100 {
        // Each call returns while the disk does not.
        log(&handler, &format!("record {number:03}"));
    }
    let stats = handler.stats();
    assert!(!handler.flush_within(Duration::from_millis(1)));
    assert_eq!(stats.accepted + stats.dropped.newest, 101);
    assert!(stats.dropped.newest > 0 && stats.dropped.newest == stats.dropped.total());
    assert_eq!(stats.accepted, stats.delivered + stats.failed + stats.queued + stats.in_flight);
    door.shut(false);
    log(&handler, "the last");
    handler.close();
    let stats = handler.stats();
    assert_eq!((stats.delivered, stats.queued, stats.in_flight), (stats.accepted, 0, 0));
    let lines = door.lines();
    assert_eq!(lines.len() as u64, stats.delivered);
    assert!(lines.iter().any(|line| line == "the first"));
    assert!(stats.accepted + stats.dropped.total() == 102);
    assert_eq!(report::count(), before);
}

/// What the handlers behind a queue could not write counts as failed, whether they held it back or not.
fn counts_failures(fsync: Fsync, with_journal: bool) {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let door = Door::default();
    let behind: Arc<dyn Handler> = Arc::new(FileHandler::with_writer(door.file().fsync(fsync)));
    let options = Options::default();
    let (handler, stats): (Arc<dyn Handler>, Box<dyn Fn() -> Ledger>) = if with_journal {
        let handler =
            JournaledHandler::new(vec![behind], options, folder.path(), 1 << 20).expect("a journal");
        let handler = Arc::new(handler);
        (Arc::<JournaledHandler>::clone(&handler), Box::new(move || handler.stats()))
    } else {
        let handler = Arc::new(AsyncHandler::new(vec![behind], options).expect("a thread"));
        (Arc::<AsyncHandler>::clone(&handler), Box::new(move || handler.stats()))
    };
    for round in 0..3 {
        door.fail((round == 1).then_some(EIO));
        for number in 0..100 {
            log(handler.as_ref(), &format!("{round} {number:03}"));
        }
        handler.flush();
    }
    let stats = stats();
    assert_eq!((stats.accepted, stats.delivered, stats.failed), (300, 200, 100));
    assert_eq!((stats.handlers[0].delivered, stats.handlers[0].failed), (200, 100));
    assert_eq!(door.lines().len(), 200);
    assert!(door.lines().iter().all(|line| !line.starts_with('1')));
    handler.close();
    let (_, syncs) = door.disk.synced("app.log").expect("a file");
    assert_eq!(syncs > 0, fsync == Fsync::EveryRecord);
}

#[test]
fn failed_writes_behind_a_queue_are_counted() {
    counts_failures(Fsync::Never, false);
    counts_failures(Fsync::EveryRecord, false);
}

#[test]
fn failed_writes_behind_a_journal_are_counted() {
    counts_failures(Fsync::Never, true);
    counts_failures(Fsync::EveryRecord, true);
}

#[test]
fn records_of_a_batch_are_brought_to_the_disk_together() {
    let _alone = alone();
    let door = Door::default();
    let behind: Arc<dyn Handler> = Arc::new(FileHandler::with_writer(door.file().fsync(Fsync::EveryRecord)));
    let handler = AsyncHandler::new(vec![behind], Options::default()).expect("a thread");
    door.shut(true);
    log(&handler, "the first batch");
    door.wait_for_a_writer();
    for number in 0..100 {
        log(&handler, &format!("record {number:03}"));
    }
    door.shut(false);
    assert!(handler.flush_within(Duration::from_secs(60)));
    let length = door.disk.bytes("app.log").expect("a file").len();
    assert_eq!(door.disk.synced("app.log"), Some((length, 2)), "all of it, in two batches");
    assert_eq!(handler.stats().delivered, 101);
}
