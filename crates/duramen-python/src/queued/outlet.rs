//! Where the worker of a queue writes: files that stay open until the last line for them is written.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use duramen::fs::{Disk, LogFile as _};
use duramen::report;
use duramen::rotation::line_end::{self, Moved, Secured};
use duramen::rotation::turn;
use duramen::writer::fsync::Syncer;
use parking_lot::Mutex;

use super::rolling::Rolling;
use super::system::pause;

/// An open file. It has a descriptor of its own, so that closing the handler's stream takes it from nobody.
pub(crate) struct Outlet {
    /// Only who writes takes it.
    file: Mutex<File>,
    /// Regular files take any number of lines at once. Elsewhere others may write too, and only so many bytes
    /// stay together (`PIPE_BUF` of POSIX is at least 512, that of Linux and the BSDs 4096 or 512).
    is_regular: bool,
    /// What is missing of the last line, which was written in part, on a full disk for instance: it comes before the next
    /// one. Where that never comes, the line stays torn; it counts as failed in any case.
    rest: Mutex<Vec<u8>>,
    /// Brings the file to the disk, where that was asked for.
    syncer: Option<Arc<Syncer>>,
    place: Place,
}

/// What is known of an open file beside its descriptor.
pub(super) enum Place {
    /// It is a stream of the application's.
    Unknown,
    /// It was opened at this path, and is gone on with whatever becomes of its name.
    Path(PathBuf),
    /// It is rolled over or watched.
    Rolling(Rolling),
}

/// What a thread of Python's can do about files that are rolled over: the handler at this place gives the file to which a
/// line is to be written.
pub(super) type Prepare<'a> = dyn Fn(usize, &Rolling, &[u8]) -> Option<File> + 'a;

/// Lines that stand one after the other in `bytes`, from `begin` on, each with where it ends.
pub(super) struct Together<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) begin: usize,
    pub(super) ends: &'a [usize],
}

const MOST_AT_ONCE: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

impl Outlet {
    pub(super) fn new(file: File, syncer: Option<Arc<Syncer>>, place: Place) -> Self {
        let is_regular = file.metadata().is_ok_and(|status| status.is_file());
        Self { file: Mutex::new(file), is_regular, rest: Mutex::default(), syncer, place }
    }

    pub(super) fn rolling(&self) -> Option<&Rolling> {
        if let Place::Rolling(rolling) = &self.place { Some(rolling) } else { None }
    }

    /// Writes lines, as many at a time as go into the file, which the handler rolls over in between; how many of them are
    /// written, and the error that stopped it.
    pub(super) fn deliver_rolling(
        &self,
        rolling: &Rolling,
        lines: &Together<'_>,
        prepare: &dyn Fn(&[u8]) -> Option<File>,
    ) -> (usize, Option<io::Error>) {
        let (mut begin, mut done, mut rounds) = (lines.begin, 0, 0);
        while done < lines.ends.len() {
            let ends = &lines.ends[done..];
            let mut count = rolling.fitting(&self.file.lock(), begin, ends);
            if count == 0 {
                if let Some(file) = prepare(&lines.bytes[begin..ends[0]]) {
                    self.go_on_with(file);
                }
                // It is written now, however long it is.
                count = 1;
            }
            let end = ends[count - 1];
            let _secured = match self.secure(lines.bytes) {
                Ok(secured) => secured,
                Err(Moved) if rounds < turn::MOST_ROUNDS => {
                    rounds += 1;
                    continue;
                }
                Err(Moved) => None,
            };
            let (written, error) =
                self.write_and_sync(&Together { bytes: lines.bytes, begin, ends: &ends[..count] });
            if error.is_some() {
                return (done + written, error);
            }
            (begin, done) = (end, done + count);
        }
        (done, None)
    }

