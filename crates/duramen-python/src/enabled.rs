//! Whether a level is enabled: the answers in a logger's `_cache`, remembered in native form.
//!
//! The logger's own cache stays the one owner: an answer here stands only as long as the dict has not
//! changed since, which its version says (PEP 509).

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::interpreter::{self, Attached, intern};
use crate::logger_view;

/// The levels of which the answers are remembered: DEBUG, INFO, WARNING, ERROR, CRITICAL.
const LEVELS: [u8; 5] = [10, 20, 30, 40, 50];

/// The answers of one logger.
#[derive(Clone, Copy)]
struct Answers {
    logger: *mut ffi::PyObject,
    cache: *mut ffi::PyObject,
    version: u64,
    /// A bit for each tenth of a level: whether it is known, and whether the level is enabled.
    known: u8,
    enabled: u8,
}

const NONE: Answers =
    Answers { logger: std::ptr::null_mut(), cache: std::ptr::null_mut(), version: 0, known: 0, enabled: 0 };

const SIZE: usize = 1024;

/// Each logger has one place, which it may share with others: the last one that was asked stays.
static ANSWERS: Attached<[Answers; SIZE]> = Attached::new([NONE; SIZE]);

fn place_of(logger: *mut ffi::PyObject) -> usize {
    ((logger as usize >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) % SIZE
}

/// Whether `LEVEL` is enabled for `logger`, if that is remembered.
///
/// # Safety
/// `logger` is a live object and the thread is attached.
#[inline]
pub(crate) unsafe fn answer<const LEVEL: u8>(logger: *mut ffi::PyObject) -> Option<bool> {
    // SAFETY: the view's references are live; an exact dict has a version.
    unsafe {
        let view = logger_view::read(logger)?;
        let answers = &(*ANSWERS.get())[place_of(logger)];
        let bit = 1 << (LEVEL / 10);
        if answers.logger != logger
            || view.cache() != answers.cache
            || answers.known & bit == 0
            || view.disabled() != ffi::Py_False()
            || interpreter::dict_version(answers.cache) != answers.version
        {
            return None;
        }
        Some(answers.enabled & bit != 0)
    }
}

/// Remembers the answers that stand in the logger's cache.
pub(crate) fn remember(logger: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = logger.py();
    if !logger_view::examine(logger)? {
        return Ok(());
    }
    let cache = logger.getattr(intern!(py, "_cache"))?;
    let Ok(cache) = cache.cast_exact::<PyDict>() else { return Ok(()) };
    let (mut known, mut enabled) = (0, 0);
    for level in LEVELS {
        if let Some(Ok(answer)) = cache.get_item(level)?.map(Bound::cast_into_exact::<PyBool>) {
            known |= 1 << (level / 10);
            enabled |= u8::from(answer.is_true()) << (level / 10);
        }
    }
    let (logger, cache) = (logger.as_ptr(), cache.as_ptr());
    // SAFETY: attached; an exact dict; nothing runs while the table is written.
    unsafe {
        let version = interpreter::dict_version(cache);
        (*ANSWERS.get())[place_of(logger)] = Answers { logger, cache, version, known, enabled };
    }
    Ok(())
}
