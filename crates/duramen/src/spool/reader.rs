//! What can be read from a journal, whatever its bytes are.

use std::ops::Range;

use super::layout::{ALIGNMENT, BadHeader, ENTRY_HEAD, checksum_as_read, number_as_read, number_at, word_at};
use super::{Header, State};

/// All of a journal.
///
/// ```
/// use duramen::spool::{Contents, read};
///
/// /// What of a file can be read.
/// fn summary(contents: &Contents) -> String {
///     let Contents { header, entries, damaged, .. } = contents;
///     format!("process {}: {} entries, {damaged} damaged", header.process, entries.len())
/// }
///
/// match read(b"DURAMENJ") {
///     Ok(contents) => println!("{}", summary(&contents)),
///     Err(reason) => assert_eq!(reason.to_string(), "its header is damaged"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// What it says of itself.
    pub header: Header,
    /// The entries that have not come to their end, in the order in which they were accepted.
    pub entries: Vec<Entry>,
    /// Places that have the state of such an entry, and are none, or a second copy of one.
    pub damaged: u64,
    /// The file ends before the ring does, or goes on after it.
    pub has_wrong_length: bool,
}

/// An entry that has not come to its end.
///
/// ```
/// use duramen::spool::{Entry, State};
///
/// let entry = Entry { number: 3, state: State::Waiting, offset: 4096, lines: vec![(0, 4128..4133)] };
/// assert_eq!(entry.lines[0].1.len(), 5); // bytes of the file, for the first destination
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in its journal, from 1 on.
    pub number: u64,
    /// Waiting or in flight.
    pub state: State,
    /// Where it begins in the file.
    pub offset: usize,
    /// Its lines: the place of the destination in the header, and where the line stands in the file.
    pub lines: Vec<(usize, Range<usize>)>,
}

/// Why a file is no journal.
///
/// ```
/// use duramen::spool::{Unreadable, read};
///
/// assert_eq!(read(b"a log file\n"), Err(Unreadable::Foreign));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// It does not begin as one.
    #[error("it is no journal")]
    Foreign,
    /// It is of another version of the format.
    #[error("its format has the version {0}, and this program knows version 2")]
    Version(u32),
    /// Its header is damaged.
    #[error("its header is damaged")]
    Broken,
    /// It is longer than a journal can be.
    #[error("it has {0} bytes, and no journal is so long")]
    TooLong(u64),
}

/// Reads a journal.
///
/// ```
/// use duramen::spool::{Unreadable, read};
///
/// assert_eq!(read(&[]), Err(Unreadable::Foreign));
/// ```
///
/// # Errors
/// When the bytes do not begin with the header of one. All else can be read past.
#[expect(clippy::indexing_slicing, reason = "the end was bounded by the length")]
pub fn read(bytes: &[u8]) -> Result<Contents, Unreadable> {
    let (header, start) = Header::decode(bytes).map_err(|bad| match bad {
        BadHeader::Foreign => Unreadable::Foreign,
        BadHeader::Version(version) => Unreadable::Version(version),
        BadHeader::Broken => Unreadable::Broken,
    })?;
    let end = start + header.ring;
    let has_wrong_length = bytes.len() != end;
    let end = end.min(bytes.len());
    let mut contents = Contents { header, entries: Vec::new(), damaged: 0, has_wrong_length };
    let mut offset = start;
    while offset + ENTRY_HEAD <= end {
        offset += match found_at(&bytes[..end], offset, &contents.header) {
            Found::Entry(entry, length) => {
                contents.entries.push(entry);
                length
            }
            Found::Damage => {
                contents.damaged += 1;
                ALIGNMENT
            }
            Found::Nothing => ALIGNMENT,
        };
    }
    contents.entries.sort_by_key(|entry| (entry.number, entry.state == State::Waiting));
    // A number names one entry: what is there twice was copied by somebody, and may have been delivered from either place.
    let count = contents.entries.len();
    contents.entries.dedup_by_key(|entry| entry.number);
    contents.damaged += (count - contents.entries.len()) as u64;
    Ok(contents)
}

enum Found {
    Entry(Entry, usize),
    Damage,
    Nothing,
}

fn found_at(bytes: &[u8], offset: usize, header: &Header) -> Found {
    let state = word_at(bytes, offset).and_then(State::of_word);
    // Those that are done may be overwritten in part: they are looked through for what did so.
    let Some(state @ (State::Waiting | State::InFlight)) = state else { return Found::Nothing };
    match entry_at(bytes, offset, state, header) {
        Some((entry, length)) => Found::Entry(entry, length.next_multiple_of(ALIGNMENT)),
        None => Found::Damage,
    }
}

fn entry_at(bytes: &[u8], offset: usize, state: State, header: &Header) -> Option<(Entry, usize)> {
    let length = ENTRY_HEAD.checked_add(usize::try_from(word_at(bytes, offset + 4)?).ok()?)?;
    let number = number_as_read(header.identity, number_at(bytes, offset + 8)?)?;
    let whole = bytes.get(offset..offset.checked_add(length)?)?;
    if word_at(whole, 16)? != checksum_as_read(header.identity, whole) {
        return None;
    }
    let count = usize::try_from(word_at(whole, 20)?).ok()?;
    let text = ENTRY_HEAD.checked_add(count.checked_mul(8)?).filter(|text| *text <= length)?;
    let mut lines = Vec::with_capacity(count);
    let mut begin = text;
    for part in 0..count {
        let destination = usize::try_from(word_at(whole, ENTRY_HEAD + part * 8)?).ok()?;
        let end = text.checked_add(usize::try_from(word_at(whole, ENTRY_HEAD + part * 8 + 4)?).ok()?)?;
        if destination >= header.destinations.len() || end < begin || end > length {
            return None;
        }
        lines.push((destination, offset + begin..offset + end));
        begin = end;
    }
    Some((Entry { number, state, offset, lines }, length))
}
