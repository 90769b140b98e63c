//! Managers: each holds a tree of loggers. A program usually has one, behind [`get_logger`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};

use crate::clock::{Clock, SystemClock};
use crate::handler::{StreamHandler, on_all};
use crate::logger::{Route, Time};
use crate::{Handler, Level, Logger, Record};

static GLOBAL: LazyLock<Manager> = LazyLock::new(Manager::new);

/// The logger `name` of the program's own manager; an empty name is the root.
///
/// ```
/// use duramen::{get_logger, warning};
///
/// let log = get_logger("shop.orders"); // below `shop`, which is below the root
/// warning!(log, "low on {}", "paper");
/// assert_eq!(log.name(), "shop.orders");
/// ```
pub fn get_logger(name: &str) -> Logger {
    GLOBAL.get_logger(name)
}

/// The root logger of the program's own manager.
///
/// ```
/// use duramen::{Level, get_logger, root};
///
/// root().set_level(Level::INFO);
/// assert!(get_logger("any.logger").is_enabled_for(Level::INFO));
/// ```
pub fn root() -> Logger {
    GLOBAL.root()
}

/// Switches off all records up to `level` in the program's own manager; [`Level::NOTSET`] switches them on.
///
/// ```
/// use duramen::{Level, get_logger, manager};
///
/// manager::disable(Level::WARNING);
/// assert!(!get_logger("shop").is_enabled_for(Level::WARNING));
/// manager::disable(Level::NOTSET);
/// assert!(get_logger("shop").is_enabled_for(Level::WARNING));
/// ```
pub fn disable(level: Level) {
    GLOBAL.disable(level);
}

/// Flushes and closes the handlers of the program's own manager. Call it before the program ends.
///
/// ```
/// use duramen::{get_logger, info, manager};
///
/// info!(get_logger("shop"), "the last record");
/// manager::shutdown(); // nothing waits in memory any more
/// ```
pub fn shutdown() {
    GLOBAL.shutdown();
}

/// The program's own manager.
pub(crate) fn global() -> Manager {
    GLOBAL.clone()
}

/// A tree of loggers of its own, apart from every other. Clones are the same tree, which ends with the last of them: what is
/// made with its loggers after that goes nowhere, and is counted by [`report::count`](crate::report::count).
///
/// ```
/// use duramen::{Level, Manager};
///
/// let (one, other) = (Manager::new(), Manager::new());
/// one.root().set_level(Level::DEBUG);
/// assert!(one.get_logger("shop").is_enabled_for(Level::DEBUG));
/// assert!(!other.get_logger("shop").is_enabled_for(Level::DEBUG));
/// ```
#[derive(Clone)]
pub struct Manager(Arc<Tree>);

