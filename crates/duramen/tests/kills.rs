//! Processes that are killed while they write: this test program starts itself as the writer. `DURAMEN_KILLS` asks for a
//! longer campaign.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use duramen::clock::SystemClock;
use duramen::fs::Disk;
use duramen::handler::{AuditFileHandler, RotatingFileHandler};
use duramen::rotation::{Compression, Customs, SizeLimit, Upkeep, UpkeepOptions};
use duramen::writer::audit::{AuditKey, AuditOptions, Commit, check};
use duramen::writer::{FileWriter, RotatingWriter};
use duramen::{Handler, Level, report};
use duramen_testkit::capture;
use rustix::process::{Pid, Signal, kill_process};

/// What the writer is to do: the kind of handler, its number, its folder.
const SETTING: &str = "DURAMEN_TEST_WRITER";
const RECORDS: usize = 300;
/// So long are the records of processes that write long ones, and so many has each of them.
const LONG: usize = 1_000_000;
const LONG_RECORDS: usize = 8;

/// How often somebody is killed.
fn kills() -> usize {
    std::env::var("DURAMEN_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(5)
}

fn key() -> AuditKey {
    AuditKey::new(b"a key for tests of 16 bytes or more").expect("long enough")
}

fn handler(kind: &str, path: &Path) -> Box<dyn Handler> {
    if kind == "audit" {
        let options = AuditOptions { commit: Commit::Group, max_bytes: 200_000, ..AuditOptions::new(key()) };
        return Box::new(AuditFileHandler::new(path, options).expect("opened"));
    }
    if kind == "long" {
        let limit = SizeLimit::new(20 * LONG as u64, 1_000);
        let writer = RotatingWriter::new(FileWriter::new(path), limit, Customs::default());
        return Box::new(RotatingFileHandler::with_writer(writer));
    }
    let options = UpkeepOptions { compression: Some(Compression::Gzip), ..UpkeepOptions::default() };
    let clock = Arc::new(SystemClock::default());
    let upkeep = Upkeep::new(Arc::new(Disk), path, options, clock).expect("good options");
    let limit = SizeLimit::new(5_000, 0);
    let writer = RotatingWriter::new(FileWriter::new(path), limit, Customs::default());
    upkeep.begin();
    Box::new(RotatingFileHandler::with_writer(writer.with_upkeep(upkeep)))
}

/// Not a test: the process that writes.
#[test]
#[ignore = "the writer that the other tests start"]
fn writer() {
    let Ok(setting) = std::env::var(SETTING) else { return };
    let [kind, number, folder] = setting.split('|').collect::<Vec<_>>().try_into().expect("three words");
    let folder = PathBuf::from(folder);
    let handler = handler(kind, &folder.join("logs/app.log"));
    let mut acknowledged = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(folder.join(format!("acknowledged-{number}")))
        .expect("opened");
    for record in 0..if kind == "long" { LONG_RECORDS } else { RECORDS } {
        // Now and then one that takes a while to be written.
        let size = match kind {
            "long" => LONG,
            "audit" if record % 37 == 36 => 100_000,
            // As long as a record may be without a lock.
            _ if record % 37 == 36 => 4_000,
            _ => record % 90,
        };
        let text = format!("{number} {record} {}", "x".repeat(size));
        let before = report::count();
        capture::record(Level::INFO, &text, |record| handler.handle(record));
        if report::count() == before {
            acknowledged.write_all(format!("{record}\n").as_bytes()).expect("written");
        }
    }
    handler.close();
}

/// Writers in one folder.
struct Campaign {
    kind: &'static str,
    /// So many write at a time.
    writers: usize,
    folder: tempfile::TempDir,
    started: usize,
    random: u64,
}

impl Campaign {
    fn new(kind: &'static str, writers: usize) -> Self {
        // A disk that is busy can keep somebody waiting for longer than the others have patience.
        let memory = Path::new("/dev/shm");
        let is_long = kind == "long" && memory.is_dir();
        let folder = if is_long { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a folder");
        std::fs::create_dir(folder.path().join("logs")).expect("a folder");
        Self { kind, writers, folder, started: 0, random: 0x9E37_79B9_7F4A_7C15 }
    }

    /// Starts a writer, and waits until it writes.
    fn start(&mut self) -> Child {
        let number = self.started;
        self.started += 1;
        let setting = format!("{}|{number}|{}", self.kind, self.folder.path().display());
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "writer", "--ignored", "--nocapture"])
            .env(SETTING, setting)
            .stdout(Stdio::null())
            .spawn()
            .expect("started");
        while !self.acknowledged(number).exists() {
            pause(Duration::from_millis(1));
        }
        child
    }

    fn acknowledged(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("acknowledged-{number}"))
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("logs/app.log")
    }

    /// A number below `end` (xorshift).
    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % end
    }

    /// Kills one writer after the other, now and then all of them; `look` sees what all of them have left.
    fn run(&mut self, kills: usize, look: impl Fn(&Self)) {
        let mut running: Vec<_> = (0..self.writers).map(|_| self.start()).collect();
        for kill in 0..kills {
            pause(Duration::from_micros(self.below(30_000)));
            let victims = if kill % 3 == 2 { self.writers } else { 1 };
            for mut victim in running.drain(..victims) {
                let _ = victim.kill();
                victim.wait().expect("ended");
            }
            if victims == self.writers {
                look(self);
            }
            running.extend((0..victims).map(|_| self.start()));
        }
        // One that nobody kills, after the others: it brings in order what they have left.
        for mut child in running {
            assert!(child.wait().expect("ended").success());
        }
        let mut last = self.start();
        assert!(last.wait().expect("ended").success());
    }

    /// Stops writers at random moments, and continues them later; the others go on.
    fn run_stopped(&mut self, stops: usize) {
        let mut running: Vec<_> = (0..self.writers).map(|_| self.start()).collect();
        for _ in 0..stops {
            let held = usize::try_from(self.below(self.writers as u64)).expect("a place");
            let signal = |child: &Child, signal| {
                let id = Pid::from_raw(i32::try_from(child.id()).expect("a number"));
                // One that has ended is not waited for yet: its number is still its own.
                let _ = kill_process(id.expect("not 0"), signal);
            };
            signal(&running[held], Signal::STOP);
            pause(Duration::from_micros(self.below(20_000)));
            signal(&running[held], Signal::CONT);
        }
        for child in &mut running {
            assert!(child.wait().expect("ended").success());
        }
        let mut last = self.start();
        assert!(last.wait().expect("ended").success());
    }

    /// The lines of the rotated file and its backups.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for path in files(&self.folder.path().join("logs")) {
            let mut text = String::new();
            let bytes = std::fs::read(&path).expect("bytes");
            if path.extension().is_some_and(|ending| ending == "gz") {
                std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text)
                    .expect("gzip");
            } else {
                text = String::from_utf8(bytes).expect("text");
            }
            lines.extend(text.lines().map(str::to_owned));
        }
        lines
    }

    /// How often each record was found whose logging call has returned, and how many of them there are.
    fn count(&self, texts: &[String]) -> (BTreeMap<(usize, usize), usize>, usize) {
        let mut found = BTreeMap::new();
        for text in texts {
            let words: Vec<_> = text.split(' ').collect();
            let [number, record, padding] =
                words.try_into().unwrap_or_else(|_| panic!("mangled: {}", squeezed(text)));
            assert!(padding.bytes().all(|byte| byte == b'x'), "mangled: {}", squeezed(text));
            *found
                .entry((number.parse().expect("a number"), record.parse().expect("a number")))
                .or_insert(0) += 1;
        }
        let mut written = 0;
        for number in 0..self.started {
            let acknowledged = std::fs::read_to_string(self.acknowledged(number)).expect("text");
            for line in acknowledged.lines() {
                written += 1;
                let record = (number, line.parse().expect("a number"));
                assert_eq!(found.get(&record), Some(&1), "{record:?} was acknowledged");
            }
        }
        (found, written)
    }
}

