//! `%` layouts: `%(levelname)-8s %(message)s`.

use super::conversion::{Align, Conversion, Form, Kind, Sign, WIDEST};
use super::extra_field::Defaults;
use super::{Layout, UnsupportedLayout};

/// Compiles a `%` layout with named fields.
///
/// ```
/// let layout = duramen::formatter::percent::compile("%(levelname)s:%(name)s:%(message)s").unwrap();
/// assert!(layout.uses(duramen::formatter::Field::Message));
/// ```
///
/// # Errors
/// For every format that CPython would refuse, and for those of which the text is not certain to be
/// the same as CPython's: fields that are not a record's own, `*` widths, other conversions than `s`,
/// `d`, `i`, `u` and `f`.
pub fn compile(format: &str) -> Result<Layout, UnsupportedLayout> {
    compile_with(format, Defaults::default())
}

/// As [`compile`], with extra fields, which each record has to have: their names are identifiers of ASCII.
///
/// ```
/// let layout = duramen::formatter::percent::compile_with_extra("%(user)s %(message)s").unwrap();
/// assert!(layout.extra_names().eq(["user"]));
/// ```
///
/// # Errors
/// As for [`compile`].
pub fn compile_with_extra(format: &str) -> Result<Layout, UnsupportedLayout> {
    compile_with(format, Defaults::required())
}

/// As [`compile`], with the extra fields that `defaults` allow.
///
/// # Errors
/// As for [`compile`].
#[expect(clippy::string_slice, reason = "a sign was found there, one byte long")]
pub(super) fn compile_with(format: &str, defaults: Defaults<'_>) -> Result<Layout, UnsupportedLayout> {
    let mut layout = Layout::default();
    let mut rest = format;
    while let Some(position) = rest.find('%') {
        layout.push_literal(&rest[..position]);
        rest = &rest[position + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            layout.push_literal("%");
            rest = after;
            continue;
        }
        let (name, after) =
            rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or(UnsupportedLayout)?;
        let (conversion, letter, after) = specification(after)?;
        layout.push_named(name, defaults, |kind| {
            let mut conversion = conversion;
            conversion.set_form(letter, kind)?;
            Ok(conversion)
        })?;
        rest = after;
    }
    layout.push_literal(rest);
    Ok(layout)
}

/// Flags, width and precision at the head of `text`, the letter of the conversion, and what follows it.
#[expect(clippy::string_slice, reason = "so many flags were found, one byte each")]
pub(super) fn specification(text: &str) -> Result<(Conversion, char, &str), UnsupportedLayout> {
    let mut conversion = Conversion::default();
    let (mut left, mut plus, mut space) = (false, false, false);
    let mut position = 0;
    loop {
        match text.as_bytes().get(position).ok_or(UnsupportedLayout)? {
            b'-' => left = true,
            b'0' => conversion.zeros = true,
            b'+' => plus = true,
            b' ' => space = true,
            _ => break,
        }
        position += 1;
    }
    // As in C: `-` is stronger than `0`, `+` than a space.
    if left {
        conversion.align = Align::Left;
        conversion.zeros = false;
    }
    if plus {
        conversion.sign = Sign::Plus;
    } else if space {
        conversion.sign = Sign::Space;
    }
    let (width, text) = number(&text[position..])?;
    conversion.width = width.unwrap_or(0);
    let text = match text.strip_prefix('.') {
        Some(text) => {
            let (precision, text) = number(text)?;
            conversion.precision = Some(precision.unwrap_or(0));
            text
        }
        None => text,
    };
    let mut characters = text.chars();
    let letter = characters.next().ok_or(UnsupportedLayout)?;
    Ok((conversion, letter, characters.as_str()))
}

impl Conversion {
    /// Sets the form that `letter` stands for with a value of `kind`.
    pub(super) fn set_form(&mut self, letter: char, kind: Kind) -> Result<(), UnsupportedLayout> {
        self.form = match letter {
            's' => Form::Text,
            'd' | 'i' | 'u' if kind != Kind::Text => Form::Decimal,
            'f' if kind != Kind::Text => Form::Fixed,
            _ => return Err(UnsupportedLayout),
        };
        if self.form == Form::Text {
            self.zeros = false;
        } else {
            self.refuses_none = true;
        }
        if self.form == Form::Fixed && self.precision.is_some_and(|precision| precision > 50) {
            return Err(UnsupportedLayout);
        }
        Ok(())
    }
}

/// The decimal number at the head of `text`, if there is one, and what follows it.
#[expect(clippy::string_slice, reason = "so many digits were found, one byte each")]
pub(super) fn number(text: &str) -> Result<(Option<usize>, &str), UnsupportedLayout> {
    let mut value = 0;
    let mut length = 0;
    while let Some(digit) = text.as_bytes().get(length).filter(|byte| byte.is_ascii_digit()) {
        value = value * 10 + usize::from(digit - b'0');
        length += 1;
        if value > WIDEST {
            return Err(UnsupportedLayout);
        }
    }
    Ok(((length > 0).then_some(value), &text[length..]))
}
