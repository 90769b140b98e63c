//! Other crates' ways to log, which lead to Duramen's loggers.

#[cfg(feature = "log")]
pub mod log;
#[cfg(feature = "tracing")]
pub mod tracing;