impl Manager {
    /// A tree with a root logger at [`Level::WARNING`], and standard error as the last resort.
    ///
    /// ```
    /// use duramen::{Level, Manager};
    ///
    /// assert_eq!(Manager::new().root().level(), Level::WARNING);
    /// ```
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock::default()))
    }

    /// A tree whose records take their time from `clock`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    ///
    /// use duramen::clock::Clock;
    /// use duramen::formatter::{Style, TextFormatter};
    /// use duramen::handler::StreamHandler;
    /// use duramen::{Manager, warning};
    ///
    /// /// The time stands still, for a test.
    /// #[derive(Debug)]
    /// struct Noon;
    ///
    /// impl Clock for Noon {
    ///     fn now_ns(&self) -> i64 {
    ///         12 * 3600 * 1_000_000_000
    ///     }
    ///     fn elapsed(&self) -> Duration {
    ///         Duration::ZERO
    ///     }
    /// }
    ///
    /// let manager = Manager::with_clock(Arc::new(Noon));
    /// let handler = StreamHandler::stdout();
    /// handler.set_formatter(Arc::new(TextFormatter::new("%(created)d %(message)s", None, Style::Percent).unwrap()));
    /// manager.root().add_handler(Arc::new(handler));
    /// warning!(manager.root(), "lunch"); // 43200 lunch
    /// ```
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let last_resort = StreamHandler::stderr();
        last_resort.set_level(Level::WARNING);
        let time = Time { start_ns: clock.now_ns(), clock };
        Self(Arc::new_cyclic(|tree| Tree {
            root: Logger::new("root", Level::WARNING, None, tree.clone(), time.clone()),
            loggers: Mutex::default(),
            disabled: RwLock::new(Level::NOTSET),
            last_resort: RwLock::new(Some(Arc::new(last_resort))),
            time,
            named: RwLock::new(Arc::from([])),
            watcher: RwLock::default(),
            left: Mutex::default(),
            this: tree.clone(),
        }))
    }

    /// The logger `name`, which is made where there is none; dots separate the levels of the tree, and an
    /// empty name is the root.
    ///
    /// ```
    /// use duramen::Manager;
    ///
    /// let manager = Manager::new();
    /// let pool = manager.get_logger("app.db.pool");
    /// assert_eq!(pool.parent().unwrap().name(), "root");
    /// manager.get_logger("app.db"); // comes between
    /// assert_eq!(pool.parent().unwrap().name(), "app.db");
    /// ```
    pub fn get_logger(&self, name: &str) -> Logger {
        self.0.logger(name)
    }

    /// The root logger.
    ///
    /// ```
    /// use duramen::{Manager, error};
    ///
    /// let manager = Manager::new();
    /// error!(manager.root(), "to standard error, as there is no handler");
    /// ```
    pub fn root(&self) -> Logger {
        self.0.root.clone()
    }

    /// Hands a record that was made elsewhere to the logger that it names, where its level is enabled; whether it is.
    /// A logger that nobody has asked for is not made: the nearest one above stands for it, as it would for a new one.
    ///
    /// ```
    /// use duramen::record::Caller;
    /// use duramen::{Level, Manager, OwnedRecord, Record};
    ///
    /// let record = Record {
    ///     name: "shop.orders",
    ///     level: Level::DEBUG,
    ///     level_name: "DEBUG",
    ///     message: "received from another process",
    ///     created_ns: 1_700_000_000_000_000_000,
    ///     relative_created_ms: 0.0,
    ///     caller: Caller::of_source("orders.rs", 7, "shop::orders"),
    ///     thread: None, thread_name: None, process: None, process_name: None, task_name: None,
    ///     fields: &[],
    ///     exception: None,
    ///     stack: None,
    /// };
    /// assert!(!Manager::new().handle(&record)); // nobody wants records at DEBUG
    /// ```
    pub fn handle(&self, record: &Record<'_>) -> bool {
        let (logger, is_its_own) = self.0.nearest(record.name);
        if is_its_own {
            let is_enabled = logger.is_enabled_for(record.level);
            if is_enabled {
                logger.handle(record);
            }
            return is_enabled;
        }
        // Whether the one above is disabled, and its filters, are for records that are made with it.
        let is_enabled = record.level >= logger.effective_level() && record.level > *self.0.disabled.read();
        if is_enabled {
            logger.hand_to_handlers(record);
        }
        is_enabled
    }

    /// Switches off all records up to `level`; [`Level::NOTSET`] switches them on.
    ///
    /// ```
    /// use duramen::{Level, Manager};
    ///
    /// let manager = Manager::new();
    /// manager.disable(Level::ERROR);
    /// let log = manager.get_logger("shop");
    /// assert!(!log.is_enabled_for(Level::ERROR) && log.is_enabled_for(Level::CRITICAL));
    /// ```
    pub fn disable(&self, level: Level) {
        *self.0.disabled.write() = level;
        self.0.renew_thresholds();
    }

    /// Sets what takes the records for which there is no handler at all; `None` drops them.
    ///
    /// ```
    /// use duramen::{Manager, error};
    ///
    /// let manager = Manager::new();
    /// manager.set_last_resort(None);
    /// error!(manager.root(), "goes nowhere: there is no handler");
    /// ```
    pub fn set_last_resort(&self, handler: Option<Arc<dyn Handler>>) {
        *self.0.last_resort.write() = handler;
    }

    /// Flushes all handlers, then closes them. They stay where they are. One that panics keeps no other from its end.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{Manager, handler::FileHandler, warning};
    ///
    /// let path = std::env::temp_dir().join(format!("shutdown-{}.log", std::process::id()));
    /// let manager = Manager::new();
    /// manager.root().add_handler(Arc::new(FileHandler::buffered(&path, 64 * 1024).unwrap()));
    /// warning!(manager.root(), "held back");
    /// manager.shutdown();
    /// assert_eq!(std::fs::read_to_string(&path).unwrap(), "held back\n");
    /// # std::fs::remove_file(path).unwrap();
    /// ```
    pub fn shutdown(&self) {
        self.flush();
        on_all("manager", &self.all_handlers(), "when it was closed", |handler| handler.close());
    }

    /// Flushes all handlers.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::handler::{AsyncHandler, StreamHandler};
    /// use duramen::{Manager, queue::Options, warning};
    ///
    /// let manager = Manager::new();
    /// let behind = Arc::new(StreamHandler::stdout());
    /// manager.root().add_handler(Arc::new(AsyncHandler::new(vec![behind], Options::default()).unwrap()));
    /// warning!(manager.root(), "through a queue");
    /// manager.flush(); // waits until the line is written
    /// ```
    pub fn flush(&self) {
        on_all("manager", &self.all_handlers(), "in a flush", |handler| handler.flush());
    }

    /// Tells `watcher` the least severe level that any logger takes, now and whenever levels change.
    #[cfg(feature = "log")]
    pub(crate) fn watch_threshold(&self, watcher: impl Fn(Level) + Send + Sync + 'static) {
        *self.0.watcher.write() = Some(Box::new(watcher));
        self.0.renew_thresholds();
    }

    /// The root logger and all others that there are.
    pub(crate) fn all_loggers(&self) -> Vec<Logger> {
        self.0.all()
    }

    /// See [`Tree::await_records_on_their_way`].
    pub(crate) fn await_records_on_their_way(&self) {
        self.0.await_records_on_their_way();
    }

    /// All handlers, once each: those of loggers, then those of the configuration that only other handlers use.
    pub(crate) fn all_handlers(&self) -> Vec<Arc<dyn Handler>> {
        let named = self.named_handlers();
        self.attached_and(named.iter().map(|named| named.handler.clone()))
    }

    /// The handlers of all loggers, each once, without those that are behind others.
    #[cfg(feature = "serve")]
    pub(crate) fn attached_handlers(&self) -> Vec<Arc<dyn Handler>> {
        self.attached_and(std::iter::empty())
    }

    fn attached_and(&self, others: impl Iterator<Item = Arc<dyn Handler>>) -> Vec<Arc<dyn Handler>> {
        let mut handlers: Vec<Arc<dyn Handler>> = Vec::new();
        let attached = self.0.all().into_iter().flat_map(|logger| logger.handlers().to_vec());
        for handler in attached.chain(others) {
            if !handlers.iter().any(|other| Arc::ptr_eq(other, &handler)) {
                handlers.push(handler);
            }
        }
        handlers
    }

    /// The handlers of the configuration that holds.
    pub(crate) fn named_handlers(&self) -> Arc<[NamedHandler]> {
        Arc::clone(&self.0.named.read())
    }

    pub(crate) fn set_named_handlers(&self, named: Vec<NamedHandler>) {
        *self.0.named.write() = named.into();
    }
}

