//! How the worker of a queue brings lines to their files: those for the same file together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use duramen::queue::Tally;
use duramen::report;
use pyo3::prelude::*;
use smallvec::SmallVec;

use super::journaled::{self, Kept, Slot};
use super::outlet::{Outlet, Prepare, Together};
use super::waiting::{First, Item, Items, Lines, Run};

/// Takes the lines from the front of `batch` up to the first record, and writes them. Without `prepare`, up to the first
/// line for a file that is rolled over, too. Nothing more is written once all `has_been_given_up`.
pub(super) fn write_front(
    batch: &mut Items,
    tally: &mut Tally,
    journal: &Slot,
    prepare: Option<&Prepare<'_>>,
    has_been_given_up: &AtomicBool,
) {
    while !has_been_given_up.load(Ordering::Acquire) {
        match batch.first() {
            Some(First::Run(run)) if prepare.is_some() || !run.rolls() => {
                if let Some(journal) = journaled::opened(journal) {
                    batch.load_run(journal);
                }
                if let Some(First::Run(run)) = batch.first() {
                    write_run(run, tally, journal, prepare);
                }
                batch.leave_run();
            }
            Some(First::Item(Item::Lines(lines))) if prepare.is_some() || !lines.roll() => {
                write_items(batch, tally, journal, prepare);
            }
            _ => break,
        }
    }
    if let Some(journal) = journaled::opened(journal) {
        journal.prepare();
    }
}

/// Takes the records from the front of `items`, up to the first lines.
pub(super) fn records_in_front(items: &mut Items) -> Vec<(Py<PyAny>, Option<Kept>)> {
    let mut records = Vec::new();
    while let Some(First::Item(Item::Record(..))) = items.first() {
        if let Some(Item::Record(record, kept)) = items.pop_item() {
            records.push((record, kept));
        }
    }
    records
}

/// Writes the lines of a run from where they stand.
fn write_run(run: &Run, tally: &mut Tally, journal: &Slot, prepare: Option<&Prepare<'_>>) {
    let (bytes, ends) = run.lines();
    let own = journaled::opened(journal).filter(|_| !run.tickets().is_empty());
    if let Some(journal) = own {
        run.tickets().iter().for_each(|ticket| journal.begin(*ticket));
    }
    let whole = write_together(run.outlet(), &Together { bytes, begin: 0, ends }, Some(0), tally, prepare);
    if let Some(journal) = own {
        journal.end(run.tickets().iter().copied());
    }
    tally.items(whole as u64, (ends.len() - whole) as u64);
}

/// What goes to one file out of several items.
struct Gathered {
    outlet: Arc<Outlet>,
    /// That of its handler: an outlet is of one.
    place: Option<usize>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The item that each line is of.
    owners: Vec<usize>,
}

/// Takes the items that are lines from the front of `batch`, and writes them.
fn write_items(batch: &mut Items, tally: &mut Tally, journal: &Slot, prepare: Option<&Prepare<'_>>) {
    let mut files: SmallVec<[Gathered; 4]> = SmallVec::new();
    let mut items = 0;
    let mut kept = Vec::new();
    while let Some(First::Item(Item::Lines(lines))) = batch.first()
        && (prepare.is_some() || !lines.roll())
        && !has_changed(lines, &files)
    {
        let Some(Item::Lines(lines)) = batch.pop_item() else { break };
        gather(&lines, items, &mut files);
        for place in lines.skipped {
            tally.handler(place).below_level += 1;
        }
        kept.extend(lines.kept.map(|kept| (items, kept)));
        items += 1;
    }
    for (_, kept) in &kept {
        journaled::begin(journal, kept);
    }
    let mut failed = vec![false; items];
    for file in files {
        let lines = Together { bytes: &file.bytes, begin: 0, ends: &file.ends };
        let whole = write_together(&file.outlet, &lines, file.place, tally, prepare);
        for item in &file.owners[whole..] {
            failed[*item] = true;
        }
    }
    journaled::end(journal, kept.into_iter().map(|(item, kept)| (kept, failed[item])));
    for has_failed in failed {
        tally.item(has_failed);
    }
}

/// Whether a handler has another file for one of these lines than for those before, which are to be written first. Who waits for
/// room has its file before it is closed, and may be taken in behind a record for the one that was opened afterwards.
fn has_changed(lines: &Lines, files: &[Gathered]) -> bool {
    lines.parts.iter().any(|part| {
        let is_other = |file: &Gathered| file.place == part.place && !Arc::ptr_eq(&file.outlet, &part.outlet);
        part.place.is_some() && files.iter().any(is_other)
    })
}

/// Writes lines to one file, and counts them for the handler at `place`; how many of them are written.
fn write_together(
    outlet: &Outlet,
    lines: &Together<'_>,
    place: Option<usize>,
    tally: &mut Tally,
    prepare: Option<&Prepare<'_>>,
) -> usize {
    let (whole, error) = match (outlet.rolling(), prepare) {
        (Some(rolling), Some(prepare)) => {
            let prepare = |line: &_| prepare(place.unwrap_or_default(), rolling, line);
            outlet.deliver_rolling(rolling, lines, &prepare)
        }
        _ => outlet.deliver(lines),
    };
    let lost = lines.ends.len() - whole;
    if let Some(counts) = place.map(|place| tally.handler(place)) {
        counts.delivered += whole as u64;
        counts.failed += lost as u64;
    }
    if let Some(error) = error {
        report::error("AsyncHandler", &format_args!("{lost} records were not written: {error}"));
    }
    whole
}

fn gather(lines: &Lines, item: usize, files: &mut SmallVec<[Gathered; 4]>) {
    let mut begin = 0;
    for part in &lines.parts {
        let known = files.iter().position(|file| Arc::ptr_eq(&file.outlet, &part.outlet));
        let number = known.unwrap_or_else(|| {
            let (outlet, place) = (Arc::clone(&part.outlet), part.place);
            files.push(Gathered { outlet, place, bytes: Vec::new(), ends: Vec::new(), owners: Vec::new() });
            files.len() - 1
        });
        let file = &mut files[number];
        file.bytes.extend_from_slice(&lines.bytes[begin..part.end]);
        file.ends.push(file.bytes.len());
        file.owners.push(item);
        begin = part.end;
    }
}
