//! A disk in memory that fails when a test says so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use duramen::fs::{FileIdentity, FileStatus, FileSystem, LockedFile, LogFile};
use parking_lot::Mutex;

/// Files in memory; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct FakeDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What stands under a name: the number of a file.
    names: BTreeMap<PathBuf, usize>,
    files: Vec<Vec<u8>>,
    writes: VecDeque<Write>,
    write_calls: usize,
    renames_fail: bool,
    /// The numbers of the locked files.
    locked: BTreeSet<usize>,
}

/// What happens at one call of write.
#[derive(Clone, Copy, Debug)]
pub enum Write {
    /// At most so many bytes are taken.
    Short(usize),
    /// The call fails.
    Fails(io::ErrorKind),
}

impl FakeDisk {
    /// Plans the next calls of write; after them all goes well again.
    pub fn plan_writes(&self, writes: impl IntoIterator<Item = Write>) {
        self.0.lock().writes.extend(writes);
    }

    /// Lets each renaming fail, or succeed again.
    pub fn fail_renames(&self, fail: bool) {
        self.0.lock().renames_fail = fail;
    }

    /// The text under `path`, where there is a file.
    pub fn text(&self, path: &str) -> Option<String> {
        let state = self.0.lock();
        let file = state.names.get(Path::new(path))?;
        Some(String::from_utf8_lossy(&state.files[*file]).into_owned())
    }

    /// The names of all files, in order.
    pub fn names(&self) -> Vec<String> {
        self.0.lock().names.keys().map(|path| path.display().to_string()).collect()
    }

    /// How often write was called.
    pub fn write_calls(&self) -> usize {
        self.0.lock().write_calls
    }
}

impl State {
    fn status(&self, file: usize) -> FileStatus {
        FileStatus {
            length: self.files[file].len() as u64,
            is_regular: true,
            is_named: self.names.values().any(|number| *number == file),
            modified: 0,
            identity: Some(FileIdentity { device: 1, inode: file as u64 }),
        }
    }

    fn number(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl FileSystem for FakeDisk {
    fn open(&self, path: &Path, truncate: bool) -> io::Result<Box<dyn LogFile>> {
        let mut state = self.0.lock();
        let number = if let Ok(number) = state.number(path) {
            number
        } else {
            state.files.push(Vec::new());
            let number = state.files.len() - 1;
            state.names.insert(path.to_owned(), number);
            number
        };
        if truncate {
            state.files[number].clear();
        }
        Ok(Box::new(FakeFile { disk: self.clone(), number }))
    }

    fn status(&self, path: &Path) -> io::Result<FileStatus> {
        let state = self.0.lock();
        state.number(path).map(|number| state.status(number))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.renames_fail {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let number = state.number(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), number);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.number(path)?;
        state.names.remove(path);
        Ok(())
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn LockedFile>>> {
        let mut state = self.0.lock();
        let number = state.number(path)?;
        let is_free = state.locked.insert(number);
        let lock = || Box::new(FakeLock { disk: self.clone(), number }) as Box<dyn LockedFile>;
        Ok(is_free.then(lock))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        // A name without a directory stands in the current one.
        let directory = directory.strip_prefix(".").unwrap_or(directory);
        let state = self.0.lock();
        Ok(state.names.keys().filter(|path| path.parent() == Some(directory)).cloned().collect())
    }
}

#[derive(Debug)]
struct FakeLock {
    disk: FakeDisk,
    number: usize,
}

impl LockedFile for FakeLock {
    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        Ok(self.disk.0.lock().status(self.number).identity)
    }
}

impl Drop for FakeLock {
    fn drop(&mut self) {
        self.disk.0.lock().locked.remove(&self.number);
    }
}

#[derive(Debug)]
struct FakeFile {
    disk: FakeDisk,
    number: usize,
}

impl LogFile for FakeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.0.lock();
        state.write_calls += 1;
        let taken = match state.writes.pop_front() {
            Some(Write::Fails(kind)) => return Err(kind.into()),
            Some(Write::Short(length)) => bytes.len().min(length),
            None => bytes.len(),
        };
        state.files[self.number].extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn status(&self) -> io::Result<FileStatus> {
        Ok(self.disk.0.lock().status(self.number))
    }
}
