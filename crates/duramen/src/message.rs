//! The message of a record, as a logging call gives it.
//!
//! `format_args!` hides its arguments: whatever they are, the standard library's machinery writes them. The macros know
//! the types of theirs, and most formats say no more than where an argument stands, so that numbers and texts can be
//! written without it.

use std::fmt::{Arguments, Display};

use crate::append::{Appender, Literal, append_parts};
use crate::report;

/// A message that has not been put together yet: a text, or a format with its arguments.
///
/// [`Logger::log`](crate::Logger::log) takes all that becomes one.
///
/// ```
/// use duramen::{Level, get_logger, record::Caller};
///
/// let log = get_logger("shop");
/// let caller = Caller::of_source(file!(), line!(), module_path!());
/// log.log(Level::WARNING, "low on paper", &[], caller);
/// log.log(Level::WARNING, format_args!("{} sheets left", 3), &[], caller);
/// ```
#[derive(Clone, Copy)]
pub struct Message<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    Text(&'a str),
    Arguments(Arguments<'a>),
    Template(&'a Template, &'a [Argument<'a>]),
}

impl<'a> From<&'a str> for Message<'a> {
    fn from(text: &'a str) -> Self {
        Self(Form::Text(text))
    }
}

impl<'a> From<Arguments<'a>> for Message<'a> {
    fn from(arguments: Arguments<'a>) -> Self {
        Self(Form::Arguments(arguments))
    }
}

impl<'a> Message<'a> {
    /// What the macros make of a template that [is plain](Template::is_plain).
    #[doc(hidden)]
    #[inline]
    pub fn of_template(template: &'a Template, arguments: &'a [Argument<'a>]) -> Self {
        Self(Form::Template(template, arguments))
    }

    /// The message, where it needs no putting together.
    #[inline]
    pub(crate) fn as_str(&self) -> Option<&'a str> {
        match self.0 {
            Form::Text(text) => Some(text),
            Form::Arguments(arguments) => arguments.as_str(),
            Form::Template(template, []) => Some(template.text),
            Form::Template(..) => None,
        }
    }

    /// Appends the message; false when an argument's `Display` panics or fails: the rest is missing then.
    pub(crate) fn write(&self, text: &mut String) -> bool {
        match self.0 {
            Form::Text(whole) => {
                text.push_str(whole);
                true
            }
            Form::Arguments(arguments) => report::write_arguments(arguments, text),
            Form::Template(template, arguments) => template.write(arguments, text),
        }
    }
}

/// A template takes so many arguments at most.
const MOST: usize = 8;

/// A format, read when the program is compiled.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Template {
    text: &'static str,
    /// The texts before its pairs of braces, and the one behind the last.
    pieces: [Literal; MOST + 1],
    is_plain: bool,
}

impl Template {
    /// Reads `text`, which is to be filled with so many arguments.
    #[expect(
        clippy::indexing_slicing,
        reason = "guarded by comparisons; while compiling it would be an error there"
    )]
    pub const fn of(text: &'static str, arguments: usize) -> Self {
        let (mut pieces, mut count, mut is_plain) = ([Literal::of(""); MOST + 1], 0, true);
        let mut rest = text;
        let mut place = 0;
        while place < rest.len() {
            let bytes = rest.as_bytes();
            let is_pair = bytes[place] == b'{' && place + 1 < bytes.len() && bytes[place + 1] == b'}';
            if is_pair && count < MOST {
                let (before, behind) = rest.split_at(place);
                pieces[count] = Literal::of(before);
                (_, rest) = behind.split_at(2);
                count += 1;
                place = 0;
            } else {
                is_plain = is_plain && !matches!(bytes[place], b'{' | b'}');
                place += 1;
            }
        }
        pieces[count] = Literal::of(rest);
        Self { text, pieces, is_plain: is_plain && count == arguments }
    }

    /// Whether it is text in which `{}` stands once for each argument, and nothing else has braces.
    #[inline]
    pub const fn is_plain(&self) -> bool {
        self.is_plain
    }

    fn write(&self, arguments: &[Argument<'_>], text: &mut String) -> bool {
        append_parts(text, |parts| {
            let mut pieces = self.pieces.iter();
            for (argument, piece) in arguments.iter().zip(&mut pieces) {
                parts.literal(piece);
                if !argument.write(parts) {
                    return false;
                }
            }
            pieces.next().iter().for_each(|piece| parts.literal(piece));
            true
        })
    }
}

/// An argument as a template takes it.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Argument<'a> {
    /// Text.
    Text(&'a str),
    /// A character.
    Character(char),
    /// A whole number that is not negative.
    Unsigned(u64),
    /// A whole number.
    Signed(i64),
    /// Code of the application, or of the standard library, writes it.
    Shown(&'a dyn Display),
}

impl Argument<'_> {
    #[inline]
    fn write(&self, parts: &mut Appender<'_>) -> bool {
        match self {
            Self::Text(text) => parts.text(text),
            Self::Character(character) => parts.text(character.encode_utf8(&mut [0; 4])),
            Self::Unsigned(number) => parts.number(*number),
            Self::Signed(number) => parts.integer(*number),
            Self::Shown(value) => return parts.by(|text| report::write_text(value, text)),
        }
        true
    }
}

