//! How items wait.

use std::collections::VecDeque;

/// Items in the order in which they came.
///
/// The queue calls all of it with its lock held: nothing here may wait, panic, or run code of others, and an item that is
/// dropped while a destructor of others may run leaves through [`Waiting::evict`] instead. At every moment
/// [`Waiting::count`] is the number of the items that have come and not left.
///
/// ```
/// use std::collections::VecDeque;
///
/// use duramen::queue::{Accepts, Waiting};
///
/// let mut waiting = VecDeque::from([1, 2, 3]);
/// assert_eq!(waiting.accept(4), Ok(()));
/// let mut batch = VecDeque::new();
/// Waiting::take(&mut waiting, 3, &mut batch);
/// assert_eq!((waiting.count(), batch.count()), (1, 3));
/// waiting.give_back(&mut batch); // before the others
/// assert_eq!(waiting.evict(), Some(1));
/// assert_eq!(waiting.bytes(), 0); // they are not bounded
/// Waiting::clear(&mut waiting);
/// ```
pub trait Waiting: Default + Send {
    /// What leaves without being delivered, for who put something else in to drop where no lock is held.
    type Evicted;

    /// How many items there are.
    fn count(&self) -> usize;

    /// How many bytes they take, as far as that is to be bounded.
    fn bytes(&self) -> usize {
        0
    }

    /// Takes the first item out.
    fn evict(&mut self) -> Option<Self::Evicted>;

    /// Moves up to `most` first items, one at least if there is one, to `batch`, which has none. Where items stand together,
    /// those that stand with the first one may be moved too.
    fn take(&mut self, most: usize, batch: &mut Self);

    /// Puts a batch that was taken out before all others.
    fn give_back(&mut self, batch: &mut Self);

    /// Drops all items, and may keep their memory.
    fn clear(&mut self);
}

/// Takes items of this type at its end. An item may be a reference to what is copied.
///
/// ```
/// use std::collections::VecDeque;
///
/// use duramen::queue::Accepts;
///
/// let mut waiting = VecDeque::new();
/// assert_eq!(waiting.accept("one"), Ok(()));
/// assert_eq!(waiting, ["one"]);
/// ```
pub trait Accepts<I>: Waiting {
    /// Puts `item` behind all others.
    ///
    /// # Errors
    /// The item, where there is no room for it, in a journal for instance: then the queue counts as full for it.
    fn accept(&mut self, item: I) -> Result<(), I>;
}

impl<T: Send> Waiting for VecDeque<T> {
    type Evicted = T;

    fn count(&self) -> usize {
        self.len()
    }

    fn evict(&mut self) -> Option<T> {
        self.pop_front()
    }

    fn take(&mut self, most: usize, batch: &mut Self) {
        let count = self.len().min(most);
        batch.extend(self.drain(..count));
    }

    fn give_back(&mut self, batch: &mut Self) {
        batch.append(self);
        std::mem::swap(batch, self);
    }

    fn clear(&mut self) {
        VecDeque::clear(self);
    }
}

impl<T: Send> Accepts<T> for VecDeque<T> {
    fn accept(&mut self, item: T) -> Result<(), T> {
        self.push_back(item);
        Ok(())
    }
}
