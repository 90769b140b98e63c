//! The names of backups: the file's name, then a number, or a date and perhaps a number, and the ending of a
//! compression. Nothing else in a folder is ever taken for a backup.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::fmt::strtime;

use super::options::Compression;
use crate::fs::{FileStatus, FileSystem};
use crate::rotation::When;
use crate::rotation::size::with_suffix;

/// The forms of the dates in backups' names, as `strftime` has them: those of all schedules, since a handler may have
/// had another one before, and one that the program has put in their place.
#[derive(Clone, Debug, Default)]
pub(super) struct DateForms {
    own: Option<String>,
}

impl DateForms {
    /// Dates may also be written as `form` says.
    pub(super) fn with(form: &str) -> Self {
        let is_usual = Self::usual().contains(&form);
        Self { own: (!is_usual).then(|| form.to_owned()) }
    }

    fn usual() -> [&'static str; 4] {
        [When::Second, When::Minute, When::Hour, When::Day].map(When::suffix)
    }

    fn is_date(&self, text: &str) -> bool {
        // Written again it has to be the same: the parser takes fewer digits and other names than are written.
        let is_of = |form: &str| {
            let Ok(time) = strtime::parse(form, text) else { return false };
            let Ok(date) = time.to_date() else { return false };
            let time = time.to_time().unwrap_or_default();
            strtime::format(form, DateTime::from_parts(date, time)).is_ok_and(|again| again == text)
        };
        Self::usual().into_iter().chain(self.own.as_deref()).any(is_of)
    }
}

/// What stands between the name of the file and the ending of the compression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// `None` for a backup that has a number alone.
    pub(super) date: Option<String>,
    /// 0: none.
    pub(super) number: u64,
}

impl Stamp {
    /// Reads `1`, `2024-03-01` or `2024-03-01.2`; `None` for anything that a rollover would not have written.
    pub(super) fn parse(text: &str, forms: &DateForms) -> Option<Self> {
        if let Some(number) = parse_number(text) {
            return Some(Self { date: None, number });
        }
        if forms.is_date(text) {
            return Some(Self { date: Some(text.to_owned()), number: 0 });
        }
        let (date, number) = text.rsplit_once('.')?;
        let number = parse_number(number)?;
        forms.is_date(date).then(|| Self { date: Some(date.to_owned()), number })
    }

    fn text(&self) -> String {
        match (&self.date, self.number) {
            (Some(date), 0) => date.clone(),
            (Some(date), number) => format!("{date}.{number}"),
            (None, number) => number.to_string(),
        }
    }

    /// The path of the backup of `base` that has this stamp.
    pub(super) fn path(&self, base: &Path, compression: Option<Compression>) -> PathBuf {
        let ending = compression.map_or("", Compression::ending);
        with_suffix(base, &format!("{}{ending}", self.text()))
    }

    /// Whether it is newer than `before`, whatever the times of the files say.
    fn comes_after(&self, before: &Self) -> bool {
        /// A number with more digits may be a date that somebody else has written, such as `20240301`.
        const LARGEST_COUNT: u64 = 999;
        let is_newer = self.age_order() > before.age_order();
        self.date == before.date && is_newer && (self.date.is_some() || before.number <= LARGEST_COUNT)
    }

    /// Puts older stamps before newer ones: of numbers alone the highest is the oldest, within a date the lowest.
    fn age_order(&self) -> (Option<&str>, i128) {
        let number = i128::from(self.number);
        (self.date.as_deref(), if self.date.is_some() { number } else { -number })
    }
}

fn parse_number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if is_plain { text.parse().ok() } else { None }
}

/// A backup on the disk.
#[derive(Clone, Debug)]
pub(super) struct Backup {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
    pub(super) compression: Option<Compression>,
    pub(super) status: FileStatus,
}

impl Backup {
    /// The backup that `path` is of the file called `base_name`, when its name is that of one.
    fn of(fs: &dyn FileSystem, path: PathBuf, base_name: &OsStr, forms: &DateForms) -> Option<Self> {
        let (stamp, compression) = parse_name(path.file_name()?, base_name, forms)?;
        let status = fs.status(&path).ok().filter(|status| status.is_regular)?;
        Some(Self { path, stamp, compression, status })
    }
}

/// The stamp and the compression of the backup of the file called `base_name` that would be called `name`.
fn parse_name(name: &OsStr, base_name: &OsStr, forms: &DateForms) -> Option<(Stamp, Option<Compression>)> {
    let rest = name.as_encoded_bytes().strip_prefix(base_name.as_encoded_bytes())?.strip_prefix(b".")?;
    let rest = std::str::from_utf8(rest).ok()?;
    let compression = Compression::ALL.into_iter().find(|each| rest.ends_with(each.ending()));
    let text = rest.strip_suffix(compression.map_or("", Compression::ending))?;
    Some((Stamp::parse(text, forms)?, compression))
}

