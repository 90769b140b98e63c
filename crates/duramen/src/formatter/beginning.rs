//! What lines begin with, kept from line to line: most lines of a busy program have it in common with the one before.

use parking_lot::Mutex;

use crate::append::append;
use crate::{Level, Record};

/// The beginning of the last line, and what a formatter `Remembers` of it.
///
/// Only what the moment, the level with its name and the logger's name decide may stand in it.
#[derive(Debug, Default)]
pub(super) struct KeptBeginning<Remembers>(Mutex<Kept<Remembers>>);

#[derive(Debug, Default)]
struct Kept<Remembers> {
    text: Vec<u8>,
    /// Of the record that it is of.
    moment: Option<i64>,
    level: Level,
    level_name: String,
    name: String,
    remembers: Remembers,
}

impl<Remembers: Copy> KeptBeginning<Remembers> {
    /// Appends the beginning of the line of `record`, made at `moment`: the one that is kept, where it is the same, or what
    /// `write` puts into the buffer that it is given, which is empty.
    ///
    /// # Errors
    /// Those of `write`; nothing is appended then.
    #[inline]
    pub(super) fn append<E>(
        &self,
        moment: i64,
        record: &Record<'_>,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<Remembers, E>,
    ) -> Result<Remembers, E> {
        let mut kept = self.0.lock();
        if !kept.is_of(moment, record) {
            kept.text.clear();
            kept.moment = None;
            kept.remembers = write(&mut kept.text)?;
            kept.set(moment, record);
        }
        append(out, &kept.text);
        Ok(kept.remembers)
    }
}

impl<Remembers> Kept<Remembers> {
    #[inline]
    fn is_of(&self, moment: i64, record: &Record<'_>) -> bool {
        self.moment == Some(moment)
            && self.level == record.level
            && self.level_name == record.level_name
            && self.name == record.name
    }

    #[cold]
    fn set(&mut self, moment: i64, record: &Record<'_>) {
        self.moment = Some(moment);
        self.level = record.level;
        record.level_name.clone_into(&mut self.level_name);
        record.name.clone_into(&mut self.name);
    }
}

/// A copy of a formatter begins with nothing kept.
impl<Remembers: Default> Clone for KeptBeginning<Remembers> {
    fn clone(&self) -> Self {
        Self::default()
    }
}
