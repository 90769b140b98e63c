//! The queue delivers or counts whatever it is given.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use duramen::handler::{AsyncHandler, StreamHandler};
use duramen::queue::{Dropped, Ledger, Offer, Options, Overflow, Queue, Tally, Worker};
use duramen::{Handler as _, Level, Record, report};
use parking_lot::Mutex;
use proptest::prelude::*;

fn options(capacity: usize, overflow: Overflow) -> Options {
    Options { capacity, overflow, flush_interval: Duration::ZERO, ..Options::default() }
}

/// A worker that keeps what it is given.
fn collecting(queue: &Arc<Queue<u64>>) -> (Worker, Arc<Mutex<Vec<u64>>>) {
    let delivered = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&delivered);
    let deliver = move |batch: &mut VecDeque<u64>, tally: &mut Tally| {
        while let Some(item) = batch.pop_front() {
            sink.lock().push(item);
            tally.item(false);
        }
    };
    (Worker::start(Arc::clone(queue), deliver).expect("a thread"), delivered)
}

fn take_all(queue: &Queue<u64>) -> Vec<u64> {
    let mut batch = VecDeque::new();
    queue.take(&mut batch);
    let mut tally = Tally::default();
    for _ in &batch {
        tally.item(false);
    }
    queue.settle(&tally);
    batch.into()
}

#[test]
fn closing_delivers_what_is_queued_in_order() {
    let queue = Arc::new(Queue::new(options(1000, Overflow::Block), 0));
    let (worker, delivered) = collecting(&queue);
    for item in 0..1000 {
        assert!(queue.push(item, Level::INFO));
    }
    queue.close();
    worker.join();
    assert_eq!(*delivered.lock(), (0..1000).collect::<Vec<_>>());
    assert!(!queue.push(1000, Level::INFO));
    let dropped = Dropped { closed: 1, ..Dropped::default() };
    assert_eq!(queue.ledger(), Ledger { accepted: 1000, delivered: 1000, dropped, ..Ledger::default() });
}

#[test]
fn a_full_queue_drops_what_its_policy_says() {
    let least = Overflow::DropBelow(Level::WARNING);
    for (overflow, kept) in
        [(Overflow::DropNewest, vec![0, 1]), (Overflow::DropOldest, vec![1, 2]), (least, vec![0, 1])]
    {
        let queue = Queue::new(options(2, overflow), 0);
        for item in 0..3 {
            assert!(!matches!(queue.offer(item, Level::INFO), Offer::Full(_)));
        }
        assert_eq!(queue.ledger().dropped.total(), 1, "{overflow:?}");
        assert_eq!(take_all(&queue), kept, "{overflow:?}");
    }
}

#[test]
fn what_is_severe_enough_waits_for_room() {
    let queue = Queue::new(options(1, Overflow::DropBelow(Level::WARNING)), 0);
    assert_eq!(queue.offer(1, Level::INFO), Offer::Accepted(None));
    assert_eq!(queue.offer(2, Level::INFO), Offer::Dropped(2));
    assert_eq!(queue.offer(3, Level::WARNING), Offer::Full(3));
}

#[test]
fn a_wait_for_room_ends_in_time_and_is_counted() {
    let timeout = Some(Duration::from_millis(20));
    let queue = Queue::new(Options { block_timeout: timeout, ..options(1, Overflow::Block) }, 0);
    assert!(queue.push(1, Level::INFO));
    let begun = Instant::now();
    assert!(!queue.push(2, Level::INFO));
    assert!(begun.elapsed() >= Duration::from_millis(20));
    assert_eq!(queue.ledger().dropped.timeout, 1);
}

#[test]
fn closing_ends_a_wait_for_room() {
    let queue = Queue::new(options(1, Overflow::Block), 0);
    assert!(queue.push(1, Level::INFO));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| queue.push(2, Level::INFO));
        queue.close();
        assert!(!waiting.join().expect("no panic"));
    });
    assert_eq!(queue.ledger().dropped.closed, 1);
}

