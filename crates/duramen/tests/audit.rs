//! An audit trail: what is on the disk, what is found of changes, what happens after faults.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use duramen::clock::SystemClock;
use duramen::fs::{Disk, FileSystem as _};
use duramen::rotation::{Schedule, When};
use duramen::writer::audit::{AuditKey, AuditOptions, AuditReport, AuditTrail, Commit, check};
use duramen_testkit::disk::Write;
use duramen_testkit::{FakeClock, FakeDisk};

const DAY: i64 = 86_400;

fn key() -> AuditKey {
    AuditKey::new(b"a key for tests of 16 bytes or more").expect("long enough")
}

fn options() -> AuditOptions {
    AuditOptions::new(key())
}

fn opened(disk: &FakeDisk, options: AuditOptions, clock: &Arc<FakeClock>) -> AuditTrail {
    let clock = Arc::clone(clock);
    AuditTrail::open(Arc::new(disk.clone()), "audit.log", options, clock).expect("opened")
}

fn plain(disk: &FakeDisk) -> AuditTrail {
    opened(disk, options(), &Arc::new(FakeClock::at(1_700_000_000)))
}

fn checked(disk: &FakeDisk) -> AuditReport {
    check(disk, Path::new("audit.log"), &[key()]).expect("read")
}

fn finding(disk: &FakeDisk) -> String {
    checked(disk).finding.map(|finding| finding.to_string()).unwrap_or_default()
}

/// A trail of five lines, the first of which is the note at the beginning, and its lines.
fn five_lines() -> (FakeDisk, Vec<String>) {
    let disk = FakeDisk::default();
    let trail = plain(&disk);
    for text in ["one", "two", "three", "four"] {
        trail.append(text.as_bytes()).expect("written");
    }
    let lines = disk.text("audit.log").expect("there").lines().map(|line| format!("{line}\n")).collect();
    (disk, lines)
}

fn put(disk: &FakeDisk, path: &str, text: &str) {
    disk.open(Path::new(path), true).expect("emptied");
    disk.put(path, text);
}

#[test]
fn each_record_is_on_the_disk_when_the_call_returns() {
    let disk = FakeDisk::default();
    let trail = plain(&disk);
    for count in 1..=3 {
        trail.append(b"a\nb\r").expect("written");
        let length = disk.bytes("audit.log").map(|bytes| bytes.len());
        assert_eq!(disk.synced("audit.log").map(|(bytes, _)| bytes), length);
        assert_eq!(trail.stats().written, count);
    }
    let text = disk.text("audit.log").expect("there");
    assert!(text.lines().skip(1).all(|line| line.ends_with(" + a\\nb\\r")), "{text}");
    let report = checked(&disk);
    assert_eq!((report.lines, report.finding, report.notes), ((1, 4), None, Vec::new()));
}

#[test]
fn what_was_done_to_the_lines_is_said_with_the_place() {
    let cases: [(&[usize], &str); 7] = [
        (&[0, 1, 2, 3, 4], ""),
        (&[0, 1, 3, 4], "audit.log:3: missing: line 3 is not there"),
        (&[0, 1, 4], "audit.log:3: missing: lines 3 to 4 are not there"),
        (&[0, 2, 1, 3, 4], "audit.log:2: reordered: line 3 stands where line 2 belongs"),
        (&[0, 1, 2, 2, 3, 4], "audit.log:4: doubled: line 3 is there twice"),
        (&[0, 1, 2], "audit.log: truncated: lines 4 to 5 are missing at the end"),
        (&[1, 2, 3, 4], "audit.log:1: missing: the file does not begin with its note"),
    ];
    for (order, expected) in cases {
        let (disk, lines) = five_lines();
        put(&disk, "audit.log", &order.iter().map(|place| lines[*place].as_str()).collect::<String>());
        assert_eq!(finding(&disk), expected, "{order:?}");
    }
}

#[test]
fn a_change_of_any_byte_is_found_in_its_line() {
    let (disk, lines) = five_lines();
    let text = lines.concat();
    for place in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[place] ^= 1;
        put(&disk, "audit.log", "");
        disk.put("audit.log", std::str::from_utf8(&bytes).expect("ASCII"));
        let found = checked(&disk).finding.unwrap_or_else(|| panic!("byte {place} is not missed"));
        let line = text[..place].matches('\n').count() as u64 + 1;
        assert!(found.line <= line + 1 && found.line >= line.min(1), "byte {place} of line {line}: {found}");
    }
    put(&disk, "audit.log", &text[..text.len() - 5]);
    assert_eq!(finding(&disk), "audit.log:5: truncated: the last line has no end");
}