/// What is told of the least severe level that any logger takes. It changes no logger.
type Watcher = dyn Fn(Level) + Send + Sync;

/// A handler that a configuration has made, with the name that it has there.
pub(crate) struct NamedHandler {
    pub(crate) name: String,
    /// The least severe level that the handler takes.
    pub(crate) level: Arc<AtomicI64>,
    pub(crate) handler: Arc<dyn Handler>,
}

impl NamedHandler {
    pub(crate) fn set_level(&self, level: Level) {
        self.level.store(level.0, Ordering::Relaxed);
    }
}

impl Default for Manager {
    fn default() -> Self {
        Self::new()
    }
}

/// The state behind a manager.
pub(crate) struct Tree {
    root: Logger,
    /// By full name. Python keeps placeholders for names that exist only as part of others; here they are
    /// the gaps in the order.
    loggers: Mutex<BTreeMap<String, Logger>>,
    disabled: RwLock<Level>,
    last_resort: RwLock<Option<Arc<dyn Handler>>>,
    time: Time,
    named: RwLock<Arc<[NamedHandler]>>,
    /// Is told the least severe level that any logger takes.
    watcher: RwLock<Option<Box<Watcher>>>,
    /// Routes along which records were on their way when others took their places.
    left: Mutex<Vec<Weak<Route>>>,
    this: Weak<Tree>,
}

