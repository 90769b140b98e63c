//! A file that is open for appending, with what is held back for it, and what is missing of an entry that was cut.

use std::io;

use crate::append::append;
use crate::fs::LogFile;
use crate::{process, report};

/// So much of a part that was written is compared with the end of the file.
const COMPARED: usize = 64;

#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) file: Box<dyn LogFile>,
    /// The length of the file, as far as this writer knows.
    pub(super) position: u64,
    /// What is missing of the last entry, which was written in part: it comes before the next one.
    pub(super) rest: Vec<u8>,
    /// The end of what is written of that entry.
    pub(super) cut: Vec<u8>,
    /// The last line may have no end.
    pub(super) is_suspect: bool,
    /// The process that holds back what is held back.
    process: u32,
    /// Whole entries that have not been written yet.
    pub(super) held: Vec<u8>,
    /// Where each of them ends.
    pub(super) held_ends: Vec<usize>,
}

/// What has become of entries.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) written: u64,
    pub(super) failed: u64,
    pub(super) error: Option<io::Error>,
}

impl Progress {
    fn add(&mut self, more: Self) {
        self.written += more.written;
        self.failed += more.failed;
        self.error = self.error.take().or(more.error);
    }
}

impl OpenFile {
    pub(super) fn new(file: Box<dyn LogFile>) -> io::Result<Self> {
        let position = file.status()?.length;
        Ok(Self {
            file,
            position,
            rest: Vec::new(),
            cut: Vec::new(),
            is_suspect: false,
            process: process::id(),
            held: Vec::new(),
            held_ends: Vec::new(),
        })
    }

    /// Writes all of `bytes`; with an error comes how many were written before it.
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.file.write(rest) {
                Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
                Ok(more) => {
                    // A file system of the program's own may say anything.
                    let more = more.min(rest.len());
                    self.position += more as u64;
                    written += more;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        Ok(())
    }

    /// Writes entries, the first of which ends at the first of `ends` and so on, behind what is missing of an earlier one.
    /// Of the entry in which the writing stops the rest is kept; those behind it are lost.
    #[expect(
        clippy::indexing_slicing,
        reason = "the ends are in order, and the last is the length; what was written is no more"
    )]
    fn write(&mut self, bytes: &[u8], ends: &[usize]) -> Progress {
        if !self.rest.is_empty() {
            let mut rest = std::mem::take(&mut self.rest);
            if let Err((written, error)) = self.write_all(&rest) {
                self.has_cut_behind(&rest[..written]);
                rest.drain(..written);
                self.rest = rest;
                return Progress { failed: ends.len() as u64, error: Some(error), ..Progress::default() };
            }
            self.cut.clear();
        }
        let Err((written, error)) = self.write_all(bytes) else {
            return Progress { written: ends.len() as u64, ..Progress::default() };
        };
        let whole = ends.partition_point(|end| *end <= written);
        let begin = if whole == 0 { 0 } else { ends[whole - 1] };
        if let Some(end) = ends.get(whole).filter(|_| written > begin) {
            self.rest = bytes[written..*end].to_vec();
            self.cut.clear();
            self.has_cut_behind(&bytes[begin..written]);
        }
        Progress { written: whole as u64, failed: (ends.len() - whole) as u64, error: Some(error) }
    }

    /// What is written of the entry that is cut goes on with `written`.
    fn has_cut_behind(&mut self, written: &[u8]) {
        self.cut.extend_from_slice(written);
        self.cut.drain(..self.cut.len().saturating_sub(COMPARED));
    }

    /// How many bytes are written at once, at most, when an entry of so many is accepted.
    pub(super) fn written_by(&self, entry: usize, most: usize) -> usize {
        let held = self.held.len();
        if held + entry <= most { 0 } else { held.max(if entry > most { entry } else { 0 }) }
    }

    /// What was held back when this process was forked is its parent's to write.
    #[inline]
    fn leave_to_parent(&mut self) {
        let process = process::id();
        if self.process != process {
            self.process = process;
            self.held.clear();
            self.held_ends.clear();
        }
    }

    /// Whether an entry is held back, and nothing is written, when up to `most` bytes are.
    #[inline]
    pub(super) fn has_room(&mut self, entry: &[u8], most: usize) -> bool {
        self.leave_to_parent();
        self.held.len() + entry.len() <= most
    }

    /// Holds back an entry.
    #[inline]
    pub(super) fn hold(&mut self, entry: &[u8]) {
        append(&mut self.held, entry);
        self.held_ends.push(self.held.len());
    }

    /// Takes an entry, and holds back up to `most` bytes.
    pub(super) fn accept(&mut self, entry: &[u8], most: usize) -> Progress {
        let mut progress = Progress::default();
        if !self.has_room(entry, most) {
            progress = self.write_held();
        }
        if entry.len() > most {
            // Although what was held back may not have been.
            progress.add(self.write(entry, &[entry.len()]));
        } else {
            self.hold(entry);
        }
        progress
    }

    /// Writes what is held back, if there is something. What cannot be written is lost, as an entry would be that is
    /// written at once, and the error says how much that is.
    pub(super) fn write_held(&mut self) -> Progress {
        self.leave_to_parent();
        if self.held.is_empty() {
            return Progress::default();
        }
        let (mut held, mut ends) = (std::mem::take(&mut self.held), std::mem::take(&mut self.held_ends));
        let mut progress = self.write(&held, &ends);
        if let Some(error) = &progress.error {
            let text = format!("{} records that were held back are lost: {error}", progress.failed);
            progress.error = Some(io::Error::new(error.kind(), text));
        }
        held.clear();
        ends.clear();
        (self.held, self.held_ends) = (held, ends);
        progress
    }
}

/// A file is closed, or its handler dropped: what is held back goes first.
impl Drop for OpenFile {
    fn drop(&mut self) {
        if let Some(error) = self.write_held().error {
            report::error("FileWriter", &error);
        }
        // What is missing of an entry that has been told of as failed: its line is to have an end.
        self.write(&[], &[]);
    }
}
