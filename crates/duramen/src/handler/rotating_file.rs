//! Records as text in a file that is rolled over by size.

use super::base::BasicHandler;
use super::written::Written;
use crate::rotation::{Customs, SizeLimit};
use crate::writer::{FileWriter, RotatingWriter};

/// Appends to a file, and rolls it over before it grows beyond a size.
///
/// ```
/// use duramen::handler::RotatingFileHandler;
/// use duramen::rotation::{Customs, SizeLimit};
/// use duramen::writer::FileWriter;
///
/// let file = FileWriter::new("app.log");
/// let handler = RotatingFileHandler::new(file, SizeLimit::new(1_000_000, 5), Customs::default());
/// ```
pub type RotatingFileHandler = BasicHandler<Written<RotatingWriter>>;

impl RotatingFileHandler {
    /// Writes with `file` and rolls it over at `limit`.
    pub fn new(file: FileWriter, limit: SizeLimit, customs: Customs) -> Self {
        Self::with_writer(RotatingWriter::new(file, limit, customs))
    }

    /// Writes with `writer`.
    ///
    /// ```
    /// use duramen::handler::RotatingFileHandler;
    /// use duramen::rotation::{Customs, SizeLimit};
    /// use duramen::writer::{FileWriter, Fsync, RotatingWriter};
    ///
    /// let file = FileWriter::new("/var/log/shop.log").fsync(Fsync::OnRotation); // opened at the first record
    /// let writer = RotatingWriter::new(file, SizeLimit::new(1_000_000, 5), Customs::default());
    /// let handler = RotatingFileHandler::with_writer(writer);
    /// ```
    pub fn with_writer(writer: RotatingWriter) -> Self {
        Self::with_destination(Written::new("RotatingFileHandler", writer))
    }
}
