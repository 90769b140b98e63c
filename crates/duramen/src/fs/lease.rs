//! Whether anybody writes to a file: the system is asked for a lease on it, and refuses that while there are writers.
//!
//! Linux alone has leases (`fcntl(2)`, `F_SETLEASE`), on local file systems, for the owner of the file.
//! Two calls of the system with integers are all that is unsafe here. Miri runs neither; valgrind's memcheck does.

use std::fs::File;

/// The command that names the signal (`asm-generic/fcntl.h` of Linux), which the `libc` crate leaves out.
#[cfg(target_os = "linux")]
const F_SETSIG: libc::c_int = 10;

/// Whether somebody has `file`, which is open for reading alone, open for writing; `None` where that cannot be told.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no library that is in use offers leases")]
pub(super) fn has_writers(file: &File) -> Option<bool> {
    use std::os::fd::AsRawFd as _;

    let descriptor = file.as_raw_fd();
    // SAFETY: the descriptor is open for the whole function, and both commands take an integer.
    let ask = |command, argument: libc::c_int| unsafe { libc::fcntl(descriptor, command, argument) };
    // Who opens the file while the lease is there causes a signal, SIGIO unless another one is named: that would end
    // the process, SIGURG is ignored by default.
    if ask(F_SETSIG, libc::SIGURG) == -1 {
        return None;
    }
    if ask(libc::F_SETLEASE, libc::F_RDLCK) == 0 {
        ask(libc::F_SETLEASE, libc::F_UNLCK);
        return Some(false);
    }
    let has_writers = std::io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN);
    has_writers.then_some(true)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn has_writers(_file: &File) -> Option<bool> {
    None
}
