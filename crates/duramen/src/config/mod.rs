//! Configuration of the program's own tree of loggers.
//!
//! [`basic_config`] is for one output. All else is Python's schema for `logging.config.dictConfig`, as JSON, YAML
//! or TOML, or `fileConfig`'s INI form; docs/rust-configuration.md has the options. A configuration is known in three
//! forms: as it is written (a [`Value`]), checked ([`Settings`]), and built (handlers and loggers, when it is
//! applied).
//!
//! ```
//! use duramen::config;
//!
//! let settings = config::from_json(r#"{
//!     "version": 1,
//!     "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
//!     "handlers": {"screen": {"class": "logging.StreamHandler", "formatter": "line"}},
//!     "root": {"level": "INFO", "handlers": ["screen"]}
//! }"#).unwrap();
//! settings.apply().unwrap();
//! ```

mod apply;
pub mod basic;
mod check;
mod configured;
mod error;
mod kinds;
mod options;
mod read;
mod references;
mod registry;
mod reload;
mod steps;

use std::path::Path;

pub use basic::{BasicConfig, basic_config};
pub use check::Settings;
pub use error::{ConfigError, Mistakes};
pub use options::Options;
pub use registry::{Parts, Recipe, Registry};
pub use reload::Reloader;

use crate::Value;

/// The examples of the guide run with those of this documentation.
#[cfg(all(doctest, feature = "toml", feature = "yaml"))]
#[doc = include_str!("../../../../docs/rust-configuration.md")]
struct Guide;

/// The settings in a configuration that has been read already.
///
/// ```
/// use duramen::{Value, config};
///
/// let written = Value::Map(vec![
///     ("version".into(), Value::Integer(1)),
///     ("root".into(), Value::Map(vec![("level".into(), Value::Text("INFO".into()))])),
/// ]);
/// config::from_dict(&written).unwrap().apply().unwrap();
/// ```
///
/// # Errors
/// [`ConfigError::Mistakes`] with all that is wrong.
pub fn from_dict(written: &Value<'_>) -> Result<Settings, ConfigError> {
    Registry::new().from_dict(written)
}

/// The settings in the file at `path`. The ending of its name says what is in it: `.json`, `.yaml`, `.yml`, `.toml`,
/// or, for the INI form, `.ini`, `.cfg`, `.conf`.
///
/// ```
/// use duramen::config;
///
/// let error = config::from_file("/no/such/logging.yaml").err().unwrap();
/// assert!(error.to_string().starts_with("cannot read the configuration file /no/such/logging.yaml"));
/// ```
///
/// # Errors
/// [`ConfigError::Unreadable`], or [`ConfigError::Mistakes`] with all that is wrong.
pub fn from_file(path: impl AsRef<Path>) -> Result<Settings, ConfigError> {
    Registry::new().from_file(path)
}

/// The settings in a text of JSON.
///
/// ```
/// use duramen::config;
///
/// config::from_json(r#"{"version": 1, "root": {"level": "INFO"}}"#).unwrap().apply().unwrap();
/// ```
///
/// # Errors
/// [`ConfigError::Mistakes`] with all that is wrong.
pub fn from_json(text: &str) -> Result<Settings, ConfigError> {
    Registry::new().from_json(text)
}

/// The settings in a text of YAML.
///
/// ```
/// use duramen::config;
///
/// config::from_yaml("{version: 1, loggers: {shop.orders: {level: DEBUG}}}").unwrap().apply().unwrap();
/// ```
///
/// # Errors
/// [`ConfigError::Mistakes`] with all that is wrong.
#[cfg(feature = "yaml")]
pub fn from_yaml(text: &str) -> Result<Settings, ConfigError> {
    Registry::new().from_yaml(text)
}

/// The settings in a text of TOML.
///
/// ```
/// use duramen::config;
///
/// config::from_toml("version = 1\n[loggers.\"shop.orders\"]\nlevel = \"DEBUG\"").unwrap().apply().unwrap();
/// ```
///
/// # Errors
/// [`ConfigError::Mistakes`] with all that is wrong.
#[cfg(feature = "toml")]
pub fn from_toml(text: &str) -> Result<Settings, ConfigError> {
    Registry::new().from_toml(text)
}

/// The settings in a text in the INI form of Python's `fileConfig`. Its arguments are literals, `sys.stdout` or
/// `sys.stderr`; nothing is evaluated.
///
/// ```
/// use duramen::config;
///
/// let text = "
/// [loggers]
/// keys = root
/// [handlers]
/// keys = screen
/// [formatters]
/// keys =
/// [logger_root]
/// level = INFO
/// handlers = screen
/// [handler_screen]
/// class = StreamHandler
/// args = (sys.stdout,)
/// ";
/// config::from_ini(text).unwrap().apply().unwrap();
/// ```
///
/// # Errors
/// [`ConfigError::Mistakes`] with all that is wrong.
pub fn from_ini(text: &str) -> Result<Settings, ConfigError> {
    Registry::new().from_ini(text)
}
