//! The writing side of a journal.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::State;
use super::layout::{ALIGNMENT, ENTRY_HEAD, begin_of_sum, checksum, number_as_stored};

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

    /// The bytes from `offset` on, `length` of them within the memory, are stored to soon: what that costs the first time can
    /// be done now, by a thread that nobody waits for.
    fn prepare(&self, _offset: usize, _length: usize) {}

    /// The journal is at its end, and nothing in it waits.
    fn discard(&self) {}
}

/// Entries that wait, in a ring of bytes.
///
/// The locks are those of `std`, which keep all of their state in themselves: a forked child leaves its parent's
/// journal behind as it is, forgotten rather than dropped.
///
/// ```
/// use std::time::Instant;
///
/// use duramen::spool::{self, Destination, OwnJournal, Refused, Ticket};
///
/// # let folder = tempfile::tempdir()?;
/// let size = *spool::SIZES.start();
/// let journal: OwnJournal = spool::create(folder.path(), size, vec![Destination::Stderr])?;
/// assert_eq!(journal.memory().file().path().parent(), Some(folder.path()));
/// assert_ne!(journal.identity(), 0);
///
/// let line = b"paid\n";
/// let ticket: Ticket = journal.append(line, [(0, 5)].into_iter()).unwrap(); // to the first destination, up to byte 5
/// assert_eq!(ticket.number(), 1);
/// assert!(!journal.is_empty() && journal.used_bytes() > 0);
/// journal.begin(ticket); // it is going to be delivered
/// journal.end([ticket]); // it has been
/// assert!(journal.is_empty());
///
/// let long = vec![b'x'; 2 * size];
/// assert_eq!(journal.append(&long, [(0, 5)].into_iter()), Err(Refused::TooLong));
/// journal.wait_for_room(Instant::now()); // what is done where it is `Refused::Full`
/// journal.discard_if_empty(); // the file is not needed any more
/// # std::io::Result::Ok(())
/// ```
pub struct Journal<M: Memory> {
    memory: M,
    identity: u64,
    begin_of_sum: u32,
    state: Mutex<Used>,
    /// For those who wait for room.
    left: Condvar,
}

/// What of the ring is in use.
struct Used {
    /// Where the next entry begins.
    next: usize,
    /// The bytes before that, around the end of the ring, which are in use.
    bytes: usize,
    /// What they are used for, in the order of the ring.
    entries: VecDeque<Place>,
    /// So many places are free again: the number of the first that is not.
    first: u64,
    /// The number of the last entry.
    last: u64,
    /// The ring is prepared up to here.
    prepared: usize,
    /// Where entries are put together.
    scratch: Vec<u8>,
    waiting: usize,
}

/// What an entry takes of the ring, with what lies empty before it, and whether it has come to its end.
struct Place {
    bytes: usize,
    room: usize,
    is_done: bool,
}

/// An entry in a journal.
///
/// ```
/// use duramen::spool::{self, Destination, Ticket};
///
/// # let folder = tempfile::tempdir()?;
/// let journal = spool::create(folder.path(), *spool::SIZES.start(), vec![Destination::Stderr])?;
/// let tickets: Vec<Ticket> =
///     (0..2).map(|_| journal.append(b"x\n", [(0, 2)].into_iter()).unwrap()).collect();
/// assert_eq!(tickets[1].number(), 2);
/// journal.end(tickets);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    number: u64,
    offset: u32,
    /// The lower half of the number of its place.
    place: u32,
}

impl Ticket {
    /// Its number in its journal, from 1 on.
    pub fn number(self) -> u64 {
        self.number
    }
}

/// Why an entry was not taken.
///
/// ```
/// use duramen::spool::{self, Destination, Refused};
///
/// # let folder = tempfile::tempdir()?;
/// let journal = spool::create(folder.path(), *spool::SIZES.start(), vec![Destination::Stderr])?;
/// let line = vec![b'x'; 20_000];
/// let full = loop {
///     if let Err(refused) = journal.append(&line, [(0, 20_000)].into_iter()) {
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
/// A buffer for entries that has grown beyond this is given back.
const LARGEST_KEPT_ENTRY: usize = 64 * 1024;
/// What a line takes beside its bytes: its destination, and where it ends.
const PART: usize = 8;

