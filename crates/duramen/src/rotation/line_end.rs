//! Lines that have an end, in a file to which several processes write.
//!
//! A record is one `write(2)`. What is longer than a page of memory the system copies in parts, and Linux ends a process that
//! is killed between two of them: the last line has no end then, as after a disk that was full. The record itself was never
//! said to be written; the next one, of another process, would stand on the same line. What holds:
//!
//! 1. Records longer than [`PART`], and all that comes by a queue, are written while the file is locked as for a rollover, so
//!    that no other one of them comes right behind a part. Who has the lock looks at the last byte, and ends a line that has
//!    no end.
//! 2. Who looks at the length of the file now and then, and finds that others have written, looks at the last byte as well.
//!
//! What is left is a short record that comes after the kill of a process with a long one and before one of these looks: it is
//! in the file with all of its bytes, but not at the beginning of a line.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::turn::{self, Turn};
use crate::fs::{FileIdentity, FileSystem, LockedFile};

/// So many bytes, a page of memory, are written with nobody in between; those of a longer record may be written in parts.
///
/// ```
/// use duramen::rotation::line_end::PART;
///
/// let takes_the_lock = |line: &str| line.len() > PART;
/// assert!(!takes_the_lock("a line of text\n"));
/// ```
pub const PART: usize = 4096;

/// Somebody who writes without the lock has most likely written all of his line after so long, where the system does not say.
const MOMENT: Duration = Duration::from_millis(1);

/// What is held while bytes are written that may be written in parts: the lock of the file ends when it is dropped.
///
/// ```
/// use duramen::rotation::line_end::Secured;
///
/// // What goes in front of a line.
/// fn in_front(secured: &Secured) -> &'static str {
///     if secured.lacks_end { "\n" } else { "" }
/// }
/// ```
#[derive(Debug)]
pub struct Secured {
    /// The last line of the file has no end: whoever wrote it was killed, or had no room.
    pub lacks_end: bool,
    _lock: Option<Box<dyn LockedFile>>,
}

/// Another file is at the path: others have rolled the own one over.
///
/// ```
/// use duramen::fs::{Disk, FileIdentity};
/// use duramen::rotation::line_end::{Moved, secure};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("app.log");
/// std::fs::write(&path, "of somebody else\n")?;
/// let own = FileIdentity { device: 0, inode: 0 };
/// assert_eq!(secure(&Disk, &path, own).unwrap_err(), Moved);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved;

/// Locks the file at `path`, which the caller has open as `own`, and looks at its last line; `None` where somebody else has
/// held the lock for [`turn::PATIENCE`], and where there is no file at the path: who goes on with one that was renamed
/// shares it with nobody who comes.
///
/// ```
/// use duramen::fs::{Disk, FileSystem as _};
/// use duramen::rotation::line_end::secure;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("app.log");
/// std::fs::write(&path, "a line\na part")?;
/// if let Some(own) = Disk.status(&path)?.identity {
///     let secured = secure(&Disk, &path, own);
///     assert!(secured.is_ok_and(|secured| secured.is_some_and(|secured| secured.lacks_end)));
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// [`Moved`]: the caller has to open it anew.
pub fn secure(fs: &dyn FileSystem, path: &Path, own: FileIdentity) -> Result<Option<Secured>, Moved> {
    match turn::take(fs, path, Some(own)) {
        Turn::Ours(lock) => Ok(Some(Secured { lacks_end: is_cut(fs, path, own), _lock: lock })),
        Turn::Taken => Ok(None),
        Turn::Moved if !fs.exists(path) => Ok(None),
        Turn::Moved => Err(Moved),
    }
}

/// Whether the file at `path`, `own`, has a last line without an end, or one that somebody is about to end; false where it
/// cannot be read.
///
/// ```
/// use duramen::fs::{Disk, FileSystem as _};
/// use duramen::rotation::line_end::lacks_end;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("app.log");
/// std::fs::write(&path, "a line\na part")?;
/// let own = Disk.status(&path)?.identity;
/// assert!(own.is_none_or(|own| lacks_end(&Disk, &path, own)));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn lacks_end(fs: &dyn FileSystem, path: &Path, own: FileIdentity) -> bool {
    end(fs, path, own, 1).is_ok_and(|(_, last)| last.is_some_and(|last| !last.is_empty() && last != b"\n"))
}

/// The same for a line that nobody is about to end: one across the end of a page may be seen when half of it is there.
pub(crate) fn is_cut(fs: &dyn FileSystem, path: &Path, own: FileIdentity) -> bool {
    let look = || match end(fs, path, own, 1) {
        Ok((length, Some(last))) if !last.is_empty() && last != b"\n" => Some(length),
        _ => None,
    };
    let first = look();
    if first.is_none() {
        return false;
    }
    if !fs.read(path).is_ok_and(|file| file.await_writes()) {
        turn::wait(MOMENT);
    }
    look() == first
}

/// Whether the file at `path`, `own`, ends with `bytes`; `None` where that cannot be told.
pub(crate) fn ends_with(fs: &dyn FileSystem, path: &Path, own: FileIdentity, bytes: &[u8]) -> Option<bool> {
    end(fs, path, own, bytes.len()).ok()?.1.map(|last| last == bytes)
}

/// The length of the file, and its last bytes; without them if it is another file by now.
fn end(
    fs: &dyn FileSystem,
    path: &Path,
    own: FileIdentity,
    length: usize,
) -> io::Result<(u64, Option<Vec<u8>>)> {
    let mut file = fs.read(path)?;
    let status = file.status()?;
    if status.identity != Some(own) {
        return Ok((status.length, None));
    }
    Ok((status.length, Some(file.read_end(length)?)))
}
