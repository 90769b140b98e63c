//! The writing side of a journal.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Journal, Memory, PART, Refused, Ticket, length_of, room_for};
use crate::spool::State;
use crate::spool::layout::{ENTRY_HEAD, begin_of_sum, checksum_of_entry, number_as_stored};

/// The bytes of its state, which an entry begins with.
const STATE: usize = 4;

/// Writes entries down, one after the other. It is for who holds a lock anyway, that of a queue: writing one down takes none.
///
/// ```
/// use duramen::spool::{self, Destination};
///
/// # let folder = tempfile::tempdir()?;
/// let mut appender = spool::create(folder.path(), spool::DEFAULT_SIZE, vec![Destination::Stdout])?;
/// let ticket = appender.append(b"one\ntwo\n", [(0, 4), (0, 8)].into_iter()).unwrap();
/// appender.journal().end([ticket]);
/// # std::io::Result::Ok(())
/// ```
pub struct Appender<M: Memory> {
    journal: Arc<Journal<M>>,
    begin_of_sum: u32,
    /// The next entry begins here, as a position and within the ring.
    next: u64,
    offset: usize,
    /// The number of the last entry.
    last: u64,
    /// One that is given up for the next entry.
    given_up: Option<Ticket>,
}

impl<M: Memory> Appender<M> {
    /// The one of a journal that is empty.
    pub(super) fn of(journal: Arc<Journal<M>>) -> Self {
        let begin_of_sum = begin_of_sum(journal.identity);
        Self { journal, begin_of_sum, next: 0, offset: 0, last: 0, given_up: None }
    }

    /// What is written.
    #[inline]
    pub fn journal(&self) -> &Arc<Journal<M>> {
        &self.journal
    }

    /// Writes an entry down: `lines`, and for each of them its destination and where it ends. What was given up for it
    /// ([`Appender::give_up`]) comes to its end in any case.
    ///
    /// # Errors
    /// When there is no room for it.
    #[inline]
    pub fn append(
        &mut self,
        lines: &[u8],
        parts: impl ExactSizeIterator<Item = (u32, u32)>,
    ) -> Result<Ticket, Refused> {
        let (count, mut parts) = (parts.len(), parts);
        let place = self.place(count, lines.len())?;
        match parts.next() {
            Some(part) if count == 1 => self.store_line(place.ticket, lines, part),
            part => self.store(place.ticket, lines, part.into_iter().chain(parts)),
        }
        self.last = place.ticket.number;
        if place.is_behind_the_last {
            self.next += u64::from(place.ticket.taken);
            self.offset = place.ticket.offset as usize + room_for(place.ticket.length as usize);
            self.journal.next.store(self.next, Ordering::Release);
            if self.given_up.is_some() {
                self.let_go();
            }
        }
        Ok(place.ticket)
    }

    /// Where the next entry goes, of so many lines and bytes.
    #[inline]
    fn place(&mut self, lines: usize, bytes: usize) -> Result<Place, Refused> {
        let length = length_of(lines, bytes);
        let needed = room_for(length);
        let freed = self.journal.freed.load(Ordering::Acquire);
        let (offset, skipped) = match self.journal.place(freed, self.next, self.offset, needed) {
            Ok(place) => place,
            Err(refused) => return self.place_given_up(refused, lines, length),
        };
        if self.next == freed && self.offset != 0 {
            // Nobody else changes what is free while nothing is in use.
            self.next += (self.journal.memory.length() - self.offset) as u64;
            self.journal.next.store(self.next, Ordering::Release);
            self.journal.freed.store(self.next, Ordering::Release);
        }
        let ticket = Ticket {
            number: self.last + 1,
            begin: self.next,
            taken: word(skipped + needed)?,
            offset: word(offset)?,
            length: word(length)?,
            lines: word(lines)?,
        };
        Ok(Place { ticket, is_behind_the_last: true })
    }

    /// An entry that waits is given up for the one that is written down next, which takes its place where there is no room
    /// elsewhere: older ones that are in flight keep all that lies behind them.
    ///
    /// ```
    /// use duramen::spool::{self, Destination};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let mut appender = spool::create(folder.path(), *spool::SIZES.start(), vec![Destination::Stderr])?;
    /// let oldest = appender.append(b"oldest\n", [(0, 7)].into_iter()).unwrap();
    /// appender.give_up(oldest);
    /// let newest = appender.append(b"newest\n", [(0, 7)].into_iter()).unwrap(); // here the oldest is at its end
    /// appender.give_up(newest);
    /// appender.let_go(); // nothing came for it
    /// assert!(appender.journal().is_empty());
    /// # std::io::Result::Ok(())
    /// ```
    pub fn give_up(&mut self, ticket: Ticket) {
        self.let_go();
        self.given_up = Some(ticket);
    }

