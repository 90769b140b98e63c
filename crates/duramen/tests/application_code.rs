//! What the application's own code does in the middle of a record: it logs, panics, or cannot be shown.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use duramen::handler::{AsyncHandler, FileHandler};
use duramen::level::{add_level_name, level_names};
use duramen::queue::Options;
use duramen::record::Caller;
use duramen::{Filter, Handler, Level, Logger, Manager, Record, info, log, report, warning};
use duramen_testkit::CapturingHandler;

fn logger() -> (Logger, Arc<CapturingHandler>) {
    report::set_enabled(false);
    let manager = Box::leak(Box::new(Manager::new()));
    let log = manager.get_logger("app");
    log.set_level(Level::DEBUG);
    let handler = Arc::new(CapturingHandler::default());
    log.add_handler(handler.clone());
    (log, handler)
}

/// Calls the function when it is shown.
struct Shown<F>(F);

impl<F: Fn() -> fmt::Result> fmt::Display for Shown<F> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("shown")?;
        (self.0)()
    }
}

impl<F> fmt::Debug for Shown<F> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Shown")
    }
}

impl<F: Fn() -> fmt::Result> std::error::Error for Shown<F> {}

#[test]
fn an_argument_may_log() {
    let (log, handler) = logger();
    let argument = Shown(|| {
        info!(log, "inner {}", 1);
        Ok(())
    });
    info!(log, "outer {argument} {}", 2);
    assert_eq!(handler.messages(), ["inner 1", "outer shown 2"]);
}

#[test]
fn an_argument_that_cannot_be_shown_is_counted_and_the_record_goes_on() {
    let (log, handler) = logger();
    let before = report::count();
    info!(log, "value {}", Shown(|| Err(fmt::Error)));
    info!(log, "value {}", Shown(|| panic!("in Display")));
    assert_eq!(handler.messages(), ["value shown", "value shown"]);
    assert!(report::count() >= before + 2);
}

#[test]
fn an_error_that_cannot_be_shown_is_still_logged_and_reported() {
    let (log, handler) = logger();
    let error = Shown(|| panic!("in Display"));
    let caller = Caller::of_source(file!(), line!(), module_path!());
    log.log_error(Level::ERROR, &error, format_args!("failed"), &[], caller);
    report::error("a part", &error);
    let exceptions = handler.map(|record| record.exception.map(str::to_owned));
    assert_eq!(exceptions, [Some("shown(a text that cannot be shown: its Display failed)".to_owned())]);
}

/// Panics whatever it is asked.
struct Panics;

impl Filter for Panics {
    fn filter(&self, _: &Record<'_>) -> bool {
        panic!("in a filter")
    }
}

impl Handler for Panics {
    fn level(&self) -> Level {
        Level::NOTSET
    }

    fn handle(&self, _: &Record<'_>) {
        panic!("in a handler")
    }

    fn flush(&self) {}

    fn close(&self) {}
}

/// A handler whose flush and end are the application's.
struct PanicsInFlush;

impl Handler for PanicsInFlush {
    fn level(&self) -> Level {
        Level::NOTSET
    }
    fn handle(&self, _: &Record<'_>) {}
    fn flush(&self) {
        panic!("in a flush")
    }
    fn close(&self) {
        panic!("in a close")
    }
}

#[test]
fn a_handler_behind_a_queue_that_panics_in_a_flush_reaches_nobody() {
    let kept = Arc::new(CapturingHandler::default());
    report::set_enabled(false);
    let queue =
        AsyncHandler::new(vec![Arc::new(PanicsInFlush), kept.clone()], Options::default()).expect("a thread");
    duramen_testkit::record(Level::INFO, "message", |record| queue.handle(record));
    queue.flush();
    assert!(queue.flush_within(Duration::from_secs(60)));
    queue.close();
    assert_eq!((queue.stats().delivered, kept.messages()), (1, vec!["message".to_owned()]));
}

#[test]
fn a_handler_that_panics_keeps_no_record_from_the_others() {
    let (log, handler) = logger();
    log.remove_handler(&(handler.clone() as Arc<dyn Handler>));
    log.add_handler(Arc::new(Panics));
    log.add_handler(handler.clone());
    info!(log, "one");
    assert_eq!(handler.messages(), ["one"]);
}

#[test]
fn a_filter_that_panics_lets_nothing_through() {
    let (log, handler) = logger();
    log.add_filter(Arc::new(Panics));
    info!(log, "one");
    assert!(handler.messages().is_empty());
}

/// Logs to the logger whenever it is given a record, as one does whose client of the network logs.
struct Logs(Logger, AtomicUsize);

impl Handler for Logs {
    fn level(&self) -> Level {
        Level::NOTSET
    }

