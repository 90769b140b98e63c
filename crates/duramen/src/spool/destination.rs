//! Where the lines of a journal go.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use super::system;

/// Where lines go, in words that another process understands.
///
/// ```
/// use std::io::Write;
///
/// use duramen::spool::Destination;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("app.log");
/// let destination = Destination::File(path.clone());
/// destination.open().unwrap().write_all(b"one\n").unwrap(); // appends
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
