//! The door to the disk.
//!
//! What writes, rolls over or lists files does so through [`FileSystem`], so that tests can put a full or
//! failing disk in its place. [`Disk`] is the real one.

use std::fmt::Debug;
#[cfg(unix)]
use std::fs::TryLockError;
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

    /// Locks the file at `path` against all others who lock it, in this process or another: `None` while somebody
    /// else has the lock. The lock ends when it is dropped, and with the process.
    ///
    /// # Errors
    /// Those of the operating system; [`io::ErrorKind::NotFound`] where there is no file,
    /// [`io::ErrorKind::Unsupported`] where the system has no such locks.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockedFile>>>;

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

/// A file that is locked until this is dropped.
pub trait LockedFile: Debug + Send {
    /// Which file it is, whatever its name is now.
    ///
    /// # Errors
    /// Those of the operating system.
    fn identity(&self) -> io::Result<Option<FileIdentity>>;
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStatus {
    /// Its length in bytes.
    pub length: u64,
    /// False for a pipe, a terminal, a device, a directory.
    pub is_regular: bool,
    /// False for an open file that has no name any more: it was deleted.
    pub is_named: bool,
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

    #[cfg(unix)]
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockedFile>>> {
        // For writing, since network file systems lock nothing else exclusively.
        let file = OpenOptions::new().append(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(Locked(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Open files are not renamed there, so that nobody rolls a shared one over.
    #[cfg(not(unix))]
    fn try_lock(&self, _path: &Path) -> io::Result<Option<Box<dyn LockedFile>>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect()
    }
}

/// The lock is the open file's own (`flock`): forked processes have it too until it is ended explicitly.
#[cfg(unix)]
#[derive(Debug)]
struct Locked(File);

#[cfg(unix)]
impl LockedFile for Locked {
    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        self.0.metadata().map(|metadata| identity_of(&metadata))
    }
}

#[cfg(unix)]
impl Drop for Locked {
    fn drop(&mut self) {
        // Where that fails, the lock ends with the last process that has the file open.
        let _ = self.0.unlock();
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
        is_named: is_named(metadata),
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

#[cfg(unix)]
fn is_named(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.nlink() > 0
}

#[cfg(not(unix))]
fn is_named(_: &Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn identity_of(_: &Metadata) -> Option<FileIdentity> {
    None
}
