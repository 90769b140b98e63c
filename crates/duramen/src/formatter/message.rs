//! The message of a record: a `%` template with its arguments.

use super::UnsupportedLayout;
use super::conversion::{Conversion, FieldValue, Kind};
use super::digits::{self, Digits};
use super::percent::specification;
use crate::append::{Appender, Literal, append, append_parts, find_percent};

/// An argument of a message.
///
/// ```
/// use duramen::formatter::message::{Argument, merge};
///
/// let mut text = Vec::new();
/// let arguments = [Argument::Text("ada"), Argument::Integer(3), Argument::Float(0.5), Argument::Bool(true), Argument::None];
/// merge("%s has %d (%.1f), %s, %s", arguments.map(Some), &mut text).unwrap();
/// assert_eq!(text, b"ada has 3 (0.5), True, None");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument<'a> {
    /// Text (`str`).
    Text(&'a str),
    /// A whole number (`int`) that fits 64 bits.
    Integer(i64),
    /// A floating-point number (`float`).
    Float(f64),
    /// A truth value (`bool`).
    Bool(bool),
    /// No value (`None`).
    None,
}

/// Appends `template % arguments` to `out`, as CPython writes it.
///
/// `arguments` gives them in order, and `None` for one that is of no kind known here.
///
/// ```
/// use duramen::formatter::message::{Argument, merge};
///
/// let mut out = Vec::new();
/// let arguments = [Argument::Text("answer"), Argument::Integer(42)];
/// merge("the %s is %04d", arguments.map(Some), &mut out).unwrap();
/// assert_eq!(out, b"the answer is 0042");
/// ```
///
/// # Errors
/// For everything that CPython would refuse or of which its text is not certain to be the same: too many or
/// too few arguments, `%(name)s`, `*` widths, other conversions than `s`, `d`, `i`, `u` and `f`, and `%r` of
/// text. `out` is then as it was.
pub fn merge<'a>(
    template: &str,
    arguments: impl IntoIterator<Item = Option<Argument<'a>>>,
    out: &mut Vec<u8>,
) -> Result<(), UnsupportedLayout> {
    let start = out.len();
    let result = merge_all(template, arguments.into_iter(), out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn merge_all<'a>(
    template: &str,
    mut arguments: impl Iterator<Item = Option<Argument<'a>>>,
    out: &mut Vec<u8>,
) -> Result<(), UnsupportedLayout> {
    let mut rest = template.as_bytes();
    while let Some(position) = find_percent(rest) {
        let (before, conversion) = rest.split_at(position);
        append(out, before);
        rest = match conversion {
            [_, b'%', after @ ..] => {
                out.push(b'%');
                after
            }
            _ => write_argument(template, conversion, arguments.next().flatten(), out)?,
        };
    }
    append(out, rest);
    if arguments.next().is_some() { Err(UnsupportedLayout) } else { Ok(()) }
}

/// Appends the argument as the conversion at the beginning of `rest`, the end of `template`, says; gives what follows.
#[inline]
#[expect(clippy::string_slice, reason = "the rest is the end of the template, behind a sign")]
fn write_argument<'t>(
    template: &'t str,
    rest: &'t [u8],
    argument: Option<Argument<'_>>,
    out: &mut Vec<u8>,
) -> Result<&'t [u8], UnsupportedLayout> {
    // The usual ones first: they are the better part of what a message costs.
    match (rest, argument) {
        ([_, b's', after @ ..], Some(Argument::Text(text))) => {
            append(out, text.as_bytes());
            Ok(after)
        }
        ([_, b's' | b'd', after @ ..], Some(Argument::Integer(number))) => {
            append(out, itoa::Buffer::new().format(number).as_bytes());
            Ok(after)
        }
        ([_, b'.', precision @ b'0'..=b'9', b'f', after @ ..], Some(Argument::Float(number))) => {
            digits::write_fixed(number, usize::from(precision - b'0'), out)?;
            Ok(after)
        }
        (_, argument) => {
            // A per cent sign is one byte: what follows it begins with a character.
            let specified = &template[template.len() - rest.len() + 1..];
            let (mut conversion, letter, after) = specification(specified)?;
            argument.ok_or(UnsupportedLayout)?.write(&mut conversion, letter, out)?;
            Ok(after.as_bytes())
        }
    }
}

/// A template of usual conversions that has been read, for messages that are made of it again and again.
///
/// ```
/// use duramen::formatter::message::{Argument, Template};
///
/// let template = Template::read("%s costs %.2f").unwrap();
/// let mut out = Vec::new();
/// template.merge([Some(Argument::Text("tea")), Some(Argument::Float(9.5))], &mut out).unwrap();
/// assert_eq!(out, b"tea costs 9.50");
/// ```
#[derive(Debug)]
pub struct Template {
    /// The conversions, each with the text before it.
    pieces: Box<[(Literal<Box<str>>, Usual)]>,
    /// The text behind the last one.
    end: Literal<Box<str>>,
}

