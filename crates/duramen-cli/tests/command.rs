//! The command line of `duramen`.

use std::process::{Command, Output};

fn duramen(words: &[&str], python: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_duramen"))
        .args(words)
        .env("DURAMEN_PYTHON", python)
        .output()
        .expect("the command was built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn version_and_help_are_printed() {
    let version = duramen(&["--version"], "");
    assert_eq!(text(&version.stdout), format!("duramen {}\n", env!("CARGO_PKG_VERSION")));
    for words in [&["--help"][..], &[]] {
        let help = duramen(words, "");
        assert!(help.status.success());
        assert!(text(&help.stdout).starts_with("usage: duramen run"));
    }
}

#[test]
fn an_unknown_command_is_named() {
    let output = duramen(&["fly", "away"], "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr), "duramen: unknown command \"fly\"; try duramen --help\n");
    assert!(output.stdout.is_empty());
}

#[cfg(unix)]
#[test]
fn run_gives_all_words_to_the_python_package() {
    // echo stands for the interpreter.
    let output = duramen(&["run", "--config", "a b.json", "gunicorn", "--workers=2"], "echo");
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), "-m duramen run --config a b.json gunicorn --workers=2\n");
}

#[test]
fn a_missing_interpreter_is_named() {
    let output = duramen(&["run", "program"], "no-such-python");
    assert_eq!(output.status.code(), Some(127));
    assert!(text(&output.stderr).starts_with("duramen: cannot start no-such-python: "));
}