impl Tree {
    pub(crate) fn logger(&self, name: &str) -> Logger {
        if name.is_empty() {
            return self.root.clone();
        }
        let mut loggers = self.loggers.lock();
        if let Some(logger) = loggers.get(name) {
            return logger.clone();
        }
        let parent = ancestors(name).find_map(|ancestor| loggers.get(ancestor)).unwrap_or(&self.root);
        let (this, time) = (self.this.clone(), self.time.clone());
        let logger = Logger::new(name, Level::NOTSET, Some(parent.clone()), this, time);
        // Those below that were made earlier hang at the new logger, unless one in between is nearer. Their routes stay
        // as they are: the new one has no handlers, and propagates.
        let prefix = format!("{name}.");
        for (_, descendant) in
            loggers.range(prefix.clone()..).take_while(|(other, _)| other.starts_with(&prefix))
        {
            if descendant.parent().is_none_or(|above| !above.name().starts_with(&prefix)) {
                descendant.set_parent(logger.clone());
            }
        }
        logger.renew_threshold(*self.disabled.read());
        loggers.insert(name.to_owned(), logger.clone());
        logger
    }

    /// The logger `name`, or the nearest one above that there is; whether it is the first.
    fn nearest(&self, name: &str) -> (Logger, bool) {
        if name.is_empty() || name == self.root.name() {
            return (self.root.clone(), true);
        }
        let loggers = self.loggers.lock();
        if let Some(logger) = loggers.get(name) {
            return (logger.clone(), true);
        }
        let above = ancestors(name).find_map(|ancestor| loggers.get(ancestor)).unwrap_or(&self.root);
        (above.clone(), false)
    }

    /// All loggers, the root first.
    fn all(&self) -> Vec<Logger> {
        let loggers = self.loggers.lock();
        std::iter::once(&self.root).chain(loggers.values()).cloned().collect()
    }

    pub(crate) fn renew_thresholds(&self) {
        // The lock keeps two changes from storing an older result over a newer one.
        let loggers = self.loggers.lock();
        let disabled = *self.disabled.read();
        for logger in std::iter::once(&self.root).chain(loggers.values()) {
            logger.renew_threshold(disabled);
        }
        if let Some(watcher) = &*self.watcher.read() {
            let thresholds = std::iter::once(&self.root).chain(loggers.values()).map(Logger::threshold);
            watcher(thresholds.min().unwrap_or(Level::NOTSET));
        }
    }

    /// Puts together anew where the records of each logger go.
    pub(crate) fn renew_routes(&self) {
        // The lock keeps two changes from storing an older result over a newer one.
        let loggers = self.loggers.lock();
        let all = std::iter::once(&self.root).chain(loggers.values());
        let replaced: Vec<_> = all.map(Logger::renewed_route).collect();
        drop(loggers);
        let mut left = self.left.lock();
        left.retain(|route| route.strong_count() > 0);
        // Who looks along one has it too by now: the exchange has seen to that.
        left.extend(replaced.iter().filter(|route| Arc::strong_count(route) > 1).map(Arc::downgrade));
        drop(left);
        drop(replaced);
    }

    /// Waits until the records that were on their way when routes were replaced have come to their handlers, a second at
    /// most: a handler may be stalled, or be the one that asks.
    #[expect(clippy::disallowed_methods, reason = "a call that has come to its handlers tells nobody")]
    pub(crate) fn await_records_on_their_way(&self) {
        const LONGEST: Duration = Duration::from_secs(1);
        const PAUSE: Duration = Duration::from_millis(1);
        let until = Instant::now() + LONGEST;
        while self.left.lock().iter().any(|route| route.strong_count() > 0) && Instant::now() < until {
            thread::sleep(PAUSE);
        }
    }

    pub(crate) fn handle_without_handlers(&self, record: &Record<'_>) {
        let handler = self.last_resort.read().clone();
        if let Some(handler) = handler
            && record.level >= handler.level()
        {
            handler.handle(record);
        }
    }
}

/// The names above `name`, the nearest first: `a.b` and `a` for `a.b.c`.
#[expect(clippy::string_slice, reason = "the place was found in it")]
fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    name.rmatch_indices('.').map(|(dot, _)| &name[..dot])
}
