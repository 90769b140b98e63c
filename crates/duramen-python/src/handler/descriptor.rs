//! A file descriptor that belongs to a Python file object.

#[cfg(unix)]
pub(crate) use unix::Descriptor;

#[cfg(not(unix))]
pub(crate) use other::Descriptor;

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{self, Write as _};
    use std::mem::ManuallyDrop;
    use std::os::fd::FromRawFd as _;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

    use duramen::fs::{FileStatus, LogFile};

    /// Is not closed when it is dropped.
    pub(crate) struct Descriptor(ManuallyDrop<File>);

    impl Descriptor {
        pub(crate) fn new(number: i32) -> Self {
            // SAFETY: the file is never closed here. A number that somebody closes meanwhile makes a write
            // fail, as it does for the interpreter's own file object.
            Self(ManuallyDrop::new(unsafe { File::from_raw_fd(number) }))
        }

        /// Writes some of `bytes` with one system call, and says how many.
        pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
            (&*self.0).write(bytes)
        }

        /// Calls `act` with the open file.
        pub(crate) fn with<T>(&self, act: impl FnOnce(&dyn LogFile) -> io::Result<T>) -> io::Result<T> {
            act(&*self.0)
        }

        /// Another descriptor of the same open file, which stays open when this one is closed.
        pub(crate) fn duplicate(&self) -> io::Result<File> {
            self.0.try_clone()
        }

        /// What is known of the file; `None` for one that has no name any more.
        pub(crate) fn status(&self) -> io::Result<Option<FileStatus>> {
            self.with(|file| file.status()).map(|status| status.is_named.then_some(status))
        }

        /// Whether a write never waits for another program: a regular file or `/dev/null`.
        pub(crate) fn is_prompt(&self) -> bool {
            /// The null device of Linux: major number 1, minor number 3.
            const NULL: u64 = 0x103;
            self.0.metadata().is_ok_and(|status| {
                let kind = status.file_type();
                kind.is_file()
                    || (cfg!(target_os = "linux") && kind.is_char_device() && status.rdev() == NULL)
            })
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::io;

    use duramen::fs::{FileStatus, LogFile};

    /// There are no descriptors to write to: files are written through the interpreter.
    pub(crate) struct Descriptor;

    impl Descriptor {
        pub(crate) fn new(_number: i32) -> Self {
            Self
        }

        pub(crate) fn write(&self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn with<T>(&self, _act: impl FnOnce(&dyn LogFile) -> io::Result<T>) -> io::Result<T> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn duplicate(&self) -> io::Result<std::fs::File> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn status(&self) -> io::Result<Option<FileStatus>> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn is_prompt(&self) -> bool {
            false
        }
    }
}
