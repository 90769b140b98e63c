//! A ring of bytes with one thread at each end.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Its length is a power of two. One thread pushes, one pops.
pub struct Ring {
    bytes: UnsafeCell<Box<[u8]>>,
    mask: usize,
    /// So many bytes have been pushed, and popped, ever.
    pushed: Padded,
    popped: Padded,
}

#[repr(align(64))]
struct Padded(AtomicUsize);

// SAFETY: the two threads touch different bytes: those between `popped` and `pushed` belong to the one that pops, all
// others to the one that pushes, and the counters hand them over (release, acquire).
unsafe impl Sync for Ring {}

impl Ring {
    pub fn new(length: usize) -> Self {
        let bytes = UnsafeCell::new(vec![0; length].into());
        Self {
            bytes,
            mask: length - 1,
            pushed: Padded(AtomicUsize::new(0)),
            popped: Padded(AtomicUsize::new(0)),
        }
    }

    /// False where there is no room.
    #[inline]
    pub fn push(&self, bytes: &[u8]) -> bool {
        let pushed = self.pushed.0.load(Ordering::Relaxed);
        if pushed + bytes.len() > self.popped.0.load(Ordering::Acquire) + self.mask + 1 {
            return false;
        }
        let place = pushed & self.mask;
        let first = bytes.len().min(self.mask + 1 - place);
        // SAFETY: these bytes are the pushing thread's, see above.
        unsafe {
            let start = (*self.bytes.get()).as_mut_ptr();
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), start.add(place), first);
            std::ptr::copy_nonoverlapping(bytes.as_ptr().add(first), start, bytes.len() - first);
        }
        self.pushed.0.store(pushed + bytes.len(), Ordering::Release);
        true
    }

    /// Appends what is there to `out`: whole pushes.
    pub fn pop_all(&self, out: &mut Vec<u8>) {
        let popped = self.popped.0.load(Ordering::Relaxed);
        let count = self.pushed.0.load(Ordering::Acquire) - popped;
        let place = popped & self.mask;
        let first = count.min(self.mask + 1 - place);
        // SAFETY: these bytes are the popping thread's, see above.
        let bytes = unsafe { &*(*self.bytes.get()) };
        out.extend_from_slice(&bytes[place..place + first]);
        out.extend_from_slice(&bytes[..count - first]);
        self.popped.0.store(popped + count, Ordering::Release);
    }
}
