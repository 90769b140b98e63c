//! Nothing.

use super::Handler;
use crate::{Level, Record};

/// Takes every record and does nothing with it: for libraries that leave output to the application.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::{get_logger, handler::NullHandler, warning};
///
/// // In a library: no line on standard error where the application has no handlers.
/// let log = get_logger("my_library");
/// log.add_handler(Arc::new(NullHandler));
/// warning!(log, "for the application's handlers, if there are any");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NullHandler;

impl Handler for NullHandler {
    fn level(&self) -> Level {
        Level::NOTSET
    }

    fn handle(&self, _: &Record<'_>) {}

    fn flush(&self) {}

    fn close(&self) {}
}
