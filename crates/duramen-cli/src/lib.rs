//! The commands of `duramen` that need no Python, for the command of a Rust installation and that of a Python one.

#![deny(unsafe_code)]

mod serve;
mod spool;

pub use serve::serve;
pub use spool::spool;

/// The exit code for a command line, or a file named on it, that cannot be used.
pub const USAGE_ERROR: u8 = 2;
