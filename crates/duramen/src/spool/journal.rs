//! The writing side of a journal.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::State;
use super::layout::{
    ALIGNMENT, ENTRY_HEAD, begin_of_sum, checksum, checksum_of_words, number_as_stored, word_at,
};
use crate::sync::{AtomicU64, Condvar, Mutex, MutexGuard};

/// The bytes of a ring, which others may read at any moment.
///
/// Stores are seen in their order by who looks after the process has been killed.
///
/// ```
/// use std::sync::Mutex;
///
/// use duramen::spool::Memory;
///
/// /// A ring in plain memory, for tests.
/// struct Ring(Mutex<Vec<u8>>);
///
/// impl Memory for Ring {
///     fn length(&self) -> usize {
///         self.0.lock().unwrap().len()
///     }
///     fn store(&self, offset: usize, bytes: &[u8]) {
///         self.0.lock().unwrap()[offset..offset + bytes.len()].copy_from_slice(bytes);
///     }
///     fn store_state(&self, offset: usize, word: u32) {
///         self.store(offset, &word.to_le_bytes());
///     }
///     fn load(&self, offset: usize, length: usize, into: &mut Vec<u8>) {
///         into.extend_from_slice(&self.0.lock().unwrap()[offset..offset + length]);
///     }
///     fn prepare(&self, _offset: usize, _length: usize) {} // it is there already
///     fn discard(&self) {
///         self.0.lock().unwrap().clear();
///     }
/// }
/// ```
pub trait Memory: Send + Sync {
    /// Its length in bytes.
    fn length(&self) -> usize;

    /// Stores `bytes` from `offset` on, in no particular order among them.
    fn store(&self, offset: usize, bytes: &[u8]);

    /// Stores a little-endian word at `offset`, a multiple of 4: after all stores before, and before all that come.
    fn store_state(&self, offset: usize, word: u32);

    /// Appends `length` bytes from `offset` on, which were stored before, to `into`.
    fn load(&self, offset: usize, length: usize, into: &mut Vec<u8>);

    /// The bytes from `offset` on, `length` of them within the memory, are stored to soon: what that costs the first time can
    /// be done now, by a thread that nobody waits for.
    fn prepare(&self, _offset: usize, _length: usize) {}

    /// The journal is at its end, and nothing in it waits.
    fn discard(&self) {}
}

/// Entries that wait, in a ring of bytes: the side of those who deliver them. An [`Appender`] writes them down.
///
/// The locks are those of `std`, which keep all of their state in themselves: a forked child leaves its parent's
/// journal behind as it is, forgotten rather than dropped.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Instant;
///
/// use duramen::spool::{self, Destination, OwnJournal, Refused, Ticket};
///
/// # let folder = tempfile::tempdir()?;
/// let size = *spool::SIZES.start();
/// let mut appender = spool::create(folder.path(), size, vec![Destination::Stderr])?;
/// let journal: Arc<OwnJournal> = Arc::clone(appender.journal());
/// assert_eq!(journal.memory().file().path().parent(), Some(folder.path()));
/// assert_ne!(journal.identity(), 0);
///
/// let line = b"paid\n";
/// let ticket: Ticket = appender.append(line, [(0, 5)].into_iter()).unwrap(); // to the first destination, up to byte 5
/// assert_eq!(ticket.number(), 1);
/// assert!(!journal.is_empty() && journal.used_bytes() > 0);
/// journal.begin(ticket); // it is going to be delivered
/// let (mut lines, mut parts) = (Vec::new(), Vec::new());
/// journal.load(ticket, &mut lines);
/// journal.load_with_parts(ticket, &mut lines, &mut parts);
/// assert_eq!((&*lines, &*parts), (&b"paid\npaid\n"[..], &[(0, 5)][..]));
/// journal.end([ticket]); // it has been
/// assert!(journal.is_empty());
///
/// let long = vec![b'x'; 2 * size];
/// assert!(!journal.could_hold(1, long.len()));
/// assert_eq!(appender.append(&long, [(0, 5)].into_iter()), Err(Refused::TooLong));
/// assert!(journal.has_room_for(1, 5)); // otherwise:
/// journal.wait_for_room(Instant::now()); // what is done where it is `Refused::Full`
/// journal.discard_if_empty(); // the file is not needed any more
/// # std::io::Result::Ok(())
/// ```
pub struct Journal<M: Memory> {
    memory: M,
    identity: u64,
    /// Positions count the bytes of the ring around and around. What lies before this one is free again.
    freed: AtomicU64,
    /// The next entry begins here; only the appender changes it.
    next: AtomicU64,
    ended: Mutex<Ended>,
    /// For those who wait for room.
    left: Condvar,
}

