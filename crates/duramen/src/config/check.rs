//! From a configuration as it is written to settings that are known to be right. Nothing is opened here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::kinds;
use super::options::{Options, did_you_mean, join, shown};
use super::references::{self, Resolved};
use super::registry::{Recipe, Registry};
use super::steps::{OnLogger, Step};
use super::{ConfigError, Mistakes};
use crate::error::OptionError;
use crate::handler::audit_file::EXPECTED_FILTERS;
use crate::{Filter, Formatter, Level, Value};

/// A configuration that was checked as a whole. It holds when it is [applied](Settings::apply).
///
/// ```
/// use duramen::{Level, Manager, config};
///
/// let settings = config::from_json(r#"{"version": 1, "root": {"level": "ERROR"}}"#).unwrap();
/// let manager = Manager::new();
/// settings.apply_to(&manager).unwrap();
/// assert_eq!(manager.root().level(), Level::ERROR);
/// ```
#[must_use = "nothing is configured before apply"]
pub struct Settings {
    pub(super) is_incremental: bool,
    /// `None` where it is not said.
    pub(super) disables_existing: Option<bool>,
    /// Handlers that others bring their records to stand before those.
    pub(super) handlers: Vec<HandlerSettings>,
    /// The root logger's have an empty name.
    pub(super) loggers: Vec<LoggerSettings>,
}

pub(super) struct HandlerSettings {
    pub(super) name: String,
    pub(super) level: Option<Level>,
    pub(super) formatter: Option<Arc<dyn Formatter>>,
    pub(super) steps: Vec<Arc<dyn Step>>,
    /// `None` in an incremental configuration.
    pub(super) recipe: Option<Recipe>,
    targets: Vec<String>,
}

pub(super) struct LoggerSettings {
    pub(super) name: String,
    pub(super) level: Option<Level>,
    pub(super) handlers: Vec<String>,
    pub(super) filters: Vec<Arc<dyn Filter>>,
    pub(super) propagate: bool,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let handlers: Vec<_> = self.handlers.iter().map(|handler| &handler.name).collect();
        let loggers: Vec<_> = self.loggers.iter().map(|logger| &logger.name).collect();
        out.debug_struct("Settings")
            .field("handlers", &handlers)
            .field("loggers", &loggers)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// The settings in `written`.
    pub(super) fn check(written: &Value<'_>, registry: &Registry) -> Result<Self, ConfigError> {
        if !matches!(written, Value::Map(_)) {
            let found = if *written == Value::Null { "nothing".to_owned() } else { shown(written) };
            let mistake = OptionError::new("the configuration", found, "a mapping, with \"version\" in it");
            return Err(Mistakes::new(vec![mistake]).into());
        }
        let Resolved { value, used, mistakes } = references::resolve(written);
        let mut check = Check { registry, mistakes, ..Check::new(registry) };
        let settings = check.all(&value, &used);
        if check.mistakes.is_empty() { Ok(settings) } else { Err(Mistakes::new(check.mistakes).into()) }
    }
}

/// What has been found out until now. A part that is wrong is there, without a value, so that who names it is
/// not wrong too.
struct Check<'r> {
    registry: &'r Registry,
    formatters: BTreeMap<String, Option<Arc<dyn Formatter>>>,
    filters: BTreeMap<String, Option<Arc<dyn Step>>>,
    handlers: Vec<String>,
    mistakes: Vec<OptionError>,
}

