//! Queues of Rust programs, used as nobody should: nothing waits without end, and whatever is lost is counted.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use duramen::handler::{AsyncHandler, FileHandler, JournaledHandler, MemoryHandler};
use duramen::queue::{Ledger, Options, Overflow};
use duramen::{Handler, Level, Logger, Manager, Record, info, report, spool};
use duramen_testkit::CapturingHandler;

const SOON_ENOUGH: Duration = Duration::from_secs(60);

/// Runs `act` on a thread of its own, and fails when it takes too long.
fn ends<R: Send + 'static>(act: impl FnOnce() -> R + Send + 'static) -> R {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || drop(tell.send(act())));
    told.recv_timeout(SOON_ENOUGH).expect("it comes to an end, without a panic")
}

/// A handler that is the function.
struct Acts<F>(F);

impl<F: Fn(&Record<'_>) + Send + Sync> Handler for Acts<F> {
    fn level(&self) -> Level {
        Level::NOTSET
    }

    fn handle(&self, record: &Record<'_>) {
        (self.0)(record);
    }

    fn flush(&self) {}

    fn close(&self) {}
}

/// A gate before which threads wait until it is opened.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn open(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_all();
    }

    fn pass(&self) {
        let is_open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.1.wait_while(is_open, |is_open| !*is_open));
    }
}

fn queue(behind: Vec<Arc<dyn Handler>>, options: Options) -> Arc<AsyncHandler> {
    Arc::new(AsyncHandler::new(behind, options).expect("a thread"))
}

fn tiny(overflow: Overflow) -> Options {
    Options { capacity: 1, batch: 1, overflow, flush_interval: Duration::ZERO, ..Options::default() }
}

fn logger(handlers: Vec<Arc<dyn Handler>>) -> Logger {
    report::set_enabled(false);
    let manager = Box::leak(Box::new(Manager::new()));
    manager.root().set_level(Level::DEBUG);
    for handler in handlers {
        manager.root().add_handler(handler);
    }
    manager.root()
}

fn assert_whole(ledger: &Ledger) {
    let brought = ledger.delivered + ledger.failed + ledger.queued + ledger.in_flight;
    let dropped = ledger.dropped.oldest + ledger.dropped.abandoned;
    assert_eq!(ledger.accepted + ledger.recovered, brought + dropped, "{ledger:?}");
}

#[test]
fn times_without_end_are_waits_without_end() {
    ends(|| {
        let kept = Arc::new(CapturingHandler::default());
        let longest = Duration::MAX;
        let options =
            Options { flush_interval: longest, block_timeout: Some(longest), ..tiny(Overflow::Block) };
        let handler = queue(vec![kept.clone()], options);
        let log = logger(vec![handler.clone()]);
        (0..100).for_each(|number| info!(log, "{number}"));
        assert!(handler.flush_within(longest));
        handler.close();
        assert_eq!(kept.messages().len(), 100);
    });
}

#[test]
fn every_policy_keeps_its_ledger_at_every_moment() {
    const THREADS: u64 = 6;
    const RECORDS: u64 = 300;
    let policies =
        [Overflow::Block, Overflow::DropNewest, Overflow::DropOldest, Overflow::DropBelow(Level::WARNING)];
    for overflow in policies {
        for block_timeout in [None, Some(Duration::ZERO), Some(Duration::from_micros(50))] {
            for capacity in [1, 2, 7] {
                let kept = Arc::new(CapturingHandler::default());
                let options = Options { capacity, block_timeout, ..tiny(overflow) };
                let handler = queue(vec![kept.clone()], options);
                let log = logger(vec![handler.clone()]);
                let is_over = AtomicBool::new(false);
                thread::scope(|scope| {
                    let watches = scope.spawn(|| {
                        while !is_over.load(Ordering::Relaxed) {
                            let ledger = handler.stats();
                            assert_whole(&ledger);
                            assert!(ledger.queued <= capacity as u64 && ledger.in_flight <= 1, "{ledger:?}");
                        }
                    });
                    let flushes = scope.spawn(|| {
                        while !is_over.load(Ordering::Relaxed) {
                            handler.flush_within(Duration::from_millis(1));
                            handler.set_level(Level::INFO);
                            handler.flush();
                        }
                    });
                    let logging: Vec<_> = (0..THREADS)
                        .map(|thread| {
                            let log = &log;
                            scope.spawn(move || {
                                (0..RECORDS).for_each(|number| info!(log, "{thread} {number}"));
                            })
                        })
                        .collect();
                    for thread in logging {
                        thread.join().expect("no panic");
                    }
                    is_over.store(true, Ordering::Relaxed);
                    watches.join().expect("it is whole");
                    flushes.join().expect("no panic");
                });
                handler.close();
                let ledger = handler.stats();
                assert_whole(&ledger);
                let refused = ledger.dropped.newest + ledger.dropped.below_level + ledger.dropped.timeout;
                assert_eq!(ledger.accepted + refused, THREADS * RECORDS, "{overflow:?} {ledger:?}");
                assert_eq!(ledger.delivered, kept.messages().len() as u64);
                if overflow == Overflow::Block && block_timeout.is_none() {
                    assert_eq!(refused, 0);
                }
            }
        }
    }
}

