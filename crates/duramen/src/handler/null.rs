//! Nothing.

use super::Handler;
use crate::{Level, Record};

/// Takes every record and does nothing with it: for libraries that leave output to the application.
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
