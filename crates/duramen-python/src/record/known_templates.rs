//! Templates of messages, read once for each text that calls come with again: mostly constants of the program.

use duramen::formatter::message::Template;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::interpreter::Attached;

/// A text that a call came with. It is held, so that no other one comes to lie at its address.
struct Known {
    text: *mut ffi::PyObject,
    template: Reading,
}

enum Reading {
    /// It has come once. Most texts that are made at run time never come again.
    NotYet,
    Done(Template),
    /// Only the interpreter can.
    Impossible,
}

/// So many texts are known at a time, each in the place that its address says.
const PLACES: usize = 256;

/// Longer ones are not held, in bytes.
const LONGEST: usize = 512;

static KNOWN: Attached<[Option<Known>; PLACES]> = Attached::new([const { None }; PLACES]);

impl Known {
    fn new(text: *mut ffi::PyObject) -> Self {
        // SAFETY: the text is live, and the thread is attached.
        Self { text: unsafe { ffi::Py_NewRef(text) }, template: Reading::NotYet }
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        // SAFETY: it holds a reference, and who replaces it is attached. The end of a text runs no code.
        unsafe { ffi::Py_DECREF(self.text) };
    }
}

/// The template that `object` is, of which `text` is the text, if it has come before and could be read.
///
/// # Safety
/// `object` is live and an exact `str`, the thread is attached, and the template is used before the next one is asked for.
#[inline]
pub(super) unsafe fn find<'a>(object: &Bound<'_, PyAny>, text: &str) -> Option<&'a Template> {
    let object = object.as_ptr();
    // SAFETY: by the contract; nothing in here asks for another one.
    let known = unsafe { &(*KNOWN.get())[place_of(object)] };
    match known {
        Some(Known { text, template: Reading::Done(template) }) if *text == object => Some(template),
        _ => meet(object, text),
    }
}

/// Remembers the text, or reads it when it comes for the second time.
#[inline(never)]
fn meet<'a>(object: *mut ffi::PyObject, text: &str) -> Option<&'a Template> {
    // SAFETY: as for `find`, whose reference is not used any more.
    let place = unsafe { &mut (*KNOWN.get())[place_of(object)] };
    if place.as_ref().is_none_or(|known| known.text != object) {
        if text.len() <= LONGEST {
            *place = Some(Known::new(object));
        }
        return None;
    }
    let known = place.as_mut()?;
    if matches!(known.template, Reading::NotYet) {
        known.template = Template::read(text).map_or(Reading::Impossible, Reading::Done);
    }
    match &known.template {
        Reading::Done(template) => Some(template),
        Reading::NotYet | Reading::Impossible => None,
    }
}

/// Objects differ in the middle bits of their addresses.
fn place_of(object: *mut ffi::PyObject) -> usize {
    let address = object as usize;
    ((address >> 4) ^ (address >> 12)) % PLACES
}
