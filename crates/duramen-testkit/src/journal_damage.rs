//! Damage to journals, made of any bytes, and what a reader has to make of it: for a fuzzer, and for tests without one.

use std::collections::BTreeMap;
use std::ops::Range;

use duramen::spool::{Contents, Destination, Entry, Header, Journal, Memory, State, Unreadable, read};
use parking_lot::Mutex;

const RING: usize = 64 * 1024;
/// The fields of a header before its table, the last of which is their checksum.
const FIXED: usize = 64;
const ENTRY_HEAD: usize = 24;

/// A whole journal, and what is in it.
#[derive(Clone)]
pub struct Specimen {
    /// The bytes of its file.
    pub file: Vec<u8>,
    /// The bytes of its header.
    pub header: usize,
    /// The bytes from the beginning on in which anything is but zeros.
    pub used: usize,
    /// Where the entries to deliver lie, and the lines of each.
    pub entries: BTreeMap<u64, (Range<usize>, Vec<Vec<u8>>)>,
    /// The lines of all that were ever in it, those that are done too.
    pub known: BTreeMap<u64, Vec<Vec<u8>>>,
}

struct Ring<'a>(&'a Mutex<Vec<u8>>);

impl Memory for Ring<'_> {
    fn length(&self) -> usize {
        self.0.lock().len()
    }

    fn store(&self, offset: usize, bytes: &[u8]) {
        self.0.lock()[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    fn store_state(&self, offset: usize, word: u32) {
        self.store(offset, &word.to_le_bytes());
    }

    fn load(&self, offset: usize, length: usize, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.0.lock()[offset..offset + length]);
    }
}

impl Specimen {
    /// One with three entries that are done, one in flight and four that wait.
    pub fn small() -> Self {
        Self::new(8, |number| number % 40)
    }

    /// One whose ring has been gone around, so that older entries lie cut off between newer ones.
    pub fn gone_around() -> Self {
        Self::new(80, |number| number * 97 % 3000)
    }

    fn new(count: u64, length: impl Fn(u64) -> u64) -> Self {
        let header = Header {
            identity: 0x1234_5678_9ABC_DEF0,
            process: 4711,
            process_start: 99,
            made: 1_700_000_000,
            ring: RING,
            destinations: vec![Destination::File("/var/log/ä b.log".into()), Destination::Stderr],
        };
        let ring = Mutex::new(vec![0; RING]);
        let mut appender = Journal::new(Ring(&ring), header.identity);
        let (mut known, mut tickets) = (BTreeMap::new(), Vec::new());
        for number in 1..=count {
            let lines = [format!("record {number}\n"), "x".repeat(length(number).try_into().unwrap_or(0))];
            let first = u32::try_from(lines[0].len()).unwrap_or(0);
            let both = first + u32::try_from(lines[1].len()).unwrap_or(0);
            let ticket = appender
                .append(lines.concat().as_bytes(), [(0, first), (1, both)].into_iter())
                .expect("there is room for it");
            known.insert(ticket.number(), lines.map(String::into_bytes).to_vec());
            tickets.push(ticket);
            if tickets.len() > 5 {
                appender.journal().end([tickets.remove(0)]);
            }
        }
        appender.journal().begin(tickets[0]);
        drop(appender);
        let mut file = header.encode().expect("a header");
        let start = file.len();
        file.extend(ring.into_inner());
        let used = file.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let contents = read(&file).expect("a whole journal");
        let entries = contents.entries.iter().map(|entry| {
            let end = entry.lines.last().map_or(entry.offset, |(_, range)| range.end);
            (entry.number, (entry.offset..end, lines_of(entry, &file)))
        });
        let entries = entries.collect();
        Self { file, header: start, used, entries, known }
    }

    /// Reads `file`, which was made of this one by damage: whatever is whole in it has to be found, and nothing that was
    /// never there. What was read.
    ///
    /// # Panics
    /// When something else is found.
    pub fn check(&self, file: &[u8]) -> Option<Contents> {
        let contents = self.check_any(file)?;
        if file.get(..self.header) != Some(&self.file[..self.header]) {
            return Some(contents);
        }
        let found: BTreeMap<_, _> = contents.entries.iter().map(|entry| (entry.number, entry)).collect();
        for (number, (range, lines)) in &self.entries {
            if file.get(range.clone()) == Some(&self.file[range.clone()]) {
                let entry = found.get(number).unwrap_or_else(|| panic!("entry {number} is lost"));
                assert_eq!(lines_of(entry, file), *lines, "entry {number}");
            }
        }
        for entry in &contents.entries {
            let lines = self.known.get(&entry.number);
            assert_eq!(lines, Some(&lines_of(entry, file)), "entry {} was never there", entry.number);
        }
        assert_eq!(contents.has_wrong_length, file.len() != self.file.len());
        Some(contents)
    }

