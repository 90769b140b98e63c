//! A queue whose lines outlive the process, in Rust: programs that are killed, and the next one.
#![cfg(unix)]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use duramen::handler::{FileHandler, JournaledHandler, NullHandler};
use duramen::queue::{Options, Overflow};
use duramen::writer::{FileWriter, Fsync};
use duramen::{Formatter, Handler, Level, Record, config, spool};
use duramen_testkit::{FakeDisk, record};

const FOLDER: &str = "DURAMEN_TEST_JOURNAL";
const SMALLEST: usize = *spool::SIZES.start();

fn gathering() -> Options {
    Options { flush_interval: Duration::from_secs(60), ..Options::default() }
}

fn handler_in(folder: &Path, options: Options) -> JournaledHandler {
    let file: Arc<dyn Handler> = Arc::new(FileHandler::new(folder.join("out.log")).expect("a file"));
    JournaledHandler::new(vec![file], options, &folder.join("spool"), SMALLEST).expect("a journal")
}

fn log(handler: &JournaledHandler, message: &str) {
    record(Level::INFO, message, |record| handler.handle(record));
}

fn lines(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("out.log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn journals(folder: &Path) -> usize {
    fs::read_dir(folder.join("spool")).map_or(0, Iterator::count)
}

/// Runs one of the tests below as a process of its own, which is killed.
fn run_killed(name: &str, folder: &Path) {
    let own = std::env::current_exe().expect("this test");
    let ended = Command::new(own)
        .args(["--exact", name, "--nocapture", "--ignored"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("a process");
    assert!(ended.code().is_none(), "it was killed");
}

fn folder_of_child() -> PathBuf {
    std::env::var_os(FOLDER).expect("set by the parent").into()
}

fn kill() -> ! {
    let own = std::process::id().to_string();
    let _ = Command::new("kill").args(["-9", &own]).status();
    unreachable!("it was killed")
}

#[test]
#[ignore = "a process of another test"]
fn child_with_threads() {
    // So few gather: of 128 and more in a small journal the worker would take some at once.
    let handler = handler_in(&folder_of_child(), gathering());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let handler = &handler;
            scope.spawn(move || (0..25).for_each(|number| log(handler, &format!("{thread} {number}"))));
        }
    });
    kill()
}

#[test]
fn what_waited_is_delivered_by_the_next_process_in_the_order_of_each_thread() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    run_killed("child_with_threads", folder);
    assert_eq!((lines(folder).len(), journals(folder)), (0, 1));
    let handler = handler_in(folder, Options::default());
    log(&handler, "own");
    assert!(handler.flush_within(Duration::from_secs(60)));
    let stats = handler.stats();
    assert_eq!((stats.accepted, stats.recovered, stats.delivered), (1, 100, 101));
    handler.close();
    let lines = lines(folder);
    assert_eq!((lines.len(), lines[100].as_str(), journals(folder)), (101, "own", 0));
    for thread in 0..4 {
        let own: Vec<_> = lines.iter().filter(|line| line.starts_with(&format!("{thread} "))).collect();
        let expected: Vec<_> = (0..25).map(|number| format!("{thread} {number}")).collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>());
    }
}

/// The handler behind writes what an earlier process left, as it writes its own lines: to the disk, and not without it.
#[test]
fn what_is_recovered_is_on_the_disk_when_the_handler_would_have_its_own_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    run_killed("child_with_threads", folder);
    let path = folder.join("out.log").to_str().expect("text").to_owned();
    // A disk of its own that has a file of this name: nothing reaches the real one.
    let disk = FakeDisk::default();
    let behind = || -> Vec<Arc<dyn Handler>> {
        let writer = FileWriter::on(Arc::new(disk.clone()), &path).fsync(Fsync::EveryRecord);
        vec![Arc::new(FileHandler::with_writer(writer))]
    };
    let spool = folder.join("spool");
    let made = || JournaledHandler::new(behind(), Options::default(), &spool, SMALLEST).expect("a journal");

    disk.fail_syncs(Some(ErrorKind::StorageFull));
    let handler = made();
    assert!(handler.flush_within(Duration::from_secs(60)));
    let stats = handler.stats();
    assert_eq!((stats.recovered, stats.delivered, stats.failed), (100, 0, 100));
    assert_eq!((stats.handlers[0].failed, stats.handlers[0].below_level), (100, 0));
    drop(handler);
    assert_eq!(journals(folder), 1, "what is not on the disk waits for the next start");

    disk.fail_syncs(None);
    let handler = made();
    assert!(handler.flush_within(Duration::from_secs(60)));
    assert_eq!((handler.stats().delivered, handler.stats().handlers[0].delivered), (100, 100));
    let length = disk.text(&path).expect("it was written").len();
    assert_eq!(disk.synced(&path).expect("a file").0, length, "all of it is on the disk");
    handler.close();
    assert_eq!(journals(folder), 0);
}

