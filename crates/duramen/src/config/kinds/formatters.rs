//! Formatters for lines of text; the structured ones have a module of their own.

use std::sync::Arc;

use super::super::options::{Options, did_you_mean};
use super::structured;
use crate::error::OptionError;
use crate::formatter::{ConsoleFormatter, EscapingFormatter, Field, Style, TextFormatter};
use crate::record::ATTRIBUTES;
use crate::{Formatter, Value};

pub(super) const CLASSES: [&str; 5] = [
    "logging.Formatter",
    "duramen.formatters.ConsoleFormatter",
    "duramen.formatters.EscapingFormatter",
    "duramen.formatters.JsonFormatter",
    "duramen.formatters.LogfmtFormatter",
];

/// The check of the options of a class; `None` where the class is not known.
pub(super) fn check_of(class: &str) -> Option<super::Check<Arc<dyn Formatter>>> {
    Some(match class {
        "logging.Formatter" => |options| Some(Arc::new(text(options)?)),
        "duramen.formatters.ConsoleFormatter" => console,
        "duramen.formatters.EscapingFormatter" => {
            |options| Some(Arc::new(EscapingFormatter::new(text(options)?)))
        }
        "duramen.formatters.JsonFormatter" => structured::json,
        "duramen.formatters.LogfmtFormatter" => structured::logfmt,
        _ => return None,
    })
}

/// The format, which factories call `fmt`.
pub(super) fn format<'a>(options: &mut Options<'a>) -> Option<(&'static str, &'a Value<'a>)> {
    let (short, long) = (options.value("fmt"), options.value("format"));
    short.map(|value| ("fmt", value)).or(long.map(|value| ("format", value)))
}

fn text(options: &mut Options<'_>) -> Option<TextFormatter> {
    let format = format(options).and_then(|(name, _)| options.text(name).map(|text| (name, text)));
    let datefmt = options.text("datefmt");
    let style = options.one_of("style", "one of %, {, $", |style| match style {
        "%" => Some(Style::Percent),
        "{" => Some(Style::Brace),
        "$" => Some(Style::Dollar),
        _ => None,
    });
    // A format is compiled, so that a wrong one cannot be kept.
    options.flag("validate");
    let defaults: Vec<_> = options.entries("defaults").into_iter().flatten().collect();
    let defaults: Vec<_> =
        defaults.into_iter().map(|(name, value)| (name.to_owned(), value.clone().into_owned())).collect();
    if !options.is_right() {
        return None;
    }
    let (name, format) = format.unwrap_or(("format", "%(message)s"));
    let formatter = TextFormatter::with_defaults(format, datefmt, style.unwrap_or_default(), &defaults);
    if formatter.is_err() {
        let others = ", or one that `defaults` have a value for";
        let unknown = unknown_fields(name, format, style.unwrap_or_default(), &defaults, others);
        if unknown.is_empty() {
            let expected =
                "a format of its style, of fields that every record has or that `defaults` have values for";
            options.mistake(name, format!("{format:?}"), expected);
        }
        for mistake in unknown {
            options.refused(mistake);
        }
    }
    formatter.ok()
}

/// A mistake for each field of the option `path`, a format, that neither records nor `defaults` have; `others` says what
/// would be right beside these.
pub(in crate::config) fn unknown_fields(
    path: &str,
    format: &str,
    style: Style,
    defaults: &[(String, Value<'static>)],
    others: &str,
) -> Vec<OptionError> {
    let own = ATTRIBUTES.into_iter().filter(|name| Field::by_name(name).is_some()).map(str::to_owned);
    let fields: Vec<String> = own.chain(defaults.iter().map(|(name, _)| name.clone())).collect();
    let mistake = |name: &String| {
        let found = format!("the unknown field {name:?} in {format:?}");
        let expected = format!("one of {}{others}{}", fields.join(", "), did_you_mean(name, &fields));
        OptionError::new(path, found, expected)
    };
    TextFormatter::unknown_fields(format, style, defaults).iter().map(mistake).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "others can be wrong")]
fn console(options: &mut Options<'_>) -> Option<Arc<dyn Formatter>> {
    if let Some((name, value)) = format(options) {
        options.refuse::<()>(name, value, "nothing, since the layout is fixed");
    }
    options.one_of("style", "one of %, {, $", |style| matches!(style, "%" | "{" | "$").then_some(()));
    options.flag("validate");
    let datefmt = options.text("datefmt");
    let color = options.flag("color");
    let align = options.integer("align", 0..=255);
    let mut formatter = match color {
        Some(color) => ConsoleFormatter::new(color),
        None => ConsoleFormatter::for_stream(&std::io::stderr()),
    };
    if let Some(datefmt) = datefmt {
        formatter = formatter.datefmt(datefmt);
    }
    if let Some(columns) = align {
        formatter = formatter.align(usize::try_from(columns).unwrap_or_default());
    }
    Some(Arc::new(formatter))
}
