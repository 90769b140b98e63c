//! An extension that has a `log` of its own, as every extension has.

mod forwarding;

use std::ffi::c_int;

/// Makes the forwarder the logger of this extension's `log`: 1 when it is.
///
/// # Safety
/// The thread holds the interpreter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn begin() -> c_int {
    // SAFETY: by the contract.
    let Some(forwarder) = (unsafe { forwarding::forwarder() }) else { return 0 };
    log::set_max_level(log::LevelFilter::Trace);
    c_int::from(log::set_boxed_logger(Box::new(forwarding::Backend(forwarder))).is_ok())
}

/// Logs, with the interpreter and then on a thread without it.
#[unsafe(no_mangle)]
pub extern "C" fn work(number: c_int) {
    log::warn!(target: "shop::engine", order = 7, name = "pears"; "order {number} of {}", "pe\u{e4}rs");
    log::debug!(target: "shop::engine", "not asked for");
}

/// Logs on a thread of its own.
#[unsafe(no_mangle)]
pub extern "C" fn work_apart() {
    let thread = std::thread::spawn(|| {
        assert!(log::log_enabled!(target: "shop::engine", log::Level::Error));
        assert!(!log::log_enabled!(target: "shop::engine", log::Level::Debug));
        log::error!(target: "shop::engine", "from a thread");
        log::logger().flush();
    });
    let _ = thread.join();
}
