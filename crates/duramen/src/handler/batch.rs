//! What has become of a batch that a queue gives to the handlers behind it, which write it together where they can.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Handler;
use crate::queue::{HandlerCounts, Tally};
use crate::report;

/// A batch on its way.
pub(super) struct Batch<'a> {
    /// Who delivers, in reports.
    name: &'static str,
    handlers: &'a [Arc<dyn Handler>],
    /// How many records each handler had failed at before.
    before: Vec<Option<u64>>,
    /// What each handler was given. Its failures are those that it has told of at once.
    counts: Vec<HandlerCounts>,
    /// Items of which no line could be made for it.
    unmade: Vec<u64>,
    items: u64,
    /// Items that failed without a handler.
    failed_alone: u64,
}

impl<'a> Batch<'a> {
    /// Lets `handlers` hold back what comes now.
    pub(super) fn begin(name: &'static str, handlers: &'a [Arc<dyn Handler>]) -> Self {
        let before = handlers.iter().map(|handler| handler.failed()).collect();
        let counts = vec![HandlerCounts::default(); handlers.len()];
        let unmade = vec![0; handlers.len()];
        let batch = Self { name, handlers, before, counts, unmade, items: 0, failed_alone: 0 };
        on_all(name, handlers, "before a batch", |handler| handler.hold_back());
        batch
    }

    /// Gives one item to the handlers: `deliver` says for each, by its place, what has become of it.
    #[expect(clippy::indexing_slicing, reason = "one for each handler")]
    pub(super) fn item(&mut self, mut deliver: impl FnMut(usize, &dyn Handler) -> Delivery) {
        self.items += 1;
        for (place, handler) in self.handlers.iter().enumerate() {
            let delivery = catch_unwind(AssertUnwindSafe(|| deliver(place, handler.as_ref())));
            let counts = &mut self.counts[place];
            match delivery {
                Ok(Delivery::None) => {}
                Ok(Delivery::BelowLevel) => counts.below_level += 1,
                Ok(Delivery::Given) => counts.delivered += 1,
                Ok(Delivery::Failed) => counts.failed += 1,
                Ok(Delivery::Unmade) => self.unmade[place] += 1,
                Err(_) => {
                    counts.failed += 1;
                    report::error(self.name, &"a handler panicked; its record is counted as failed");
                }
            }
        }
    }

    /// Counts an item that has failed before a handler had it.
    pub(super) fn item_failed_alone(&mut self) {
        self.items += 1;
        self.failed_alone += 1;
    }

    /// Has the handlers write what they hold back, and counts. A handler that counts its failures knows them better than
    /// what it said at once. False when it has failed at more than it said.
    #[expect(clippy::indexing_slicing, reason = "one for each handler")]
    pub(super) fn end(self, tally: &mut Tally) -> bool {
        on_all(self.name, self.handlers, "in a flush", |handler| handler.release());
        let (mut failed_items, mut is_as_said) = (0, true);
        for (place, (handler, counts)) in self.handlers.iter().zip(&self.counts).enumerate() {
            let given = counts.delivered + counts.failed;
            let failed = match (self.before[place], handler.failed()) {
                (Some(before), Some(after)) => after.saturating_sub(before).min(given),
                _ => counts.failed,
            };
            is_as_said &= failed <= counts.failed;
            let total = tally.handler(place);
            total.delivered += given - failed;
            total.failed += failed + self.unmade[place];
            total.below_level += counts.below_level;
            failed_items = (failed + self.unmade[place]).max(failed_items);
        }
        let failed = (failed_items + self.failed_alone).min(self.items);
        tally.items(self.items - failed, failed);
        is_as_said
    }
}

/// Has each of the handlers act. One that panics is reported and keeps none of the others from it.
pub(crate) fn on_all(name: &str, handlers: &[Arc<dyn Handler>], when: &str, act: fn(&dyn Handler)) {
    for handler in handlers {
        if catch_unwind(AssertUnwindSafe(|| act(handler.as_ref()))).is_err() {
            report::error(name, &format_args!("a handler panicked {when}"));
        }
    }
}

/// What has become of an item at one handler.
pub(super) enum Delivery {
    /// There is nothing of it for the handler.
    None,
    /// It is below the handler's level.
    BelowLevel,
    /// The handler has it, and may hold it back.
    Given,
    /// It could not be written.
    Failed,
    /// Its line could not be made, before it came here.
    Unmade,
}
