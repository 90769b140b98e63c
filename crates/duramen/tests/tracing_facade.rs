//! What a program logs by the `tracing` crate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use duramen::formatter::LogfmtFormatter;
use duramen::formatter::json::{JsonBuilder, Source};
use duramen::front::tracing::{TraceIds, TracingLayer};
use duramen::handler::FileHandler;
use duramen::{Level, Manager, bound, report};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

/// A layer that numbers the spans, as one of a tracing system keeps identifiers with them.
struct Numbers(AtomicU64);

struct Number(u64);

impl<S: tracing::Subscriber + for<'s> LookupSpan<'s>> tracing_subscriber::Layer<S> for Numbers {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        context.span(id).expect("a span").extensions_mut().insert(Number(number));
    }
}

struct Panics;

impl std::fmt::Debug for Panics {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("no text")
    }
}

/// The lines that `program` writes, with a root logger of this level.
fn lines_of(level: Level, program: impl FnOnce(&Manager)) -> Vec<String> {
    lines_through(|layer| layer, level, program)
}

/// The same, with a layer that `customized` has changed.
fn lines_through(
    customized: impl FnOnce(TracingLayer) -> TracingLayer,
    level: Level,
    program: impl FnOnce(&Manager),
) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let handler = FileHandler::new(&path).expect("opened");
    let members = ["levelno", "name", "message"].map(|name| (name, Source::by_name(name)));
    let formatter: LogfmtFormatter = JsonBuilder::default().members(members).build_logfmt().expect("right");
    handler.set_formatter(Arc::new(formatter));
    let manager = Manager::new();
    manager.root().add_handler(Arc::new(handler));
    manager.root().set_level(level);
    let layer = customized(TracingLayer::new(manager.clone()));
    let subscriber = tracing_subscriber::registry().with(Numbers(AtomicU64::new(1))).with(layer);
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

#[test]
fn fields_of_the_thread_stand_behind_those_of_the_spans() {
    let lines = lines_of(Level::INFO, |_| {
        let _bound = bound!(request_id = "thread", host = "a");
        tracing::info_span!("request", request_id = "span").in_scope(|| tracing::info!(target: "shop", "it"));
    });
    assert_eq!(lines, ["levelno=20 name=shop message=it request_id=span host=a"]);
}

#[test]
fn identifiers_of_the_innermost_span_are_on_records_unless_the_program_says_others() {
    let with_ids = |layer: TracingLayer| {
        layer.with_trace_ids(|span| {
            let Number(number) = span.get()?;
            // The second span has none that is valid.
            Some(TraceIds { trace_id: 0xabc, span_id: if *number == 2 { 0 } else { *number } })
        })
    };
    let log = |step: u32| tracing::info!(target: "shop", step, "it");
    let lines = lines_through(with_ids, Level::INFO, |_| {
        log(0);
        tracing::info_span!("first").in_scope(|| {
            log(1);
            tracing::info_span!("second").in_scope(|| log(2));
            tracing::info_span!("third", trace_id = "own").in_scope(|| log(3));
            let _bound = bound!(span_id = "bound");
            log(4);
        });
    });
    let trace = "trace_id=00000000000000000000000000000abc";
    let expected = [
        "step=0".to_owned(),
        format!("step=1 {trace} span_id=0000000000000001"),
        format!("step=2 {trace} span_id=0000000000000001"),
        "trace_id=own step=3 span_id=0000000000000003".to_owned(),
        format!("step=4 {trace} span_id=bound"),
    ];
    assert_eq!(lines, expected.map(|fields| format!("levelno=20 name=shop message=it {fields}")));
}

#[test]
fn identifiers_that_cannot_be_found_cost_the_identifiers() {
    report::set_enabled(false);
    let before = report::count();
    let panicking = |layer: TracingLayer| layer.with_trace_ids(|_| panic!("in a finder"));
    let lines = lines_through(panicking, Level::INFO, |_| {
        tracing::info_span!("request").in_scope(|| tracing::info!(target: "shop", "kept"));
    });
    assert_eq!(lines, ["levelno=20 name=shop message=kept"]);
    assert!(report::count() > before);
}
