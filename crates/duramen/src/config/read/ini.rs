//! The INI form of Python's `fileConfig`, read into the form of `dictConfig`.

use super::super::Mistakes;
use super::{Written, literal, malformed};
use crate::Value;
use crate::error::OptionError;

/// The options of the classes that are given by place, in the order of Python's signatures.
const POSITIONS: [(&str, &[&str]); 11] = [
    ("StreamHandler", &["stream"]),
    ("FileHandler", &["filename", "mode", "encoding", "delay", "errors"]),
    ("WatchedFileHandler", &["filename", "mode", "encoding", "delay", "errors"]),
    ("RotatingFileHandler", &["filename", "mode", "maxBytes", "backupCount", "encoding", "delay", "errors"]),
    (
        "TimedRotatingFileHandler",
        &["filename", "when", "interval", "backupCount", "encoding", "delay", "utc", "atTime", "errors"],
    ),
    ("MemoryHandler", &["capacity", "flushLevel", "target", "flushOnClose"]),
    ("SocketHandler", &["host", "port"]),
    ("DatagramHandler", &["host", "port"]),
    ("HTTPHandler", &["host", "url", "method", "secure", "credentials", "context"]),
    ("SMTPHandler", &["mailhost", "fromaddr", "toaddrs", "subject", "credentials", "secure"]),
    ("SysLogHandler", &["address", "facility", "socktype"]),
];

type Entries = Vec<(std::borrow::Cow<'static, str>, Value<'static>)>;

/// The configuration as far as it can be read, and what is wrong with the rest.
pub(in super::super) fn read(text: &str) -> Result<Written, Mistakes> {
    let mut reader = Reader { file: File::parse(text)?, mistakes: Vec::new() };
    let dict = reader.dict();
    Ok((dict, reader.mistakes))
}

/// The sections of a file, as Python's `ConfigParser` reads them.
struct File {
    sections: Vec<(String, Vec<(String, String)>)>,
}

impl File {
    fn parse(text: &str) -> Result<Self, Mistakes> {
        let mut sections: Vec<(String, Vec<(String, String)>)> = Vec::new();
        let mut indentation = 0;
        for (index, line) in text.lines().enumerate() {
            let wrong = |problem: String| malformed(index + 1, 1, problem, "INI");
            let content = line.trim();
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            let indented = line.len() - line.trim_start().len();
            if indented > indentation
                && let Some((_, value)) = sections.last_mut().and_then(|(_, options)| options.last_mut())
            {
                value.push('\n');
                value.push_str(content);
                continue;
            }
            indentation = indented;
            if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                if sections.iter().any(|(known, _)| known == name.0) {
                    return Err(wrong(format!("the section [{}] a second time", name.0)));
                }
                sections.push((name.0.to_owned(), Vec::new()));
                continue;
            }
            let Some((_, options)) = sections.last_mut() else {
                return Err(wrong("an option before the first section".to_owned()));
            };
            let Some((name, value)) = content.split_once(['=', ':']) else {
                return Err(wrong(format!("{content:?} without \"=\"")));
            };
            let name = name.trim().to_lowercase();
            if options.iter().any(|(known, _)| *known == name) {
                return Err(wrong(format!("the option {name:?} a second time")));
            }
            options.push((name, value.trim().to_owned()));
        }
        Ok(Self { sections })
    }

    fn has(&self, section: &str) -> bool {
        self.sections.iter().any(|(name, _)| name == section)
    }

    /// The options of the section itself, as they stand there.
    fn options(&self, section: &str) -> impl Iterator<Item = (&str, &str)> {
        let found = self.sections.iter().find(|(name, _)| name == section);
        found.into_iter().flat_map(|(_, options)| options).map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The option as it stands in the section, or in `[DEFAULT]`.
    fn raw(&self, section: &str, option: &str) -> Option<&str> {
        [section, "DEFAULT"].into_iter().find_map(|wanted| {
            let (_, options) = self.sections.iter().find(|(name, _)| name == wanted)?;
            options.iter().find(|(name, _)| name == option).map(|(_, value)| value.as_str())
        })
    }

    /// The option with other options of the section in the places of `%(name)s`.
    fn value(&self, section: &str, option: &str) -> Option<String> {
        self.interpolated(section, option).map(|value| value.replace("%%", "%"))
    }

    /// The same, with each `%%` as it is. A place for which there is no option stays too.
    #[expect(
        clippy::string_slice,
        reason = "the places were found in it, and `%(` and `)s` are two bytes each"
    )]
    fn interpolated(&self, section: &str, option: &str) -> Option<String> {
        const LONGEST_CHAIN: usize = 10;
        let mut value = self.raw(section, option)?.to_owned();
        for _ in 0..LONGEST_CHAIN {
            let Some(start) = value.find("%(") else { break };
            let Some(length) = value[start..].find(")s") else { break };
            let name = value[start + 2..start + length].to_lowercase();
            let Some(other) = self.raw(section, &name).map(str::to_owned) else { break };
            value.replace_range(start..start + length + 2, &other);
        }
        Some(value)
    }
}

