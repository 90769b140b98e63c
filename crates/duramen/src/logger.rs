//! Loggers: where an application hands in its records.

mod bound;
mod making;
mod route;
mod within;

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use parking_lot::RwLock;

use crate::clock::Clock;
use crate::fields::Fields;
use crate::manager::Tree;
use crate::message::Message;
use crate::record::Caller;
use crate::{Filter, Handler, Level, Record, Value};

pub use bound::BoundLogger;
pub(crate) use route::{LoggerState, Route};

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

/// The clock of a tree, and when it began.
#[derive(Clone)]
pub(crate) struct Time {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) start_ns: i64,
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
    ///
    /// ```
    /// assert_eq!(duramen::get_logger("app.db").name(), "app.db");
    /// assert_eq!(duramen::root().name(), "root");
    /// ```
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The logger's own level; [`Level::NOTSET`] takes the parent's.
    ///
    /// ```
    /// use duramen::{Level, Manager};
    ///
    /// let log = Manager::new().get_logger("app");
    /// assert_eq!((log.level(), log.effective_level()), (Level::NOTSET, Level::WARNING));
    /// ```
    pub fn level(&self) -> Level {
        Level(self.0.level.load(Ordering::Relaxed))
    }

    /// Sets the logger's own level.
    ///
    /// ```
    /// use duramen::{Level, Manager};
    ///
    /// let manager = Manager::new();
    /// manager.get_logger("app").set_level(Level::DEBUG);
    /// assert!(manager.get_logger("app.db").is_enabled_for(Level::DEBUG)); // by its parent
    /// assert!(!manager.get_logger("other").is_enabled_for(Level::DEBUG));
    /// ```
    pub fn set_level(&self, level: Level) {
        self.0.level.store(level.0, Ordering::Relaxed);
        self.renew_thresholds();
    }

    /// The level that holds here: the nearest one that is set, from this logger up to the root.
    ///
    /// ```
    /// use duramen::{Level, Manager};
    ///
    /// let manager = Manager::new();
    /// manager.get_logger("app").set_level(Level::ERROR);
    /// assert_eq!(manager.get_logger("app.db.pool").effective_level(), Level::ERROR);
    /// ```
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
    ///
    /// ```
    /// use duramen::{Level, debug, get_logger};
    ///
    /// fn expensive() -> String {
    ///     "a long report".to_owned()
    /// }
    ///
    /// let log = get_logger("app");
    /// debug!(log, "{}", expensive()); // the macros ask themselves, before they evaluate anything
    /// if log.is_enabled_for(Level::DEBUG) {
    ///     let report = expensive();
    ///     debug!(log, "first half: {}", &report[..report.len() / 2]);
    /// }
    /// ```
    #[inline]
    pub fn is_enabled_for(&self, level: Level) -> bool {
        level.0 >= self.0.threshold.load(Ordering::Relaxed)
    }

    /// Switches the logger off or on; loggers below it are not affected.
    ///
    /// ```
    /// use duramen::{Level, Manager};
    ///
    /// let manager = Manager::new();
    /// let (app, db) = (manager.get_logger("app"), manager.get_logger("app.db"));
    /// app.set_disabled(true);
    /// assert!(!app.is_enabled_for(Level::CRITICAL) && db.is_enabled_for(Level::CRITICAL));
    /// ```
    pub fn set_disabled(&self, is_disabled: bool) {
        self.0.is_disabled.store(is_disabled, Ordering::Relaxed);
        self.renew_thresholds();
    }

    /// Whether the logger is switched off, by [`Logger::set_disabled`] or a configuration.
    ///
    /// ```
    /// use duramen::{Manager, config};
    ///
    /// let manager = Manager::new();
    /// let log = manager.get_logger("app");
    /// config::from_json(r#"{"version": 1}"#).unwrap().apply_to(&manager).unwrap(); // names no loggers
    /// assert!(log.is_disabled());
    /// ```
    pub fn is_disabled(&self) -> bool {
        self.0.is_disabled.load(Ordering::Relaxed)
    }

    /// Whether records go on to the handlers of the parents: Python's attribute `propagate`.
    ///
    /// ```
    /// use duramen::Manager;
    ///
    /// let log = Manager::new().get_logger("app");
    /// assert!(log.propagates());
    /// log.set_propagate(false);
    /// assert!(!log.propagates());
    /// ```
    pub fn propagates(&self) -> bool {
        self.0.propagates.load(Ordering::Relaxed)
    }

    /// Whether records go on to the handlers of the parents (default: they do). One that is on its way, to the handler that
    /// calls this for instance, goes where it would have gone before.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::handler::{FileHandler, StreamHandler};
    /// use duramen::{Manager, warning};
    ///
    /// let path = std::env::temp_dir().join(format!("access-{}.log", std::process::id()));
    /// let manager = Manager::new();
    /// manager.root().add_handler(Arc::new(StreamHandler::stderr()));
    /// let access = manager.get_logger("shop.access");
    /// access.add_handler(Arc::new(FileHandler::new(&path).unwrap()));
    /// access.set_propagate(false); // in the file alone, not on standard error as well
    /// warning!(access, "GET /");
    /// assert_eq!(std::fs::read_to_string(&path).unwrap(), "GET /\n");
    /// # std::fs::remove_file(path).unwrap();
    /// ```
    pub fn set_propagate(&self, propagates: bool) {
        self.0.propagates.store(propagates, Ordering::Relaxed);
        self.renew_routes();
    }

    /// The nearest logger above; `None` at the root.
    ///
    /// ```
    /// use duramen::Manager;
    ///
    /// let manager = Manager::new();
    /// assert_eq!(manager.get_logger("app").parent().unwrap().name(), "root");
    /// assert!(manager.root().parent().is_none());
    /// ```
    pub fn parent(&self) -> Option<Logger> {
        self.0.parent.read().clone()
    }

    /// The logger `suffix` below this one.
    ///
    /// ```
    /// let log = duramen::get_logger("app");
    /// assert_eq!(log.child("db.pool").name(), "app.db.pool");
    /// assert_eq!(duramen::root().child("app").name(), "app");
    /// ```
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
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{Manager, handler::StreamHandler, warning};
    ///
    /// let manager = Manager::new();
    /// let handler = Arc::new(StreamHandler::stdout());
    /// manager.root().add_handler(handler.clone());
    /// manager.root().add_handler(handler); // it is there already
    /// assert_eq!(manager.root().handlers().len(), 1);
    /// warning!(manager.get_logger("any"), "to standard output, once");
    /// ```
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
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{Handler, Manager, handler::StreamHandler};
    ///
    /// let root = Manager::new().root();
    /// let handler: Arc<dyn Handler> = Arc::new(StreamHandler::stdout());
    /// root.add_handler(Arc::clone(&handler));
    /// root.remove_handler(&handler);
    /// handler.close();
    /// assert!(root.handlers().is_empty());
    /// ```
    pub fn remove_handler(&self, handler: &Arc<dyn Handler>) {
        {
            let mut handlers = self.0.handlers.write();
            *handlers = handlers.iter().filter(|other| !Arc::ptr_eq(other, handler)).cloned().collect();
        }
        self.renew_routes();
    }

    /// The logger's own handlers.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{Level, Manager, handler::NullHandler};
    ///
    /// let manager = Manager::new();
    /// manager.root().add_handler(Arc::new(NullHandler));
    /// assert_eq!(manager.root().handlers()[0].level(), Level::NOTSET);
    /// assert!(manager.get_logger("app").handlers().is_empty()); // those above are not its own
    /// ```
    pub fn handlers(&self) -> Arc<[Arc<dyn Handler>]> {
        Arc::clone(&self.0.handlers.read())
    }

    /// Adds a filter for the records that are made with this logger.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{Filter, Manager, Record, warning};
    ///
    /// /// Holds back what a load balancer asks for all day.
    /// struct WithoutHealthChecks;
    ///
    /// impl Filter for WithoutHealthChecks {
    ///     fn filter(&self, record: &Record<'_>) -> bool {
    ///         !record.message.starts_with("GET /health")
    ///     }
    /// }
    ///
    /// let access = Manager::new().get_logger("shop.access");
    /// access.add_filter(Arc::new(WithoutHealthChecks));
    /// warning!(access, "GET /health"); // is held back
    /// ```
    pub fn add_filter(&self, filter: Arc<dyn Filter>) {
        self.0.filters.write().push(filter);
        self.renew_routes();
    }

    /// Takes a filter away, where it is there.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::filter::NameFilter;
    /// use duramen::{Filter, Manager};
    ///
    /// let log = Manager::new().get_logger("shop");
    /// let filter: Arc<dyn Filter> = Arc::new(NameFilter::new("shop.orders"));
    /// log.add_filter(Arc::clone(&filter));
    /// log.remove_filter(&filter);
    /// ```
    pub fn remove_filter(&self, filter: &Arc<dyn Filter>) {
        self.0.filters.write().retain(|other| !Arc::ptr_eq(other, filter));
        self.renew_routes();
    }

    /// True when a record would reach a handler, here or above.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{Manager, handler::NullHandler};
    ///
    /// let manager = Manager::new();
    /// let log = manager.get_logger("app");
    /// assert!(!log.has_handlers());
    /// manager.root().add_handler(Arc::new(NullHandler));
    /// assert!(log.has_handlers());
    /// ```
    pub fn has_handlers(&self) -> bool {
        !self.0.route.load().handlers.is_empty()
    }

    /// Makes a record and hands it to the handlers, where the level is enabled. The macros call this. Behind `fields`
    /// the record has those of the [`context`](crate::context).
    ///
    /// ```
    /// use duramen::record::Caller;
    /// use duramen::{Level, Value, get_logger};
    ///
    /// let caller = Caller::of_source(file!(), line!(), module_path!());
    /// let fields = [("order", Value::Integer(17))];
    /// get_logger("shop").log(Level::WARNING, format_args!("{} waits", "ada"), &fields, caller);
    /// ```
    #[inline]
    pub fn log<'m>(
        &self,
        level: Level,
        message: impl Into<Message<'m>>,
        fields: &[(&str, Value<'_>)],
        caller: Caller<'_>,
    ) {
        self.make_and_handle(level, &message.into(), fields, &Fields::NONE, &caller, None);
    }

    /// As [`Logger::log`], with `error` and what caused it as the record's exception.
    ///
    /// ```
    /// use duramen::record::Caller;
    /// use duramen::{Level, get_logger};
    ///
    /// let error = "seven".parse::<u32>().unwrap_err();
    /// let caller = Caller::of_source(file!(), line!(), module_path!());
    /// // The message, and below it `invalid digit found in string`:
    /// get_logger("shop").log_error(Level::ERROR, &error, "no number", &[], caller);
    /// ```
    pub fn log_error<'m>(
        &self,
        level: Level,
        error: &dyn Error,
        message: impl Into<Message<'m>>,
        fields: &[(&str, Value<'_>)],
        caller: Caller<'_>,
    ) {
        self.make_and_handle(level, &message.into(), fields, &Fields::NONE, &caller, Some(error));
    }

    /// Hands a record that was made elsewhere to the filters and the handlers.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{Handler, Level, Logger, Manager, Record, handler::NullHandler};
    ///
    /// /// A handler that hands its records to the loggers of another manager.
    /// struct Forward(Logger);
    ///
    /// impl Handler for Forward {
    ///     fn level(&self) -> Level {
    ///         Level::NOTSET
    ///     }
    ///     fn handle(&self, record: &Record<'_>) {
    ///         self.0.handle(record); // whatever the level of the logger is
    ///     }
    ///     fn flush(&self) {}
    ///     fn close(&self) {}
    /// }
    ///
    /// let (one, other) = (Manager::new(), Manager::new());
    /// other.root().add_handler(Arc::new(NullHandler));
    /// one.root().add_handler(Arc::new(Forward(other.root())));
    /// duramen::warning!(one.root(), "handled twice");
    /// ```
    #[inline]
    pub fn handle(&self, record: &Record<'_>) {
        let route = self.0.route.load();
        if !self.0.is_disabled.load(Ordering::Relaxed) && self.passes(&route.filters, record) {
            self.hand_along(&route, record);
        }
    }

    pub(crate) fn set_parent(&self, parent: Logger) {
        *self.0.parent.write() = Some(parent);
    }

    pub(crate) fn take_handlers(&self) -> Arc<[Arc<dyn Handler>]> {
        let taken = std::mem::replace(&mut *self.0.handlers.write(), Arc::from([]));
        self.renew_routes();
        taken
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<Logger {} ({})>", self.name(), self.effective_level().name())
    }
}
