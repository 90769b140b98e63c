//! A journal's two sides under every order in which their threads can run (`loom`): who writes entries down, under the lock
//! of a queue, and who delivers them.
//!
//! What these models hold: what is loaded is what was written down, whenever its place is used again (an access of the ring that
//! nothing orders is an error, which `loom` finds), who waits for room is woken, and the ring is empty at the end. The ring has room
//! for two entries.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use loom::cell::Cell;
use loom::sync::atomic::AtomicU32;
use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::{Appender, Journal, Memory, Refused, Ticket};

const WORD: usize = 4;
/// What an entry with one short line takes.
const ENTRY: usize = 40;

/// A ring whose bytes are no atomic values: two threads must not meet at one. States are.
struct Ring {
    words: Vec<Word>,
    states: Vec<AtomicU32>,
}

struct Word(Cell<[u8; WORD]>);

// SAFETY: `loom` ends the test where two threads would meet at a cell, and runs one thread at a time.
#[expect(unsafe_code, reason = "the cells of loom are those of std, which no threads share")]
unsafe impl Sync for Word {}

impl Ring {
    fn new(length: usize) -> Self {
        let word = |_| Word(Cell::new([0; WORD]));
        let state = |_| AtomicU32::new(0);
        Self {
            words: (0..length / WORD).map(word).collect(),
            states: (0..length / WORD).map(state).collect(),
        }
    }
}

impl Memory for Ring {
    fn length(&self) -> usize {
        self.words.len() * WORD
    }

    fn store(&self, offset: usize, bytes: &[u8]) {
        for (place, bytes) in bytes.chunks(WORD).enumerate() {
            let mut word = [0; WORD];
            word[..bytes.len()].copy_from_slice(bytes);
            self.words[offset / WORD + place].0.set(word);
        }
    }

    fn store_state(&self, offset: usize, word: u32) {
        self.states[offset / WORD].store(word, Ordering::Release);
    }

    fn load(&self, offset: usize, length: usize, into: &mut Vec<u8>) {
        let begin = into.len();
        for word in &self.words[offset / WORD..(offset + length).div_ceil(WORD)] {
            into.extend(word.0.get());
        }
        into.truncate(begin + length);
    }
}

/// What stands between the two sides: tickets, and whether no more come.
#[derive(Default)]
struct Queue {
    waiting: Mutex<(VecDeque<Ticket>, bool)>,
    arrived: Condvar,
}

impl Queue {
    fn take(&self) -> Option<VecDeque<Ticket>> {
        let mut waiting = self.waiting.lock().unwrap();
        while waiting.0.is_empty() {
            if waiting.1 {
                return None;
            }
            waiting = self.arrived.wait(waiting).unwrap();
        }
        Some(std::mem::take(&mut waiting.0))
    }

    fn close(&self) {
        self.waiting.lock().unwrap().1 = true;
        self.arrived.notify_one();
    }
}

fn line(number: u64) -> Vec<u8> {
    vec![u8::try_from(number).unwrap(); 5]
}

/// Delivers what comes, and gives the numbers.
fn deliver(queue: &Queue, journal: &Journal<Ring>) -> Vec<u64> {
    let mut delivered = Vec::new();
    while let Some(batch) = queue.take() {
        for ticket in batch {
            journal.begin(ticket);
            let mut lines = Vec::new();
            journal.load(ticket, &mut lines);
            assert_eq!(lines, line(ticket.number()));
            journal.end([ticket]);
            delivered.push(ticket.number());
        }
    }
    delivered
}

fn append(appender: &mut Appender<Ring>, number: u64) -> Result<Ticket, Refused> {
    appender.append(&line(number), [(0, 5)].into_iter())
}

/// A thread is taken from its work twice at most: more orders than these take hours.
fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

fn journal() -> (Appender<Ring>, Arc<Queue>, thread::JoinHandle<Vec<u64>>) {
    let appender = Journal::new(Ring::new(2 * ENTRY), 7);
    let queue = Arc::<Queue>::default();
    let worker = thread::spawn({
        let (queue, journal) = (Arc::clone(&queue), Arc::clone(appender.journal()));
        move || deliver(&queue, &journal)
    });
    (appender, queue, worker)
}

#[test]
fn a_place_is_used_again_after_it_was_left_and_who_waits_for_it_is_woken() {
    explore(|| {
        let (mut appender, queue, worker) = journal();
        for number in 1..=4 {
            let ticket = loop {
                match append(&mut appender, number) {
                    Ok(ticket) => break ticket,
                    Err(refused) => assert_eq!(refused, Refused::Full),
                }
                appender.journal().wait_for_room(Instant::now() + Duration::from_secs(1000));
            };
            assert_eq!(ticket.number(), number);
            queue.waiting.lock().unwrap().0.push_back(ticket);
            queue.arrived.notify_one();
        }
        queue.close();
        assert_eq!(worker.join().unwrap(), [1, 2, 3, 4]);
        assert!(appender.journal().is_empty());
    });
}

/// As a queue that drops the oldest does, with its lock held: an entry that waits gives its place to a newer one.
#[test]
fn what_is_given_up_is_not_delivered_and_its_place_is_used_at_once() {
    explore(|| {
        let (mut appender, queue, worker) = journal();
        let mut given_up = Vec::new();
        let mut dropped = Vec::new();
        let mut last = 0;
        for _ in 0..3 {
            let mut waiting = queue.waiting.lock().unwrap();
            let mut written = append(&mut appender, last + 1);
            if written.is_err()
                && let Some(oldest) = waiting.0.pop_front()
            {
                given_up.push(oldest.number());
                appender.give_up(oldest);
                written = append(&mut appender, last + 1);
            }
            match written {
                Ok(ticket) => {
                    last += 1;
                    assert_eq!(ticket.number(), last);
                    waiting.0.push_back(ticket);
                }
                // What is in flight takes all of the ring.
                Err(refused) => dropped.push(refused),
            }
            drop(waiting);
            queue.arrived.notify_one();
        }
        appender.let_go();
        queue.close();
        let delivered = worker.join().unwrap();
        assert!(delivered.is_sorted());
        assert!(delivered.iter().all(|number| !given_up.contains(number)));
        assert_eq!(delivered.len() + given_up.len() + dropped.len(), 3);
        assert!(appender.journal().is_empty());
    });
}
