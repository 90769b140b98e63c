//! The bytes of a journal: its header and the head of an entry. The table in the module above says what they mean.

use smallvec::SmallVec;

use super::{Destination, SIZES};

const MAGIC: [u8; 8] = *b"DURAMENJ";
const VERSION: u32 = 2;
/// The fields before the table of destinations.
const FIXED: usize = 64;
/// Headers and rings are whole pages.
pub(super) const PAGE: usize = 4096;
/// A header is not longer: thousands of the longest paths.
const LONGEST_HEADER: usize = 16 * 1024 * 1024;
/// The longest file that can be a journal.
pub(super) const LONGEST_FILE: u64 = (LONGEST_HEADER + *SIZES.end()) as u64;

/// No entry has a larger number: what lies above it is told apart from an entry without a look at its lines.
const LARGEST_NUMBER: u64 = (1 << 48) - 1;
pub(super) const ENTRY_HEAD: usize = 24;
pub(super) const ALIGNMENT: usize = 8;

/// What has become of an entry.
///
/// ```
/// use duramen::spool::{Entry, State};
///
/// /// Whether it may come to stand twice.
/// fn is_doubtful(entry: &Entry) -> bool {
///     entry.state == State::InFlight
/// }
///
/// assert!(!is_doubtful(&Entry { number: 1, state: State::Waiting, offset: 4096, lines: Vec::new() }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was accepted, and nothing of it has been delivered.
    Waiting,
    /// It may have been delivered, in whole or in part.
    InFlight,
    /// It has come to its end.
    Done,
}

impl State {
    // No text has these bytes, since none of them is valid in UTF-8 there.
    pub(super) const fn word(self) -> u32 {
        match self {
            Self::Waiting => 0xFFA1_F8FE,
            Self::InFlight => 0xFFA2_F8FE,
            Self::Done => 0xFFA3_F8FE,
        }
    }

    pub(super) fn of_word(word: u32) -> Option<Self> {
        [Self::Waiting, Self::InFlight, Self::Done].into_iter().find(|state| state.word() == word)
    }
}

/// What a journal says of itself.
///
/// ```
/// use duramen::spool::{Destination, Header, read};
///
/// let header = Header {
///     identity: 7,
///     process: 4711,
///     process_start: 0,
///     made: 1_709_294_400,
///     ring: 64 * 1024,
///     destinations: vec![Destination::File("/var/log/shop.log".into())],
/// };
/// let mut file = header.encode().unwrap();
/// file.resize(file.len() + header.ring, 0); // an empty ring
/// assert_eq!(read(&file).unwrap().header, header);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// A random number that no other journal has.
    pub identity: u64,
    /// The number of the process.
    pub process: u32,
    /// When the process was started, as `/proc/PID/stat` has it; 0 where that is not known.
    pub process_start: u64,
    /// When the journal was made, in seconds since the epoch.
    pub made: u64,
    /// The length of the ring in bytes.
    pub ring: usize,
    /// The places that lines name.
    pub destinations: Vec<Destination>,
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    Foreign,
    Version(u32),
    Broken,
}

impl Header {
    /// Its bytes; `None` where a destination cannot be written down.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut table = Vec::new();
        for destination in &self.destinations {
            destination.encode(&mut table)?;
        }
        let length = (FIXED + table.len()).next_multiple_of(PAGE);
        if length > LONGEST_HEADER {
            return None;
        }
        let mut bytes = Vec::with_capacity(length);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(u32::try_from(length).ok()?.to_le_bytes());
        bytes.extend((self.ring as u64).to_le_bytes());
        bytes.extend(self.identity.to_le_bytes());
        bytes.extend(u64::from(self.process).to_le_bytes());
        bytes.extend(self.process_start.to_le_bytes());
        bytes.extend(self.made.to_le_bytes());
        bytes.extend(u32::try_from(table.len()).ok()?.to_le_bytes());
        let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes), &table);
        bytes.extend(sum.to_le_bytes());
        bytes.extend(table);
        bytes.resize(length, 0);
        Some(bytes)
    }

    /// The header at the beginning of `bytes`, and its length.
    pub(super) fn decode(bytes: &[u8]) -> Result<(Self, usize), BadHeader> {
        if !bytes.starts_with(&MAGIC) {
            return Err(BadHeader::Foreign);
        }
        let version = word_at(bytes, 8).ok_or(BadHeader::Broken)?;
        if version != VERSION {
            return Err(BadHeader::Version(version));
        }
        Self::decode_fields(bytes).ok_or(BadHeader::Broken)
    }

    fn decode_fields(bytes: &[u8]) -> Option<(Self, usize)> {
        let length = usize::try_from(word_at(bytes, 12)?).ok()?;
        let ring = usize::try_from(number_at(bytes, 16)?).ok()?;
        let table_length = usize::try_from(word_at(bytes, 56)?).ok()?;
        let is_sized = length.is_multiple_of(PAGE) && length <= LONGEST_HEADER;
        if !is_sized || !ring.is_multiple_of(PAGE) || !SIZES.contains(&ring) {
            return None;
        }
        let table = bytes.get(FIXED..FIXED.checked_add(table_length)?)?;
        if FIXED + table_length > length {
            return None;
        }
        let sum = crc32c::crc32c_append(crc32c::crc32c(bytes.get(..FIXED - 4)?), table);
        if word_at(bytes, FIXED - 4)? != sum {
            return None;
        }
        let header = Self {
            identity: number_at(bytes, 24)?,
            process: u32::try_from(number_at(bytes, 32)?).ok()?,
            process_start: number_at(bytes, 40)?,
            made: number_at(bytes, 48)?,
            ring,
            destinations: Destination::decode_all(table)?,
        };
        Some((header, length))
    }
}

pub(super) fn word_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

pub(super) fn number_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// The number of an entry as its head has it. Who does not know the journal's identity cannot put together a head of
/// which the lines are looked at, so that lines full of false ones cost a reader no more than others.
pub(super) fn number_as_stored(identity: u64, number: u64) -> u64 {
    identity ^ number
}

/// The number of an entry that has it in its head like this, if it can be one.
pub(super) fn number_as_read(identity: u64, stored: u64) -> Option<u64> {
    Some(identity ^ stored).filter(|number| (1..=LARGEST_NUMBER).contains(number))
}

/// The checksum of a part of an entry of which state and checksum are zero: of words as they are stored, and the bytes behind
/// them. `begin` is that of what comes before, the identity at first.
#[inline]
pub(super) fn checksum_of_entry<const N: usize>(begin: u32, words: &[u64; N], bytes: &[u8]) -> u32 {
    super::checksum::append(begin, words, bytes)
}

/// The checksum of an entry as it is in a file.
pub(super) fn checksum_as_read(identity: u64, entry: &[u8]) -> u32 {
    let (head, rest) = entry.split_at(ENTRY_HEAD.min(entry.len()));
    let mut head: SmallVec<[u8; ENTRY_HEAD]> = SmallVec::from_slice(head);
    for field in [0..4, 16..20] {
        head.get_mut(field).unwrap_or_default().fill(0);
    }
    crc32c::crc32c_append(crc32c::crc32c_append(begin_of_sum(identity), &head), rest)
}

/// What the checksums of a journal begin with.
pub(super) fn begin_of_sum(identity: u64) -> u32 {
    crc32c::crc32c(&identity.to_le_bytes())
}
