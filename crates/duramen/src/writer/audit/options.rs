//! What an audit trail is asked for.

use std::str::FromStr;
use std::time::Duration;

use super::key::AuditKey;
use crate::rotation::{InvalidOption, Schedule};

/// How records are brought to the disk. With both, a record is there when the logging call returns.
///
/// ```
/// use duramen::writer::audit::Commit;
///
/// assert_eq!("group".parse(), Ok(Commit::Group));
/// assert_eq!(Commit::default(), Commit::Record);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Commit {
    /// Each by a sync of its own.
    #[default]
    Record,
    /// Those of threads that log at the same time by one sync together.
    Group,
}

impl FromStr for Commit {
    type Err = InvalidOption;

    /// Reads `record` or `group`.
    fn from_str(text: &str) -> Result<Self, InvalidOption> {
        match text {
            "record" => Ok(Self::Record),
            "group" => Ok(Self::Group),
            _ => Err(InvalidOption::new("commit", format!("{text:?}"), "\"record\" or \"group\"")),
        }
    }
}

/// What an audit trail is asked for beside its path.
///
/// ```
/// use std::time::Duration;
///
/// use duramen::writer::audit::{AuditKey, AuditOptions, Commit};
///
/// let key = AuditKey::new(b"0123456789abcdef").unwrap();
/// let options = AuditOptions {
///     commit: Commit::Group,
///     max_bytes: 100_000_000,
///     max_age: Some(Duration::from_secs(7 * 365 * 86_400)), // seven years
///     ..AuditOptions::new(key)
/// };
/// assert!(options.check().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct AuditOptions {
    /// The key of the codes.
    pub key: AuditKey,
    /// How records are brought to the disk.
    pub commit: Commit,
    /// Another file begins before one grows beyond so many bytes; 0 (the default): size does not count.
    pub max_bytes: u64,
    /// Another file begins when the schedule says; `None` (the default): time does not count.
    pub schedule: Option<Schedule>,
    /// Files whose last line is older are deleted; `None` (the default): all stay.
    pub max_age: Option<Duration>,
    /// Nothing is deleted, whatever its age. A file beside the trail, with `.hold` behind its name, does the same.
    pub legal_hold: bool,
}

impl AuditOptions {
    /// One file, of which nothing is ever deleted, with `key`.
    pub fn new(key: AuditKey) -> Self {
        Self {
            key,
            commit: Commit::default(),
            max_bytes: 0,
            schedule: None,
            max_age: None,
            legal_hold: false,
        }
    }

    /// Refuses options that contradict each other.
    ///
    /// # Errors
    /// [`InvalidOption`], which names the option.
    pub fn check(&self) -> Result<(), InvalidOption> {
        if self.max_age.is_some() && self.max_bytes == 0 && self.schedule.is_none() {
            let expected = "maxBytes or when beside it: only whole files are deleted";
            return Err(InvalidOption::new("max_age", "an age alone", expected));
        }
        Ok(())
    }
}
