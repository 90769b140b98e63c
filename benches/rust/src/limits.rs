//! What the machine gives at most: the same line with nothing around it. Each is measured as the packages are.

mod ring;

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

use crate::line::{LOGGER, Request};
use crate::measure::Peer;
use crate::peers::{Timestamp, timestamp, timestamp_of};
use crate::way::Manner;

use ring::Ring;

const BLOCK: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(BLOCK + 4096));
    static RING: RefCell<Option<Arc<Ring>>> = const { RefCell::new(None) };
}

fn open(file: &Path) -> Option<File> {
    OpenOptions::new().append(true).create(true).open(file).ok()
}

/// The line, number by number.
fn by_hand(time: &Timestamp, request: Request<'_>, out: &mut Vec<u8>) {
    let mut number = itoa::Buffer::new();
    out.extend_from_slice(time.as_bytes());
    out.extend_from_slice(b" INFO ");
    out.extend_from_slice(LOGGER.as_bytes());
    out.extend_from_slice(b" request ");
    out.extend_from_slice(number.format(request.number).as_bytes());
    out.extend_from_slice(b" of ");
    out.extend_from_slice(request.user.as_bytes());
    out.extend_from_slice(b" took ");
    out.extend_from_slice(number.format(request.took).as_bytes());
    out.extend_from_slice(b" ms\n");
}

/// The line by the standard library's formatting.
fn by_std(time: &Timestamp, request: Request<'_>, out: &mut Vec<u8>) {
    let Request { number, user, took } = request;
    let _ = writeln!(out, "{time} {} {} request {number} of {user} took {took} ms", log::Level::Info, LOGGER);
}

fn json_by_hand(time: &Timestamp, request: Request<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"timestamp\": \"");
    out.extend_from_slice(time.as_bytes());
    out.extend_from_slice(
        b"\", \"level\": \"INFO\", \"logger\": \"shop.orders\", \"message\": \"request done\", \"number\": ",
    );
    out.extend_from_slice(itoa::Buffer::new().format(request.number).as_bytes());
    out.extend_from_slice(b", \"user\": \"");
    out.extend_from_slice(request.user.as_bytes());
    out.extend_from_slice(b"\"}\n");
}

/// Lines in a buffer of the thread; one `write(2)` for each, or for 64 KiB of them.
pub struct Blocks<const STD: bool> {
    file: File,
    flushes: bool,
}

impl<const STD: bool> Blocks<STD> {
    #[inline]
    fn write(&self, line: impl FnOnce(&mut Vec<u8>)) {
        BUFFER.with(|buffer| {
            let mut buffer = buffer.borrow_mut();
            line(&mut buffer);
            if self.flushes || buffer.len() >= BLOCK {
                let _ = (&self.file).write_all(&buffer);
                buffer.clear();
            }
        });
    }
}

impl<const STD: bool> Peer for Blocks<STD> {
    fn start(manner: Manner, file: &Path) -> Option<Self> {
        let file = open(file)?;
        let is_one = manner != Manner::Asynchronous && !(STD && manner == Manner::Json);
        is_one.then(|| Self { file, flushes: manner == Manner::Flushed })
    }

    #[inline]
    fn info(&self, request: Request<'_>) {
        let time = timestamp();
        if STD {
            self.write(|out| by_std(&time, request, out));
        } else {
            self.write(|out| by_hand(&time, request, out));
        }
    }

    #[inline]
    fn debug(&self, request: Request<'_>) {
        if std::hint::black_box(&IS_ENABLED).load(Ordering::Relaxed) {
            self.info(request);
        }
    }

    #[inline]
    fn info_with_fields(&self, request: Request<'_>) {
        let time = timestamp();
        self.write(|out| json_by_hand(&time, request, out));
    }

    fn end_thread(&self) {
        BUFFER.with(|buffer| {
            let mut buffer = buffer.borrow_mut();
            let _ = (&self.file).write_all(&buffer);
            buffer.clear();
        });
    }

    fn finish(self) {
        self.end_thread();
    }
}

static IS_ENABLED: AtomicBool = AtomicBool::new(false);