#[test]
fn a_full_queue_that_blocks_loses_nothing_from_many_threads() {
    let queue = Arc::new(Queue::new(options(1, Overflow::Block), 0));
    let (worker, delivered) = collecting(&queue);
    thread::scope(|scope| {
        for thread in 0..8 {
            let queue = &queue;
            scope.spawn(move || {
                (0..100).for_each(|item| assert!(queue.push(thread * 1000 + item, Level::INFO)));
            });
        }
    });
    assert!(queue.flush(None));
    let delivered = delivered.lock().clone();
    assert_eq!(delivered.len(), 800);
    for thread in 0..8 {
        let own: Vec<_> = delivered.iter().filter(|item| *item / 1000 == thread).collect();
        assert!(own.is_sorted(), "the order of a thread is kept");
    }
    queue.close();
    worker.join();
}

#[test]
fn the_worker_does_not_wait_for_room_that_it_has_to_make() {
    let queue = Arc::new(Queue::new(options(1, Overflow::Block), 0));
    let (tell, told) = mpsc::channel();
    let inner = Arc::clone(&queue);
    let worker = Worker::start(Arc::clone(&queue), move |batch, tally| {
        if batch.pop_front() == Some(0) {
            tell.send((inner.push(1, Level::INFO), inner.push(2, Level::INFO), inner.flush(None)))
                .expect("the test waits");
        }
        tally.item(false);
    })
    .expect("a thread");
    assert!(queue.push(0, Level::INFO));
    assert_eq!(told.recv().expect("an answer"), (true, false, false));
    assert!(queue.flush(None));
    assert_eq!(queue.ledger().dropped.reentrant, 1);
    queue.close();
    worker.join();
}

#[test]
fn a_flush_waits_for_what_is_in_flight_even_while_later_items_are_dropped() {
    let queue = Queue::new(options(1, Overflow::DropOldest), 0);
    queue.push(0, Level::INFO);
    let mut batch = VecDeque::new();
    assert!(queue.take(&mut batch));
    thread::scope(|scope| {
        let flushed = scope.spawn(|| queue.flush(Some(Duration::from_millis(20))));
        (1..10).for_each(|item| assert!(queue.push(item, Level::INFO)));
        assert!(!flushed.join().expect("no panic"));
    });
    let mut tally = Tally::default();
    tally.item(false);
    queue.settle(&tally);
    assert_eq!(queue.ledger().delivered, 1);
}

#[test]
fn a_queue_that_was_parked_keeps_its_items_for_the_next_worker() {
    let queue = Arc::new(Queue::new(options(8, Overflow::Block), 0));
    queue.park();
    let (worker, delivered) = collecting(&queue);
    queue.push(1, Level::INFO);
    worker.join();
    assert!(delivered.lock().is_empty() && queue.is_untended());
    queue.resume();
    let (worker, delivered) = collecting(&queue);
    assert!(queue.flush(None));
    assert_eq!(*delivered.lock(), [1]);
    queue.close();
    worker.join();
}

#[test]
fn what_is_handed_back_is_the_next_to_be_taken() {
    let queue = Queue::new(options(8, Overflow::Block), 0);
    (0..3).for_each(|item| assert!(queue.push(item, Level::INFO)));
    let mut batch = VecDeque::new();
    assert!(queue.take(&mut batch));
    assert!(queue.push(3, Level::INFO));
    let mut tally = Tally::default();
    tally.item(batch.pop_front().is_none());
    queue.hand_back(&mut batch, &tally);
    let ledger = queue.ledger();
    assert_eq!((ledger.delivered, ledger.queued, ledger.in_flight), (1, 3, 0));
    let another = thread::scope(|scope| scope.spawn(|| take_all(&queue)).join());
    assert_eq!(another.expect("no panic"), [1, 2, 3]);
    assert!(queue.flush(None));
}

#[test]
fn who_stands_in_for_a_worker_never_waits() {
    let queue = Queue::new(options(8, Overflow::Block), 0);
    let mut batch = VecDeque::new();
    assert!(!queue.take_ready(&mut batch));
    queue.push(1, Level::INFO);
    assert!(queue.take_ready(&mut batch));
    thread::scope(|scope| {
        scope
            .spawn(|| assert!(!queue.take_ready(&mut VecDeque::new()), "another one takes"))
            .join()
            .expect("it holds");
    });
}

