//! A file in memory: the one place where the journal needs `unsafe`.

use std::io;
use std::path::PathBuf;

use super::journal::Memory;
use super::own::OwnFile;

/// The ring of a journal, mapped from its file, with the file that keeps it locked.
pub struct Mapping {
    #[cfg(unix)]
    bytes: shared::Bytes,
    /// The bytes before the ring.
    header: usize,
    file: OwnFile,
}

impl Mapping {
    /// Maps `file`, of which all blocks are allocated: `header` bytes and then a ring of `ring`.
    #[cfg(unix)]
    pub(super) fn new(file: OwnFile, header: usize, ring: usize) -> io::Result<Self> {
        Ok(Self { bytes: shared::Bytes::of(file.file(), header + ring)?, header, file })
    }

    #[cfg(not(unix))]
    pub(super) fn new(_file: OwnFile, _header: usize, _ring: usize) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn rename(&mut self, path: PathBuf) -> io::Result<bool> {
        self.file.rename(path)
    }

    /// The file.
    pub fn file(&self) -> &OwnFile {
        &self.file
    }
}

#[cfg(unix)]
impl Memory for Mapping {
    #[inline]
    fn length(&self) -> usize {
        self.bytes.length() - self.header
    }

    #[inline]
    fn store(&self, offset: usize, bytes: &[u8]) {
        self.bytes.store(self.header + offset, bytes);
    }

    #[inline]
    fn store_state(&self, offset: usize, word: u32) {
        self.bytes.store_state(self.header + offset, word);
    }

    #[inline]
    fn load(&self, offset: usize, length: usize, into: &mut Vec<u8>) {
        self.bytes.load(self.header + offset, length, into);
    }

    fn prepare(&self, offset: usize, length: usize) {
        self.bytes.populate(self.header + offset, length);
    }

    fn look_after(&self) {
        self.file.report_removal();
    }

    fn discard(&self) {
        self.file.remove();
    }
}

#[cfg(not(unix))]
impl Memory for Mapping {
    fn length(&self) -> usize {
        0
    }

    fn store(&self, _offset: usize, _bytes: &[u8]) {}

    fn store_state(&self, _offset: usize, _word: u32) {}

    fn load(&self, _offset: usize, _length: usize, _into: &mut Vec<u8>) {}
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "memory that other processes see has no safe interface")]
mod shared {
    use std::fs::File;
    use std::io;
    use std::ptr::NonNull;
    use std::sync::atomic::{AtomicU32, Ordering, fence};

    #[cfg(all(target_os = "linux", not(miri)))]
    use rustix::mm::{Advice, madvise};

    use crate::spool::layout::PAGE;

    /// The bytes of a file, shared with all who read it.
    ///
    /// They are only ever written and copied out here, through the pointer, never borrowed: what others do to the file cannot
    /// break a promise of Rust's. Who makes the file shorter kills the process (SIGBUS), as with every mapping; it is open to
    /// the owner alone.
    pub(super) struct Bytes {
        start: NonNull<u8>,
        length: usize,
    }

    // SAFETY: the mapping belongs to no thread. Plain stores are made by one thread at a time, which has the journal's
    // appender, to places that nobody reads meanwhile, and the states are atomic.
    unsafe impl Send for Bytes {}
    // SAFETY: as above.
    unsafe impl Sync for Bytes {}

    impl Bytes {
        pub(super) fn of(file: &File, length: usize) -> io::Result<Self> {
            Ok(Self { start: map(file, length)?, length })
        }

        #[inline]
        pub(super) fn length(&self) -> usize {
            self.length
        }