/// What those who deliver entries share.
#[derive(Default)]
struct Ended {
    /// Entries that have come to their end before older ones: from where to where they go.
    early: BTreeMap<u64, u64>,
    /// The ring is prepared up to here.
    prepared: usize,
    waiting: usize,
}

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

/// An entry in a journal.
///
/// ```
/// use duramen::spool::{self, Destination, Ticket};
///
/// # let folder = tempfile::tempdir()?;
/// let mut appender = spool::create(folder.path(), *spool::SIZES.start(), vec![Destination::Stderr])?;
/// let tickets: Vec<Ticket> =
///     (0..2).map(|_| appender.append(b"x\n", [(0, 2)].into_iter()).unwrap()).collect();
/// assert_eq!((tickets[1].number(), tickets[1].bytes()), (2, 2));
/// appender.journal().end(tickets);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    number: u64,
    /// Where it begins, as a position, with what lies empty before it, and how long both are.
    begin: u64,
    taken: u32,
    offset: u32,
    /// The bytes behind its head, and how many lines those are.
    length: u32,
    lines: u32,
}

impl Ticket {
    /// Its number in its journal, from 1 on.
    pub fn number(self) -> u64 {
        self.number
    }

    /// How long its lines are together.
    pub fn bytes(self) -> usize {
        (self.length as usize).saturating_sub(self.lines as usize * PART)
    }

    /// Where its lines begin in the ring.
    fn lines_at(self) -> usize {
        self.offset as usize + ENTRY_HEAD + self.lines as usize * PART
    }

    fn end(self) -> u64 {
        self.begin + u64::from(self.taken)
    }
}

/// Why an entry was not taken.
///
/// ```
/// use duramen::spool::{self, Destination, Refused};
///
/// # let folder = tempfile::tempdir()?;
/// let mut appender = spool::create(folder.path(), *spool::SIZES.start(), vec![Destination::Stderr])?;
/// let line = vec![b'x'; 20_000];
/// let full = loop {
///     if let Err(refused) = appender.append(&line, [(0, 20_000)].into_iter()) {
///         break refused;
///     }
/// };
/// assert_eq!(full, Refused::Full);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no room for it now.
    Full,
    /// The whole journal is too small for it.
    TooLong,
}

/// So many bytes of the ring are prepared at a time, before the entries that come next need them.
const AHEAD: usize = 1024 * 1024;
/// What a line takes beside its bytes: its destination, and where it ends.
const PART: usize = 8;

impl<M: Memory> Journal<M> {
    /// An empty journal, in which no place has the state of an entry yet, and who writes it.
    ///
    /// ```
    /// use duramen::spool::{Appender, Journal, Memory};
    ///
    /// /// A journal in memory of any kind; the identity is one that no other journal has.
    /// fn journal<M: Memory>(memory: M, identity: u64) -> Appender<M> {
    ///     Journal::new(memory, identity)
    /// }
    /// ```
    #[expect(clippy::new_ret_no_self, reason = "a journal has one appender, which has the journal")]
    pub fn new(memory: M, identity: u64) -> Appender<M> {
        let (freed, next) = (AtomicU64::new(0), AtomicU64::new(0));
        let journal = Self { memory, identity, freed, next, ended: Mutex::default(), left: Condvar::new() };
        Appender {
            journal: Arc::new(journal),
            begin_of_sum: begin_of_sum(identity),
            next: 0,
            offset: 0,
            last: 0,
            given_up: None,
        }
    }

    /// What it is written to.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// The random number that, with that of a ticket, names an entry for ever.
    pub fn identity(&self) -> u64 {
        self.identity
    }

    /// Notes that an entry is about to be delivered.
    pub fn begin(&self, ticket: Ticket) {
        self.memory.store_state(ticket.offset as usize, State::InFlight.word());
    }

    /// Appends the lines of an entry, which has not come to its end, to `lines`.
    pub fn load(&self, ticket: Ticket, lines: &mut Vec<u8>) {
        self.memory.load(ticket.lines_at(), ticket.bytes(), lines);
    }

    /// The same, and to `parts` for each line its destination and where it ends.
    pub fn load_with_parts(&self, ticket: Ticket, lines: &mut Vec<u8>, parts: &mut impl Extend<(u32, u32)>) {
        let begin = lines.len();
        let before_lines = ticket.lines as usize * PART;
        self.memory.load(ticket.offset as usize + ENTRY_HEAD, ticket.length as usize, lines);
        let all = lines.get(begin..begin + before_lines).unwrap_or_default();
        let word = |part: &[u8], at| word_at(part, at).unwrap_or(u32::MAX);
        parts.extend(all.chunks_exact(PART).map(|part| (word(part, 0), word(part, PART / 2))));
        lines.drain(begin..(begin + before_lines).min(lines.len()));
    }

