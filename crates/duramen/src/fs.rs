//! The door to the disk.
//!
//! What writes, rolls over or lists files does so through [`FileSystem`], so that tests can put a full or
//! failing disk in its place. [`Disk`] is the real one.

use std::fmt::Debug;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The operations on a file system that logging needs.
pub trait FileSystem: Debug + Send + Sync {
    /// Opens `path` for appending, and makes it where it does not exist; `truncate` empties it first.
    ///
    /// # Errors
    /// Those of the operating system.
    fn open(&self, path: &Path, truncate: bool) -> io::Result<Box<dyn LogFile>>;

    /// What is known of the file that `path` names now.
    ///
    /// # Errors
    /// Those of the operating system; [`io::ErrorKind::NotFound`] where there is none.
    fn status(&self, path: &Path) -> io::Result<FileStatus>;

    /// Gives the file `from` the name `to`, in place of a file that has it already.
    ///
    /// # Errors
    /// Those of the operating system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Deletes a file.
    ///
    /// # Errors
    /// Those of the operating system.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The paths of all that is in `directory`, in no particular order.
    ///
    /// # Errors
    /// Those of the operating system.
    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>>;

    /// True when `path` names something.
    fn exists(&self, path: &Path) -> bool {
        self.status(path).is_ok()
    }
}

/// A file open for appending.
pub trait LogFile: Debug + Send {
    /// Writes some of `bytes` at the end of the file, and says how many.
    ///
    /// # Errors
    /// Those of the operating system.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// What is known of the open file, whatever its name is now.
    ///
    /// # Errors
    /// Those of the operating system.
    fn status(&self) -> io::Result<FileStatus>;
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStatus {
    /// Its length in bytes.
    pub length: u64,
    /// False for a pipe, a terminal, a device, a directory.
    pub is_regular: bool,
    /// When it was last written, in whole seconds since the epoch.
    pub modified: i64,
    /// Which file it is, where the system tells.
    pub identity: Option<FileIdentity>,
}

/// Tells one file from another that has taken its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// The device that holds it.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
}

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl FileSystem for Disk {
    fn open(&self, path: &Path, truncate: bool) -> io::Result<Box<dyn LogFile>> {
        if truncate {
            // Append and truncate cannot be asked for together; a file made here stays for the append.
            File::create(path)?;
        }
        Ok(Box::new(OpenOptions::new().append(true).create(true).open(path)?))
    }

    fn status(&self, path: &Path) -> io::Result<FileStatus> {
        std::fs::metadata(path).map(|metadata| status_of(&metadata))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect()
    }
}

impl LogFile for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn status(&self) -> io::Result<FileStatus> {
        self.metadata().map(|metadata| status_of(&metadata))
    }
}

fn status_of(metadata: &Metadata) -> FileStatus {
    let since_epoch =
        metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    FileStatus {
        length: metadata.len(),
        is_regular: metadata.is_file(),
        modified: since_epoch.map_or(0, |duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)),
        identity: identity_of(metadata),
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems know no identity")]
fn identity_of(metadata: &Metadata) -> Option<FileIdentity> {
    use std::os::unix::fs::MetadataExt as _;
    Some(FileIdentity { device: metadata.dev(), inode: metadata.ino() })
}

#[cfg(not(unix))]
fn identity_of(_: &Metadata) -> Option<FileIdentity> {
    None
}