impl Template {
    /// Reads a template.
    ///
    /// ```
    /// use duramen::formatter::message::Template;
    ///
    /// assert!(Template::read("%d%% of %s").is_ok());
    /// assert!(Template::read("%5d").is_err());
    /// ```
    ///
    /// # Errors
    /// For other conversions than `%s`, `%d` and `%.2f` with any digit; [`merge`] knows more.
    #[expect(clippy::string_slice, reason = "so many characters were found, one byte each")]
    pub fn read(template: &str) -> Result<Self, UnsupportedLayout> {
        let (mut pieces, mut text) = (Vec::new(), String::new());
        let literal = |text: &mut String| Literal::owned(std::mem::take(text).into());
        let mut rest = template;
        while let Some(position) = rest.find('%') {
            text.push_str(&rest[..position]);
            rest = &rest[position + 1..];
            let (usual, length) = match rest.as_bytes() {
                [b'%', ..] => {
                    text.push('%');
                    rest = &rest[1..];
                    continue;
                }
                [b's', ..] => (Usual::Text, 1),
                [b'd', ..] => (Usual::Integer, 1),
                [b'.', precision @ b'0'..=b'9', b'f', ..] => (Usual::Fixed(precision - b'0'), 3),
                _ => return Err(UnsupportedLayout),
            };
            pieces.push((literal(&mut text), usual));
            rest = &rest[length..];
        }
        text.push_str(rest);
        Ok(Self { pieces: pieces.into(), end: literal(&mut text) })
    }

    /// Appends the message with these arguments to `out`: what [`merge`] makes of the same template.
    ///
    /// ```
    /// use duramen::formatter::message::{Argument, Template};
    ///
    /// let template = Template::read("order %d").unwrap();
    /// let mut out = Vec::new();
    /// template.merge([Some(Argument::Integer(7))], &mut out).unwrap();
    /// assert!(template.merge([], &mut out).is_err());
    /// assert_eq!(out, b"order 7");
    /// ```
    ///
    /// # Errors
    /// As for [`merge`], and for arguments that are not of the conversion's own kind, of which [`merge`] knows more. `out` is
    /// then as it was.
    #[inline]
    pub fn merge<'a, I>(&self, arguments: I, out: &mut Vec<u8>) -> Result<(), UnsupportedLayout>
    where
        I: IntoIterator<Item = Option<Argument<'a>>, IntoIter: ExactSizeIterator>,
    {
        let arguments = arguments.into_iter();
        if arguments.len() != self.pieces.len() {
            return Err(UnsupportedLayout);
        }
        let start = out.len();
        let merged = append_parts(out, |parts| {
            for ((before, usual), argument) in self.pieces.iter().zip(arguments) {
                parts.literal(before);
                usual.write(argument, parts)?;
            }
            parts.literal(&self.end);
            Some(())
        });
        if merged.is_none() {
            out.truncate(start);
        }
        merged.ok_or(UnsupportedLayout)
    }
}

/// A conversion that is met often: these are the better part of what a message costs.
#[derive(Clone, Copy, Debug)]
enum Usual {
    /// `%s`
    Text,
    /// `%d`
    Integer,
    /// `%.2f`, or another digit.
    Fixed(u8),
}

impl Usual {
    /// Appends an argument; `None` for those that are not of its kind.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the place in the buffer stays in registers only without a call"
    )]
    fn write(self, argument: Option<Argument<'_>>, parts: &mut Appender<'_, Vec<u8>>) -> Option<()> {
        match (self, argument?) {
            (Self::Text, Argument::Text(text)) => parts.text(text),
            (Self::Text | Self::Integer, Argument::Integer(number)) => parts.integer(number),
            (Self::Fixed(precision), Argument::Float(number)) => {
                let (digits, length) = digits::short_fixed(number, usize::from(precision))?;
                parts.first_of(&digits, length);
            }
            (Self::Text, Argument::Bool(value)) => parts.text(if value { "True" } else { "False" }),
            (Self::Text, Argument::None) => parts.text("None"),
            (Self::Text, Argument::Float(number)) => {
                let digits = Digits::shortest(number).ok()?;
                parts.text(std::str::from_utf8(digits.as_bytes()).ok()?);
            }
            _ => return None,
        }
        Some(())
    }
}

impl Argument<'_> {
    fn write(
        self,
        conversion: &mut Conversion,
        letter: char,
        out: &mut Vec<u8>,
    ) -> Result<(), UnsupportedLayout> {
        let is_text = matches!(self, Self::Text(_));
        // The representation of a number is its text; that of text has quotes.
        let letter = if letter == 'r' && !is_text { 's' } else { letter };
        let shown_as_text = letter == 's';
        let (value, kind) = match self {
            Self::Text(text) => (FieldValue::Text(text), Kind::Text),
            Self::Integer(number) => (FieldValue::Integer(number), Kind::Integer),
            Self::Float(number) => (FieldValue::Float(number), Kind::Float),
            Self::Bool(value) if shown_as_text => {
                (FieldValue::Text(if value { "True" } else { "False" }), Kind::Text)
            }
            Self::Bool(value) => (FieldValue::Integer(value.into()), Kind::Integer),
            Self::None => (FieldValue::None, Kind::Text),
        };
        conversion.set_form(letter, kind)?;
        conversion.write(&value, out)
    }
}