#[test]
fn handlers_that_log_to_each_others_queues_come_to_an_end() {
    ends(|| {
        let log: Arc<Mutex<Option<Logger>>> = Arc::default();
        let again = |log: &Arc<Mutex<Option<Logger>>>| -> Arc<dyn Handler> {
            let log = Arc::clone(log);
            Arc::new(Acts(move |record: &Record<'_>| {
                // Two for each, as the client of a network that is down has much to say.
                if record.message.len() < 12 {
                    let log = log.lock().unwrap_or_else(PoisonError::into_inner).clone().expect("a logger");
                    info!(log, "{}a", record.message);
                    info!(log, "{}b", record.message);
                }
            }))
        };
        let one = queue(vec![again(&log)], tiny(Overflow::Block));
        let two = queue(vec![again(&log)], tiny(Overflow::Block));
        let own = logger(vec![one.clone(), two.clone()]);
        *log.lock().expect("whole") = Some(own.clone());
        (0..20).for_each(|_| info!(own, ""));
        one.close();
        two.close();
        assert_whole(&one.stats());
        assert_whole(&two.stats());
        assert!(one.stats().dropped.reentrant + two.stats().dropped.reentrant > 0);
    });
}

#[test]
fn what_a_handler_says_of_each_record_is_no_endless_matter() {
    ends(|| {
        let log: Arc<Mutex<Option<Logger>>> = Arc::default();
        let count = Arc::new(AtomicU64::new(0));
        let (own, counted) = (Arc::clone(&log), Arc::clone(&count));
        let complains = Arc::new(Acts(move |_: &Record<'_>| {
            let log = own.lock().unwrap_or_else(PoisonError::into_inner).clone().expect("a logger");
            counted.fetch_add(1, Ordering::Relaxed);
            info!(log, "it failed again");
        }));
        let handler = queue(vec![complains], Options::default());
        let logger = logger(vec![handler.clone()]);
        *log.lock().expect("whole") = Some(logger.clone());
        info!(logger, "one");
        let until = Instant::now() + Duration::from_secs(1);
        while Instant::now() < until {
            thread::yield_now();
        }
        assert!(count.load(Ordering::Relaxed) < 100, "{count:?}");
        handler.close();
    });
}

#[test]
fn a_handler_behind_may_drop_the_last_of_its_queue() {
    ends(|| {
        let own: Arc<Mutex<Option<Arc<AsyncHandler>>>> = Arc::default();
        let taken = Arc::clone(&own);
        let kept = Arc::new(CapturingHandler::default());
        let gate = Arc::new(Gate::default());
        let waits = Arc::clone(&gate);
        let drops = Arc::new(Acts(move |_: &Record<'_>| {
            waits.pass();
            drop(taken.lock().unwrap_or_else(PoisonError::into_inner).take());
        }));
        let handler = queue(vec![drops, kept.clone()], tiny(Overflow::DropNewest));
        let log = logger(vec![]);
        handler.handle(&Record::new("shop", Level::INFO, "one"));
        *own.lock().expect("whole") = Some(handler);
        drop(log);
        gate.open();
        let until = Instant::now() + SOON_ENOUGH;
        while kept.messages().is_empty() {
            assert!(Instant::now() < until);
            thread::yield_now();
        }
    });
}

