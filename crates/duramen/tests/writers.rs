//! Files that fail, that are replaced, and that are rolled over by the clock.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use duramen::clock::Clock as _;
use duramen::fs::FileSystem as _;
use duramen::rotation::{Customs, Schedule, SizeLimit, When, turn};
use duramen::writer::{FileWriter, RotatingWriter, TimedRotatingWriter, WatchedFileWriter, Writer};
use duramen_testkit::disk::Write;
use duramen_testkit::{FakeClock, FakeDisk};
use jiff::tz::TimeZone;

fn file(disk: &FakeDisk) -> FileWriter {
    FileWriter::on(Arc::new(disk.clone()), "app.log")
}

#[test]
fn an_entry_is_one_write() {
    let disk = FakeDisk::default();
    let mut writer = file(&disk);
    writer.write_entry(b"one\n").expect("written");
    writer.write_entry(b"two\n").expect("written");
    assert_eq!(disk.text("app.log").as_deref(), Some("one\ntwo\n"));
    assert_eq!(disk.write_calls(), 2);
}

#[test]
fn short_and_interrupted_writes_are_gone_on_with() {
    let disk = FakeDisk::default();
    disk.plan_writes([Write::Short(2), Write::Fails(io::ErrorKind::Interrupted), Write::Short(1)]);
    file(&disk).write_entry(b"a whole entry\n").expect("written");
    assert_eq!(disk.text("app.log").as_deref(), Some("a whole entry\n"));
}

#[test]
fn a_full_disk_is_an_error_and_the_next_entry_is_tried() {
    let disk = FakeDisk::default();
    let mut writer = file(&disk);
    disk.plan_writes([Write::Fails(io::ErrorKind::StorageFull), Write::Short(0)]);
    assert_eq!(writer.write_entry(b"one\n").map_err(|error| error.kind()), Err(io::ErrorKind::StorageFull));
    assert_eq!(writer.write_entry(b"two\n").map_err(|error| error.kind()), Err(io::ErrorKind::WriteZero));
    writer.write_entry(b"three\n").expect("written");
    assert_eq!(disk.text("app.log").as_deref(), Some("three\n"));
}

#[test]
fn an_entry_cut_short_is_completed_before_the_next_one() {
    let disk = FakeDisk::default();
    let mut writer = file(&disk);
    disk.plan_writes([Write::Short(3), Write::Fails(io::ErrorKind::StorageFull)]);
    assert!(writer.write_entry(b"cut short\n").is_err());
    writer.write_entry(b"whole\n").expect("written");
    writer.write_entry(b"next\n").expect("written");
    assert_eq!(disk.text("app.log").as_deref(), Some("cut short\nwhole\nnext\n"));
}

#[test]
fn an_entry_of_several_lines_is_completed_to_its_end() {
    for length in [3, 6] {
        let disk = FakeDisk::default();
        let mut writer = file(&disk);
        disk.plan_writes([Write::Short(length), Write::Fails(io::ErrorKind::StorageFull)]);
        assert!(writer.write_entry(b"error\n  line 1\n  line 2\n").is_err());
        assert!(writer.failed() == Some(1));
        // The disk is full still: what is missing comes first, and in pieces.
        disk.plan_writes([Write::Short(4), Write::Fails(io::ErrorKind::StorageFull)]);
        assert!(writer.write_entry(b"lost\n").is_err());
        writer.write_entry(b"whole\n").expect("written");
        assert_eq!(disk.text("app.log").as_deref(), Some("error\n  line 1\n  line 2\nwhole\n"));
        assert_eq!(writer.failed(), Some(2));
    }
}

#[test]
fn an_entry_cut_short_has_an_end_when_the_file_is_left() {
    let disk = FakeDisk::default();
    let mut writer = file(&disk);
    disk.plan_writes([Write::Short(3), Write::Fails(io::ErrorKind::StorageFull)]);
    assert!(writer.write_entry(b"cut short\n").is_err());
    writer.close().expect("closed");
    assert_eq!(disk.text("app.log").as_deref(), Some("cut short\n"));
}

