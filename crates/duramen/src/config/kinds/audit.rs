//! The audit trail.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::options::Options;
use super::super::registry::Recipe;
use super::rotated_files::{age, optional_schedule};
use crate::handler::AuditFileHandler;
use crate::rotation::InvalidOption;
use crate::writer::audit::{AuditKey, AuditOptions};

pub(super) const CLASS: &str = "duramen.handlers.AuditFileHandler";

/// The environment variable of the key, where no other place is named.
const KEY: &str = "DURAMEN_AUDIT_KEY";

pub(super) fn check(options: &mut Options<'_>) -> Option<Recipe> {
    let key = key(options);
    let commit = options.one_of("commit", "\"record\" or \"group\"", |text| text.parse().ok());
    let max_bytes = options.integer("maxBytes", 0..=i64::MAX).unwrap_or(0).unsigned_abs();
    let schedule = optional_schedule(options);
    let max_age = age(options, "max_age");
    let legal_hold = options.flag("legal_hold").unwrap_or(false);
    let path = options.required_text("filename")?;
    if path.is_empty() {
        options.mistake("filename", "\"\"", "the path of a file");
        return None;
    }
    let path: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let audit = AuditOptions {
        commit: commit.unwrap_or_default(),
        max_bytes,
        schedule,
        max_age,
        legal_hold,
        ..AuditOptions::new(key?)
    };
    if let Err(InvalidOption { option, found, expected }) = audit.check() {
        options.mistake(option, found, expected);
        return None;
    }
    let opens = path.clone();
    let recipe = Recipe::new(move |parts| {
        let handler = AuditFileHandler::new(&path, audit.clone())?;
        if let Some(formatter) = parts.formatter() {
            handler.set_formatter(formatter);
        }
        Ok(Arc::new(handler))
    });
    Some(recipe.opening(opens).keeping_all())
}

/// The key, from the environment or from a file; never from the configuration itself.
fn key(options: &mut Options<'_>) -> Option<AuditKey> {
    let (variable, file) = (options.text("key_env"), options.text("key_file"));
    if let (Some(_), Some(file)) = (variable, file) {
        options.mistake("key_file", format!("{file:?}"), "either key_env or key_file");
        return None;
    }
    let key = match file {
        Some(file) => AuditKey::from_file(Path::new(file)),
        None => AuditKey::from_environment(variable.unwrap_or(KEY)),
    };
    key.map_err(|InvalidOption { option, found, expected }| options.mistake(option, found, expected)).ok()
}
