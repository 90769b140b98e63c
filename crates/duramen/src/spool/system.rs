//! What a spool asks of the operating system.

#[cfg(unix)]
pub(super) use posix::*;
#[cfg(not(unix))]
pub(super) use without::*;

#[cfg(unix)]
mod posix {
    use std::ffi::OsStr;
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::io;
    use std::os::fd::AsFd;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
    use std::path::{Path, PathBuf};

    use rustix::fs::{
        FallocateFlags, FlockOperation, Mode, OFlags, fallocate, fcntl_getfl, fcntl_lock, fcntl_setfl,
    };
    use rustix::io::Errno;
    use rustix::process::{Resource, getrlimit};

    /// Makes the folder where it is missing, for its owner alone.
    pub(in super::super) fn make_folder(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    /// Makes a file for its owner alone.
    pub(in super::super) fn make_file(path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
    }

    /// Opens a regular file of this user's, and nothing that a link leads to; `None` for all else.
    pub(in super::super) fn open_own(path: &Path) -> io::Result<Option<File>> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::ACCESS | Errno::LOOP | Errno::ISDIR | Errno::NXIO | Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let metadata = file.metadata()?;
        let is_own = metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw();
        Ok(is_own.then_some(file))
    }

    /// What tells the file at `path` from all others, without opening it.
    pub(in super::super) fn number_of_file(path: &Path) -> Option<(u64, u64)> {
        path.symlink_metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
    }

    /// Opens a file of anybody's, which is made where it does not exist, and waits for no reader of a pipe.
    pub(in super::super) fn open_for_appending(path: &Path) -> io::Result<File> {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
        let file = OpenOptions::new().append(true).create(true).custom_flags(flags).open(path)?;
        // Those who write wait as for a file that was opened as usual.
        fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
        Ok(file)
    }

    /// Takes the lock that says that the process lives; false while another process has it.
    ///
    /// It is the process's own (`fcntl(2)`, `F_SETLK`): it ends with the process, whoever it has forked.
    pub(in super::super) fn lock_for_life(file: &File) -> io::Result<bool> {
        match fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the file is the one at `path` still.
    pub(in super::super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
        let metadata = file.metadata()?;
        Ok(number_of_file(path) == Some((metadata.dev(), metadata.ino())))
    }

    /// Whether nobody has removed the file; also where that cannot be seen.
    pub(in super::super) fn has_a_name(file: &File) -> bool {
        file.metadata().map_or(true, |metadata| metadata.nlink() > 0)
    }

    /// Whether there is no room for a file.
    pub(in super::super) fn is_out_of_room(error: &io::Error) -> bool {
        matches!(Errno::from_io_error(error), Some(Errno::NOSPC | Errno::DQUOT))
    }

    /// Whether this process, or the system, may open no more files.
    pub(in super::super) fn is_out_of_files(error: &io::Error) -> bool {
        matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
    }

    /// Allocates all blocks of the file.
    pub(in super::super) fn allocate(file: &File, length: u64) -> io::Result<()> {
        if let Some(name) = unfit_file_system(file) {
            let text = format!("a file system of the kind {name} keeps no blocks for a mapped file");
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        // Beyond it the system sends a signal, which ends programs that are not written in Python.
        if getrlimit(Resource::Fsize).current.is_some_and(|longest| longest < length) {
            return Err(Errno::FBIG.into());
        }
        loop {
            match fallocate(file, FallocateFlags::empty(), 0, length) {
                Ok(()) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                    let text = "the file system keeps no blocks for a mapped file";
                    return Err(io::Error::new(io::ErrorKind::Unsupported, text));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// File systems that write changed blocks to other places, or over a network: a full disk would kill the process
    /// at a store (SIGBUS). The numbers are those of `statfs(2)`.
    #[cfg(target_os = "linux")]
    fn unfit_file_system(file: &File) -> Option<&'static str> {
        const UNFIT: [(u64, &str); 11] = [
            (0x9123_683E, "btrfs"),
            (0x2FC1_2FC1, "zfs"),
            (0xCA45_1A4E, "bcachefs"),
            (0xF2F5_2010, "f2fs"),
            (0x3434, "nilfs"),
            (0x6969, "nfs"),
            (0xFF53_4D42, "cifs"),
            (0xFE53_4D42, "smb2"),
            (0x00C3_6400, "ceph"),
            (0x0102_1997, "9p"),
            (0x6573_5546, "fuse"),
        ];
        let kind = u64::try_from(rustix::fs::fstatfs(file).ok()?.f_type & 0xFFFF_FFFF).ok()?;
        UNFIT.into_iter().find(|(number, _)| *number == kind).map(|(_, name)| name)
    }

    #[cfg(not(target_os = "linux"))]
    fn unfit_file_system(_file: &File) -> Option<&'static str> {
        None
    }

    /// Writes at a place of the file.
    pub(in super::super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    /// A descriptor of one's own for a stream.
    pub(in super::super) fn duplicate(stream: &impl AsFd) -> io::Result<File> {
        stream.as_fd().try_clone_to_owned().map(File::from)
    }

    #[expect(clippy::unnecessary_wraps, reason = "paths of other systems are no bytes")]
    pub(in super::super) fn bytes_of_path(path: &Path) -> Option<&[u8]> {
        Some(path.as_os_str().as_bytes())
    }

    #[expect(clippy::unnecessary_wraps, reason = "paths of other systems are no bytes")]
    pub(in super::super) fn path_of_bytes(bytes: &[u8]) -> Option<PathBuf> {
        Some(OsStr::from_bytes(bytes).into())
    }

    /// When this process was started, as the system counts it; 0 where it does not tell.
    pub(in super::super) fn process_start() -> u64 {
        // The name of the program stands in brackets, and may have brackets and spaces itself.
        let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields = status.rsplit_once(") ").map_or("", |(_, fields)| fields);
        fields.split(' ').nth(19).and_then(|start| start.parse().ok()).unwrap_or(0)
    }
}

/// Systems without mapped files of this kind: no journal can be made.
#[cfg(not(unix))]
mod without {
    use std::fs::File;
    use std::io;
    use std::path::{Path, PathBuf};

    pub(in super::super) fn make_folder(_path: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn make_file(_path: &Path) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn open_own(_path: &Path) -> io::Result<Option<File>> {
        Ok(None)
    }

    pub(in super::super) fn number_of_file(_path: &Path) -> Option<(u64, u64)> {
        None
    }

    pub(in super::super) fn open_for_appending(path: &Path) -> io::Result<File> {
        File::options().append(true).create(true).open(path)
    }

    pub(in super::super) fn lock_for_life(_file: &File) -> io::Result<bool> {
        Ok(false)
    }

    pub(in super::super) fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
        Ok(true)
    }

    pub(in super::super) fn has_a_name(_file: &File) -> bool {
        true
    }

    pub(in super::super) fn is_out_of_room(_error: &io::Error) -> bool {
        false
    }

    pub(in super::super) fn is_out_of_files(_error: &io::Error) -> bool {
        false
    }

    pub(in super::super) fn allocate(_file: &File, _length: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn write_at(_file: &File, _bytes: &[u8], _offset: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn duplicate<T>(_stream: &T) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn bytes_of_path(path: &Path) -> Option<&[u8]> {
        path.to_str().map(str::as_bytes)
    }

    pub(in super::super) fn path_of_bytes(bytes: &[u8]) -> Option<PathBuf> {
        std::str::from_utf8(bytes).ok().map(PathBuf::from)
    }

    pub(in super::super) fn process_start() -> u64 {
        0
    }
}
