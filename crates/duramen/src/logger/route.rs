//! What a record meets: the threshold of its logger, then filters and handlers, put together beforehand.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Logger;
use super::within::within;
use crate::{Filter, Handler, Level, Record, report};

/// Where the records of a logger go.
#[derive(Default)]
pub(crate) struct Route {
    pub(super) filters: Vec<Arc<dyn Filter>>,
    /// Those of the logger and, while they propagate, of its parents.
    pub(super) handlers: Vec<Arc<dyn Handler>>,
}

/// What a configuration says of a logger.
pub(crate) struct LoggerState {
    /// `None` leaves it as it is.
    pub(crate) level: Option<Level>,
    pub(crate) propagates: bool,
    pub(crate) handlers: Vec<Arc<dyn Handler>>,
    pub(crate) filters: Vec<Arc<dyn Filter>>,
}

impl Default for LoggerState {
    fn default() -> Self {
        Self { level: None, propagates: true, handlers: Vec::new(), filters: Vec::new() }
    }
}

impl Logger {
    /// The least severe level that is enabled.
    pub(crate) fn threshold(&self) -> Level {
        Level(self.0.threshold.load(Ordering::Relaxed))
    }

    /// Hands a record to the handlers, here and above, without the filters of this logger.
    pub(crate) fn hand_to_handlers(&self, record: &Record<'_>) {
        self.hand_along(&self.0.route.load(), record);
    }

    #[inline]
    pub(super) fn hand_along(&self, route: &Route, record: &Record<'_>) {
        for handler in &route.handlers {
            guarded(self.name(), "a handler panicked", || {
                if record.level >= handler.level() {
                    let address = Arc::as_ptr(handler).cast();
                    self.unless_again(within(address, || handler.handle(record)));
                }
            });
        }
        if route.handlers.is_empty()
            && let Some(tree) = self.0.tree.upgrade()
        {
            tree.handle_without_handlers(record);
        }
    }

    /// A filter that panics lets nothing through: what it might have hidden stays hidden.
    #[inline]
    pub(super) fn passes(&self, filters: &[Arc<dyn Filter>], record: &Record<'_>) -> bool {
        filters.is_empty()
            || guarded(self.name(), "a filter panicked, and the record is dropped", || {
                let address = Arc::as_ptr(&self.0).cast();
                self.unless_again(within(address, || filters.iter().all(|filter| filter.filter(record))))
            })
            .flatten()
            .unwrap_or(false)
    }

    /// Says so where code of the application was not run, since it is running.
    #[inline]
    fn unless_again<T>(&self, run: Option<T>) -> Option<T> {
        if run.is_none() {
            let what = "a record that a handler or a filter has made, about one that it has made, is dropped";
            report::error(self.name(), &what);
        }
        run
    }

    /// Puts the route together anew; what was there comes back, for the caller to drop where no lock is held: handlers
    /// may be dropped with it.
    #[must_use]
    pub(crate) fn renewed_route(&self) -> Arc<Route> {
        let filters = self.0.filters.read().clone();
        let mut handlers = Vec::new();
        let mut next = Some(self.clone());
        while let Some(logger) = next {
            handlers.extend_from_slice(&logger.handlers());
            next = if logger.0.propagates.load(Ordering::Relaxed) { logger.parent() } else { None };
        }
        self.0.route.swap(Arc::new(Route { filters, handlers }))
    }

    /// Puts all that a configuration says of a logger in the place of what was there, and switches it on.
    pub(crate) fn put_state(&self, state: LoggerState) {
        let replaced = (
            std::mem::replace(&mut *self.0.filters.write(), state.filters),
            std::mem::replace(&mut *self.0.handlers.write(), state.handlers.into()),
        );
        drop(replaced);
        self.set_propagate(state.propagates);
        if let Some(level) = state.level {
            self.0.level.store(level.0, Ordering::Relaxed);
        }
        self.set_disabled(false);
    }

    /// Computes the threshold anew; records up to `disabled` go nowhere in the whole tree.
    pub(crate) fn renew_threshold(&self, disabled: Level) {
        let threshold = if self.0.is_disabled.load(Ordering::Relaxed) {
            i64::MAX
        } else {
            self.effective_level().0.max(disabled.0.saturating_add(1))
        };
        self.0.threshold.store(threshold, Ordering::Relaxed);
    }

    pub(super) fn renew_routes(&self) {
        match self.0.tree.upgrade() {
            Some(tree) => tree.renew_routes(),
            None => drop(self.renewed_route()),
        }
    }

    pub(super) fn renew_thresholds(&self) {
        match self.0.tree.upgrade() {
            Some(tree) => tree.renew_thresholds(),
            None => self.renew_threshold(Level::NOTSET),
        }
    }
}

/// Runs code of the application, whose panic does not reach the logging call; `None` when it panicked.
fn guarded<T>(logger: &str, what_happened: &str, run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| report::error(logger, &what_happened)).ok()
}
