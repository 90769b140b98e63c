//! The options of masking, for the filter and for the section of its own.

use std::sync::Arc;

use super::super::options::Options;
use super::super::steps::{Masks, Step};
use crate::filter::NameFilter;
use crate::redact::{Mode, Redactor, RedactorBuilder};

const MODES: &str = "one of mask, partial, pseudonym, type, drop";

/// The step of the `redact` section, and the names of the handlers that mask.
type Section = (Arc<dyn Step>, Option<Vec<String>>);

/// What the `redact` section says: the step, and the handlers that mask, all of them where none is named.
pub(in super::super) fn section(options: &mut Options<'_>) -> Option<Section> {
    let handlers = options.handlers("handlers");
    let redactor = redactor(options)?;
    Some((Arc::new(Masks { redactor, names: NameFilter::default() }), handlers))
}

/// The redactor that the options describe.
pub(super) fn redactor(options: &mut Options<'_>) -> Option<Redactor> {
    let mut right = true;
    let mut builder = Redactor::builder();
    let mut add =
        |options: &mut Options<'_>, path: String, add: &dyn Fn(RedactorBuilder) -> RedactorBuilder| {
            // Each rule is tried alone, so that all that are wrong are found.
            if let Err(error) = add(Redactor::builder()).build() {
                options.mistake(&path, error.found, error.expected);
                right = false;
            }
            builder = add(std::mem::take(&mut builder));
        };
    for (index, pack) in options.texts("packs").unwrap_or_else(|| vec!["credentials"]).into_iter().enumerate()
    {
        add(options, format!("packs[{index}]"), &|builder| builder.pack(pack));
    }
    for (index, key) in options.texts("keys").unwrap_or_default().into_iter().enumerate() {
        add(options, format!("keys[{index}]"), &|builder| builder.key(key));
    }
    for (name, expression) in options.text_entries("patterns").unwrap_or_default() {
        add(options, format!("patterns.{name}"), &|builder| builder.pattern(name, expression));
    }
    let allowed = options.texts("allow");
    for (index, name) in allowed.iter().flatten().enumerate() {
        add(options, format!("allow[{index}]"), &|builder| builder.allow(*name));
    }
    if let Some(mode) = options.one_of("mode", MODES, Mode::by_name) {
        builder = builder.mode(mode);
    }
    for (name, mode) in options.text_entries("modes").unwrap_or_default() {
        match Mode::by_name(mode) {
            Some(mode) => builder = builder.mode_of(name, mode),
            None => options.mistake(&format!("modes.{name}"), format!("{mode:?}"), MODES),
        }
    }
    if let Some(key) = pseudonym_key(options) {
        builder = builder.pseudonym_key(key);
    }
    if !right || !options.is_right() {
        return None;
    }
    builder.build().map_err(|error| options.refused(error)).ok()
}

/// The secret key, which stands outside of the configuration.
fn pseudonym_key(options: &mut Options<'_>) -> Option<Vec<u8>> {
    let file = options.text("pseudonym_key_file");
    if let Some(name) = options.text("pseudonym_key_env") {
        let key = std::env::var_os(name).filter(|key| !key.is_empty());
        if key.is_none() {
            options.mistake(
                "pseudonym_key_env",
                format!("{name:?}"),
                "a variable of the environment that is set",
            );
        }
        return key.map(std::ffi::OsString::into_encoded_bytes);
    }
    match std::fs::read(file?) {
        Ok(key) => Some(key.trim_ascii().to_vec()),
        Err(error) => {
            let found = format!("{:?} ({error})", file.unwrap_or_default());
            options.mistake("pseudonym_key_file", found, "a file that can be read");
            None
        }
    }
}
