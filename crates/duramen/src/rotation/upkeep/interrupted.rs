//! Finishing what a killed program has left: a backup whose other form, or whose copy in the archive, is complete.

use std::io::{self, Read};
use std::path::Path;

use super::backups::{self, Backup};
use super::compress::remove_if_there;
use super::sweep::Sweeper;
use crate::fs::FileSystem;

/// Deletes the backups that are complete elsewhere.
pub(super) fn finish(sweeper: &Sweeper) -> io::Result<()> {
    let backups = sweeper.backups()?;
    let archived = match &sweeper.options.archive_to {
        Some(archive) => backups::list(sweeper.fs.as_ref(), archive, &sweeper.base, &sweeper.forms()),
        None => Ok(Vec::new()),
    };
    // An archive is made when the first backup goes there.
    let archived = archived.unwrap_or_default();
    let is_twice = |backup: &&Backup| {
        backups.iter().any(|other| is_compressed_form(other, backup))
            || archived.iter().any(|copy| is_copy(sweeper.fs.as_ref(), copy, backup))
    };
    let twice: Vec<_> = backups.iter().filter(is_twice).collect();
    if twice.is_empty() {
        return Ok(());
    }
    let Some(_names) = sweeper.lock_names() else { return Ok(()) };
    for backup in sweeper.backups()? {
        let is_same = |other: &&Backup| other.path == backup.path && other.status == backup.status;
        if twice.iter().any(is_same) {
            remove_if_there(sweeper.fs.as_ref(), &backup.path)?;
        }
    }
    Ok(())
}

/// Whether `other` was made of `backup`, which has not been written to since.
fn is_compressed_form(other: &Backup, backup: &Backup) -> bool {
    backup.compression.is_none()
        && other.compression.is_some()
        && other.stamp == backup.stamp
        && other.status.last_change() == backup.status.last_change()
}

/// Whether `copy`, which is in the archive, is the same as `backup`. Clocks are coarse: the bytes count.
fn is_copy(fs: &dyn FileSystem, copy: &Backup, backup: &Backup) -> bool {
    let looks = |backup: &Backup| (backup.status.last_change(), backup.status.length, backup.compression);
    looks(copy) == looks(backup) && has_same_bytes(fs, &copy.path, &backup.path).unwrap_or(false)
}

fn has_same_bytes(fs: &dyn FileSystem, one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (fs.read(one)?, fs.read(other)?);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        left.clear();
        right.clear();
        one.by_ref().take(64 * 1024).read_to_end(&mut left)?;
        other.by_ref().take(64 * 1024).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}
