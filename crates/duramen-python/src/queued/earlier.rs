//! What earlier processes left in the folder of a journal, as items of the queue: so much at a time that neither descriptors nor
//! memory of this process run short.

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use duramen::queue::Queue;
use duramen::report;
use duramen::spool::{self, Destination, Orphan, Recovered, State};
use duramen::writer::fsync::Syncer;
use parking_lot::Mutex;
use smallvec::SmallVec;

use super::journaled::{Kept, Settings};
use super::outlet::{Outlet, Place};
use super::waiting::{Item, Items, Lines, Part};

/// What this process has not taken yet.
#[derive(Default)]
pub(super) struct Earlier {
    next: Mutex<Option<Next>>,
    /// There is something: who delivers asks this after each batch.
    is_waiting: AtomicBool,
}

struct Next {
    settings: Arc<Settings>,
    /// Those of the handlers behind the queue, which lines for their files obey too.
    syncers: Vec<Option<Arc<Syncer>>>,
    /// Those that were taken last; the next ones are when they are delivered.
    taken: Vec<Weak<Orphan>>,
    rest: Vec<PathBuf>,
}

/// A look for what children left goes past this many journals of living ones for each fork.
const LIVING_FOR_A_FORK: u64 = 8;

impl Earlier {
    /// Looks through the folder, and puts the first of what earlier processes left before all that waits in `queue`.
    pub(super) fn begin(
        &self,
        queue: &Queue<Item, Items>,
        settings: &Arc<Settings>,
        syncers: Vec<Option<Arc<Syncer>>>,
    ) {
        let mut kept = self.next.lock();
        // What was found at the last look comes first.
        if kept.is_none() {
            let settings = Arc::clone(settings);
            settings.forks_before_look.store(0, Ordering::Relaxed);
            let found = spool::recover(&settings.folder);
            let mut next = Next { settings, syncers, taken: Vec::new(), rest: Vec::new() };
            let items = next.take(found);
            self.is_waiting.store(!next.rest.is_empty(), Ordering::Release);
            *kept = Some(next).filter(|next| !next.rest.is_empty());
            if !items.is_empty() {
                queue.recover(items);
            }
        }
    }

    /// Puts the next ones into `queue`, if those before them have been delivered: for who delivers, before it settles a batch,
    /// so that a flush waits for them too.
    pub(super) fn go_on(&self, queue: &Queue<Item, Items>) {
        if !self.is_waiting.load(Ordering::Acquire) {
            return;
        }
        let mut kept = self.next.lock();
        let Some(next) = kept.as_mut().filter(|next| next.taken.iter().all(|one| one.strong_count() == 0))
        else {
            return;
        };
        let found = spool::recover_rest(std::mem::take(&mut next.rest));
        let items = next.take(found);
        if next.rest.is_empty() {
            *kept = None;
            self.is_waiting.store(false, Ordering::Release);
        }
        if !items.is_empty() {
            queue.recover(items);
        }
    }
}

impl Next {
    /// What was found, as items. A journal whose destinations cannot be opened stays; where none of them can be, those that come
    /// next are taken.
    fn take(&mut self, mut found: Recovered) -> Vec<Item> {
        loop {
            self.count(&found);
            let mut items = Vec::new();
            self.taken.clear();
            for orphan in found.orphans {
                orphan.report_doubt();
                match orphan.open() {
                    Ok(files) => {
                        let outlets = self.outlets(&orphan, files);
                        let orphan = Arc::new(orphan);
                        self.settings.take(&orphan, &outlets, &mut items);
                        self.taken.push(Arc::downgrade(&orphan));
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

    fn count(&self, found: &Recovered) {
        let settings = &self.settings;
        settings.damaged.fetch_add(found.damaged, Ordering::Relaxed);
        settings.set_aside.fetch_add(found.set_aside, Ordering::Relaxed);
        settings.forks_before_look.fetch_add(found.left_alone / LIVING_FOR_A_FORK, Ordering::Relaxed);
    }

    fn outlets(&self, orphan: &Orphan, files: Vec<Option<File>>) -> Vec<Option<Arc<Outlet>>> {
        let outlet = |(file, destination): (Option<File>, &Destination)| {
            let own = self.settings.place_of(destination).and_then(|place| self.syncers.get(place));
            let place = match destination {
                Destination::File(path) => Place::Path(path.clone()),
                Destination::Stdout | Destination::Stderr => Place::Unknown,
            };
            Some(Arc::new(Outlet::new(file?, own.cloned().flatten(), place)))
        };
        files.into_iter().zip(&orphan.contents().header.destinations).map(outlet).collect()
    }
}

impl Settings {
    fn take(&self, orphan: &Arc<Orphan>, outlets: &[Option<Arc<Outlet>>], items: &mut Vec<Item>) {
        for (number, entry) in orphan.contents().entries.iter().enumerate() {
            self.in_doubt.fetch_add(u64::from(entry.state == State::InFlight), Ordering::Relaxed);
            let mut bytes = Vec::new();
            let mut parts = SmallVec::new();
            for ((destination, line), (place, _)) in orphan.lines(entry).zip(&entry.lines) {
                bytes.extend_from_slice(line);
                let own = self.place_of(destination);
                parts.extend(outlets.get(*place).and_then(Option::as_ref).map(|outlet| Part {
                    place: own,
                    end: bytes.len(),
                    outlet: Arc::clone(outlet),
                }));
            }
            let kept = Some(Kept::Earlier(Arc::clone(orphan), number));
            items.push(Item::Lines(Lines { bytes, parts, skipped: SmallVec::new(), kept }));
        }
    }
}
