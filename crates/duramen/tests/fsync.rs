//! When what was written is brought to the disk.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use duramen::rotation::{Customs, SizeLimit};
use duramen::writer::{FileWriter, Fsync, RotatingWriter, Writer, fsync};
use duramen_testkit::FakeDisk;

fn file(disk: &FakeDisk, fsync: Fsync) -> FileWriter {
    FileWriter::on(Arc::new(disk.clone()), "app.log").fsync(fsync)
}

#[test]
fn by_default_nothing_is_asked_of_the_disk() {
    let disk = FakeDisk::default();
    let mut writer = file(&disk, Fsync::default());
    writer.write_entry(b"one\n").expect("written");
    writer.close().expect("closed");
    assert_eq!(disk.synced("app.log"), Some((0, 0)));
}

#[test]
fn every_record_is_on_the_disk_when_the_call_returns() {
    let disk = FakeDisk::default();
    let mut writer = file(&disk, Fsync::EveryRecord);
    for count in 1..=3 {
        writer.write_entry(b"one\n").expect("written");
        assert_eq!(disk.synced("app.log"), Some((4 * count, count)));
    }
}

#[test]
fn at_a_rollover_the_backup_is_on_the_disk() {
    let disk = FakeDisk::default();
    let mut writer =
        RotatingWriter::new(file(&disk, Fsync::OnRotation), SizeLimit::new(10, 1), Customs::default());
    writer.write_entry(b"one\n").expect("written");
    writer.write_entry(b"two\n").expect("written");
    assert_eq!(disk.synced("app.log"), Some((0, 0)));
    writer.write_entry(b"three\n").expect("written");
    assert_eq!(disk.synced("app.log.1"), Some((8, 1)));
    assert_eq!(disk.synced("app.log"), Some((0, 0)));
    writer.close().expect("closed");
    assert_eq!(disk.synced("app.log"), Some((6, 1)));
}

#[test]
fn by_interval_a_thread_does_it_once_for_all_records_until_then() {
    let disk = FakeDisk::default();
    let mut writer = file(&disk, Fsync::Interval(Duration::from_millis(50)));
    writer.write_entry(b"one\n").expect("written");
    let started = Instant::now();
    while disk.synced("app.log") != Some((4, 1)) {
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", disk.synced("app.log"));
        std::thread::yield_now();
    }
    // The next record plans anew; what is planned is done at once where somebody needs it.
    let mut slow = file(&disk, Fsync::Interval(Duration::from_secs(3600)));
    for _ in 0..10 {
        slow.write_entry(b"two\n").expect("written");
    }
    fsync::hurry();
    assert_eq!(disk.synced("app.log"), Some((44, 2)));
    slow.write_entry(b"two\n").expect("written");
    slow.close().expect("closed");
    assert_eq!(disk.synced("app.log"), Some((48, 3)));
}

#[test]
fn a_disk_that_fails_is_an_error_of_the_record_and_of_no_other() {
    let disk = FakeDisk::default();
    let mut writer = file(&disk, Fsync::EveryRecord);
    disk.fail_syncs(Some(io::ErrorKind::StorageFull));
    assert_eq!(writer.write_entry(b"one\n").map_err(|error| error.kind()), Err(io::ErrorKind::StorageFull));
    disk.fail_syncs(None);
    writer.write_entry(b"two\n").expect("written");
    assert_eq!(disk.text("app.log").as_deref(), Some("one\ntwo\n"));
    assert_eq!(disk.synced("app.log"), Some((8, 1)));
}

#[test]
fn the_option_is_a_name_or_an_interval() {
    assert_eq!("never".parse(), Ok(Fsync::Never));
    assert_eq!("rotation".parse(), Ok(Fsync::OnRotation));
    assert_eq!("record".parse(), Ok(Fsync::EveryRecord));
    assert_eq!("5s".parse(), Ok(Fsync::Interval(Duration::from_secs(5))));
    assert_eq!(Fsync::from_seconds(0.5), Some(Fsync::Interval(Duration::from_millis(500))));
    assert_eq!(Fsync::from_seconds(0.0), None);
    let error = "always".parse::<Fsync>().expect_err("no such name").to_string();
    assert_eq!(error, format!("fsync: found \"always\", expected {}", Fsync::EXPECTED));
}
