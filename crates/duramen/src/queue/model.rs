//! The queue's protocol under every order in which its threads can run (`loom`).
//!
//! Each model is small, since the orders are many.
//! What these models hold: no item is lost or delivered twice, the order of each thread stays, nobody waits for ever
//! (a thread that nobody wakes is a deadlock, which `loom` finds), and the ledger balances at every moment.

use std::collections::VecDeque;
use std::time::Duration;

use loom::sync::Arc;
use loom::thread;

use super::{Options, Overflow, Queue, Tally};
use crate::Level;

fn queue(capacity: usize, overflow: Overflow) -> Arc<Queue<u8>> {
    let options = Options { capacity, overflow, flush_interval: Duration::ZERO, ..Options::default() };
    Arc::new(Queue::new(options, 0))
}

/// A thread is taken from its work twice at most: more orders than these take hours.
fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// Takes what comes until the queue is closed or parked, and gives it.
fn work(queue: &Queue<u8>) -> Vec<u8> {
    let (mut delivered, mut batch) = (Vec::new(), VecDeque::new());
    while queue.take(&mut batch) {
        let mut tally = Tally::default();
        for item in batch.drain(..) {
            delivered.push(item);
            tally.item(false);
        }
        assert_balanced(queue);
        queue.settle(&tally);
    }
    delivered
}

fn assert_balanced(queue: &Queue<u8>) {
    let ledger = queue.ledger();
    let gone = ledger.dropped.oldest + ledger.dropped.abandoned;
    assert_eq!(ledger.accepted, ledger.delivered + ledger.failed + ledger.queued + ledger.in_flight + gone);
}

#[test]
fn a_caller_that_waits_for_room_is_woken() {
    explore(|| {
        let queue = queue(1, Overflow::Block);
        let worker = thread::spawn({
            let queue = Arc::clone(&queue);
            move || work(&queue)
        });
        for item in 0..3 {
            assert!(queue.push(item, Level::INFO));
        }
        queue.close();
        assert_eq!(worker.join().unwrap(), [0, 1, 2]);
        assert_eq!(queue.ledger().delivered, 3);
        assert_balanced(&queue);
    });
}

#[test]
fn each_caller_keeps_its_order() {
    explore(|| {
        let queue = queue(1, Overflow::Block);
        let worker = thread::spawn({
            let queue = Arc::clone(&queue);
            move || work(&queue)
        });
        let other = thread::spawn({
            let queue = Arc::clone(&queue);
            move || assert!((20..22).all(|item| queue.push(item, Level::INFO)))
        });
        assert!((10..12).all(|item| queue.push(item, Level::INFO)));
        other.join().unwrap();
        queue.close();
        let delivered = worker.join().unwrap();
        for first in [10, 20] {
            let own: Vec<_> = delivered.iter().filter(|item| **item / 10 * 10 == first).collect();
            assert_eq!(own, [&first, &(first + 1)]);
        }
        assert_eq!(delivered.len(), 4);
    });
}

#[test]
fn who_makes_room_loses_the_oldest_alone() {
    explore(|| {
        let queue = queue(1, Overflow::DropOldest);
        let worker = thread::spawn({
            let queue = Arc::clone(&queue);
            move || work(&queue)
        });
        for item in 0..3 {
            assert!(queue.push(item, Level::INFO));
            assert_balanced(&queue);
        }
        queue.close();
        let delivered = worker.join().unwrap();
        assert_eq!(delivered.last(), Some(&2));
        assert!(delivered.is_sorted());
        assert_eq!(queue.ledger().dropped.oldest, 3 - delivered.len() as u64);
    });
}

#[test]
fn a_flush_returns_after_what_came_before() {
    explore(|| {
        let queue = queue(4, Overflow::Block);
        let worker = thread::spawn({
            let queue = Arc::clone(&queue);
            move || work(&queue)
        });
        let other = thread::spawn({
            let queue = Arc::clone(&queue);
            move || assert!(queue.push(9, Level::INFO))
        });
        assert!(queue.push(0, Level::INFO));
        assert!(queue.flush(None));
        assert!(queue.ledger().delivered >= 1);
        other.join().unwrap();
        queue.close();
        assert_eq!(worker.join().unwrap().len(), 2);
    });
}

/// As before and after a fork: the worker ends, what waits stays, another one takes it.
#[test]
fn a_parked_queue_keeps_what_waits_for_the_next_worker() {
    explore(|| {
        let queue = queue(2, Overflow::Block);
        let worker = thread::spawn({
            let queue = Arc::clone(&queue);
            move || work(&queue)
        });
        assert!(queue.push(0, Level::INFO));
        queue.park();
        let mut delivered = worker.join().unwrap();
        assert!(queue.is_untended());
        assert!(queue.push(1, Level::INFO));
        queue.resume();
        queue.close();
        delivered.extend(work(&queue));
        assert_eq!(delivered, [0, 1]);
        assert_balanced(&queue);
    });
}

/// The thread that knows no interpreter gives the rest of its batch to one of Python's.
#[test]
fn what_is_handed_back_comes_first() {
    explore(|| {
        let queue = queue(4, Overflow::Block);
        let first = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                let mut batch = VecDeque::new();
                if !queue.take(&mut batch) {
                    return None;
                }
                let mut tally = Tally::default();
                let item = batch.pop_front();
                tally.item(false);
                queue.hand_back(&mut batch, &tally);
                item
            }
        });
        for item in 0..3 {
            assert!(queue.push(item, Level::INFO));
        }
        let second = thread::spawn({
            let queue = Arc::clone(&queue);
            move || work(&queue)
        });
        queue.close();
        let taken = first.join().unwrap();
        let rest = second.join().unwrap();
        // Either may have been first; the second one may have taken all before the first came.
        if let Some(item) = taken {
            assert_eq!((item, &*rest), (0, &[1, 2][..]));
        }
        assert_balanced(&queue);
    });
}
