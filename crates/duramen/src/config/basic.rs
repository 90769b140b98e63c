//! The simple configuration: one handler, or a few, at the root.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::{ConfigError, Mistakes};
use super::kinds;
use crate::formatter::{Style, TextFormatter};
use crate::handler::{FileHandler, StreamHandler};
use crate::writer::FileWriter;
use crate::{Handler, Level, Logger, manager};

/// Where the records go.
#[derive(Default)]
enum Output {
    #[default]
    StandardError,
    Stream(Box<dyn Write + Send>),
    File {
        path: PathBuf,
        truncate: bool,
    },
    /// With their own formatters, which a handler of this crate always has.
    Handlers(Vec<Arc<dyn Handler>>),
}

/// Collects settings; [`BasicConfig::apply`] makes them hold. Made by [`basic_config`].
///
/// ```
/// use duramen::{Level, config::basic_config, get_logger, info};
///
/// basic_config().level(Level::INFO).format("%(asctime)s %(message)s").datefmt("%H:%M:%S").apply().unwrap();
/// info!(get_logger("shop"), "open"); // 12:00:00 open
/// ```
#[derive(Default)]
#[must_use = "nothing is configured before apply"]
pub struct BasicConfig {
    level: Option<Level>,
    format: Option<String>,
    style: Style,
    date_format: Option<String>,
    output: Output,
    force: bool,
}

/// Python's `basicConfig`: standard error, `LEVEL:name:message`, unless told otherwise.
///
/// ```
/// use duramen::{Level, config::basic_config};
///
/// basic_config().level(Level::DEBUG).format("%(levelname)-8s %(message)s").apply().unwrap();
/// ```
pub fn basic_config() -> BasicConfig {
    BasicConfig::default()
}

impl BasicConfig {
    /// The level of the root logger (default: unchanged).
    pub fn level(self, level: Level) -> Self {
        Self { level: Some(level), ..self }
    }

    /// The format of a line (default: level, name and message, with colons between).
    ///
    /// ```
    /// use duramen::config::basic_config;
    ///
    /// let error = basic_config().format("%(mesage)s").apply().unwrap_err();
    /// assert!(error.to_string().ends_with("did you mean \"message\"?"));
    /// ```
    pub fn format(self, format: impl Into<String>) -> Self {
        Self { format: Some(format.into()), ..self }
    }

    /// In which style the format is written (default: percent).
    ///
    /// ```
    /// use duramen::{config::basic_config, formatter::Style};
    ///
    /// basic_config().format("{levelname:<8} {message}").style(Style::Brace).apply().unwrap();
    /// ```
    pub fn style(self, style: Style) -> Self {
        Self { style, ..self }
    }

    /// The `strftime` format of the time (default: date, time and milliseconds).
    pub fn datefmt(self, date_format: impl Into<String>) -> Self {
        Self { date_format: Some(date_format.into()), ..self }
    }

    /// Appends to the file at `path`. Of several outputs the last one given holds.
    ///
    /// ```
    /// use duramen::{Manager, config::basic_config};
    ///
    /// let path = std::env::temp_dir().join(format!("basic-{}.log", std::process::id()));
    /// let root = Manager::new().root();
    /// basic_config().filename(&path).apply_to(&root).unwrap();
    /// # std::fs::remove_file(path).unwrap();
    /// ```
    pub fn filename(self, path: impl Into<PathBuf>) -> Self {
        Self { output: Output::File { path: path.into(), truncate: false }, ..self }
    }

    /// Empties the file at `path`, then writes to it.
    ///
    /// ```
    /// use duramen::{Manager, config::basic_config, warning};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("run.log");
    /// std::fs::write(&path, "of the last run\n").unwrap();
    /// let root = Manager::new().root();
    /// basic_config().new_file(&path).format("%(message)s").apply_to(&root).unwrap();
    /// warning!(root, "of this run");
    /// # root.handlers()[0].close();
    /// ```
    pub fn new_file(self, path: impl Into<PathBuf>) -> Self {
        Self { output: Output::File { path: path.into(), truncate: true }, ..self }
    }

