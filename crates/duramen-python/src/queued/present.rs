//! What a queue has in one process: a forked child begins anew.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::ThreadId;

use duramen::process;
use duramen::queue::{Options, Queue};
use parking_lot::Mutex;

use super::RecordQueue;
use super::earlier::Earlier;
use super::journaled::Slot;
use super::waiting::{Item, Items};
use super::worker::{Native, Taken};

/// What belongs to one process.
pub(super) struct Present {
    pub(super) process: u32,
    pub(super) queue: Arc<Queue<Item, Items>>,
    pub(super) native: Option<Native>,
    /// There was a record in Python form, for which a thread of Python's is needed.
    pub(super) wants_python: bool,
    /// Such a thread runs or is being started.
    pub(super) has_python: bool,
    /// The system's number of that thread, once it runs.
    pub(super) python_number: Option<u64>,
    /// Who is starting it now.
    pub(super) starting: Option<ThreadId>,
    pub(super) taken: Arc<Mutex<Taken>>,
    pub(super) journal: Slot,
    pub(super) earlier: Arc<Earlier>,
    /// The process ends, and what was not delivered in time is not delivered any more.
    pub(super) has_given_up: Arc<AtomicBool>,
}

impl Present {
    pub(super) fn new(options: &Options, handlers: usize) -> Self {
        Self {
            process: process::id(),
            queue: Arc::new(Queue::with(options.clone(), handlers)),
            native: None,
            wants_python: false,
            has_python: false,
            python_number: None,
            starting: None,
            taken: Arc::default(),
            journal: Arc::default(),
            earlier: Arc::default(),
            has_given_up: Arc::default(),
        }
    }
}

impl RecordQueue {
    /// What belongs to this process. The same holds for it as for [`Attached::get`].
    #[inline]
    pub(super) fn present(&self) -> *mut Present {
        if self.is_of_parent() {
            self.begin_anew();
        }
        self.present.get()
    }

    /// Whether this process was forked since, and nothing has been done with the queue in it: hooks for forks may come to it
    /// before Duramen's own.
    #[inline]
    pub(super) fn is_of_parent(&self) -> bool {
        // SAFETY: attached; the reference lives only for the look.
        unsafe { (*self.present.get()).process != process::id() }
    }

    /// Begins anew in a forked child: nothing of what is its parent's is touched.
    #[cold]
    pub(super) fn begin_anew(&self) {
        let fresh = Present::new(&self.options, self.handlers.len());
        // SAFETY: attached. The locks of the previous one may be held by threads that do not exist here.
        unsafe { mem::forget(mem::replace(&mut *self.present.get(), fresh)) };
        if let Some(settings) = &self.journal {
            settings.forget_counts();
        }
        self.forget_streams();
    }

    pub(super) fn forget_streams(&self) {
        // SAFETY: attached; what is dropped is dropped after the place has nothing of it.
        let streams = unsafe {
            let places = &mut *self.streams.get();
            mem::replace(places, self.handlers.iter().map(|_| None).collect())
        };
        drop(streams);
    }

    pub(super) fn queue(&self) -> Arc<Queue<Item, Items>> {
        // SAFETY: attached; the reference lives only for the clone.
        unsafe { Arc::clone(&(*self.present()).queue) }
    }

    pub(super) fn taken(&self) -> Arc<Mutex<Taken>> {
        // SAFETY: as above.
        unsafe { Arc::clone(&(*self.present()).taken) }
    }

    pub(super) fn has_given_up(&self) -> Arc<AtomicBool> {
        // SAFETY: as above.
        unsafe { Arc::clone(&(*self.present()).has_given_up) }
    }

    pub(super) fn earlier(&self) -> Arc<Earlier> {
        // SAFETY: as above.
        unsafe { Arc::clone(&(*self.present()).earlier) }
    }

    pub(super) fn slot(&self) -> Slot {
        // SAFETY: as above.
        unsafe { Arc::clone(&(*self.present()).journal) }
    }
}
