//! How long a file is, to which others may write as well, without asking the system for each record.
//!
//! A look tells the length, and by how much the file has grown since the last one, by whomever: with that, a writer knows for
//! how many records of its own the file is not going to be full, and looks again when half of them are written; and after
//! some records or some time in any case. So a look is rare while a file has room, and is made for each record when it is
//! about to be full. A file grows beyond its limit by what others write more than before until the next look.

/// So many records are written between two looks at most.
const RECORDS: u32 = 64;

/// So much time passes between two looks at most, in nanoseconds, when records come.
const PAUSE: i64 = 10_000_000;

/// So much time passes between two looks at the path at most: whether the file is still the one there.
const PATH_PAUSE: i64 = 50_000_000;

/// What a writer knows of the file that it has open. Times are those of any clock, in nanoseconds.
///
/// ```
/// use duramen::rotation::Growth;
///
/// let mut growth = Growth::default();
/// let second = 1_000_000_000;
/// assert!(growth.wants_look(0) && growth.wants_path(0)); // nothing is known yet
/// growth.has_looked(500, 1000, 0); // 500 of 1000 bytes are written
/// growth.has_looked_at_path(0);
/// growth.has_written(100);
/// assert_eq!(growth.length(), 600);
/// assert!(growth.wants_look(100 * second)); // others may write to the file as well
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Growth {
    length: u64,
    looked: Option<i64>,
    /// The length that was found then, and how many records were written since.
    looked_length: u64,
    records: u32,
    /// The next look comes after so many records.
    next: u32,
    path_looked: Option<i64>,
    path_records: u32,
}

impl Growth {
    /// Whether the system is to be asked before the next record, which comes `now`.
    pub fn wants_look(&self, now: i64) -> bool {
        self.records >= self.next || !is_recent(self.looked, now, PAUSE)
    }

    /// Whether the path is to be looked at as well.
    pub fn wants_path(&self, now: i64) -> bool {
        self.path_records >= RECORDS || !is_recent(self.path_looked, now, PATH_PAUSE)
    }

    /// The file was found to be `length` long; it is not to become longer than `limit`, 0 being none.
    pub fn has_looked(&mut self, length: u64, limit: u64, now: i64) {
        self.next = match self.looked {
            None => 1,
            Some(_) if self.records == 0 => self.next,
            Some(_) => {
                let grown = length.saturating_sub(self.looked_length);
                let by_record = (grown / u64::from(self.records)).max(1);
                let room = if limit == 0 { u64::MAX } else { limit.saturating_sub(length) };
                let half = u32::try_from(room / by_record / 2).unwrap_or(RECORDS);
                // What was found once may have been a quiet moment.
                half.min(self.next.max(1) * 2).min(RECORDS)
            }
        };
        (self.length, self.looked_length, self.records, self.looked) = (length, length, 0, Some(now));
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
    use super::{Growth, PATH_PAUSE, PAUSE, RECORDS};

    const RECORD: usize = 10;

    /// Writes to a file to which others write `others` times as much until it has `limit` bytes: how often was looked, at how
    /// many records, and how long the file is then.
    fn fill(others: u64, limit: u64) -> (u32, u32, u64) {
        let (mut growth, mut length, mut looks, mut records) = (Growth::default(), 0, 0, 0);
        loop {
            if growth.wants_look(0) {
                looks += 1;
                growth.has_looked(length, limit, 0);
            }
            if growth.length() + RECORD as u64 >= limit {
                return (looks, records, length);
            }
            growth.has_written(RECORD);
            length += RECORD as u64 * (others + 1);
            records += 1;
        }
    }

    #[test]
    fn a_look_is_rare_while_there_is_room_and_made_for_each_record_at_the_end() {
        for others in [0, 1, 7] {
            let (looks, records, length) = fill(others, 1_000_000);
            assert!(looks < records / 40, "{looks} looks at {records} records");
            let by_record = RECORD as u64 * (others + 1);
            assert!(length < 1_000_000 + by_record, "it stops as soon as it is full: {length}");
        }
        let (looks, records, length) = fill(3, 100);
        assert!(length < 140 && looks > records, "{looks} looks at {records} records");
    }

    #[test]
    fn a_look_comes_after_some_records_or_some_time() {
        let mut growth = Growth::default();
        assert!(growth.wants_look(0));
        while growth.next < RECORDS {
            growth.has_looked(growth.length(), 0, 0);
            growth.has_written(RECORD);
        }
        growth.has_looked(growth.length(), 0, 0);
        assert!(growth.wants_look(PAUSE) && growth.wants_look(-1), "also when the clock was set back");
        for _ in 0..RECORDS {
            assert!(!growth.wants_look(1));
            growth.has_written(1);
        }
        assert!(growth.wants_look(1), "also when the clock stands");
    }

    #[test]
    fn others_who_begin_to_write_are_seen_at_the_next_look() {
        let mut growth = Growth::default();
        for _ in 0..20 {
            growth.has_looked(growth.length(), 10_000, 0);
            growth.has_written(RECORD);
        }
        assert!(growth.next > 10);
        growth.has_looked(9_900, 10_000, 0);
        assert_eq!(growth.next, 0, "and then each record is looked at");
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
