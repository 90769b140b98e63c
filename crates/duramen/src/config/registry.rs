//! Which kinds of formatter, filter and handler a configuration may name: Duramen's own, and the program's.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::options::Options;
use super::{ConfigError, Mistakes, Settings, read};
use crate::{Filter, Formatter, Handler, Value};

/// What a handler is made with, when all of the configuration is known to be right.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::config::{Recipe, Registry};
/// use duramen::{Level, Manager, handler::MemoryHandler};
///
/// // A kind of handler that stands in front of another one.
/// let kinds = Registry::new().handler("shop.Recent", |options| {
///     let target = options.handler("target")?;
///     Some(Recipe::new(move |parts| {
///         Ok(Arc::new(MemoryHandler::new(100, Level::ERROR, parts.handler(&target)?)))
///     }))
/// });
/// let settings = kinds.from_json(r#"{
///     "version": 1,
///     "handlers": {
///         "screen": {"class": "logging.StreamHandler"},
///         "recent": {"class": "shop.Recent", "target": "screen"}
///     },
///     "root": {"handlers": ["recent"]}
/// }"#);
/// settings.unwrap().apply_to(&Manager::new()).unwrap();
/// ```
pub struct Parts<'a> {
    pub(super) formatter: Option<Arc<dyn Formatter>>,
    pub(super) handlers: &'a HashMap<String, Arc<dyn Handler>>,
}

impl Parts<'_> {
    /// The formatter that the configuration gives the handler, if it does.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::config::Recipe;
    /// use duramen::handler::StreamHandler;
    ///
    /// let recipe = Recipe::new(|parts| {
    ///     let handler = StreamHandler::stderr();
    ///     if let Some(formatter) = parts.formatter() {
    ///         handler.set_formatter(formatter);
    ///     }
    ///     Ok(Arc::new(handler))
    /// });
    /// ```
    pub fn formatter(&self) -> Option<Arc<dyn Formatter>> {
        self.formatter.clone()
    }

    /// The handler called `name`, which was asked for by [`Options::handler`].
    ///
    /// # Errors
    /// Where it was not asked for.
    pub fn handler(&self, name: &str) -> io::Result<Arc<dyn Handler>> {
        let missing =
            || io::Error::new(io::ErrorKind::NotFound, format!("no handler {name:?} was asked for"));
        self.handlers.get(name).cloned().ok_or_else(missing)
    }
}

