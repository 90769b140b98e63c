//! Where the items of a queue have gone.

/// The counts of a queue, all of one moment.
///
/// `accepted + recovered = delivered + failed + queued + in_flight + dropped.oldest + dropped.abandoned`; what was
/// dropped for another cause was never accepted.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::handler::{AsyncHandler, NullHandler};
/// use duramen::{Handler, queue::Options};
///
/// let queue = AsyncHandler::new(vec![Arc::new(NullHandler)], Options::default()).unwrap();
/// queue.close();
/// let ledger = queue.stats();
/// let brought = ledger.delivered + ledger.failed + ledger.queued + ledger.in_flight;
/// assert_eq!(ledger.accepted + ledger.recovered, brought + ledger.dropped.oldest + ledger.dropped.abandoned);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Items taken into the queue.
    pub accepted: u64,
    /// Items that an earlier process accepted, and left in its journal.
    pub recovered: u64,
    /// Items that every handler behind the queue has taken, or that were below the handler's level.
    pub delivered: u64,
    /// Items at which a handler behind the queue failed. Handlers that write a batch together tell how many records of it
    /// they lost: with several, it is as many as the one lost that lost most.
    pub failed: u64,
    /// Items that wait.
    pub queued: u64,
    /// Items that the worker has taken out and not brought to their end yet.
    pub in_flight: u64,
    /// Items that were dropped, by cause.
    pub dropped: Dropped,
    /// What each handler behind the queue was given, in their order.
    pub handlers: Vec<HandlerCounts>,
}

/// Items that were dropped, by cause.
///
/// ```
/// use duramen::queue::Dropped;
///
/// let dropped = Dropped { newest: 3, timeout: 1, ..Dropped::default() };
/// assert_eq!(dropped.total(), 4);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Refused, since the queue was full ([`super::Overflow::DropNewest`]).
    pub newest: u64,
    /// Accepted, and given up for a newer one ([`super::Overflow::DropOldest`]).
    pub oldest: u64,
    /// Refused, since the queue was full and they were not severe enough ([`super::Overflow::DropBelow`]).
    pub below_level: u64,
    /// Refused, since the queue was still full after the longest wait.
    pub timeout: u64,
    /// Refused, since the worker itself came with them to a full queue, or one whose worker waits for it: it cannot wait for
    /// itself.
    pub reentrant: u64,
    /// Refused, since the queue was closed.
    pub closed: u64,
    /// Accepted, and not delivered in the time that closing was given.
    pub abandoned: u64,
}

impl Dropped {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.newest
            + self.oldest
            + self.below_level
            + self.timeout
            + self.reentrant
            + self.closed
            + self.abandoned
    }
}

/// What one handler behind a queue was given.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::handler::{AsyncHandler, StreamHandler};
/// use duramen::queue::{HandlerCounts, Options};
/// use duramen::{Handler, Level, Record};
///
/// let quiet = StreamHandler::new(std::io::sink());
/// quiet.set_level(Level::ERROR);
/// let handler = AsyncHandler::new(vec![Arc::new(quiet)], Options::default()).unwrap();
/// handler.handle(&Record::new("shop", Level::INFO, "paid"));
/// handler.close();
/// assert_eq!(handler.stats().handlers, [HandlerCounts { below_level: 1, ..HandlerCounts::default() }]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandlerCounts {
    /// Items that it took.
    pub delivered: u64,
    /// Items at which it failed.
    pub failed: u64,
    /// Items below its level.
    pub below_level: u64,
}

/// What has become of a batch, told by who delivers it.
///
/// ```
/// use duramen::queue::Tally;
///
/// let mut tally = Tally::default();
/// tally.item(false); // one was delivered,
/// tally.item(true); // and one failed
/// tally.items(7, 1); // of a batch that was written together
/// tally.handler(0).delivered += 7; // what the first handler behind the queue took
/// ```
#[derive(Debug, Default)]
pub struct Tally {
    pub(super) delivered: u64,
    pub(super) failed: u64,
    pub(super) handlers: Vec<HandlerCounts>,
}

impl Tally {
    /// Counts an item that was brought to its end; `failed`: at one handler at least.
    pub fn item(&mut self, failed: bool) {
        if failed {
            self.failed += 1;
        } else {
            self.delivered += 1;
        }
    }

    /// Counts items that were brought to their end together.
    pub fn items(&mut self, delivered: u64, failed: u64) {
        self.delivered += delivered;
        self.failed += failed;
    }

    /// The counts of the handler at `place`.
    #[expect(clippy::indexing_slicing, reason = "it was made so long that the place is within")]
    pub fn handler(&mut self, place: usize) -> &mut HandlerCounts {
        if self.handlers.len() <= place {
            self.handlers.resize(place + 1, HandlerCounts::default());
        }
        &mut self.handlers[place]
    }
}

impl Ledger {
    /// Enters what has become of the batch that is in flight; items that the tally does not know have failed.
    pub(super) fn settle(&mut self, tally: &Tally) {
        let told = (tally.delivered + tally.failed).min(self.in_flight);
        let delivered = tally.delivered.min(told);
        self.delivered += delivered;
        self.failed += self.in_flight - delivered;
        self.in_flight = 0;
        for (counts, more) in self.handlers.iter_mut().zip(&tally.handlers) {
            counts.delivered += more.delivered;
            counts.failed += more.failed;
            counts.below_level += more.below_level;
        }
    }
}