    /// Notes that entries have come to their end, and makes room of them.
    pub fn end(&self, tickets: impl IntoIterator<Item = Ticket>) {
        let mut ended = self.ended();
        let before = self.freed.load(Ordering::Acquire);
        let mut freed = before;
        for ticket in tickets {
            if !ended.is_open(ticket, freed) {
                continue;
            }
            // Before the place can be used again.
            self.memory.store_state(ticket.offset as usize, State::Done.word());
            if ticket.begin != freed {
                ended.early.insert(ticket.begin, ticket.end());
                continue;
            }
            freed = ticket.end();
            while let Some(end) = ended.early.remove(&freed) {
                freed = end;
            }
        }
        // Where nothing has ended, the appender may have gone on to the beginning of the ring.
        if freed != before {
            self.freed.store(freed, Ordering::Release);
        }
        if ended.waiting > 0 {
            self.left.notify_all();
        }
    }

    /// Has the system prepare the part of the ring that is written to next, where that has not been done: for the thread that
    /// delivers entries, after each batch, so that who writes one down does not meet pages that nobody has touched.
    ///
    /// ```
    /// use duramen::spool::{self, Destination};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let mut appender = spool::create(folder.path(), spool::DEFAULT_SIZE, vec![Destination::Stdout])?;
    /// let ticket = appender.append(b"one\n", [(0, 4)].into_iter()).unwrap();
    /// let journal = appender.journal();
    /// journal.begin(ticket);
    /// journal.end([ticket]);
    /// journal.prepare();
    /// # std::io::Result::Ok(())
    /// ```
    pub fn prepare(&self) {
        let length = self.memory.length();
        let mut ended = self.ended();
        if ended.prepared == length {
            return;
        }
        let offset = self.offset_of(self.next.load(Ordering::Relaxed));
        if offset + AHEAD / 2 <= ended.prepared {
            return;
        }
        let begin = ended.prepared.max(offset);
        let end = (begin + AHEAD).min(length);
        ended.prepared = end;
        // It takes a while, and others need the lock.
        drop(ended);
        self.memory.prepare(begin, end - begin);
    }

