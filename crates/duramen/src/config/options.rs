//! The options of one formatter, filter, handler or logger, as they are written: each is asked for by name, and
//! what is wrong is noted with its path.

use std::ops::RangeInclusive;

use crate::error::OptionError;
use crate::{Level, Value};

/// The options at one place of a configuration. Whoever checks them asks for each by its name; what nobody has
/// asked for is a mistake too.
///
/// An option that is `null` counts as not given, as `None` does in Python.
///
/// ```
/// use duramen::config::{Recipe, Registry};
/// use duramen::handler::SocketHandler;
///
/// let kinds = Registry::new().handler("shop.Collector", |options| {
///     let host = options.required_text("host")?.to_owned();
///     let port = options.integer("port", 1..=65535).unwrap_or(9020);
///     let port = u16::try_from(port).unwrap_or(9020);
///     Some(Recipe::new(move |_| Ok(std::sync::Arc::new(SocketHandler::new(host.clone(), port)))))
/// });
/// let error = kinds
///     .from_json(r#"{"version": 1, "handlers": {"c": {"class": "shop.Collector", "host": "c", "port": 0}}}"#)
///     .err()
///     .unwrap();
/// assert!(error.to_string().ends_with("handlers.c.port: found 0, expected an integer from 1 to 65535"));
/// ```
///
/// Each kind of option has its method. `None` says that it is not given, or that it is wrong and has been noted:
///
/// ```
/// use std::sync::Arc;
///
/// use duramen::config::{Recipe, Registry};
/// use duramen::{Level, handler::NullHandler};
///
/// let kinds = Registry::new().handler("shop.Collector", |options| {
///     assert_eq!(options.path(), "handlers.collector");
///     let host = options.text("host").unwrap_or("localhost").to_owned();
///     let port = options.required_integer("port", 1..=65535);
///     let has_tls = options.flag("tls").unwrap_or(true); // 1 and 0 too, as in INI files
///     let seconds = options.number("timeout").unwrap_or(5.0);
///     let urgent = options.level("urgent").unwrap_or(Level::ERROR); // a name or a number
///     let form = options.one_of("form", "json or text", |text| ["json", "text"].contains(&text).then(|| text.to_owned()));
///     let topics = options.texts("topics").unwrap_or_default(); // a list
///     let headers = options.text_entries("headers").unwrap_or_default(); // a mapping to texts
///     let labels = options.entries("labels").unwrap_or_default(); // a mapping to any values
///     let extra = options.value("extra"); // as it is written
///     let is_off = options.is_null("proxy"); // `null` stands for something else than nothing
///     if !has_tls && options.is_right() && headers.iter().any(|(name, _)| *name == "authorization") {
///         options.mistake("headers", "authorization", "no secrets without tls");
///     }
///     Some(Recipe::new(|_| Ok(Arc::new(NullHandler))))
/// });
/// let error = kinds
///     .from_json(
///         r#"{"version": 1, "handlers": {"collector": {
///             "class": "shop.Collector", "tls": false, "timeout": "long", "topics": ["a", 1], "hots": "c"
///         }}}"#,
///     )
///     .err()
///     .unwrap()
///     .to_string();
/// let mistakes: Vec<_> = error.lines().skip(1).map(|line| line.trim_start().split(',').next().unwrap()).collect();
/// assert_eq!(
///     mistakes,
///     [
///         "handlers.collector.port: found nothing",
///         "handlers.collector.timeout: found \"long\"",
///         "handlers.collector.topics[1]: found 1",
///         "handlers.collector.hots: found an unknown option",
///     ]
/// );
/// ```
#[derive(Debug)]
pub struct Options<'a> {
    path: String,
    entries: &'a [(std::borrow::Cow<'a, str>, Value<'a>)],
    asked: Vec<&'static str>,
    /// Options that name handlers, with the names.
    handlers: Vec<(String, String)>,
    mistakes: Vec<OptionError>,
    allowed: Allowed<'a>,
}

/// Which options need not be asked for.
#[derive(Debug)]
enum Allowed<'a> {
    These(&'a std::collections::BTreeSet<String>),
    None,
    All,
}

impl<'a> Options<'a> {
    /// The options at `path`; what is no mapping is noted, and has none.
    pub(super) fn of(path: impl Into<String>, value: &'a Value<'a>) -> Self {
        let path = path.into();
        let (entries, mistakes) = match value {
            Value::Map(entries) => (entries.as_slice(), Vec::new()),
            Value::Null => (&[][..], Vec::new()),
            other => (&[][..], vec![OptionError::new(&*path, shown(other), "a mapping")]),
        };
        Self { path, entries, asked: Vec::new(), handlers: Vec::new(), mistakes, allowed: Allowed::None }
    }

