//! The message of a record: a `%` template with its arguments.

use super::conversion::{Conversion, FieldValue, Kind};
use super::percent::specification;
use super::{UnsupportedLayout, digits};
use crate::append::{append, find_percent};

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
    use super::{Argument, merge};

    fn merged(template: &str, arguments: &[Argument<'_>]) -> Option<String> {
        let mut out = Vec::new();
        merge(template, arguments.iter().map(|argument| Some(*argument)), &mut out).ok()?;
        Some(String::from_utf8(out).expect("UTF-8"))
    }

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
        ];
        for (template, arguments, expected) in cases {
            assert_eq!(merged(template, arguments).as_deref(), Some(*expected), "{template}");
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