/// What a template writes itself, to the same text as its `Display`.
#[doc(hidden)]
pub trait Plain {
    /// The value as an argument.
    fn plain(&self) -> Argument<'_>;
}

macro_rules! plain {
    ($($type:ty => $value:ident $argument:expr;)*) => {$(
        impl Plain for $type {
            #[inline]
            fn plain(&self) -> Argument<'_> {
                let $value = self;
                $argument
            }
        }
    )*};
}

plain! {
    u8 => value Argument::Unsigned((*value).into());
    u16 => value Argument::Unsigned((*value).into());
    u32 => value Argument::Unsigned((*value).into());
    u64 => value Argument::Unsigned(*value);
    i8 => value Argument::Signed((*value).into());
    i16 => value Argument::Signed((*value).into());
    i32 => value Argument::Signed((*value).into());
    i64 => value Argument::Signed(*value);
    // Rust has no machines with more than 64 bits; there the standard library would write it.
    usize => value u64::try_from(*value).map_or(Argument::Shown(value), Argument::Unsigned);
    isize => value i64::try_from(*value).map_or(Argument::Shown(value), Argument::Signed);
    bool => value Argument::Text(if *value { "true" } else { "false" });
    char => value Argument::Character(*value);
    str => value Argument::Text(value);
    String => value Argument::Text(value);
    std::borrow::Cow<'_, str> => value Argument::Text(value);
}

macro_rules! plain_pointers {
    ($($pointer:ty),*) => {$(
        impl<T: Plain + ?Sized> Plain for $pointer {
            #[inline]
            fn plain(&self) -> Argument<'_> {
                (**self).plain()
            }
        }
    )*};
}

plain_pointers!(&T, &mut T, Box<T>, std::rc::Rc<T>, std::sync::Arc<T>);

/// A macro's argument, of which the compiler says what it can do. Of several methods of the same name it takes the one
/// that needs the fewest references removed: by type, by `Display`, or the one for arguments that no plain template has.
#[doc(hidden)]
pub struct Given<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Clone for Given<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Given<'_, T> {}

/// First choice.
#[doc(hidden)]
pub trait ByType<'a> {
    /// The argument.
    fn argument(self) -> Argument<'a>;
}

impl<'a, T: Plain + ?Sized> ByType<'a> for &&Given<'a, T> {
    #[inline]
    fn argument(self) -> Argument<'a> {
        self.0.plain()
    }
}

/// Second choice.
#[doc(hidden)]
pub trait ByDisplay<'a> {
    /// The argument.
    fn argument(self) -> Argument<'a>;
}

impl<'a, T: Display + ?Sized> ByDisplay<'a> for &'a Given<'_, T> {
    #[inline]
    fn argument(self) -> Argument<'a> {
        Argument::Shown(&self.0)
    }
}

/// What has no `Display` stands in no plain template, but has to be compiled.
#[doc(hidden)]
pub trait Otherwise<'a> {
    /// The argument.
    fn argument(self) -> Argument<'a>;
}

impl<'a, T: ?Sized> Otherwise<'a> for Given<'a, T> {
    #[inline]
    fn argument(self) -> Argument<'a> {
        Argument::Text("")
    }
}

#[cfg(test)]
mod tests {
    use super::{Argument, Message, Template};

    #[test]
    fn only_empty_braces_are_plain() {
        for (text, arguments) in [("", 0), ("done", 0), ("{}", 1), ("{} of {}", 2), ("é{}é", 1)] {
            assert!(Template::of(text, arguments).is_plain(), "{text}");
        }
        for (text, arguments) in [
            ("{}", 0),
            ("{}", 2),
            ("{{}}", 0),
            ("{{}}", 1),
            ("{:?}", 1),
            ("{0}", 1),
            ("{name}", 0),
            ("{", 0),
            ("}", 0),
            ("{}{}{}{}{}{}{}{}{}", 9),
        ] {
            assert!(!Template::of(text, arguments).is_plain(), "{text}");
        }
    }

    #[test]
    fn arguments_stand_where_the_braces_are() {
        const TEMPLATE: Template = Template::of("{}ü{}{} and {}!", 4);
        let arguments =
            [Argument::Text("a"), Argument::Signed(-1), Argument::Character('é'), Argument::Shown(&2.5)];
        let mut text = String::from("before ");
        assert!(Message::of_template(&TEMPLATE, &arguments).write(&mut text));
        assert_eq!(text, "before aü-1é and 2.5!");
    }
}
