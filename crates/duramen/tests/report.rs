//! Errors of logging itself are counted, and never flood standard error. One test has the process to itself,
//! since the report channel belongs to the process.

use std::process::Command;

use duramen::report;

/// Set in the child, which reports; the parent reads its standard error.
const CHILD: &str = "DURAMEN_TEST_REPORTS";

#[test]
fn a_flood_of_errors_is_counted_and_cut_short() {
    if std::env::var_os(CHILD).is_some() {
        (0..100).for_each(|number| report::error("FileHandler", &format!("error {number}")));
        report::set_enabled(false);
        report::error("FileHandler", &"not shown");
        assert_eq!(report::count(), 101);
        return;
    }
    let this = std::env::current_exe().expect("the test's own path");
    let child = Command::new(this).arg("--nocapture").env(CHILD, "1").output().expect("a child process");
    assert!(child.status.success());
    let text = String::from_utf8_lossy(&child.stderr);
    let reports: Vec<_> = text.lines().filter(|line| line.starts_with("duramen: ")).collect();
    assert_eq!(reports.first(), Some(&"duramen: FileHandler: error 0"));
    assert!((10..100).contains(&reports.len()), "{} lines", reports.len());
}