#[test]
fn of_entries_that_were_held_back_each_one_that_is_lost_is_counted() {
    let disk = FakeDisk::default();
    let mut writer = file(&disk);
    writer.hold_back();
    for entry in ["one\n", "two\nand\nmore\n", "three\n", "four\n"] {
        writer.write_entry(entry.as_bytes()).expect("held back");
    }
    disk.plan_writes([Write::Short(6), Write::Fails(io::ErrorKind::StorageFull)]);
    let error = writer.flush().expect_err("a full disk");
    assert!(error.to_string().starts_with("3 records"), "{error}");
    writer.write_entry(b"five\n").expect("written");
    assert_eq!(disk.text("app.log").as_deref(), Some("one\ntwo\nand\nmore\nfive\n"));
    assert_eq!(writer.failed(), Some(3));
}

#[test]
fn only_the_first_opening_empties_the_file() {
    let disk = FakeDisk::default();
    file(&disk).write_entry(b"old\n").expect("written");
    let mut writer = file(&disk).truncating();
    writer.write_entry(b"one\n").expect("written");
    writer.close().expect("closed");
    writer.write_entry(b"two\n").expect("written");
    assert_eq!(disk.text("app.log").as_deref(), Some("one\ntwo\n"));
}

#[test]
fn a_watched_file_follows_its_name() {
    use duramen::fs::FileSystem as _;
    let disk = FakeDisk::default();
    let mut writer = WatchedFileWriter::new(file(&disk));
    writer.write_entry(b"one\n").expect("written");
    disk.rename("app.log".as_ref(), "app.log.1".as_ref()).expect("renamed");
    writer.write_entry(b"two\n").expect("written");
    file(&disk).truncating().open().expect("another file in its place");
    disk.remove("app.log".as_ref()).expect("removed");
    writer.write_entry(b"three\n").expect("written");
    assert_eq!(disk.text("app.log.1").as_deref(), Some("one\n"));
    assert_eq!(disk.text("app.log").as_deref(), Some("three\n"));
}

#[test]
fn a_file_is_rolled_over_before_it_reaches_the_size() {
    let disk = FakeDisk::default();
    let mut writer = RotatingWriter::new(file(&disk), SizeLimit::new(10, 2), Customs::default());
    for entry in ["1234\n", "567\n", "8\n", "a long entry\n", "9\n"] {
        writer.write_entry(entry.as_bytes()).expect("written");
    }
    assert_eq!(disk.text("app.log").as_deref(), Some("9\n"));
    assert_eq!(disk.text("app.log.1").as_deref(), Some("a long entry\n"));
    assert_eq!(disk.text("app.log.2").as_deref(), Some("8\n"));
    assert_eq!(disk.names().len(), 3, "the oldest backup is gone");
}

#[test]
fn a_rollover_that_fails_loses_no_entry() {
    let disk = FakeDisk::default();
    let mut writer = RotatingWriter::new(file(&disk), SizeLimit::new(5, 2), Customs::default());
    writer.write_entry(b"one\n").expect("written");
    disk.fail_renames(true);
    assert!(writer.write_entry(b"two\n").is_err());
    assert_eq!(disk.text("app.log").as_deref(), Some("one\ntwo\n"));
    disk.fail_renames(false);
    writer.write_entry(b"three\n").expect("written");
    assert_eq!(disk.text("app.log.1").as_deref(), Some("one\ntwo\n"));
}

#[test]
fn the_clock_rolls_a_file_over() {
    let disk = FakeDisk::default();
    // A second before midnight.
    let clock = Arc::new(FakeClock::at(1_709_251_199));
    // The disk's files have no age, so the first entry rolls nothing over only if there is no file yet.
    let schedule = Schedule::new(When::Midnight, 1).expect("valid");
    let mut writer =
        TimedRotatingWriter::new(file(&disk), schedule, 1, Customs::default(), clock.clone(), TimeZone::UTC);
    writer.write_entry(b"29 February\n").expect("written");
    clock.advance(1);
    writer.write_entry(b"1 March\n").expect("written");
    writer.write_entry(b"1 March\n").expect("written");
    assert_eq!(disk.names(), ["app.log", "app.log.2024-02-29"]);
    clock.advance(24 * 3600);
    writer.write_entry(b"2 March\n").expect("written");
    assert_eq!(disk.names(), ["app.log", "app.log.2024-03-01"]);
    assert_eq!(disk.text("app.log.2024-03-01").as_deref(), Some("1 March\n1 March\n"));
    // A clock that goes back rolls nothing over.
    clock.advance(-3600);
    writer.write_entry(b"again\n").expect("written");
    assert_eq!(disk.text("app.log").as_deref(), Some("2 March\nagain\n"));
}