    /// Where the options stand, as `handlers.file`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The option as it is written; `None` also for `null`.
    pub fn value(&mut self, name: &'static str) -> Option<&'a Value<'a>> {
        self.asked.push(name);
        let found = self.entries.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value).filter(|value| **value != Value::Null)
    }

    /// Whether the option is given, as `null`.
    pub fn is_null(&mut self, name: &'static str) -> bool {
        self.asked.push(name);
        self.entries.iter().any(|(key, value)| key == name && *value == Value::Null)
    }

    /// The text of an option.
    pub fn text(&mut self, name: &'static str) -> Option<&'a str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            other => self.refuse(name, other, "text"),
        }
    }

    /// The text of an option that has to be there.
    pub fn required_text(&mut self, name: &'static str) -> Option<&'a str> {
        self.require(name, "text")?;
        self.text(name)
    }

    /// `true` or `false`; also 1 or 0, as in INI files.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::Integer(number @ 0..=1) => Some(*number == 1),
            other => self.refuse(name, other, "true or false"),
        }
    }

    /// A whole number within `range`.
    pub fn integer(&mut self, name: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        match self.value(name)? {
            Value::Integer(number) if range.contains(number) => Some(*number),
            other => self.refuse(name, other, &integer_of(&range)),
        }
    }

    /// A whole number within `range` that has to be there.
    pub fn required_integer(&mut self, name: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        self.require(name, &integer_of(&range))?;
        self.integer(name, range)
    }

    /// A number, whole or not.
    #[expect(clippy::cast_precision_loss, reason = "a rate is rounded")]
    pub fn number(&mut self, name: &'static str) -> Option<f64> {
        match self.value(name)? {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            other => self.refuse(name, other, "a number"),
        }
    }

    /// The name of a level, or its number.
    pub fn level(&mut self, name: &'static str) -> Option<Level> {
        let value = self.value(name)?;
        let level = match value {
            Value::Integer(number) => Some(Level(*number)),
            // A number in quotes is a mistake, as in Python.
            Value::Text(text) if text.parse::<i64>().is_err() => text.parse().ok(),
            _ => None,
        };
        level.or_else(|| {
            let names: Vec<_> = crate::level::level_names().into_keys().collect();
            let near = if let Value::Text(text) = value { did_you_mean(text, &names) } else { String::new() };
            self.refuse(name, value, &format!("one of {}, or a number{near}", names.join(", ")))
        })
    }

    /// What `known` makes of a text. Where that is nothing, `expected` says in the mistake what would be right.
    pub fn one_of<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        known: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        known(text).or_else(|| {
            self.mistake(name, format!("{text:?}"), expected);
            None
        })
    }

    /// A list of texts; those that are none are noted with their place, as `topics[1]`.
    pub fn texts(&mut self, name: &'static str) -> Option<Vec<&'a str>> {
        let Value::List(values) = self.value(name)? else {
            let value = self.value(name)?;
            return self.refuse(name, value, "a list of names");
        };
        let mut texts = Vec::new();
        for (index, value) in values.iter().enumerate() {
            match value {
                Value::Text(text) => texts.push(&**text),
                other => self.mistake(&format!("{name}[{index}]"), shown(other), "text"),
            }
        }
        Some(texts)
    }

    /// The entries of a mapping, in their order.
    pub fn entries(&mut self, name: &'static str) -> Option<Vec<(&'a str, &'a Value<'a>)>> {
        match self.value(name)? {
            Value::Map(entries) => Some(entries.iter().map(|(key, value)| (&**key, value)).collect()),
            other => self.refuse(name, other, "a mapping"),
        }
    }

    /// The entries of a mapping to texts.
    pub fn text_entries(&mut self, name: &'static str) -> Option<Vec<(&'a str, &'a str)>> {
        let mut texts = Vec::new();
        for (key, value) in self.entries(name)? {
            match value {
                Value::Text(text) => texts.push((key, &**text)),
                other => self.mistake(&format!("{name}.{key}"), shown(other), "text"),
            }
        }
        Some(texts)
    }

    /// The name of another handler of the configuration, which [`Parts::handler`](super::Parts::handler) then has.
    pub fn handler(&mut self, name: &'static str) -> Option<String> {
        let handler = self.text(name)?;
        self.handlers.push((name.to_owned(), handler.to_owned()));
        Some(handler.to_owned())
    }

    /// The names of other handlers of the configuration.
    ///
    /// ```
    /// use duramen::config::{Recipe, Registry};
    /// use duramen::{Level, handler::MemoryHandler};
    ///
    /// let kinds = Registry::new().handler("shop.First", |options| {
    ///     let targets = options.handlers("targets")?; // each has to be a handler of the configuration
    ///     Some(Recipe::new(move |parts| {
    ///         let target = parts.handler(&targets[0])?;
    ///         Ok(std::sync::Arc::new(MemoryHandler::new(100, Level::ERROR, target)))
    ///     }))
    /// });
    /// let error = kinds
    ///     .from_json(r#"{"version": 1, "handlers": {"first": {"class": "shop.First", "targets": ["screen"]}}}"#)
    ///     .err()
    ///     .unwrap();
    /// assert!(error.to_string().contains("handlers.first.targets[0]: found \"screen\", expected a handler"));
    /// ```
    pub fn handlers(&mut self, name: &'static str) -> Option<Vec<String>> {
        let handlers = self.texts(name)?;
        for (index, handler) in handlers.iter().enumerate() {
            self.handlers.push((format!("{name}[{index}]"), (*handler).to_owned()));
        }
        Some(handlers.into_iter().map(str::to_owned).collect())
    }

    /// Notes that the option `name` is `found` where `expected` would be right.
    pub fn mistake(&mut self, name: &str, found: impl Into<String>, expected: impl Into<String>) {
        let path = if name.is_empty() { self.path.clone() } else { join(&self.path, name) };
        self.mistakes.push(OptionError::new(path, found, expected));
    }

    /// Notes an error of a part of the configuration, whose path begins here.
    pub(super) fn refused(&mut self, error: OptionError) {
        self.mistake(&error.path.clone(), error.found, error.expected);
    }

    /// Notes that `value` is not what is expected of the option `name`.
    pub(super) fn refuse<T>(&mut self, name: &str, value: &Value<'_>, expected: &str) -> Option<T> {
        self.mistake(name, shown(value), expected);
        None
    }

    /// Notes that the option `name` is missing, where it is.
    pub(super) fn require(&mut self, name: &'static str, expected: &str) -> Option<()> {
        if self.value(name).is_none() {
            self.mistake(name, "nothing", expected);
            return None;
        }
        Some(())
    }

    /// Whether all was right until now.
    pub fn is_right(&self) -> bool {
        self.mistakes.is_empty()
    }

    /// The options in the mapping `name`, to be [ended](Options::end_nested) by hand.
    pub(super) fn nested(&mut self, name: &'static str) -> Option<Options<'a>> {
        let value = self.value(name)?;
        Some(Options::of(join(&self.path, name), value))
    }

    /// Takes over what was wrong in nested options.
    pub(super) fn end_nested(&mut self, nested: Options<'_>) {
        self.mistakes.extend(nested.end(true).mistakes);
    }

    /// Options of these names may be there without being asked for.
    pub(super) fn allow(&mut self, names: &'a std::collections::BTreeSet<String>) {
        self.allowed = Allowed::These(names);
    }

    /// Any other options may be there.
    pub(super) fn allow_all(&mut self) {
        self.allowed = Allowed::All;
    }

    /// What the options asked of others, and what is wrong with them. Names that nobody has asked for are wrong;
    /// where the check was given up halfway, only those that are like one that was.
    pub(super) fn end(mut self, is_complete: bool) -> Asked {
        let mut known: Vec<_> = self.asked.iter().map(|name| (*name).to_owned()).collect();
        known.sort_unstable();
        known.dedup();
        for (key, _) in self.entries {
            let is_allowed = match self.allowed {
                Allowed::All => true,
                Allowed::These(names) => names.contains(&**key),
                Allowed::None => false,
            };
            let near = did_you_mean(key, &known);
            if !is_allowed && !self.asked.contains(&&**key) && (is_complete || !near.is_empty()) {
                let expected = format!("one of {}{near}", known.join(", "));
                self.mistakes.push(OptionError::new(join(&self.path, key), "an unknown option", expected));
            }
        }
        Asked { handlers: self.handlers, mistakes: self.mistakes }
    }
}

/// What is left of options when they have been asked for.
pub(super) struct Asked {
    pub(super) handlers: Vec<(String, String)>,
    pub(super) mistakes: Vec<OptionError>,
}

/// `path.name`, or the one of them that is not empty.
pub(super) fn join(path: &str, name: &str) -> String {
    match (path, name) {
        ("", name) => name.to_owned(),
        (path, "") => path.to_owned(),
        (path, name) if name.starts_with('[') => format!("{path}{name}"),
        (path, name) => format!("{path}.{name}"),
    }
}

/// The value as an error shows it.
pub(super) fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

/// `; did you mean …?`, where a name of `known` is near.
pub(super) fn did_you_mean(name: &str, known: &[String]) -> String {
    let near = known
        .iter()
        .map(|other| (strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase()), other))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    near.map_or_else(String::new, |(_, other)| format!("; did you mean {other:?}?"))
}

fn integer_of(range: &RangeInclusive<i64>) -> String {
    match (*range.start(), *range.end()) {
        (least, i64::MAX) => format!("an integer of at least {least}"),
        (least, most) if least == most => least.to_string(),
        (least, most) => format!("an integer from {least} to {most}"),
    }
}
