//! Whether a level is enabled: the answers in a logger's `_cache`, remembered in native form.
//!
//! The logger's own cache stays the one owner: an answer here stands only as long as the dict has not
//! changed since, which its version says (PEP 509).

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::interpreter::{self, Attached, intern};
use crate::logger;
use crate::logger::view::LevelState;

/// The levels of which the answers are remembered: DEBUG, INFO, WARNING, ERROR, CRITICAL.
const LEVELS: [u8; 5] = [10, 20, 30, 40, 50];

/// The answers of one logger that is not disabled.
#[derive(Clone, Copy)]
struct Answers {
    logger: *mut ffi::PyObject,
    state: LevelState,
    /// Of the logger's cache.
    version: u64,
    /// A bit for each tenth of a level: whether it is known, and whether the level is enabled.
    known: u8,
    enabled: u8,
}

const SIZE: usize = 1024;

/// Each logger has one place, which it may share with others: the last one that was asked stays.
static ANSWERS: Attached<[Option<Answers>; SIZE]> = Attached::new([None; SIZE]);

fn place_of(logger: *mut ffi::PyObject) -> usize {
    ((logger as usize >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) % SIZE
}

/// Whether `LEVEL` is enabled for `logger`, if that is remembered.
///
/// # Safety
/// `logger` is a live object and the thread is attached.
#[inline]
pub(crate) unsafe fn answer<const LEVEL: u8>(logger: *mut ffi::PyObject) -> Option<bool> {
    // SAFETY: by the contract.
    unsafe { answer_of(logger, 1 << (LEVEL / 10)) }
}

/// The same for a level that is one of those whose answers are remembered, or another.
pub(crate) fn known(logger: &Bound<'_, PyAny>, level: i64) -> Option<bool> {
    let level = u8::try_from(level).ok().filter(|level| LEVELS.contains(level))?;
    // SAFETY: a live object.
    unsafe { answer_of(logger.as_ptr(), 1 << (level / 10)) }
}

/// # Safety
/// As for [`answer`].
#[inline(always)]
#[expect(clippy::inline_always, reason = "it is all that a disabled call does")]
unsafe fn answer_of(logger: *mut ffi::PyObject, bit: u8) -> Option<bool> {
    // SAFETY: by the contract; a logger that is as it was holds its cache.
    unsafe {
        let answers = (*ANSWERS.get())[place_of(logger)].as_ref()?;
        let holds = answers.logger == logger
            && answers.known & bit != 0
            && answers.state.holds(logger)
            // Another object may lie at the address of the cache that was.
            && ffi::PyDict_CheckExact(answers.state.cache()) != 0
            && interpreter::dict_version(answers.state.cache()) == answers.version;
        holds.then_some(answers.enabled & bit != 0)
    }
}

/// Remembers the answers that stand in the logger's cache.
pub(crate) fn remember(logger: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = logger.py();
    if !logger::view::examine(logger)? {
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
    let Some(state) = LevelState::of(logger) else { return Ok(()) };
    // SAFETY: attached; the cache is an exact dict, and nothing runs while the table is written.
    unsafe {
        if state.cache() == cache.as_ptr() && state.disabled() == ffi::Py_False() {
            let (logger, version) = (logger.as_ptr(), interpreter::dict_version(cache.as_ptr()));
            (*ANSWERS.get())[place_of(logger)] = Some(Answers { logger, state, version, known, enabled });
        }
    }
    Ok(())
}