struct Reader {
    file: File,
    mistakes: Vec<OptionError>,
}

impl Reader {
    fn dict(&mut self) -> Value<'static> {
        let [formatters, handlers, loggers] =
            ["formatters", "handlers", "loggers"].map(|kind| self.names(kind));
        if !loggers.iter().any(|name| name == "root") && self.file.has("loggers") {
            self.mistake("[loggers] keys", "no root", "root among them");
        }
        let formatters: Entries = formatters.into_iter().map(|name| self.formatter(name)).collect();
        let handlers: Entries = handlers.into_iter().map(|name| self.handler(name)).collect();
        let mut root = Value::Null;
        let mut named = Entries::new();
        for name in loggers {
            let section = format!("logger_{name}");
            if !self.require(&section) {
                continue;
            }
            let logger = self.logger(&section);
            if name == "root" {
                root = logger;
            } else {
                match self.file.value(&section, "qualname") {
                    Some(qualname) => named.push((qualname.into(), logger)),
                    None => {
                        self.mistake(&format!("[{section}] qualname"), "nothing", "the name of the logger");
                    }
                }
            }
        }
        Value::Map(vec![
            ("version".into(), Value::Integer(1)),
            ("formatters".into(), Value::Map(formatters)),
            ("handlers".into(), Value::Map(handlers)),
            ("loggers".into(), Value::Map(named)),
            ("root".into(), root),
            ("redact".into(), self.redact()),
        ])
    }

    /// The section `[redact]`: lists with commas between, and mappings in sections of their own. Nothing is put into the
    /// places of `%(name)s`: regular expressions have their own `%`.
    fn redact(&mut self) -> Value<'static> {
        let mut entries = Entries::new();
        for (name, text) in self.file.options("redact") {
            let names = ["packs", "keys", "allow", "handlers"].contains(&name);
            let value = if names {
                Value::List(split(text).into_iter().map(|name| Value::Text(name.into())).collect())
            } else {
                Value::Text(text.to_owned().into())
            };
            entries.push((name.to_owned().into(), value));
        }
        for (section, option) in [("redact_patterns", "patterns"), ("redact_modes", "modes")] {
            if !self.file.has(section) {
                continue;
            }
            let options = self.file.options(section);
            let texts = options
                .map(|(name, text)| (name.to_owned().into(), Value::Text(text.to_owned().into())))
                .collect();
            if self.file.has("redact") {
                entries.push((option.into(), Value::Map(texts)));
            } else {
                self.mistake(&format!("[{section}]"), "no section [redact]", "one, which may be empty");
            }
        }
        if self.file.has("redact") { Value::Map(entries) } else { Value::Null }
    }

    fn mistake(&mut self, path: &str, found: impl Into<String>, expected: &str) {
        self.mistakes.push(OptionError::new(path, found, expected));
    }

    fn require(&mut self, section: &str) -> bool {
        let is_there = self.file.has(section);
        if !is_there {
            self.mistake(&format!("[{section}]"), "nothing", "this section");
        }
        is_there
    }

    /// The names that the section of a kind lists.
    fn names(&mut self, kind: &str) -> Vec<String> {
        if !self.require(kind) {
            return Vec::new();
        }
        if let Some(keys) = self.file.value(kind, "keys") {
            split(&keys)
        } else {
            self.mistake(&format!("[{kind}] keys"), "nothing", "names with commas between");
            Vec::new()
        }
    }

    fn formatter(&mut self, name: String) -> (std::borrow::Cow<'static, str>, Value<'static>) {
        let section = format!("formatter_{name}");
        let mut entries = Entries::new();
        if self.require(&section) {
            if let Some(class) = self.file.value(&section, "class").filter(|class| !class.is_empty()) {
                entries.push(("class".into(), Value::Text(class.into())));
            }
            for option in ["format", "datefmt", "style"] {
                if let Some(text) = self.file.raw(&section, option).filter(|text| !text.is_empty()) {
                    entries.push((option.into(), Value::Text(text.to_owned().into())));
                }
            }
            if let Some(defaults) = self.literal(&section, "defaults") {
                entries.push(("defaults".into(), defaults));
            }
        }
        (name.into(), Value::Map(entries))
    }

    fn handler(&mut self, name: String) -> (std::borrow::Cow<'static, str>, Value<'static>) {
        let section = format!("handler_{name}");
        let mut entries = Entries::new();
        if !self.require(&section) {
            return (name.into(), placeholder());
        }
        let mistakes = self.mistakes.len();
        let class = self.file.value(&section, "class").unwrap_or_default();
        let short = class.rsplit('.').next().unwrap_or_default().to_owned();
        // The names of `logging` need no path there.
        let known = class == short || class == format!("handlers.{short}");
        let class = if known && !class.is_empty() { format!("logging.{class}") } else { class };
        if class.is_empty() {
            self.mistake(&format!("[{section}] class"), "nothing", "the name of a class, as StreamHandler");
        }
        entries.push(("class".into(), Value::Text(class.into())));
        for option in ["level", "formatter", "target"] {
            if let Some(text) = self.file.value(&section, option).filter(|text| !text.is_empty()) {
                entries.push((option.into(), Value::Text(text.into())));
            }
        }
        self.arguments(&section, &short, &mut entries);
        let is_right = self.mistakes.len() == mistakes;
        (name.into(), if is_right { Value::Map(entries) } else { placeholder() })
    }

    /// The options in `args` and `kwargs`.
    fn arguments(&mut self, section: &str, class: &str, entries: &mut Entries) {
        let positions =
            POSITIONS.iter().find(|(known, _)| *known == class).map_or(&[][..], |(_, names)| names);
        match self.literal(section, "args") {
            Some(Value::List(values)) => {
                if values.len() > positions.len() {
                    let expected = format!("at most {}; others by name in kwargs", positions.len());
                    self.mistake(
                        &format!("[{section}] args"),
                        format!("{} arguments", values.len()),
                        &expected,
                    );
                }
                entries.extend(positions.iter().map(|name| (*name).into()).zip(values));
            }
            Some(other) => {
                self.mistake(&format!("[{section}] args"), other.to_string(), "a tuple, as ('app.log', 'a')");
            }
            None => {}
        }
        match self.literal(section, "kwargs") {
            Some(Value::Map(named)) => {
                for (name, value) in named {
                    if entries.iter().any(|(other, _)| *other == name) {
                        let found = format!("{name:?}, which is given already");
                        self.mistake(&format!("[{section}] kwargs"), found, "each option once");
                    } else {
                        entries.push((name, value));
                    }
                }
            }
            Some(other) => self.mistake(&format!("[{section}] kwargs"), other.to_string(), "a dict"),
            None => {}
        }
    }

    fn literal(&mut self, section: &str, option: &str) -> Option<Value<'static>> {
        let text = self.file.value(section, option).filter(|text| !text.is_empty())?;
        let interpolated = self.file.interpolated(section, option).unwrap_or_default();
        if let Some((_, rest)) = interpolated.replace("%%", "").split_once("%(") {
            let name = rest.split(')').next().unwrap_or_default();
            let expected = "an option of the section or of [DEFAULT]";
            self.mistake(&format!("[{section}] {option}"), format!("\"%({name})s\""), expected);
        }
        let read = literal::read(&text);
        read.map_err(|problem| {
            let expected = "literals, sys.stdout or sys.stderr: nothing is evaluated";
            self.mistake(&format!("[{section}] {option}"), problem, expected);
        })
        .ok()
    }

    fn logger(&mut self, section: &str) -> Value<'static> {
        let mut entries = Entries::new();
        if let Some(level) = self.file.value(section, "level").filter(|level| !level.is_empty()) {
            entries.push(("level".into(), Value::Text(level.into())));
        }
        if let Some(propagate) = self.file.value(section, "propagate") {
            let propagate = propagate.parse().map_or(Value::Text(propagate.into()), Value::Integer);
            entries.push(("propagate".into(), propagate));
        }
        let handlers = self.file.value(section, "handlers").unwrap_or_default();
        let handlers = split(&handlers).into_iter().map(|name| Value::Text(name.into()));
        entries.push(("handlers".into(), Value::List(handlers.collect())));
        Value::Map(entries)
    }
}

/// Stands for a handler that could not be read, so that who names it is not wrong too.
fn placeholder() -> Value<'static> {
    Value::Map(vec![("class".into(), Value::Text("logging.NullHandler".into()))])
}

fn split(names: &str) -> Vec<String> {
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
