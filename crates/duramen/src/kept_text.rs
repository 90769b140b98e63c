//! Texts that live as long as a logging call, in memory that the thread keeps from call to call.

use std::cell::RefCell;
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
    /// What no call uses at the moment: an argument whose `Display` logs gets memory of its own.
    static UNUSED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl KeptText {
    /// The text of `value`, which may be code of the application. Where that panics or fails, the text is what it
    /// wrote until then, and false is returned with it.
    pub(crate) fn of(value: &dyn Display) -> (Self, bool) {
        Self::of_arguments(format_args!("{value}"))
    }

    /// The same of a format with its arguments.
    pub(crate) fn of_arguments(arguments: Arguments<'_>) -> (Self, bool) {
        Self::of_message(arguments.into())
    }

    /// The same of a message.
    pub(crate) fn of_message(message: Message<'_>) -> (Self, bool) {
        // None is left when the thread is being destroyed.
        let unused = UNUSED.try_with(|unused| unused.borrow_mut().pop());
        let mut text = Self(unused.ok().flatten().unwrap_or_default());
        let is_whole = match message.as_str() {
            Some(whole) => {
                text.0.push_str(whole);
                true
            }
            None => message.write(&mut text.0),
        };
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
            let _ = UNUSED.try_with(|unused| {
                let mut unused = unused.borrow_mut();
                if unused.len() < MOST_KEPT {
                    unused.push(text);
                }
            });
        }
    }
}
