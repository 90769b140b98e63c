//! Loggers: where an application hands in its records.

mod bound;

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use parking_lot::RwLock;

use crate::clock::Clock;
use crate::context::{self, TraceFields};
use crate::fields::{self, Fields};
use crate::kept_text::KeptText;
use crate::manager::Tree;
use crate::message::Message;
use crate::record::Caller;
use crate::{Filter, Handler, Level, Record, Value, process, report};

pub use bound::BoundLogger;

/// A named entry to the tree of loggers. Clones are the same logger.
///
/// ```
/// use duramen::{Level, Manager, info};
///
/// let manager = Manager::new();
/// let log = manager.get_logger("app.db");
/// assert!(!log.is_enabled_for(Level::INFO)); // the root logger stands at WARNING
/// manager.get_logger("app").set_level(Level::INFO);
/// assert!(log.is_enabled_for(Level::INFO));
/// ```
#[derive(Clone)]
pub struct Logger(Arc<Node>);

/// The state behind a logger.
pub(crate) struct Node {
    name: String,
    level: AtomicI64,
    /// Records below it go nowhere: the effective level, what the manager disables, and whether the
    /// logger is disabled, in one number. The tree computes it whenever one of these changes.
    threshold: AtomicI64,
    is_disabled: AtomicBool,
    propagates: AtomicBool,
    handlers: RwLock<Arc<[Arc<dyn Handler>]>>,
    filters: RwLock<Vec<Arc<dyn Filter>>>,
    parent: RwLock<Option<Logger>>,
    /// What a record meets, put together whenever a part of it changes, so that it takes no lock and counts no
    /// reference: it walks over a list that stays as it is, and handlers may change the lists.
    route: ArcSwap<Route>,
    time: Time,
    tree: Weak<Tree>,
}

/// Where the records of a logger go.
#[derive(Default)]
pub(crate) struct Route {
    filters: Vec<Arc<dyn Filter>>,
    /// Those of the logger and, while they propagate, of its parents.
    handlers: Vec<Arc<dyn Handler>>,
}