#[test]
fn who_does_not_have_the_key_writes_no_line() {
    let (disk, lines) = five_lines();
    let other = AuditKey::new(b"another key of 16 bytes or more").expect("long enough");
    let error = check(&disk, Path::new("audit.log"), &[other]).expect("read").finding.expect("found");
    assert!(error.problem.contains(&format!("the key {}, which was not given", key().id())), "{error}");
    let forged = lines[4].replace("four", "five");
    put(&disk, "audit.log", &format!("{}{forged}", lines[..4].concat()));
    assert_eq!(finding(&disk), "audit.log:5: changed: line 5 is not as it was written");
    put(&disk, "audit.log", &lines.concat());
    put(&disk, "audit.log.head", "");
    assert_eq!(finding(&disk), "audit.log.head: changed: it is not as it was written");
}

#[test]
fn the_chain_goes_on_after_a_restart_and_after_a_torn_line() {
    let (disk, _) = five_lines();
    plain(&disk).append(b"five").expect("written");
    assert_eq!(checked(&disk).lines, (1, 6));
    disk.put("audit.log", "7 half a li");
    plain(&disk).append(b"six").expect("written");
    let report = checked(&disk);
    assert_eq!((report.lines, report.finding), ((1, 8), None));
    assert_eq!(report.notes, ["audit.log:7: a torn line was taken away, which held \"7 half a li\""]);
}

#[test]
fn lines_that_were_cut_off_while_nobody_ran_are_missed_for_ever() {
    let (disk, lines) = five_lines();
    put(&disk, "audit.log", &lines[..3].concat());
    plain(&disk).append(b"five").expect("written");
    assert_eq!(finding(&disk), "audit.log:4: missing: lines 4 to 5 are not there");
    let (disk, lines) = five_lines();
    put(&disk, "audit.log", &lines[..3].concat());
    put(&disk, "audit.log.head", "");
    plain(&disk).append(b"five").expect("written");
    let notes = checked(&disk).notes;
    assert!(
        notes[0].starts_with("audit.log:4: the head was not there when the trail was opened"),
        "{notes:?}"
    );
}

#[test]
fn what_cannot_be_written_waits_and_keeps_its_order() {
    let disk = FakeDisk::default();
    let trail = plain(&disk);
    trail.append(b"one").expect("written");
    disk.plan_writes([Write::Short(10), Write::Fails(io::ErrorKind::StorageFull)]);
    assert_eq!(trail.append(b"two").map_err(|error| error.kind()), Err(io::ErrorKind::StorageFull));
    let stats = trail.stats();
    assert_eq!((stats.written, stats.pending, stats.failed), (1, 1, 1));
    assert_eq!(checked(&disk).lines, (1, 2), "nothing is left of the half");
    disk.fail_syncs(Some(io::ErrorKind::Other));
    assert!(trail.append(b"three").is_err());
    disk.fail_syncs(None);
    trail.append(b"four").expect("written");
    let text = disk.text("audit.log").expect("there");
    let said: Vec<_> = text.lines().skip(1).filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(said, ["one", "two", "three", "four"]);
    assert_eq!((trail.stats().written, trail.stats().pending, finding(&disk)), (4, 0, String::new()));
}

#[test]
fn a_record_for_which_there_is_no_room_is_said_by_the_trail() {
    let disk = FakeDisk::default();
    let trail = plain(&disk);
    let error = trail.append(&vec![b'x'; 64 * 1024 * 1024 + 1]).expect_err("too much");
    assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
    trail.append(b"next").expect("written");
    assert_eq!(checked(&disk).notes, ["audit.log:2: 1 records were lost while nothing could be written"]);
    assert_eq!(trail.stats().lost, 1);
}

#[test]
fn a_file_that_is_full_or_old_is_followed_by_another_one() {
    let disk = FakeDisk::default();
    let clock = Arc::new(FakeClock::at(1_700_000_000));
    let trail = opened(&disk, AuditOptions { max_bytes: 500, ..options() }, &clock);
    for _ in 0..10 {
        trail.append(b"a record of some length").expect("written");
    }
    let report = checked(&disk);
    assert_eq!(report.finding, None);
    assert!(report.files.len() > 2, "{:?}", report.files);
    assert_eq!(report.files[0], Path::new("audit.log.000000000001"));
    assert!(disk.bytes("audit.log.000000000001").expect("there").len() < 500);
    // A whole file in the middle is missed.
    disk.remove(&report.files[1]).expect("removed");
    assert!(finding(&disk).contains(":1: missing: lines "), "{}", finding(&disk));

    let disk = FakeDisk::default();
    let schedule = Schedule::new(When::Midnight, 1).expect("possible").utc(true);
    let trail = opened(&disk, AuditOptions { schedule: Some(schedule), ..options() }, &clock);
    for _ in 0..3 {
        trail.append(b"daily").expect("written");
        clock.advance(DAY);
    }
    assert_eq!(checked(&disk).files.len(), 3);
    assert_eq!(finding(&disk), "");
}

