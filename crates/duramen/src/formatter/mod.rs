//! Formatters turn a record into bytes. They do not know where the bytes go.

pub(crate) mod asctime;
mod beginning;
pub mod brace;
pub mod console;
mod conversion;
mod digits;
pub mod dollar;
mod escaping;
mod extra_field;
pub mod json;
mod layout;
pub mod message;
pub mod percent;
pub mod text;

pub use console::ConsoleFormatter;
pub use escaping::EscapingFormatter;
pub use json::{JsonFormatter, LogfmtFormatter};
pub use layout::{Field, Layout, UnsupportedLayout};
pub use text::{Style, TextFormatter};

use crate::Record;

/// Turns a record into one entry of the log, without the terminator.
///
/// Called by a handler for each record that passed its level and filters, from any thread. It
/// appends to `out`, never clears it, and leaves it as it was when it fails.
///
/// ```
/// use duramen::{Formatter, Record};
///
/// /// Tabs between the parts.
/// struct Tabs;
///
/// impl Formatter for Tabs {
///     fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
///         for part in [record.level_name, "\t", record.name, "\t", record.message] {
///             out.extend_from_slice(part.as_bytes());
///         }
///     }
/// }
///
/// duramen::handler::StreamHandler::stderr().set_formatter(std::sync::Arc::new(Tabs));
/// ```
pub trait Formatter: Send + Sync {
    /// Appends the text of `record` to `out`.
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>);
}
