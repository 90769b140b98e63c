//! Whether an audit trail is as it was written, and where it is not.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use super::head::{self, Head};
use super::key::AuditKey;
use super::line::{Code, Kind, Line, Link, from_hex};
use super::note::Note;
use super::parts;
use crate::fs::FileSystem;

/// The first place at which a trail is not as it was written.
///
/// ```
/// use duramen::writer::audit::AuditFinding;
///
/// let finding = AuditFinding { path: "audit.log".into(), line: 7, problem: "changed".into() };
/// assert_eq!(finding.to_string(), "audit.log:7: changed");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFinding {
    /// The file.
    pub path: PathBuf,
    /// The line of the file, from 1 on; 0 where it is none.
    pub line: u64,
    /// What is wrong, such as `changed`, with the numbers of the lines of the trail.
    pub problem: String,
}

impl fmt::Display for AuditFinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.line {
            0 => write!(formatter, "{path}: {}", self.problem),
            line => write!(formatter, "{path}:{line}: {}", self.problem),
        }
    }
}

/// What was found in a trail.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::clock::SystemClock;
/// use duramen::fs::Disk;
/// use duramen::writer::audit::{AuditKey, AuditOptions, AuditReport, AuditTrail, check};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("audit.log");
/// let key = AuditKey::new(b"0123456789abcdef")?;
/// let trail = AuditTrail::open(Arc::new(Disk), &path, AuditOptions::new(key.clone()), Arc::new(SystemClock::default()))?;
/// trail.append(b"ada was given 100")?;
/// trail.close()?;
/// let report: AuditReport = check(&Disk, &path, &[key.clone()])?;
/// assert!(report.finding.is_none() && report.lines.1 > 0);
///
/// let changed = std::fs::read_to_string(&path)?.replace("100", "900");
/// std::fs::write(&path, changed)?;
/// assert!(check(&Disk, &path, &[key])?.finding.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// The files, the oldest first.
    pub files: Vec<PathBuf>,
    /// The first and the last line that were found to be as they were written; 0: none.
    pub lines: (u64, u64),
    /// What the trail itself notes and somebody should know: torn lines that were taken away, records that were lost.
    pub notes: Vec<String>,
    /// The first place that is not as it was written; `None`: all is.
    pub finding: Option<AuditFinding>,
}

/// Checks the trail at `path`, all of its files, with `keys`, of which the trail names the one of each file.
///
/// ```
/// use duramen::writer::audit::{AuditKey, check};
///
/// let keys = [AuditKey::new(b"0123456789abcdef").unwrap()];
/// let error = check(&duramen::fs::Disk, "/no/such/trail".as_ref(), &keys).unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
/// ```
///
/// # Errors
/// Those of the file system; [`io::ErrorKind::NotFound`] where there is no trail.
pub fn check(fs: &dyn FileSystem, path: &Path, keys: &[AuditKey]) -> io::Result<AuditReport> {
    let parts = parts::list(fs, path)?;
    let mut report =
        AuditReport { files: parts.into_iter().map(|part| part.path).collect(), ..Default::default() };
    // A process that was killed in a rollover has left no current one.
    if fs.exists(path) || report.files.is_empty() {
        report.files.push(path.to_owned());
    }
    let mut walk = Walk { keys, key: None, last: Link::BEGIN, is_begun: false, removed_to: 0, first: 0 };
    for file in report.files.clone() {
        let finding = walk.file(fs, &file, &mut report.notes)?;
        report.lines = (walk.first, walk.last.number);
        if finding.is_some() {
            report.finding = finding;
            return Ok(report);
        }
    }
    report.finding = walk.end(fs, path)?;
    Ok(report)
}

/// What was found until now.
struct Walk<'a> {
    keys: &'a [AuditKey],
    /// That of the present file.
    key: Option<AuditKey>,
    last: Link,
    is_begun: bool,
    /// The trail says that the lines up to this one were deleted for their age.
    removed_to: u64,
    /// The first line that was there.
    first: u64,
}