#[test]
fn files_leave_by_age_unless_a_hold_is_there_and_the_trail_says_so() {
    let disk = FakeDisk::default();
    let clock = Arc::new(FakeClock::at(1_700_000_000));
    let schedule = Schedule::new(When::Midnight, 1).expect("possible").utc(true);
    let max_age = Some(Duration::from_secs(10 * 86_400));
    let trail = opened(&disk, AuditOptions { schedule: Some(schedule), max_age, ..options() }, &clock);
    let days = |count: usize| {
        for _ in 0..count {
            disk.set_time(duramen::clock::Clock::now_seconds(clock.as_ref()));
            trail.append(b"daily").expect("written");
            clock.advance(DAY);
        }
    };
    disk.put("audit.log.hold", "case 7\n");
    days(20);
    assert_eq!((checked(&disk).files.len(), finding(&disk).as_str()), (20, ""));
    disk.remove(Path::new("audit.log.hold")).expect("removed");
    days(5);
    let report = checked(&disk);
    assert_eq!(report.finding, None);
    assert!((10..=13).contains(&report.files.len()), "{:?}", report.files);
    assert!(report.lines.0 > 1 && trail.stats().removed >= 12);
    // More than the trail says is missed.
    disk.remove(&report.files[0]).expect("removed");
    assert!(finding(&disk).starts_with("audit.log: missing: lines "), "{}", finding(&disk));
}

#[test]
fn another_key_begins_another_file() {
    let (disk, _) = five_lines();
    let other = AuditKey::new(b"the key of the next year, 16 bytes").expect("long enough");
    let trail = opened(&disk, AuditOptions::new(other.clone()), &Arc::new(FakeClock::at(1_700_000_000)));
    trail.append(b"under the new key").expect("written");
    let report = check(&disk, Path::new("audit.log"), &[key(), other]).expect("read");
    assert_eq!((report.files.len(), report.lines, report.finding, report.notes.len()), (2, (1, 7), None, 0));
}

#[test]
fn threads_and_handles_of_other_processes_write_one_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("audit.log");
    let open = |commit| {
        let options = AuditOptions { commit, max_bytes: 20_000, ..options() };
        AuditTrail::open(Arc::new(Disk), &path, options, Arc::new(SystemClock::default())).expect("opened")
    };
    let trails = [open(Commit::Record), open(Commit::Group), open(Commit::Group)];
    std::thread::scope(|scope| {
        for (number, trail) in trails.iter().enumerate() {
            for thread in 0..3 {
                scope.spawn(move || {
                    for record in 0..40 {
                        trail.append(format!("{number} {thread} {record}").as_bytes()).expect("written");
                    }
                });
            }
        }
    });
    let report = check(&Disk, &path, &[key()]).expect("read");
    assert_eq!(report.finding, None);
    assert!(report.files.len() > 1);
    let mut records: Vec<_> = report
        .files
        .iter()
        .flat_map(|file| {
            std::fs::read_to_string(file).expect("read").lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter_map(|line| Some(line.split_once(" + ")?.1.to_owned()))
        .collect();
    records.sort();
    records.dedup();
    assert_eq!(records.len(), 3 * 3 * 40);
}

#[test]
fn options_that_cannot_be_are_refused_before_anything_is_touched() {
    assert!(AuditKey::new(b"too short").is_err());
    let missing = AuditKey::from_environment("DURAMEN_NO_SUCH_KEY").expect_err("not set").to_string();
    assert!(missing.starts_with("key_env: found \"DURAMEN_NO_SUCH_KEY\", which is not set"), "{missing}");
    let disk = FakeDisk::default();
    let age = AuditOptions { max_age: Some(Duration::from_secs(1)), ..options() };
    let clock = Arc::new(FakeClock::at(0));
    let refused = AuditTrail::open(Arc::new(disk.clone()), "audit.log", age, clock).expect_err("refused");
    assert!(refused.to_string().starts_with("max_age: found an age alone"), "{refused}");
    assert_eq!(disk.names(), Vec::<String>::new());
}

/// A process that is killed at any change of the disk leaves a trail that goes on without a doubt.
#[test]
fn a_kill_at_any_moment_leaves_a_whole_trail() {
    for kill in 0..60 {
        let disk = FakeDisk::default();
        let clock = Arc::new(FakeClock::at(1_700_000_000));
        let small = || AuditOptions { max_bytes: 400, ..options() };
        disk.kill_after(Some(kill));
        let mut acknowledged = Vec::new();
        if let Ok(trail) =
            AuditTrail::open(Arc::new(disk.clone()), "audit.log", small(), Arc::<FakeClock>::clone(&clock))
        {
            for number in 0..8 {
                if trail.append(format!("record-{number}").as_bytes()).is_err() {
                    break;
                }
                acknowledged.push(number);
            }
            // What a killed process holds in memory is gone with it.
            std::mem::forget(trail);
        }
        disk.kill_after(None);
        let trail = opened(&disk, small(), &clock);
        trail.append(b"afterwards").expect("written");
        let report = checked(&disk);
        assert_eq!(report.finding, None, "killed after {kill} changes");
        let all: String = disk.names().iter().filter_map(|name| disk.text(name)).collect();
        for number in acknowledged {
            let record = format!("+ record-{number}\n");
            assert_eq!(all.matches(&record).count(), 1, "killed after {kill}: {record}");
        }
    }
}