/// The clock of a tree, and when it began.
#[derive(Clone)]
pub(crate) struct Time {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) start_ns: i64,
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
    pub(crate) fn new(
        name: &str,
        level: Level,
        parent: Option<Logger>,
        tree: Weak<Tree>,
        time: Time,
    ) -> Self {
        let logger = Self(Arc::new(Node {
            name: name.to_owned(),
            level: AtomicI64::new(level.0),
            threshold: AtomicI64::new(level.0),
            is_disabled: AtomicBool::new(false),
            propagates: AtomicBool::new(true),
            handlers: RwLock::new(Arc::from([])),
            filters: RwLock::default(),
            parent: RwLock::new(parent),
            route: ArcSwap::default(),
            time,
            tree,
        }));
        drop(logger.renewed_route());
        logger
    }

    /// The full name, as `app.db`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The logger's own level; [`Level::NOTSET`] takes the parent's.
    pub fn level(&self) -> Level {
        Level(self.0.level.load(Ordering::Relaxed))
    }

    /// Sets the logger's own level.
    pub fn set_level(&self, level: Level) {
        self.0.level.store(level.0, Ordering::Relaxed);
        self.renew_thresholds();
    }

    /// The level that holds here: the nearest one that is set, from this logger up to the root.
    pub fn effective_level(&self) -> Level {
        let mut current = self.clone();
        loop {
            let level = current.level();
            if level != Level::NOTSET {
                return level;
            }
            match current.parent() {
                Some(parent) => current = parent,
                None => return Level::NOTSET,
            }
        }
    }

    /// True when a record of `level` would be made. One load and one comparison.
    #[inline]
    pub fn is_enabled_for(&self, level: Level) -> bool {
        level.0 >= self.0.threshold.load(Ordering::Relaxed)
    }

    /// The least severe level that is enabled.
    pub(crate) fn threshold(&self) -> Level {
        Level(self.0.threshold.load(Ordering::Relaxed))
    }

    /// Switches the logger off or on; loggers below it are not affected.
    pub fn set_disabled(&self, is_disabled: bool) {
        self.0.is_disabled.store(is_disabled, Ordering::Relaxed);
        self.renew_thresholds();
    }

    /// Whether records go on to the handlers of the parents (default: they do).
    pub fn set_propagate(&self, propagates: bool) {
        self.0.propagates.store(propagates, Ordering::Relaxed);
        self.renew_routes();
    }

    /// The nearest logger above; `None` at the root.
    pub fn parent(&self) -> Option<Logger> {
        self.0.parent.read().clone()
    }

    /// The logger `suffix` below this one.
    #[must_use]
    pub fn child(&self, suffix: &str) -> Logger {
        match self.0.tree.upgrade() {
            Some(tree) if self.parent().is_none() => tree.logger(suffix),
            Some(tree) => tree.logger(&format!("{}.{suffix}", self.name())),
            // The manager is gone; what is made now belongs to no tree.
            None => {
                let (above, time) = (Some(self.clone()), self.0.time.clone());
                Logger::new(suffix, Level::NOTSET, above, Weak::new(), time)
            }
        }
    }

    /// Adds a handler, unless it is there already.
    pub fn add_handler(&self, handler: Arc<dyn Handler>) {
        {
            let mut handlers = self.0.handlers.write();
            if !handlers.iter().any(|other| Arc::ptr_eq(other, &handler)) {
                *handlers = handlers.iter().cloned().chain([handler]).collect();
            }
        }
        self.renew_routes();
    }

    /// Takes a handler away, where it is there. It is not closed.
    pub fn remove_handler(&self, handler: &Arc<dyn Handler>) {
        {
            let mut handlers = self.0.handlers.write();
            *handlers = handlers.iter().filter(|other| !Arc::ptr_eq(other, handler)).cloned().collect();
        }
        self.renew_routes();
    }

    /// The logger's own handlers.
    pub fn handlers(&self) -> Arc<[Arc<dyn Handler>]> {
        Arc::clone(&self.0.handlers.read())
    }

    /// Adds a filter for the records that are made with this logger.
    pub fn add_filter(&self, filter: Arc<dyn Filter>) {
        self.0.filters.write().push(filter);
        self.renew_routes();
    }

    /// True when a record would reach a handler, here or above.
    pub fn has_handlers(&self) -> bool {
        !self.0.route.load().handlers.is_empty()
    }

    /// Makes a record and hands it to the handlers, where the level is enabled. The macros call this. Behind `fields`
    /// the record has those of the [`context`].
    #[inline]
    pub fn log<'m>(
        &self,
        level: Level,
        message: impl Into<Message<'m>>,
        fields: &[(&str, Value<'_>)],
        caller: Caller<'_>,
    ) {
        self.make_and_handle(level, message.into(), fields, &Fields::NONE, caller, None);
    }

    /// As [`Logger::log`], with `error` and what caused it as the record's exception.
    pub fn log_error<'m>(
        &self,
        level: Level,
        error: &dyn Error,
        message: impl Into<Message<'m>>,
        fields: &[(&str, Value<'_>)],
        caller: Caller<'_>,
    ) {
        self.make_and_handle(level, message.into(), fields, &Fields::NONE, caller, Some(error));
    }

    fn make_and_handle(
        &self,
        level: Level,
        message: Message<'_>,
        given: &[(&str, Value<'_>)],
        of_logger: &Fields,
        caller: Caller<'_>,
        error: Option<&dyn Error>,
    ) {
        if !self.is_enabled_for(level) {
            return;
        }
        if self.0.tree.strong_count() == 0 {
            return;
        }
        let kept;
        let message = if let Some(whole) = message.as_str() {
            whole
        } else {
            let is_whole;
            (kept, is_whole) = KeptText::of_message(message);
            if !is_whole {
                report::error(self.name(), &"an argument of a message cannot be shown: its Display failed");
            }
            &kept
        };
        let (of_thread, of_span) = (context::current(), TraceFields::current());
        let joined;
        let fields = if of_logger.is_empty() && of_thread.is_empty() && of_span.is_none() {
            given
        } else {
            let of_span = of_span.iter().flat_map(TraceFields::iter);
            let of_span = of_span.map(|(name, digits)| (name, Value::Text(digits.into())));
            joined = fields::joined(given, of_logger.iter().chain(of_thread.iter()).chain(of_span));
            &joined
        };
        let Time { clock, start_ns } = &self.0.time;
        let created_ns = clock.now_ns();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since the start are far below 2^52")]
        let relative_created_ms = (created_ns - start_ns) as f64 / 1e6;
        self.handle(&Record {
            name: self.name(),
            level,
            level_name: &level.name(),
            message,
            created_ns,
            relative_created_ms,
            caller,
            thread: None,
            thread_name: process::thread_name().as_deref(),
            process: Some(process::id()),
            process_name: None,
            task_name: None,
            fields,
            exception: error.map(error_chain).as_deref(),
            stack: None,
        });
    }

    /// Hands a record that was made elsewhere to the filters and the handlers.
    pub fn handle(&self, record: &Record<'_>) {
        let route = self.0.route.load();
        if !self.0.is_disabled.load(Ordering::Relaxed) && self.passes(&route.filters, record) {
            self.hand_along(&route, record);
        }
    }

    /// Hands a record to the handlers, here and above, without the filters of this logger.
    pub(crate) fn hand_to_handlers(&self, record: &Record<'_>) {
        self.hand_along(&self.0.route.load(), record);
    }

    fn hand_along(&self, route: &Route, record: &Record<'_>) {
        for handler in &route.handlers {
            if record.level >= handler.level() {
                guarded(self.name(), "a handler panicked", || handler.handle(record));
            }
        }
        if route.handlers.is_empty()
            && let Some(tree) = self.0.tree.upgrade()
        {
            tree.handle_without_handlers(record);
        }
    }

    /// A filter that panics lets nothing through: what it might have hidden stays hidden.
    fn passes(&self, filters: &[Arc<dyn Filter>], record: &Record<'_>) -> bool {
        filters.is_empty()
            || guarded(self.name(), "a filter panicked, and the record is dropped", || {
                filters.iter().all(|filter| filter.filter(record))
            })
            .unwrap_or(false)
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

    pub(crate) fn set_parent(&self, parent: Logger) {
        *self.0.parent.write() = Some(parent);
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

    pub(crate) fn take_handlers(&self) -> Arc<[Arc<dyn Handler>]> {
        let taken = std::mem::replace(&mut *self.0.handlers.write(), Arc::from([]));
        self.renew_routes();
        taken
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

    fn renew_routes(&self) {
        match self.0.tree.upgrade() {
            Some(tree) => tree.renew_routes(),
            None => drop(self.renewed_route()),
        }
    }

    fn renew_thresholds(&self) {
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

/// An error and its causes, a line for each.
fn error_chain(error: &dyn Error) -> String {
    let mut text = report::text_of(&error);
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str("\ncaused by: ");
        text.push_str(&report::text_of(&error));
        cause = error.source();
    }
    text
}

impl fmt::Debug for Logger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<Logger {} ({})>", self.name(), self.effective_level().name())
    }
}