#[cfg(test)]
mod tests {
    use super::{Argument, Template, merge};

    fn merged(template: &str, arguments: &[Argument<'_>]) -> Option<String> {
        let given = || arguments.iter().map(|argument| Some(*argument));
        let mut out = b"before ".to_vec();
        let result = merge(template, given(), &mut out);
        let mut by_template = b"before ".to_vec();
        match Template::read(template).and_then(|template| template.merge(given(), &mut by_template)) {
            Ok(()) => assert_eq!((Ok(()), &by_template), (result, &out), "{template}"),
            Err(_) => assert_eq!(by_template, b"before "),
        }
        let text = String::from_utf8(out).expect("UTF-8");
        let written = text.strip_prefix("before ").expect("what was there");
        assert!(result.is_ok() || written.is_empty(), "{template}");
        result.ok().map(|()| written.to_owned())
    }

    const MINIMUM: &str = "-9223372036854775808%, more than a word of text, and ";
    const FRACTIONS: &str = "-0.00 123456.500000000 99999999";

    // The expected texts are what CPython's `%` gives.
    #[test]
    fn conversions_are_those_of_python() {
        use Argument::{Bool, Float, Integer, None, Text};
        let cases: &[(&str, &[Argument<'_>], &str)] = &[
            ("%s", &[Text("é")], "é"),
            ("%5s|%-5s|%.2s", &[Text("ab"), Text("ab"), Text("abc")], "   ab|ab   |ab"),
            ("%d %i %u", &[Integer(1), Integer(-2), Integer(3)], "1 -2 3"),
            ("%05d|%+d|% d", &[Integer(42), Integer(1), Integer(1)], "00042|+1| 1"),
            ("%.2f %f", &[Float(2.345), Float(1.0)], "2.35 1.000000"),
            ("%.2f", &[Integer(2)], "2.00"),
            ("%.0f %.0f", &[Float(0.5), Float(1.5)], "0 2"),
            ("%s %s", &[Float(1.0), Float(0.1)], "1.0 0.1"),
            ("%s %d %r", &[Bool(true), Bool(true), Bool(false)], "True 1 False"),
            ("%s %r", &[None, None], "None None"),
            ("%d", &[Float(3.9)], "3"),
            ("100%%", &[], "100%"),
            ("%r", &[Integer(7)], "7"),
            ("%d%%, more than a word of text, and %s", &[Integer(i64::MIN), Text("")], MINIMUM),
            ("%.2f %.9f %.0f", &[Float(-0.001), Float(123_456.5), Float(99_999_999.0)], FRACTIONS),
            ("%.7f %.8f", &[Float(9.999_999_9), Float(1.0)], "9.9999999 1.00000000"),
        ];
        for (template, arguments, expected) in cases {
            assert_eq!(merged(template, arguments).as_deref(), Some(*expected), "{template}");
        }
    }

    #[test]
    fn usual_templates_are_read() {
        let usual: &[(&str, &[Argument<'_>])] = &[
            ("%s of %s", &[Argument::Text("a"), Argument::Integer(-1)]),
            ("%d", &[Argument::Integer(100_000_000)]),
            ("%.2f", &[Argument::Float(-0.5)]),
            ("%s%s%s", &[Argument::Bool(false), Argument::None, Argument::Float(1e15)]),
        ];
        for (template, arguments) in usual {
            let mut out = Vec::new();
            let given = arguments.iter().map(|argument| Some(*argument));
            let template_read = Template::read(template).expect("usual");
            template_read.merge(given, &mut out).expect("usual arguments");
            assert_eq!(String::from_utf8(out).ok(), merged(template, arguments), "{template}");
        }
        for template in ["%", "%5d", "%.10f", "%.f", "%(name)s", "%r"] {
            assert!(Template::read(template).is_err(), "{template}");
        }
    }

    #[test]
    fn what_only_the_interpreter_knows_is_left_to_it() {
        use Argument::{Float, Integer, None, Text};
        let cases: &[(&str, &[Argument<'_>])] = &[
            ("%s", &[]),
            ("plain", &[Integer(1)]),
            ("%s", &[Integer(1), Integer(2)]),
            ("%r", &[Text("quotes")]),
            ("%x", &[Integer(255)]),
            ("%d", &[Text("1")]),
            ("%d", &[None]),
            ("%(name)s", &[Text("x")]),
            ("%*d", &[Integer(3), Integer(1)]),
            ("%", &[Integer(1)]),
            ("%s", &[Float(1e300)]),
            ("%f", &[Float(f64::NAN)]),
        ];
        for (template, arguments) in cases {
            assert_eq!(merged(template, arguments), Option::None, "{template}");
        }
    }
}
