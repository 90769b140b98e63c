//! The Python face of Duramen: the extension module `duramen._core`.
//!
//! It holds the native methods of the classes of `logging`, and puts them into a run of the
//! interpreter's own modules: Duramen's (`import duramen`) or the standard library's (`install()`).

mod classes;
mod filter;
mod formatter;
mod forwarder;
mod handler;
mod interpreter;
mod logger;
mod queued;
mod record;
mod way;

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Makes `namespace` the dict from which the globals of `logging` are read.
#[pyfunction]
fn set_globals_owner(namespace: &Bound<'_, PyDict>) {
    classes::globals::set_owner(namespace);
}

/// Runs `duramen serve` with the words behind it, and gives its exit code. The signals are the server's meanwhile.
#[pyfunction]
fn serve(py: Python<'_>, words: Vec<std::ffi::OsString>) -> u8 {
    py.detach(|| duramen_cli::serve(words))
}

/// Runs `duramen spool` with the words behind it, and gives its exit code.
#[pyfunction]
fn spool(py: Python<'_>, words: Vec<std::ffi::OsString>) -> u8 {
    py.detach(|| duramen_cli::spool(words))
}

/// The extension module `duramen._core`.
#[pymodule(gil_used = true)]
mod _core {
    use pyo3::exceptions::PyImportError;
    use pyo3::ffi;
    use pyo3::prelude::*;

    /// Refuses sub-interpreters, with which the extension's static state cannot be shared.
    #[pymodule_init]
    fn init(_module: &Bound<'_, PyModule>) -> PyResult<()> {
        // SAFETY: this thread is attached, so there is a current interpreter.
        let interpreter = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
        // The main interpreter is number 0.
        if interpreter == 0 {
            Ok(())
        } else {
            Err(PyImportError::new_err("Duramen works in the main interpreter only"))
        }
    }

    /// The names of a record's own attributes.
    #[pymodule_export]
    const RECORD_ATTRIBUTES: [&str; duramen::record::ATTRIBUTES.len()] = duramen::record::ATTRIBUTES;

    #[pymodule_export]
    use super::classes::put_native_methods;
    #[pymodule_export]
    use super::filter::flood::{Duplicates, RateLimiter, Sampler, exception_was_logged_before};
    #[pymodule_export]
    use super::filter::redactor::Redactor;
    #[pymodule_export]
    use super::formatter::structured::{StructuredLayout, escape_controls};
    #[pymodule_export]
    use super::forwarder::forwarder;
    #[pymodule_export]
    use super::handler::audit::{AuditLog, check_audit};
    #[pymodule_export]
    use super::handler::fork_hooks::ForkHooks;
    #[pymodule_export]
    use super::handler::further_options::keywords_of;
    #[pymodule_export]
    use super::handler::threads::{end_threads_before_fork, go_on_after_fork};
    #[pymodule_export]
    use super::interpreter::ending::{end_native_calls, forget_native_calls};
    #[pymodule_export]
    use super::interpreter::late_signal::{has_come, repeat_until_noticed};
    #[pymodule_export]
    use super::queued::{RecordQueue, Shortcut, set_unseen_queue};
    #[pymodule_export]
    use super::record::context::set_context_variable;
    #[pymodule_export]
    use super::serve;
    #[pymodule_export]
    use super::set_globals_owner;
    #[pymodule_export]
    use super::spool;
    #[pymodule_export]
    use super::way::route::route;
}
