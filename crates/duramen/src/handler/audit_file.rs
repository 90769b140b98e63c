//! Records as an audit trail.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;

use super::Handler;
use super::gate::Gate;
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
///
/// What a trail is of is said by a level and by filters; secrets are masked before they are written for good:
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::filter::{NameFilter, SamplingFilter};
/// use duramen::formatter::JsonFormatter;
/// use duramen::handler::AuditFileHandler;
/// use duramen::redact::Redactor;
/// use duramen::writer::audit::{AuditKey, AuditOptions};
/// use duramen::{Handler, Level, Manager, info};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("audit.log");
/// let handler = Arc::new(AuditFileHandler::new(&path, AuditOptions::new(AuditKey::new(b"0123456789abcdef")?))?);
/// handler.set_level(Level::INFO);
/// handler.set_formatter(Arc::new(JsonFormatter::default()));
/// handler.set_redactor(Arc::new(Redactor::builder().pack("credentials").build()?));
/// handler.add_filter(Arc::new(NameFilter::new("shop.payments")))?;
/// let refused = handler.add_filter(Arc::new(SamplingFilter::new(0.1)?));
/// assert!(refused.unwrap_err().to_string().starts_with("filters: found one that limits or samples"));
///
/// let manager = Manager::new();
/// manager.root().set_level(Level::INFO);
/// manager.root().add_handler(handler.clone());
/// info!(manager.get_logger("shop.payments"), "refunded, password=hunter2");
/// assert_eq!(handler.stats().written, 1);
/// handler.close();
/// assert!(std::fs::read_to_string(path)?.contains("refunded, password=***"));
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
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::clock::SystemClock;
    /// use duramen::fs::Disk;
    /// use duramen::handler::AuditFileHandler;
    /// use duramen::writer::audit::{AuditKey, AuditOptions, AuditTrail};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("audit.log");
    /// // The same trail on another file system, or by another clock.
    /// let options = AuditOptions::new(AuditKey::new(b"0123456789abcdef")?);
    /// let trail = AuditTrail::open(Arc::new(Disk), path, options, Arc::new(SystemClock::default()))?;
    /// let handler = AuditFileHandler::with_trail(trail);
    /// assert_eq!(handler.stats().written, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
pub(crate) const EXPECTED_FILTERS: &str =
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

    fn failed(&self) -> Option<u64> {
        Some(self.stats().lost)
    }

    fn flush(&self) {
        told(self.trail.flush());
    }

    fn close(&self) {
        told(self.trail.close());
    }
}