impl Walk<'_> {
    fn file(
        &mut self,
        fs: &dyn FileSystem,
        path: &Path,
        notes: &mut Vec<String>,
    ) -> io::Result<Option<AuditFinding>> {
        let mut file = BufReader::with_capacity(256 * 1024, fs.read(path)?);
        let (mut text, mut number) = (Vec::new(), 0);
        while file.read_until(b'\n', &mut text)? > 0 {
            number += 1;
            let finding = |problem| Some(AuditFinding { path: path.to_owned(), line: number, problem });
            let Some(whole) = text.strip_suffix(b"\n") else {
                return Ok(finding("truncated: the last line has no end".to_owned()));
            };
            let Some(line) = Line::parse(whole) else {
                let expected = self.last.number + 1;
                return Ok(finding(format!(
                    "changed: this is no line of a trail, where line {expected} belongs"
                )));
            };
            if let Some(problem) = self.line(&line, number == 1) {
                return Ok(finding(self.named(problem, fs, path, &line)?));
            }
            if line.kind == Kind::Note {
                self.note(&line, path, number, notes);
            }
            text.clear();
        }
        Ok(None)
    }

    /// Goes on to `line`; or says what is wrong with it.
    fn line(&mut self, line: &Line<'_>, is_first_of_file: bool) -> Option<Problem> {
        let mut previous = self.last.code;
        if is_first_of_file {
            let begin = if line.kind == Kind::Note { Note::parse(line.text) } else { None };
            let Some(before) = begin.as_ref().and_then(|note| from_hex(note.previous.as_ref()?.as_bytes()))
            else {
                return Some(Problem::NoBegin);
            };
            let id = begin.and_then(|note| note.key).unwrap_or_default();
            match self.keys.iter().find(|key| key.id() == id) {
                Some(key) => self.key = Some(key.clone()),
                None => return Some(Problem::Key(id)),
            }
            previous = before;
        }
        let key = self.key.as_ref()?;
        let expected = self.last.number + 1;
        let is_missed = self.is_begun && line.number != expected;
        if is_missed && line.number < expected {
            return Some(Problem::Before);
        }
        if !line.follows(key, &previous) {
            return Some(if is_missed { Problem::Gap } else { Problem::Changed });
        }
        if is_missed || (self.is_begun && previous != self.last.code) {
            return Some(Problem::Gap);
        }
        if !self.is_begun {
            (self.is_begun, self.first) = (true, line.number);
        }
        self.last = line.link();
        None
    }

    /// Says what `problem` at `line` is. Whether lines are missing or stand elsewhere, the rest of the file tells.
    fn named(
        &self,
        problem: Problem,
        fs: &dyn FileSystem,
        path: &Path,
        line: &Line<'_>,
    ) -> io::Result<String> {
        let (found, expected) = (line.number, self.last.number + 1);
        Ok(match problem {
            Problem::NoBegin => "missing: the file does not begin with its note".to_owned(),
            Problem::Key(id) => format!("the file was written with the key {id}, which was not given"),
            Problem::Changed => format!("changed: line {found} is not as it was written"),
            Problem::Before if found == self.last.number && line.code == self.last.code => {
                format!("doubled: line {found} is there twice")
            }
            Problem::Before | Problem::Gap => match numbers(fs, path)? {
                codes if problem == Problem::Before && codes.get(&found).is_some_and(|seen| seen.1 > 1) => {
                    format!("doubled: line {found} is there twice, where line {expected} belongs")
                }
                codes if problem == Problem::Before || codes.contains_key(&expected) => {
                    format!("reordered: line {found} stands where line {expected} belongs")
                }
                _ if found == expected + 1 => format!("missing: line {expected} is not there"),
                _ if found > expected => format!("missing: lines {expected} to {} are not there", found - 1),
                _ => format!("changed: what stands before line {found} is not what was there"),
            },
        })
    }

    fn note(&mut self, line: &Line<'_>, path: &Path, number: u64, notes: &mut Vec<String>) {
        let Some(note) = Note::parse(line.text) else { return };
        let mut say = |text: String| notes.push(format!("{}:{number}: {text}", path.display()));
        if let Some(removed_to) = note.removed_to {
            self.removed_to = self.removed_to.max(removed_to);
        }
        if let Some(torn) = note.torn {
            say(format!("a torn line was taken away, which held {torn:?}"));
        }
        if let Some(lost) = note.lost {
            say(format!("{lost} records were lost while nothing could be written"));
        }
        if note.head_missing {
            say("the head was not there when the trail was opened: lines before may have been cut off"
                .to_owned());
        }
    }

    /// Whether the trail begins and ends where it should.
    fn end(&self, fs: &dyn FileSystem, path: &Path) -> io::Result<Option<AuditFinding>> {
        let at = |path: &Path, problem| Some(AuditFinding { path: path.to_owned(), line: 0, problem });
        if self.first > 1 && self.removed_to < self.first - 1 {
            let missing =
                format!("missing: lines {} to {} are not there", self.removed_to + 1, self.first - 1);
            return Ok(at(path, missing));
        }
        let head_path = head::path_of(path);
        let head = self.keys.iter().map(|key| Head::read(fs, &head_path, key));
        let head = head.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().next();
        let last = self.last.number;
        Ok(match head {
            None if !fs.exists(&head_path) => {
                at(&head_path, "missing: lines at the end may have been cut off".to_owned())
            }
            None => at(&head_path, "changed: it is not as it was written".to_owned()),
            Some(head) if head.last.number > last => {
                let end = head.last.number;
                at(path, format!("truncated: lines {} to {end} are missing at the end", last + 1))
            }
            Some(head) if head.last.number == last && head.last.code != self.last.code => {
                at(path, format!("changed: line {last} is not the one that was written"))
            }
            // A process was killed between the lines and the head.
            Some(_) => None,
        })
    }
}

/// What is wrong with a line, seen alone.
#[derive(PartialEq, Eq)]
enum Problem {
    NoBegin,
    Key(String),
    Changed,
    /// Its number was there.
    Before,
    /// Its number is not the next one, or another line was before it.
    Gap,
}

/// The numbers of the lines of a file, each with a code and how often it is there.
fn numbers(fs: &dyn FileSystem, path: &Path) -> io::Result<HashMap<u64, (Code, u64)>> {
    let mut seen = HashMap::new();
    for text in BufReader::new(fs.read(path)?).split(b'\n') {
        let text = text?;
        if let Some(line) = Line::parse(&text) {
            seen.entry(line.number).or_insert((line.code, 0)).1 += 1;
        }
    }
    Ok(seen)
}
