//! How long a file is, to which others may write as well, without asking the system for each record.
//!
//! Who is alone with a file knows its length: what it had, and what was written to it since. Whether others write, a look
//! tells: the file has another length than that. As long as they do, and at first, each record is looked at; who has been
//! alone for some looks looks again after some records, or after some time. So a file of several writers that has had one
//! for a while grows beyond its limit by what others write until the next look.

/// After so many looks that found nothing, a writer takes itself to be alone.
const ALONE_AFTER: u32 = 64;

/// So many records are written between two looks at most.
const RECORDS: u32 = 64;

/// So much time passes between two looks at most, in nanoseconds, when records come.
const PAUSE: i64 = 10_000_000;

/// So much time passes between two looks at the path at most: whether the file is still the one there.
const PATH_PAUSE: i64 = 50_000_000;

/// What a writer knows of the file that it has open. Times are those of any clock, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Growth {
    length: u64,
    alone: u32,
    records: u32,
    looked: Option<i64>,
    path_looked: Option<i64>,
    path_records: u32,
}

impl Growth {
    /// Whether the system is to be asked before the next record, which comes `now`.
    pub fn wants_look(&self, now: i64) -> bool {
        self.alone < ALONE_AFTER || self.records >= RECORDS || !is_recent(self.looked, now, PAUSE)
    }

    /// Whether the path is to be looked at as well.
    pub fn wants_path(&self, now: i64) -> bool {
        self.path_records >= RECORDS || !is_recent(self.path_looked, now, PATH_PAUSE)
    }

    /// The file was found to be `length` long.
    pub fn has_looked(&mut self, length: u64, now: i64) {
        let is_alone = self.looked.is_some() && length == self.length;
        self.alone = if is_alone { self.alone.saturating_add(1) } else { 0 };
        (self.length, self.records, self.looked) = (length, 0, Some(now));
    }

    /// The path was looked at, and leads to the file.
    pub fn has_looked_at_path(&mut self, now: i64) {
        (self.path_records, self.path_looked) = (0, Some(now));
    }

    /// So many bytes were written.
    pub fn has_written(&mut self, bytes: usize) {
        self.length += bytes as u64;
        self.records = self.records.saturating_add(1);
        self.path_records = self.path_records.saturating_add(1);
    }

    /// The length of the file, as far as is known.
    pub fn length(&self) -> u64 {
        self.length
    }
}

/// Whether `then` is less than `pause` away from `now`; a clock may have been set back.
fn is_recent(then: Option<i64>, now: i64, pause: i64) -> bool {
    then.is_some_and(|then| (then..then.saturating_add(pause)).contains(&now))
}

#[cfg(test)]
mod tests {
    use super::{ALONE_AFTER, Growth, PATH_PAUSE, PAUSE, RECORDS};

    fn alone() -> Growth {
        let mut growth = Growth::default();
        for _ in 0..=ALONE_AFTER {
            assert!(growth.wants_look(0));
            growth.has_looked(growth.length(), 0);
            growth.has_written(10);
        }
        growth
    }

    #[test]
    fn who_is_alone_looks_after_some_records_or_some_time() {
        let mut growth = alone();
        assert_eq!((growth.length(), growth.wants_look(0)), (10 * (u64::from(ALONE_AFTER) + 1), false));
        assert!(growth.wants_look(PAUSE) && growth.wants_look(-1), "also when the clock was set back");
        for _ in 1..RECORDS {
            assert!(!growth.wants_look(1));
            growth.has_written(10);
        }
        assert!(growth.wants_look(1), "also when the clock stands");
    }

    #[test]
    fn who_is_not_alone_looks_each_time() {
        let mut growth = alone();
        growth.has_looked(growth.length() + 1, 0);
        for _ in 1..=ALONE_AFTER {
            assert!(growth.wants_look(0));
            growth.has_looked(growth.length(), 0);
        }
        assert!(!growth.wants_look(0));
    }

    #[test]
    fn the_path_is_looked_at_now_and_then() {
        let mut growth = Growth::default();
        assert!(growth.wants_path(0));
        growth.has_looked_at_path(0);
        assert!(!growth.wants_path(PATH_PAUSE - 1) && growth.wants_path(PATH_PAUSE));
        (0..RECORDS).for_each(|_| growth.has_written(1));
        assert!(growth.wants_path(0));
    }
}