/// A ring for each thread, emptied by one thread. Lines are made by the caller, or with `ARGUMENTS` by the thread that
/// writes.
pub struct Rings<const ARGUMENTS: bool> {
    rings: Arc<Mutex<Vec<Arc<Ring>>>>,
    ends: Arc<AtomicBool>,
    worker: JoinHandle<()>,
}

/// A number, a number, the time, and a text of at most eight bytes.
const ARGUMENTS_LENGTH: usize = 33;

impl<const ARGUMENTS: bool> Rings<ARGUMENTS> {
    fn work(rings: &Mutex<Vec<Arc<Ring>>>, ends: &AtomicBool, file: &File) {
        let mut block = Vec::with_capacity(BLOCK * 2);
        let mut taken = Vec::with_capacity(BLOCK);
        loop {
            let is_end = ends.load(Ordering::Acquire);
            let all = rings.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let mut found = false;
            for ring in &all {
                taken.clear();
                ring.pop_all(&mut taken);
                found |= !taken.is_empty();
                if !ARGUMENTS {
                    block.extend_from_slice(&taken);
                } else {
                    for arguments in taken.chunks_exact(ARGUMENTS_LENGTH) {
                        format_arguments(arguments, &mut block);
                        if block.len() >= BLOCK {
                            let _ = (&*file).write_all(&block);
                            block.clear();
                        }
                    }
                }
                if block.len() >= BLOCK {
                    let _ = (&*file).write_all(&block);
                    block.clear();
                }
            }
            if !found {
                let _ = (&*file).write_all(&block);
                block.clear();
                if is_end {
                    return;
                }
                std::thread::yield_now();
            }
        }
    }

    #[inline]
    fn push(&self, bytes: &[u8]) {
        RING.with(|own| {
            let mut own = own.borrow_mut();
            let ring = own.get_or_insert_with(|| {
                let ring = Arc::new(Ring::new(1 << 20));
                self.rings.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&ring));
                ring
            });
            while !ring.push(bytes) {
                std::thread::yield_now();
            }
        });
    }
}

fn format_arguments(arguments: &[u8], block: &mut Vec<u8>) {
    let number = |place: usize| {
        arguments.get(place..place + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
    };
    let length = usize::from(arguments[24]);
    let user = std::str::from_utf8(&arguments[25..25 + length]).unwrap_or_default();
    by_hand(&timestamp_of(number(16)), Request { number: number(0), user, took: number(8) }, block);
}

impl<const ARGUMENTS: bool> Peer for Rings<ARGUMENTS> {
    fn start(manner: Manner, file: &Path) -> Option<Self> {
        if manner != Manner::Asynchronous {
            return None;
        }
        let file = open(file)?;
        let (rings, ends): (Arc<Mutex<Vec<Arc<Ring>>>>, Arc<AtomicBool>) = Default::default();
        let (of_worker, worker_ends) = (Arc::clone(&rings), Arc::clone(&ends));
        let worker = std::thread::spawn(move || Self::work(&of_worker, &worker_ends, &file));
        Some(Self { rings, ends, worker })
    }

    #[inline]
    fn info(&self, request: Request<'_>) {
        if ARGUMENTS {
            let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let nanoseconds = since_epoch.as_secs() * 1_000_000_000 + u64::from(since_epoch.subsec_nanos());
            let mut bytes = [0; ARGUMENTS_LENGTH];
            bytes[..8].copy_from_slice(&request.number.to_le_bytes());
            bytes[8..16].copy_from_slice(&request.took.to_le_bytes());
            bytes[16..24].copy_from_slice(&nanoseconds.to_le_bytes());
            let user = request.user.as_bytes();
            let length = user.len().min(8);
            bytes[24] = u8::try_from(length).unwrap_or(0);
            bytes[25..25 + length].copy_from_slice(&user[..length]);
            self.push(&bytes);
        } else {
            BUFFER.with(|buffer| {
                let mut buffer = buffer.borrow_mut();
                buffer.clear();
                by_hand(&timestamp(), request, &mut buffer);
                self.push(&buffer);
            });
        }
    }

    fn debug(&self, _: Request<'_>) {}

    fn info_with_fields(&self, _: Request<'_>) {}

    fn finish(self) {
        self.ends.store(true, Ordering::Release);
        let _ = self.worker.join();
    }
}
