//! The streams of the handlers behind a queue, and where the worker writes below them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pyo3::prelude::*;

use super::RecordQueue;
use super::outlet::{Outlet, Place};
use super::rolling::{self, Rolling};
use crate::handler;
use crate::handler::plan::{HandlerPlan, Kind, Rollover};
use crate::handler::sink::DirectFile;
use crate::interpreter::intern;

/// The stream of a handler behind a queue, in the state in which the worker can write below it.
pub(super) struct KnownStream {
    stream: Py<PyAny>,
    file: DirectFile,
    outlet: Arc<Outlet>,
    /// As the plan of the handler had it.
    rollover: Rollover,
}

// SAFETY: its pointers are followed only by threads that are attached, one at a time.
unsafe impl Send for KnownStream {}

fn place_of(handler: &Bound<'_, PyAny>, plan: &HandlerPlan) -> PyResult<Place> {
    Ok(match plan.kind {
        Kind::Stream => Place::Unknown,
        Kind::File => rolling::path_of(handler).map_or(Place::Unknown, Place::Path),
        Kind::Watched | Kind::RotatedBySize | Kind::RotatedByTime => {
            Place::Rolling(Rolling::of(handler, plan)?)
        }
    })
}

impl RecordQueue {
    /// Where the worker writes `line` for the one handler behind the queue, whose plan this is, if that is known.
    ///
    /// # Safety
    /// The thread is attached, and nothing of the interpreter's runs while the reference lives.
    pub(super) unsafe fn only_outlet(&self, plan: &HandlerPlan, line: &[u8]) -> Option<&Arc<Outlet>> {
        // A parent's thread may hold the lock of an outlet.
        (!self.is_of_parent()).then_some(())?;
        // SAFETY: by the contract; the handler holds the stream.
        unsafe {
            let [Some(known)] = &(&*self.streams.get())[..] else { return None };
            let is_same = known.stream.as_ptr() == plan.stream_object() && known.rollover == plan.rollover;
            (is_same && known.file.takes(line)).then_some(&known.outlet)
        }
    }

    /// Where the worker writes `line` for the handler, if nobody can tell the difference.
    pub(super) fn outlet(
        &self,
        handler: &Bound<'_, PyAny>,
        place: usize,
        plan: &HandlerPlan,
        line: &[u8],
    ) -> PyResult<Option<Arc<Outlet>>> {
        if self.is_of_parent() {
            self.begin_anew();
        }
        let py = handler.py();
        let mut stream = handler.getattr(intern!(py, "stream"))?;
        if stream.is_none() && plan.kind != Kind::Stream {
            if let Some(outlet) = self.rolling_outlet(place, plan, line) {
                // It is being rolled over: who writes finds the file that is open then.
                return Ok(Some(outlet));
            }
            if handler::file::open_if_delayed(handler).is_err() {
                // The handler itself reports it.
                return Ok(None);
            }
            stream = handler.getattr(intern!(py, "stream"))?;
        }
        // SAFETY: attached; the reference does not outlive the look at what it holds.
        let known = unsafe { &*self.streams.get() };
        let is_known = known[place]
            .as_ref()
            .is_some_and(|known| known.stream.is(&stream) && known.rollover == plan.rollover);
        if !is_known && !self.look_at(&stream, place, Some(plan))? {
            return Ok(None);
        }
        // SAFETY: as above; the handler holds the stream.
        Ok(unsafe {
            let known = (&*self.streams.get())[place].as_ref();
            known.filter(|known| known.file.takes(line)).map(|known| Arc::clone(&known.outlet))
        })
    }

    /// The one for a handler that rolls its file over, whatever its stream is now.
    fn rolling_outlet(&self, place: usize, plan: &HandlerPlan, line: &[u8]) -> Option<Arc<Outlet>> {
        // SAFETY: attached; nothing runs while the reference lives.
        let known = unsafe { (&*self.streams.get())[place].as_ref()? };
        let is_usual = known.rollover == plan.rollover && known.file.carries(line);
        (is_usual && known.outlet.rolling().is_some()).then(|| Arc::clone(&known.outlet))
    }

    /// Flushes the stream of the handler at `place` and remembers it, if the worker can write below it. Without its plan, if
    /// it is the one that is remembered.
    pub(super) fn look_at(
        &self,
        stream: &Bound<'_, PyAny>,
        place: usize,
        plan: Option<&HandlerPlan>,
    ) -> PyResult<bool> {
        let py = stream.py();
        let flushed = stream.call_method0(intern!(py, "flush")).is_ok();
        let file = if flushed { DirectFile::of(stream)? } else { None };
        // SAFETY: attached, and nothing runs while the reference lives.
        let previous = unsafe { (&mut *self.streams.get())[place].take() };
        let Some(file) = file else {
            if previous.as_ref().is_some_and(|previous| previous.outlet.rolling().is_some()) {
                // SAFETY: as above.
                let replaced = unsafe { std::mem::replace(&mut (&mut *self.streams.get())[place], previous) };
                drop(replaced);
            }
            return Ok(false);
        };
        let is_one = |previous: &KnownStream| -> PyResult<bool> {
            Ok(previous.stream.is(stream)
                || match (previous.outlet.rolling(), plan) {
                    (Some(rolling), Some(plan)) => rolling.is_of(self.handlers[place].bind(py), plan)?,
                    (rolling, None) => rolling.is_some(),
                    (None, Some(_)) => false,
                })
        };
        let is_one = previous.as_ref().map(is_one).transpose()?.unwrap_or(false);
        // The worker's lines and those of the new look go through one descriptor as long as the stream is one, and as long
        // as the file is rolled over: lines that two of them have for one file would come out of order.
        let (outlet, rollover) = match (&previous, plan) {
            (Some(previous), _) if is_one => {
                if let (Some(rolling), Some(plan)) = (previous.outlet.rolling(), plan) {
                    rolling.follow(plan);
                }
                (Arc::clone(&previous.outlet), plan.map_or(previous.rollover, |plan| plan.rollover))
            }
            (_, Some(plan)) => {
                let handler = self.handlers[place].bind(py);
                let place = place_of(handler, plan)?;
                let (Ok(duplicate), syncer) = (file.duplicate(), handler::fsync::of(handler)?) else {
                    return Ok(false);
                };
                self.rolls.fetch_or(matches!(place, Place::Rolling(_)), Ordering::Relaxed);
                (Arc::new(Outlet::new(duplicate, syncer, place)), plan.rollover)
            }
            _ => return Ok(false),
        };
        let known = KnownStream { stream: stream.clone().unbind(), file, outlet, rollover };
        // SAFETY: as above.
        let replaced = unsafe { (&mut *self.streams.get())[place].replace(known) };
        drop((previous, replaced));
        Ok(true)
    }
}
