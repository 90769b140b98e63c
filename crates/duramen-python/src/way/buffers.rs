//! Buffers that are used again for the next record.

use crate::interpreter::Attached;

/// What one record is put together in.
pub(crate) struct Buffers {
    /// UTF-8.
    pub(crate) message: Vec<u8>,
    pub(crate) line: Vec<u8>,
    pub(crate) time: String,
}

impl Buffers {
    const fn new() -> Self {
        Self { message: Vec::new(), line: Vec::new(), time: String::new() }
    }

    /// Whether they are worth being kept.
    fn are_usual(&self) -> bool {
        self.message.capacity().max(self.line.capacity()) <= LARGEST
    }
}

/// Those of a record in the middle of which no other one comes.
static USUAL: Attached<Buffers> = Attached::new(Buffers::new());
static IS_TAKEN: Attached<bool> = Attached::new(false);

/// Further ones: as many as there were records at a time, since a record can lead to another one.
#[expect(clippy::vec_box, reason = "they are taken out and put back with each record")]
static FREE: Attached<Vec<Box<Buffers>>> = Attached::new(Vec::new());

/// What is kept for the next record, in bytes and in number.
const LARGEST: usize = 64 * 1024;
const MOST: usize = 64;

/// Runs `body` with buffers of which the message is empty.
#[inline]
pub(crate) fn with<T>(body: impl FnOnce(&mut Buffers) -> T) -> T {
    body(Taken::new().get())
}

/// Buffers that nobody else uses: the usual ones, or others while those are taken. They are given back after a panic too.
pub(crate) struct Taken(Option<Box<Buffers>>);

impl Taken {
    /// Buffers of which the message is empty.
    #[inline]
    pub(crate) fn new() -> Self {
        // SAFETY: attached; the reference lives only for the step.
        let is_taken = unsafe { std::mem::replace(&mut *IS_TAKEN.get(), true) };
        let mut taken = Self(is_taken.then(take_further));
        taken.get().message.clear();
        taken
    }

    #[inline]
    pub(crate) fn get(&mut self) -> &mut Buffers {
        match &mut self.0 {
            Some(further) => further,
            // SAFETY: they were free when they were taken, and this is the only reference to them until they are given back.
            None => unsafe { &mut *USUAL.get() },
        }
    }
}

impl Drop for Taken {
    #[inline]
    fn drop(&mut self) {
        if let Some(further) = self.0.take() {
            return give_back_further(further);
        }
        let usual = self.get();
        if !usual.are_usual() {
            *usual = Buffers::new();
        }
        // SAFETY: attached, as who has taken them is; the reference lives only for the step.
        unsafe { *IS_TAKEN.get() = false };
    }
}

#[cold]
#[inline(never)]
#[expect(clippy::unnecessary_box_returns, reason = "they are kept in their boxes")]
fn take_further() -> Box<Buffers> {
    // SAFETY: attached; the reference lives only for the call.
    unsafe { (*FREE.get()).pop() }.unwrap_or_else(|| Box::new(Buffers::new()))
}

#[cold]
#[inline(never)]
fn give_back_further(buffers: Box<Buffers>) {
    // SAFETY: as above.
    let free = unsafe { &mut *FREE.get() };
    if free.len() < MOST && buffers.are_usual() {
        free.push(buffers);
    }
}
