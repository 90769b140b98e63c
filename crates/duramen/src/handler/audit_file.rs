//! Records as an audit trail.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;

use super::Handler;
use super::base::Gate;
use crate::clock::SystemClock;
use crate::formatter::text::TextFormatter;
use crate::fs::Disk;
use crate::redact::Redactor;
use crate::rotation::InvalidOption;
use crate::writer::audit::{AuditOptions, AuditStats, AuditTrail};
use crate::{Filter, Formatter, Level, Record, report};

/// Writes records as an audit trail (see [`crate::writer::audit`]): each is on the disk when the call returns.
///
/// ```
/// use duramen::handler::AuditFileHandler;
/// use duramen::writer::audit::{AuditKey, AuditOptions, Commit};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("audit.log");
/// let options = AuditOptions { commit: Commit::Group, ..AuditOptions::new(AuditKey::new(b"0123456789abcdef")?) };
/// let handler = AuditFileHandler::new(path, options)?;
/// assert_eq!(handler.stats().pending, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AuditFileHandler {
    gate: Gate,
    formatter: RwLock<Arc<dyn Formatter>>,
    redactor: RwLock<Option<Arc<Redactor>>>,
    trail: AuditTrail,
}

impl AuditFileHandler {
    /// Opens the trail at `path`, or begins it.
    ///
    /// # Errors
    /// Those of [`AuditTrail::open`].
    pub fn new(path: impl Into<PathBuf>, options: AuditOptions) -> io::Result<Self> {
        let clock = Arc::new(SystemClock::default());
        Ok(Self::with_trail(AuditTrail::open(Arc::new(Disk), path, options, clock)?))
    }

    /// Writes to `trail`.
    pub fn with_trail(trail: AuditTrail) -> Self {
        let formatter: Arc<dyn Formatter> = Arc::new(TextFormatter::default());
        Self { gate: Gate::default(), formatter: RwLock::new(formatter), redactor: RwLock::default(), trail }
    }

    /// Sets the least severe level that the handler takes.
    pub fn set_level(&self, level: Level) {
        self.gate.set_level(level);
    }

    /// Sets the formatter.
    pub fn set_formatter(&self, formatter: Arc<dyn Formatter>) {
        *self.formatter.write() = formatter;
    }

    /// Adds a filter, which says what the trail is of.
    ///
    /// # Errors
    /// [`InvalidOption`] for one that [holds records back](Filter::holds_back) by their number.
    pub fn add_filter(&self, filter: Arc<dyn Filter>) -> Result<(), InvalidOption> {
        if filter.holds_back() {
            return Err(InvalidOption::new("filters", "one that limits or samples", EXPECTED_FILTERS));
        }
        self.gate.add_filter(filter);
        Ok(())
    }

    /// Writes masked copies of the records from now on.
    pub fn set_redactor(&self, redactor: Arc<Redactor>) {
        *self.redactor.write() = Some(redactor);
    }

    /// What has become of the records.
    pub fn stats(&self) -> AuditStats {
        self.trail.stats()
    }

    fn write(&self, record: &Record<'_>) {
        let formatter = Arc::clone(&self.formatter.read());
        let mut text = Vec::new();
        formatter.format(record, &mut text);
        told(self.trail.append(&text));
    }
}

/// What filters an audit trail may have.
pub const EXPECTED_FILTERS: &str =
    "filters that choose by what a record is: an audit trail drops none of a kind";

fn told(result: io::Result<()>) {
    if let Err(error) = result {
        report::error("AuditFileHandler", &error);
    }
}

impl Handler for AuditFileHandler {
    fn level(&self) -> Level {
        self.gate.level()
    }

    fn handle(&self, record: &Record<'_>) {
        report::guarded("AuditFileHandler", || {
            if !self.gate.passes(record) {
                return;
            }
            let redactor = self.redactor.read().clone();
            match redactor {
                Some(redactor) => redactor.with_masked(record, |record| self.write(record)),
                None => self.write(record),
            }
        });
    }

    fn flush(&self) {
        told(self.trail.flush());
    }

    fn close(&self) {
        told(self.trail.close());
    }
}