    /// Waits until something has left the journal, or `until` comes.
    pub fn wait_for_room(&self, until: Instant) {
        let mut ended = self.ended();
        let freed = self.freed.load(Ordering::Acquire);
        ended.waiting += 1;
        while self.freed.load(Ordering::Acquire) == freed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.is_empty() {
                break;
            }
            (ended, _) = self.left.wait_timeout(ended, left).unwrap_or_else(PoisonError::into_inner);
        }
        ended.waiting -= 1;
    }

    /// Whether an entry of so many lines, which have `bytes` bytes, would be taken now.
    pub fn has_room_for(&self, lines: usize, bytes: usize) -> bool {
        // In this order, so that it is not before what is free.
        let (freed, next) = (self.freed.load(Ordering::Acquire), self.next.load(Ordering::Acquire));
        let needed = room_for(length_of(lines, bytes));
        self.place(freed, next, self.offset_of(next), needed).is_ok()
    }

    /// Whether the whole ring is long enough for such an entry.
    #[inline]
    pub fn could_hold(&self, lines: usize, bytes: usize) -> bool {
        room_for(length_of(lines, bytes)) <= self.memory.length()
    }

    /// The bytes of the ring that are in use.
    pub fn used_bytes(&self) -> usize {
        let freed = self.freed.load(Ordering::Acquire);
        let used = self.next.load(Ordering::Acquire).saturating_sub(freed);
        // More was freed meanwhile than was in use, if it seems to be more than there is.
        usize::try_from(used).unwrap_or(usize::MAX).min(self.memory.length())
    }

    /// Whether all entries have come to their end.
    pub fn is_empty(&self) -> bool {
        self.used_bytes() == 0
    }

    /// Gives up the memory, unless an entry has not come to its end; nothing may be written down afterwards.
    pub fn discard_if_empty(&self) {
        if self.is_empty() {
            self.memory.discard();
        }
    }

    /// Where an entry of `needed` bytes goes, and the bytes before it that stay empty.
    #[inline]
    fn place(&self, freed: u64, next: u64, offset: usize, needed: usize) -> Result<(usize, usize), Refused> {
        let length = self.memory.length();
        if needed > length {
            return Err(Refused::TooLong);
        }
        if next == freed {
            // The beginning is written to again and again, so that an idle queue touches few pages.
            return Ok((0, 0));
        }
        let to_end = length - offset;
        let (offset, skipped) = if needed <= to_end { (offset, 0) } else { (0, to_end) };
        if (skipped + needed) as u64 > (length as u64).saturating_sub(next - freed) {
            return Err(Refused::Full);
        }
        Ok((offset, skipped))
    }

    /// Where a position lies in the ring.
    fn offset_of(&self, position: u64) -> usize {
        usize::try_from(position % (self.memory.length() as u64).max(1)).unwrap_or_default()
    }

    fn ended(&self) -> MutexGuard<'_, Ended> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Memory> Appender<M> {
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
        let needed = room_for(length_of(parts.len(), lines.len()));
        let freed = self.journal.freed.load(Ordering::Acquire);
        let (offset, skipped) = match self.journal.place(freed, self.next, self.offset, needed) {
            Ok(place) => place,
            Err(refused) => return self.append_in_place(refused, needed, lines, parts),
        };
        if self.next == freed && self.offset != 0 {
            // Nobody else changes what is free while nothing is in use.
            self.next += (self.journal.memory.length() - self.offset) as u64;
            self.journal.next.store(self.next, Ordering::Release);
            self.journal.freed.store(self.next, Ordering::Release);
        }
        let taken = skipped + needed;
        let word = |number| u32::try_from(number).map_err(|_| Refused::TooLong);
        let (begin, taken_word, offset_word) = (self.next, word(taken)?, word(offset)?);
        let place = Ticket { number: 0, begin, taken: taken_word, offset: offset_word, length: 0, lines: 0 };
        let ticket = self.write(place, lines, parts)?;
        self.next += taken as u64;
        self.offset = offset + needed;
        self.journal.next.store(self.next, Ordering::Release);
        if self.given_up.is_some() {
            self.let_go();
        }
        Ok(ticket)
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

    /// Writes an entry down in the place of one that was given up, if that is large enough.
    #[cold]
    fn append_in_place(
        &mut self,
        refused: Refused,
        needed: usize,
        lines: &[u8],
        parts: impl ExactSizeIterator<Item = (u32, u32)>,
    ) -> Result<Ticket, Refused> {
        let Some(given_up) = self.given_up.take() else { return Err(refused) };
        let begin = self.journal.offset_of(given_up.begin);
        // What lies empty before it, up to the end of the ring, stays so.
        let is_at_begin = begin == given_up.offset as usize;
        let skipped = if is_at_begin { 0 } else { self.journal.memory.length() - begin };
        let freed = self.journal.freed.load(Ordering::Acquire);
        let is_open = self.journal.ended().is_open(given_up, freed);
        if !is_open || needed > (given_up.taken as usize).saturating_sub(skipped) {
            self.journal.end([given_up]);
            return Err(refused);
        }
        self.journal.memory.store_state(given_up.offset as usize, State::Done.word());
        self.write(given_up, lines, parts)
    }

    /// Stores an entry at the place of a ticket.
    #[inline]
    fn write(
        &mut self,
        place: Ticket,
        lines: &[u8],
        parts: impl ExactSizeIterator<Item = (u32, u32)>,
    ) -> Result<Ticket, Refused> {
        let (memory, offset) = (&self.journal.memory, place.offset as usize);
        let word = |number| u32::try_from(number).map_err(|_| Refused::TooLong);
        let (length, count) = (word(length_of(parts.len(), lines.len()))?, word(parts.len())?);
        let number = self.last + 1;
        let (length_word, count_word) = (u64::from(length) << 32, u64::from(count) << 32);
        let number_word = number_as_stored(self.journal.identity, number);

        memory.store_state(offset, 0);
        // In words, since a checksum of bytes that were stored one by one just now waits for each of them.
        let mut sum = checksum_of_words(self.begin_of_sum, &[length_word, number_word, count_word]);
        let mut at = offset + ENTRY_HEAD;
        for (destination, end) in parts {
            let part = u64::from(end) << 32 | u64::from(destination);
            sum = checksum_of_words(sum, &[part]);
            memory.store(at, &part.to_le_bytes());
            at += PART;
        }
        memory.store(at, lines);
        sum = checksum(sum, lines);
        memory.store(offset + 4, &length.to_le_bytes());
        memory.store(offset + 8, &number_word.to_le_bytes());
        memory.store(offset + 16, &(count_word | u64::from(sum)).to_le_bytes());
        memory.store_state(offset, State::Waiting.word());

        self.last = number;
        Ok(Ticket { number, length, lines: count, ..place })
    }
}

impl Ended {
    /// Whether an entry has not come to its end, when all before `freed` has.
    fn is_open(&self, ticket: Ticket, freed: u64) -> bool {
        ticket.begin >= freed && !self.early.contains_key(&ticket.begin)
    }
}

/// The bytes of an entry behind its head.
#[inline]
fn length_of(lines: usize, bytes: usize) -> usize {
    lines.saturating_mul(PART).saturating_add(bytes)
}

/// What an entry with so many bytes behind its head takes of the ring.
#[inline]
fn room_for(length: usize) -> usize {
    length.saturating_add(ENTRY_HEAD).checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX)
}

impl<M: Memory> Drop for Journal<M> {
    fn drop(&mut self) {
        self.discard_if_empty();
    }
}
