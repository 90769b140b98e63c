//! Faults that the kernel makes: what a handler says that it has written is there once, the rest is told, each line is
//! whole, and the handler goes on when the cause is gone. This test program starts itself as the process that logs.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use duramen::handler::{
    AsyncHandler, FileHandler, RotatingFileHandler, TimedRotatingFileHandler, WatchedFileHandler,
};
use duramen::queue::Options;
use duramen::rotation::{Customs, Schedule, SizeLimit, When};
use duramen::writer::{FileWriter, RotatingWriter, TimedRotatingWriter};
use duramen::{Handler, Level, clock, report};
use duramen_testkit::capture;
use jiff::tz::TimeZone;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the process is to do: the fault, the kind of handler, the log file.
const SETTING: &str = "DURAMEN_TEST_FAULT";
/// A third before the fault, a third while it lasts, a third after it.
const RECORDS: usize = 300;
/// Somebody who is not root.
const NOBODY: u32 = 65_534;
/// So often one report is said in full.
const SAID: usize = 10;

fn rotating(path: &Path) -> RotatingFileHandler {
    let file = FileWriter::new(path);
    RotatingFileHandler::with_writer(RotatingWriter::new(
        file,
        SizeLimit::new(4_000, 500),
        Customs::default(),
    ))
}

fn handler(kind: &str, path: &Path) -> Arc<dyn Handler> {
    match kind {
        "file" => Arc::new(FileHandler::with_writer(FileWriter::new(path))),
        "watched" => Arc::new(WatchedFileHandler::new(FileWriter::new(path))),
        "rotating" => Arc::new(rotating(path)),
        _ => {
            let schedule = Schedule::new(When::Midnight, 1).expect("a schedule");
            let clock = Arc::new(clock::SystemClock::default());
            let writer = TimedRotatingWriter::new(
                FileWriter::new(path),
                schedule,
                0,
                Customs::default(),
                clock,
                TimeZone::UTC,
            );
            Arc::new(TimedRotatingFileHandler::with_writer(writer))
        }
    }
}

/// A fault, and what ends it.
fn begin(fault: &str, path: &Path) -> Box<dyn FnOnce()> {
    let folder = path.parent().expect("a folder").to_owned();
    let path = path.to_owned();
    match fault {
        "full" => {
            let mut blocker = File::create(folder.join("blocker")).expect("made");
            for size in [65_536, 1] {
                while blocker.write_all(&vec![b'x'; size]).is_ok() {}
            }
            Box::new(move || blocker.set_len(0).expect("emptied"))
        }
        "read-only" => {
            remount(&folder, "ro");
            Box::new(move || remount(&folder, "rw"))
        }
        "size" => limited(Resource::Fsize, 2_000, || {}),
        "descriptors" => {
            let mut taken = Vec::new();
            let free = limited(Resource::Nofile, 64, || {
                while let Ok(file) = File::open("/dev/null") {
                    taken.push(file);
                }
            });
            Box::new(move || {
                drop(taken);
                free();
            })
        }
        "away" => {
            let away = folder.with_extension("away");
            fs::rename(&folder, &away).expect("renamed");
            Box::new(move || fs::rename(away, folder).expect("renamed"))
        }
        "deleted" => {
            fs::remove_file(path).expect("removed");
            Box::new(|| {})
        }
        "replaced" => {
            fs::rename(&path, path.with_extension("moved")).expect("renamed");
            File::create(path).expect("made");
            Box::new(|| {})
        }
        "permissions" => {
            let set = move |path: &Path, mode| {
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
            };
            set(&path, 0o000);
            set(&folder, 0o000);
            Box::new(move || {
                set(&folder, 0o700);
                set(&path, 0o600);
            })
        }
        _ => panic!("no such fault: {fault}"),
    }
}

fn remount(folder: &Path, how: &str) {
    let option = format!("remount,{how}");
    assert!(Command::new("mount").args(["-o", &option]).arg(folder).status().expect("started").success());
}

fn limited(resource: Resource, most: u64, act: impl FnOnce()) -> Box<dyn FnOnce()> {
    let before = getrlimit(resource);
    setrlimit(resource, Rlimit { current: Some(most), ..before }).expect("set");
    act();
    Box::new(move || setrlimit(resource, before).expect("set"))
}