#[expect(clippy::disallowed_methods, reason = "another process tells nobody what it does")]
fn pause(length: Duration) {
    std::thread::sleep(length);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

#[test]
fn an_audit_trail_is_accepted_after_kills_and_has_all_that_was_acknowledged() {
    let mut campaign = Campaign::new("audit", 3);
    campaign.run(kills(), |campaign| {
        let report = check(&Disk, &campaign.log(), &[key()]).expect("read");
        let is_torn = |problem: &str| problem == "truncated: the last line has no end";
        assert!(report.finding.as_ref().is_none_or(|finding| is_torn(&finding.problem)), "{report:?}");
    });
    let report = check(&Disk, &campaign.log(), &[key()]).expect("read");
    assert_eq!(report.finding, None);
    let mut texts = Vec::new();
    for path in report.files {
        for line in std::fs::read_to_string(path).expect("text").lines() {
            let [_, _, mark, text] = line.splitn(4, ' ').collect::<Vec<_>>().try_into().expect("four parts");
            texts.extend((mark == "+").then(|| text.to_owned()));
        }
    }
    let (found, written) = campaign.count(&texts);
    assert!(written >= RECORDS && found.values().all(|times| *times == 1));
}

#[test]
fn a_rotated_file_has_all_that_was_acknowledged_after_kills() {
    let mut campaign = Campaign::new("rotating", 3);
    campaign.run(kills(), |_| {});
    let (found, written) = campaign.count(&campaign.lines());
    assert!(written >= RECORDS && found.values().all(|times| *times == 1));
}

/// Rotation, compression and deletion wait for a writer that was stopped between its look and its write.
#[test]
fn a_rotated_file_has_all_records_of_writers_that_were_stopped() {
    let mut campaign = Campaign::new("rotating", 8);
    campaign.run_stopped(kills() * 6);
    let (found, written) = campaign.count(&campaign.lines());
    assert_eq!((found.len(), written), (9 * RECORDS, 9 * RECORDS));
}

/// A process that is killed in the middle of a long record leaves a part of it: on a line of its own.
#[test]
fn what_is_left_of_a_long_record_is_a_line_of_its_own() {
    let mut campaign = Campaign::new("long", 8);
    campaign.run(kills() * 2, |_| {});
    let texts: Vec<_> = campaign.lines().into_iter().filter(|line| !is_part(line)).collect();
    let (found, written) = campaign.count(&texts);
    assert!(written >= LONG_RECORDS && found.values().all(|times| *times == 1));
}

/// The text with the length of its padding instead of the padding.
fn squeezed(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let padding = word.bytes().filter(|byte| *byte == b'x').count();
        if padding > 100 { format!("({padding} x){}", word.trim_matches('x')) } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a line is the beginning of a long record.
fn is_part(line: &str) -> bool {
    let words: Vec<_> = line.split(' ').collect();
    let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    match words[..] {
        [number, record, padding] => {
            [number, record].iter().all(is_number)
                && padding.len() < LONG
                && padding.bytes().all(|byte| byte == b'x')
        }
        _ => words.len() < 3 && words.iter().all(is_number),
    }
}
