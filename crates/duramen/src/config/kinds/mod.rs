//! The kinds of formatter, filter and handler that every configuration may name, under the names that they have in
//! Python, and how their options are checked.

mod audit;
mod files;
mod filters;
mod formatters;
mod handlers;
mod network;
mod queues;
mod redact;
mod rotated_files;
mod structured;
mod syslog;

use std::sync::Arc;

use super::options::{Options, did_you_mean};
use super::registry::{Recipe, Registry};
use super::steps::{Plain, Step};
use crate::Formatter;

pub(super) use formatters::unknown_fields;
pub(super) use redact::section as redact_section;

/// Checks the options of one class.
type Check<T> = fn(&mut Options<'_>) -> Option<T>;

/// Where Python finds the same class under another name.
fn canonical(class: &str) -> &str {
    const ALIASES: [(&str, &str); 2] = [("duramen.handlers.", "logging.handlers."), ("duramen.", "logging.")];
    const OWN: [&str; 2] = ["duramen.formatters.", "duramen.filters."];
    if class == audit::CLASS {
        return class;
    }
    if OWN.iter().any(|module| class.starts_with(module)) {
        return class;
    }
    let known = handlers::CLASSES.iter().chain(&formatters::CLASSES).chain(&filters::CLASSES);
    for (alias, module) in ALIASES {
        if let Some(name) = class.strip_prefix(alias) {
            let known = known.clone().find(|known| known.strip_prefix(module) == Some(name));
            return known.copied().unwrap_or(class);
        }
    }
    class
}

/// The class that the options name, by `()` or `class`, if they do.
fn class_of<'a>(options: &mut Options<'a>) -> Option<(&'static str, &'a str)> {
    let (factory, class) = (options.text("()"), options.text("class"));
    match (factory, class) {
        (Some(_), Some(class)) => {
            options.mistake("class", format!("{class:?}"), "either \"()\" or \"class\"");
            None
        }
        (Some(name), None) => Some(("()", canonical(name))),
        (None, class) => class.map(|name| ("class", canonical(name))),
    }
}

fn unknown(
    options: &mut Options<'_>,
    key: &str,
    class: &str,
    builtin: &[&str],
    own: impl Iterator<Item = String>,
) {
    let known: Vec<_> = builtin.iter().map(|&name| name.to_owned()).chain(own).collect();
    let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    // A class that is known under another path is meant more likely than one whose path looks alike.
    let same = known.iter().find(|name| last(name) == last(class));
    let near = same.map_or_else(|| did_you_mean(class, &known), |name| format!("; did you mean {name:?}?"));
    options.mistake(key, format!("{class:?}"), format!("one of {}{near}", known.join(", ")));
}

/// The formatter that the options describe.
pub(super) fn formatter(options: &mut Options<'_>, registry: &Registry) -> Option<Arc<dyn Formatter>> {
    let (key, class) = match class_of(options) {
        Some(named) => named,
        None if options.is_right() => ("class", "logging.Formatter"),
        None => return None,
    };
    if let Some(check) = registry.formatters.get(class) {
        return check(options);
    }
    let Some(check) = formatters::check_of(class) else {
        unknown(options, key, class, &formatters::CLASSES, registry.formatters.keys().cloned());
        return None;
    };
    check(options)
}

/// The filter that the options describe.
pub(super) fn filter(options: &mut Options<'_>, registry: &Registry) -> Option<Arc<dyn Step>> {
    let (key, class) = match class_of(options) {
        Some(named) => named,
        None if options.is_right() => ("class", "logging.Filter"),
        None => return None,
    };
    if let Some(check) = registry.filters.get(class) {
        return Some(Arc::new(Plain(check(options)?)));
    }
    let Some(check) = filters::check_of(class) else {
        unknown(options, key, class, &filters::CLASSES, registry.filters.keys().cloned());
        return None;
    };
    check(options)
}

/// How the handler is made that the options describe.
pub(super) fn handler(options: &mut Options<'_>, registry: &Registry) -> Option<Recipe> {
    let Some((key, class)) = class_of(options) else {
        if options.is_right() {
            options.mistake("class", "nothing", "the name of a class, as logging.StreamHandler");
        }
        return None;
    };
    if let Some(check) = registry.handlers.get(class) {
        return check(options);
    }
    let Some(check) = handlers::check_of(class) else {
        unknown(options, key, class, &handlers::CLASSES, registry.handlers.keys().cloned());
        return None;
    };
    check(options)
}
