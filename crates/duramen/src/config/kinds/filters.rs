//! Filters by name, against floods, and for masking.

use std::sync::Arc;
use std::time::Duration;

use super::super::options::Options;
use super::super::steps::{Masks, Plain, RateLimit, Samples, Says, Step};
use crate::Level;
use crate::Value;
use crate::filter::{
    DuplicateFilter, LimitBy, LimitKey, NameFilter, RateLimitFilter, SamplingFilter, WrongOption,
};
use crate::record;

pub(super) const CLASSES: [&str; 5] = [
    "logging.Filter",
    "duramen.filters.DuplicateFilter",
    "duramen.filters.RateLimitFilter",
    "duramen.filters.RedactingFilter",
    "duramen.filters.SamplingFilter",
];

/// The check of the options of a class; `None` where the class is not known.
pub(super) fn check_of(class: &str) -> Option<super::Check<Arc<dyn Step>>> {
    Some(match class {
        "logging.Filter" => name,
        "duramen.filters.DuplicateFilter" => duplicates,
        "duramen.filters.RateLimitFilter" => rate_limit,
        "duramen.filters.RedactingFilter" => redacting,
        "duramen.filters.SamplingFilter" => samples,
        _ => return None,
    })
}

fn names(options: &mut Options<'_>) -> NameFilter {
    NameFilter::new(options.text("name").unwrap_or_default())
}

#[expect(clippy::unnecessary_wraps, reason = "others can be wrong")]
fn name(options: &mut Options<'_>) -> Option<Arc<dyn Step>> {
    Some(Arc::new(Plain(Arc::new(names(options)))))
}

fn redacting(options: &mut Options<'_>) -> Option<Arc<dyn Step>> {
    let names = names(options);
    let redactor = super::redact::redactor(options)?;
    Some(Arc::new(Masks { redactor, names }))
}

fn rate_limit(options: &mut Options<'_>) -> Option<Arc<dyn Step>> {
    let names = names(options);
    let exempt = level_or_none(options, "exempt");
    let by = if options.is_null("per") {
        LimitKey::Of(LimitBy::All)
    } else {
        let by = options.one_of("per", "\"logger\", \"level\", \"field:NAME\" or null", |per| match per {
            "logger" => Some(LimitKey::Of(LimitBy::Logger)),
            "level" => Some(LimitKey::Of(LimitBy::Level)),
            _ => {
                let field = per.strip_prefix("field:");
                field
                    .filter(|name| !name.is_empty() && !record::is_attribute(name))
                    .map(|name| LimitKey::Field(name.to_owned()))
            }
        });
        by.unwrap_or(LimitKey::Of(LimitBy::Logger))
    };
    let burst = options.number("burst");
    options.require("rate", "records a second, above 0")?;
    let rate = options.number("rate")?;
    let made = RateLimitFilter::new(rate, burst.unwrap_or_else(|| rate.max(1.0)));
    let filter = made.map_err(|error| refuse(options, &error)).ok()?;
    Some(Arc::new(Says::new(RateLimit { filter, by, exempt }, names)))
}

fn duplicates(options: &mut Options<'_>) -> Option<Arc<dyn Step>> {
    const EXPECTED: &str = "seconds, above 0";
    let names = names(options);
    let seconds = options.number("window");
    let window = Duration::try_from_secs_f64(seconds.unwrap_or(60.0)).ok();
    let Some(filter) = window.and_then(|window| DuplicateFilter::new(window).ok()) else {
        options.mistake("window", seconds.unwrap_or_default().to_string(), EXPECTED);
        return None;
    };
    Some(Arc::new(Says::new(filter, names)))
}

fn samples(options: &mut Options<'_>) -> Option<Arc<dyn Step>> {
    let names = names(options);
    let keep = level_or_none(options, "keep");
    let field = options.text("field").unwrap_or("trace_id").to_owned();
    options.require("rate", "a share, 0 to 1")?;
    let rate = options.number("rate")?;
    let filter = SamplingFilter::new(rate).map_err(|error| refuse(options, &error)).ok()?;
    // As it is written: a share of 1 is shown as `1`.
    let written = match options.value("rate") {
        Some(Value::Integer(number)) => Value::Integer(*number),
        _ => Value::Float(rate),
    };
    Some(Arc::new(Samples { filter, rate: written, keep, field, names }))
}

/// A level, `ERROR` where none is given, none where it is `null`.
fn level_or_none(options: &mut Options<'_>, name: &'static str) -> Option<Level> {
    if options.is_null(name) {
        return None;
    }
    Some(options.level(name).unwrap_or(Level::ERROR))
}

fn refuse(options: &mut Options<'_>, error: &WrongOption) {
    options.mistake(error.option, error.found.to_string(), error.expected);
}
