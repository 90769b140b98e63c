//! How a queue is bounded, and what it does when it is full.

use std::time::Duration;

use crate::Level;

/// What happens to an item for which there is no room.
///
/// ```
/// use duramen::{Level, queue::{Options, Overflow}};
///
/// let options = Options { overflow: Overflow::DropBelow(Level::WARNING), ..Options::default() };
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The caller waits until there is room, for [`Options::block_timeout`] at most.
    #[default]
    Block,
    /// The item is dropped.
    DropNewest,
    /// The item that has waited longest is dropped.
    DropOldest,
    /// The item is dropped if it is below the level; otherwise the caller waits.
    DropBelow(Level),
}

/// The options of a queue.
///
/// ```
/// use std::time::Duration;
///
/// use duramen::queue::{Options, Overflow};
///
/// // Wait a tenth of a second for room, then count the record as dropped.
/// let options = Options {
///     capacity: 100_000,
///     block_timeout: Some(Duration::from_millis(100)),
///     ..Options::default()
/// };
/// assert_eq!(options.overflow, Overflow::Block);
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// So many items wait at most; those that the worker has taken out come on top, [`Options::batch`] at most.
    pub capacity: usize,
    /// While the texts of those that wait take so many bytes, there is no room for another one. Only the records of
    /// [`AsyncHandler`](crate::handler::AsyncHandler) take bytes.
    pub max_bytes: usize,
    /// What happens to an item for which there is no room.
    pub overflow: Overflow,
    /// How long a caller waits for room; `None`: until there is some.
    pub block_timeout: Option<Duration>,
    /// How long the worker lets items gather before it takes them, unless many are there or somebody waits for
    /// them. Zero: it takes each as soon as it can.
    pub flush_interval: Duration,
    /// So many items are taken at once, at most.
    pub batch: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            capacity: 8192,
            max_bytes: 4 * 1024 * 1024,
            overflow: Overflow::default(),
            block_timeout: None,
            flush_interval: Duration::from_millis(50),
            batch: 1024,
        }
    }
}

impl Options {
    /// For a queue whose items are in a journal of `size` bytes too: so many gather at most that a small one has room for more
    /// when the worker takes them.
    ///
    /// ```
    /// use duramen::queue::Options;
    ///
    /// assert_eq!(Options::default().within_journal(65_536).batch, 256);
    /// assert_eq!(Options::default().within_journal(16 << 20).batch, Options::default().batch);
    /// ```
    #[must_use]
    pub fn within_journal(self, size: usize) -> Self {
        const BYTES_FOR_AN_ITEM: usize = 256;
        Self { batch: self.batch.min(size / BYTES_FOR_AN_ITEM), ..self }
    }

    /// While so many items wait, the worker takes them without letting more gather.
    pub(super) fn worth_a_batch(&self) -> usize {
        (self.capacity / 2).min(self.batch / 2).max(1)
    }

    /// So many waiting items wake a worker that lets them gather: waking a thread costs its caller what hundreds of records
    /// cost in the queue.
    pub(super) fn worth_a_wake(&self) -> usize {
        (self.capacity / 2).min(self.batch.saturating_mul(2)).max(1)
    }

    pub(super) fn at_least_one(self) -> Self {
        Self {
            capacity: self.capacity.max(1),
            max_bytes: self.max_bytes.max(1),
            batch: self.batch.max(1),
            ..self
        }
    }
}
