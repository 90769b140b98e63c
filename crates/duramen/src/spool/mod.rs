//! A folder of journals: what queues have accepted and not delivered, in files that outlive the process.
//!
//! A journal is one file of one queue of one process. It is mapped into memory, with all of its blocks allocated
//! beforehand, and holds lines with their destinations, so that anybody can deliver them. Who opens the folder
//! delivers what processes that have ended left behind ([`recover`]); journals of living ones are locked. It outlives
//! the process, not a power cut: nothing waits for the disk.
//!
//! # The file
//!
//! All numbers are little-endian. The header, filled up with zeros to a multiple of 4096 bytes:
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 8 | `DURAMENJ` |
//! | 8 | 4 | the version of the format, 2 |
//! | 12 | 4 | the length of the header |
//! | 16 | 8 | the length of the ring behind the header, a multiple of 4096 |
//! | 24 | 8 | the journal's identity, a random number |
//! | 32 | 8 | the process: its number |
//! | 40 | 8 | the process: when it was started, as `/proc/PID/stat` has it (field 22); 0 where that is not known |
//! | 48 | 8 | when the journal was made, in seconds since the epoch |
//! | 56 | 4 | the length of the table of destinations |
//! | 60 | 4 | CRC-32C of the bytes before and of the table |
//! | 64 | | the table: for each destination its kind (2 bytes: 0 file, 1 standard output, 2 standard error), the length of its path (2 bytes) and the path |
//!
//! An entry begins at a multiple of 8 bytes, and never goes around the end of the ring:
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 4 | its state: waiting, in flight, done; anything else is no entry |
//! | 4 | 4 | the length of what follows the first 24 bytes |
//! | 8 | 8 | its number, from 1 to 2^48 - 1, XOR the identity |
//! | 16 | 4 | CRC-32C of the identity and of the whole entry, in which bytes 0 to 3 and 16 to 19 count as zero |
//! | 20 | 4 | how many lines it has |
//! | 24 | | for each line its destination and where it ends (4 bytes each); then the lines |
//!
//! # What holds at every moment
//!
//! 1. The header never changes once the file has its name. Until then it has another one, which nobody reads.
//! 2. An entry is not one before its state is stored, as the last thing, with release ordering; before anything else of
//!    it, the state at its place is set to zero. A process that is killed leaves the stores of each thread up to some
//!    point of its program, so that an entry is there whole or not at all.
//! 3. The place of an entry is used again only after its state was "done". So every entry whose state is not "done" is
//!    one that was accepted and not brought to its end, wherever it lies: a reader needs no pointers.
//! 4. An entry is "in flight" before the first byte of it is written to a destination, and "done" after the last. One
//!    that waits was surely not delivered; one in flight may have been, in whole or in part.
//! 5. An identity and a number name an entry for ever.
//!
//! A reader looks at every multiple of 8 bytes. What has the state of an entry and not its checksum is damage: it is
//! counted, and the file kept. The identity in the checksum keeps lines that look like entries from being taken for some, and
//! that in the number has such lines be told apart before their checksum is made.

mod checksum;
mod claims;
mod destination;
mod directory;
mod journal;
mod layout;
mod mapping;
#[cfg(test)]
mod model;
mod orphan;
mod own;
mod reader;
mod system;

use std::ops::RangeInclusive;

pub use destination::Destination;
pub use directory::{Listed, ListedAs, Recovered, list, recover, recover_rest};
pub use journal::{Appender, Journal, Memory, Refused, Ticket};
pub use layout::{Header, State};
pub use orphan::Orphan;
pub use own::{OwnAppender, OwnJournal, create, create_making_room};
pub use reader::{Contents, Entry, Unreadable, read};

/// The sizes that a journal can have, in bytes.
///
/// ```
/// use duramen::spool::SIZES;
///
/// assert!(SIZES.contains(&(1024 * 1024)) && !SIZES.contains(&1024));
/// ```
pub const SIZES: RangeInclusive<usize> = 64 * 1024..=1024 * 1024 * 1024;
/// The size of a journal, in bytes, unless another one is asked for.
///
/// ```
/// assert_eq!(duramen::spool::DEFAULT_SIZE, 16 * 1024 * 1024);
/// ```
pub const DEFAULT_SIZE: usize = 16 * 1024 * 1024;