#[test]
fn a_handler_behind_may_flush_and_close_its_queue() {
    ends(|| {
        let own: Arc<Mutex<Weak<AsyncHandler>>> = Arc::default();
        let of_handler = Arc::clone(&own);
        let kept = Arc::new(CapturingHandler::default());
        let acts = Arc::new(Acts(move |record: &Record<'_>| {
            let Some(queue) = of_handler.lock().unwrap_or_else(PoisonError::into_inner).upgrade() else {
                return;
            };
            queue.flush();
            queue.flush_within(Duration::MAX);
            assert!(queue.stats().in_flight == 1);
            if record.message == "9" {
                queue.close();
                queue.handle(&Record::new("shop", Level::INFO, "late"));
            }
        }));
        let handler = queue(vec![acts, kept.clone()], Options { batch: 1, ..Options::default() });
        *own.lock().expect("whole") = Arc::downgrade(&handler);
        let log = logger(vec![handler.clone()]);
        (0..10).for_each(|number| info!(log, "{number}"));
        handler.flush();
        handler.close();
        assert_eq!(kept.messages().len(), 10);
        assert_eq!(handler.stats().dropped.closed, 1);
    });
}

#[test]
fn queues_behind_queues_lose_nothing_and_tell_of_what_was_lost() {
    ends(|| {
        let kept = Arc::new(CapturingHandler::default());
        let inner = queue(vec![kept.clone()], tiny(Overflow::Block));
        let middle = queue(vec![inner.clone()], tiny(Overflow::Block));
        let outer = queue(vec![middle.clone()], tiny(Overflow::Block));
        let log = logger(vec![outer.clone()]);
        (0..100).for_each(|number| info!(log, "{number}"));
        outer.close();
        assert_eq!(kept.messages().len(), 100);
        assert_eq!((outer.stats().delivered, inner.stats().delivered), (100, 100));

        let gate = Arc::new(Gate::default());
        let waits = Arc::clone(&gate);
        let slow =
            queue(vec![Arc::new(Acts(move |_: &Record<'_>| waits.pass()))], tiny(Overflow::DropNewest));
        let outer = queue(vec![slow.clone()], Options::default());
        let log = self::logger(vec![outer.clone()]);
        (0..100).for_each(|number| info!(log, "{number}"));
        let until = Instant::now() + SOON_ENOUGH;
        while slow.stats().dropped.newest == 0 && Instant::now() < until {
            thread::yield_now();
        }
        gate.open();
        outer.close();
        let (inner, outer) = (slow.stats(), outer.stats());
        assert_eq!(inner.delivered + inner.dropped.newest, 100);
        assert_eq!((outer.delivered, outer.failed), (inner.delivered, inner.dropped.newest));
    });
}

#[test]
fn a_memory_handler_behind_a_queue_keeps_what_it_keeps_of_single_records() {
    let kept = Arc::new(CapturingHandler::default());
    let memory = Arc::new(MemoryHandler::new(1000, Level::ERROR, kept.clone()));
    let handler = queue(vec![memory.clone()], Options::default());
    let log = logger(vec![handler.clone()]);
    for _ in 0..3 {
        info!(log, "of no interest");
        assert!(handler.behind_has_all());
    }
    assert!(kept.messages().is_empty());
    duramen::error!(log, "of interest");
    assert!(handler.behind_has_all());
    assert_eq!(kept.messages().len(), 4);
    info!(log, "more");
    handler.flush();
    assert_eq!(kept.messages().len(), 5, "a flush of the queue is one of the handlers behind");
}

trait Asked {
    /// Waits until all is delivered, without a flush of the handlers behind.
    fn behind_has_all(&self) -> bool;
}

impl Asked for AsyncHandler {
    fn behind_has_all(&self) -> bool {
        let until = Instant::now() + SOON_ENOUGH;
        while self.stats().queued + self.stats().in_flight > 0 && Instant::now() < until {
            thread::yield_now();
        }
        self.stats().queued + self.stats().in_flight == 0
    }
}

#[test]
fn queues_that_are_closed_while_threads_log_deliver_or_count() {
    for round in 0..20 {
        let kept = Arc::new(CapturingHandler::default());
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.log");
        let file = Arc::new(FileHandler::new(&path).expect("opened"));
        let options = || Options { capacity: 3, flush_interval: Duration::ZERO, ..Options::default() };
        let one = queue(vec![kept.clone()], options());
        let two =
            JournaledHandler::new(vec![file], options(), folder.path(), *spool::SIZES.start()).expect("made");
        let two = Arc::new(two);
        let log = logger(vec![one.clone(), two.clone()]);
        thread::scope(|scope| {
            for thread in 0..4 {
                let log = &log;
                scope.spawn(move || (0..200).for_each(|number| info!(log, "{thread} {number}")));
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    (0..round * 1000).for_each(|_| std::hint::spin_loop());
                    one.close();
                    two.close();
                });
            }
        });
        for (ledger, written) in [
            (one.stats(), kept.messages().len()),
            (two.stats(), std::fs::read_to_string(&path).expect("written").lines().count()),
        ] {
            assert_whole(&ledger);
            assert_eq!((ledger.queued, ledger.in_flight), (0, 0));
            assert_eq!(ledger.delivered, written as u64);
            assert_eq!(ledger.delivered + ledger.dropped.closed, 800);
        }
    }
}

/// The programs whose end is tested: each runs when it is told so, in a process of its own.
#[test]
fn program() {
    let Ok(way) = std::env::var("DURAMEN_TEST_WAY") else { return };
    let path = PathBuf::from(std::env::var("DURAMEN_TEST_LOG").expect("a path"));
    let hangs: Arc<dyn Handler> = Arc::new(Acts(|_: &Record<'_>| Gate::default().pass()));
    let file: Arc<dyn Handler> = Arc::new(FileHandler::new(path).expect("opened"));
    let few = || Options { capacity: 2, batch: 1, flush_interval: Duration::ZERO, ..Options::default() };
    let handler: Arc<dyn Handler> = match &*way {
        "hanging behind two" => queue(vec![queue(vec![hangs], few())], Options::default()),
        "hanging behind memory" => {
            Arc::new(MemoryHandler::new(1000, Level::ERROR, queue(vec![hangs], few())))
        }
        "panic" => queue(vec![file], few()),
        "exit behind" => {
            let exits = Acts(|record: &Record<'_>| {
                if record.message == "record 50" {
                    report::set_enabled(true);
                    std::process::exit(7);
                }
            });
            queue(vec![file, Arc::new(exits)], few())
        }
        other => panic!("{other}"),
    };
    let log = logger(vec![handler]);
    (0..100).for_each(|number| info!(log, "record {number}"));
    report::set_enabled(true);
    assert!(way != "panic", "as the test wants");
    std::process::exit(0);
}

fn ended(way: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let mut program = Command::new(std::env::current_exe().expect("this test"));
    program.args(["--exact", "program", "--nocapture"]);
    program.env("DURAMEN_TEST_LOG", &path).env("DURAMEN_TEST_WAY", way);
    let until = Instant::now() + SOON_ENOUGH;
    let mut running = program.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it runs");
    while running.try_wait().expect("a child").is_none() {
        if Instant::now() > until {
            running.kill().expect("a child");
        }
        thread::park_timeout(Duration::from_millis(10));
    }
    let output = running.wait_with_output().expect("a child");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned(), text)
}

#[test]
fn a_panic_of_the_program_loses_nothing() {
    let (code, _, text) = ended("panic");
    assert_eq!((code, text.lines().count()), (Some(101), 100));
}

/// Its thread cannot wait for itself: what it has not delivered is counted and said.
#[test]
fn a_handler_behind_a_queue_that_ends_the_process_hangs_nothing() {
    let (code, said, text) = ended("exit behind");
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("the process ends with"), "{said}");
    let lines: Vec<_> = text.lines().take(50).map(str::to_owned).collect();
    assert_eq!(lines, (0..50).map(|number| format!("record {number}")).collect::<Vec<_>>());
}

#[test]
fn a_handler_that_hangs_behind_another_one_keeps_no_process() {
    for way in ["hanging behind two", "hanging behind memory"] {
        let (code, said, _) = ended(way);
        assert_eq!(code, Some(0), "{way}");
        assert!(said.contains("the process ends with"), "{way}: {said}");
        // What the queue had no room for, as it came too late, is dropped.
        let has_dropped = said.contains("while the process ends are dropped");
        assert!(has_dropped || way == "hanging behind two", "{said}");
    }
}
