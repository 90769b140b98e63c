//! Which backups leave the folder, and where they go.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::backups::{self, Backup, archive_stamp};
use super::compress::{Copied, at, remove_if_there};
use super::sweep::Sweeper;

/// Deletes or archives the backups that are too many, too old or too large together.
pub(super) fn take_away(sweeper: &Sweeper) -> io::Result<()> {
    if leaving(sweeper, sweeper.backups()?).is_empty() {
        return Ok(());
    }
    let elsewhere = {
        let Some(_names) = sweeper.lock_names() else { return Ok(()) };
        let leaving = leaving(sweeper, sweeper.backups()?);
        match &sweeper.options.archive_to {
            None => {
                for backup in leaving {
                    // Who follows a rollover late has it open still; what he writes to it stays. The next sweep comes again.
                    if matches!(Copied::begin(sweeper, &backup), Ok(None)) {
                        continue;
                    }
                    remove_if_there(sweeper.fs.as_ref(), &backup.path)?;
                    sweeper.count(|stats| stats.removed += 1);
                    sweeper.has_taken_away(&backup.path);
                }
                return Ok(());
            }
            Some(archive) => move_to(sweeper, archive, leaving)?,
        }
    };
    let Some(archive) = &sweeper.options.archive_to else { return Ok(()) };
    for backup in elsewhere {
        copy_to(sweeper, archive, &backup)?;
    }
    Ok(())
}

/// Of `backups`, the oldest first, those that leave. The newest one stays, whatever the clock says.
fn leaving(sweeper: &Sweeper, mut backups: Vec<Backup>) -> Vec<Backup> {
    let options = &sweeper.options;
    let now = sweeper.believed_now();
    let is_old = |backup: &Backup| is_older_than(options.max_age, backup, now);
    let mut count = 0;
    let mut bytes = 0_u64;
    let last_leaving = backups.iter().rposition(|backup| {
        count += 1;
        bytes = bytes.saturating_add(backup.status.length);
        let is_too_much = (options.backup_count > 0 && count > options.backup_count)
            || options.max_total_bytes.is_some_and(|most| bytes > most)
            || is_old(backup);
        count > 1 && is_too_much
    });
    backups.truncate(last_leaving.map_or(0, |last| last + 1));
    // What goes to an archive is compressed first.
    let waits = options.archive_to.is_some() && options.compression.is_some();
    backups.retain(|backup| !waits || backup.compression.is_some());
    backups
}

fn is_older_than(age: Option<Duration>, backup: &Backup, now: i64) -> bool {
    age.is_some_and(|age| {
        u64::try_from(now.saturating_sub(backup.status.modified)).is_ok_and(|passed| passed > age.as_secs())
    })
}

/// Renames `leaving` into the folder `archive`; gives those that must be copied, since it is on another disk.
fn move_to(sweeper: &Sweeper, archive: &Path, leaving: Vec<Backup>) -> io::Result<Vec<Backup>> {
    sweeper.fs.make_folder(archive).map_err(|error| at(archive, &error))?;
    let mut elsewhere = Vec::new();
    for backup in leaving {
        let path = archived_path(sweeper, archive, &backup)?;
        match sweeper.fs.rename(&backup.path, &path) {
            Ok(()) => has_archived(sweeper, &backup),
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => elsewhere.push(backup),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(at(&path, &error)),
        }
    }
    Ok(elsewhere)
}

/// Copies `backup` to the folder `archive` and deletes it; what is still written to stays for the next sweep.
fn copy_to(sweeper: &Sweeper, archive: &Path, backup: &Backup) -> io::Result<()> {
    let Some(mut source) = Copied::begin(sweeper, backup)? else { return Ok(()) };
    let written = source.write_to(sweeper, archive, None)?;
    if source.finish(sweeper, &written, |found, _| archived_path(sweeper, archive, found))?.is_some() {
        has_archived(sweeper, backup);
    }
    Ok(())
}

fn archived_path(sweeper: &Sweeper, archive: &Path, backup: &Backup) -> io::Result<PathBuf> {
    let archived = backups::list(sweeper.fs.as_ref(), archive, &sweeper.base, &sweeper.forms())?;
    let base = archive.join(sweeper.base.file_name().unwrap_or_default());
    Ok(archive_stamp(backup, &archived).path(&base, backup.compression))
}

fn has_archived(sweeper: &Sweeper, backup: &Backup) {
    sweeper.count(|stats| stats.archived += 1);
    sweeper.has_taken_away(&backup.path);
}

/// Deletes what is too old in the archive.
pub(super) fn clean_archive(sweeper: &Sweeper) -> io::Result<()> {
    let (Some(archive), Some(age)) = (&sweeper.options.archive_to, sweeper.options.archive_max_age) else {
        return Ok(());
    };
    let now = sweeper.believed_now();
    let archived = match backups::list(sweeper.fs.as_ref(), archive, &sweeper.base, &sweeper.forms()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        archived => archived?,
    };
    for backup in archived.iter().filter(|backup| is_older_than(Some(age), backup, now)) {
        remove_if_there(sweeper.fs.as_ref(), &backup.path)?;
        sweeper.count(|stats| stats.removed += 1);
        sweeper.has_taken_away(&backup.path);
    }
    Ok(())
}