    /// Writes to `stream`.
    ///
    /// ```
    /// use duramen::config::basic_config;
    ///
    /// basic_config().stream(std::io::stdout()).apply().unwrap();
    /// ```
    pub fn stream(self, stream: impl Write + Send + 'static) -> Self {
        Self { output: Output::Stream(Box::new(stream)), ..self }
    }

    /// Uses `handlers` as they are, with their own formatters.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::config::basic_config;
    /// use duramen::handler::{FileHandler, StreamHandler};
    ///
    /// let path = std::env::temp_dir().join(format!("both-{}.log", std::process::id()));
    /// let file = Arc::new(FileHandler::new(&path).unwrap());
    /// basic_config().handlers(vec![file, Arc::new(StreamHandler::stderr())]).apply().unwrap();
    /// # std::fs::remove_file(path).unwrap();
    /// ```
    pub fn handlers(self, handlers: Vec<Arc<dyn Handler>>) -> Self {
        Self { output: Output::Handlers(handlers), ..self }
    }

    /// Takes away and closes the root's handlers first. Without it, a root that has handlers is left as
    /// it is.
    ///
    /// ```
    /// use duramen::{Manager, config::basic_config, handler::StreamHandler};
    ///
    /// let root = Manager::new().root();
    /// root.add_handler(std::sync::Arc::new(StreamHandler::stderr()));
    /// basic_config().stream(std::io::stdout()).force().apply_to(&root).unwrap(); // in place of that one
    /// assert_eq!(root.handlers().len(), 1);
    /// ```
    pub fn force(self) -> Self {
        Self { force: true, ..self }
    }

    /// Configures the root logger of the program.
    ///
    /// # Errors
    /// [`ConfigError`]; the loggers are then as before.
    pub fn apply(self) -> Result<(), ConfigError> {
        self.apply_to(&manager::root())
    }

    /// Configures `root`, which may belong to another manager.
    ///
    /// ```
    /// use duramen::{Level, Manager, config::basic_config};
    ///
    /// let manager = Manager::new();
    /// basic_config().level(Level::DEBUG).apply_to(&manager.root()).unwrap();
    /// assert!(manager.get_logger("shop").is_enabled_for(Level::DEBUG));
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`]; the loggers are then as before.
    pub fn apply_to(self, root: &Logger) -> Result<(), ConfigError> {
        if !self.force && !root.handlers().is_empty() {
            return Ok(());
        }
        let level = self.level;
        let handlers = self.build()?;
        for handler in root.take_handlers().iter() {
            handler.close();
        }
        for handler in handlers {
            root.add_handler(handler);
        }
        if let Some(level) = level {
            root.set_level(level);
        }
        Ok(())
    }

    fn build(self) -> Result<Vec<Arc<dyn Handler>>, ConfigError> {
        let format = self.format.unwrap_or_else(|| default_format(self.style).to_owned());
        let formatter =
            TextFormatter::new(&format, self.date_format.as_deref(), self.style).map_err(|error| {
                let unknown = kinds::unknown_fields("format", &format, self.style, &[], "");
                if unknown.is_empty() {
                    ConfigError::Format(format, error)
                } else {
                    Mistakes::new(unknown).into()
                }
            })?;
        let formatter = Arc::new(formatter);
        let stream = |handler: StreamHandler| {
            handler.set_formatter(formatter.clone());
            Arc::new(handler) as Arc<dyn Handler>
        };
        Ok(match self.output {
            Output::StandardError => vec![stream(StreamHandler::stderr())],
            Output::Stream(output) => vec![stream(StreamHandler::new(output))],
            Output::Handlers(handlers) => handlers,
            Output::File { path, truncate } => {
                let mut writer = FileWriter::new(&path);
                if truncate {
                    writer = writer.truncating();
                }
                writer.open().map_err(|error| ConfigError::File(path, error))?;
                let handler = FileHandler::with_writer(writer);
                handler.set_formatter(formatter);
                vec![Arc::new(handler)]
            }
        })
    }
}

fn default_format(style: Style) -> &'static str {
    match style {
        Style::Percent => "%(levelname)s:%(name)s:%(message)s",
        Style::Brace => "{levelname}:{name}:{message}",
        Style::Dollar => "${levelname}:${name}:${message}",
    }
}
