//! What earlier processes left, and how it is delivered.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use super::waiting::Item;
use crate::handler::batch::{Batch, Delivery};
use crate::report;
use crate::spool::{self, Destination, Orphan, Recovered};

/// What an earlier process left, and who writes the lines for each of its destinations.
pub(super) struct Earlier {
    orphan: Orphan,
    writers: Vec<EarlierWriter>,
}

enum EarlierWriter {
    /// The handler at this place, so that its lines are on the disk when its own would be.
    Handler(usize),
    /// Nobody has the file any more; `None`: there are no lines for it.
    File(Option<File>),
}

/// What earlier processes left in a folder, taken so much at a time that neither descriptors nor memory run short.
pub(super) struct Left {
    /// The destinations of the handlers behind.
    behind: Vec<Destination>,
    /// Those that were taken last; the next ones are when they are delivered.
    taken: Vec<Weak<Earlier>>,
    rest: Vec<PathBuf>,
}

impl Left {
    /// What is in `folder`, in front of handlers with these destinations, and the first items of it.
    pub(super) fn in_folder(folder: &Path, behind: Vec<Destination>) -> (Self, Vec<Item>) {
        let mut left = Self { behind, taken: Vec::new(), rest: Vec::new() };
        let items = left.take(spool::recover(folder));
        (left, items)
    }

    /// The next items, if those before them have been delivered.
    pub(super) fn next(&mut self) -> Vec<Item> {
        if self.rest.is_empty() || self.taken.iter().any(|one| one.strong_count() > 0) {
            return Vec::new();
        }
        let rest = std::mem::take(&mut self.rest);
        self.take(spool::recover_rest(rest))
    }

    /// A journal whose destinations cannot be opened stays; where none of them can be, those that come next are taken.
    fn take(&mut self, mut found: Recovered) -> Vec<Item> {
        loop {
            let mut items = Vec::new();
            self.taken.clear();
            for orphan in found.orphans {
                orphan.report_doubt();
                match orphan.open() {
                    Ok(files) => {
                        let earlier = Arc::new(self.with_writers(orphan, files));
                        let count = earlier.orphan.contents().entries.len();
                        items.extend((0..count).map(|place| Item::Earlier(Arc::clone(&earlier), place)));
                        self.taken.push(Arc::downgrade(&earlier));
                    }
                    Err(error) => {
                        report::error("journal", &format_args!("{}: {error}", orphan.path().display()));
                    }
                }
            }
            if !items.is_empty() || found.rest.is_empty() {
                self.rest = found.rest;
                return items;
            }
            found = spool::recover_rest(found.rest);
        }
    }

    fn with_writers(&self, orphan: Orphan, files: Vec<Option<File>>) -> Earlier {
        let writer = |(file, destination): (Option<File>, &Destination)| {
            let own = self.behind.iter().position(|own| own == destination);
            own.map_or(EarlierWriter::File(file), EarlierWriter::Handler)
        };
        let writers = files.into_iter().zip(&orphan.contents().header.destinations).map(writer).collect();
        Earlier { orphan, writers }
    }
}

impl Earlier {
    pub(super) fn begin(&self, place: usize) {
        if let Some(entry) = self.orphan.contents().entries.get(place) {
            self.orphan.begin(entry);
        }
    }

    pub(super) fn end(&self, place: usize) {
        if let Some(entry) = self.orphan.contents().entries.get(place) {
            self.orphan.end(entry);
        }
    }

    /// Gives the lines of an entry to who writes them; false when one has failed.
    pub(super) fn deliver(&self, place: usize, delivery: &mut Batch<'_>) -> bool {
        let Some(entry) = self.orphan.contents().entries.get(place) else { return true };
        let lines = || self.orphan.lines(entry).zip(&entry.lines).map(|(line, (to, _))| (line, *to));
        let mut is_whole = true;
        for ((destination, line), to) in lines() {
            if let Some(EarlierWriter::File(Some(file))) = self.writers.get(to) {
                let written = destination.append(file, line);
                is_whole &= written.inspect_err(|error| report::error("journal", error)).is_ok();
            }
        }
        if !is_whole {
            delivery.item_failed_alone();
            return false;
        }
        delivery.item(|own, handler| {
            let is_own = |to: usize| matches!(self.writers.get(to), Some(EarlierWriter::Handler(place)) if *place == own);
            let mut outcome = Delivery::None;
            for ((_, line), _) in lines().filter(|(_, to)| is_own(*to)) {
                let is_written = handler.as_lines().is_some_and(|handler| handler.write_line(line));
                is_whole &= is_written;
                outcome = if is_written { Delivery::Given } else { Delivery::Failed };
            }
            outcome
        });
        is_whole
    }
}
