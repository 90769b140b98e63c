//! Lines that threads have made while another one was writing. Who has the destination's lock next writes all of them
//! together: threads that log at the same time do not hand the lock, and with it the processor, from one to the other for
//! each line. Each thread waits until its own line is written.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::sync::{AtomicU64, Mutex, MutexGuard};
use crate::{Level, process};

/// A buffer that has grown beyond this is given back.
const LARGEST_KEPT: usize = 64 * 1024;

/// The lines that wait for a destination.
#[derive(Default)]
pub(super) struct WaitingLines {
    lines: Mutex<Lines>,
    /// So many have left, written or counted as failed, since the handler was made.
    left: AtomicU64,
}

/// Lines, one behind the other, with their terminators.
#[derive(Default)]
pub(super) struct Lines {
    text: Vec<u8>,
    /// Where each of them ends, and its level.
    ends: Vec<(usize, Level)>,
    /// The number of the last one.
    last: u64,
    /// Who has added them. They are not those of a forked child, whose parent writes them.
    process: u32,
}

impl Lines {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The lines, in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Level)> {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        begins
            .zip(&self.ends)
            .map(|(begin, (end, level))| (self.text.get(begin..*end).unwrap_or_default(), *level))
    }

    fn clear(&mut self) {
        self.text.clear();
        self.text.shrink_to(LARGEST_KEPT);
        self.ends.clear();
    }
}

/// The number of a line that waits.
#[derive(Clone, Copy)]
pub(super) struct Place(u64);

impl WaitingLines {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line to those that wait.
    pub(super) fn add(&self, line: &[u8], level: Level) -> Place {
        let mut lines = self.lines();
        let process = process::id();
        if lines.process != process {
            lines.clear();
            lines.process = process;
        }
        lines.text.extend_from_slice(line);
        let end = lines.text.len();
        lines.ends.push((end, level));
        lines.last += 1;
        Place(lines.last)
    }

    /// Whether a line has left: whoever had the lock has written it.
    #[inline]
    pub(super) fn has_left(&self, place: Place) -> bool {
        self.left.load(Ordering::Acquire) >= place.0
    }

    /// Takes what waits; who calls has the destination's lock and tells [`WaitingLines::leave`] when it is written. `lines`
    /// is what was taken before.
    pub(super) fn take(&self, lines: &mut Lines) {
        lines.clear();
        let mut waiting = self.lines();
        lines.last = waiting.last;
        lines.process = waiting.process;
        std::mem::swap(&mut *waiting, lines);
        if lines.process != process::id() {
            lines.clear();
        }
    }

    /// Lets go those who wait for these lines.
    pub(super) fn leave(&self, lines: &Lines) {
        self.left.store(lines.last, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use loom::sync::{Arc, Mutex};

    use super::{Lines, WaitingLines};
    use crate::Level;

    /// What has been written, and what was taken last.
    type Written = Mutex<(Vec<u8>, Lines)>;

    /// What threads do that find the destination locked, as `BasicHandler` does.
    fn bring(waiting: &WaitingLines, destination: &Written, line: &[u8]) {
        let place = waiting.add(line, Level::INFO);
        while !waiting.has_left(place) {
            if let Ok(mut destination) = destination.try_lock() {
                let (written, lines) = &mut *destination;
                waiting.take(lines);
                lines.iter().for_each(|(line, _)| written.extend_from_slice(line));
                waiting.leave(lines);
                break;
            }
            loom::thread::yield_now();
        }
        let written = &destination.lock().expect("no thread panics").0;
        assert!(written.windows(line.len()).any(|part| part == line), "written when the call returns");
    }

    #[test]
    fn each_line_is_written_once_before_its_call_returns() {
        loom::model(|| {
            let shared = Arc::new((WaitingLines::default(), Written::default()));
            let other = Arc::clone(&shared);
            let thread = loom::thread::spawn(move || {
                bring(&other.0, &other.1, b"1\n");
                bring(&other.0, &other.1, b"2\n");
            });
            bring(&shared.0, &shared.1, b"a\n");
            thread.join().expect("no thread panics");
            let written = shared.1.lock().expect("no thread panics").0.clone();
            assert!([&b"a\n1\n2\n"[..], b"1\na\n2\n", b"1\n2\na\n"].contains(&&*written), "{written:?}");
        });
    }

    #[test]
    fn a_forked_child_writes_no_lines_of_its_parent() {
        loom::model(|| {
            let waiting = WaitingLines::default();
            waiting.add(b"of the parent\n", Level::INFO);
            waiting.lines().process ^= 1;
            let mut lines = Lines::default();
            waiting.take(&mut lines);
            assert_eq!(lines.len(), 0);
            waiting.add(b"again\n", Level::INFO);
            waiting.lines().process ^= 1;
            let place = waiting.add(b"of the child\n", Level::ERROR);
            waiting.take(&mut lines);
            assert_eq!(lines.iter().collect::<Vec<_>>(), [(&b"of the child\n"[..], Level::ERROR)]);
            waiting.leave(&lines);
            assert!(waiting.has_left(place));
        });
    }
}
