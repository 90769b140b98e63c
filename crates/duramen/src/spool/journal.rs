//! A journal while its process lives.

mod appender;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::State;
use super::layout::{ALIGNMENT, ENTRY_HEAD, word_at};
use crate::sync::{AtomicU64, Condvar, Mutex, MutexGuard};

pub use appender::Appender;

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
///     fn look_after(&self) {} // and nobody takes it away
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

    /// Called after each batch by the thread that delivers: whether others can still find it can be looked at.
    fn look_after(&self) {}

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
        Appender::of(Arc::new(journal))
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
        self.memory.look_after();
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
