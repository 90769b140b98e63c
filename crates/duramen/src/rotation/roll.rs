//! The rollover itself: files get other names and old backups go. The file that is written to must be
//! closed before, where the system does not rename open files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::retention::{BackupNames, DateNamer, surplus};
use super::size::{SizeLimit, numbered, with_suffix};
use super::{Rules, Schedule};
use crate::fs::FileSystem;

/// Names a backup: gets the default name, gives the name to use (Python's `namer`).
///
/// ```
/// use std::sync::Arc;
/// use duramen::rotation::{Customs, Namer};
///
/// let namer: Namer = Arc::new(|default| default.with_extension("old"));
/// let customs = Customs { namer: Some(namer), ..Customs::default() };
/// ```
pub type Namer = Arc<dyn Fn(&Path) -> PathBuf + Send + Sync>;

/// Moves the file at its first argument to its second, in place of a plain renaming (Python's `rotator`).
///
/// ```
/// use std::sync::Arc;
/// use duramen::rotation::{Customs, Rotator};
///
/// let rotator: Rotator = Arc::new(|from, to| {
///     std::fs::copy(from, to)?;
///     std::fs::remove_file(from) // to a folder on another disk
/// });
/// let customs = Customs { rotator: Some(rotator), ..Customs::default() };
/// ```
pub type Rotator = Arc<dyn Fn(&Path, &Path) -> io::Result<()> + Send + Sync>;

/// What a user may put in place of plain names and plain renaming.
///
/// ```
/// use std::path::PathBuf;
/// use std::sync::Arc;
///
/// use duramen::handler::RotatingFileHandler;
/// use duramen::rotation::{Customs, Namer, Rotator, SizeLimit};
/// use duramen::writer::FileWriter;
/// use duramen::{Handler, Level, Record};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("app.log");
/// let namer: Namer = Arc::new(|default| PathBuf::from(format!("{}.old", default.display())));
/// let rotator: Rotator = Arc::new(|from, to| std::fs::rename(from, to)); // or compresses it
/// let customs = Customs { namer: Some(namer), rotator: Some(rotator) };
/// let handler = RotatingFileHandler::new(FileWriter::new(&path), SizeLimit::new(6, 2), customs);
/// for message in ["one", "two"] {
///     handler.handle(&Record::new("app", Level::INFO, message));
/// }
/// assert_eq!(std::fs::read_to_string(folder.path().join("app.log.1.old")).unwrap(), "one\n");
/// ```
#[derive(Clone, Default)]
pub struct Customs {
    /// Names backups.
    pub namer: Option<Namer>,
    /// Moves the current file to its backup, for instance compressing it.
    pub rotator: Option<Rotator>,
}

impl Customs {
    fn name(&self, default: PathBuf) -> PathBuf {
        match &self.namer {
            Some(namer) => namer(&default),
            None => default,
        }
    }

    fn rotate(&self, fs: &dyn FileSystem, source: &Path, backup: &Path) -> io::Result<()> {
        match &self.rotator {
            Some(rotator) => rotator(source, backup),
            // With delayed opening there may be no file yet.
            None if fs.exists(source) => fs.rename(source, backup),
            None => Ok(()),
        }
    }
}

/// Shifts the numbered backups of `base` by one and makes `base` the first of them.
///
/// ```
/// use duramen::fs::Disk;
/// use duramen::rotation::{Customs, SizeLimit, roll};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let base = folder.path().join("app.log");
/// std::fs::write(&base, "newest\n").unwrap();
/// std::fs::write(folder.path().join("app.log.1"), "older\n").unwrap();
/// roll::by_number(&Disk, &base, &SizeLimit::new(100, 2), &Customs::default()).unwrap();
/// assert_eq!(std::fs::read_to_string(folder.path().join("app.log.2")).unwrap(), "older\n");
/// assert!(!base.exists());
/// ```
///
/// # Errors
/// Those of the file system; what has been renamed until then stays so.
pub fn by_number(fs: &dyn FileSystem, base: &Path, limit: &SizeLimit, customs: &Customs) -> io::Result<()> {
    if limit.backup_count() == 0 {
        return Ok(());
    }
    for (from, to) in limit.shifts(base) {
        let (from, to) = (customs.name(from), customs.name(to));
        if fs.exists(&from) {
            fs.rename(&from, &to)?;
        }
    }
    let first = customs.name(numbered(base, 1));
    if fs.exists(&first) {
        fs.remove(&first)?;
    }
    customs.rotate(fs, base, &first)
}

