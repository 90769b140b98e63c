//! Which backups of a timed rotation are deleted.

use super::{Rules, When};

/// A user's own naming of backups: gives the name of the backup of a date.
///
/// ```
/// use duramen::rotation::retention::DateNamer;
/// use duramen::rotation::{Schedule, When};
///
/// let names = Schedule::new(When::Midnight, 1).unwrap().backup_names();
/// let namer: DateNamer = &|date| format!("app-{date}.log").into_bytes();
/// assert!(names.is_backup(b"app-2024-03-01.log", b"app.log", Some(namer)));
/// assert!(!names.is_backup(b"app-latest.log", b"app.log", Some(namer)));
/// ```
pub type DateNamer<'a> = &'a dyn Fn(&str) -> Vec<u8>;

/// Recognises the backups of one schedule among the names in a directory.
///
/// Names are compared as bytes (the platform's encoding), since a directory may hold names that are no
/// valid text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupNames {
    when: When,
    rules: Rules,
}

impl BackupNames {
    /// For backups with the suffix of `when`.
    pub fn new(when: When, rules: Rules) -> Self {
        Self { when, rules }
    }

    /// True when `name` is a backup of the file `base`, which is in the same directory.
    ///
    ///
    /// ```
    /// use duramen::rotation::{BackupNames, Rules, When};
    ///
    /// let daily = BackupNames::new(When::Midnight, Rules::Corrected);
    /// assert!(daily.is_backup(b"app.log.2024-03-01", b"app.log", None));
    /// assert!(!daily.is_backup(b"app.log.2024-03-01.gz", b"app.log", None));
    /// assert!(!daily.is_backup(b"application.log.2024-03-01", b"app.log", None));
    /// ```
    pub fn is_backup(self, name: &[u8], base: &[u8], namer: Option<DateNamer<'_>>) -> bool {
        match (self.rules, namer) {
            (Rules::Original, namer) => self.has_date_part(name, base, namer.is_some()),
            (Rules::Corrected, None) => {
                after_prefix(name, base).is_some_and(|suffix| self.date_length(suffix) == Some(suffix.len()))
            }
            (Rules::Corrected, Some(namer)) => self.dates_in(name).any(|date| namer(date) == name),
        }
    }

    /// The earlier rule: any part between dots, after the file's name without its ending, is a date.
    fn has_date_part(self, name: &[u8], base: &[u8], has_namer: bool) -> bool {
        let (stem, ending) = split_ending(base);
        let prefix_length = stem.len() + 1;
        if !has_namer && !name.starts_with(base) {
            return false;
        }
        let is_of_another_file = has_namer
            && !name.starts_with(base)
            && name.ends_with(ending)
            && name.get(prefix_length + 1).is_some_and(|byte| !byte.is_ascii_digit());
        if is_of_another_file {
            return false;
        }
        after_prefix(name, stem).is_some_and(|suffix| {
            suffix.split(|byte| *byte == b'.').any(|part| self.date_length(part) == Some(part.len()))
        })
    }

    /// Each date in `name` that neither follows a digit nor is followed by one.
    #[expect(
        clippy::indexing_slicing,
        reason = "the first place is of a byte, and a date was found up to the second"
    )]
    fn dates_in(self, name: &[u8]) -> impl Iterator<Item = &str> {
        (0..name.len()).filter_map(move |start| {
            if start > 0 && name[start - 1].is_ascii_digit() {
                return None;
            }
            let end = start + self.date_length(&name[start..])?;
            let is_followed_by_digit = name.get(end).is_some_and(u8::is_ascii_digit);
            if is_followed_by_digit { None } else { std::str::from_utf8(&name[start..end]).ok() }
        })
    }

    /// The length of the date at the head of `text`, in the form of this schedule.
    fn date_length(self, text: &[u8]) -> Option<usize> {
        let form: &[u8] = match self.when {
            When::Second => b"0000-00-00_00-00-00",
            When::Minute => b"0000-00-00_00-00",
            When::Hour => b"0000-00-00_00",
            When::Day | When::Midnight | When::Weekday(_) => b"0000-00-00",
        };
        let head = text.get(..form.len())?;
        let matches = head
            .iter()
            .zip(form)
            .all(|(byte, form)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form });
        matches.then_some(form.len())
    }
}

/// Of `backups`, those to delete so that the newest `backup_count` stay, the oldest first; the names, which
/// carry the dates, give the order.
///
/// ```
/// use duramen::rotation::retention::surplus;
///
/// let backups = vec!["app.log.2024-03-02", "app.log.2024-03-01", "app.log.2024-03-03"];
/// assert_eq!(surplus(backups, 2), ["app.log.2024-03-01"]);
/// ```
pub fn surplus<T: Ord>(mut backups: Vec<T>, backup_count: usize) -> Vec<T> {
    backups.sort();
    backups.truncate(backups.len().saturating_sub(backup_count));
    backups
}

/// What follows `prefix` and a dot in `name`.
fn after_prefix<'a>(name: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    name.strip_prefix(prefix)?.strip_prefix(b".")
}

/// A file name and its ending with the dot; the dots at the start of a name begin no ending.
#[expect(clippy::indexing_slicing, reason = "the place was found in it")]
fn split_ending(name: &[u8]) -> (&[u8], &[u8]) {
    let first = name.iter().position(|byte| *byte != b'.').unwrap_or(name.len());
    match name[first..].iter().rposition(|byte| *byte == b'.') {
        Some(dot) => name.split_at(first + dot),
        None => (name, b""),
    }
}
