//! `duramen spool`: the journals that queues have left in a folder.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use duramen::spool::{self, Contents, Listed, ListedAs, State};

use crate::USAGE_ERROR;

const USAGE: &str = "\
usage: duramen spool list FOLDER
       duramen spool show FOLDER
       duramen spool replay FOLDER

FOLDER has the journals of AsyncHandler(journal=FOLDER).

  list    one line for each journal: its file, what it is, how many entries wait and how many were being written
  show    one line for each entry that was not delivered: its identity, its state, its destination and its text
  replay  deliver what processes that have ended left behind, to the files that the entries name

An entry that was being written when its process ended may have been delivered: replay delivers it, and names it. Journals of
processes that live are left alone. The exit code is 1 where something could not be read or delivered.
";

const FAILURE: u8 = 1;

/// Runs the command with the words behind `spool`, and gives its exit code.
pub fn spool(words: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<_> = words.into_iter().collect();
    if matches!(words.first().and_then(|word| word.to_str()), Some("-h" | "--help")) {
        return print(USAGE.as_bytes());
    }
    let [action, folder] = &words[..] else {
        eprintln!("duramen: spool: expected list, show or replay, and a folder; try duramen spool --help");
        return USAGE_ERROR;
    };
    let folder = PathBuf::from(folder);
    let listed = match spool::list(&folder) {
        Ok(listed) => listed,
        Err(error) => {
            eprintln!("duramen: spool: {}: {error}", folder.display());
            return USAGE_ERROR;
        }
    };
    match action.to_str() {
        Some("list") => list(listed),
        Some("show") => show(listed),
        Some("replay") => {
            drop(listed);
            replay(&folder)
        }
        _ => {
            eprintln!("duramen: spool: found {}, expected list, show or replay", action.display());
            USAGE_ERROR
        }
    }
}

fn list(listed: impl Iterator<Item = Listed>) -> u8 {
    let mut out = Vec::new();
    let mut code = 0;
    for Listed { path, kind } in listed {
        let what = match &kind {
            ListedAs::Living(contents) => format!("of a process that lives; {}", counts(contents)),
            ListedAs::Orphaned(orphan) => counts(orphan.contents()),
            ListedAs::Unreadable(reason) => reason.to_string(),
            ListedAs::Refused(Some(error)) => error.to_string(),
            ListedAs::Refused(None) => "of another user, or no regular file".to_owned(),
        };
        if matches!(kind, ListedAs::Unreadable(_) | ListedAs::Refused(_)) {
            code = FAILURE;
        }
        out.extend(format!("{}: {what}\n", path.display()).bytes());
    }
    print(&out).max(code)
}

fn counts(contents: &Contents) -> String {
    let in_flight = contents.entries.iter().filter(|entry| entry.state == State::InFlight).count();
    let waiting = contents.entries.len() - in_flight;
    format!(
        "process {}, {waiting} waiting, {in_flight} in flight, {} damaged",
        contents.header.process, contents.damaged
    )
}

fn show(listed: impl Iterator<Item = Listed>) -> u8 {
    let mut out = Vec::new();
    for Listed { kind, .. } in listed {
        let ListedAs::Orphaned(orphan) = kind else { continue };
        let identity = orphan.contents().header.identity;
        for entry in &orphan.contents().entries {
            let state = if entry.state == State::InFlight { "in flight" } else { "waiting" };
            for (destination, line) in orphan.lines(entry) {
                out.extend(format!("{identity:016x}-{} {state} {destination}: ", entry.number).bytes());
                // An entry of several lines stays one line here.
                out.extend(line.strip_suffix(b"\n").unwrap_or(line).escape_ascii().to_string().bytes());
                out.push(b'\n');
            }
        }
    }
    print(&out)
}

fn replay(folder: &Path) -> u8 {
    let (mut code, mut delivered) = (0, 0);
    let mut recovered = spool::recover(folder);
    loop {
        if recovered.failed + recovered.set_aside > 0 {
            code = FAILURE;
        }
        for orphan in recovered.orphans {
            orphan.report_doubt();
            let (count, result) = orphan.deliver();
            delivered += count;
            if let Err(error) = result {
                eprintln!("duramen: spool: {}: {error}", orphan.path().display());
                code = FAILURE;
            }
        }
        if recovered.rest.is_empty() {
            break;
        }
        recovered = spool::recover_rest(recovered.rest);
    }
    // Standard output is a destination too.
    eprintln!("duramen: spool: {delivered} entries were delivered");
    code
}

fn print(bytes: &[u8]) -> u8 {
    let mut out = io::stdout();
    // Who has closed the pipe wants no more.
    if out.write_all(bytes).and_then(|()| out.flush()).is_ok() { 0 } else { FAILURE }
}
