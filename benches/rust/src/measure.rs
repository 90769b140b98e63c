//! One measurement: a peer, a way, a file, in a process of its own.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::line::Request;
use crate::way::{Manner, Way};

/// A package under measurement.
pub trait Peer: Sync + Sized {
    /// Sets it up to write to `file`; `None` where it has no such way.
    fn start(manner: Manner, file: &Path) -> Option<Self>;
    /// The same with a queue of 8192 records that drops what there is no room for; `None` where it has none.
    fn start_dropping(_file: &Path) -> Option<Self> {
        None
    }
    /// The same with a queue that outlives the process; `None` where it has none.
    fn start_journaled(_file: &Path) -> Option<Self> {
        None
    }
    /// Logs the line at INFO.
    fn info(&self, request: Request<'_>);
    /// Logs at DEBUG, which the logger does not take.
    fn debug(&self, request: Request<'_>);
    /// Logs `request done` with the fields `number` and `user`.
    fn info_with_fields(&self, request: Request<'_>);
    /// Is called at the end of each of several threads.
    fn end_thread(&self) {}
    /// Returns when the last byte is in the file.
    fn finish(self);
}

/// What was measured.
pub struct Measured {
    /// Nanoseconds a call, or records a second.
    pub value: f64,
    /// The most memory that the process had, in KiB.
    pub peak: u64,
}

/// Sets `P` up for `way`; `None` where it has none.
pub fn start<P: Peer>(way: Way, file: &Path) -> Option<P> {
    if way.has_journal() { P::start_journaled(file) } else { P::start(way.manner(), file) }
}

/// Runs `P` in `way`; `None` where it has none.
pub fn run<P: Peer>(way: Way, file: &Path, calls: u64) -> Option<Measured> {
    let peer = start::<P>(way, file)?;
    let user = black_box("ada");
    let value = match way {
        Way::Disabled => {
            let begun = Begin::now(way);
            (0..calls).for_each(|number| peer.debug(Request::new(number, user)));
            let value = begun.seconds() * 1e9 / calls as f64;
            peer.finish();
            value
        }
        Way::Bursts | Way::JournaledBursts => bursts(peer, calls, user),
        _ => {
            let begun = Begin::now(way);
            if way.threads() == 1 {
                log_some(&peer, way, 0..calls, user);
            } else {
                let share = calls / way.threads();
                std::thread::scope(|scope| {
                    for thread in 0..way.threads() {
                        let peer = &peer;
                        scope.spawn(move || {
                            log_some(peer, way, thread * share..(thread + 1) * share, user);
                            peer.end_thread();
                        });
                    }
                });
            }
            peer.finish();
            calls as f64 / begun.seconds()
        }
    };
    Some(Measured { value, peak: peak_memory() })
}

/// When a measurement began. Where one thread does all the work, it is the processor's time that counts: what others do on
/// the machine does not change it much.
enum Begin {
    Clock(Instant),
    Processor(f64),
}

impl Begin {
    fn now(way: Way) -> Self {
        if way.is_one_thread() { Self::Processor(processor_seconds()) } else { Self::Clock(Instant::now()) }
    }

    fn seconds(&self) -> f64 {
        match self {
            Self::Clock(begun) => begun.elapsed().as_secs_f64(),
            Self::Processor(begun) => processor_seconds() - begun,
        }
    }
}

/// The time that the processor has spent for this process, in the program and in the system for it.
fn processor_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes to the place that it is given, which lives longer than the call.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Logs the lines with these numbers.
pub fn log_some<P: Peer>(peer: &P, way: Way, numbers: std::ops::Range<u64>, user: &str) {
    if way == Way::Json {
        numbers.for_each(|number| peer.info_with_fields(Request::new(number, user)));
    } else {
        numbers.for_each(|number| peer.info(Request::new(number, user)));
    }
}

/// The median of bursts of 100 records, between which the queue is given the time to become empty.
fn bursts<P: Peer>(peer: P, calls: u64, user: &str) -> f64 {
    let mut times: Vec<f64> = (0..calls / 100)
        .map(|burst| {
            std::thread::sleep(Duration::from_micros(500));
            let begun = Instant::now();
            log_some(&peer, Way::Bursts, burst * 100..(burst + 1) * 100, user);
            nanoseconds(begun.elapsed()) / 100.0
        })
        .collect();
    peer.finish();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

/// In KiB, as Linux tells it.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
