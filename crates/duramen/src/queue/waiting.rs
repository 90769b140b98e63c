//! How items wait.

use std::collections::VecDeque;

/// Items in the order in which they came. All of it runs under the lock of a queue: code of others must not.
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

    /// Moves up to `most` first items, one at least if there is one, to `batch`, which has none.
    fn take(&mut self, most: usize, batch: &mut Self);

    /// Puts a batch that was taken out before all others.
    fn give_back(&mut self, batch: &mut Self);

    /// Drops all items, and may keep their memory.
    fn clear(&mut self);
}

/// Takes items of this type at its end.
pub trait Accepts<I>: Waiting {
    /// Puts `item` behind all others.
    fn accept(&mut self, item: I);
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
    fn accept(&mut self, item: T) {
        self.push_back(item);
    }
}
