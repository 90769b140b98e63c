//! A disk in memory that fails when a test says so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use duramen::fs::{FileIdentity, FileStatus, FileSystem, LockedFile, LogFile, NewFile, SourceFile};
use parking_lot::Mutex;

/// Files in memory; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct FakeDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What stands under a name: the number of a file.
    names: BTreeMap<PathBuf, usize>,
    files: Vec<Contents>,
    /// What the disk's clock shows: seconds since the epoch.
    time: i64,
    /// How many changes are made before the process is killed; `None`: it lives.
    changes_left: Option<usize>,
    /// Folders of another disk: no file is renamed into them.
    elsewhere: BTreeSet<PathBuf>,
    writes: VecDeque<Write>,
    write_calls: usize,
    renames_fail: bool,
    /// What each call of `sync` fails with.
    syncs_fail: Option<io::ErrorKind>,
    /// The numbers of the locked files.
    locked: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Contents {
    bytes: Vec<u8>,
    /// The time of the last change, with a part that no other change has.
    modified: (i64, u32),
    created: i64,
    /// How many have it open for writing.
    writers: usize,
    /// How many of its bytes are on the disk whatever happens.
    synced: usize,
    syncs: usize,
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

    /// Lets each sync fail, or succeed again.
    pub fn fail_syncs(&self, with: Option<io::ErrorKind>) {
        self.0.lock().syncs_fail = with;
    }

    /// How many bytes of the file under `path` survive a power cut, and how often it was synced.
    pub fn synced(&self, path: &str) -> Option<(usize, usize)> {
        let state = self.0.lock();
        let file = &state.files[*state.names.get(Path::new(path))?];
        Some((file.synced, file.syncs))
    }

    /// Sets the disk's clock, in seconds since the epoch.
    pub fn set_time(&self, seconds: i64) {
        self.0.lock().time = seconds;
    }

    /// Lets each change after the next `changes` fail, as if the process were killed there; `None`: all go well again.
    pub fn kill_after(&self, changes: Option<usize>) {
        self.0.lock().changes_left = changes;
    }

    /// Makes `folder` one of another disk.
    pub fn put_elsewhere(&self, folder: &str) {
        self.0.lock().elsewhere.insert(folder.into());
    }

    /// Makes the file `path` with `text`.
    pub fn put(&self, path: &str, text: &str) {
        let mut state = self.0.lock();
        let number = state.made(Path::new(path));
        state.append(number, text.as_bytes());
    }

    /// The bytes under `path`, where there is a file.
    pub fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        let state = self.0.lock();
        state.names.get(Path::new(path)).map(|number| state.files[*number].bytes.clone())
    }

    /// The text under `path`, where there is a file.
    pub fn text(&self, path: &str) -> Option<String> {
        Some(String::from_utf8_lossy(&self.bytes(path)?).into_owned())
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
        let contents = &self.files[file];
        FileStatus {
            length: contents.bytes.len() as u64,
            is_regular: true,
            is_named: self.names.values().any(|number| *number == file),
            modified: contents.modified.0,
            modified_nanoseconds: contents.modified.1,
            created: Some(contents.created),
            identity: Some(FileIdentity { device: 1, inode: file as u64 }),
        }
    }

    /// The number of the file `path`, which is made where there is none.
    fn made(&mut self, path: &Path) -> usize {
        if let Ok(number) = self.number(path) {
            return number;
        }
        self.files.push(Contents { created: self.time, modified: (self.time, 0), ..Contents::default() });
        self.names.insert(path.to_owned(), self.files.len() - 1);
        self.files.len() - 1
    }

    /// Fails where the process has been killed.
    fn change(&mut self) -> io::Result<()> {
        match &mut self.changes_left {
            None => Ok(()),
            Some(0) => Err(io::Error::other("killed")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn append(&mut self, number: usize, bytes: &[u8]) {
        let changes = self.files.iter().map(|file| file.modified.1).max().unwrap_or(0);
        let contents = &mut self.files[number];
        contents.bytes.extend_from_slice(bytes);
        contents.modified = (self.time, changes + 1);
    }

    fn opened(&mut self, number: usize, disk: &FakeDisk) -> FakeFile {
        self.files[number].writers += 1;
        FakeFile { disk: disk.clone(), number }
    }

    fn number(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl FileSystem for FakeDisk {
    fn open(&self, path: &Path, truncate: bool) -> io::Result<Box<dyn LogFile>> {
        let mut state = self.0.lock();
        if state.number(path).is_err() {
            state.change()?;
        }
        let number = state.made(path);
        if truncate {
            state.files[number].bytes.clear();
        }
        Ok(Box::new(state.opened(number, self)))
    }

    fn status(&self, path: &Path) -> io::Result<FileStatus> {
        let state = self.0.lock();
        state.number(path).map(|number| state.status(number))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.change()?;
        if state.renames_fail {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let number = state.number(from)?;
        let is_elsewhere = |path: &Path| path.parent().is_some_and(|folder| state.elsewhere.contains(folder));
        if is_elsewhere(from) != is_elsewhere(to) {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
        state.names.remove(from);
        state.names.insert(to.to_owned(), number);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.change()?;
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

    fn read(&self, path: &Path) -> io::Result<Box<dyn SourceFile>> {
        let number = self.0.lock().number(path)?;
        Ok(Box::new(FakeSource { disk: self.clone(), number, position: 0, has_lock: AtomicBool::new(false) }))
    }

    fn create(&self, path: &Path, _like: &dyn SourceFile) -> io::Result<Box<dyn NewFile>> {
        let mut state = self.0.lock();
        state.change()?;
        if state.number(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = state.made(path);
        state.locked.insert(number);
        let file = state.opened(number, self);
        Ok(Box::new(FakeNew { file, lock: FakeLock { disk: self.clone(), number } }))
    }

    fn link(&self, _target: &Path, _link: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn make_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        self.0.lock().syncs_fail.map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn overwrite(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock();
        state.change()?;
        let number = state.number(path)?;
        let file = &mut state.files[number].bytes;
        file.resize(file.len().max(bytes.len()), 0);
        file[..bytes.len()].copy_from_slice(bytes);
        Ok(())
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
        state.change()?;
        let taken = match state.writes.pop_front() {
            Some(Write::Fails(kind)) => return Err(kind.into()),
            Some(Write::Short(length)) => bytes.len().min(length),
            None => bytes.len(),
        };
        state.append(self.number, &bytes[..taken]);
        Ok(taken)
    }

    fn status(&self) -> io::Result<FileStatus> {
        Ok(self.disk.0.lock().status(self.number))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        if let Some(kind) = state.syncs_fail {
            return Err(kind.into());
        }
        let file = &mut state.files[self.number];
        (file.synced, file.syncs) = (file.bytes.len(), file.syncs + 1);
        Ok(())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        state.change()?;
        state.files[self.number].bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }

    fn duplicate(&self) -> io::Result<Box<dyn LogFile>> {
        Ok(Box::new(self.disk.0.lock().opened(self.number, &self.disk)))
    }
}

impl Drop for FakeFile {
    fn drop(&mut self) {
        self.disk.0.lock().files[self.number].writers -= 1;
    }
}

#[derive(Debug)]
struct FakeNew {
    file: FakeFile,
    #[expect(dead_code, reason = "held until the file is dropped")]
    lock: FakeLock,
}

impl io::Write for FakeNew {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LogFile::write(&mut self.file, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl NewFile for FakeNew {
    fn finish(&mut self, like: &FileStatus) -> io::Result<()> {
        self.flush()?;
        self.file.disk.0.lock().files[self.file.number].modified = like.last_change();
        Ok(())
    }
}

#[derive(Debug)]
struct FakeSource {
    disk: FakeDisk,
    number: usize,
    position: usize,
    has_lock: AtomicBool,
}

impl Read for FakeSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.0.lock();
        let length = (&state.files[self.number].bytes[self.position..]).read(buffer)?;
        self.position += length;
        Ok(length)
    }
}

impl SourceFile for FakeSource {
    fn status(&self) -> io::Result<FileStatus> {
        Ok(self.disk.0.lock().status(self.number))
    }

    fn try_lock(&self) -> io::Result<bool> {
        let is_locked = self.disk.0.lock().locked.insert(self.number);
        self.has_lock.fetch_or(is_locked, Ordering::Relaxed);
        Ok(is_locked)
    }

    fn read_end(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let state = self.disk.0.lock();
        let bytes = &state.files[self.number].bytes;
        Ok(bytes[bytes.len().saturating_sub(length)..].to_vec())
    }

    fn has_writers(&self) -> Option<bool> {
        Some(self.disk.0.lock().files[self.number].writers > 0)
    }

    fn mode(&self) -> Option<u32> {
        None
    }
}

impl Drop for FakeSource {
    fn drop(&mut self) {
        if self.has_lock.load(Ordering::Relaxed) {
            self.disk.0.lock().locked.remove(&self.number);
        }
    }
}
