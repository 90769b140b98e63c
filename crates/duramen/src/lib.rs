//! Duramen: Python's `logging`, natively in Rust.
//!
//! A record travels logger → filters → handlers → formatter → writer, as in Python's `logging`
//! module, whose terms are used throughout. This crate knows no Python.
//!
//! ```
//! use duramen::{Level, config, get_logger, info};
//!
//! config::basic_config().level(Level::INFO).apply().unwrap();
//! let log = get_logger("app.db");
//! info!(log, "connected to {}", "primary"; attempts = 2);
//! ```
//!
//! docs/rust.md leads from here to a program in production: fields, context, files, other crates.

#![deny(unsafe_code)]
// Library code does not panic; where an exception is made, it says why it cannot come to that.
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented,
        clippy::get_unwrap,
        clippy::indexing_slicing,
        clippy::string_slice
    )
)]

mod append;
pub mod background;
pub mod clock;
pub mod config;
pub mod context;
mod ending;
pub mod error;
mod fields;
pub mod filter;
pub mod formatter;
#[cfg(any(feature = "log", feature = "tracing"))]
pub mod front;
pub mod fs;
pub mod handler;
mod kept_text;
pub mod level;
pub mod logger;
#[doc(hidden)]
pub mod macro_support;
mod macros;
pub mod manager;
pub mod message;
pub mod owned_record;
pub mod process;
pub mod queue;
pub mod record;
pub mod redact;
pub mod report;
pub mod rotation;
#[cfg(feature = "serve")]
pub mod serve;
pub mod spool;
mod sync;
pub mod value;
pub mod writer;

pub use filter::Filter;
pub use formatter::Formatter;
pub use handler::Handler;
pub use level::Level;
pub use logger::{BoundLogger, Logger};
pub use manager::{Manager, get_logger, root};
pub use owned_record::OwnedRecord;
pub use record::Record;
pub use value::Value;

/// The examples of the guide run with those of this documentation.
#[cfg(all(doctest, feature = "yaml"))]
#[doc = include_str!("../../../docs/rust.md")]
struct Guide;

/// So does that of the journal.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/journal.md")]
struct JournalGuide;
