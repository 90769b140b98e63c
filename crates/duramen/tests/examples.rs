//! Every example runs, and says what its page promises.

use std::path::Path;
use std::process::Command;

/// What each example writes to standard output or standard error, in parts.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("01_first_line", &["INFO     app: listening on port 8080\n", "WARNING  app.db: connection lost"]),
    (
        "02_levels_and_hierarchy",
        &[
            "INFO:shop.orders:shown: its parent stands at INFO\nNOTICE:shop:between INFO and WARNING\n2 books, 31.50\n",
        ],
    ),
    ("03_rotating_json", &["200 records in "]),
    ("04_own_handler", &["1 error counted\n"]),
    ("05_configuration_file", &[r#""message": "open, with password=***""#, r#""service": "shop""#]),
    ("06_fields_and_context", &["request_id="]),
    (
        "07_masking",
        &[
            "message=\"login of [email] with password=[assignment]\"\n",
            "message=\"T-*** is late\" session_token=[secret] tries=2\n",
            "ticket: 1\n",
        ],
    ),
    (
        "08_queue_and_journal",
        &[
            "3 recovered, 4 delivered in all\n",
            "order 0 accepted\norder 1 accepted\norder 2 accepted\nstarted again\n",
        ],
    ),
    (
        "09_log_and_tracing",
        &[
            "levelname=INFO name=sqlx.query message=\"3 rows\"\n",
            "levelname=WARNING name=tower.limit message=\"too many requests\" id=7f3a waiting=12\n",
            "levelname=INFO name=shop message=\"and the program's own\" order=17\n",
        ],
    ),
    ("10_several_processes", &["600 of 600 records; rolled over: true\n"]),
    (
        "11_reload",
        &[
            "INFO:shop:open\nroot.level: found \"DEBUGG\", expected one of ",
            "did you mean \"DEBUG\"?\nINFO:shop:still at INFO\nchanged: true\nDEBUG:shop:now it is shown\nchanged: false\n",
        ],
    ),
    ("12_production", &["ERROR shop.orders no quantity\n"]),
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
        cargo.args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "duramen",
            "--all-features",
            "--example",
            name,
            "--",
        ]);
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
        assert!(!text.contains("not shown") && !text.contains("/health"), "{name}: {text}");
        for part in *parts {
            assert!(text.contains(part), "{name}: {text}");
        }
    }
}

#[test]
fn the_production_example_masks_and_says_which_request_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    run("12_production", folder.path());
    let lines = std::fs::read_to_string(folder.path().join("shop.jsonl")).expect("written");
    assert!(lines.contains(r#""message": "order of *** accepted""#), "{lines}");
    assert!(lines.contains(r#""card": "***""#) && lines.contains(r#""request_id": "r0""#), "{lines}");
    assert!(lines.contains("[repeated 2 times]") && !lines.contains("4111"), "{lines}");
}
