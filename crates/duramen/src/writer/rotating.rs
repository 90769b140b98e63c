//! A file that is rolled over before it grows beyond a size.

use std::io;

use super::looks_first::{LooksFirst, writer_that_looks_first};
use super::{FileWriter, Writer as _};
use crate::fs::FileStatus;
use crate::rotation::{Customs, SizeLimit, Turn, Upkeep, roll, turn};

/// Writes to a file and rolls it over by size. Several processes may do so with the same file: see
/// [`turn`].
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::clock::SystemClock;
/// use duramen::fs::Disk;
/// use duramen::rotation::{Compression, Customs, SizeLimit, Upkeep, UpkeepOptions};
/// use duramen::writer::{FileWriter, RotatingWriter, Writer};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("app.log");
/// let options = UpkeepOptions { backup_count: 5, compression: Some(Compression::Zstd), ..UpkeepOptions::default() };
/// let upkeep = Upkeep::new(Arc::new(Disk), &path, options, Arc::new(SystemClock::default()))?;
/// let limit = SizeLimit::new(1_000_000, 0);
/// let mut writer =
///     RotatingWriter::new(FileWriter::new(&path), limit, Customs::default()).with_upkeep(upkeep.clone());
/// writer.write_entry(b"one\n")?;
/// writer.roll_over()?; // now, whatever the size
/// writer.close()?;
/// assert_eq!(upkeep.stats().rolled_over, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RotatingWriter {
    file: FileWriter,
    limit: SizeLimit,
    customs: Customs,
    upkeep: Option<Upkeep>,
}

impl RotatingWriter {
    /// Rolls `file` over at `limit`.
    pub fn new(file: FileWriter, limit: SizeLimit, customs: Customs) -> Self {
        Self { file: file.shared(), limit, customs, upkeep: None }
    }

    /// Leaves the names of backups, and which of them are kept, to `upkeep`. The number that the limit keeps and the
    /// customs do not count then.
    #[must_use]
    pub fn with_upkeep(self, upkeep: Upkeep) -> Self {
        Self { upkeep: Some(upkeep), ..self }
    }

    /// Rolls over now, whatever the size.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn roll_over(&mut self) -> io::Result<()> {
        let closed = self.file.close();
        self.rename_closed(closed)
    }

    /// Rolls over the file, which has been closed.
    fn rename_closed(&mut self, closed: io::Result<()>) -> io::Result<()> {
        if let Some(upkeep) = &self.upkeep {
            upkeep.roll_over(None)?;
        } else {
            roll::by_number(self.file.fs().as_ref(), self.file.path(), &self.limit, &self.customs)?;
        }
        closed.and(self.file.has_moved())
    }

    /// Rolls over, where `entry` makes that necessary and no other process has done it.
    fn roll_over_if_due(&mut self, entry: &[u8]) -> io::Result<()> {
        for _ in 0..turn::MOST_ROUNDS {
            let Some(own) = self.due_file(entry)? else { return Ok(()) };
            match turn::take(self.file.fs().as_ref(), self.file.path(), own.identity) {
                Turn::Moved => self.file.reopen()?,
                Turn::Taken => return Ok(()),
                Turn::Ours(_lock) => {
                    let closed = self.file.close_locked();
                    return self.rename_closed(closed);
                }
            }
        }
        Ok(())
    }

    /// The open file, if `entry` is not to be written to it.
    fn due_file(&mut self, entry: &[u8]) -> io::Result<Option<FileStatus>> {
        // Its length is that which all of its writers have given it.
        let limit = &self.limit;
        let is_full = |length| limit.is_reached(length, entry.len() as u64);
        let Some(open) = self.file.due(limit.max_bytes(), is_full)? else { return Ok(None) };
        // A pipe or a device cannot be rolled over; a file that is gone can.
        let is_regular = self.file.fs().status(self.file.path()).map_or(true, |status| status.is_regular);
        Ok(is_regular.then_some(open))
    }
}

writer_that_looks_first!(RotatingWriter);

impl LooksFirst for RotatingWriter {
    fn file(&self) -> &FileWriter {
        &self.file
    }

    fn file_mut(&mut self) -> &mut FileWriter {
        &mut self.file
    }

    fn look(&mut self, entry: &[u8]) -> io::Result<()> {
        self.roll_over_if_due(entry)
    }

    fn upkeep(&self) -> Option<&Upkeep> {
        self.upkeep.as_ref()
    }
}
