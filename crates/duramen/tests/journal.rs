//! What a journal holds when the process stops at any moment, and what a reader makes of any bytes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use duramen::spool::{
    Appender, Contents, Destination, Header, Journal, Memory, Refused, State, Ticket, Unreadable, read,
};
use proptest::prelude::*;

const RING: usize = 64 * 1024;

fn header() -> Header {
    Header {
        identity: 0x1234_5678_9ABC_DEF0,
        process: 4711,
        process_start: 99,
        made: 1_700_000_000,
        ring: RING,
        destinations: vec![
            Destination::File("/var/log/ä b.log".into()),
            Destination::Stderr,
            Destination::Stdout,
        ],
    }
}

/// Memory that remembers each store, so that a process can be stopped after any of them.
#[derive(Clone, Default)]
struct Stores(Arc<Mutex<Vec<Store>>>);

type Store = (usize, Vec<u8>);

impl Memory for Stores {
    fn length(&self) -> usize {
        RING
    }

    fn store(&self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= RING, "a store outside of the ring");
        self.0.lock().expect("whole").push((offset, bytes.to_vec()));
    }

    fn store_state(&self, offset: usize, word: u32) {
        self.store(offset, &word.to_le_bytes());
    }

    fn load(&self, offset: usize, length: usize, into: &mut Vec<u8>) {
        let file = self.file_after(self.count(), |_| false);
        into.extend_from_slice(&file[file.len() - RING + offset..][..length]);
    }
}

impl Stores {
    fn count(&self) -> usize {
        self.0.lock().expect("whole").len()
    }

    /// The file after `count` stores, and those bytes of the next one that `is_stored` names.
    fn file_after(&self, count: usize, is_stored: impl Fn(usize) -> bool) -> Vec<u8> {
        let mut file = header().encode().expect("a header");
        let start = file.len();
        file.resize(start + RING, 0);
        let stores = self.0.lock().expect("whole");
        for (offset, bytes) in &stores[..count] {
            file[start + offset..][..bytes.len()].copy_from_slice(bytes);
        }
        if let Some((offset, bytes)) = stores.get(count) {
            for (place, byte) in bytes.iter().enumerate().filter(|(place, _)| is_stored(*place)) {
                file[start + offset + place] = *byte;
            }
        }
        file
    }
}

fn append(appender: &mut Appender<Stores>, lines: &[Vec<u8>]) -> Result<Ticket, Refused> {
    appender.append(&lines.concat(), parts_of(lines).into_iter())
}

fn append_in_place_of(
    appender: &mut Appender<Stores>,
    given_up: Ticket,
    lines: &[Vec<u8>],
) -> Result<Ticket, Refused> {
    appender.give_up(given_up);
    append(appender, lines)
}

/// What the ring has at a ticket's place.
fn loaded(journal: &Journal<Stores>, ticket: Ticket) -> (Vec<u8>, Vec<(u32, u32)>) {
    let (mut lines, mut parts) = (Vec::new(), Vec::new());
    journal.load_with_parts(ticket, &mut lines, &mut parts);
    let mut again = Vec::new();
    journal.load(ticket, &mut again);
    assert_eq!(lines, again);
    (lines, parts)
}

fn parts_of(lines: &[Vec<u8>]) -> Vec<(u32, u32)> {
    let mut end = 0;
    lines
        .iter()
        .enumerate()
        .map(|(place, line)| {
            end += line.len();
            (u32::try_from(place).expect("few"), u32::try_from(end).expect("short"))
        })
        .collect()
}

fn lines_of(contents: &Contents, file: &[u8]) -> BTreeMap<u64, (State, Vec<Vec<u8>>)> {
    let lines = |entry: &duramen::spool::Entry| {
        entry.lines.iter().map(|(_, range)| file[range.clone()].to_vec()).collect()
    };
    contents.entries.iter().map(|entry| (entry.number, (entry.state, lines(entry)))).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Vec<u8>>),
    /// The entry at this place of those that have not come to their end.
    Begin(usize),
    End(usize),
    /// In the place of that entry, which is given up.
    InPlaceOf(usize, Vec<Vec<u8>>),
}

