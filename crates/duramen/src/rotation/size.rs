//! Rollover by size: backups are numbered, and shifted up by one at each rollover.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Rules;

/// When a file is rolled over by size, and what its backups are called.
///
/// ```
/// use duramen::rotation::SizeLimit;
///
/// let limit = SizeLimit::new(100, 3);
/// assert!(!limit.is_reached(90, 9));
/// assert!(limit.is_reached(90, 10));
/// assert!(!SizeLimit::new(0, 3).is_reached(1_000_000, 10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimit {
    max_bytes: u64,
    backup_count: u32,
    rules: Rules,
}

impl SizeLimit {
    /// Rolls over before the file reaches `max_bytes` (0: never), and keeps `backup_count` backups.
    ///
    /// With a count of 0 nothing is renamed, so that the file goes on growing, as in Python.
    pub fn new(max_bytes: u64, backup_count: u32) -> Self {
        Self { max_bytes, backup_count, rules: Rules::default() }
    }

    /// Follows the rules of one CPython release or another.
    #[must_use]
    pub fn rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// The size that the file does not reach; 0: any.
    ///
    /// ```
    /// assert_eq!(duramen::rotation::SizeLimit::new(100, 3).max_bytes(), 100);
    /// ```
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// The number of backups that are kept.
    ///
    /// ```
    /// use duramen::rotation::{Rules, SizeLimit};
    ///
    /// let limit = SizeLimit::new(1_000_000, 5).rules(Rules::Corrected);
    /// assert_eq!(limit.backup_count(), 5);
    /// ```
    pub fn backup_count(&self) -> u32 {
        self.backup_count
    }

    /// True when `length` more bytes (characters for Python, which counts so) after `position` call for a
    /// rollover first. The caller makes sure that the file is a regular one: nothing else is rolled over.
    pub fn is_reached(&self, position: u64, length: u64) -> bool {
        if self.max_bytes == 0 || (position == 0 && self.rules == Rules::Corrected) {
            return false;
        }
        position.saturating_add(length) >= self.max_bytes
    }

    /// The renamings among backups that make room for a new `.1`, in the order in which they are done:
    /// the oldest first.
    ///
    /// ```
    /// use duramen::rotation::SizeLimit;
    ///
    /// let shifts: Vec<_> = SizeLimit::new(100, 3).shifts("app.log".as_ref()).collect();
    /// assert_eq!(shifts[0], ("app.log.2".into(), "app.log.3".into()));
    /// assert_eq!(shifts[1], ("app.log.1".into(), "app.log.2".into()));
    /// assert_eq!(shifts.len(), 2);
    /// ```
    pub fn shifts(&self, base: &Path) -> impl Iterator<Item = (PathBuf, PathBuf)> {
        (1..self.backup_count).rev().map(move |number| (numbered(base, number), numbered(base, number + 1)))
    }
}

/// The default name of backup `number` of `base`: `base.number`.
///
/// ```
/// use duramen::rotation::size::numbered;
///
/// assert_eq!(numbered("logs/app.log".as_ref(), 2).to_str(), Some("logs/app.log.2"));
/// ```
pub fn numbered(base: &Path, number: u32) -> PathBuf {
    with_suffix(base, &number.to_string())
}

/// `base`, a dot and `suffix`; an ending that `base` has already stays where it is.
pub(super) fn with_suffix(base: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(base);
    name.push(".");
    name.push(suffix);
    name.into()
}
