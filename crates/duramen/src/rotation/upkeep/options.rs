//! What becomes of backups beyond what CPython's handlers do with them, checked before anything is touched.

use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::backups::{folder_of, is_named_as_backup};
use crate::fs::FileSystem;

/// How backups are compressed.
///
/// ```
/// use duramen::rotation::Compression;
///
/// assert_eq!("zstd".parse(), Ok(Compression::Zstd));
/// assert_eq!(Compression::ALL.map(Compression::ending), [".gz", ".zst"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// gzip (RFC 1952), with the ending `.gz`.
    Gzip,
    /// Zstandard (RFC 8878), with the ending `.zst`.
    Zstd,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Gzip, Self::Zstd];

    /// What is added to the name of a compressed backup.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}

impl FromStr for Compression {
    type Err = InvalidOption;

    /// Reads `gzip` or `zstd`.
    fn from_str(text: &str) -> Result<Self, InvalidOption> {
        match text {
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(InvalidOption::new("compression", format!("{text:?}"), "\"gzip\" or \"zstd\"")),
        }
    }
}

/// Called with the path of each backup that is done: renamed and, where that is asked for, compressed.
///
/// It is called by the thread that looks after backups, while no lock is held, once for a backup and by one of the
/// processes that write the file; not for a backup that a program left behind when it was killed.
///
/// ```
/// use std::sync::mpsc;
///
/// use duramen::rotation::{OnRotate, UpkeepOptions};
///
/// let (backups, done) = mpsc::channel();
/// let on_rotate = OnRotate::new(move |backup| {
///     let _ = backups.send(backup.to_owned()); // to the thread that uploads them
/// });
/// let options = UpkeepOptions { on_rotate: Some(on_rotate), ..UpkeepOptions::default() };
/// # drop((options, done));
/// ```
#[derive(Clone)]
pub struct OnRotate(Arc<dyn Fn(&Path) + Send + Sync>);

impl OnRotate {
    /// Calls `function`. A panic of it is reported.
    pub fn new(function: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    pub(super) fn call(&self, backup: &Path) {
        (self.0)(backup);
    }
}

impl fmt::Debug for OnRotate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OnRotate")
    }
}

/// What becomes of the backups of one file.
///
/// ```
/// use duramen::rotation::{Compression, UpkeepOptions, parse_age};
///
/// let options = UpkeepOptions {
///     compression: Some(Compression::Gzip),
///     max_age: Some(parse_age("max_age", "30d")?),
///     ..UpkeepOptions::default()
/// };
/// options.check("/tmp/app.log".as_ref())?;
/// # Ok::<(), duramen::rotation::InvalidOption>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct UpkeepOptions {
    /// The most backups that are kept; 0 (the default): any number.
    pub backup_count: usize,
    /// Compresses backups, in a thread of its own; `None` (the default): they stay as they are.
    pub compression: Option<Compression>,
    /// Backups that were last written longer ago leave the folder; `None` (the default): age does not count.
    pub max_age: Option<Duration>,
    /// The oldest backups leave the folder until the others have at most so many bytes together; `None` (the
    /// default): size does not count.
    pub max_total_bytes: Option<u64>,
    /// Backups that leave the folder go to this one, which may be on another disk; `None` (the default): they are
    /// deleted.
    pub archive_to: Option<PathBuf>,
    /// Backups in the archive that were last written longer ago are deleted; `None` (the default): they stay.
    pub archive_max_age: Option<Duration>,
    /// A symbolic link that is made to the file that is written to.
    pub symlink: Option<PathBuf>,
    /// Called for each backup.
    pub on_rotate: Option<OnRotate>,
}

impl UpkeepOptions {
    /// Refuses options for the file `base` that contradict each other.
    ///
    /// # Errors
    /// [`InvalidOption`], which names the option.
    pub fn check(&self, base: &Path) -> Result<(), InvalidOption> {
        let base = plain(base);
        self.check_archive(&base)?;
        let Some(link) = &self.symlink else { return Ok(()) };
        let refuse = |found, expected| Err(InvalidOption::new("symlink", found, expected));
        if link.as_os_str().is_empty() {
            return refuse("\"\"", "a path");
        }
        let link = plain(link);
        if link == base {
            return refuse("the path of the log itself", "another path");
        }
        let archive = self.archive_to.as_deref().map(plain);
        if archive.as_ref() == Some(&link) {
            return refuse("the folder of archive_to", "another path");
        }
        // Such a link would be taken for a backup.
        let folder = folder_of(&link);
        let has_backups = folder == folder_of(&base) || Some(folder) == archive.as_deref();
        if has_backups && is_named_as_backup(&link, &base) {
            return refuse("a name that backups get", "another name");
        }
        Ok(())
    }

