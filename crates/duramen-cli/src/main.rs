//! The `duramen` command of a Rust installation.
//!
//! What runs Python programs is in the Python package; the command hands these calls to `python3 -m duramen`. What
//! serves records and delivers journals needs no Python.

mod audit;

use std::env;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: duramen run [--config FILE] PROGRAM [ARGUMENT ...]
       duramen serve [OPTION ...] FILE
       duramen spool list|show|replay FOLDER
       duramen check --audit FILE [--key-env NAME | --key-file FILE] ...
       duramen --version | --help

Runs a Python program, and the Python processes that it starts, with logging going through Duramen.
The python3 that comes first in PATH, or the interpreter that DURAMEN_PYTHON names, must have the
duramen package. serve receives the records of other processes, spool delivers what queues left in their journals;
duramen serve --help and duramen spool --help say more.

check --audit checks an audit trail, all of its files: exit code 0 when it is as it was written, 1 when it
is not (the first changed, missing, reordered, doubled or truncated line is named), 2 when it cannot be read.
The trail's key is in the environment variable DURAMEN_AUDIT_KEY, in the one that --key-env names, or in a
file; several are given where the key was changed. Other checks are the Python package's.
";

/// The exit code of a shell for a command that is not there.
const NOT_FOUND: u8 = 127;

fn main() -> ExitCode {
    let mut words = env::args_os().skip(1);
    let first = words.next().unwrap_or_else(|| "--help".into());
    match first.to_str() {
        Some("-h" | "--help") => print!("{USAGE}"),
        Some("-V" | "--version") => println!("duramen {}", env!("CARGO_PKG_VERSION")),
        Some("spool") => return ExitCode::from(duramen_cli::spool(words)),
        Some("serve") => return ExitCode::from(duramen_cli::serve(words)),
        Some("run") => return hand_to_python(&first, words),
        Some("check") => {
            let words: Vec<_> = words.collect();
            if words.iter().any(|word| word == "--audit") {
                return audit::check(words);
            }
            return hand_to_python(&first, words.into_iter());
        }
        _ => {
            let first = first.to_string_lossy();
            eprintln!("duramen: unknown command {first:?}; try duramen --help");
            return ExitCode::from(duramen_cli::USAGE_ERROR);
        }
    }
    ExitCode::SUCCESS
}

fn hand_to_python(subcommand: &OsString, words: impl Iterator<Item = OsString>) -> ExitCode {
    let python = env::var_os("DURAMEN_PYTHON").unwrap_or_else(|| "python3".into());
    let mut command = Command::new(&python);
    command.args(["-m", "duramen"]).arg(subcommand).args(words);
    match become_or_wait(&mut command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("duramen: cannot start {}: {error}", python.display());
            ExitCode::from(NOT_FOUND)
        }
    }
}

/// Replaces this process, so that signals and the process id are the program's own.
#[cfg(unix)]
fn become_or_wait(command: &mut Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_or_wait(command: &mut Command) -> std::io::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
