//! Threads that Duramen starts.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread with a name, which takes none of the signals that are sent to the process: those are for the program's own
/// threads. The operating system may choose any thread that has not blocked a signal, and a main thread that waits, in
/// Python's `time.sleep` for instance, would not notice the Ctrl-C that another one got.
///
/// Signals that a fault of the thread itself brings about (SIGSEGV and its like) are not blocked.
///
/// ```
/// let thread = duramen::background::spawn("shop-cleanup", || 6 * 7)?;
/// assert_eq!(thread.thread().name(), Some("shop-cleanup"));
/// assert_eq!(thread.join().unwrap(), 42);
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
/// When the operating system starts no thread.
pub fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    // A thread begins with the mask of who starts it, so that there is no moment in which it takes one.
    let _blocked = signals::Blocked::new();
    Builder::new().name(name.to_owned()).spawn(work)
}

#[cfg(all(unix, not(miri)))]
#[expect(unsafe_code, reason = "the standard library knows no signals")]
mod signals {
    use std::mem::MaybeUninit;
    use std::ptr;

    /// What the system sends to the thread that has done something wrong, which could not go on without it.
    const OWN: [libc::c_int; 7] =
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS, libc::SIGABRT];

    /// The calling thread takes no signals until this is dropped.
    pub(super) struct Blocked {
        /// The mask it had; `None` where that could not be changed.
        before: Option<libc::sigset_t>,
    }

    impl Blocked {
        pub(super) fn new() -> Self {
            let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
            // SAFETY: `sigfillset` makes `all` a set before it is used as one, and `before` is one where the mask was changed.
            unsafe {
                libc::sigfillset(all.as_mut_ptr());
                for signal in OWN {
                    libc::sigdelset(all.as_mut_ptr(), signal);
                }
                let outcome = libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
                Self { before: (outcome == 0).then(|| before.assume_init()) }
            }
        }
    }

    impl Drop for Blocked {
        fn drop(&mut self) {
            if let Some(before) = &self.before {
                // SAFETY: a set that the system has given.
                unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, ptr::null_mut()) };
            }
        }
    }
}

#[cfg(not(all(unix, not(miri))))]
mod signals {
    /// There is nothing to block.
    pub(super) struct Blocked;

    impl Blocked {
        pub(super) fn new() -> Self {
            Self
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    /// The signals that the calling thread blocks, a bit for each.
    fn blocked() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("the system tells");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).expect("it has a mask");
        u64::from_str_radix(mask.trim(), 16).expect("in hexadecimal digits")
    }

    #[test]
    fn a_thread_takes_no_signals_but_those_of_its_own_faults() {
        let before = blocked();
        let of_thread = super::spawn("test", blocked).expect("it starts").join().expect("it ends");
        let bit = |signal: libc::c_int| 1_u64 << (signal - 1);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGALRM, libc::SIGUSR1, libc::SIGCHLD] {
            assert_ne!(of_thread & bit(signal), 0, "{signal}");
        }
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE] {
            assert_eq!(of_thread & bit(signal), 0, "{signal}");
        }
        assert_eq!(blocked(), before, "who starts it has the mask that it had");
    }
}