fn step() -> impl Strategy<Value = Step> {
    let line = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..300),
        1 => prop::collection::vec(any::<u8>(), 10_000..25_000),
    ];
    let lines = prop::collection::vec(line, 0..3);
    prop_oneof![
        1 => (any::<prop::sample::Index>(), lines.clone())
            .prop_map(|(place, lines)| Step::InPlaceOf(place.index(16), lines)),
        4 => lines.prop_map(Step::Append),
        1 => any::<prop::sample::Index>().prop_map(|place| Step::Begin(place.index(16))),
        4 => any::<prop::sample::Index>().prop_map(|place| Step::End(place.index(16))),
    ]
}

/// What has to be found after so many stores.
#[derive(Clone, Default)]
struct Model {
    present: BTreeMap<u64, (State, Vec<Vec<u8>>)>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(60), ..ProptestConfig::default() })]

    #[test]
    fn a_process_that_stops_after_any_store_leaves_what_it_had_accepted(
        steps in prop::collection::vec(step(), 1..120),
        cut in any::<prop::sample::Index>(),
        torn in any::<u64>(),
    ) {
        let stores = Stores::default();
        let mut appender = Journal::new(stores.clone(), header().identity);
        let journal = Arc::clone(appender.journal());
        let mut open: Vec<(Ticket, Vec<Vec<u8>>)> = Vec::new();
        let mut model = Model::default();
        // The model before each step, with the stores made by then.
        let mut history = vec![(0, model.clone())];
        for step in steps {
            match step {
                Step::Append(lines) => {
                    if let Ok(ticket) = append(&mut appender, &lines) {
                        prop_assert_eq!(loaded(&journal, ticket), (lines.concat(), parts_of(&lines)));
                        model.present.insert(ticket.number(), (State::Waiting, lines.clone()));
                        open.push((ticket, lines));
                    }
                }
                Step::Begin(place) if place < open.len() => {
                    journal.begin(open[place].0);
                    let entry = model.present.get_mut(&open[place].0.number()).expect("open");
                    entry.0 = State::InFlight;
                }
                Step::InPlaceOf(place, lines) if place < open.len() => {
                    let (given_up, _) = open.remove(place);
                    model.present.remove(&given_up.number());
                    if let Ok(ticket) = append_in_place_of(&mut appender, given_up, &lines) {
                        model.present.insert(ticket.number(), (State::Waiting, lines.clone()));
                        open.push((ticket, lines));
                    }
                }
                Step::End(place) if place < open.len() => {
                    let (ticket, _) = open.remove(place);
                    journal.end([ticket]);
                    model.present.remove(&ticket.number());
                }
                _ => {}
            }
            history.push((stores.count(), model.clone()));
        }
        let cut = cut.index(stores.count() + 1);
        let file = stores.file_after(cut, |place| torn >> (place % 64) & 1 == 1);
        let contents = read(&file).expect("a header");
        let found = lines_of(&contents, &file);
        let before = &history.iter().rfind(|(count, _)| *count <= cut).expect("the beginning").1.present;
        let after = &history.iter().find(|(count, _)| *count > cut).unwrap_or(history.last().expect("one")).1.present;
        for (number, entry) in before {
            let is_ending = !after.contains_key(number);
            let is_changing = after.get(number).is_some_and(|later| later.0 != entry.0);
            match found.get(number) {
                // A state of four bytes that is stored in part is none; the machine stores it as one.
                None => prop_assert!(is_ending || is_changing, "entry {number} is lost"),
                Some(there) => prop_assert!(there == entry || Some(there) == after.get(number)),
            }
        }
        for (number, entry) in &found {
            prop_assert!(before.contains_key(number) || after.get(number) == Some(entry), "{number} was never there");
        }
        prop_assert!(contents.entries.is_sorted_by_key(|entry| entry.number));
    }

    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        prop_assert!(read(&bytes).is_err());
        let mut file = header().encode().expect("a header");
        file.extend(&bytes);
        let contents = read(&file).expect("a header");
        prop_assert!(contents.entries.is_empty() && contents.has_wrong_length);
    }

    #[test]
    fn damage_costs_the_entries_that_it_hits(
        count in 1_usize..40,
        hits in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let stores = Stores::default();
        let mut appender = Journal::new(stores.clone(), header().identity);
        let lines: Vec<_> = (0..count).map(|number| vec![format!("line {number}\n").into_bytes()]).collect();
        for line in &lines {
            append(&mut appender, line).expect("room");
        }
        let whole = stores.file_after(stores.count(), |_| false);
        let known = lines_of(&read(&whole).expect("a header"), &whole);
        prop_assert_eq!(known.len(), count);
        let mut file = whole.clone();
        file.truncate(whole.len() - cut.index(whole.len()));
        for (place, change) in hits {
            let place = place.index(file.len());
            file[place] ^= change;
        }
        if let Ok(contents) = read(&file) {
            for (number, entry) in lines_of(&contents, &file) {
                // A state can become another one; nothing else can be there that was not.
                prop_assert_eq!(known.get(&number).map(|(_, lines)| lines), Some(&entry.1));
            }
        }
    }
}