#[test]
fn a_flush_does_not_wait_for_items_to_gather() {
    let long = Duration::from_secs(3600);
    let queue = Arc::new(Queue::new(Options { flush_interval: long, ..options(8, Overflow::Block) }, 0));
    let (worker, delivered) = collecting(&queue);
    queue.push(1, Level::INFO);
    assert!(queue.flush(Some(Duration::from_secs(60))));
    assert_eq!(*delivered.lock(), [1]);
    queue.push(2, Level::INFO);
    queue.close();
    worker.join();
    assert_eq!(*delivered.lock(), [1, 2]);
}

/// A worker that sends what it is given.
fn sending(options: Options) -> (Arc<Queue<u64>>, Worker, mpsc::Receiver<u64>) {
    let queue = Arc::new(Queue::new(options, 0));
    let (sender, delivered) = mpsc::channel();
    let deliver = move |batch: &mut VecDeque<u64>, tally: &mut Tally| {
        while let Some(item) = batch.pop_front() {
            sender.send(item).expect("somebody receives");
            tally.item(false);
        }
    };
    let worker = Worker::start(Arc::clone(&queue), deliver).expect("a thread");
    (queue, worker, delivered)
}

const SOON_ENOUGH: Duration = Duration::from_secs(60);

#[test]
fn items_do_not_gather_when_half_of_the_room_is_taken() {
    let long = Duration::from_secs(3600);
    let (queue, worker, delivered) =
        sending(Options { flush_interval: long, ..options(8, Overflow::DropNewest) });
    for round in 0..3 {
        let items = round * 4..round * 4 + 4;
        items.clone().for_each(|item| assert!(queue.push(item, Level::INFO)));
        items.for_each(|item| assert_eq!(delivered.recv_timeout(SOON_ENOUGH), Ok(item)));
    }
    queue.close();
    worker.join();
}

#[test]
fn records_do_not_gather_when_their_texts_take_half_of_the_room() {
    struct Sender(mpsc::Sender<usize>);
    impl io::Write for Sender {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.len()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (sender, written) = mpsc::channel();
    let (flush_interval, max_bytes) = (Duration::from_secs(3600), 2000);
    let options = Options { flush_interval, max_bytes, ..options(8192, Overflow::DropNewest) };
    let behind = Arc::new(StreamHandler::new(Sender(sender)));
    let handler = AsyncHandler::new(vec![behind], options).expect("a thread");
    handler.handle(&Record::new("shop", Level::INFO, &"x".repeat(1500)));
    assert_eq!(written.recv_timeout(SOON_ENOUGH), Ok(1501));
    handler.close();
}

#[test]
fn a_worker_that_has_gone_to_sleep_is_woken() {
    let (queue, worker, delivered) =
        sending(Options { flush_interval: Duration::from_micros(50), ..options(8, Overflow::Block) });
    // Some come while it looks whether more does, and others later.
    for item in 0..500 {
        queue.push(item, Level::INFO);
        assert_eq!(delivered.recv_timeout(SOON_ENOUGH), Ok(item));
        (0..item * 50).for_each(|_| std::hint::spin_loop());
    }
    queue.close();
    worker.join();
}

#[test]
fn a_panic_is_counted_and_the_worker_goes_on() {
    report::set_enabled(false);
    let queue = Arc::new(Queue::new(Options { batch: 1, ..options(8, Overflow::Block) }, 0));
    let worker = Worker::start(Arc::clone(&queue), |batch, tally| {
        assert_ne!(batch.pop_front(), Some(1), "as the test wants");
        tally.item(false);
    })
    .expect("a thread");
    (0..3).for_each(|item| assert!(queue.push(item, Level::INFO)));
    assert!(queue.flush(None));
    assert_eq!(queue.ledger(), Ledger { accepted: 3, delivered: 2, failed: 1, ..Ledger::default() });
    queue.close();
    worker.join();
}

#[derive(Clone, Debug)]
enum Step {
    Offer(u64, bool),
    Take,
    Settle(usize),
    Abandon,
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<u64>(), any::<bool>()).prop_map(|(item, severe)| Step::Offer(item, severe)),
        3 => Just(Step::Take),
        3 => (0..4_usize).prop_map(Step::Settle),
        1 => Just(Step::Abandon),
        1 => Just(Step::Close),
    ]
}