fn text(number: usize) -> String {
    format!("{number} {}", "x".repeat(number * 7 % 97))
}

/// Not a test: the process that logs. It prints the numbers of the records that were accepted.
#[test]
#[ignore = "the process that the other tests start"]
fn process() {
    let Ok(setting) = std::env::var(SETTING) else { return };
    let [fault, kind, path] = setting.split('|').collect::<Vec<_>>().try_into().expect("three words");
    let path = Path::new(path);
    let queue = kind.strip_prefix("async ").map(|kind| {
        Arc::new(AsyncHandler::new(vec![handler(kind, path)], Options::default()).expect("a thread"))
    });
    let handler = queue.clone().map_or_else(|| handler(kind, path), |queue| queue as Arc<dyn Handler>);
    let log = |number: usize| {
        let before = report::count();
        capture::record(Level::INFO, &text(number), |record| handler.handle(record));
        if queue.is_some() {
            handler.flush();
        }
        if report::count() == before {
            println!("accepted {number}");
        }
    };
    (0..RECORDS / 3).for_each(log);
    if fault == "read-only" {
        // A disk that has a file open for writing is not made read-only.
        handler.close();
    }
    let end = begin(fault, path);
    (RECORDS / 3..RECORDS * 2 / 3).for_each(log);
    end();
    (RECORDS * 2 / 3..RECORDS).for_each(log);
    handler.close();
    if let Some(stats) = queue.map(|queue| queue.stats()) {
        assert_eq!((stats.accepted, stats.delivered + stats.failed), (RECORDS as u64, RECORDS as u64));
        println!("delivered {}", stats.delivered);
    }
}

/// What came of a fault.
struct Outcome {
    accepted: Vec<usize>,
    /// What the queue says that it has delivered.
    delivered: Option<usize>,
    found: BTreeMap<usize, usize>,
    /// Lines on the report channel.
    said: usize,
}

fn run(fault: &str, kind: &str, logs: &Path, user: Option<u32>) -> Outcome {
    let path = logs.join("app.log");
    // What a shell ignores, the program that it starts ignores too.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]);
    command.arg(std::env::current_exe().expect("this program"));
    command.args(["--exact", "process", "--ignored", "--nocapture"]);
    command.env(SETTING, format!("{fault}|{kind}|{}", path.display()));
    if let Some(user) = user {
        command.uid(user);
    }
    let output = command.stdin(Stdio::null()).output().expect("started");
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{fault}, {kind}: {printed}\n{said}");
    let numbers = |word: &str| {
        // What the test harness prints may stand before it on the line.
        let lines = printed.lines().filter_map(|line| line.split_once(word));
        lines.map(|(_, number)| number.parse().expect("a number")).collect::<Vec<usize>>()
    };
    let mut found = BTreeMap::new();
    for file in fs::read_dir(logs).expect("a folder") {
        let file: PathBuf = file.expect("an entry").path();
        if file.file_name().is_some_and(|name| name == "blocker") {
            continue;
        }
        for line in fs::read_to_string(file).expect("text").lines() {
            let number = line.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(usize::MAX);
            assert!(number < RECORDS && line == text(number), "{fault}, {kind}: mangled: {line}");
            *found.entry(number).or_insert(0) += 1;
        }
    }
    let said = said.lines().filter(|line| line.starts_with("duramen: ")).count();
    Outcome { accepted: numbers("accepted "), delivered: numbers("delivered ").pop(), found, said }
}

/// Runs the fault; `lost` says which of the accepted records are gone with the file that was taken away.
fn holds(fault: &str, kind: &str, lost: impl Fn(usize) -> bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).expect("made");
    let mount = matches!(fault, "full" | "read-only").then(|| Mount::new(&logs));
    if mount.as_ref().is_some_and(Option::is_none) {
        // Mounting takes root.
        return;
    }
    let outcome = run(fault, kind, &logs, None);
    check(fault, kind, &outcome, lost);
}

