//! A signal whose handler in Python does not run is sent again.
//!
//! The interpreter notes a signal where it arrives, and runs the handler on its main thread, between two instructions. A signal
//! that another thread of the system's got, or that came after the last look before a call that waits, is noticed when that
//! call ends: behind `time.sleep(3600)`, in an hour. The system's own meaning of SIGTERM has no such gap, so that a handler
//! that takes its place may have none either: from the moment the signal has come, a timer sends it to the main thread, which
//! ends the call that waits, until the handler says that it runs. Elsewhere than on Linux it is as for other handlers.

use pyo3::prelude::*;

/// Has `signal` sent again until [`has_come`] is called: to be called behind `signal.signal`, on the main thread.
#[pyfunction]
pub(crate) fn repeat_until_noticed(signal: i32) {
    system::repeat(signal);
}

/// The handler runs.
#[pyfunction]
pub(crate) fn has_come() {
    system::stop();
}

#[cfg(target_os = "linux")]
mod system {
    use std::ffi::{c_int, c_long};
    use std::mem;
    use std::ptr;
    use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

    /// The handler of the interpreter's, which only notes the signal.
    static INTERPRETERS: AtomicUsize = AtomicUsize::new(0);

    /// The process in which a signal has come. A forked child has another number, and none of its parent's timers.
    static CAME_TO: AtomicI32 = AtomicI32::new(0);

    /// The timer of that process, or what is none where the system gave none.
    static TIMER: AtomicI32 = AtomicI32::new(NONE);
    const NONE: i32 = -1;

    /// A main thread that only has to take its turn has the time for it; later repetitions hardly ever happen.
    const FIRST: c_long = 50_000_000;
    const LATER: c_long = 500_000_000;

    pub(super) fn repeat(signal: c_int) {
        // SAFETY: the structures are plain numbers, for which zeros are valid, and live as long as the calls.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            if libc::sigaction(signal, ptr::null(), &raw mut action) != 0 {
                return;
            }
            let is_function = !matches!(action.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN);
            let is_own = action.sa_sigaction == on_signal as *const () as usize;
            if !is_function || is_own || action.sa_flags & libc::SA_SIGINFO != 0 {
                return;
            }
            INTERPRETERS.store(action.sa_sigaction, Ordering::Relaxed);
            action.sa_sigaction = on_signal as *const () as usize;
            libc::sigaction(signal, &raw const action, ptr::null_mut());
        }
    }

    /// Does nothing but what POSIX allows at any moment: atomics, system calls, and the interpreter's own handler.
    extern "C" fn on_signal(signal: c_int) {
        // SAFETY: the interpreter's handler is a function for signals, as was looked at, and of a library that stays loaded.
        unsafe {
            let error = *libc::__errno_location();
            let process = libc::getpid();
            // Before the signal is noted, so that who stops the timer finds it. It goes off once, and is set again here: not when
            // the application has set a handler of its own meanwhile.
            if CAME_TO.swap(process, Ordering::AcqRel) == process {
                set(LATER);
            } else {
                TIMER.store(timer_for(signal, process), Ordering::Release);
                set(FIRST);
            }
            let handler = INTERPRETERS.load(Ordering::Relaxed);
            mem::transmute::<usize, extern "C" fn(c_int)>(handler)(signal);
            *libc::__errno_location() = error;
        }
    }

    /// The system's calls themselves: those of the C library may take memory, which a handler must not.
    fn timer_for(signal: c_int, main_thread: libc::pid_t) -> c_int {
        // SAFETY: as in `repeat`. A process's main thread has its number.
        unsafe {
            let mut event: libc::sigevent = mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = signal;
            event.sigev_notify_thread_id = main_thread;
            let mut timer: c_int = NONE;
            let clock = libc::CLOCK_MONOTONIC;
            let outcome = libc::syscall(libc::SYS_timer_create, clock, &raw const event, &raw mut timer);
            if outcome == 0 { timer } else { NONE }
        }
    }

    /// Has the timer go off so many nanoseconds from now; 0: never.
    fn set(delay: c_long) {
        let timer = TIMER.load(Ordering::Acquire);
        if timer == NONE {
            return;
        }
        let time = |tv_nsec| libc::timespec { tv_sec: 0, tv_nsec };
        let setting = libc::itimerspec { it_interval: time(0), it_value: time(delay) };
        // SAFETY: the setting lives as long as the call; the old ones are not asked for.
        unsafe {
            let nothing = ptr::null_mut::<libc::itimerspec>();
            libc::syscall(libc::SYS_timer_settime, timer, 0, &raw const setting, nothing);
        }
    }

    /// On the main thread: what the timer has sent it is taken before this returns.
    pub(super) fn stop() {
        // SAFETY: it only asks for a number.
        if CAME_TO.load(Ordering::Acquire) == unsafe { libc::getpid() } {
            set(0);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn repeat(_signal: i32) {}

    pub(super) fn stop() {}
}