    /// What is to be held while `lines` are written to a file at a path: they may come in parts, and one that others have
    /// left without an end gets one first.
    ///
    /// # Errors
    /// Another file is at the path by now.
    fn secure(&self, lines: &[u8]) -> Result<Option<Secured>, Moved> {
        let path = match &self.place {
            Place::Path(path) => path,
            Place::Rolling(rolling) => rolling.path(),
            Place::Unknown => return Ok(None),
        };
        let status = self.file.lock().status().ok().filter(|status| status.is_regular);
        let Some(own) = status.and_then(|status| status.identity) else { return Ok(None) };
        let secured = line_end::secure(&Disk, path, own)?;
        if secured.as_ref().is_some_and(|secured| secured.lacks_end) {
            self.end_line(lines);
        }
        Ok(secured)
    }

    /// The last line of the file has no end. What is missing of one of its own is written before the next line anyway.
    fn end_line(&self, lines: &[u8]) {
        let mut rest = self.rest.lock();
        if rest.is_empty() && lines.ends_with(b"\n") {
            report::error("AsyncHandler", &"the last line of a file was cut off, and got an end");
            rest.push(b'\n');
        }
    }

    fn go_on_with(&self, file: File) {
        let identity = |file: &File| file.status().ok().and_then(|status| status.identity);
        let next = identity(&file);
        let previous = std::mem::replace(&mut *self.file.lock(), file);
        if identity(&previous) != next {
            // What is missing of a line that was cut is for the file before.
            self.rest.lock().clear();
        }
    }

    /// Writes lines to the file that is open; how many of them are written, and the error that stopped it.
    pub(super) fn deliver(&self, lines: &Together<'_>) -> (usize, Option<io::Error>) {
        let _secured = self.secure(lines.bytes).unwrap_or(None);
        self.write_and_sync(lines)
    }

    /// Brings lines to the disk together where every record has to be there; how many of them are written, and the error
    /// that stopped it.
    fn write_and_sync(&self, lines: &Together<'_>) -> (usize, Option<io::Error>) {
        let (written, error) = self.write_lines(lines);
        match &self.syncer {
            Some(syncer) if written > 0 => match syncer.has_written(&*self.file.lock()) {
                Ok(()) => (written, error),
                Err(error) => (0, Some(error)),
            },
            _ => (written, error),
        }
    }

    fn write_lines(&self, lines: &Together<'_>) -> (usize, Option<io::Error>) {
        if let Err(error) = self.write_rest() {
            return (0, Some(error));
        }
        let Together { bytes, mut begin, ends } = *lines;
        let mut line = 0;
        while line < ends.len() {
            let mut last = if self.is_regular { ends.len() - 1 } else { line };
            while last + 1 < ends.len() && ends[last + 1] - begin <= MOST_AT_ONCE {
                last += 1;
            }
            let mut written = begin;
            if let Err(error) = self.write_some(&bytes[..ends[last]], &mut written) {
                let whole = ends.partition_point(|end| *end <= written);
                let line_begin = if whole == 0 { lines.begin } else { ends[whole - 1] };
                if let Some(end) = ends.get(whole).filter(|_| written > line_begin) {
                    *self.rest.lock() = bytes[written..*end].to_vec();
                }
                return (whole, Some(error));
            }
            begin = ends[last];
            line = last + 1;
        }
        (ends.len(), None)
    }

    fn write_rest(&self) -> io::Result<()> {
        let mut rest = std::mem::take(&mut *self.rest.lock());
        let mut written = 0;
        let outcome = self.write_some(&rest, &mut written);
        if outcome.is_err() {
            rest.drain(..written);
            *self.rest.lock() = rest;
        }
        outcome
    }

    /// Writes what follows the first `written` of `bytes`, and counts it there.
    fn write_some(&self, bytes: &[u8], written: &mut usize) -> io::Result<()> {
        /// A receiver that takes nothing now is asked again, first soon and then less often.
        const PAUSES: [u64; 5] = [1, 2, 5, 10, 20];
        let mut refusals = 0;
        let file = self.file.lock();
        while *written < bytes.len() {
            match (&*file).write(&bytes[*written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => (*written, refusals) = (*written + count, 0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    pause(Duration::from_millis(PAUSES[refusals]));
                    refusals = (refusals + 1).min(PAUSES.len() - 1);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