/// Three days: one process rolls the file over on the second, another one logs on the first and on the third alone.
fn follows_late(has_logged_before: bool) {
    let disk = FakeDisk::default();
    // Noon.
    let clock = Arc::new(FakeClock::at(1_709_208_000));
    let pass = |seconds| {
        clock.advance(seconds);
        disk.set_time(clock.now_seconds());
    };
    pass(0);
    let writer = || {
        let schedule = Schedule::new(When::Midnight, 1).expect("valid");
        TimedRotatingWriter::new(file(&disk), schedule, 0, Customs::default(), clock.clone(), TimeZone::UTC)
    };
    let (mut busy, mut silent) = (writer(), writer());
    busy.write_entry(b"29 February\n").expect("written");
    if has_logged_before {
        silent.write_entry(b"29 February\n").expect("written");
    }
    pass(24 * 3600);
    busy.write_entry(b"1 March\n").expect("written");
    pass(24 * 3600);
    silent.write_entry(b"2 March\n").expect("written");
    busy.write_entry(b"2 March\n").expect("written");
    pass(24 * 3600);
    silent.write_entry(b"3 March\n").expect("written");
    let days = ["app.log", "app.log.2024-02-29", "app.log.2024-03-01", "app.log.2024-03-02"];
    assert_eq!(disk.names(), days);
    assert_eq!(disk.text("app.log.2024-03-01").as_deref(), Some("1 March\n"));
    assert_eq!(disk.text("app.log.2024-03-02").as_deref(), Some("2 March\n2 March\n"));
    assert_eq!(disk.text("app.log").as_deref(), Some("3 March\n"));
}

#[test]
fn who_follows_a_day_late_rolls_over_the_file_of_the_day_before() {
    follows_late(true);
}

#[test]
fn who_opens_the_file_a_day_late_rolls_it_over() {
    follows_late(false);
}

#[test]
fn a_file_that_others_have_made_for_another_reason_is_still_due() {
    let disk = FakeDisk::default();
    // Noon.
    let clock = Arc::new(FakeClock::at(1_709_208_000));
    let schedule = Schedule::new(When::Midnight, 1).expect("valid");
    let mut writer =
        TimedRotatingWriter::new(file(&disk), schedule, 0, Customs::default(), clock.clone(), TimeZone::UTC);
    disk.set_time(clock.now_seconds());
    writer.write_entry(b"noon\n").expect("written");
    clock.advance(6 * 3600);
    disk.set_time(clock.now_seconds());
    disk.rename("app.log".as_ref(), "app.log.1".as_ref()).expect("renamed");
    disk.put("app.log", "evening\n");
    clock.advance(12 * 3600);
    disk.set_time(clock.now_seconds());
    writer.write_entry(b"1 March\n").expect("written");
    assert_eq!(disk.text("app.log.2024-02-29").as_deref(), Some("evening\n"));
    assert_eq!(disk.text("app.log").as_deref(), Some("1 March\n"));
}

/// Linux stamps a file with the time of its last tick.
#[test]
fn a_file_that_is_made_when_a_second_begins_is_of_that_second() {
    let status = |nanoseconds| duramen::fs::FileStatus {
        length: 0,
        is_regular: true,
        is_named: true,
        modified: 99,
        modified_nanoseconds: nanoseconds,
        created: None,
        identity: None,
    };
    assert_eq!((status(989_999_999).changed_at(), status(990_000_000).changed_at()), (99, 100));
}

fn shared(disk: &FakeDisk) -> RotatingWriter {
    RotatingWriter::new(file(disk), SizeLimit::new(1_000_000, 2), Customs::default())
}