/// `PROPTEST_CASES` asks for a longer campaign.
fn cases(short: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(short)
}

#[test]
fn a_header_says_what_it_was_made_of() {
    let bytes = header().encode().expect("a header");
    assert_eq!(read(&bytes).expect("a header").header, header());
}

#[test]
fn what_is_no_journal_is_told_apart() {
    let whole = header().encode().expect("a header");
    let changed = |place: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[place] = byte;
        read(&bytes).map(|_| ())
    };
    assert_eq!(read(b""), Err(Unreadable::Foreign));
    assert_eq!(read(&whole[..60]).map(|_| ()), Err(Unreadable::Broken));
    assert_eq!(changed(0, b'X'), Err(Unreadable::Foreign));
    assert_eq!(changed(8, 3), Err(Unreadable::Version(3)));
    // The length of the ring, the identity, a path.
    for place in [19, 24, 70] {
        assert_eq!(changed(place, 0xFF), Err(Unreadable::Broken), "byte {place}");
    }
}

#[test]
fn a_line_that_looks_like_an_entry_is_none() {
    let other = Stores::default();
    append(&mut Journal::new(other.clone(), 1), &[b"forged\n".to_vec()]).expect("room");
    let start = header().encode().expect("a header").len();
    let forged = other.file_after(other.count(), |_| false)[start..start + 64].to_vec();

    let stores = Stores::default();
    let mut appender = Journal::new(stores.clone(), header().identity);
    let ticket = append(&mut appender, &[[vec![b'x'; 8], forged].concat()]).expect("room");
    appender.journal().end([ticket]);
    append(&mut appender, &[b"real\n".to_vec()]).expect("room");
    let file = stores.file_after(stores.count(), |_| false);
    let found = lines_of(&read(&file).expect("a header"), &file);
    assert_eq!(found.into_values().collect::<Vec<_>>(), [(State::Waiting, vec![b"real\n".to_vec()])]);
}

#[test]
fn a_full_journal_refuses_until_the_oldest_has_ended() {
    let mut appender = Journal::new(Stores::default(), 7);
    let journal = Arc::clone(appender.journal());
    let line = [vec![b'x'; 9 * 1024]];
    let tickets: Vec<_> = std::iter::from_fn(|| append(&mut appender, &line).ok()).collect();
    assert_eq!(tickets.len(), 7);
    assert_eq!(append(&mut appender, &line), Err(Refused::Full));
    journal.end([tickets[1]]);
    assert_eq!(append(&mut appender, &line), Err(Refused::Full), "the oldest is still there");
    journal.end([tickets[0]]);
    assert!(append(&mut appender, &line).is_ok());
    assert_eq!(append(&mut appender, &[vec![b'x'; RING]]), Err(Refused::TooLong));
}

