//! Other crates' ways to log, which lead to Duramen's loggers.

pub mod log;
