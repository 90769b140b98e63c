//! The queue delivers or counts whatever it is given.

use std::sync::Arc;
use std::sync::mpsc;

use duramen::queue::{Overflow, Queue, Stats};
use duramen::report;
use parking_lot::Mutex;

#[test]
fn closing_delivers_what_is_queued_in_order() {
    let delivered = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&delivered);
    let queue = Queue::start(1000, Overflow::Block, move |item| sink.lock().push(item)).expect("a thread");
    for item in 0..1000 {
        assert!(queue.push(item));
    }
    queue.close();
    assert_eq!(*delivered.lock(), (0..1000).collect::<Vec<_>>());
    assert!(!queue.push(1000));
    let expected = Stats { accepted: 1000, delivered: 1000, dropped: 1, ..Stats::default() };
    assert_eq!(queue.stats(), expected);
}

#[test]
fn a_full_queue_drops_the_newest_and_counts_it() {
    let (release, gate) = mpsc::channel::<()>();
    let (started, starts) = mpsc::channel();
    let queue = Queue::start(2, Overflow::DropNewest, move |item| {
        if item == 0 {
            started.send(()).expect("the test waits");
            // Ends too when the test fails, which drops the other side.
            let _ = gate.recv();
        }
    })
    .expect("a thread");
    // Declared after the queue, so that a failing test drops it first and the worker can end.
    let release = release;
    assert!(queue.push(0));
    starts.recv().expect("the worker holds the first item");
    assert!(queue.push(1));
    assert!(queue.push(2));
    assert!(!queue.push(3));
    assert_eq!(queue.stats(), Stats { accepted: 3, queued: 3, dropped: 1, ..Stats::default() });
    drop(release);
    queue.flush();
    assert_eq!(queue.stats(), Stats { accepted: 3, delivered: 3, dropped: 1, ..Stats::default() });
}

#[test]
fn a_full_queue_that_blocks_loses_nothing_from_many_threads() {
    let delivered = Arc::new(Mutex::new(0));
    let sink = Arc::clone(&delivered);
    let queue = Queue::start(1, Overflow::Block, move |item: u64| *sink.lock() += item).expect("a thread");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..100).for_each(|_| assert!(queue.push(1))));
        }
    });
    queue.flush();
    assert_eq!(*delivered.lock(), 800);
}

#[test]
fn a_panic_is_counted_and_the_worker_goes_on() {
    report::set_enabled(false);
    let queue =
        Queue::start(8, Overflow::Block, |item| assert_ne!(item, 1, "as the test wants")).expect("a thread");
    (0..3).for_each(|item| assert!(queue.push(item)));
    queue.flush();
    assert_eq!(queue.stats(), Stats { accepted: 3, delivered: 2, failed: 1, ..Stats::default() });
}