#[test]
fn orphans_are_delivered_without_a_handler() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    run_killed("child_with_threads", folder);
    for orphan in spool::recover(&folder.join("spool")).orphans {
        let (count, result) = orphan.deliver();
        assert_eq!((count, result.is_ok()), (100, true));
    }
    assert_eq!((lines(folder).len(), journals(folder)), (100, 0));
}

#[test]
fn a_journal_without_room_is_a_full_queue() {
    for (overflow, first) in [(Overflow::DropNewest, "00"), (Overflow::DropOldest, "05")] {
        let folder = tempfile::tempdir().expect("a folder");
        let handler = handler_in(folder.path(), Options { overflow, ..gathering() });
        for number in 0..20 {
            log(&handler, &format!("{number:02} {}", "x".repeat(4100)));
        }
        let stats = handler.stats();
        assert_eq!(stats.dropped.total(), 5, "{overflow:?}");
        handler.close();
        let lines = lines(folder.path());
        assert_eq!((lines.len(), &lines[0][..2]), (15, first), "{overflow:?}");
        let stats = handler.stats();
        let gone = stats.delivered + stats.failed + stats.dropped.oldest + stats.dropped.abandoned;
        assert_eq!(stats.accepted + stats.recovered, gone);
    }
}

#[test]
fn callers_wait_for_room_in_the_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let handler = handler_in(folder.path(), gathering());
    (0..60).for_each(|number| log(&handler, &format!("{number} {}", "x".repeat(4100))));
    log(&handler, &"x".repeat(2 * SMALLEST));
    assert_eq!(handler.unjournaled(), 1);
    handler.close();
    assert_eq!((lines(folder.path()).len(), journals(folder.path())), (61, 0));
}

#[test]
fn a_handler_that_writes_no_lines_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = JournaledHandler::new(vec![Arc::new(NullHandler)], gathering(), folder.path(), SMALLEST);
    let error = made.map(drop).expect_err("no lines");
    assert!(error.to_string().contains("handlers[0]"), "{error}");
    let file: Arc<dyn Handler> = Arc::new(FileHandler::new(folder.path().join("out.log")).expect("a file"));
    let made = JournaledHandler::new(vec![file], gathering(), folder.path(), 1000).map(drop);
    assert!(made.expect_err("too small").to_string().contains("found 1000 bytes"));
}

#[test]
fn a_configuration_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let (path, journal) = (folder.join("out.log"), folder.join("spool"));
    let text = format!(
        r#"{{"version": 1,
        "handlers": {{
            "file": {{"class": "logging.FileHandler", "filename": {path:?}}},
            "queue": {{"class": "duramen.handlers.AsyncHandler", "handlers": ["file"], "journal": {journal:?},
                       "journal_size": 65536, "flush_interval": 60}}
        }},
        "root": {{"level": "INFO", "handlers": ["queue"]}}}}"#
    );
    run_killed("child_with_threads", folder);
    let settings = config::from_json(&text).expect("right");
    let manager = duramen::Manager::new();
    settings.apply_to(&manager).expect("the files can be opened");
    duramen::log!(manager.root(), Level::INFO, "own");
    manager.shutdown();
    assert_eq!(lines(folder).len(), 101);
    let wrong = text.replace(&format!("\"journal\": {journal:?},"), "");
    let mistakes = config::from_json(&wrong).map(drop).expect_err("no journal").to_string();
    assert!(mistakes.contains("handlers.queue.journal_size"), "{mistakes}");
}

