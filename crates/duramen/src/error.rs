//! Errors that several modules share.

/// An option of a configuration that is refused, with its path.
///
/// ```
/// use duramen::error::OptionError;
///
/// let error = OptionError::new("preset", "\"esc\"", "one of ecs, gelf");
/// assert_eq!(error.to_string(), "preset: found \"esc\", expected one of ecs, gelf");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: found {found}, expected {expected}")]
pub struct OptionError {
    /// Where the option stands, as `rename_fields['levelname']`.
    pub path: String,
    /// What was found there.
    pub found: String,
    /// What would have been right.
    pub expected: String,
}

impl OptionError {
    /// The option at `path` is `found` where `expected` would be right.
    pub fn new(path: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { path: path.into(), found: found.into(), expected: expected.into() }
    }
}
