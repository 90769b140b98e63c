//! Journals damaged in every way: the reader finds what is whole, counts the rest, and neither panics nor asks for memory
//! that the file does not account for. `DURAMEN_CASES` and `DURAMEN_SEED` make it a campaign (`make fuzz`).

use allocation_counter::measure;
use duramen::spool::{Unreadable, read};
use duramen_testkit::journal_damage::{EDGES, Specimen, damage, seal_entry, seal_header};

fn number_from(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A sequence of numbers that one number determines (`splitmix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

#[test]
fn each_byte_of_a_small_journal_can_be_another_one() {
    let specimen = Specimen::small();
    let mut file = specimen.file.clone();
    // Beyond what is in use each place is like the next; a header is filled up with zeros that nobody reads.
    for place in (0..specimen.used).chain((specimen.used..file.len()).step_by(509)) {
        let before = file[place];
        for byte in [before ^ 1, before ^ 3, before ^ 0x80, !before, 0, 0xFF] {
            file[place] = byte;
            specimen.check(&file);
        }
        file[place] = before;
    }
    let contents = specimen.check(&file).expect("it is whole again");
    assert_eq!((contents.damaged, contents.entries.len()), (0, 5));
}

#[test]
fn a_journal_can_end_anywhere() {
    for specimen in [Specimen::small(), Specimen::gone_around()] {
        let step = if specimen.used < 8192 { 1 } else { 13 };
        for length in (0..specimen.used).step_by(step).chain([specimen.used, specimen.file.len() - 1]) {
            specimen.check(&specimen.file[..length]);
        }
    }
}

#[test]
fn a_tail_can_be_torn() {
    let mut numbers = Numbers(number_from("DURAMEN_SEED", 0));
    let specimen = Specimen::gone_around();
    for from in (specimen.header..specimen.file.len()).step_by(251) {
        let mut file = specimen.file.clone();
        file[from..].fill(0);
        specimen.check(&file);
        let garbage = numbers.bytes(file.len() - from);
        file[from..].copy_from_slice(&garbage);
        specimen.check(&file);
    }
    // A power cut may leave any of the pages as they were before.
    for _ in 0..100 {
        let mut file = specimen.file.clone();
        for page in file[specimen.header..].chunks_mut(4096) {
            if numbers.next().is_multiple_of(2) {
                page.fill(0);
            }
        }
        specimen.check(&file);
    }
}

#[test]
fn what_is_no_journal_or_of_another_version_is_told_apart() {
    for foreign in [&b""[..], b"\x7FELF\x02\x01\x01", b"DURAMEN", b"2026-01-01 INFO started\n", &[0; 5000]] {
        assert_eq!(read(foreign).map(|_| ()), Err(Unreadable::Foreign));
    }
    let mut file = Specimen::small().file;
    for version in [0_u32, 1, 3, u32::MAX] {
        file[8..12].copy_from_slice(&version.to_le_bytes());
        assert_eq!(read(&file).map(|_| ()), Err(Unreadable::Version(version)));
        seal_header(&mut file);
        assert_eq!(read(&file).map(|_| ()), Err(Unreadable::Version(version)));
    }
}

#[test]
fn no_length_in_a_header_is_believed_beyond_the_file() {
    let specimen = Specimen::small();
    for (at, width) in [(12, 4), (16, 8), (32, 8), (56, 4), (66, 2)] {
        for edge in EDGES {
            let mut file = specimen.file.clone();
            file[at..at + width].copy_from_slice(&edge.to_le_bytes()[..width]);
            seal_header(&mut file);
            check_within_memory(&specimen, &file);
        }
    }
}

#[test]
fn no_length_in_an_entry_is_believed_beyond_the_file() {
    let specimen = Specimen::small();
    let (range, _) = specimen.entries.values().next().expect("an entry");
    for (at, width) in [(4, 4), (8, 8), (20, 4), (24, 4), (28, 4), (32, 4), (36, 4)] {
        for edge in EDGES {
            let mut file = specimen.file.clone();
            file[range.start + at..][..width].copy_from_slice(&edge.to_le_bytes()[..width]);
            check_within_memory(&specimen, &file);
            seal_entry(&mut file, range.start);
            check_within_memory(&specimen, &file);
        }
    }
}

/// What is read of a file takes no more memory than a few times its length.
fn check_within_memory(specimen: &Specimen, file: &[u8]) {
    let memory = measure(|| drop(read(file))).bytes_max;
    assert!(memory <= 8 * file.len() as u64, "{memory} bytes for a file of {}", file.len());
    specimen.check_any(file);
}

#[test]
fn blocks_that_lie_over_one_another_cost_those_that_are_hit() {
    let specimen = Specimen::small();
    let ranges: Vec<_> = specimen.entries.values().map(|(range, _)| range.clone()).collect();
    for from in &ranges {
        for to in (specimen.header..specimen.used + 64).step_by(8) {
            let mut file = specimen.file.clone();
            file.copy_within(from.clone(), to);
            specimen.check(&file);
        }
    }
    // A copy where nothing was is the same entry, which is delivered once.
    let mut file = specimen.file.clone();
    file.copy_within(ranges[0].clone(), 32 * 1024);
    let contents = specimen.check(&file).expect("a journal");
    assert_eq!((contents.entries.len(), contents.damaged), (5, 1));
}

/// In Latin-1 the four letters of an entry's state can be part of a message.
#[test]
fn lines_full_of_false_entries_cost_a_reader_no_more_than_others() {
    let specimen = Specimen::small();
    let mut file = specimen.file.clone();
    file.truncate(specimen.header);
    let ring: usize = 16 * 1024 * 1024;
    file[16..24].copy_from_slice(&(ring as u64).to_le_bytes());
    seal_header(&mut file);
    while file.len() < specimen.header + ring {
        let left = specimen.header + ring - file.len() - 8;
        file.extend("þø¡ÿ".chars().map(|letter| u8::try_from(letter).expect("of Latin-1")));
        file.extend(u32::try_from(left.saturating_sub(16)).expect("short").to_le_bytes());
    }
    // Looked at one by one to the end of the file, they would take 16 * 10^12 bytes of checksums: hours.
    let contents = specimen.check_any(&file).expect("a journal");
    assert!(contents.entries.is_empty());
    assert_eq!(contents.damaged, ring as u64 / 8 - 2);
}

#[test]
fn any_damage_is_survived() {
    let (cases, seed) = (number_from("DURAMEN_CASES", 2_000), number_from("DURAMEN_SEED", 0));
    let specimens = [Specimen::small(), Specimen::gone_around()];
    for case in 0..cases {
        let mut numbers = Numbers(seed ^ (case << 32));
        let length = usize::try_from(numbers.next() % 60).expect("few");
        let input = numbers.bytes(length);
        let outcome = std::panic::catch_unwind(|| damage(&input, &specimens));
        assert!(outcome.is_ok(), "case {case} of DURAMEN_SEED={seed}: {input:?}");
    }
}