proptest! {
    /// Whatever happens in whatever order, every item is in exactly one place.
    #[test]
    fn the_ledger_is_that_of_a_model(
        capacity in 1..5_usize,
        batch in 1..4_usize,
        policy in 0..4_usize,
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let policies =
            [Overflow::Block, Overflow::DropNewest, Overflow::DropOldest, Overflow::DropBelow(Level::ERROR)];
        let overflow = policies[policy];
        let queue = Queue::new(Options { batch, ..options(capacity, overflow) }, 0);
        let (mut waiting, mut flying, mut expected) = (VecDeque::new(), VecDeque::new(), Ledger::default());
        let mut closed = false;
        for step in steps {
            match step {
                Step::Offer(item, severe) => {
                    let level = if severe { Level::ERROR } else { Level::INFO };
                    let full = waiting.len() >= capacity;
                    let offer = queue.offer(item, level);
                    let dropped = &mut expected.dropped;
                    let model = if closed {
                        dropped.closed += 1;
                        Offer::Dropped(item)
                    } else if full && overflow == Overflow::DropNewest {
                        dropped.newest += 1;
                        Offer::Dropped(item)
                    } else if full && !severe && policy == 3 {
                        dropped.below_level += 1;
                        Offer::Dropped(item)
                    } else if full && overflow != Overflow::DropOldest {
                        // The test's own thread is the one that takes items out.
                        if queue.is_untended() {
                            Offer::Full(item)
                        } else {
                            dropped.reentrant += 1;
                            Offer::Dropped(item)
                        }
                    } else {
                        let evicted = if full { waiting.pop_front() } else { None };
                        dropped.oldest += u64::from(full);
                        expected.accepted += 1;
                        waiting.push_back(item);
                        Offer::Accepted(evicted)
                    };
                    prop_assert_eq!(offer, model);
                }
                Step::Take if flying.is_empty() && !waiting.is_empty() => {
                    prop_assert!(queue.take(&mut flying));
                    let taken: VecDeque<_> = waiting.drain(..waiting.len().min(batch)).collect();
                    prop_assert_eq!(&flying, &taken);
                }
                Step::Settle(good) if !flying.is_empty() => {
                    let good = good.min(flying.len());
                    let mut tally = Tally::default();
                    (0..good).for_each(|_| tally.item(false));
                    queue.settle(&tally);
                    expected.delivered += good as u64;
                    expected.failed += (flying.len() - good) as u64;
                    flying.clear();
                }
                Step::Abandon => {
                    expected.dropped.abandoned += waiting.len() as u64;
                    prop_assert_eq!(queue.abandon(), std::mem::take(&mut waiting));
                }
                Step::Close => {
                    closed = true;
                    queue.close();
                }
                Step::Take | Step::Settle(_) => {}
            }
            (expected.queued, expected.in_flight) = (waiting.len() as u64, flying.len() as u64);
            let ledger = queue.ledger();
            prop_assert_eq!(&ledger, &expected);
            prop_assert_eq!(
                ledger.accepted,
                ledger.delivered + ledger.failed + ledger.queued + ledger.in_flight
                    + ledger.dropped.oldest + ledger.dropped.abandoned
            );
        }
    }
}

/// What is recovered comes before what waits, and leaves the queue before it.
#[test]
fn a_flush_waits_for_its_own_when_something_is_recovered_meanwhile() {
    let options = Options { batch: 2, flush_interval: Duration::from_secs(60), ..Options::default() };
    let queue: Arc<Queue<u64>> = Arc::new(Queue::new(options, 0));
    assert!(queue.push(1, Level::INFO));
    let (flushed, has_flushed) = mpsc::channel();
    let waiting = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || flushed.send(queue.flush(None)).expect("somebody asks"))
    };
    // It would gather for a minute, did not the flush wait for it.
    let mut batch = VecDeque::new();
    assert!(queue.take(&mut batch));
    queue.hand_back(&mut batch, &Tally::default());
    queue.recover([2, 3]);
    assert_eq!(take_all(&queue), [2, 3]);
    assert!(has_flushed.recv_timeout(Duration::from_millis(50)).is_err());
    assert_eq!(take_all(&queue), [1]);
    assert!(has_flushed.recv().expect("an answer"));
    waiting.join().expect("no panic");
}
