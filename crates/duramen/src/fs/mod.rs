//! The door to the disk.
//!
//! What writes, rolls over or lists files does so through [`FileSystem`], so that tests can put a full or
//! failing disk in its place. [`Disk`] is the real one.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::path::Path;
//!
//! use duramen::fs::{Disk, FileIdentity, FileStatus, FileSystem, LONGEST_TICK, LockedFile, LogFile, NewFile, SourceFile};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let fs = Disk;
//! let logs = folder.join("logs");
//! fs.make_folder(&logs)?;
//! let path = logs.join("app.log");
//!
//! // A file that is written to.
//! let mut file: Box<dyn LogFile> = fs.open(&path, false)?;
//! assert_eq!(file.write(b"one\n")?, 4);
//! file.sync()?;
//! fs.sync_folder(&logs)?;
//! file.duplicate()?.write(b"torn")?; // the same open file
//! file.truncate(4)?;
//! fs.overwrite(&path, b"ONE")?;
//!
//! // What is known of it, and of the file that its path names.
//! let status: FileStatus = file.status()?;
//! assert!(status.is_regular && status.length == 4);
//! assert!(status.changed_at() >= status.last_change().0 && LONGEST_TICK.as_millis() == 10);
//! assert_eq!(fs.status(&path)?.identity, status.identity);
//!
//! // It gets another name while nobody else can give it one.
//! if let Some(lock) = fs.try_lock(&path)? {
//!     let lock: Box<dyn LockedFile> = lock;
//!     let identity: Option<FileIdentity> = lock.identity()?;
//!     assert_eq!(identity, status.identity);
//!     fs.rename(&path, &logs.join("app.log.1"))?;
//! }
//! fs.link(Path::new("app.log.1"), &logs.join("newest"))?;
//! assert!(fs.is_link(&logs.join("newest")) && !fs.is_link(&logs.join("app.log.1")));
//! assert_eq!(fs.list(&logs)?.len(), 2);
//!
//! // A copy of it, as a compressed one is made.
//! let mut source: Box<dyn SourceFile> = fs.read(&logs.join("app.log.1"))?;
//! assert!(source.try_lock()? && source.has_writers() != Some(false) && source.mode().is_some());
//! let mut copy: Box<dyn NewFile> = fs.create(&logs.join("app.log.2"), &*source)?;
//! let mut bytes = Vec::new();
//! source.read_to_end(&mut bytes)?;
//! copy.write_all(&bytes)?;
//! copy.finish(&source.status()?)?; // on the disk, and as old as the other one
//! fs.remove(&logs.join("app.log.1"))?;
//! assert!(!fs.exists(&path) && fs.exists(&logs.join("app.log.2")));
//! # std::io::Result::Ok(())
//! ```

mod disk;
mod lease;

use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use disk::Disk;

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

    /// Opens `path` for reading.
    ///
    /// # Errors
    /// Those of the operating system.
    fn read(&self, path: &Path) -> io::Result<Box<dyn SourceFile>>;

    /// Makes the file `path`, for whom `like` says, which nobody else may read or write more of. It is locked until
    /// it is dropped.
    ///
    /// # Errors
    /// Those of the operating system; [`io::ErrorKind::AlreadyExists`] where there is one.
    fn create(&self, path: &Path, like: &dyn SourceFile) -> io::Result<Box<dyn NewFile>>;

    /// Makes `link` a symbolic link to `target`, in place of the link that is there.
    ///
    /// # Errors
    /// Those of the operating system; [`io::ErrorKind::AlreadyExists`] where something else than a link is there.
    fn link(&self, target: &Path, link: &Path) -> io::Result<()>;

    /// Makes the folder `path` with those above it, where they are missing.
    ///
    /// # Errors
    /// Those of the operating system.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Brings the names in `folder` to the disk, where the system does that.
    ///
    /// # Errors
    /// Those of the operating system.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Writes `bytes` over the beginning of the file `path`, which is there, with one call.
    ///
    /// # Errors
    /// Those of the operating system.
    fn overwrite(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// True when a symbolic link stands at `path`, wherever it leads; false on a file system without links.
    fn is_link(&self, path: &Path) -> bool {
        let _ = path;
        false
    }

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

    /// Brings what was written to the disk, and returns when it is there.
    ///
    /// # Errors
    /// Those of the operating system.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file off behind its first `length` bytes.
    ///
    /// # Errors
    /// Those of the operating system.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Another handle of the same open file.
    ///
    /// # Errors
    /// Those of the operating system.
    fn duplicate(&self) -> io::Result<Box<dyn LogFile>>;
}