impl<M: Memory> Journal<M> {
    /// An empty journal, in which no place has the state of an entry yet.
    ///
    /// ```
    /// use duramen::spool::{Journal, Memory};
    ///
    /// /// A journal in memory of any kind; the identity is one that no other journal has.
    /// fn journal<M: Memory>(memory: M, identity: u64) -> Journal<M> {
    ///     Journal::new(memory, identity)
    /// }
    /// ```
    pub fn new(memory: M, identity: u64) -> Self {
        let used = Used {
            next: 0,
            bytes: 0,
            entries: VecDeque::new(),
            first: 0,
            last: 0,
            prepared: 0,
            scratch: Vec::new(),
            waiting: 0,
        };
        let begin_of_sum = begin_of_sum(identity);
        Self { memory, identity, begin_of_sum, state: Mutex::new(used), left: Condvar::new() }
    }

    /// What it is written to.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// The random number that, with that of a ticket, names an entry for ever.
    pub fn identity(&self) -> u64 {
        self.identity
    }

    /// Writes an entry down: `lines`, and for each of them its destination and where it ends.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn append(
        &self,
        lines: &[u8],
        parts: impl ExactSizeIterator<Item = (u32, u32)>,
    ) -> Result<Ticket, Refused> {
        let length = length_of(lines, &parts);
        let needed = room_for(length);
        let mut used = self.used();
        let used = &mut *used;
        let (offset, skipped) = used.place(needed, self.memory.length())?;
        let kept_offset = u32::try_from(offset).map_err(|_| Refused::TooLong)?;
        let number = self.write(used, offset, length, lines, parts)?;
        let place = used.first + used.entries.len() as u64;
        used.next = offset + needed;
        used.bytes += skipped + needed;
        used.entries.push_back(Place { bytes: skipped + needed, room: needed, is_done: false });
        Ok(Ticket { number, offset: kept_offset, place: lower_half(place) })
    }

    /// Writes an entry down in the place of one that is given up, which comes to its end so: where older ones are in
    /// flight, giving it up makes no room elsewhere.
    ///
    /// ```
    /// use duramen::spool::{self, Destination};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let journal = spool::create(folder.path(), *spool::SIZES.start(), vec![Destination::Stderr])?;
    /// let given_up = journal.append(b"oldest\n", [(0, 7)].into_iter()).unwrap();
    /// let ticket = journal.append_in_place_of(given_up, b"newest\n", [(0, 7)].into_iter()).unwrap();
    /// assert_eq!(ticket.number(), 2);
    /// journal.end([ticket]);
    /// assert!(journal.is_empty());
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    /// When its place is too small: it has come to its end all the same.
    pub fn append_in_place_of(
        &self,
        given_up: Ticket,
        lines: &[u8],
        parts: impl ExactSizeIterator<Item = (u32, u32)>,
    ) -> Result<Ticket, Refused> {
        let length = length_of(lines, &parts);
        let mut used = self.used();
        let fits = used.at(given_up).is_some_and(|place| !place.is_done && room_for(length) <= place.room);
        if !fits {
            drop(used);
            self.end([given_up]);
            return Err(Refused::Full);
        }
        self.memory.store_state(given_up.offset as usize, State::Done.word());
        let number = self.write(&mut used, given_up.offset as usize, length, lines, parts)?;
        Ok(Ticket { number, ..given_up })
    }

    /// Stores an entry whose parts and lines have `length` bytes; its number.
    #[expect(clippy::indexing_slicing, reason = "the head, which is longer, was written first")]
    fn write(
        &self,
        used: &mut Used,
        offset: usize,
        length: usize,
        lines: &[u8],
        parts: impl ExactSizeIterator<Item = (u32, u32)>,
    ) -> Result<u64, Refused> {
        let kept_length = u32::try_from(length).map_err(|_| Refused::TooLong)?;
        let number = used.last + 1;
        // Put together first, so that the checksum goes over all of it at once.
        let entry = &mut used.scratch;
        entry.clear();
        entry.reserve(ENTRY_HEAD + length);
        let mut head = [0; ENTRY_HEAD];
        head[4..8].copy_from_slice(&kept_length.to_le_bytes());
        head[8..16].copy_from_slice(&number_as_stored(self.identity, number).to_le_bytes());
        head[20..].copy_from_slice(&u32::try_from(parts.len()).unwrap_or(u32::MAX).to_le_bytes());
        entry.extend_from_slice(&head);
        for (destination, end) in parts {
            let both = u64::from(end) << 32 | u64::from(destination);
            entry.extend_from_slice(&both.to_le_bytes());
        }
        entry.extend_from_slice(lines);
        let sum = checksum(self.begin_of_sum, entry);
        entry[16..20].copy_from_slice(&sum.to_le_bytes());

        self.memory.store_state(offset, 0);
        self.memory.store(offset + 4, &entry[4..]);
        self.memory.store_state(offset, State::Waiting.word());

        used.scratch.shrink_to(LARGEST_KEPT_ENTRY);
        used.last = number;
        Ok(number)
    }

    /// Notes that an entry is about to be delivered.
    pub fn begin(&self, ticket: Ticket) {
        self.memory.store_state(ticket.offset as usize, State::InFlight.word());
    }

    /// Notes that entries have come to their end, and makes room of them.
    pub fn end(&self, tickets: impl IntoIterator<Item = Ticket>) {
        let mut used = self.used();
        for ticket in tickets {
            let Some(place) = used.at(ticket) else { continue };
            // Before the place can be used again.
            self.memory.store_state(ticket.offset as usize, State::Done.word());
            place.is_done = true;
        }
        while used.entries.front().is_some_and(|entry| entry.is_done) {
            let Some(entry) = used.entries.pop_front() else { break };
            used.bytes -= entry.bytes;
            used.first += 1;
        }
        if used.waiting > 0 {
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
    /// let journal = spool::create(folder.path(), spool::DEFAULT_SIZE, vec![Destination::Stdout])?;
    /// let ticket = journal.append(b"one\n", [(0, 4)].into_iter()).unwrap();
    /// journal.begin(ticket);
    /// journal.end([ticket]);
    /// journal.prepare();
    /// # std::io::Result::Ok(())
    /// ```
    pub fn prepare(&self) {
        let length = self.memory.length();
        let mut used = self.used();
        if used.prepared == length || used.next + AHEAD / 2 <= used.prepared {
            return;
        }
        let begin = used.prepared.max(used.next);
        let end = (begin + AHEAD).min(length);
        used.prepared = end;
        // It takes a while, and callers need the lock.
        drop(used);
        self.memory.prepare(begin, end - begin);
    }

    /// Waits until something has left the journal, or `until` comes.
    pub fn wait_for_room(&self, until: Instant) {
        let mut used = self.used();
        let first = used.first;
        used.waiting += 1;
        while used.first == first {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || used.entries.is_empty() {
                break;
            }
            (used, _) = self.left.wait_timeout(used, left).unwrap_or_else(PoisonError::into_inner);
        }
        used.waiting -= 1;
    }

    /// The bytes of the ring that are in use.
    pub fn used_bytes(&self) -> usize {
        self.used().bytes
    }

    /// Whether all entries have come to their end.
    pub fn is_empty(&self) -> bool {
        self.used().entries.is_empty()
    }

    /// Gives up the memory, unless an entry has not come to its end; nothing may be written down afterwards.
    pub fn discard_if_empty(&self) {
        if self.is_empty() {
            self.memory.discard();
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of an entry behind its head.
fn length_of(lines: &[u8], parts: &impl ExactSizeIterator) -> usize {
    parts.len().saturating_mul(PART).saturating_add(lines.len())
}

/// What an entry with so many bytes behind its head takes of the ring.
fn room_for(length: usize) -> usize {
    length.saturating_add(ENTRY_HEAD).next_multiple_of(ALIGNMENT)
}

/// The places of a ring are fewer than half of these numbers, so that a place that is free already is told apart.
#[expect(clippy::cast_possible_truncation, reason = "it is what is wanted")]
fn lower_half(place: u64) -> u32 {
    place as u32
}

impl Used {
    /// The place of an entry that has not come to its end.
    fn at(&mut self, ticket: Ticket) -> Option<&mut Place> {
        let from_first = ticket.place.wrapping_sub(lower_half(self.first));
        self.entries.get_mut(usize::try_from(from_first).ok()?)
    }

    /// Where an entry of `needed` bytes goes in a ring of `length`, and the bytes before it that stay empty.
    fn place(&mut self, needed: usize, length: usize) -> Result<(usize, usize), Refused> {
        if needed > length {
            return Err(Refused::TooLong);
        }
        if self.bytes == 0 {
            // The beginning is written to again and again, so that an idle queue touches few pages.
            self.next = 0;
        }
        let to_end = length - self.next;
        let (offset, skipped) = if needed <= to_end { (self.next, 0) } else { (0, to_end) };
        if skipped + needed > length - self.bytes {
            return Err(Refused::Full);
        }
        Ok((offset, skipped))
    }
}

impl<M: Memory> Drop for Journal<M> {
    fn drop(&mut self) {
        self.discard_if_empty();
    }
}
