//! A handler with what a configuration says of it: its level, and the steps that come before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::steps::Step;
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
        match steps.split_first() {
            Some((step, rest)) => step.pass(record, &mut |record| self.hand_on(rest, record)),
            None => self.inner.handle(record),
        }
    }
}

impl Handler for Configured {
    fn level(&self) -> Level {
        Level(self.level.load(Ordering::Relaxed)).max(self.inner.level())
    }

    fn handle(&self, record: &Record<'_>) {
        self.hand_on(&self.steps, record);
    }

    fn flush(&self) {
        self.inner.flush();
    }

    /// What was held back last is said before.
    fn close(&self) {
        for (index, step) in self.steps.iter().enumerate() {
            step.end(&mut |record| self.hand_on(&self.steps[index + 1..], record));
        }
        self.inner.close();
    }
}