#[test]
fn an_entry_takes_the_place_of_one_that_is_given_up() {
    let stores = Stores::default();
    let mut appender = Journal::new(stores.clone(), header().identity);
    let journal = Arc::clone(appender.journal());
    let line = |text: &str| [text.repeat(6 * 1024).into_bytes()];
    let in_flight = append(&mut appender, &line("a")).expect("room");
    journal.begin(in_flight);
    let mut tickets: VecDeque<_> = std::iter::from_fn(|| append(&mut appender, &line("b")).ok()).collect();
    assert_eq!(tickets.len(), 9);
    // However long the oldest is in flight, the newest have room in the places of those that are given up.
    for _ in 0..1000 {
        let oldest = tickets.pop_front().expect("one");
        tickets
            .push_back(append_in_place_of(&mut appender, oldest, &line("c")).expect("as long as that one"));
    }
    let file = stores.file_after(stores.count(), |_| false);
    let contents = read(&file).expect("a header");
    let numbers: Vec<_> = contents.entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [1].into_iter().chain(1002..=1010).collect::<Vec<_>>());
    assert_eq!(contents.damaged, 0);
    // A place that is too small is given up all the same, and so is one that is free already.
    let oldest = tickets.pop_front().expect("one");
    assert_eq!(append_in_place_of(&mut appender, oldest, &line("dd")), Err(Refused::Full));
    assert_eq!(append_in_place_of(&mut appender, oldest, &line("d")), Err(Refused::Full));
    assert_eq!(append(&mut appender, &line("d")), Err(Refused::Full), "one in flight lies before it");
    journal.end([in_flight]);
    tickets.push_back(append(&mut appender, &line("d")).expect("room"));
    journal.end(tickets);
    // One that has come to its end long ago changes nothing.
    let last = append_in_place_of(&mut appender, in_flight, &line("e")).expect("the journal is empty");
    assert!(!journal.is_empty());
    journal.end([last]);
    assert!(journal.is_empty());
}

#[test]
fn entries_come_to_their_end_in_any_order_and_only_once() {
    let mut appender = Journal::new(Stores::default(), 7);
    let journal = Arc::clone(appender.journal());
    let line = [vec![b'x'; 9 * 1024]];
    let tickets: Vec<_> = std::iter::from_fn(|| append(&mut appender, &line).ok()).collect();
    let used = journal.used_bytes();
    journal.end(tickets[1..].iter().rev().copied());
    assert_eq!(journal.used_bytes(), used, "the oldest is still there");
    journal.end(tickets.iter().copied());
    assert!(journal.is_empty());
    let newest = append(&mut appender, &line).expect("room");
    journal.end(tickets);
    assert!(!journal.is_empty(), "what has ended before ends nothing that came later");
    journal.end([newest]);
    assert!(journal.is_empty() && journal.has_room_for(1, RING - 32));
}