        #[inline]
        pub(super) fn store(&self, offset: usize, bytes: &[u8]) {
            let is_within = offset.checked_add(bytes.len()).is_some_and(|end| end <= self.length);
            debug_assert!(is_within, "stores stay within the mapping");
            if is_within {
                // SAFETY: within the mapping, which lives as long as `self`; the source is a slice of Rust's, and no
                // such slice lies in the mapping.
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        bytes.as_ptr(),
                        self.start.as_ptr().add(offset),
                        bytes.len(),
                    );
                }
            }
        }

        #[inline]
        pub(super) fn store_state(&self, offset: usize, word: u32) {
            let is_within =
                offset.is_multiple_of(4) && offset.checked_add(4).is_some_and(|end| end <= self.length);
            debug_assert!(is_within, "states lie within the mapping, at multiples of four");
            if is_within {
                // SAFETY: within the mapping, which begins at a page and lives as long as `self`; states are written
                // atomically or, before there is an entry at their place, by the thread that has the journal's appender.
                let state = unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(offset).cast()) };
                state.store(word.to_le(), Ordering::Release);
                // What is stored later does not come before.
                fence(Ordering::Release);
            }
        }

        /// Appends `length` bytes from `offset` on to `into`.
        #[inline]
        pub(super) fn load(&self, offset: usize, length: usize, into: &mut Vec<u8>) {
            let is_within = offset.checked_add(length).is_some_and(|end| end <= self.length);
            debug_assert!(is_within, "loads stay within the mapping");
            if is_within {
                into.reserve(length);
                // SAFETY: within the mapping, which lives as long as `self`, and all of its bytes are initialised by the
                // system; the room for them has just been reserved, in memory of Rust's own. The appender of this process
                // stores nothing to a place before its entry has come to its end.
                unsafe {
                    let end = into.as_mut_ptr().add(into.len());
                    std::ptr::copy_nonoverlapping(self.start.as_ptr().add(offset), end, length);
                    into.set_len(into.len() + length);
                }
            }
        }

        /// Has the system map pages that nobody has touched, where it can (Linux 5.14, with pages of this size); their bytes
        /// stay as they are.
        #[cfg(all(target_os = "linux", not(miri)))]
        pub(super) fn populate(&self, offset: usize, length: usize) {
            let begin = offset / PAGE * PAGE;
            let end = offset.saturating_add(length).min(self.length);
            if begin < end {
                // SAFETY: within the mapping, from a page's beginning on; no byte changes, and a failure leaves the pages to
                // who touches them first.
                let _ = unsafe {
                    madvise(self.start.as_ptr().add(begin).cast(), end - begin, Advice::LinuxPopulateWrite)
                };
            }
        }

        #[cfg(not(all(target_os = "linux", not(miri))))]
        pub(super) fn populate(&self, _offset: usize, _length: usize) {}
    }

    impl Drop for Bytes {
        fn drop(&mut self) {
            // SAFETY: made by `map` with this length; nothing refers to it any more.
            unsafe { unmap(self.start, self.length) };
        }
    }

    #[cfg(not(miri))]
    fn map(file: &File, length: usize) -> io::Result<NonNull<u8>> {
        use rustix::mm::{MapFlags, ProtFlags, mmap};

        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address that the system chooses touches no memory that is in use.
        let start = unsafe { mmap(std::ptr::null_mut(), length, protection, MapFlags::SHARED, file, 0)? };
        Ok(NonNull::new(start.cast()).ok_or(io::ErrorKind::Other)?)
    }

    /// # Safety
    /// `start` is of [`map`], with this length, and nobody uses it any more.
    #[cfg(not(miri))]
    unsafe fn unmap(start: NonNull<u8>, length: usize) {
        // SAFETY: by the contract; a failure leaves the mapping where it is.
        let _ = unsafe { rustix::mm::munmap(start.as_ptr().cast(), length) };
    }

    /// Miri maps no files: memory of the process's own, so that all stores and loads are watched.
    #[cfg(miri)]
    fn map(_file: &File, length: usize) -> io::Result<NonNull<u8>> {
        // SAFETY: the length is that of a header and a ring, never 0.
        let start = unsafe { std::alloc::alloc_zeroed(pages(length)?) };
        Ok(NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?)
    }

    #[cfg(miri)]
    unsafe fn unmap(start: NonNull<u8>, length: usize) {
        if let Ok(layout) = pages(length) {
            // SAFETY: by the contract, allocated by `map` with the same layout.
            unsafe { std::alloc::dealloc(start.as_ptr(), layout) };
        }
    }

    #[cfg(miri)]
    fn pages(length: usize) -> io::Result<std::alloc::Layout> {
        std::alloc::Layout::from_size_align(length, PAGE).map_err(io::Error::other)
    }

    #[cfg(test)]
    mod tests {
        use std::fs::File;
        use std::io;

        use super::{Bytes, PAGE};

        /// Miri does not look at the file.
        fn bytes(length: usize) -> io::Result<Bytes> {
            if cfg!(miri) {
                return Bytes::of(&File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))?, length);
            }
            let file = tempfile::tempfile()?;
            file.set_len(length as u64)?;
            Bytes::of(&file, length)
        }

        #[test]
        fn what_is_stored_is_loaded_wherever_it_lies() -> io::Result<()> {
            let mapped = bytes(2 * PAGE)?;
            assert_eq!(mapped.length(), 2 * PAGE);
            mapped.populate(PAGE - 1, 2);
            let mut loaded = b"before ".to_vec();
            for (offset, text) in [(0, "first"), (PAGE - 2, "across"), (2 * PAGE - 4, "last"), (2 * PAGE, "")]
            {
                mapped.store(offset, text.as_bytes());
                loaded.truncate(7);
                mapped.load(offset, text.len(), &mut loaded);
                assert_eq!(loaded, ["before ", text].concat().into_bytes());
            }
            Ok(())
        }

        #[test]
        fn a_state_is_one_word_in_the_order_of_the_file() -> io::Result<()> {
            let mapped = bytes(PAGE)?;
            let mut loaded = Vec::new();
            for offset in [0, 8, PAGE - 4] {
                mapped.store_state(offset, 0x0102_0304);
                loaded.clear();
                mapped.load(offset, 4, &mut loaded);
                assert_eq!(loaded, [4, 3, 2, 1]);
            }
            Ok(())
        }

        #[test]
        fn two_threads_use_places_of_their_own() -> io::Result<()> {
            let mapped = bytes(PAGE)?;
            std::thread::scope(|scope| {
                scope.spawn(|| mapped.store(0, b"one"));
                scope.spawn(|| mapped.store_state(4, 7));
                scope.spawn(|| mapped.store(8, b"two"));
            });
            let mut loaded = Vec::new();
            mapped.load(0, 11, &mut loaded);
            assert_eq!(loaded, b"one\0\x07\0\0\0two");
            Ok(())
        }
    }
}
