//! Every example runs, and says what its page promises.

use std::path::Path;
use std::process::Command;

/// What each example writes to standard output or standard error, in parts.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("01_first_line", &["INFO     app: listening on port 8080\n", "WARNING  app.db: connection lost"]),
    ("02_rotating_json", &["200 records in "]),
    ("03_own_handler", &[""]),
    ("04_configuration_file", &[r#""message": "open, with password=***""#, r#""service": "shop""#]),
    ("05_fields_and_context", &["request_id="]),
    ("06_production", &["ERROR shop.orders no quantity\n"]),
];

/// The text that an example writes when it is run with an empty folder for temporary files.
fn run(name: &str, folder: &Path) -> String {
    // Built beside the tests, unless they are run alone.
    let built = std::env::current_exe()
        .ok()
        .and_then(|tests| Some(tests.parent()?.parent()?.join("examples").join(name)));
    let mut command = if let Some(path) = built.filter(|path| path.exists()) {
        Command::new(path)
    } else {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["run", "--quiet", "--locked", "--package", "duramen", "--example", name, "--"]);
        cargo
    };
    let finished = command.env("TMPDIR", folder).output().expect("started");
    let text =
        [finished.stdout, finished.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(finished.status.success(), "{name}: {text}");
    text
}

#[test]
fn every_example_runs() {
    let numbered = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).expect("examples");
    let mut numbered: Vec<_> = numbered
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .filter(|name| name.starts_with(|first: char| first.is_ascii_digit()))
        .collect();
    numbered.sort();
    assert_eq!(numbered, EXAMPLES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (name, parts) in EXAMPLES {
        let folder = tempfile::tempdir().expect("a folder");
        let text = run(name, folder.path());
        for part in *parts {
            assert!(text.contains(part), "{name}: {text}");
        }
    }
}

#[test]
fn the_production_example_masks_and_says_which_request_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    run("06_production", folder.path());
    let lines = std::fs::read_to_string(folder.path().join("shop.jsonl")).expect("written");
    assert!(lines.contains(r#""message": "order of *** accepted""#), "{lines}");
    assert!(lines.contains(r#""card": "***""#) && lines.contains(r#""request_id": "r0""#), "{lines}");
    assert!(lines.contains("[repeated 2 times]") && !lines.contains("4111"), "{lines}");
}
