//! From settings to handlers and loggers: all is made first, and then put in place, or nothing is.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use parking_lot::Mutex;

use super::check::{HandlerSettings, LoggerSettings, Settings};
use super::configured::Configured;
use super::options::join;
use super::registry::Parts;
use super::{ConfigError, Mistakes};
use crate::error::OptionError;
use crate::logger::LoggerState;
use crate::manager::NamedHandler;
use crate::{Handler, Level, Manager, manager};

/// Two configurations are not put in place at the same time.
static APPLYING: Mutex<()> = Mutex::new(());

impl Settings {
    /// Configures the loggers of the program.
    ///
    /// Loggers that are there and not named, nor below one that is, are switched off, unless
    /// `disable_existing_loggers` is false. Handlers that were there and are not needed any more are closed.
    ///
    /// # Errors
    /// [`ConfigError::Mistakes`] with the handlers that cannot be made, because a file cannot be opened for
    /// example; the loggers are then as before.
    pub fn apply(&self) -> Result<(), ConfigError> {
        self.apply_to(&manager::global())
    }

    /// Configures the loggers of `manager`.
    ///
    /// # Errors
    /// As for [`Settings::apply`].
    pub fn apply_to(&self, manager: &Manager) -> Result<(), ConfigError> {
        self.apply_after(None, manager)
    }

    /// Configures the loggers of `manager` in place of an earlier version of this configuration. Unless this one says
    /// otherwise, loggers that neither names stay as they are, and those that only the earlier one named begin anew.
    pub(super) fn apply_after(
        &self,
        earlier: Option<&Settings>,
        manager: &Manager,
    ) -> Result<(), ConfigError> {
        let _alone = APPLYING.lock();
        if self.is_incremental { self.adjust(manager) } else { self.replace(earlier, manager) }
    }

    fn names(&self, logger: &str) -> bool {
        self.loggers.iter().any(|settings| settings.name == logger)
    }

    /// An incremental configuration changes levels, and whether loggers propagate.
    fn adjust(&self, manager: &Manager) -> Result<(), ConfigError> {
        let named = manager.named_handlers();
        let find = |name: &str| named.iter().find(|handler| handler.name == name);
        let missing: Vec<_> = self
            .handlers
            .iter()
            .filter(|settings| find(&settings.name).is_none())
            .map(|settings| {
                let expected = "a handler of the configuration that holds";
                OptionError::new(join("handlers", &settings.name), "no such handler", expected)
            })
            .collect();
        if !missing.is_empty() {
            return Err(Mistakes::new(missing).into());
        }
        for settings in &self.handlers {
            if let (Some(handler), Some(level)) = (find(&settings.name), settings.level) {
                handler.set_level(level);
            }
        }
        for settings in &self.loggers {
            let logger = manager.get_logger(&settings.name);
            if let Some(level) = settings.level {
                logger.set_level(level);
            }
            logger.set_propagate(settings.propagate);
        }
        Ok(())
    }

    fn replace(&self, earlier: Option<&Settings>, manager: &Manager) -> Result<(), ConfigError> {
        let built = self.build()?;
        let before = manager.all_handlers();
        let existing = manager.all_loggers();
        for settings in &self.loggers {
            // One that is not there yet begins as loggers below a new handler do.
            manager.get_logger(&settings.name).put_state(settings.state(&built));
        }
        let root = manager.root();
        for logger in existing {
            let name = logger.name();
            if name == root.name() && logger.parent().is_none() || self.names(name) {
                continue;
            }
            let is_below_named = self.loggers.iter().any(|settings| is_below(name, &settings.name));
            let was_named = earlier.is_some_and(|earlier| earlier.names(name));
            if is_below_named || was_named && self.disables_existing != Some(true) {
                logger.put_state(LoggerState { level: Some(Level::NOTSET), ..LoggerState::default() });
            } else if let Some(is_disabled) = self.disables_existing.or(earlier.is_none().then_some(true)) {
                logger.set_disabled(is_disabled);
            }
        }
        manager.set_named_handlers(built.named);
        let after = manager.all_handlers();
        let is_kept = |handler: &_| after.iter().any(|kept| Arc::ptr_eq(kept, handler));
        let unneeded: Vec<_> = before.into_iter().filter(|handler| !is_kept(handler)).collect();
        if !unneeded.is_empty() {
            // A queue that is closed takes none of them.
            manager.await_records_on_their_way();
        }
        for handler in unneeded {
            handler.close();
        }
        Ok(())
    }

    /// Makes the handlers. Files are tried first, so that none is emptied where another one cannot be opened.
    fn build(&self) -> Result<Built, ConfigError> {
        let opened = self.handlers.iter().filter_map(|settings| {
            let path = settings.recipe.as_ref()?.opens.as_ref()?;
            let error = OpenOptions::new().append(true).create(true).open(path).err()?;
            let found = format!("{:?} ({error})", path.display().to_string());
            let place = join(&join("handlers", &settings.name), "filename");
            Some(OptionError::new(place, found, "a file that can be opened"))
        });
        let mut mistakes: Vec<_> = opened.collect();
        let mut built = Built::default();
        for settings in self.handlers.iter().filter(|_| mistakes.is_empty()) {
            match built.add(settings) {
                Ok(()) => {}
                Err(error) => {
                    mistakes = vec![OptionError::new(
                        join("handlers", &settings.name),
                        error.to_string(),
                        "a handler",
                    )];
                    break;
                }
            }
        }
        if mistakes.is_empty() {
            return Ok(built);
        }
        for handler in built.by_name.values() {
            handler.close();
        }
        Err(Mistakes::new(mistakes).into())
    }
}

/// The handlers that were made.
#[derive(Default)]
struct Built {
    by_name: HashMap<String, Arc<dyn Handler>>,
    named: Vec<NamedHandler>,
}

impl Built {
    fn add(&mut self, settings: &HandlerSettings) -> std::io::Result<()> {
        let Some(recipe) = &settings.recipe else { return Ok(()) };
        let parts = Parts { formatter: settings.formatter.clone(), handlers: &self.by_name };
        let inner = (recipe.make)(&parts)?;
        let level = Arc::new(AtomicI64::new(settings.level.unwrap_or(Level::NOTSET).0));
        let handler: Arc<dyn Handler> =
            Arc::new(Configured::new(level.clone(), settings.steps.clone(), inner));
        self.by_name.insert(settings.name.clone(), handler.clone());
        self.named.push(NamedHandler { name: settings.name.clone(), level, handler });
        Ok(())
    }
}

impl LoggerSettings {
    fn state(&self, built: &Built) -> LoggerState {
        let handlers = self.handlers.iter().filter_map(|name| built.by_name.get(name).cloned());
        LoggerState {
            level: self.level,
            propagates: self.propagate,
            handlers: handlers.collect(),
            filters: self.filters.clone(),
        }
    }
}

/// Whether the logger `name` lies below the logger `above`, which is not the root.
fn is_below(name: &str, above: &str) -> bool {
    !above.is_empty() && name.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}