    /// Reads any file, forged ones with right checksums too: what is found lies in it, in its order, and once.
    ///
    /// # Panics
    /// When it does not.
    pub fn check_any(&self, file: &[u8]) -> Option<Contents> {
        let contents = match read(file) {
            Ok(contents) => contents,
            Err(Unreadable::Foreign) => {
                assert!(!file.starts_with(&self.file[..8]));
                return None;
            }
            Err(_) => return None,
        };
        assert!(contents.entries.is_sorted_by(|one, next| one.number < next.number));
        let mut ranges = Vec::new();
        for entry in &contents.entries {
            assert!(entry.state != State::Done && entry.number > 0);
            let mut end = entry.offset + ENTRY_HEAD;
            for (destination, range) in &entry.lines {
                assert!(*destination < contents.header.destinations.len());
                assert!(range.start >= end && range.end >= range.start && range.end <= file.len());
                end = range.end;
            }
            ranges.push(entry.offset..end);
        }
        ranges.sort_by_key(|range| range.start);
        assert!(ranges.is_sorted_by(|one, next| one.end <= next.start), "entries lie in one another");
        Some(contents)
    }
}

fn lines_of(entry: &Entry, file: &[u8]) -> Vec<Vec<u8>> {
    entry.lines.iter().map(|(_, range)| file[range.clone()].to_vec()).collect()
}

/// Makes the checksum of the header right again.
pub fn seal_header(file: &mut [u8]) {
    let Some(fixed) = file.get(..FIXED) else { return };
    let table = u32::from_le_bytes([fixed[56], fixed[57], fixed[58], fixed[59]]) as usize;
    let Some(table) = file.get(FIXED..FIXED.saturating_add(table)) else { return };
    let sum = crc32c::crc32c_append(crc32c::crc32c(&file[..FIXED - 4]), table);
    file[FIXED - 4..FIXED].copy_from_slice(&sum.to_le_bytes());
}

/// Makes the checksum of the entry at `offset` right again, if one of the length that it says lies in the file.
pub fn seal_entry(file: &mut [u8], offset: usize) {
    let Some(identity) = file.get(24..32).map(<[u8]>::to_vec) else { return };
    let Some(entry) = file.get_mut(offset..).filter(|entry| entry.len() >= ENTRY_HEAD) else { return };
    let length = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]) as usize;
    let Some(entry) = entry.get_mut(..ENTRY_HEAD.saturating_add(length)) else { return };
    let mut zeroed = entry.to_vec();
    zeroed[..4].fill(0);
    zeroed[16..20].fill(0);
    let sum = crc32c::crc32c_append(crc32c::crc32c(&identity), &zeroed);
    entry[16..20].copy_from_slice(&sum.to_le_bytes());
}

/// Numbers at which fields of length tend to break.
pub const EDGES: [u64; 16] = [
    0,
    1,
    7,
    8,
    23,
    24,
    4095,
    4096,
    RING as u64 - 24,
    RING as u64,
    1 << 30,
    i32::MAX as u64,
    u32::MAX as u64 - 23,
    u32::MAX as u64,
    i64::MAX as u64,
    u64::MAX,
];

/// Reads `input` as a journal, and damages whole ones as its bytes say: whatever they are, no reader panics, and what is
/// whole is found.
///
/// # Panics
/// When a reader does.
pub fn damage(input: &[u8], specimens: &[Specimen]) {
    let mut input = Input(input);
    let chosen = usize::from(input.byte()) % specimens.len().max(1);
    let Some(specimen) = specimens.get(chosen) else { return };
    specimen.check_any(input.0);
    let mut file = specimen.file.clone();
    let mut is_forged = false;
    while !input.0.is_empty() && !file.is_empty() {
        let kind = input.byte() % 10;
        let place = input.place(specimen, file.len());
        match kind {
            0 => file[place] ^= input.byte(),
            1 => put(&mut file, place & !3, &input.edge().to_le_bytes()[..4]),
            2 => put(&mut file, place & !7, &input.edge().to_le_bytes()),
            3 => {
                let to = input.place(specimen, file.len());
                let length = usize::from(input.word()).min(file.len() - place).min(file.len() - to);
                file.copy_within(place..place + length, to);
            }
            4 => file.truncate(place),
            5 => {
                let length = usize::from(input.word());
                file[place..].iter_mut().take(length).for_each(|byte| *byte = 0);
            }
            6 => {
                let length = usize::from(input.byte());
                let bytes = input.take(length).to_vec();
                put(&mut file, place, &bytes);
            }
            7 => {
                let length = file.len() + usize::from(input.word());
                file.resize(length.min(4 * RING), input.byte());
            }
            8 => {
                seal_header(&mut file);
                is_forged = true;
            }
            _ => {
                seal_entry(&mut file, place & !7);
                is_forged = true;
            }
        }
    }
    if is_forged {
        specimen.check_any(&file)
    } else {
        specimen.check(&file)
    };
}

fn put(file: &mut [u8], place: usize, bytes: &[u8]) {
    let place = place.min(file.len());
    for (old, new) in file[place..].iter_mut().zip(bytes) {
        *old = *new;
    }
}

/// Bytes that say what is damaged, and zeros when they are at their end.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn edge(&mut self) -> u64 {
        EDGES[usize::from(self.byte()) % EDGES.len()]
    }

    /// A place in the file: mostly where something is.
    fn place(&mut self, specimen: &Specimen, length: usize) -> usize {
        let place = usize::from(self.word());
        match place % 8 {
            0 => place * 2 % length,
            1 | 2 => place % FIXED.min(length),
            3 => {
                let at = specimen.entries.values().nth(place / 8 % specimen.entries.len());
                (at.map_or(0, |(range, _)| range.start) + place / 64 % 32) % length
            }
            _ => (specimen.header + place) % specimen.used.min(length).max(1),
        }
    }
}
