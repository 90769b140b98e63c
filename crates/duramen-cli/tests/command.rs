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

#[test]
fn serve_names_what_is_wrong() {
    let output = duramen(&["serve", "--max-clients", "0", "x.json"], "");
    assert_eq!(output.status.code(), Some(2));
    let said = "duramen: serve: --max-clients: found \"0\", expected a number from 1 to 65536\n";
    assert_eq!(text(&output.stderr), said);
    assert!(text(&duramen(&["serve", "--help"], "").stdout).starts_with("usage: duramen serve"));
}

#[cfg(unix)]
#[test]
fn serve_writes_what_comes_and_ends_with_sigterm() {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::process::Stdio;

    let folder = tempfile::tempdir().unwrap();
    let config = r#"{
        "version": 1,
        "handlers": {"file": {"class": "logging.FileHandler", "filename": "all.log"}},
        "root": {"handlers": ["file"], "level": "INFO"}
    }"#;
    std::fs::write(folder.path().join("serve.json"), config).unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_duramen"))
        .args(["serve", "--listen", "tcp:127.0.0.1:0", "serve.json"])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("duramen: serve: listening on tcp:").unwrap();
    let mut client = std::net::TcpStream::connect(address).unwrap();
    client.write_all(b"<14>app: one\0<15>app: too low\0<11>app: two\0").unwrap();
    drop(client);
    assert!(Command::new("kill").arg(server.id().to_string()).status().unwrap().success());
    assert!(server.wait().unwrap().success());
    assert_eq!(std::fs::read_to_string(folder.path().join("all.log")).unwrap(), "one\ntwo\n");
    let mut counts = String::new();
    said.read_to_string(&mut counts).unwrap();
    assert!(counts.contains("\"received\": 3, \"handled\": 2, \"below_level\": 1"), "{counts}");
}

#[test]
fn an_audit_trail_is_checked_here() {
    let missing = duramen(&["check", "--audit", "no-such-trail", "--key-env", "NO_SUCH_KEY"], "");
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).starts_with("duramen: key_env: found \"NO_SUCH_KEY\", which is not set"));
    let unknown = duramen(&["check", "--audit", "--fast", "trail"], "");
    assert_eq!(text(&unknown.stderr), "duramen: there is no option \"--fast\"\n");
    let folder = std::env::temp_dir().join(format!("duramen-command-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let [path, key] = ["trail", "key"].map(|name| folder.join(name));
    std::fs::write(&key, "a key of 16 bytes or more").expect("written");
    std::fs::write(&path, "1 no line\n").expect("written");
    let words = ["check", "--audit", "--key-file", key.to_str().expect("text"), path.to_str().expect("text")];
    let output = duramen(&words, "");
    std::fs::remove_dir_all(&folder).expect("removed");
    assert_eq!(output.status.code(), Some(1));
    let expected = "1: changed: this is no line of a trail, where line 1 belongs\n";
    assert_eq!(text(&output.stdout), format!("{}:{expected}", path.display()));
}