    /// Brings what was given up to its end: no entry comes for its place.
    pub fn let_go(&mut self) {
        if let Some(given_up) = self.given_up.take() {
            self.journal.end([given_up]);
        }
    }

    /// The place of what was given up, if it is large enough; nothing stands there any more.
    #[cold]
    fn place_given_up(&mut self, refused: Refused, lines: usize, length: usize) -> Result<Place, Refused> {
        let Some(given_up) = self.given_up.take() else { return Err(refused) };
        let begin = self.journal.offset_of(given_up.begin);
        // What lies empty before it, up to the end of the ring, stays so.
        let is_at_begin = begin == given_up.offset as usize;
        let skipped = if is_at_begin { 0 } else { self.journal.memory.length() - begin };
        let freed = self.journal.freed.load(Ordering::Acquire);
        let is_open = self.journal.ended().is_open(given_up, freed);
        if !is_open || room_for(length) > (given_up.taken as usize).saturating_sub(skipped) {
            self.journal.end([given_up]);
            return Err(refused);
        }
        self.journal.memory.store_state(given_up.offset as usize, State::Done.word());
        let (length, lines) = (word(length)?, word(lines)?);
        let ticket = Ticket { number: self.last + 1, length, lines, ..given_up };
        Ok(Place { ticket, is_behind_the_last: false })
    }

    /// Stores an entry.
    #[cold]
    fn store(&self, ticket: Ticket, lines: &[u8], parts: impl Iterator<Item = (u32, u32)>) {
        let (memory, offset) = (&self.journal.memory, ticket.offset as usize);
        let mut head = head_of(self.journal.identity, ticket);
        memory.store_state(offset, 0);
        // In words, since a checksum of bytes that were stored one by one just now waits for each of them.
        let mut sum = checksum_of_entry(self.begin_of_sum, &head, &[]);
        let mut at = offset + ENTRY_HEAD;
        for part in parts.map(part_of) {
            sum = checksum_of_entry(sum, &[part], &[]);
            memory.store(at, &part.to_le_bytes());
            at += PART;
        }
        sum = checksum_of_entry(sum, &[], lines);
        memory.store(at, lines);
        head[2] |= u64::from(sum);
        memory.store(offset + STATE, without_state(&as_bytes(head)));
        memory.store_state(offset, State::Waiting.word());
    }

    /// [`Appender::store`] for one line, which most entries are, with as few stores as there can be.
    #[inline]
    fn store_line(&self, ticket: Ticket, line: &[u8], part: (u32, u32)) {
        let (memory, offset) = (&self.journal.memory, ticket.offset as usize);
        let [length, number, count] = head_of(self.journal.identity, ticket);
        let mut words = [length, number, count, part_of(part)];
        let sum = checksum_of_entry(self.begin_of_sum, &words, line);
        words[2] |= u64::from(sum);
        memory.store_state(offset, 0);
        memory.store(offset + ENTRY_HEAD + PART, line);
        memory.store(offset + STATE, without_state(&as_bytes(words)));
        memory.store_state(offset, State::Waiting.word());
    }
}

/// Where an entry goes.
struct Place {
    ticket: Ticket,
    /// Otherwise it is that of one which was given up.
    is_behind_the_last: bool,
}

/// The head of an entry, of which state and checksum are zero yet.
#[inline]
fn head_of(identity: u64, ticket: Ticket) -> [u64; ENTRY_HEAD / 8] {
    let (length, count) = (u64::from(ticket.length) << 32, u64::from(ticket.lines) << 32);
    [length, number_as_stored(identity, ticket.number), count]
}

/// What stands for a line: its destination, and where it ends.
#[inline]
fn part_of((destination, end): (u32, u32)) -> u64 {
    u64::from(end) << 32 | u64::from(destination)
}

#[inline]
fn as_bytes<const N: usize>(words: [u64; N]) -> [[u8; 8]; N] {
    words.map(u64::to_le_bytes)
}

/// Words as they are stored behind the state of an entry, which they begin with.
#[inline]
fn without_state(words: &[[u8; 8]]) -> &[u8] {
    words.as_flattened().get(STATE..).unwrap_or_default()
}

#[inline]
fn word(number: usize) -> Result<u32, Refused> {
    u32::try_from(number).map_err(|_| Refused::TooLong)
}
