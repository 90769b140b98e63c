//! Threads that deliver and would wait for each other: each for a queue that another one of them empties.
//!
//! A handler behind a queue may log to other queues, and wait there for room. Where the handlers behind those log to the first
//! one, and all are full, nobody would ever go on. Who would be the last to wait is told so, and gives up.

use std::cell::Cell;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

/// The address of a queue, which is compared and nothing else.
pub(super) type Address = usize;

thread_local! {
    /// The queue that this thread empties.
    static SERVED: Cell<Option<Address>> = const { Cell::new(None) };
}

/// Which queue the thread waits for that serves which one. It is known of threads alone that serve one.
///
/// There is no lock here: a child that is forked meanwhile would wait for it for ever. What it finds here is of queues that it
/// does not use.
static WAITS: ArcSwapOption<Vec<Wait>> = ArcSwapOption::const_empty();

#[derive(Clone, Copy, PartialEq, Eq)]
struct Wait {
    served: Address,
    awaited: Address,
}

/// Puts the list that `change` makes of the present one in its place; `change` may be called again.
fn change(mut change: impl FnMut(&[Wait]) -> Vec<Wait>) {
    WAITS.rcu(|waits| Some(Arc::new(change(waits.as_deref().map_or(&[][..], Vec::as_slice)))));
}

fn without(waits: &[Wait], is_gone: impl Fn(&Wait) -> bool) -> Vec<Wait> {
    waits.iter().filter(|wait| !is_gone(wait)).copied().collect()
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
    let own = Wait { served, awaited };
    let mut has_end = false;
    change(|waits| {
        has_end = !leads_to(waits, awaited, served);
        waits.iter().copied().chain(has_end.then_some(own)).collect()
    });
    has_end.then_some(Waits(Some(own)))
}

/// Whether who waits for the queue at `place` waits for `served` in the end.
fn leads_to(waits: &[Wait], mut place: Address, served: Address) -> bool {
    // Each thread waits for one queue at most, so that the way is no longer than the list.
    for _ in 0..=waits.len() {
        if place == served {
            return true;
        }
        let Some(next) = waits.iter().find(|wait| wait.served == place) else { break };
        place = next.awaited;
    }
    false
}

/// Who waits for `queue`, whose lock the caller has, is about to look again.
pub(super) fn wake(queue: Address) {
    if SERVED.try_with(Cell::get).ok().flatten().is_some() {
        change(|waits| without(waits, |wait| wait.awaited == queue));
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        if let Some(own) = self.0 {
            change(|waits| without(waits, |wait| *wait == own));
        }
    }
}