/// A caller writes to the ring while another thread reads and frees it: no line is another one's, and none is lost.
#[test]
fn lines_are_read_back_while_others_are_written() {
    struct Ring(Mutex<Vec<u8>>);
    impl Memory for Ring {
        fn length(&self) -> usize {
            RING
        }
        fn store(&self, offset: usize, bytes: &[u8]) {
            self.0.lock().expect("whole")[offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        fn store_state(&self, offset: usize, word: u32) {
            self.store(offset, &word.to_le_bytes());
        }
        fn load(&self, offset: usize, length: usize, into: &mut Vec<u8>) {
            into.extend_from_slice(&self.0.lock().expect("whole")[offset..offset + length]);
        }
    }
    let mut appender = Journal::new(Ring(Mutex::new(vec![0; RING])), 7);
    let journal = Arc::clone(appender.journal());
    let (sender, receiver) = std::sync::mpsc::channel();
    let line_of = |number: usize| format!("{number} {}", "x".repeat(number * 37 % 3000)).into_bytes();
    thread::scope(|scope| {
        scope.spawn(move || {
            for (number, ticket) in receiver.iter().enumerate() {
                journal.begin(ticket);
                let mut line = Vec::new();
                journal.load(ticket, &mut line);
                assert_eq!(line, line_of(number));
                journal.end([ticket]);
            }
            assert!(journal.is_empty());
        });
        for number in 0..5000 {
            let line = line_of(number);
            let part = (0, u32::try_from(line.len()).expect("short"));
            let ticket = loop {
                match appender.append(&line, [part].into_iter()) {
                    Ok(ticket) => break ticket,
                    Err(refused) => assert_eq!(refused, Refused::Full),
                }
                appender.journal().wait_for_room(Instant::now() + Duration::from_secs(60));
            };
            sender.send(ticket).expect("read");
        }
        drop(sender);
    });
}

#[test]
fn an_entry_as_long_as_the_ring_has_room_when_the_journal_is_empty() {
    let mut appender = Journal::new(Stores::default(), 7);
    let journal = Arc::clone(appender.journal());
    for _ in 0..3 {
        let ticket = append(&mut appender, &[vec![b'x'; 100]]).expect("room");
        journal.end([ticket]);
        let ticket = append(&mut appender, &[vec![b'x'; RING - 32]]).expect("room");
        journal.end([ticket]);
    }
    assert_eq!((journal.is_empty(), journal.used_bytes()), (true, 0));
}

#[test]
fn a_wait_for_room_ends_when_there_is_some_or_in_time() {
    let mut appender = Journal::new(Stores::default(), 7);
    let journal = Arc::clone(appender.journal());
    let ticket = append(&mut appender, &[vec![b'x'; RING - 32]]).expect("room");
    let begun = Instant::now();
    journal.wait_for_room(begun + Duration::from_millis(20));
    assert!(begun.elapsed() >= Duration::from_millis(20));
    thread::scope(|scope| {
        scope.spawn(|| journal.end([ticket]));
        journal.wait_for_room(Instant::now() + Duration::from_secs(60));
    });
    assert!(journal.is_empty());
}

/// A ring of three MiB and a half that remembers what it was told to prepare, and looks whether stores come after that.
#[derive(Default)]
struct Prepared(Mutex<Vec<(usize, usize)>>);

impl Memory for Prepared {
    fn length(&self) -> usize {
        7 * 512 * 1024
    }

    fn store(&self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        let prepared = self.0.lock().expect("whole").last().copied();
        assert!(prepared.is_some_and(|(_, until)| end <= until), "{offset} to {end}, prepared: {prepared:?}");
    }

    fn store_state(&self, offset: usize, word: u32) {
        self.store(offset, &word.to_le_bytes());
    }

    fn load(&self, _offset: usize, _length: usize, _into: &mut Vec<u8>) {}

    fn prepare(&self, offset: usize, length: usize) {
        let mut prepared = self.0.lock().expect("whole");
        let begin = prepared.last().map_or(0, |(_, end)| *end);
        assert_eq!(offset, begin, "each byte once");
        assert!(offset + length <= self.length());
        prepared.push((offset, offset + length));
    }
}

#[test]
fn the_ring_is_prepared_before_it_is_written_to() {
    let mut appender = Journal::new(Prepared::default(), 1);
    let journal = Arc::clone(appender.journal());
    journal.prepare();
    let line = vec![b'x'; 100_000];
    let mut waiting = None;
    for _ in 0..30 {
        let append = |_| appender.append(&line, [(0, 100_000)].into_iter()).expect("there is room");
        let mut tickets: Vec<Ticket> = (0..4).map(append).collect();
        journal.prepare();
        // One always waits, so that the ring goes round.
        let last = tickets.pop();
        journal.end(waiting.take().into_iter().chain(tickets));
        waiting = last;
    }
    let prepared = journal.memory().0.lock().expect("whole").clone();
    assert_eq!(prepared.last().map(|(_, end)| *end), Some(journal.memory().length()));
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_reads_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
    assert!(Destination::File(path).open().is_err());
    // A file is one that waits, as whoever writes to it expects.
    let file = Destination::File(folder.path().join("file")).open().expect("opened");
    let flags = rustix::fs::fcntl_getfl(&file).expect("flags");
    assert!(flags.contains(rustix::fs::OFlags::APPEND) && !flags.contains(rustix::fs::OFlags::NONBLOCK));
}
