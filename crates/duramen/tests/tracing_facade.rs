//! What a program logs by the `tracing` crate.

use std::sync::Arc;

use duramen::formatter::LogfmtFormatter;
use duramen::formatter::json::{JsonBuilder, Source};
use duramen::front::tracing::TracingLayer;
use duramen::handler::FileHandler;
use duramen::{Level, Manager, bound};
use tracing_subscriber::prelude::*;

struct Panics;

impl std::fmt::Debug for Panics {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("no text")
    }
}

/// The lines that `program` writes, with a root logger of this level.
fn lines_of(level: Level, program: impl FnOnce(&Manager)) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let handler = FileHandler::new(&path).expect("opened");
    let members = ["levelno", "name", "message"].map(|name| (name, Source::by_name(name)));
    let formatter: LogfmtFormatter = JsonBuilder::default().members(members).build_logfmt().expect("right");
    handler.set_formatter(Arc::new(formatter));
    let manager = Manager::new();
    manager.root().add_handler(Arc::new(handler));
    manager.root().set_level(level);
    let subscriber = tracing_subscriber::registry().with(TracingLayer::new(manager.clone()));
    tracing::subscriber::with_default(subscriber, || program(&manager));
    std::fs::read_to_string(&path).expect("written").lines().map(str::to_owned).collect()
}

#[test]
fn events_are_records_with_their_fields() {
    let lines = lines_of(Level(5), |_| {
        tracing::info!(target: "shop::orders", order = 7, by = "Ada L.", ratio = 0.5, paid = true, "{} is late", "it");
        tracing::trace!(target: "shop", big = u64::MAX, kind = ?Some(1), "steps");
        tracing::error!(target: "shop", error = %std::fmt::Error);
    });
    assert_eq!(
        lines,
        [
            "levelno=20 name=shop.orders message=\"it is late\" order=7 by=\"Ada L.\" ratio=0.5 paid=true",
            "levelno=5 name=shop message=steps big=18446744073709551615 kind=Some(1)",
            "levelno=40 name=shop message=\"\" error=\"an error occurred when formatting an argument\"",
        ]
    );
}

#[test]
fn fields_of_spans_are_on_the_records_within_and_the_innermost_win() {
    let lines = lines_of(Level::INFO, |_| {
        let request =
            tracing::info_span!("request", request_id = "7f3a", user = tracing::field::Empty, step = 1);
        let _in_request = request.enter();
        tracing::info!(target: "shop", "begin");
        request.record("user", "ada");
        tracing::info_span!("order", step = 2).in_scope(|| {
            tracing::info!(target: "shop", "inside");
            tracing::info!(target: "shop", step = 3, "own");
        });
        tracing::info!(target: "shop", parent: None, "apart");
    });
    assert_eq!(
        lines,
        [
            "levelno=20 name=shop message=begin request_id=7f3a step=1",
            "levelno=20 name=shop message=inside request_id=7f3a step=2 user=ada",
            "levelno=20 name=shop message=own request_id=7f3a step=3 user=ada",
            "levelno=20 name=shop message=apart",
        ]
    );
}

#[test]
fn levels_are_those_of_the_loggers_and_change_at_once() {
    let lines = lines_of(Level::WARNING, |manager| {
        let log = || tracing::debug!(target: "shop::orders", "details");
        log();
        manager.get_logger("shop").set_level(Level::DEBUG);
        log();
        manager.get_logger("shop.orders").set_level(Level::ERROR);
        log();
    });
    assert_eq!(lines, ["levelno=10 name=shop.orders message=details"]);
}

#[test]
fn a_value_that_panics_costs_that_value() {
    let lines = lines_of(Level::INFO, |_| tracing::info!(target: "shop", value = ?Panics, "kept"));
    assert!(lines[0].starts_with("levelno=20 name=shop message=kept value="), "{lines:?}");
}

#[test]
fn threads_log_into_one_file_with_spans_of_their_own() {
    let lines = lines_of(Level::INFO, |_| {
        let subscriber = tracing::dispatcher::get_default(Clone::clone);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let subscriber = subscriber.clone();
                scope.spawn(move || {
                    tracing::dispatcher::with_default(&subscriber, || {
                        let span = tracing::info_span!("work", number);
                        span.in_scope(|| {
                            for _ in 0..50 {
                                tracing::info!(target: "shop", "step");
                            }
                        });
                    });
                });
            }
        });
    });
    for number in 0..4 {
        let own = format!("levelno=20 name=shop message=step number={number}");
        assert_eq!(lines.iter().filter(|line| **line == own).count(), 50);
    }
}

/// As `tracing-log` hands on a record of the crate `log`, in an event whose place is one of that crate's for all records.
#[test]
fn a_record_of_log_that_comes_as_an_event_has_its_own_logger() {
    let lines = lines_of(Level::INFO, |manager| {
        let log = |target, kept: &str| {
            tracing::info!(
                target: "log",
                { log.target = target, log.module_path = "shop::orders", log.file = "src/a.rs", log.line = 7_u64 },
                "{kept}"
            );
        };
        manager.get_logger("noisy").set_level(Level::ERROR);
        tracing::info_span!("request", request_id = 7).in_scope(|| log("shop::orders", "kept"));
        log("noisy::deep", "held back");
        tracing::info!(target: "log", log = 1, "an event of a program's own");
    });
    assert_eq!(
        lines,
        [
            "levelno=20 name=shop.orders message=kept request_id=7",
            "levelno=20 name=log message=\"an event of a program's own\" log=1",
        ]
    );
}

#[test]
fn fields_of_the_thread_stand_behind_those_of_the_spans() {
    let lines = lines_of(Level::INFO, |_| {
        let _bound = bound!(request_id = "thread", host = "a");
        tracing::info_span!("request", request_id = "span").in_scope(|| tracing::info!(target: "shop", "it"));
    });
    assert_eq!(lines, ["levelno=20 name=shop message=it request_id=span host=a"]);
}
