//! What a file of a trail holds, read without its key.

use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use super::line::{Kind, Line, Link};
use super::note::Note;
use crate::fs::FileSystem;

/// The beginning of a file of a trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begin {
    /// The number of its first line.
    pub(super) first: u64,
    /// When it was begun, in seconds since the epoch; `None` for a first line that does not tell.
    pub(super) time: Option<i64>,
}

/// The end of a file of a trail.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// The last line that is one.
    pub(super) last: Option<Link>,
    /// How many bytes the lines with a line break have.
    pub(super) whole: u64,
    /// What stands behind them.
    pub(super) torn: Vec<u8>,
}

/// Reads the first line of the file at `path`; `None` where there is none.
///
/// # Errors
/// Those of the file system.
pub(super) fn begin(fs: &dyn FileSystem, path: &Path) -> io::Result<Option<Begin>> {
    let mut text = Vec::new();
    BufReader::new(fs.read(path)?).read_until(b'\n', &mut text)?;
    let Some(line) = text.strip_suffix(b"\n").and_then(Line::parse) else { return Ok(None) };
    let note = if line.kind == Kind::Note { Note::parse(line.text) } else { None };
    Ok(Some(Begin { first: line.number, time: note.and_then(|note| note.time) }))
}

/// Reads the file at `path` up to its end.
///
/// # Errors
/// Those of the file system.
pub(super) fn read(fs: &dyn FileSystem, path: &Path) -> io::Result<Tail> {
    let mut file = BufReader::with_capacity(256 * 1024, fs.read(path)?);
    let mut tail = Tail::default();
    let mut text = Vec::new();
    while file.read_until(b'\n', &mut text)? > 0 {
        let Some(line) = text.strip_suffix(b"\n") else {
            tail.torn = text;
            return Ok(tail);
        };
        tail.last = Line::parse(line).map(|line| line.link()).or(tail.last);
        tail.whole += text.len() as u64;
        text.clear();
    }
    Ok(tail)
}
