//! What was found out about objects, remembered by their addresses.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use pyo3::prelude::*;

use crate::classes::AddressHasher;
use crate::interpreter::Attached;

type Entries<T> = HashMap<usize, Rc<T>, BuildHasherDefault<AddressHasher>>;

/// A table by the address of an object, which it does not keep alive: whoever asks has to find out whether
/// an entry was made for the object that is there now.
pub(crate) struct Remembered<T>(Attached<Option<Entries<T>>>);

/// A program that makes objects without end must not fill the memory.
const MOST: usize = 1024;

impl<T> Remembered<T> {
    pub(crate) const fn new() -> Self {
        Self(Attached::new(None))
    }

    /// The entry for `object`, if `holds` says that it is one.
    pub(crate) fn find(&self, object: &Bound<'_, PyAny>, holds: impl FnOnce(&T) -> bool) -> Option<Rc<T>> {
        // SAFETY: attached; the reference lives only for the clone.
        let entry = unsafe { (*self.0.get()).as_ref()?.get(&(object.as_ptr() as usize)).map(Rc::clone)? };
        holds(&entry).then_some(entry)
    }

    pub(crate) fn put(&self, object: &Bound<'_, PyAny>, entry: T) -> Rc<T> {
        let entry = Rc::new(entry);
        // SAFETY: attached; what is replaced is dropped after the table is complete again.
        let replaced = unsafe {
            let entries = (*self.0.get()).get_or_insert_default();
            let all = if entries.len() >= MOST { std::mem::take(entries) } else { Entries::default() };
            (all, entries.insert(object.as_ptr() as usize, Rc::clone(&entry)))
        };
        drop(replaced);
        entry
    }
}