/// Panics at some messages.
struct Picky;

impl Formatter for Picky {
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        assert!(!record.message.starts_with("no"), "as the test wants");
        out.extend_from_slice(record.message.as_bytes());
    }
}

#[test]
fn a_line_that_cannot_be_made_is_counted_where_it_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name| FileHandler::new(folder.path().join(name)).expect("a file");
    let picky = file("picky.log");
    picky.set_formatter(Arc::new(Picky));
    let behind: Vec<Arc<dyn Handler>> = vec![Arc::new(picky), Arc::new(file("out.log"))];
    let spool = folder.path().join("spool");
    let handler = JournaledHandler::new(behind, Options::default(), &spool, SMALLEST).expect("a journal");
    for message in ["one", "no", "two"] {
        log(&handler, message);
    }
    handler.close();
    assert_eq!(lines(folder.path()), ["one", "no", "two"]);
    assert_eq!(fs::read_to_string(folder.path().join("picky.log")).expect("a file"), "one\ntwo\n");
    let stats = handler.stats();
    let counts = |place: usize| (stats.handlers[place].delivered, stats.handlers[place].failed);
    assert_eq!((stats.delivered, stats.failed, counts(0), counts(1)), (2, 1, (2, 1), (3, 0)));
}

#[test]
#[ignore = "a process of another test"]
fn child_with_many_journals() {
    let folder = folder_of_child();
    let handlers: Vec<_> = (0..70).map(|_| handler_in(&folder, gathering())).collect();
    for (number, handler) in handlers.iter().enumerate() {
        log(handler, &number.to_string());
    }
    kill();
}

/// Each that is taken has its file open and its lines in memory.
#[test]
fn many_journals_are_taken_a_few_at_a_time_and_all_delivered_at_one_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    run_killed("child_with_many_journals", folder);
    let left = spool::recover(&folder.join("spool"));
    assert_eq!((left.orphans.len() + left.rest.len(), left.failed), (70, 0));
    assert!(left.orphans.len() < 40, "found {}", left.orphans.len());
    drop(left);
    let handler = handler_in(folder, gathering());
    log(&handler, "own");
    assert!(handler.flush_within(Duration::from_secs(60)));
    assert_eq!((handler.stats().recovered, handler.stats().delivered), (70, 71));
    handler.close();
    assert_eq!((lines(folder).len(), journals(folder)), (71, 0));
}

#[test]
#[ignore = "a process of another test"]
fn child_in_another_folder() {
    let folder = folder_of_child();
    std::env::set_current_dir(&folder).expect("a folder");
    let left = spool::recover(Path::new("spool"));
    std::env::set_current_dir("/").expect("a folder");
    for orphan in left.orphans {
        assert!(orphan.deliver().1.is_ok());
    }
    kill();
}

#[test]
fn a_process_that_goes_to_another_folder_removes_what_it_has_delivered() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    run_killed("child_with_threads", folder);
    run_killed("child_in_another_folder", folder);
    assert_eq!((lines(folder).len(), journals(folder)), (100, 0));
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "a process of another test"]
fn child_with_a_limit_for_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let folder = folder_of_child();
    let limit = Rlimit { current: Some(60_000), ..getrlimit(Resource::Fsize) };
    setrlimit(Resource::Fsize, limit).expect("set");
    let file: Arc<dyn Handler> = Arc::new(FileHandler::new(folder.join("out.log")).expect("a file"));
    let made = JournaledHandler::new(vec![file], Options::default(), &folder.join("spool"), SMALLEST);
    fs::write(folder.join("error"), made.err().expect("it is refused").to_string()).expect("written");
    kill();
}

/// The system would end the process for it, by SIGXFSZ.
#[cfg(target_os = "linux")]
#[test]
fn a_journal_beyond_the_limit_for_files_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    run_killed("child_with_a_limit_for_files", folder);
    let error = fs::read_to_string(folder.join("error")).expect("it lived on");
    assert!(error.contains("spool") && error.contains("File too large"), "{error}");
    assert_eq!(journals(folder), 0);
}