type Make = dyn Fn(&Parts<'_>) -> io::Result<Arc<dyn Handler>> + Send + Sync;

/// How a handler is made, once its options are known to be right.
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::config::Recipe;
/// use duramen::handler::FileHandler;
///
/// let recipe = Recipe::new(|parts| {
///     let handler = FileHandler::new("/tmp/shop.log")?;
///     if let Some(formatter) = parts.formatter() {
///         handler.set_formatter(formatter);
///     }
///     Ok(Arc::new(handler))
/// })
/// .opening("/tmp/shop.log");
/// ```
pub struct Recipe {
    pub(super) opens: Option<PathBuf>,
    /// Filters that hold records back by their number are refused.
    pub(super) keeps_all: bool,
    /// Records may be dropped on their way to the handlers behind.
    pub(super) may_drop: bool,
    pub(super) make: Box<Make>,
}

impl Recipe {
    /// The handler that `make` gives. It may open what it needs, and fail.
    pub fn new(make: impl Fn(&Parts<'_>) -> io::Result<Arc<dyn Handler>> + Send + Sync + 'static) -> Self {
        Self { opens: None, keeps_all: false, may_drop: false, make: Box::new(make) }
    }

    /// The handler drops no record of a kind: a filter that limits or samples is a mistake of the configuration.
    ///
    /// ```
    /// use duramen::config::{Recipe, Registry};
    ///
    /// let kinds = Registry::new().handler("shop.Receipts", |_| {
    ///     Some(Recipe::new(|_| Ok(std::sync::Arc::new(duramen::handler::NullHandler))).keeping_all())
    /// });
    /// let error = kinds.from_json(r#"{
    ///     "version": 1,
    ///     "filters": {"tenth": {"()": "duramen.filters.SamplingFilter", "rate": 0.1}},
    ///     "handlers": {"receipts": {"class": "shop.Receipts", "filters": ["tenth"]}}
    /// }"#);
    /// assert!(error.err().unwrap().to_string().contains("handlers.receipts.filters[0]: found one that limits or samples"));
    /// ```
    #[must_use]
    pub fn keeping_all(self) -> Self {
        Self { keeps_all: true, ..self }
    }

    /// The handler may drop records that the handlers behind it should have.
    #[must_use]
    pub(super) fn dropping(self, may_drop: bool) -> Self {
        Self { may_drop, ..self }
    }

    /// The handler appends to this file. All such files are tried before any handler is made.
    #[must_use]
    pub fn opening(self, path: impl Into<PathBuf>) -> Self {
        Self { opens: Some(path.into()), ..self }
    }
}

type CheckHandler = dyn Fn(&mut Options<'_>) -> Option<Recipe> + Send + Sync;
type CheckFormatter = dyn Fn(&mut Options<'_>) -> Option<Arc<dyn Formatter>> + Send + Sync;
type CheckFilter = dyn Fn(&mut Options<'_>) -> Option<Arc<dyn Filter>> + Send + Sync;

/// The kinds that a configuration may name beside Duramen's own, by the name of their class.
///
/// A kind is a function of the options. It asks for each that it knows, notes what is wrong, and opens nothing;
/// options that it has not asked for are mistakes.
///
/// ```
/// use std::sync::Arc;
/// use duramen::config::{Recipe, Registry};
/// use duramen::{Manager, filter::LevelFilter, handler::NullHandler};
///
/// let kinds = Registry::new()
///     .handler("shop.PagerHandler", |options| {
///         let _number = options.required_text("number")?.to_owned();
///         Some(Recipe::new(|_| Ok(Arc::new(NullHandler))))
///     })
///     .filter("shop.Quiet", |options| Some(Arc::new(LevelFilter::at_most(options.level("most")?))));
/// let settings = kinds.from_json(r#"{
///     "version": 1,
///     "filters": {"quiet": {"()": "shop.Quiet", "most": "INFO"}},
///     "handlers": {"pager": {"class": "shop.PagerHandler", "number": "555", "filters": ["quiet"]}},
///     "root": {"handlers": ["pager"]}
/// }"#).unwrap();
/// let manager = Manager::new();
/// settings.apply_to(&manager).unwrap();
/// assert_eq!(manager.root().handlers().len(), 1);
/// ```
///
/// The configuration may be in any of the forms, and in a file:
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::config::Registry;
/// use duramen::formatter::{Style, TextFormatter};
/// use duramen::{Level, Manager, Value};
///
/// // A kind of formatter; one of this name may stand in every form.
/// let kinds = Registry::new().formatter("shop.Line", |options| {
///     let form = options.text("form").unwrap_or("%(message)s");
///     let formatter = TextFormatter::new(form, None, Style::Percent);
///     Some(Arc::new(formatter.ok()?))
/// });
/// let manager = Manager::new();
///
/// let json = r#"{"version": 1, "formatters": {"line": {"class": "shop.Line"}}, "root": {"level": "INFO"}}"#;
/// kinds.from_json(json).unwrap().apply_to(&manager).unwrap();
///
/// # #[cfg(feature = "yaml")] {
/// let yaml = "version: 1\nformatters: {line: {class: shop.Line}}\nroot: {level: DEBUG}\n";
/// kinds.from_yaml(yaml).unwrap().apply_to(&manager).unwrap();
/// # }
/// # #[cfg(feature = "toml")] {
/// let toml = "version = 1\n[formatters]\nline.class = 'shop.Line'\n[root]\nlevel = 'DEBUG'\n";
/// kinds.from_toml(toml).unwrap().apply_to(&manager).unwrap();
/// # }
/// let ini = "[loggers]\nkeys=root\n[handlers]\nkeys=\n[formatters]\nkeys=line\n\
///            [formatter_line]\nclass=shop.Line\n[logger_root]\nlevel=ERROR\nhandlers=\n";
/// kinds.from_ini(ini).unwrap().apply_to(&manager).unwrap();
///
/// # let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("logging.json"); // the form is that of the name's ending
/// std::fs::write(&path, json).unwrap();
/// kinds.from_file(&path).unwrap().apply_to(&manager).unwrap();
/// assert_eq!(manager.root().level(), Level::INFO);
///
/// let written = Value::Map(vec![("version".into(), Value::Integer(1))]); // read by other means
/// assert!(kinds.from_dict(&written).is_ok());
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    pub(super) handlers: BTreeMap<String, Arc<CheckHandler>>,
    pub(super) formatters: BTreeMap<String, Arc<CheckFormatter>>,
    pub(super) filters: BTreeMap<String, Arc<CheckFilter>>,
}

impl Registry {
    /// Duramen's own kinds alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind of handler. Its level and filters are applied for it, and the formatter is among the [`Parts`].
    #[must_use]
    pub fn handler(
        mut self,
        class: impl Into<String>,
        check: impl Fn(&mut Options<'_>) -> Option<Recipe> + Send + Sync + 'static,
    ) -> Self {
        self.handlers.insert(class.into(), Arc::new(check));
        self
    }

    /// Adds a kind of formatter.
    #[must_use]
    pub fn formatter(
        mut self,
        class: impl Into<String>,
        check: impl Fn(&mut Options<'_>) -> Option<Arc<dyn Formatter>> + Send + Sync + 'static,
    ) -> Self {
        self.formatters.insert(class.into(), Arc::new(check));
        self
    }

    /// Adds a kind of filter.
    #[must_use]
    pub fn filter(
        mut self,
        class: impl Into<String>,
        check: impl Fn(&mut Options<'_>) -> Option<Arc<dyn Filter>> + Send + Sync + 'static,
    ) -> Self {
        self.filters.insert(class.into(), Arc::new(check));
        self
    }

    /// As [`from_dict`](super::from_dict), with these kinds.
    ///
    /// # Errors
    /// [`ConfigError::Mistakes`].
    pub fn from_dict(&self, written: &Value<'_>) -> Result<Settings, ConfigError> {
        Settings::check(written, self)
    }

    /// As [`from_file`](super::from_file), with these kinds.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] and [`ConfigError::Mistakes`].
    pub fn from_file(&self, path: impl AsRef<Path>) -> Result<Settings, ConfigError> {
        let path = path.as_ref();
        let text = std::fs::read(path).map_err(|error| ConfigError::Unreadable(path.to_owned(), error))?;
        self.of_file(path, &text)
    }

    /// The settings in the bytes of the file at `path`.
    pub(super) fn of_file(&self, path: &Path, bytes: &[u8]) -> Result<Settings, ConfigError> {
        let settings =
            read::file(path, bytes).map_err(ConfigError::from).and_then(|written| self.of_written(written));
        settings.map_err(|error| match error {
            ConfigError::Mistakes(mistakes) => ConfigError::Mistakes(mistakes.in_file(path.to_owned())),
            other => other,
        })
    }

    /// The settings in what could be read; what could not is wrong too.
    fn of_written(&self, (dict, mut mistakes): read::Written) -> Result<Settings, ConfigError> {
        match self.from_dict(&dict) {
            Ok(settings) if mistakes.is_empty() => return Ok(settings),
            Ok(_) => {}
            Err(ConfigError::Mistakes(others)) => mistakes.extend(others.into_list()),
            Err(other) => return Err(other),
        }
        Err(Mistakes::new(mistakes).into())
    }

    /// As [`from_json`](super::from_json), with these kinds.
    ///
    /// # Errors
    /// [`ConfigError::Mistakes`].
    pub fn from_json(&self, text: &str) -> Result<Settings, ConfigError> {
        self.from_dict(&read::json(text)?)
    }

    /// As [`from_yaml`](super::from_yaml), with these kinds.
    ///
    /// # Errors
    /// [`ConfigError::Mistakes`].
    #[cfg(feature = "yaml")]
    pub fn from_yaml(&self, text: &str) -> Result<Settings, ConfigError> {
        self.from_dict(&read::yaml(text)?)
    }

    /// As [`from_toml`](super::from_toml), with these kinds.
    ///
    /// # Errors
    /// [`ConfigError::Mistakes`].
    #[cfg(feature = "toml")]
    pub fn from_toml(&self, text: &str) -> Result<Settings, ConfigError> {
        self.from_dict(&read::toml(text)?)
    }

    /// As [`from_ini`](super::from_ini), with these kinds.
    ///
    /// # Errors
    /// [`ConfigError::Mistakes`].
    pub fn from_ini(&self, text: &str) -> Result<Settings, ConfigError> {
        self.of_written(read::ini(text)?)
    }
}