/// Whether the last part of `path` is a name that a rollover gives to backups of `base`.
pub(super) fn is_named_as_backup(path: &Path, base: &Path) -> bool {
    let names = path.file_name().zip(base.file_name());
    names.is_some_and(|(name, base)| parse_name(name, base, &DateForms::default()).is_some())
}

/// The backups of `base` that are in `folder`, the oldest first.
///
/// # Errors
/// Those of the file system.
pub(super) fn list(
    fs: &dyn FileSystem,
    folder: &Path,
    base: &Path,
    forms: &DateForms,
) -> io::Result<Vec<Backup>> {
    let Some(base_name) = base.file_name() else { return Ok(Vec::new()) };
    let paths = fs.list(folder)?;
    let mut backups: Vec<_> =
        paths.into_iter().filter_map(|path| Backup::of(fs, path, base_name, forms)).collect();
    backups.sort_by(|one, other| one.stamp.age_order().cmp(&other.stamp.age_order()));
    // Who follows a rollover late writes to a backup: of one date, or of numbers alone, it is not newer for it than those that
    // came after.
    let mut aged: Vec<((i64, u32), Backup)> = Vec::with_capacity(backups.len());
    for backup in backups {
        let before = aged.last().filter(|(_, before)| backup.stamp.comes_after(&before.stamp));
        let changed = backup.status.last_change();
        aged.push((before.map_or(changed, |(before, _)| changed.max(*before)), backup));
    }
    aged.sort_by_key(|(changed, _)| *changed);
    Ok(aged.into_iter().map(|(_, backup)| backup).collect())
}

/// The folder of `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The stamp with `date` that comes after all those in `backups`, so that nothing is overwritten.
pub(super) fn next_stamp(backups: &[Backup], date: String) -> Stamp {
    let same_date = backups.iter().filter(|backup| backup.stamp.date.as_deref() == Some(&date));
    let number = same_date.map(|backup| backup.stamp.number + 1).max().unwrap_or(0);
    Stamp { date: Some(date), number }
}

/// The path for the compressed form of `backup`, one of `backups` of `base`.
///
/// A program that was killed may have left a complete one, which has the time of the backup's last change: it is
/// replaced by its like. Anything else that has the name keeps it.
pub(super) fn compressed_path(
    base: &Path,
    backup: &Backup,
    compression: Compression,
    backups: &[Backup],
) -> PathBuf {
    let path = backup.stamp.path(base, Some(compression));
    let is_other =
        |other: &Backup| other.path == path && other.status.last_change() != backup.status.last_change();
    if !backups.iter().any(is_other) {
        return path;
    }
    let same_date = backups.iter().filter(|other| other.stamp.date == backup.stamp.date);
    let number = same_date.map(|other| other.stamp.number + 1).max().unwrap_or(1);
    Stamp { date: backup.stamp.date.clone(), number }.path(base, Some(compression))
}

/// The stamp of `backup` in an archive that has `archived`: in place of a number alone, which the next backup will
/// have, the moment of its last change, in UTC.
pub(super) fn archive_stamp(backup: &Backup, archived: &[Backup]) -> Stamp {
    let date = backup.stamp.date.clone().unwrap_or_else(|| {
        let moment = jiff::Timestamp::from_second(backup.status.modified).unwrap_or_default();
        jiff::tz::TimeZone::UTC.to_datetime(moment).strftime(When::Second.suffix()).to_string()
    });
    next_stamp(archived, date)
}

#[cfg(test)]
mod tests {
    use super::{DateForms, Stamp};

    #[test]
    fn only_what_a_rollover_writes_is_a_stamp() {
        let forms = DateForms::default();
        for text in [
            "1",
            "12",
            "2024-02-29",
            "2024-03-01.2",
            "2024-03-01_23",
            "2024-03-01_23-59",
            "2024-03-01_23-59-01.7",
        ] {
            assert_eq!(Stamp::parse(text, &forms).map(|stamp| stamp.text()).as_deref(), Some(text));
        }
        for text in [
            "",
            "0",
            "01",
            "1.1",
            "old",
            "2024-02-30",
            "2024-3-1",
            "2024-03-01.0",
            "2024-03-01_24",
            "2024-03-01.x",
            "2024-03-01.2.3",
            " 2024-03-01",
            "12024-03-01",
        ] {
            assert_eq!(Stamp::parse(text, &forms), None, "{text}");
        }
    }

    #[test]
    fn a_form_of_the_program_counts_as_well() {
        let forms = DateForms::with("%Y%m%d.txt");
        let stamp = Stamp::parse("20240301.txt.3", &forms).expect("a stamp");
        assert_eq!((stamp.date.as_deref(), stamp.number), (Some("20240301.txt"), 3));
        assert_eq!(Stamp::parse("20241301.txt", &forms), None);
        assert!(Stamp::parse("2024-03-01", &forms).is_some(), "the form it had before");
    }
}
