//! A handler and a filter of one's own: errors are counted, and the noise of one logger is left out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use duramen::{Filter, Handler, Level, Record, error, get_logger, root, warning};

/// Counts the records that reach it.
#[derive(Default)]
struct Counter(AtomicU64);

impl Handler for Counter {
    fn level(&self) -> Level {
        Level::ERROR
    }

    fn handle(&self, _: &Record<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn flush(&self) {}

    fn close(&self) {}
}

/// Lets everything through but health checks.
struct NoHealthChecks;

impl Filter for NoHealthChecks {
    fn filter(&self, record: &Record<'_>) -> bool {
        !record.message.contains("/health")
    }
}

fn main() {
    let counter = Arc::new(Counter::default());
    root().add_handler(counter.clone());

    let access = get_logger("web.access");
    access.add_filter(Arc::new(NoHealthChecks));
    error!(access, "GET /health 503");
    error!(access, "GET /orders 500");
    warning!(access, "GET /slow 200");

    println!("{} error counted", counter.0.load(Ordering::Relaxed));
}