fn check(fault: &str, kind: &str, outcome: &Outcome, lost: impl Fn(usize) -> bool) {
    for number in outcome.accepted.iter().filter(|number| !lost(**number)) {
        assert_eq!(outcome.found.get(number), Some(&1), "{fault}, {kind}: {number} was accepted");
    }
    assert!(outcome.found.values().all(|times| *times == 1), "{fault}, {kind}: doubled");
    assert!(outcome.found.contains_key(&(RECORDS - 1)), "{fault}, {kind}: it has not recovered");
    assert!(outcome.said <= SAID + 1, "{fault}, {kind}: said {} times", outcome.said);
    if let Some(delivered) = outcome.delivered {
        // A rollover that failed is told of as well, although the record is written.
        let gone = outcome.accepted.iter().filter(|number| lost(**number)).count();
        let (least, most) = (outcome.accepted.len(), outcome.found.len() + gone);
        assert!((least..=most).contains(&delivered), "{fault}, {kind}: the ledger has {delivered} records");
    }
}

/// A small disk.
struct Mount(PathBuf);

impl Mount {
    fn new(folder: &Path) -> Option<Self> {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"]).arg(folder);
        let is_mounted = command.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        is_mounted.then(|| Self(folder.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

const KINDS: [&str; 6] = ["file", "watched", "rotating", "timed", "async file", "async rotating"];
/// Those that open another file when theirs is away.
const FOLLOWING: [&str; 4] = ["watched", "rotating", "timed", "async rotating"];
/// Those that open their file again after they were closed.
const OPENING: [&str; 4] = ["file", "watched", "rotating", "timed"];

/// A fault is a test: what handlers of these kinds have accepted is there, except records that are lost with a file that was
/// taken away.
macro_rules! faults {
    ($($test:ident: $fault:literal, $kinds:expr, $lost:expr;)*) => {$(
        #[test]
        fn $test() {
            for kind in $kinds {
                holds($fault, kind, $lost);
            }
        }
    )*};
}

faults! {
    a_full_disk: "full", KINDS, |_| false;
    a_disk_that_is_read_only_for_a_while: "read-only", OPENING, |_| false;
    a_limit_of_the_files_size: "size", KINDS, |_| false;
    no_file_descriptors: "descriptors", KINDS, |_| false;
    a_folder_that_vanishes_and_comes_back: "away", KINDS, |_| false;
    // What was in it is gone, and what was written before it was noticed.
    a_file_that_is_deleted: "deleted", FOLLOWING, |number| number < RECORDS * 2 / 3;
    a_file_that_is_replaced: "replaced", FOLLOWING, |_| false;
}

#[test]
fn permissions_that_change() {
    let folder = tempfile::tempdir().expect("a folder");
    if fs::metadata("/proc/self").is_ok_and(|me| me.uid() != 0) {
        for kind in KINDS {
            holds("permissions", kind, |_| false);
        }
        return;
    }
    // For root they count nothing: somebody else logs, in a folder of his.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("set");
    let can_start =
        Command::new(std::env::current_exe().expect("this program")).arg("--list").uid(NOBODY).output();
    if !can_start.is_ok_and(|output| output.status.success()) {
        return;
    }
    for (number, kind) in KINDS.iter().enumerate() {
        let logs = folder.path().join(number.to_string());
        fs::create_dir(&logs).expect("made");
        chown(&logs, Some(NOBODY), None).expect("given away");
        check("permissions", kind, &run("permissions", kind, &logs, Some(NOBODY)), |_| false);
    }
}

#[test]
fn a_pipe_without_a_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().expect("started").success());
    let reader = || OpenOptions::new().read(true).custom_flags(libc_nonblock()).open(&path).expect("opened");
    let mut first = reader();
    let handler = FileHandler::new(&path).expect("opened");
    let log = |text: &str| capture::record(Level::INFO, text, |record| handler.handle(record));
    log("one");
    let mut read = [0; 100];
    assert_eq!(first.read(&mut read).ok(), Some(4));
    drop(first);
    // A process that another test is just starting has the pipe too, until it runs its own program.
    while OpenOptions::new().write(true).custom_flags(libc_nonblock()).open(&path).is_ok() {
        std::thread::yield_now();
    }
    let failed = || handler.failed();
    log("nobody reads");
    log("nobody reads");
    assert_eq!(failed(), Some(2));
    let mut second = reader();
    log("two");
    assert_eq!(failed(), Some(2));
    let length = second.read(&mut read).expect("read");
    assert_eq!(&read[..length], b"two\n");
}

fn libc_nonblock() -> i32 {
    i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).expect("a flag")
}
