//! `duramen check --audit`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use duramen::fs::Disk;
use duramen::rotation::InvalidOption;
use duramen::writer::audit::{self, AuditKey};

/// The trail is not as it was written.
const WRONG: u8 = 1;
/// The trail or its key cannot be read, or the command line means nothing.
const UNREADABLE: u8 = 2;

/// The environment variable of the key, where no other place is named.
const KEY: &str = "DURAMEN_AUDIT_KEY";

/// Checks the trail that `words` name, and says what was found.
pub(crate) fn check(words: Vec<OsString>) -> ExitCode {
    match understand(words).and_then(|(path, keys)| report(&path, &keys)) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("duramen: {problem}");
            ExitCode::from(UNREADABLE)
        }
    }
}

fn understand(words: Vec<OsString>) -> Result<(PathBuf, Vec<AuditKey>), String> {
    let (mut paths, mut keys) = (Vec::new(), Vec::new());
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy().into_owned();
        let (name, value) = text.split_once('=').map_or((&*text, None), |(name, value)| (name, Some(value)));
        let mut value = || {
            let given = value.map(OsString::from).or_else(|| words.next());
            given.ok_or_else(|| format!("{name} needs a value"))
        };
        match name {
            "--audit" => {}
            "--key-env" => keys.push(AuditKey::from_environment(&value()?.to_string_lossy())),
            "--key-file" => keys.push(AuditKey::from_file(value()?)),
            _ if name.starts_with('-') => return Err(format!("there is no option {text:?}")),
            _ => paths.push(PathBuf::from(word)),
        }
    }
    let [path] = <[PathBuf; 1]>::try_from(paths).map_err(|_| "check --audit needs one file".to_owned())?;
    if keys.is_empty() {
        keys.push(AuditKey::from_environment(KEY));
    }
    let keys = keys.into_iter().collect::<Result<_, InvalidOption>>().map_err(|error| error.to_string())?;
    Ok((path, keys))
}

fn report(path: &std::path::Path, keys: &[AuditKey]) -> Result<ExitCode, String> {
    let report = audit::check(&Disk, path, keys).map_err(|error| format!("{}: {error}", path.display()))?;
    for note in &report.notes {
        println!("note: {note}");
    }
    if let Some(finding) = &report.finding {
        println!("{finding}");
        return Ok(ExitCode::from(WRONG));
    }
    let (files, (first, last)) = (report.files.len(), report.lines);
    let plural = if files > 1 { "s" } else { "" };
    println!("{}: {files} file{plural}, lines {first} to {last} are as they were written", path.display());
    Ok(ExitCode::SUCCESS)
}