impl<'r> Check<'r> {
    fn new(registry: &'r Registry) -> Self {
        Self {
            registry,
            formatters: BTreeMap::new(),
            filters: BTreeMap::new(),
            handlers: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    fn all(&mut self, value: &Value<'_>, used: &std::collections::BTreeSet<String>) -> Settings {
        let mut top = Options::of("", value);
        top.required_integer("version", 1..=1);
        let is_incremental = top.flag("incremental").unwrap_or(false);
        let disables_existing = top.flag("disable_existing_loggers");
        let [formatters, filters, handlers, loggers] = ["formatters", "filters", "handlers", "loggers"]
            .map(|name| top.entries(name).unwrap_or_default());
        let (root, redact) = (top.value("root"), top.value("redact"));
        top.allow(used);
        self.mistakes.extend(top.end(true).mistakes);
        if !is_incremental {
            for (name, value) in formatters {
                let path = join("formatters", name);
                let formatter =
                    self.part(&path, value, |options, check| kinds::formatter(options, check.registry));
                self.formatters.insert(name.to_owned(), formatter);
            }
            for (name, value) in filters {
                let path = join("filters", name);
                let step = self.part(&path, value, |options, check| kinds::filter(options, check.registry));
                self.filters.insert(name.to_owned(), step);
            }
        }
        self.handlers = handlers.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut handlers: Vec<_> =
            handlers.into_iter().map(|(name, value)| self.handler(name, value, is_incremental)).collect();
        if !is_incremental {
            self.keep_all(&handlers);
            self.redact(redact, &mut handlers);
            self.sort_by_target(&mut handlers);
        }
        let root = root.map(|value| self.logger("", value, is_incremental));
        let named = loggers.into_iter().map(|(name, value)| self.logger(name, value, is_incremental));
        let loggers = root.into_iter().chain(named.collect::<Vec<_>>()).collect();
        Settings { is_incremental, disables_existing, handlers, loggers }
    }

    /// Checks the options at `path` with `check`, and takes over what is wrong.
    fn part<T>(
        &mut self,
        path: &str,
        value: &Value<'_>,
        check: impl FnOnce(&mut Options<'_>, &Self) -> Option<T>,
    ) -> Option<T> {
        let mut options = Options::of(path, value);
        let part = check(&mut options, self);
        let asked = options.end(part.is_some());
        let is_right = asked.mistakes.is_empty();
        for (option, name) in &asked.handlers {
            self.require_handler(&join(path, option), name);
        }
        self.mistakes.extend(asked.mistakes);
        part.filter(|_| is_right)
    }

    fn require_handler(&mut self, path: &str, name: &str) {
        if !self.handlers.iter().any(|known| known == name) {
            let expected = one_of(name, "handler", &self.handlers);
            self.mistakes.push(OptionError::new(path, format!("{name:?}"), expected));
        }
    }

    fn handler(&mut self, name: &str, value: &Value<'_>, is_incremental: bool) -> HandlerSettings {
        let path = join("handlers", name);
        let mut options = Options::of(&*path, value);
        let level = options.level("level");
        let mut handler = HandlerSettings {
            name: name.to_owned(),
            level,
            formatter: None,
            steps: Vec::new(),
            recipe: None,
            targets: Vec::new(),
        };
        if is_incremental {
            options.allow_all();
        } else {
            handler.formatter = self.formatter_of(&mut options);
            let steps = self.filters_of(&mut options);
            handler.recipe = kinds::handler(&mut options, self.registry);
            let keeps_all = handler.recipe.as_ref().is_some_and(|recipe| recipe.keeps_all);
            for (place, _) in steps.iter().filter(|(_, step)| keeps_all && step.holds_back()) {
                options.mistake(place, "one that limits or samples", EXPECTED_FILTERS);
            }
            handler.steps = steps.into_iter().map(|(_, step)| step).collect();
        }
        let asked = options.end(is_incremental || handler.recipe.is_some());
        self.mistakes.extend(asked.mistakes);
        for (option, target) in asked.handlers {
            self.require_handler(&join(&path, &option), &target);
            handler.targets.push(target);
        }
        handler
    }

    fn formatter_of(&self, options: &mut Options<'_>) -> Option<Arc<dyn Formatter>> {
        let name = options.text("formatter")?;
        if let Some(formatter) = self.formatters.get(name) {
            formatter.clone()
        } else {
            let known: Vec<_> = self.formatters.keys().cloned().collect();
            options.mistake("formatter", format!("{name:?}"), one_of(name, "formatter", &known));
            None
        }
    }

    /// The filters that the options name, each with where it is named.
    fn filters_of(&self, options: &mut Options<'_>) -> Vec<(String, Arc<dyn Step>)> {
        let mut steps = Vec::new();
        for (index, name) in options.texts("filters").unwrap_or_default().into_iter().enumerate() {
            let place = format!("filters[{index}]");
            if let Some(step) = self.filters.get(name) {
                steps.extend(step.clone().map(|step| (place, step)));
            } else {
                let known: Vec<_> = self.filters.keys().cloned().collect();
                options.mistake(&place, format!("{name:?}"), one_of(name, "filter", &known));
            }
        }
        steps
    }

    fn logger(&mut self, name: &str, value: &Value<'_>, is_incremental: bool) -> LoggerSettings {
        let path = if name.is_empty() { "root".to_owned() } else { join("loggers", name) };
        let mut options = Options::of(&*path, value);
        let level = options.level("level");
        let propagate = options.flag("propagate").unwrap_or(true);
        let (mut handlers, mut filters) = (Vec::new(), Vec::new());
        if is_incremental {
            options.allow_all();
        } else {
            handlers = options.handlers("handlers").unwrap_or_default();
            for (place, step) in self.filters_of(&mut options) {
                if step.is_for_handlers() {
                    let found = "a filter that masks, which does not see what loggers below send up";
                    options.mistake(&place, found, "such a filter on handlers");
                }
                filters.push(Arc::new(OnLogger(step)) as Arc<dyn Filter>);
            }
        }
        let asked = options.end(true);
        self.mistakes.extend(asked.mistakes);
        for (option, handler) in &asked.handlers {
            self.require_handler(&join(&path, option), handler);
        }
        LoggerSettings { name: name.to_owned(), level, handlers, filters, propagate }
    }

    /// Refuses queues that may drop records in front of handlers that keep all.
    fn keep_all(&mut self, handlers: &[HandlerSettings]) {
        let is =
            |handler: &HandlerSettings, what: fn(&Recipe) -> bool| handler.recipe.as_ref().is_some_and(what);
        for queue in handlers.iter().filter(|handler| is(handler, |recipe| recipe.may_drop)) {
            let mut behind = handlers.iter().filter(|handler| queue.targets.contains(&handler.name));
            if let Some(audit) = behind.find(|handler| is(handler, |recipe| recipe.keeps_all)) {
                let path = join(&join("handlers", &queue.name), "overflow");
                let expected = format!("block without a block_timeout: {:?} drops nothing", audit.name);
                self.mistakes.push(OptionError::new(path, "a queue that may drop records", expected));
            }
        }
    }

    /// The `redact` section: its step comes after those of the handlers' own.
    fn redact(&mut self, section: Option<&Value<'_>>, handlers: &mut [HandlerSettings]) {
        let Some(section) = section else { return };
        if !matches!(section, Value::Map(_)) {
            self.mistakes.push(OptionError::new("redact", shown(section), "a mapping"));
            return;
        }
        let masks = self.part("redact", section, |options, _| kinds::redact_section(options));
        let Some((step, names)) = masks else { return };
        for handler in handlers {
            if names.as_ref().is_none_or(|names| names.contains(&handler.name)) {
                handler.steps.push(Arc::clone(&step));
            }
        }
    }

    /// Puts each handler behind its targets.
    fn sort_by_target(&mut self, handlers: &mut Vec<HandlerSettings>) {
        let mut waiting = std::mem::take(handlers);
        let known = self.handlers.clone();
        while !waiting.is_empty() {
            let is_there = |target: &String, sorted: &[HandlerSettings]| {
                !known.contains(target) || sorted.iter().any(|handler| handler.name == *target)
            };
            let next =
                waiting.iter().position(|one| one.targets.iter().all(|target| is_there(target, handlers)));
            let Some(next) = next else {
                for handler in waiting {
                    let path = join("handlers", &handler.name);
                    let found = format!("{:?}", handler.targets.join(", "));
                    let expected = "targets that do not lead back to the handler";
                    self.mistakes.push(OptionError::new(path, found, expected));
                }
                return;
            };
            handlers.push(waiting.remove(next));
        }
    }
}

fn one_of(name: &str, kind: &str, known: &[String]) -> String {
    match known {
        [] => format!("the name of a {kind}; there is none"),
        known => format!("a {kind}: {}{}", known.join(", "), did_you_mean(name, known)),
    }
}
