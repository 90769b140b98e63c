//! The disk of the operating system.

#[cfg(unix)]
use std::fs::TryLockError;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{
    FileIdentity, FileStatus, FileSystem, LONGEST_TICK, LockedFile, LogFile, NewFile, SourceFile, lease,
};

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

    fn read(&self, path: &Path) -> io::Result<Box<dyn SourceFile>> {
        Ok(Box::new(Source(File::open(path)?)))
    }

    fn create(&self, path: &Path, like: &dyn SourceFile) -> io::Result<Box<dyn NewFile>> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        set_mode(&file, like.mode())?;
        // Others tell by the lock that somebody is still at it; without locks, by its age.
        let _ = file.try_lock();
        Ok(Box::new(New(file)))
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    #[cfg(unix)]
    fn link(&self, target: &Path, link: &Path) -> io::Result<()> {
        match std::fs::symlink_metadata(link) {
            Ok(found) if !found.is_symlink() => return Err(io::ErrorKind::AlreadyExists.into()),
            Ok(_) if std::fs::read_link(link).is_ok_and(|found| found == target) => return Ok(()),
            _ => {}
        }
        // Never without a link: the new one takes the old one's place at once.
        let mut new = link.as_os_str().to_owned();
        new.push(format!(".{}.new", std::process::id()));
        let _ = std::fs::remove_file(&new);
        std::os::unix::fs::symlink(target, &new)?;
        std::fs::rename(&new, link)
    }

    #[cfg(not(unix))]
    fn link(&self, _target: &Path, _link: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn is_link(&self, path: &Path) -> bool {
        std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
    }

    #[cfg(unix)]
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        unless_impossible(File::open(folder)?.sync_all())
    }

    /// A folder cannot be opened there: the file system keeps its names by itself.
    #[cfg(not(unix))]
    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn overwrite(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.write_all(bytes)
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

    fn sync(&self) -> io::Result<()> {
        unless_impossible(self.sync_data())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn duplicate(&self) -> io::Result<Box<dyn LogFile>> {
        Ok(Box::new(self.try_clone()?))
    }
}

/// Pipes, terminals and some folders have nothing that could be brought to a disk: POSIX has `EINVAL` for them.
fn unless_impossible(synced: io::Result<()>) -> io::Result<()> {
    match synced {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        synced => synced,
    }
}

#[derive(Debug)]
struct Source(File);

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl SourceFile for Source {
    fn status(&self) -> io::Result<FileStatus> {
        self.0.metadata().map(|metadata| status_of(&metadata))
    }

    #[cfg(unix)]
    fn try_lock(&self) -> io::Result<bool> {
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    #[cfg(not(unix))]
    fn try_lock(&self) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn read_end(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let begin = self.0.metadata()?.len().saturating_sub(length as u64);
        self.0.seek(SeekFrom::Start(begin))?;
        let mut end = Vec::with_capacity(length);
        // Others may go on writing.
        Read::by_ref(&mut self.0).take(length as u64).read_to_end(&mut end)?;
        Ok(end)
    }

    /// Linux writes to a file, and changes its owner, while it holds the lock of its inode. A change to the owner that it has
    /// waits for that lock and changes nothing but the time of the last change of status.
    #[cfg(target_os = "linux")]
    fn await_writes(&self) -> bool {
        rustix::fs::fchown(&self.0, None, None).is_ok()
    }

    fn has_writers(&self) -> Option<bool> {
        lease::has_writers(&self.0)
    }

    fn mode(&self) -> Option<u32> {
        mode_of(&self.0)
    }
}

/// A file that only its maker writes to.
#[derive(Debug)]
struct New(File);

impl Write for New {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(&mut self.0, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl NewFile for New {
    fn finish(&mut self, like: &FileStatus) -> io::Result<()> {
        let seconds = u64::try_from(like.modified).unwrap_or(0);
        let since_epoch = Duration::new(seconds, like.modified_nanoseconds);
        self.0.set_modified(SystemTime::UNIX_EPOCH + since_epoch)?;
        self.0.sync_all()
    }
}

#[cfg(unix)]
fn mode_of(file: &File) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().ok().map(|metadata| metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode_of(_file: &File) -> Option<u32> {
    None
}

#[cfg(unix)]
fn set_mode(file: &File, mode: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    mode.map_or(Ok(()), |mode| file.set_permissions(std::fs::Permissions::from_mode(mode)))
}

#[cfg(not(unix))]
fn set_mode(_file: &File, _mode: Option<u32>) -> io::Result<()> {
    Ok(())
}

fn status_of(metadata: &Metadata) -> FileStatus {
    let since_epoch = |time: io::Result<SystemTime>| time.ok()?.duration_since(SystemTime::UNIX_EPOCH).ok();
    let seconds = |since_epoch: Duration| i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
    let modified = since_epoch(metadata.modified()).unwrap_or_default();
    FileStatus {
        length: metadata.len(),
        is_regular: metadata.is_file(),
        is_named: is_named(metadata),
        modified: seconds(modified),
        modified_nanoseconds: modified.subsec_nanos(),
        created: since_epoch(metadata.created()).map(|created| seconds(created + LONGEST_TICK)),
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
