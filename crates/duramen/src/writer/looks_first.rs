//! Writers that look at their file before each entry: whether it is due, or still the one at its path.

use std::io;

use super::FileWriter;
use crate::rotation::Upkeep;

/// Such a writer. All but the look is the file's own.
pub(super) trait LooksFirst {
    /// The file.
    fn file(&self) -> &FileWriter;

    /// The file, to be written to.
    fn file_mut(&mut self) -> &mut FileWriter;

    /// Looks, and does what is due before `entry` is written. Where that fails, the entry is still written, to the file as
    /// it is.
    fn look(&mut self, entry: &[u8]) -> io::Result<()>;

    /// Who looks after its backups. What is being compressed when the writer is closed is waited for, as long as
    /// [`LONGEST_END`](crate::rotation::upkeep::LONGEST_END).
    fn upkeep(&self) -> Option<&Upkeep> {
        None
    }
}

/// Makes a writer of what looks first. Written out for each type, so that its documentation shows that it is one.
macro_rules! writer_that_looks_first {
    ($writer:ty) => {
        impl $crate::writer::Writer for $writer {
            fn write_entry(&mut self, entry: &[u8]) -> io::Result<()> {
                let looked = self.look(entry);
                self.file_mut().write_entry(entry).and(looked)
            }

            fn hold_back(&mut self) {
                self.file_mut().hold_back();
            }

            fn flush_buffer(&mut self) -> io::Result<()> {
                self.file_mut().flush_buffer()
            }

            fn release(&mut self) -> io::Result<()> {
                self.file_mut().release()
            }

            fn failed(&self) -> Option<u64> {
                self.file().failed()
            }

            fn place(&self) -> Option<$crate::spool::Destination> {
                self.file().place()
            }

            fn flush(&mut self) -> io::Result<()> {
                self.file_mut().flush()
            }

            fn close(&mut self) -> io::Result<()> {
                let closed = self.file_mut().close();
                if let Some(upkeep) = self.upkeep() {
                    upkeep.wait_for_work($crate::rotation::upkeep::LONGEST_END);
                }
                closed
            }
        }
    };
}

pub(super) use writer_that_looks_first;
