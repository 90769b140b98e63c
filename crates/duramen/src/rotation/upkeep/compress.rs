//! Putting a compressed file, or a copy on another disk, in the place of a backup.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::GzBuilder;

use super::backups::{Backup, compressed_path, folder_of};
use super::options::Compression;
use super::sweep::Sweeper;
use crate::fs::{FileStatus, FileSystem, NewFile, SourceFile};

/// What has become of a step of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is nothing left to do.
    Done,
    /// Somebody still writes, or is at it.
    Later,
}

/// The ending of a file that is not complete yet. Its name begins with a dot, so that the usual globs leave it out.
const PARTIAL: &str = ".partial";

/// Where the system does not say whether a file has writers, nobody is expected to write to one that has been at rest for
/// so many seconds.
const AT_REST: i64 = 10;

/// Where locks are not to be had, a partial file of this age is nobody's, in seconds.
const ABANDONED_AFTER: i64 = 24 * 3600;

/// The level of gzip that its own program has when it is not told.
const GZIP_LEVEL: u32 = 6;

/// Puts the compressed form of `backup` in its place.
pub(super) fn compress(sweeper: &Sweeper, backup: &Backup, compression: Compression) -> io::Result<Outcome> {
    let Some(mut source) = Copied::begin(sweeper, backup)? else { return Ok(Outcome::Later) };
    let written = source.write_to(sweeper, folder_of(&sweeper.base), Some(compression))?;
    let placed = source.finish(sweeper, &written, |found, backups| {
        Ok(compressed_path(&sweeper.base, found, compression, backups))
    })?;
    if let Some(path) = placed {
        sweeper.count(|stats| stats.compressed += 1);
        sweeper.announce_one(backup.status.identity, &path);
        return Ok(Outcome::Done);
    }
    Ok(Outcome::Later)
}

/// A backup of which another form is being made.
pub(super) struct Copied {
    file: Box<dyn SourceFile>,
    status: FileStatus,
}

/// A complete file that has not got its name yet.
pub(super) struct Written {
    path: PathBuf,
    /// Keeps its lock until it has its name.
    _file: Box<dyn NewFile>,
}

impl Copied {
    /// Opens `backup`; `None` while somebody writes to it, or makes another form of it.
    pub(super) fn begin(sweeper: &Sweeper, backup: &Backup) -> io::Result<Option<Self>> {
        let file = match sweeper.fs.read(&backup.path) {
            Ok(file) => file,
            // It was renamed meanwhile, and is found again under its new name.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&backup.path, &error)),
        };
        let status = file.status()?;
        let is_free = match file.try_lock() {
            Ok(is_free) => is_free,
            Err(error) => error.kind() == io::ErrorKind::Unsupported,
        };
        let copied = Self { file, status };
        let is_it = is_free && status.identity == backup.status.identity && !copied.is_written_to(sweeper);
        Ok(is_it.then_some(copied))
    }

    fn is_written_to(&self, sweeper: &Sweeper) -> bool {
        self.file.has_writers().unwrap_or_else(|| {
            let modified = self.file.status().map_or(0, |status| status.modified);
            (0..AT_REST).contains(&(sweeper.now() - modified))
        })
    }

    /// Writes the other form into a partial file in `folder`, and brings it to the disk.
    pub(super) fn write_to(
        &mut self,
        sweeper: &Sweeper,
        folder: &Path,
        compression: Option<Compression>,
    ) -> io::Result<Written> {
        let path = partial_path(sweeper, folder);
        let mut target = sweeper.fs.create(&path, self.file.as_ref()).map_err(|error| at(&path, &error))?;
        let written = self.transfer(target.as_mut(), compression).and_then(|()| target.finish(&self.status));
        match written {
            Ok(()) => Ok(Written { path, _file: target }),
            Err(error) => {
                let _ = sweeper.fs.remove(&path);
                Err(at(&path, &error))
            }
        }
    }