/// A file that is locked until this is dropped.
pub trait LockedFile: Debug + Send {
    /// Which file it is, whatever its name is now.
    ///
    /// # Errors
    /// Those of the operating system.
    fn identity(&self) -> io::Result<Option<FileIdentity>>;
}

/// A file open for reading.
pub trait SourceFile: Read + Debug + Send {
    /// What is known of the open file, whatever its name is now.
    ///
    /// # Errors
    /// Those of the operating system.
    fn status(&self) -> io::Result<FileStatus>;

    /// Locks the file as [`FileSystem::try_lock`] does, until it is dropped; false while somebody else has the lock.
    ///
    /// # Errors
    /// Those of the operating system; [`io::ErrorKind::Unsupported`] where it has no such locks.
    fn try_lock(&self) -> io::Result<bool>;

    /// The last `length` bytes, or all where it is shorter.
    ///
    /// ```
    /// use duramen::fs::{Disk, FileSystem as _};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("app.log");
    /// std::fs::write(&path, "one\ntwo\n")?;
    /// assert_eq!(Disk.read(&path)?.read_end(4)?, b"two\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the operating system.
    fn read_end(&mut self, length: usize) -> io::Result<Vec<u8>>;

    /// Waits until each write to the file that has begun, in this process or another, has ended; false where the system has
    /// nothing to wait by.
    ///
    /// ```
    /// use duramen::fs::{Disk, FileSystem as _};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("app.log");
    /// std::fs::write(&path, "one\n")?;
    /// let file = Disk.read(&path)?;
    /// assert_eq!(file.await_writes(), cfg!(target_os = "linux"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn await_writes(&self) -> bool {
        false
    }

    /// Whether somebody, in this process or another, has the file open for writing; `None` where that cannot be told.
    fn has_writers(&self) -> Option<bool>;

    /// Who may read and write it, as a mode of POSIX, where the system has such modes.
    fn mode(&self) -> Option<u32>;
}

/// A file that has just been made.
pub trait NewFile: Write + Debug + Send {
    /// Brings the file to the disk, with the time of the last change that `like` has.
    ///
    /// # Errors
    /// Those of the operating system.
    fn finish(&mut self, like: &FileStatus) -> io::Result<()>;
}

/// Files are stamped with the time of the system's last tick, which is so long ago at most (Linux, 100 ticks a second).
pub const LONGEST_TICK: Duration = Duration::from_millis(10);

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
    /// The nanoseconds above those seconds.
    pub modified_nanoseconds: u32,
    /// When it was made, [`LONGEST_TICK`] added, in whole seconds since the epoch, where the system tells.
    pub created: Option<i64>,
    /// Which file it is, where the system tells.
    pub identity: Option<FileIdentity>,
}

impl FileStatus {
    /// When it was last written: seconds since the epoch, and the nanoseconds above them.
    pub fn last_change(&self) -> (i64, u32) {
        (self.modified, self.modified_nanoseconds)
    }

    /// When it was last written, in whole seconds since the epoch, not before [`LONGEST_TICK`] has been added: a file that
    /// is made when a second begins is not one of the second before.
    pub fn changed_at(&self) -> i64 {
        let is_in_next = self.modified_nanoseconds >= 1_000_000_000 - LONGEST_TICK.subsec_nanos();
        self.modified.saturating_add(i64::from(is_in_next))
    }
}

/// Tells one file from another that has taken its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// The device that holds it.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
}