    fn handle(&self, _: &Record<'_>) {
        self.1.fetch_add(1, Ordering::Relaxed);
        for number in 0..9 {
            info!(self.0, "from the handler {number}");
        }
    }

    fn flush(&self) {}

    fn close(&self) {}
}

impl Filter for Logs {
    fn filter(&self, record: &Record<'_>) -> bool {
        self.handle(record);
        true
    }
}

#[test]
fn a_handler_that_logs_to_itself_comes_to_an_end() {
    let (log, handler) = logger();
    let logs = Arc::new(Logs(log.clone(), AtomicUsize::new(0)));
    log.add_handler(logs.clone());
    let before = report::count();
    info!(log, "one");
    // The record, and what the handler has said about it; not what it has to say about that.
    assert_eq!(logs.1.load(Ordering::Relaxed), 1 + 9);
    assert_eq!(handler.messages().len(), 1 + 9 + 9 * 9);
    assert!(report::count() >= before + 81, "what it was not given is counted");
    info!(log, "two");
    assert_eq!(logs.1.load(Ordering::Relaxed), 2 * (1 + 9), "the next record is like the first");
}

#[test]
fn a_filter_that_logs_to_its_logger_comes_to_an_end() {
    let (log, handler) = logger();
    log.add_filter(Arc::new(Logs(log.clone(), AtomicUsize::new(0))));
    let before = report::count();
    info!(log, "one");
    assert_eq!(handler.messages().len(), 1 + 9);
    assert!(report::count() >= before + 81);
}

/// Hands records to another logger, or to its own.
struct HandsOn(Logger);

impl Handler for HandsOn {
    fn level(&self) -> Level {
        Level::NOTSET
    }

    fn handle(&self, record: &Record<'_>) {
        self.0.handle(record);
    }

    fn flush(&self) {}

    fn close(&self) {}
}

#[test]
fn handlers_that_hand_on_come_to_an_end() {
    let (log, handler) = logger();
    let all: Vec<_> = (0..100).map(|number| log.child(&number.to_string())).collect();
    for (number, own) in all.iter().enumerate() {
        own.set_propagate(false);
        own.add_handler(Arc::new(HandsOn(all.get(number + 1).unwrap_or(&log).clone())));
    }
    let before = report::count();
    info!(all[90], "by ten handlers");
    info!(all[0], "too many");
    assert_eq!(handler.messages(), ["by ten handlers"]);
    assert!(report::count() > before);
}

/// A handler that panics when it is asked for its level.
struct PanicsAboutItsLevel;

impl Handler for PanicsAboutItsLevel {
    fn level(&self) -> Level {
        panic!("in a level")
    }
    fn handle(&self, _: &Record<'_>) {}
    fn flush(&self) {}
    fn close(&self) {}
}

#[test]
fn handlers_that_panic_keep_no_other_from_its_end() {
    report::set_enabled(false);
    let manager = Manager::new();
    manager.root().add_handler(Arc::new(PanicsInFlush));
    manager.root().add_handler(Arc::new(PanicsAboutItsLevel));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    manager.root().add_handler(Arc::new(FileHandler::buffered(&path, 4096).expect("opened")));
    let before = report::count();
    warning!(manager.root(), "one");
    manager.flush();
    assert_eq!(std::fs::read_to_string(&path).expect("a log"), "one\n");
    warning!(manager.root(), "two");
    manager.shutdown();
    assert_eq!(std::fs::read_to_string(&path).expect("a log"), "one\ntwo\n");
    assert!(report::count() >= before + 5);
}

#[test]
fn what_is_logged_without_a_manager_is_counted() {
    report::set_enabled(false);
    let manager = Manager::new();
    let log = manager.get_logger("app");
    drop(manager);
    let before = report::count();
    warning!(log, "to nobody");
    assert!(report::count() > before);
}

#[test]
fn a_level_has_the_name_that_it_was_given_last() {
    let (log, handler) = logger();
    let loud = Level(35);
    log!(log, loud, "before");
    add_level_name(loud, "LOUD");
    log!(log, loud, "named");
    add_level_name(loud, "LOUDER");
    log!(log, loud, "renamed");
    let names = handler.map(|record| record.level_name.to_owned());
    assert_eq!(names, ["Level 35", "LOUD", "LOUDER"]);
    assert_eq!(level_names().get("LOUD"), Some(&loud), "an earlier name still means the level");
    assert_eq!("LOUDER".parse(), Ok(loud));
    assert_eq!("WARN".parse(), Ok(Level::WARNING));
}
