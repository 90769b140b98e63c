//! Which files count as backups, what a rollover renames, and which backups are deleted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use duramen::fs::Disk;
use duramen::rotation::retention::surplus;
use duramen::rotation::{BackupNames, Customs, Retention, Rules, Schedule, SizeLimit, When, roll};

fn daily_backups(rules: Rules) -> BackupNames {
    BackupNames::new(When::Midnight, rules)
}

/// The files in `directory` with their contents, by name.
fn files(directory: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).expect("text"))
        })
        .collect();
    files.sort();
    files
}

fn write_files(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(directory.join(name), text).expect("a writable directory");
    }
}

fn names(directory: &Path) -> Vec<String> {
    files(directory).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn only_a_whole_date_makes_a_backup() {
    let daily = daily_backups(Rules::Corrected);
    for name in ["app.log", "app.log.", "app.log.2024-03-1", "app.log.2024-03-011", "xapp.log.2024-03-01"] {
        assert!(!daily.is_backup(name.as_bytes(), b"app.log", None), "{name}");
    }
    let hourly = BackupNames::new(When::Hour, Rules::Corrected);
    assert!(hourly.is_backup(b"app.log.2024-03-01_07", b"app.log", None));
    assert!(!hourly.is_backup(b"app.log.2024-03-01", b"app.log", None));
}

#[test]
fn with_a_namer_the_date_may_stand_anywhere() {
    let daily = daily_backups(Rules::Corrected);
    let namer = |date: &str| format!("{date}-app.log").into_bytes();
    assert!(daily.is_backup(b"2024-03-01-app.log", b"app.log", Some(&namer)));
    assert!(!daily.is_backup(b"2024-03-01-other.log", b"app.log", Some(&namer)));
    // The date of somebody else, followed by ours.
    let namer = |date: &str| format!("1999-01-01.{date}").into_bytes();
    assert!(daily.is_backup(b"1999-01-01.2024-03-01", b"app.log", Some(&namer)));
}

#[test]
fn the_original_rules_look_at_each_part_between_dots() {
    let daily = daily_backups(Rules::Original);
    assert!(daily.is_backup(b"app.log.2024-03-01", b"app.log", None));
    assert!(daily.is_backup(b"app.log.2024-03-01.gz", b"app.log", None));
    assert!(!daily.is_backup(b"app.2024-03-01.log", b"app.log", None));
    let namer = |_: &str| Vec::new();
    assert!(daily.is_backup(b"app.2024-03-01.log", b"app.log", Some(&namer)));
    assert!(!daily.is_backup(b"other.2024-03-01.log", b"app.log", Some(&namer)));
}

#[test]
fn the_oldest_are_surplus() {
    assert_eq!(surplus(vec!["c", "a", "b"], 2), ["a"]);
    assert!(surplus(vec!["a"], 2).is_empty());
}

#[test]
fn numbered_backups_are_shifted_and_the_last_one_goes() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let base = directory.path().join("app.log");
    write_files(directory.path(), &[("app.log", "0"), ("app.log.1", "1"), ("app.log.2", "2")]);
    let limit = SizeLimit::new(100, 2);
    roll::by_number(&Disk, &base, &limit, &Customs::default()).expect("a rollover");
    let expected = [("app.log.1".to_owned(), "0".to_owned()), ("app.log.2".to_owned(), "1".to_owned())];
    assert_eq!(files(directory.path()), expected);
}

#[test]
fn a_namer_names_each_numbered_backup() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let base = directory.path().join("app.log");
    write_files(directory.path(), &[("app.log", "0"), ("app.log.1.old", "1")]);
    let namer: duramen::rotation::Namer = Arc::new(|default: &Path| {
        let mut name = default.as_os_str().to_owned();
        name.push(".old");
        PathBuf::from(name)
    });
    let customs = Customs { namer: Some(namer), rotator: None };
    roll::by_number(&Disk, &base, &SizeLimit::new(100, 2), &customs).expect("a rollover");
    assert_eq!(names(directory.path()), ["app.log.1.old", "app.log.2.old"]);
}

#[test]
fn a_dated_rollover_keeps_so_many_backups() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let base = directory.path().join("app.log");
    write_files(
        directory.path(),
        &[
            ("app.log", "now"),
            ("app.log.2024-02-27", ""),
            ("app.log.2024-02-28", ""),
            ("app.log.txt", ""),
            ("other.log.2024-02-27", ""),
        ],
    );
    let schedule = Schedule::new(When::Midnight, 1).expect("valid");
    let retention = Retention::new(&schedule, 2, Rules::Corrected);
    let done = roll::by_date(&Disk, &base, "2024-02-29", retention, &Customs::default());
    assert!(done.expect("a rollover"));
    let expected = ["app.log.2024-02-28", "app.log.2024-02-29", "app.log.txt", "other.log.2024-02-27"];
    assert_eq!(names(directory.path()), expected);
}

#[test]
fn a_rollover_that_another_process_did_is_not_done_again() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let base = directory.path().join("app.log");
    let before = [("app.log", "new"), ("app.log.2024-02-29", "old")];
    write_files(directory.path(), &before);
    let schedule = Schedule::new(When::Midnight, 1).expect("valid");
    let roll = |rules| {
        let retention = Retention::new(&schedule, 0, rules);
        roll::by_date(&Disk, &base, "2024-02-29", retention, &Customs::default()).expect("a rollover")
    };
    assert!(!roll(Rules::Corrected));
    assert_eq!(files(directory.path()).len(), 2);
    assert!(roll(Rules::Original));
    assert_eq!(files(directory.path()), [("app.log.2024-02-29".to_owned(), "new".to_owned())]);
}
