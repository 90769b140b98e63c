//! Where the lines of a journal go.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use super::system;
use crate::fs::{Disk, FileStatus, LogFile};
use crate::rotation::line_end;

/// Where lines go, in words that another process understands.
///
/// ```
/// use duramen::spool::Destination;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("app.log");
/// std::fs::write(&path, "a line that was cut").unwrap();
/// let destination = Destination::File(path.clone());
/// let file = destination.open().unwrap();
/// destination.append(&file, b"one\n").unwrap();
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "a line that was cut\none\n");
/// assert_eq!(destination.to_string(), path.display().to_string());
/// assert_eq!(Destination::Stdout.to_string(), "standard output");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// They are appended to a file, named by its whole path.
    File(PathBuf),
    /// They go to the standard output of who delivers them.
    Stdout,
    /// They go to the standard error of who delivers them.
    Stderr,
}

impl Destination {
    /// A file, which is made where it does not exist, or a descriptor of its own for a stream. A pipe with a name that nobody
    /// reads is an error: it is not waited for.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn open(&self) -> io::Result<File> {
        match self {
            Self::File(path) => system::open_for_appending(path),
            Self::Stdout => system::duplicate(&io::stdout()),
            Self::Stderr => system::duplicate(&io::stderr()),
        }
    }

    /// Appends a line to `file`, which it has opened. A line without an end, as a process leaves it that is killed while it
    /// writes, gets one first, so that this one stands at the beginning of its own.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn append(&self, mut file: &File, line: &[u8]) -> io::Result<()> {
        let secured = match (self, LogFile::status(file)) {
            (Self::File(path), Ok(FileStatus { is_regular: true, identity: Some(own), .. })) => {
                line_end::secure(&Disk, path, own).unwrap_or(None)
            }
            _ => None,
        };
        if line.ends_with(b"\n") && secured.as_ref().is_some_and(|secured| secured.lacks_end) {
            file.write_all(b"\n")?;
        }
        file.write_all(line)
    }

    /// Its kind and path, as the table of a journal has them; `None` for a path that is too long, or not Unicode on a
    /// system where paths are no bytes.
    pub(super) fn encode(&self, table: &mut Vec<u8>) -> Option<()> {
        let (kind, path) = match self {
            Self::File(path) => (0_u16, system::bytes_of_path(path)?),
            Self::Stdout => (1, &[][..]),
            Self::Stderr => (2, &[][..]),
        };
        table.extend(kind.to_le_bytes());
        table.extend(u16::try_from(path.len()).ok()?.to_le_bytes());
        table.extend_from_slice(path);
        Some(())
    }

    /// All that are in the table of a journal.
    #[expect(clippy::indexing_slicing, reason = "it is a chunk of four bytes")]
    pub(super) fn decode_all(mut table: &[u8]) -> Option<Vec<Self>> {
        let mut all = Vec::new();
        while !table.is_empty() {
            let (start, rest) = table.split_at_checked(4)?;
            let kind = u16::from_le_bytes([start[0], start[1]]);
            let (path, rest) = rest.split_at_checked(u16::from_le_bytes([start[2], start[3]]).into())?;
            all.push(match kind {
                0 => Self::File(system::path_of_bytes(path)?),
                1 if path.is_empty() => Self::Stdout,
                2 if path.is_empty() => Self::Stderr,
                _ => return None,
            });
            table = rest;
        }
        Some(all)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Stdout => formatter.write_str("standard output"),
            Self::Stderr => formatter.write_str("standard error"),
        }
    }
}
