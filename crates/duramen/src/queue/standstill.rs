//! Threads that deliver and would wait for each other: each for a queue that another one of them empties.
//!
//! A handler behind a queue may log to other queues, and wait there for room. Where the handlers behind those log to the first
//! one, and all are full, nobody would ever go on. Who would be the last to wait is told so, and gives up.

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The address of a queue, which is compared and nothing else.
pub(super) type Address = usize;

thread_local! {
    /// The queue that this thread empties.
    static SERVED: Cell<Option<Address>> = const { Cell::new(None) };
}

/// Which queue the thread waits for that serves which one. It is known of threads alone that serve one.
static WAITS: Mutex<Vec<Wait>> = Mutex::new(Vec::new());

#[derive(Clone, Copy, PartialEq, Eq)]
struct Wait {
    served: Address,
    awaited: Address,
}

fn waits() -> MutexGuard<'static, Vec<Wait>> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on the calling thread empties this queue, or none.
pub(super) fn serve(queue: Option<Address>) {
    // Where the thread is being destroyed, it empties none any more.
    let _ = SERVED.try_with(|served| served.set(queue));
}

/// A thread waits, until this is dropped.
pub(super) struct Waits(Option<Wait>);

/// The calling thread is about to wait for `queue`, whose lock it has; `None`: that would be without end.
#[inline]
pub(super) fn wait_for(queue: Address) -> Option<Waits> {
    let served = SERVED.try_with(Cell::get).ok().flatten();
    served.map_or(Some(Waits(None)), |served| wait(served, queue))
}

#[cold]
fn wait(served: Address, awaited: Address) -> Option<Waits> {
    let mut waits = waits();
    let mut place = awaited;
    // Each thread waits for one queue at most, so that the way is no longer than the list.
    for _ in 0..=waits.len() {
        if place == served {
            return None;
        }
        let Some(next) = waits.iter().find(|wait| wait.served == place) else { break };
        place = next.awaited;
    }
    let own = Wait { served, awaited };
    waits.push(own);
    Some(Waits(Some(own)))
}

/// Who waits for `queue`, whose lock the caller has, is about to look again.
pub(super) fn wake(queue: Address) {
    if SERVED.try_with(Cell::get).ok().flatten().is_some() {
        waits().retain(|wait| wait.awaited != queue);
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        if let Some(own) = self.0 {
            waits().retain(|wait| *wait != own);
        }
    }
}
