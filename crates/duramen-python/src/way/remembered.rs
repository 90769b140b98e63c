//! What was found out about objects, remembered by their addresses.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use pyo3::prelude::*;

use crate::classes::AddressHasher;
use crate::interpreter::Attached;

/// What is found out about an object.
pub(crate) trait Finding {
    /// Whether it certainly holds no more, so that what it refers to can be let go. Runs no code of others.
    fn is_abandoned(&self) -> bool;
}

/// A table by the address of an object, which it does not keep alive: whoever asks has to find out whether
/// an entry was made for the object that is there now.
pub(crate) struct Remembered<T>(Attached<Option<Table<T>>>);

type Entries<T> = HashMap<usize, Rc<T>, BuildHasherDefault<AddressHasher>>;

struct Table<T> {
    entries: Entries<T>,
    /// So many entries have been put since those that hold no more were looked for, and so many were left then.
    put: usize,
    left: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { entries: Entries::default(), put: 0, left: 0 }
    }
}

/// A program that makes objects without end must not fill the memory.
const MOST: usize = 1024;

/// So many entries are put at least before those that hold no more are looked for.
const FEW: usize = 16;

impl<T: Finding> Remembered<T> {
    pub(crate) const fn new() -> Self {
        Self(Attached::new(None))
    }

    /// The entry for `object`, if `holds` says that it is one.
    pub(crate) fn find(&self, object: &Bound<'_, PyAny>, holds: impl FnOnce(&T) -> bool) -> Option<Rc<T>> {
        // SAFETY: attached; the reference lives only for the clone.
        let entry =
            unsafe { (*self.0.get()).as_ref()?.entries.get(&(object.as_ptr() as usize)).map(Rc::clone)? };
        holds(&entry).then_some(entry)
    }

    pub(crate) fn put(&self, object: &Bound<'_, PyAny>, entry: T) -> Rc<T> {
        let entry = Rc::new(entry);
        // SAFETY: attached; what is replaced is dropped after the table is complete again.
        let replaced = unsafe {
            let table = (*self.0.get()).get_or_insert_default();
            let removed = table.make_room();
            (removed, table.entries.insert(object.as_ptr() as usize, Rc::clone(&entry)))
        };
        drop(replaced);
        entry
    }
}

impl<T: Finding> Table<T> {
    /// Takes out what holds no more, now and then, and all when there is too much.
    fn make_room(&mut self) -> Vec<(usize, Rc<T>)> {
        self.put += 1;
        if self.put <= FEW.max(self.left) && self.entries.len() < MOST {
            return Vec::new();
        }
        let mut removed: Vec<_> = self.entries.extract_if(|_, entry| entry.is_abandoned()).collect();
        if self.entries.len() >= MOST {
            removed.extend(self.entries.drain());
        }
        (self.put, self.left) = (0, self.entries.len());
        removed
    }
}
