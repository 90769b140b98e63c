//! A handler with what a configuration says of it: its level, and the steps that come before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::steps::{Next, Step};
use crate::handler::{LineHandler, Rendered};
use crate::spool::Destination;
use crate::{Handler, Level, Record};

pub(super) struct Configured {
    /// Shared with the manager, so that an incremental configuration can change it.
    level: Arc<AtomicI64>,
    steps: Vec<Arc<dyn Step>>,
    inner: Arc<dyn Handler>,
}

impl Configured {
    pub(super) fn new(level: Arc<AtomicI64>, steps: Vec<Arc<dyn Step>>, inner: Arc<dyn Handler>) -> Self {
        Self { level, steps, inner }
    }

    fn hand_on(&self, steps: &[Arc<dyn Step>], record: &Record<'_>) {
        pass(steps, record, &mut |record| self.inner.handle(record));
    }
}

/// Hands what the steps make of the record to `last`.
fn pass(steps: &[Arc<dyn Step>], record: &Record<'_>, last: Next<'_>) {
    match steps.split_first() {
        Some((step, rest)) => step.pass(record, &mut |record| pass(rest, record, last)),
        None => last(record),
    }
}

impl Handler for Configured {
    fn level(&self) -> Level {
        Level(self.level.load(Ordering::Relaxed)).max(self.inner.level())
    }

    fn handle(&self, record: &Record<'_>) {
        self.hand_on(&self.steps, record);
    }

    fn hold_back(&self) {
        self.inner.hold_back();
    }

    fn release(&self) {
        self.inner.release();
    }

    fn failed(&self) -> Option<u64> {
        self.inner.failed()
    }

    fn as_lines(&self) -> Option<&dyn LineHandler> {
        self.inner.as_lines().map(|_| self as &dyn LineHandler)
    }

    fn flush(&self) {
        self.inner.flush();
    }

    /// What was held back last is said before.
    #[expect(clippy::indexing_slicing, reason = "the index is of one of them")]
    fn close(&self) {
        for (index, step) in self.steps.iter().enumerate() {
            step.end(&mut |record| self.hand_on(&self.steps[index + 1..], record));
        }
        self.inner.close();
    }
}

/// The lines are those of the records that the steps hand on, one after the other.
impl LineHandler for Configured {
    fn destination(&self) -> Option<Destination> {
        self.inner.as_lines()?.destination()
    }

    fn render(&self, record: &Record<'_>, line: &mut Vec<u8>) -> Rendered {
        let Some(inner) = self.inner.as_lines() else { return Rendered::HeldBack };
        let mut all = Rendered::HeldBack;
        pass(&self.steps, record, &mut |record| match inner.render(record, line) {
            Rendered::HeldBack => {}
            // What stands in the line is delivered.
            rendered if all != Rendered::Line => all = rendered,
            _ => {}
        });
        all
    }

    fn write_line(&self, line: &[u8]) -> bool {
        self.inner.as_lines().is_some_and(|inner| inner.write_line(line))
    }
}
