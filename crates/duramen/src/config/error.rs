//! Why a configuration is not applied.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::error::OptionError;
use crate::formatter::UnsupportedLayout;

/// Why the configuration was not applied. Nothing has been changed then.
///
/// ```
/// use duramen::config::{self, ConfigError};
///
/// match config::from_json("{}") {
///     Err(ConfigError::Mistakes(mistakes)) => assert_eq!(mistakes.list()[0].path, "version"),
///     _ => unreachable!("a version has to be there"),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The format is not valid in its style.
    #[error("the format {0:?} is not valid")]
    Format(String, #[source] UnsupportedLayout),
    /// The file cannot be opened.
    #[error("cannot open the log file {}", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// The configuration file cannot be read.
    #[error("cannot read the configuration file {}: {}", .0.display(), .1)]
    Unreadable(PathBuf, #[source] io::Error),
    /// The configuration has mistakes.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
}

/// All that is wrong in a configuration, each with its path.
///
/// ```
/// use duramen::config::{self, ConfigError};
///
/// let text = r#"{"version": 1, "root": {"level": "LOUD", "handlers": ["file"]}}"#;
/// let Err(ConfigError::Mistakes(mistakes)) = config::from_json(text) else { panic!("it is wrong") };
/// let paths: Vec<_> = mistakes.list().iter().map(|mistake| mistake.path.as_str()).collect();
/// assert_eq!(paths, ["root.level", "root.handlers[0]"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes {
    file: Option<PathBuf>,
    list: Vec<OptionError>,
}

impl Mistakes {
    pub(super) fn new(list: Vec<OptionError>) -> Self {
        Self { file: None, list }
    }

    /// Says in which file they are.
    pub(super) fn in_file(self, file: PathBuf) -> Self {
        Self { file: Some(file), ..self }
    }

    pub(super) fn into_list(self) -> Vec<OptionError> {
        self.list
    }

    /// The mistakes, in the order of the configuration's sections.
    pub fn list(&self) -> &[OptionError] {
        &self.list
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(out, "the configuration file {} cannot be used:", file.display())?,
            None => out.write_str("the configuration cannot be used:")?,
        }
        self.list.iter().try_for_each(|mistake| write!(out, "\n  {mistake}"))
    }
}
