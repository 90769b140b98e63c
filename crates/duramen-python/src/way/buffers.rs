//! Buffers that are used again for the next record.

use crate::interpreter::Attached;

/// What one record is put together in.
#[derive(Default)]
pub(crate) struct Buffers {
    /// UTF-8.
    pub(crate) message: Vec<u8>,
    pub(crate) line: Vec<u8>,
    pub(crate) time: String,
}

/// Free ones: as many as there were records at a time, since a record can lead to another one.
#[expect(clippy::vec_box, reason = "they are taken out and put back with each record")]
static FREE: Attached<Vec<Box<Buffers>>> = Attached::new(Vec::new());

/// What is kept for the next record, in bytes and in number.
const LARGEST: usize = 64 * 1024;
const MOST: usize = 64;

/// Runs `body` with empty buffers.
pub(crate) fn with<T>(body: impl FnOnce(&mut Buffers) -> T) -> T {
    // SAFETY: attached; the reference lives only for the call.
    let mut buffers = unsafe { (*FREE.get()).pop() }.unwrap_or_default();
    buffers.message.clear();
    let result = body(&mut buffers);
    if buffers.message.capacity().max(buffers.line.capacity()) <= LARGEST {
        // SAFETY: as above.
        unsafe {
            let free = &mut *FREE.get();
            if free.len() < MOST {
                free.push(buffers);
            }
        }
    }
    result
}
