//! Files behind a queue that are rolled over or watched.
//!
//! The worker writes lines to them without the interpreter as long as there is nothing else to do. When there is, the
//! handler does it as ever, with its own methods, on the thread of Python's, and the worker goes on with the file that the
//! handler has open then.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use duramen::fs::{Disk, FileSystem as _, LogFile as _};
use duramen::report;
use duramen::rotation::turn;
use parking_lot::Mutex;
use pyo3::prelude::*;

use super::RecordQueue;
use crate::handler;
use crate::handler::plan::{HandlerPlan, Kind, Rollover};
use crate::handler::sink::DirectFile;
use crate::interpreter::intern;

/// Where the handler has its file.
pub(super) fn path_of(handler: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    handler.getattr(intern!(handler.py(), "baseFilename"))?.extract()
}

/// What is known of the file of a handler that rolls it over or watches it.
pub(super) struct Rolling {
    kind: Kind,
    /// Where the file has to be, or it is another one by now.
    path: PathBuf,
    terminator: usize,
    /// Held for moments: callers look at it.
    rollover: Mutex<Rollover>,
}

impl Rolling {
    /// For a handler with this plan, which does something before a line is written.
    pub(super) fn of(handler: &Bound<'_, PyAny>, plan: &HandlerPlan) -> PyResult<Self> {
        let path = path_of(handler)?;
        let terminator = plan.terminator.len();
        Ok(Self { kind: plan.kind, path, terminator, rollover: Mutex::new(plan.rollover) })
    }

    pub(super) fn path(&self) -> &PathBuf {
        &self.path
    }

    /// Whether it is for the same file of the handler.
    pub(super) fn is_of(&self, handler: &Bound<'_, PyAny>, plan: &HandlerPlan) -> PyResult<bool> {
        Ok(self.kind == plan.kind
            && self.path == path_of(handler)?
            && self.terminator == plan.terminator.len())
    }

    /// Takes over what the plan says by now.
    pub(super) fn follow(&self, plan: &HandlerPlan) {
        *self.rollover.lock() = plan.rollover;
    }

    /// How many of the lines from `begin` on, which end at `ends`, can be written to `file` before anything else.
    pub(super) fn fitting(&self, file: &File, begin: usize, ends: &[usize]) -> usize {
        let rollover = *self.rollover.lock();
        let Some(length) = self.length(file) else { return 0 };
        if self.kind == Kind::Watched {
            return ends.len();
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
        if !rollover.is_known() || rollover.is_due_at(now) {
            return 0;
        }
        let mut last = begin;
        let fits = |end: &&usize| {
            let text = (**end - last).saturating_sub(self.terminator);
            let fits = **end == last || rollover.has_room(length + (last - begin) as u64, text);
            last = **end;
            fits
        };
        ends.iter().take_while(fits).count()
    }

    /// How long the file is, unless another one is to be written to.
    fn length(&self, file: &File) -> Option<u64> {
        let status = file.status().ok()?;
        let path = Path::new(&self.path);
        let is_kept = match self.kind {
            Kind::Watched => Disk.status(path).is_ok_and(|named| named.identity == status.identity),
            _ => status.is_named && !turn::is_replaced(&Disk, path, status.identity),
        };
        is_kept.then_some(status.length)
    }

    /// Has the handler do what is to be done before `line` is written, and gives the file that it has open then.
    fn prepare(&self, handler: &Bound<'_, PyAny>, line: &[u8]) -> PyResult<Option<File>> {
        let text = &line[..line.len().saturating_sub(self.terminator)];
        handler::usual::locked(handler, || self.kind.prepare(handler, text))?;
        *self.rollover.lock() = Rollover::of(handler, self.kind)?;
        let stream = handler.getattr(intern!(handler.py(), "stream"))?;
        let file = if stream.is_none() { None } else { DirectFile::of(&stream)? };
        Ok(file.and_then(|file| file.duplicate().ok()))
    }
}

impl RecordQueue {
    /// The same for the handler at `place`, by a thread of Python's that has let go of the interpreter. Where it fails,
    /// which is reported, lines go to the file that is open: none is lost for it.
    pub(super) fn prepare(&self, place: usize, rolling: &Rolling, line: &[u8]) -> Option<File> {
        let refused = |reason: &dyn std::fmt::Display| {
            report::error("AsyncHandler", &format_args!("{}: {reason}", rolling.path.display()));
        };
        Python::attach(|py| match rolling.prepare(self.handlers.get(place)?.bind(py), line) {
            Ok(None) => {
                refused(&"the handler has no file below which lines can be written");
                None
            }
            Ok(file) => file,
            Err(error) => {
                refused(&error);
                None
            }
        })
    }
}
