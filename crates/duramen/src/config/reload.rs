//! A configuration file that is read again when it has changed.

use std::path::{Path, PathBuf};

use super::registry::Registry;
use super::{ConfigError, Settings};
use crate::{Manager, manager};

/// Applies a configuration file, and applies it again when it has changed. Nothing watches the file: the program
/// says when it is looked at, at a signal or now and then.
///
/// Loggers that the file does not name are switched off when it is applied for the first time, as by
/// [`Settings::apply`]. They stay as they are when it has changed, since the program uses them by then, unless the file
/// itself has `disable_existing_loggers`; one that it does not name any more begins anew.
///
/// ```
/// use duramen::Manager;
/// use duramen::config::{Registry, Reloader};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("logging.json");
/// # std::fs::write(&path, r#"{"version": 1, "root": {"level": "INFO"}}"#).unwrap();
/// let manager = Manager::new();
/// let mut reloader = Reloader::new(&path).manager(manager.clone());
/// assert!(reloader.reload_if_changed().unwrap()); // the first time it is new
/// assert!(!reloader.reload_if_changed().unwrap());
/// std::fs::write(&path, r#"{"version": 1, "root": {"level": "DEBUG"}}"#).unwrap();
/// assert!(reloader.reload_if_changed().unwrap());
/// assert_eq!(manager.root().level(), duramen::Level::DEBUG);
/// ```
pub struct Reloader {
    path: PathBuf,
    registry: Registry,
    manager: Manager,
    /// What the file held when it was applied last.
    applied: Option<(Vec<u8>, Settings)>,
}

impl Reloader {
    /// Of the file at `path`, for the loggers of the program. It is not read yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), registry: Registry::new(), manager: manager::global(), applied: None }
    }

    /// The file may name these kinds too.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::config::{Recipe, Registry, Reloader};
    ///
    /// let kinds = Registry::new()
    ///     .handler("shop.Null", |_| Some(Recipe::new(|_| Ok(Arc::new(duramen::handler::NullHandler)))));
    /// let reloader = Reloader::new("/etc/shop/logging.yaml").registry(kinds);
    /// assert_eq!(reloader.path().file_name().unwrap(), "logging.yaml");
    /// ```
    #[must_use]
    pub fn registry(self, registry: Registry) -> Self {
        Self { registry, ..self }
    }

    /// Configures the loggers of `manager` in place of the program's.
    #[must_use]
    pub fn manager(self, manager: Manager) -> Self {
        Self { manager, ..self }
    }

    /// The configuration file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Applies the file where it holds something else than when it was applied last; true when it did.
    ///
    /// # Errors
    /// As for [`from_file`](super::from_file) and [`Settings::apply`]. The configuration that holds goes on then, and
    /// the next call tries again.
    pub fn reload_if_changed(&mut self) -> Result<bool, ConfigError> {
        let bytes = self.read()?;
        if self.applied.as_ref().is_some_and(|(applied, _)| *applied == bytes) {
            return Ok(false);
        }
        self.apply(bytes).map(|()| true)
    }

    /// Applies the file whatever it holds: handlers are made anew, so that files which were renamed are opened at their paths,
    /// and what sends connects again.
    ///
    /// ```
    /// use duramen::Manager;
    /// use duramen::config::Reloader;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let (path, log) = (folder.path().join("logging.json"), folder.path().join("app.log"));
    /// # let handler = format!(r#"{{"class": "logging.FileHandler", "filename": {log:?}}}"#);
    /// # let root = r#"{"handlers": ["file"], "level": "INFO"}"#;
    /// # std::fs::write(&path, format!(r#"{{"version": 1, "handlers": {{"file": {handler}}}, "root": {root}}}"#)).unwrap();
    /// let manager = Manager::new();
    /// let mut reloader = Reloader::new(&path).manager(manager.clone());
    /// reloader.reload().unwrap();
    /// std::fs::rename(&log, log.with_extension("1")).unwrap();
    /// reloader.reload().unwrap();
    /// assert!(log.exists());
    /// ```
    ///
    /// # Errors
    /// As for [`Reloader::reload_if_changed`].
    pub fn reload(&mut self) -> Result<(), ConfigError> {
        let bytes = self.read()?;
        self.apply(bytes)
    }

    fn read(&self) -> Result<Vec<u8>, ConfigError> {
        std::fs::read(&self.path).map_err(|error| ConfigError::Unreadable(self.path.clone(), error))
    }

    fn apply(&mut self, bytes: Vec<u8>) -> Result<(), ConfigError> {
        let settings: Settings = self.registry.of_file(&self.path, &bytes)?;
        settings.apply_after(self.applied.as_ref().map(|(_, earlier)| earlier), &self.manager)?;
        self.applied = Some((bytes, settings));
        Ok(())
    }
}
