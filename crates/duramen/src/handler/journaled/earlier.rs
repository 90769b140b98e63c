//! What earlier processes left, and how it is delivered.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::waiting::Item;
use crate::handler::batch::{Batch, Delivery};
use crate::report;
use crate::spool::{self, Destination, Orphan};

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

/// What earlier processes left, in front of handlers with these destinations. A journal whose destinations cannot be opened
/// stays.
pub(super) fn recovered(folder: &Path, behind: &[Destination]) -> Vec<Item> {
    let mut items = Vec::new();
    for orphan in spool::recover(folder).orphans {
        orphan.report_doubt();
        match orphan.open() {
            Ok(files) => {
                let count = orphan.contents().entries.len();
                let writer = |(file, destination): (Option<File>, &Destination)| {
                    let own = behind.iter().position(|own| own == destination);
                    own.map_or(EarlierWriter::File(file), EarlierWriter::Handler)
                };
                let destinations = &orphan.contents().header.destinations;
                let writers = files.into_iter().zip(destinations).map(writer).collect();
                let earlier = Arc::new(Earlier { orphan, writers });
                let item = |place| Item::Earlier(Arc::clone(&earlier), place);
                items.extend((0..count).map(item));
            }
            Err(error) => report::error("journal", &format_args!("{}: {error}", orphan.path().display())),
        }
    }
    items
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
