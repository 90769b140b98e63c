//! A file that is rolled over before it grows beyond a size.

use std::io;

use super::{FileWriter, Writer};
use crate::rotation::{Customs, SizeLimit, roll};

/// Writes to a file and rolls it over by size.
pub struct RotatingWriter {
    file: FileWriter,
    limit: SizeLimit,
    customs: Customs,
}

impl RotatingWriter {
    /// Rolls `file` over at `limit`.
    pub fn new(file: FileWriter, limit: SizeLimit, customs: Customs) -> Self {
        Self { file, limit, customs }
    }

    /// Rolls over now, whatever the size.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn roll_over(&mut self) -> io::Result<()> {
        self.file.close()?;
        roll::by_number(self.file.fs().as_ref(), self.file.path(), &self.limit, &self.customs)
    }

    fn is_due(&mut self, entry: &[u8]) -> io::Result<bool> {
        let position = self.file.position()?;
        if !self.limit.is_reached(position, entry.len() as u64) {
            return Ok(false);
        }
        // A pipe or a device cannot be rolled over; a file that is gone can.
        Ok(self.file.fs().status(self.file.path()).map_or(true, |status| status.is_regular))
    }
}

impl Writer for RotatingWriter {
    /// An entry that cannot cause its rollover is still written, to the file as it is.
    fn write_entry(&mut self, entry: &[u8]) -> io::Result<()> {
        let rolled = if self.is_due(entry)? { self.roll_over() } else { Ok(()) };
        self.file.write_entry(entry).and(rolled)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn close(&mut self) -> io::Result<()> {
        self.file.close()
    }
}
