//! Configuration of the program's own tree of loggers.

pub mod basic;

pub use basic::{BasicConfig, ConfigError, basic_config};