/// Names `base` after the interval that ended, with `suffix`, and deletes surplus backups.
///
/// False when such a backup exists already, since another process has done this rollover.
///
/// ```
/// use duramen::fs::Disk;
/// use duramen::rotation::{Customs, Retention, Rules, Schedule, When, roll};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let base = folder.path().join("app.log");
/// let keeps_a_week = Retention::new(&Schedule::new(When::Midnight, 1).unwrap(), 7, Rules::Corrected);
/// std::fs::write(&base, "of Friday\n").unwrap();
/// assert!(roll::by_date(&Disk, &base, "2024-03-01", keeps_a_week, &Customs::default()).unwrap());
/// assert!(roll::is_there(&Disk, &base, "2024-03-01", &Customs::default()));
/// // Another process that comes to the same rollover finds that it is done:
/// std::fs::write(&base, "of Saturday\n").unwrap();
/// assert!(!roll::by_date(&Disk, &base, "2024-03-01", keeps_a_week, &Customs::default()).unwrap());
/// ```
///
/// # Errors
/// Those of the file system; what has been renamed until then stays so.
pub fn by_date(
    fs: &dyn FileSystem,
    base: &Path,
    suffix: &str,
    retention: Retention,
    customs: &Customs,
) -> io::Result<bool> {
    let backup = customs.name(with_suffix(base, suffix));
    if fs.exists(&backup) {
        if retention.rules == Rules::Corrected {
            return Ok(false);
        }
        fs.remove(&backup)?;
    }
    customs.rotate(fs, base, &backup)?;
    if retention.backup_count > 0 {
        for path in surplus_backups(fs, base, retention, customs)? {
            fs.remove(&path)?;
        }
    }
    Ok(true)
}

/// Whether there is a backup of `base` with `suffix`.
///
/// ```
/// use duramen::{fs::Disk, rotation::{Customs, roll}};
///
/// # let folder = tempfile::tempdir().unwrap();
/// let base = folder.path().join("app.log");
/// assert!(!roll::is_there(&Disk, &base, "2024-03-01", &Customs::default()));
/// ```
pub fn is_there(fs: &dyn FileSystem, base: &Path, suffix: &str, customs: &Customs) -> bool {
    fs.exists(&customs.name(with_suffix(base, suffix)))
}

/// How many dated backups are kept, and how they are recognised.
///
/// ```
/// use duramen::rotation::{Retention, Rules, Schedule, When};
///
/// let schedule = Schedule::new(When::Weekday(0), 1).unwrap(); // on Mondays
/// let retention = Retention::new(&schedule, 4, Rules::default()); // four weeks
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    backup_count: usize,
    names: BackupNames,
    rules: Rules,
}

impl Retention {
    /// Keeps `backup_count` backups of `schedule`; 0 keeps all.
    pub fn new(schedule: &Schedule, backup_count: usize, rules: Rules) -> Self {
        Self { backup_count, names: schedule.backup_names(), rules }
    }
}

/// The backups of `base` beyond those that are kept, the oldest first.
fn surplus_backups(
    fs: &dyn FileSystem,
    base: &Path,
    retention: Retention,
    customs: &Customs,
) -> io::Result<Vec<PathBuf>> {
    let directory = match base.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let base_name = name_of(base);
    let namer = |date: &str| name_of(&customs.name(with_suffix(base, date))).to_vec();
    let namer: Option<DateNamer<'_>> = customs.namer.is_some().then_some(&namer);
    let mut backups = fs.list(directory)?;
    backups.retain(|path| retention.names.is_backup(name_of(path), base_name, namer));
    Ok(surplus(backups, retention.backup_count))
}

/// The last part of a path as the bytes of the platform's encoding.
fn name_of(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_encoded_bytes()
}