#[test]
fn a_batch_begins_on_a_line_of_its_own() {
    let disk = FakeDisk::default();
    let mut writer = file(&disk);
    writer.write_entry(b"one\n").expect("written");
    file(&disk).write_entry(b"of a process that was killed").expect("written");
    for entry in ["two\n", "three\n"] {
        writer.hold_back();
        writer.write_entry(entry.as_bytes()).expect("held back");
        writer.flush().expect("written");
    }
    assert_eq!(disk.text("app.log").as_deref(), Some("one\nof a process that was killed\ntwo\nthree\n"));
    // The file goes on with its writer whatever its name has become.
    disk.rename("app.log".as_ref(), "app.log.1".as_ref()).expect("renamed");
    file(&disk).write_entry(b"of another file").expect("written");
    writer.hold_back();
    writer.write_entry(b"four\n").expect("held back");
    writer.flush().expect("written");
    assert_eq!(disk.text("app.log").as_deref(), Some("of another file"));
    assert!(disk.text("app.log.1").is_some_and(|text| text.ends_with("three\nfour\n")));
}

#[test]
fn a_line_that_somebody_else_has_left_without_an_end_is_ended() {
    let disk = FakeDisk::default();
    disk.put("app.log", "of a process that was kil");
    let mut writer = shared(&disk);
    writer.write_entry(b"one\n").expect("written");
    writer.write_entry(b"two\n").expect("written");
    assert_eq!(disk.text("app.log").as_deref(), Some("of a process that was kil\none\ntwo\n"));
    // Later, too: a record that may be written in parts looks first, another one at the next look.
    disk.put("app.log", "another on");
    writer.write_entry(&[&[b'x'; 5000][..], b"\n"].concat()).expect("written");
    disk.put("app.log", "and another on");
    for _ in 0..200 {
        writer.write_entry(b"three\n").expect("written");
    }
    let text = disk.text("app.log").expect("a file");
    assert!(text.contains("\nanother on\nxxx"), "{text:.100}");
    // The first one may have come before a look.
    assert!(text.lines().filter(|line| *line == "three").count() >= 199, "{text}");
}

#[test]
fn a_file_whose_lines_end_otherwise_gets_no_line_breaks() {
    let disk = FakeDisk::default();
    disk.put("app.log", "zero;");
    let mut writer = shared(&disk);
    writer.write_entry(b"one;").expect("written");
    writer.write_entry(&[b'x'; 5000]).expect("written");
    assert!(disk.text("app.log").expect("a file").starts_with("zero;one;xxx"));
}

#[test]
fn what_is_missing_of_an_entry_is_not_written_behind_those_of_others() {
    let disk = FakeDisk::default();
    let full = || disk.plan_writes([Write::Short(3), Write::Fails(io::ErrorKind::StorageFull)]);
    let (mut first, mut second) = (shared(&disk), shared(&disk));
    full();
    assert!(first.write_entry(b"cut\n").is_err());
    second.write_entry(b"of another process\n").expect("written");
    first.write_entry(b"whole\n").expect("written");
    assert_eq!(disk.text("app.log").as_deref(), Some("cut\nof another process\nwhole\n"));
    // Both are told that the disk is full.
    full();
    assert!(first.write_entry(b"again\n").is_err());
    disk.plan_writes([Write::Fails(io::ErrorKind::StorageFull)]);
    assert!(second.write_entry(b"nothing\n").is_err());
    second.write_entry(b"second\n").expect("written");
    first.close().expect("closed");
    let text = disk.text("app.log").expect("a file");
    assert!(text.ends_with("whole\naga\nsecond\n"), "{text}");
    // Alone, it goes on where it was.
    let mut third = file(&disk);
    full();
    assert!(third.write_entry(b"completed\n").is_err());
    third.write_entry(b"third\n").expect("written");
    assert!(disk.text("app.log").expect("a file").ends_with("second\ncompleted\nthird\n"));
}

/// It closes the file while it has it locked: a line without an end, and what was held back, are not to wait for that lock.
#[test]
fn who_rolls_over_does_not_wait_for_its_own_lock() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let part = "a part ".repeat(1_400);
    std::fs::write(&path, &part).expect("written");
    let file = FileWriter::new(&path).buffered(10_000);
    let mut writer = RotatingWriter::new(file, SizeLimit::new(10_000, 2), Customs::default());
    let long = ["first\n", "second\n"].map(|text| "x".repeat(6_000) + text);
    let started = Instant::now();
    for text in &long {
        writer.write_entry(text.as_bytes()).expect("held back");
    }
    writer.close().expect("written");
    assert!(started.elapsed() < turn::PATIENCE, "it waited for itself");
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
    let [first, second] = long;
    assert_eq!([text("app.log.2"), text("app.log.1"), text("app.log")], [part + "\n", first, second]);
}
