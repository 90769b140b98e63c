//! Loggers with fields of their own.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::fields::Fields;
use crate::message::Message;
use crate::record::Caller;
use crate::value::ToValue;
use crate::{Level, Logger, Value};

/// A logger with fields that each of its records carries, as Python's `LoggerAdapter`. [`Logger::bind`] makes one.
///
/// The macros take it in the place of a logger. Levels, handlers and filters are those of the [`Logger`] behind it.
/// Clones share the fields, which never change: binding gives another one.
///
/// ```
/// use duramen::{fields, get_logger, info};
///
/// let log = get_logger("shop").bind(fields![request_id = %"7f3a"]);
/// info!(log, "one record"; step = 1); // with step=1 request_id=7f3a
/// let log = log.bind(fields![user_id = 123, step = 0]);
/// info!(log, "another one"; step = 2); // with step=2 request_id=7f3a user_id=123
/// ```
///
/// Which of several fields of the same name stays: [`context`](crate::context).
#[derive(Clone)]
pub struct BoundLogger {
    logger: Logger,
    fields: Fields,
}

impl Logger {
    /// This logger with fields that each record of it carries.
    ///
    /// ```
    /// use duramen::{Value, get_logger};
    ///
    /// let log = get_logger("shop").bind([("user_id", 123)]);
    /// assert_eq!(log.get(), [("user_id".to_owned(), Value::Integer(123))]);
    /// ```
    #[must_use]
    pub fn bind<K: Into<Cow<'static, str>>, V: ToValue>(
        &self,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> BoundLogger {
        BoundLogger { logger: self.clone(), fields: Fields::NONE.with(fields) }
    }
}

impl BoundLogger {
    /// The logger without the fields.
    ///
    /// ```
    /// let log = duramen::get_logger("shop").bind([("user_id", 123)]);
    /// assert_eq!(log.logger().name(), "shop");
    /// ```
    pub fn logger(&self) -> &Logger {
        &self.logger
    }

    /// The same logger with `fields` too; those with the name of an earlier one replace it.
    ///
    /// ```
    /// use duramen::{Value, get_logger};
    ///
    /// let log = get_logger("shop").bind([("user_id", 123)]).bind([("user_id", 124)]);
    /// assert_eq!(log.get(), [("user_id".to_owned(), Value::Integer(124))]);
    /// ```
    #[must_use]
    pub fn bind<K: Into<Cow<'static, str>>, V: ToValue>(
        &self,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self { logger: self.logger.clone(), fields: self.fields.with(fields) }
    }

    /// The same logger without the fields called so; names that are not bound are left alone.
    ///
    /// ```
    /// let log = duramen::get_logger("shop").bind([("user_id", 123), ("order", 7)]);
    /// assert_eq!(log.unbind(["user_id"]).get().len(), 1);
    /// ```
    #[must_use]
    pub fn unbind<K: AsRef<str>>(&self, names: impl IntoIterator<Item = K>) -> Self {
        Self { logger: self.logger.clone(), fields: self.fields.without(names) }
    }

    /// A copy of the fields, by the names that they have on records.
    ///
    /// ```
    /// let log = duramen::get_logger("shop").bind([("name", "ada")]);
    /// assert_eq!(log.get()[0].0, "name_"); // `name` is the logger's name on each record
    /// ```
    pub fn get(&self) -> Vec<(String, Value<'static>)> {
        self.fields.to_vec()
    }

    /// True when a record of `level` would be made: [`Logger::is_enabled_for`].
    ///
    /// ```
    /// use duramen::{Level, Manager};
    ///
    /// let log = Manager::new().get_logger("shop").bind([("user_id", 123)]);
    /// assert!(log.is_enabled_for(Level::WARNING) && !log.is_enabled_for(Level::INFO));
    /// ```
    #[inline]
    pub fn is_enabled_for(&self, level: Level) -> bool {
        self.logger.is_enabled_for(level)
    }

    /// Makes a record with the fields and hands it to the handlers: [`Logger::log`]. The macros call this.
    ///
    /// ```
    /// use duramen::{Level, fields, get_logger, record::Caller};
    ///
    /// let log = get_logger("shop").bind([("user_id", 123)]);
    /// let caller = Caller::of_source(file!(), line!(), module_path!());
    /// log.log(Level::ERROR, format_args!("no answer"), &fields![attempt = 3], caller);
    /// ```
    #[inline]
    pub fn log<'m>(
        &self,
        level: Level,
        message: impl Into<Message<'m>>,
        fields: &[(&str, Value<'_>)],
        caller: Caller<'_>,
    ) {
        self.logger.make_and_handle(level, &message.into(), fields, &self.fields, &caller, None);
    }

    /// As [`BoundLogger::log`], with `error` and what caused it as the record's exception.
    ///
    /// ```
    /// use duramen::{Level, get_logger, record::Caller};
    ///
    /// let log = get_logger("shop").bind([("user_id", 123)]);
    /// let caller = Caller::of_source(file!(), line!(), module_path!());
    /// log.log_error(Level::ERROR, &std::fmt::Error, format_args!("no answer"), &[], caller);
    /// ```
    pub fn log_error<'m>(
        &self,
        level: Level,
        error: &dyn Error,
        message: impl Into<Message<'m>>,
        fields: &[(&str, Value<'_>)],
        caller: Caller<'_>,
    ) {
        self.logger.make_and_handle(level, &message.into(), fields, &self.fields, &caller, Some(error));
    }
}

impl fmt::Debug for BoundLogger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = self.logger.effective_level();
        write!(out, "<BoundLogger {} ({})>", self.logger.name(), level.name())
    }
}
