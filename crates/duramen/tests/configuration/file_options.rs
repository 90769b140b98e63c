//! Options of files that cannot be: as `tests/python/test_file_options.py` has them for Python.

use std::fs;

use duramen::Manager;
use duramen::config;

use crate::mistakes;

/// The class, its options as JSON, and how the mistake begins.
const CASES: [(&str, &str, &str); 33] = [
    ("Rotating", r#""compression": "lz4""#, "compression: found \"lz4\", expected \"gzip\" or \"zstd\""),
    (
        "Rotating",
        r#""max_age": "1y""#,
        "max_age: found \"1y\", expected text such as \"30d\", or seconds above 0",
    ),
    (
        "Rotating",
        r#""max_age": true"#,
        "max_age: found true, expected text such as \"30d\", or seconds above 0",
    ),
    ("Rotating", r#""max_age": 0"#, "max_age: found 0, expected text such as"),
    ("Rotating", r#""max_age": -0.5"#, "max_age: found -0.5, expected text such as"),
    ("Rotating", r#""max_total_bytes": 0"#, "max_total_bytes: found 0, expected an integer of at least 1"),
    (
        "Rotating",
        r#""max_total_bytes": true"#,
        "max_total_bytes: found true, expected an integer of at least 1",
    ),
    ("Rotating", r#""archive_to": 7"#, "archive_to: found 7, expected text"),
    ("Rotating", r#""archive_to": "FOLDER/taken""#, "archive_to: found something else than a folder"),
    ("Rotating", r#""archive_to": "FOLDER/folder/..""#, "archive_to: found the folder of the log itself"),
    (
        "Rotating",
        r#""archive_to": "FOLDER/app.log.1""#,
        "archive_to: found a name that the log or its backups get",
    ),
    (
        "Rotating",
        r#""archive_max_age": "1d""#,
        "archive_max_age: found an age alone, expected archive_to beside it",
    ),
    ("Rotating", r#""symlink": """#, "symlink: found "),
    (
        "Rotating",
        r#""symlink": "FOLDER/app.log.1""#,
        "symlink: found a name that backups get, expected another name",
    ),
    (
        "Rotating",
        r#""maxBytes": 0, "compression": "gzip""#,
        "maxBytes: found 0, expected at least 1, or when",
    ),
    (
        "Rotating",
        r#""backupCount": 0, "compression": "gzip""#,
        "backupCount: found 0, expected at least 1, or max_age",
    ),
    ("Rotating", r#""maxBytes": 1.5"#, "maxBytes: found 1.5, expected an integer of at least 0"),
    ("Rotating", r#""maxBytes": "100""#, "maxBytes: found \"100\", expected an integer of at least 0"),
    ("Rotating", r#""backupCount": -1"#, "backupCount: found -1, expected an integer from 0"),
    ("Rotating", r#""when": 5"#, "when: found 5, expected text"),
    ("Rotating", r#""when": "Q""#, "when: found \"Q\", expected one of S, M, H, D, MIDNIGHT, W0 to W6"),
    ("Rotating", r#""when": "S", "interval": 0"#, "interval: found 0, expected an integer of at least 1"),
    (
        "Rotating",
        r#""when": "H", "atTime": "03:30""#,
        "atTime: found \"03:30\", expected none, since when is neither",
    ),
    (
        "Rotating",
        r#""when": "midnight", "atTime": "25:00""#,
        "atTime: found \"25:00\", expected a time of the day",
    ),
    ("Rotating", r#""interval": 5"#, "interval: found 5, expected when beside it"),
    ("Rotating", r#""atTime": "03:30""#, "atTime: found \"03:30\", expected when beside it"),
    ("Rotating", r#""fsync": true"#, "fsync: found true, expected \"never\", \"rotation\""),
    ("Rotating", r#""fsync": 0"#, "fsync: found 0, expected \"never\", \"rotation\""),
    (
        "TimedRotating",
        r#""when": "D", "utc": "no", "max_age": 1"#,
        "utc: found \"no\", expected true or false",
    ),
    (
        "TimedRotating",
        r#""when": "S", "atTime": "03:30", "max_age": 1"#,
        "atTime: found \"03:30\", expected none",
    ),
    ("TimedRotating", r#""interval": 0"#, "interval: found 0, expected an integer of at least 1"),
    (
        "TimedRotating",
        r#""symlink": "FOLDER/taken""#,
        "symlink: found the path of something else than a link",
    ),
    ("Rotating", r#""symlink": "FOLDER/folder""#, "symlink: found the path of something else than a link"),
];

#[test]
fn what_cannot_be_is_refused_and_nothing_is_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("taken"), "mine").expect("written");
    fs::create_dir(folder.path().join("folder")).expect("made");
    let path = folder.path().display().to_string();
    for (class, options, begin) in CASES {
        let right = [("maxBytes", "100"), ("backupCount", "1")];
        let right = right.iter().filter(|(name, _)| class == "Rotating" && !options.contains(name));
        let right: Vec<_> = right.map(|(name, value)| format!(r#""{name}": {value}, "#)).collect();
        let right = right.concat();
        let text = format!(
            r#"{{"version": 1, "handlers": {{"file": {{"class": "logging.handlers.{class}FileHandler",
                "filename": "FOLDER/app.log", {right}{options}}}}}}}"#
        );
        let settings = config::from_json(&text.replace("FOLDER", &path));
        let found = mistakes(settings.and_then(|settings| settings.apply_to(&Manager::new()))).join("\n");
        assert!(
            found.starts_with(&format!("handlers.file.{begin}")),
            "{options}: {found}\nin place of {begin}"
        );
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        assert_eq!(names, ["folder", "taken"], "{options}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("taken")).expect("there"), "mine");
}
