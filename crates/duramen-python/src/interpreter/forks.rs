//! How often this process has been forked off from another one since the extension was loaded.

#[cfg(unix)]
pub(crate) use unix::{are_counted, count};

#[cfg(not(unix))]
pub(crate) use other::{are_counted, count};

#[cfg(unix)]
mod unix {
    use std::ffi::c_int;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static COUNT: AtomicU64 = AtomicU64::new(0);

    unsafe extern "C" {
        /// Registers functions that `fork` calls (POSIX).
        fn pthread_atfork(
            prepare: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> c_int;
    }

    extern "C" fn in_child() {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether forks are counted: the first call begins with it.
    pub(crate) fn are_counted() -> bool {
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        // SAFETY: the function stays where it is, since an extension is never unloaded, and only adds to a number.
        *REGISTERED.get_or_init(|| unsafe { pthread_atfork(None, None, Some(in_child)) == 0 })
    }

    /// The number of forks that led to this process.
    pub(crate) fn count() -> u64 {
        COUNT.load(Ordering::Relaxed)
    }
}

#[cfg(not(unix))]
mod other {
    /// There is no `fork`.
    pub(crate) fn are_counted() -> bool {
        true
    }

    pub(crate) fn count() -> u64 {
        0
    }
}
