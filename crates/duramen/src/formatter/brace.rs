//! `{` layouts: `{levelname:<8} {message}`.

use super::conversion::{Align, Conversion, Fill, Form, Kind, Sign};
use super::extra_field::Defaults;
use super::percent::number;
use super::{Layout, UnsupportedLayout};

/// Compiles a `{` layout with named fields.
///
/// ```
/// let layout = duramen::formatter::brace::compile("{levelname:>8} {message}").unwrap();
/// assert!(layout.uses(duramen::formatter::Field::Levelname));
/// ```
///
/// # Errors
/// For every format that CPython would refuse, and for those of which the text is not certain to be
/// the same as CPython's: fields that are not a record's own, `!r`, attributes, items, nested fields,
/// thousands separators, and types other than `s`, `d` and `f`.
pub fn compile(format: &str) -> Result<Layout, UnsupportedLayout> {
    compile_with(format, Defaults::default())
}

/// As [`compile`], with extra fields, which each record has to have: their names are identifiers of ASCII.
///
/// ```
/// let layout = duramen::formatter::brace::compile_with_extra("{user:>8} {message}").unwrap();
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
#[expect(clippy::string_slice, reason = "a brace was found there, one byte long")]
pub(super) fn compile_with(format: &str, defaults: Defaults<'_>) -> Result<Layout, UnsupportedLayout> {
    let mut layout = Layout::default();
    let mut rest = format;
    while let Some(position) = rest.find(['{', '}']) {
        layout.push_literal(&rest[..position]);
        let brace = &rest[position..=position];
        rest = &rest[position + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            layout.push_literal(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(UnsupportedLayout);
        }
        let (inside, after) = rest.split_once('}').ok_or(UnsupportedLayout)?;
        // A brace inside opens a nested field, as a fill character too.
        if inside.contains('{') {
            return Err(UnsupportedLayout);
        }
        let (name, specification) = inside.split_once(':').unwrap_or((inside, ""));
        layout.push_named(name, defaults, |kind| conversion(kind, specification))?;
        rest = after;
    }
    layout.push_literal(rest);
    Ok(layout)
}

fn conversion(kind: Kind, specification: &str) -> Result<Conversion, UnsupportedLayout> {
    if specification.is_empty() {
        return Ok(Conversion::default());
    }
    let (fill, align, rest) = alignment(specification);
    let default_align = if kind == Kind::Text { Align::Left } else { Align::Right };
    let mut conversion = Conversion {
        align: align.unwrap_or(default_align),
        fill: Fill(fill.unwrap_or(' ')),
        // `format(None, "…")` is an error with any specification.
        refuses_none: true,
        ..Conversion::default()
    };
    let rest = if kind == Kind::Text { rest } else { sign_and_zero(rest, align.is_some(), &mut conversion)? };
    if kind == Kind::Text && rest.starts_with('0') {
        return Err(UnsupportedLayout);
    }
    let (width, rest) = number(rest)?;
    conversion.width = width.unwrap_or(0);
    let (precision, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let (precision, rest) = number(rest)?;
            (Some(precision.ok_or(UnsupportedLayout)?), rest)
        }
        None => (None, rest),
    };
    conversion.form = match (kind, rest, precision) {
        (Kind::Text, "" | "s", _) => Form::Text,
        (Kind::Integer, "" | "d", None) => Form::Decimal,
        (Kind::Integer | Kind::Float, "f", None | Some(0..=50)) => Form::Fixed,
        _ => return Err(UnsupportedLayout),
    };
    conversion.precision = precision;
    Ok(conversion)
}

fn alignment(specification: &str) -> (Option<char>, Option<Align>, &str) {
    let align = |character| match character {
        Some('<') => Some(Align::Left),
        Some('>') => Some(Align::Right),
        Some('^') => Some(Align::Center),
        _ => None,
    };
    let mut characters = specification.chars();
    let first = characters.next();
    let after_first = characters.as_str();
    if let Some(found) = align(characters.next()) {
        return (first, Some(found), characters.as_str());
    }
    match align(first) {
        Some(found) => (None, Some(found), after_first),
        None => (None, None, specification),
    }
}

#[expect(clippy::string_slice, reason = "its first byte was seen to be a sign")]
fn sign_and_zero<'s>(
    specification: &'s str,
    aligned: bool,
    conversion: &mut Conversion,
) -> Result<&'s str, UnsupportedLayout> {
    let (sign, rest) = match specification.as_bytes().first() {
        Some(b'+') => (Sign::Plus, &specification[1..]),
        Some(b' ') => (Sign::Space, &specification[1..]),
        Some(b'-') => (Sign::OnlyMinus, &specification[1..]),
        _ => (Sign::OnlyMinus, specification),
    };
    conversion.sign = sign;
    match rest.strip_prefix('0') {
        // With an alignment of its own, a zero means the fill character.
        Some(_) if aligned => Err(UnsupportedLayout),
        Some(rest) => {
            conversion.zeros = true;
            Ok(rest)
        }
        None => Ok(rest),
    }
}
