//! `$` layouts: `$levelname ${message}`.

use super::conversion::Conversion;
use super::extra_field::Defaults;
use super::{Layout, UnsupportedLayout};

/// Compiles a `$` layout.
///
/// ```
/// let layout = duramen::formatter::dollar::compile("${levelname}: $message").unwrap();
/// assert!(layout.uses(duramen::formatter::Field::Message));
/// ```
///
/// # Errors
/// For every format that CPython would refuse, and for fields that are not a record's own.
pub fn compile(format: &str) -> Result<Layout, UnsupportedLayout> {
    compile_with(format, Defaults::default())
}

/// As [`compile`], with extra fields, which each record has to have: their names are identifiers of ASCII.
///
/// ```
/// let layout = duramen::formatter::dollar::compile_with_extra("${user} $message").unwrap();
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
#[expect(clippy::string_slice, reason = "a dollar was found there, one byte long")]
pub(super) fn compile_with(format: &str, defaults: Defaults<'_>) -> Result<Layout, UnsupportedLayout> {
    let mut layout = Layout::default();
    let mut rest = format;
    while let Some(position) = rest.find('$') {
        layout.push_literal(&rest[..position]);
        rest = &rest[position + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            layout.push_literal("$");
            rest = after;
            continue;
        }
        let (name, after) = match rest.strip_prefix('{') {
            Some(inside) => inside.split_once('}').ok_or(UnsupportedLayout)?,
            None => rest.split_at(identifier_length(rest)),
        };
        layout.push_named(name, defaults, |_| Ok(Conversion::default()))?;
        rest = after;
    }
    layout.push_literal(rest);
    Ok(layout)
}

fn identifier_length(text: &str) -> usize {
    text.find(|character: char| !character.is_ascii_alphanumeric() && character != '_').unwrap_or(text.len())
}
