//! Formatters turn a record into bytes. They do not know where the bytes go.

mod append;
pub(crate) mod asctime;
pub mod brace;
pub mod console;
mod digits;
pub mod dollar;
pub mod json;
mod layout;
pub mod message;
pub mod percent;
pub mod text;

pub use console::ConsoleFormatter;
pub use json::{JsonFormatter, LogfmtFormatter};
pub use layout::{Field, Layout, UnsupportedLayout};
pub use text::{Style, TextFormatter};

use crate::Record;

/// Turns a record into one entry of the log, without the terminator.
///
/// Called by a handler for each record that passed its level and filters, from any thread. It
/// appends to `out`, never clears it, and leaves it as it was when it fails.
pub trait Formatter: Send + Sync {
    /// Appends the text of `record` to `out`.
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>);
}
