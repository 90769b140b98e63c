//! Records of several threads at the same time: each thread makes its line while another one writes, and whoever has the
//! destination's lock next writes all lines that wait. A call returns when its own line is written.

use std::cell::{Cell, RefCell};
use std::thread;

use parking_lot::ReentrantMutexGuard;

use super::{BasicHandler, Destination, Held, Rendered};
use crate::Record;

/// So often a thread looks whether its line is written, and lets others run, before it sleeps: to be woken takes as long as
/// to write several lines.
const MOST_LOOKS: usize = 64;

/// A line that has grown beyond this gives its memory back.
const LARGEST_KEPT: usize = 64 * 1024;

thread_local! {
    /// The memory of lines.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// The handlers, by address, for which this thread is making a line without a lock: formatters and filters may log.
    static RENDERING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Ends the making of a line.
struct Rendering;

impl Rendering {
    fn begin(handler: usize) -> Self {
        let _ = RENDERING.try_with(|rendering| rendering.borrow_mut().push(handler));
        Self
    }
}

impl Drop for Rendering {
    fn drop(&mut self) {
        let _ = RENDERING.try_with(|rendering| rendering.borrow_mut().pop());
    }
}

impl<D: Destination> BasicHandler<D> {
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Whether this very thread is making a line for this handler.
    #[inline]
    pub(super) fn is_rendering_beside(&self) -> bool {
        RENDERING.try_with(|rendering| rendering.borrow().contains(&self.address())).unwrap_or(false)
    }

    /// Makes the line while another thread is writing, and sees to it that it is written.
    #[cold]
    pub(super) fn deliver_beside(&self, record: &Record<'_>) {
        let mut line = LINE.try_with(Cell::take).unwrap_or_default();
        line.clear();
        let rendered = {
            let _rendering = Rendering::begin(self.address());
            self.rendered(record, &mut line)
        };
        match rendered {
            Rendered::Line if self.is_buffered => {
                self.deliver(|held| held.destination.emit_line(&line, record.level));
            }
            Rendered::Line => self.bring(&line, record),
            Rendered::HeldBack => {}
            Rendered::Failed => self.has_failed(),
        }
        line.shrink_to(LARGEST_KEPT);
        let _ = LINE.try_with(|kept| kept.set(line));
    }

    /// Returns when the line is written, by whichever thread.
    fn bring(&self, line: &[u8], record: &Record<'_>) {
        let place = self.waiting.add(line, record.level);
        for _ in 0..MOST_LOOKS {
            if self.waiting.has_left(place) {
                return;
            }
            if let Some(locked) = self.destination.try_lock() {
                return self.write_waiting(&locked);
            }
            thread::yield_now();
        }
        let locked = self.destination.lock();
        if !self.waiting.has_left(place) {
            self.write_waiting(&locked);
        }
    }

    /// Writes the lines that wait.
    fn write_waiting(&self, locked: &ReentrantMutexGuard<'_, RefCell<Held<D>>>) {
        // This thread was not within the handler when it made its line.
        let Ok(mut held) = locked.try_borrow_mut() else { return self.has_failed() };
        self.acting(|| self.write_waiting_to(&mut held));
    }

    fn write_waiting_to(&self, held: &mut Held<D>) {
        let mut lines = std::mem::take(&mut held.lines);
        self.waiting.take(&mut lines);
        // A destination that can hold back counts what it could not write.
        let is_batch = lines.len() > 1 && held.destination.failed().is_some();
        if is_batch {
            self.counted(self.act(held, |held| {
                held.destination.hold_back();
                Ok(())
            }));
        }
        for (line, level) in lines.iter() {
            self.counted(self.act(held, |held| held.destination.emit_line(line, level)));
        }
        if is_batch {
            self.counted(self.act(held, |held| held.destination.release()));
        }
        self.waiting.leave(&lines);
        held.lines = lines;
    }
}