    fn transfer(&mut self, target: &mut dyn NewFile, compression: Option<Compression>) -> io::Result<()> {
        let source = self.file.as_mut();
        match compression {
            None => pump(source, target),
            Some(Compression::Gzip) => {
                let modified = u32::try_from(self.status.modified).unwrap_or(0);
                let builder = GzBuilder::new().mtime(modified);
                let mut encoder = builder.write(target, flate2::Compression::new(GZIP_LEVEL));
                pump(source, &mut encoder)?;
                encoder.finish().map(drop)
            }
            Some(Compression::Zstd) => {
                let mut encoder = zstd::Encoder::new(target, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                pump(source, &mut encoder)?;
                encoder.finish().map(drop)
            }
        }
    }

    /// Gives the complete file the name that `name` makes of the backup's present one, and deletes the backup; the new
    /// path. `None` when that cannot be done now, and when the backup is gone.
    pub(super) fn finish(
        &self,
        sweeper: &Sweeper,
        written: &Written,
        name: impl FnOnce(&Backup, &[Backup]) -> io::Result<PathBuf>,
    ) -> io::Result<Option<PathBuf>> {
        let placed = self.place(sweeper, written, name);
        if !matches!(placed, Ok(Some(_))) {
            let _ = sweeper.fs.remove(&written.path);
        }
        placed
    }

    fn place(
        &self,
        sweeper: &Sweeper,
        written: &Written,
        name: impl FnOnce(&Backup, &[Backup]) -> io::Result<PathBuf>,
    ) -> io::Result<Option<PathBuf>> {
        let Some(_names) = sweeper.lock_names() else { return Ok(None) };
        let is_same = self.file.status()?.length == self.status.length && !self.is_written_to(sweeper);
        let backups = sweeper.backups()?;
        let found = backups.iter().find(|found| found.status.identity == self.status.identity);
        let (true, Some(found)) = (is_same, found) else { return Ok(None) };
        let path = name(found, &backups)?;
        match sweeper.fs.rename(&written.path, &path) {
            // Another process took it for abandoned, before it was locked.
            Err(_) if !sweeper.fs.exists(&written.path) => return Ok(None),
            renamed => renamed.map_err(|error| at(&path, &error))?,
        }
        sweeper.fs.remove(&found.path).map_err(|error| at(&found.path, &error))?;
        Ok(Some(path))
    }
}

#[expect(clippy::indexing_slicing, reason = "no more is read than there is room for")]
fn pump(source: &mut dyn SourceFile, target: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => target.write_all(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A name in `folder` that no other file has: `.app.log.<process>-<number>.partial`.
fn partial_path(sweeper: &Sweeper, folder: &Path) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut name = OsString::from(".");
    name.push(sweeper.base.file_name().unwrap_or_default());
    name.push(format!(".{}-{number}{PARTIAL}", std::process::id()));
    folder.join(name)
}

/// Deletes the partial files of programs that were killed.
pub(super) fn remove_abandoned(sweeper: &Sweeper, folder: &Path) -> io::Result<()> {
    let mut start = OsString::from(".");
    start.push(sweeper.base.file_name().unwrap_or_default());
    start.push(".");
    let paths = match sweeper.fs.list(folder) {
        Ok(paths) => paths,
        // An archive is made when the first backup goes there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(folder, &error)),
    };
    for path in paths {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let is_partial = name.starts_with(start.as_encoded_bytes()) && name.ends_with(PARTIAL.as_bytes());
        if is_partial && is_abandoned(sweeper, &path) {
            remove_if_there(sweeper.fs.as_ref(), &path)?;
        }
    }
    Ok(())
}

fn is_abandoned(sweeper: &Sweeper, path: &Path) -> bool {
    let Ok(file) = sweeper.fs.read(path) else { return false };
    let is_old = |status: FileStatus| sweeper.now() - status.modified > ABANDONED_AFTER;
    file.try_lock().unwrap_or_else(|_| file.status().is_ok_and(is_old))
}

/// Deletes the file at `path`; somebody else may have done it.
pub(super) fn remove_if_there(fs: &dyn FileSystem, path: &Path) -> io::Result<()> {
    match fs.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path, &error)),
        _ => Ok(()),
    }
}

/// `error` with the path where it was met.
pub(super) fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
