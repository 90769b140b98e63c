//! The `log` crate's records. Needs the feature `log`.

use log::kv::{self, VisitSource, VisitValue};
use log::{LevelFilter, Metadata, SetLoggerError};

use crate::record::Caller;
use crate::{Level, Manager, Value, manager, report};

/// Takes all that the program logs by the `log` crate to its own loggers.
///
/// A target becomes the logger's name, with dots in place of `::`; keys and values become extra fields. `trace!` has
/// level 5, which [`add_level_name`](crate::level::add_level_name) can give a name. Of what no logger takes, `log`
/// itself takes no notice: its maximal level follows the loggers' levels.
///
/// ```
/// duramen::front::log::init().unwrap();
/// log::warn!(target: "shop::orders", order = 7; "{} is late", "it"); // the logger is `shop.orders`
/// ```
///
/// # Errors
/// Where the program has set a logger of `log`'s already.
pub fn init() -> Result<(), SetLoggerError> {
    let manager = manager::global();
    log::set_boxed_logger(Box::new(LogBackend::new(manager.clone())))?;
    manager.watch_threshold(|threshold| log::set_max_level(filter_of(threshold)));
    Ok(())
}

/// A logger of the `log` crate's that hands its records to the loggers of a manager.
///
/// [`init`] is for a program's own manager. Who sets this one himself also sets `log`'s maximal level.
///
/// ```
/// use duramen::front::log::LogBackend;
/// use duramen::{Level, Manager};
/// use log::Log;
///
/// let manager = Manager::new();
/// manager.get_logger("hyper.client").set_level(Level::DEBUG);
/// let backend = LogBackend::new(manager); // for a test, or a program that has several managers
/// let metadata = |target| log::Metadata::builder().level(log::Level::Debug).target(target).build();
/// assert!(backend.enabled(&metadata("hyper::client")));
/// assert!(!backend.enabled(&metadata("hyper::server")));
/// ```
pub struct LogBackend(Manager);

impl LogBackend {
    /// Hands records to the loggers of `manager`.
    pub fn new(manager: Manager) -> Self {
        Self(manager)
    }

    fn logger(&self, target: &str) -> crate::Logger {
        if target.contains("::") {
            self.0.get_logger(&target.replace("::", "."))
        } else {
            self.0.get_logger(target)
        }
    }
}

impl log::Log for LogBackend {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.logger(metadata.target()).is_enabled_for(level_of(metadata.level()))
    }

    fn log(&self, record: &log::Record<'_>) {
        let (logger, level) = (self.logger(record.target()), level_of(record.level()));
        if !logger.is_enabled_for(level) {
            return;
        }
        let mut fields = Fields(Vec::new());
        // The visitor itself never fails; a source that does has given what it could.
        if let Err(error) = record.key_values().visit(&mut fields) {
            report::error(logger.name(), &error);
        }
        let fields: Vec<_> = fields.0.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        let (file, module) = (record.file().unwrap_or_default(), record.module_path().unwrap_or_default());
        let caller = Caller::of_source(file, record.line().unwrap_or(0), module);
        logger.log(level, *record.args(), &fields, caller);
    }

    fn flush(&self) {
        self.0.flush();
    }
}

fn level_of(level: log::Level) -> Level {
    match level {
        log::Level::Error => Level::ERROR,
        log::Level::Warn => Level::WARNING,
        log::Level::Info => Level::INFO,
        log::Level::Debug => Level::DEBUG,
        log::Level::Trace => Level(5),
    }
}

/// What `log` has to let through so that all from `threshold` on arrive.
fn filter_of(threshold: Level) -> LevelFilter {
    log::Level::iter()
        .filter(|level| level_of(*level) >= threshold)
        .last()
        .map_or(LevelFilter::Off, |level| level.to_level_filter())
}

/// Keys and values as extra fields; a key that stands twice has its last value.
struct Fields(Vec<(String, Value<'static>)>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let mut taken = Taken(Value::Null);
        value.visit(&mut taken)?;
        self.0.retain(|(other, _)| other != key.as_str());
        self.0.push((key.as_str().to_owned(), taken.0));
        Ok(())
    }
}

/// One value as Duramen has it.
struct Taken(Value<'static>);

impl VisitValue<'_> for Taken {
    /// What has a text alone: code of the application, which may panic.
    fn visit_any(&mut self, value: kv::Value<'_>) -> Result<(), kv::Error> {
        self.0 = Value::Text(report::text_of(&value).into());
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        self.0 = Value::Null;
        Ok(())
    }

    fn visit_u64(&mut self, number: u64) -> Result<(), kv::Error> {
        self.visit_u128(number.into())
    }

    fn visit_i64(&mut self, number: i64) -> Result<(), kv::Error> {
        self.0 = Value::Integer(number);
        Ok(())
    }

    fn visit_u128(&mut self, number: u128) -> Result<(), kv::Error> {
        let integer = i64::try_from(number).map(Value::Integer);
        self.0 = integer.unwrap_or_else(|_| Value::BigInteger(number.to_string().into()));
        Ok(())
    }

    fn visit_i128(&mut self, number: i128) -> Result<(), kv::Error> {
        let integer = i64::try_from(number).map(Value::Integer);
        self.0 = integer.unwrap_or_else(|_| Value::BigInteger(number.to_string().into()));
        Ok(())
    }

    fn visit_f64(&mut self, number: f64) -> Result<(), kv::Error> {
        self.0 = Value::Float(number);
        Ok(())
    }

    fn visit_bool(&mut self, flag: bool) -> Result<(), kv::Error> {
        self.0 = Value::Bool(flag);
        Ok(())
    }

    fn visit_str(&mut self, text: &str) -> Result<(), kv::Error> {
        self.0 = Value::Text(text.to_owned().into());
        Ok(())
    }
}
