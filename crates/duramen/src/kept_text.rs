//! Texts that live as long as a logging call, in memory that the thread keeps from call to call.

use std::cell::{Cell, RefCell};
use std::fmt::{Arguments, Display};
use std::ops::Deref;

use crate::message::Message;

/// A text; its memory goes back to the thread.
pub(crate) struct KeptText(String);

/// Memory for a text that has grown beyond this is given back.
const LARGEST_KEPT: usize = 64 * 1024;
/// A message, and the fields of a call that are texts.
const MOST_KEPT: usize = 8;

thread_local! {
    /// What no call uses at the moment. Most calls need one text, so that one is at hand.
    static FIRST: Cell<String> = const { Cell::new(String::new()) };
    /// The others: for fields, and for an argument whose `Display` logs.
    static UNUSED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn take() -> String {
    // None is left when the thread is being destroyed.
    let first = FIRST.try_with(Cell::take).unwrap_or_default();
    if first.capacity() > 0 {
        return first;
    }
    let unused = UNUSED.try_with(|unused| unused.borrow_mut().pop());
    unused.ok().flatten().unwrap_or_default()
}

/// Gives back what has no text any more.
fn give_back(text: String) {
    let other = FIRST.try_with(|first| first.replace(text)).unwrap_or_default();
    if other.capacity() > 0 {
        let _ = UNUSED.try_with(|unused| {
            let mut unused = unused.borrow_mut();
            if unused.len() < MOST_KEPT {
                unused.push(other);
            }
        });
    }
}

impl KeptText {
    /// The text of `value`, which may be code of the application. Where that panics or fails, the text is what it
    /// wrote until then, and false is returned with it.
    pub(crate) fn of(value: &dyn Display) -> (Self, bool) {
        Self::of_arguments(format_args!("{value}"))
    }

    /// The same of a format with its arguments.
    pub(crate) fn of_arguments(arguments: Arguments<'_>) -> (Self, bool) {
        Self::of_message(&arguments.into())
    }

    /// The same of a message.
    pub(crate) fn of_message(message: &Message<'_>) -> (Self, bool) {
        let mut text = Self(take());
        let is_whole = message.write(&mut text.0);
        (text, is_whole)
    }
}

impl Deref for KeptText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for KeptText {
    fn drop(&mut self) {
        let mut text = std::mem::take(&mut self.0);
        if text.capacity() <= LARGEST_KEPT {
            text.clear();
            give_back(text);
        }
    }
}
