//! Duramen: Python's `logging`, natively in Rust.
//!
//! A record travels logger → filters → handlers → formatter → writer, as in Python's `logging`
//! module, whose terms are used throughout. This crate knows no Python.

#![forbid(unsafe_code)]

pub mod filter;
pub mod formatter;
pub mod fs;
pub mod handler;
pub mod level;
pub mod record;
pub mod rotation;
pub mod value;

pub use filter::Filter;
pub use formatter::Formatter;
pub use handler::Handler;
pub use level::Level;
pub use record::Record;
pub use value::Value;