    /// Refuses an archive that contradicts other options; `base` is plain.
    fn check_archive(&self, base: &Path) -> Result<(), InvalidOption> {
        let refuse = |option, found, expected| Err(InvalidOption::new(option, found, expected));
        let Some(archive) = &self.archive_to else {
            if self.archive_max_age.is_some() {
                return refuse("archive_max_age", "an age alone", "archive_to beside it");
            }
            return Ok(());
        };
        if archive.as_os_str().is_empty() {
            return refuse("archive_to", "\"\"", "the path of a folder");
        }
        let leaves_by_number = self.backup_count > 0 || self.max_total_bytes.is_some();
        if !leaves_by_number && self.max_age.is_none() {
            let expected = "backupCount, max_age or max_total_bytes, which say what goes there";
            return refuse("archive_to", "a folder alone", expected);
        }
        let archive = plain(archive);
        if archive == folder_of(base) {
            return refuse("archive_to", "the folder of the log itself", "another folder");
        }
        if archive == base || (folder_of(&archive) == folder_of(base) && is_named_as_backup(&archive, base)) {
            return refuse("archive_to", "a name that the log or its backups get", "another name");
        }
        if !leaves_by_number && self.archive_max_age.is_some() && self.archive_max_age <= self.max_age {
            let expected = "more than max_age, at which backups go there";
            return refuse("archive_max_age", "an age that all have when they go there", expected);
        }
        Ok(())
    }

    /// As [`UpkeepOptions::check`], and refuses what is on the disk already and would be in the way.
    ///
    /// ```
    /// use duramen::fs::Disk;
    /// use duramen::rotation::UpkeepOptions;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let archive = folder.path().join("archive");
    /// std::fs::write(&archive, "a file")?;
    /// let options = UpkeepOptions { backup_count: 3, archive_to: Some(archive), ..UpkeepOptions::default() };
    /// let error = options.check_on(&Disk, &folder.path().join("app.log")).unwrap_err();
    /// assert_eq!(error.to_string(), "archive_to: found something else than a folder, expected the path of a folder");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidOption`], which names the option.
    pub fn check_on(&self, fs: &dyn FileSystem, base: &Path) -> Result<(), InvalidOption> {
        self.check(base)?;
        if let Some(link) = &self.symlink
            && fs.exists(link)
            && !fs.is_link(link)
        {
            let found = "the path of something else than a link";
            return Err(InvalidOption::new("symlink", found, "a path that is free, or that of a link"));
        }
        let Some(archive) = &self.archive_to else { return Ok(()) };
        match fs.list(archive) {
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let found = "something else than a folder";
                Err(InvalidOption::new("archive_to", found, "the path of a folder"))
            }
            // It is made when it is needed; another trouble may be over by then.
            _ => Ok(()),
        }
    }
}

/// The path without `.` and `..`, as far as that can be told without asking the disk.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// An option that is impossible or contradicts another one.
///
/// ```
/// use duramen::rotation::{InvalidOption, parse_age};
///
/// let error: InvalidOption = parse_age("max_age", "soon").unwrap_err();
/// assert_eq!((error.option, error.found.as_str()), ("max_age", "\"soon\""));
/// let own = InvalidOption::new("bucket", "\"\"", "the name of a bucket");
/// assert_eq!(own.to_string(), "bucket: found \"\", expected the name of a bucket");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option}: found {found}, expected {expected}")]
pub struct InvalidOption {
    /// The option's name.
    pub option: &'static str,
    /// What was found.
    pub found: String,
    /// What would be right.
    pub expected: String,
}

impl InvalidOption {
    /// Says what is wrong with `option`.
    pub fn new(option: &'static str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { option, found: found.into(), expected: expected.into() }
    }
}

/// Reads an age: a whole number above 0 and a unit, one of `s`, `m`, `h`, `d` and `w`.
///
/// ```
/// use std::time::Duration;
/// use duramen::rotation::parse_age;
///
/// assert_eq!(parse_age("max_age", "30d").unwrap(), Duration::from_secs(30 * 86_400));
/// let error = parse_age("max_age", "1y").unwrap_err();
/// assert!(error.to_string().starts_with("max_age: found \"1y\", expected"));
/// ```
///
/// # Errors
/// [`InvalidOption`] for `option`, when `text` is no such age.
#[expect(clippy::string_slice, reason = "its last character was seen to be one byte long")]
pub fn parse_age(option: &'static str, text: &str) -> Result<Duration, InvalidOption> {
    let seconds_in = |unit| match unit {
        's' => Some(1_u64),
        'm' => Some(60),
        'h' => Some(3600),
        'd' => Some(86_400),
        'w' => Some(7 * 86_400),
        _ => None,
    };
    let seconds = text.chars().last().and_then(seconds_in).and_then(|unit| {
        let digits = &text[..text.len() - 1];
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|count| is_number && *count > 0)?.checked_mul(unit)
    });
    let expected = "a whole number above 0 and one of s, m, h, d, w, such as \"30d\"";
    seconds.map(Duration::from_secs).ok_or_else(|| InvalidOption::new(option, format!("{text:?}"), expected))
}
