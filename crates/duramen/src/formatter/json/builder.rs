//! Which members the object of a record has.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::extra::{self, ExtraRules, Syntax};
use super::preset::Preset;
use super::source::{Json, Source};
use super::{DEEPEST, ExceptionForm, JsonFormatter, LogfmtFormatter, Step, TimestampForm, escape, pairs};
use crate::error::OptionError;
use crate::formatter::Field;
use crate::formatter::beginning::KeptBeginning;

/// What a member is when the record has nothing for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Left out.
    Omit,
    /// `null`.
    Null,
    /// This value.
    Json(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Member {
    /// The object inside the object that the member stands in.
    group: Option<Cow<'static, str>>,
    key: Cow<'static, str>,
    source: Source,
    missing: Missing,
}

/// Collects what the object of a record holds; [`JsonBuilder::build`] makes the formatter.
///
/// ```
/// use duramen::formatter::json::{JsonFormatter, Source, TimestampForm};
/// use duramen::Value;
///
/// let formatter = JsonFormatter::builder()
///     .members([("time", Source::Timestamp), ("text", Source::by_name("message"))])
///     .fixed("service", &Value::Text("shop".into()))
///     .timestamps(TimestampForm::Milliseconds)
///     .build()
///     .unwrap();
/// # drop(formatter);
/// ```
///
/// All that can be said of the members, and of the values:
///
/// ```
/// use duramen::formatter::json::{ExceptionForm, JsonBuilder, Source, TimestampForm};
/// use duramen::formatter::{Field, Formatter};
/// use duramen::{Level, Record, Value};
/// use jiff::tz::TimeZone;
///
/// let builder = JsonBuilder::default()
///     .members([("time", Source::Timestamp), ("text", Source::by_name("message"))])
///     .member("logger", Source::Field(Field::Name)) // `null` where there is none
///     .optional("thread", Source::Field(Field::ThreadName)) // left out where there is none
///     .fixed("service", &Value::Text("shop".into()))
///     .default_value("tenant", &Value::Text("nobody".into())) // where a record has no such field
///     .rename("user_id", "user")
///     .hide("password")
///     .without_private() // fields that begin with an underscore
///     .timestamps(TimestampForm::Rfc3339)
///     .zone(TimeZone::UTC)
///     .exceptions(ExceptionForm::Text)
///     .stack_as_lines()
///     .ascii()
///     .deepest(4)
///     .prefix("@cee: ");
/// let fields = [
///     ("user_id", Value::Integer(7)), ("_cache", Value::Bool(true)), ("password", Value::Text("hunter2".into())),
/// ];
/// let record = Record { fields: &fields, ..Record::new("shop", Level::INFO, "bought café") };
/// let mut line = Vec::new();
/// builder.clone().build().unwrap().format(&record, &mut line);
/// assert_eq!(
///     String::from_utf8(line).unwrap(),
///     r#"@cee: {"time": "1970-01-01T00:00:00.000000Z", "text": "bought caf\u00e9", "service": "shop", "#.to_owned()
///         + r#""tenant": "nobody", "user": 7, "logger": "shop"}"#
/// );
/// let error = builder.member("text", Source::LineText).build_logfmt().unwrap_err();
/// assert!(error.to_string().contains("text"), "{error}"); // two members of the same key
/// ```
#[derive(Clone, Debug)]
#[must_use = "a formatter is made by build"]
pub struct JsonBuilder {
    members: Vec<Member>,
    renames: Vec<(String, String)>,
    /// Where fixed values go.
    fixed_group: Option<&'static str>,
    prefix: String,
    extra: ExtraRules,
    timestamps: TimestampForm,
    zone: TimeZone,
    exceptions: ExceptionForm,
    stack_lines: bool,
    ascii: bool,
    indent: Option<Box<str>>,
    deepest: usize,
}

impl Default for JsonBuilder {
    /// The members of [`JsonFormatter`]'s default.
    fn default() -> Self {
        Self::empty()
            .member("timestamp", Source::Timestamp)
            .member("level", Source::Field(Field::Levelname))
            .member("logger", Source::Field(Field::Name))
            .member("message", Source::Field(Field::Message))
            .optional("", Source::Extras)
            .optional("exception", Source::Exception)
            .optional("stack", Source::Stack)
    }
}

impl JsonBuilder {
    pub(super) fn empty() -> Self {
        Self {
            members: Vec::new(),
            renames: Vec::new(),
            fixed_group: None,
            prefix: String::new(),
            extra: ExtraRules::default(),
            timestamps: TimestampForm::default(),
            zone: TimeZone::UTC,
            exceptions: ExceptionForm::default(),
            stack_lines: false,
            ascii: false,
            indent: None,
            deepest: DEEPEST,
        }
    }

    /// The members that a log system expects.
    ///
    /// ```
    /// use duramen::formatter::json::{JsonBuilder, Preset};
    ///
    /// let formatter = JsonBuilder::preset(&Preset::Ecs).rename("service", "service.name").build().unwrap();
    /// ```
    pub fn preset(preset: &Preset) -> Self {
        preset.builder()
    }

    /// These members, then `exc_info` and `stack_info` where there are any and none of the members shows them, then the
    /// extra fields.
    pub fn members(self, members: impl IntoIterator<Item = (impl Into<String>, Source)>) -> Self {
        let mut builder = Self { members: Vec::new(), ..self };
        for (key, source) in members {
            builder = builder.member(key.into(), source);
        }
        for (key, source) in [("exc_info", Source::Exception), ("stack_info", Source::Stack)] {
            if builder.members.iter().all(|member| member.source != source) {
                builder = builder.optional(key, source);
            }
        }
        builder.optional("", Source::Extras)
    }

    /// One more member; `null` where the record has nothing for it, but an exception or a stack, which are
    /// left out then.
    pub fn member(self, key: impl Into<Cow<'static, str>>, source: Source) -> Self {
        let rare = matches!(source, Source::Exception | Source::Stack | Source::ExceptionText);
        self.push(None, key.into(), source, if rare { Missing::Omit } else { Missing::Null })
    }

    /// One more member, left out where the record has nothing for it.
    pub fn optional(self, key: impl Into<Cow<'static, str>>, source: Source) -> Self {
        self.push(None, key.into(), source, Missing::Omit)
    }

    /// As [`JsonBuilder::optional`], inside the object `group`.
    pub(super) fn inside(self, group: &'static str, key: &'static str, source: Source) -> Self {
        self.push(Some(group.into()), key.into(), source, Missing::Omit)
    }

    /// A value that is the same for every record; an extra field of this name has it in its place.
    pub fn fixed(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        let name = name.into();
        let group = self.fixed_group.map(Cow::Borrowed);
        let is_that = |member: &&mut Member| {
            member.group == group && member.key == name && member.source.extra_name().is_some()
        };
        // A member of an extra field, which is written for records that have one, has the value for the others.
        if let Some(member) = self.members.iter_mut().find(is_that) {
            member.missing = Missing::Json(value.into().0);
            return self;
        }
        match self.fixed_group {
            Some(group) => {
                self.push(Some(group.into()), name.into(), Source::Fixed(value.into()), Missing::Omit)
            }
            None => self.with_default(&name, value.into()),
        }
    }

    /// The value of the member `name` where the record has nothing for it. Without such a member one is made
    /// of the field `name`.
    pub fn default_value(mut self, name: &str, value: impl Into<Json>) -> Self {
        let called = |member: &&mut Member| member.key == name || member.source.is_called(name);
        match self.members.iter_mut().find(called) {
            Some(member) => member.missing = Missing::Json(value.into().0),
            None => self = self.with_default(name, value.into()),
        }
        self
    }

    /// A member of the field `name`, which has the key and the value that its place asks for.
    fn with_default(self, name: &str, Json(mut json): Json) -> Self {
        let key = format!("{}{name}", self.extra.prefix);
        if self.extra.syntax == Syntax::Plain {
            extra::make_plain(&mut json, 0, false);
        }
        self.push(None, key.into(), Source::by_name(name), Missing::Json(json))
    }

    fn push(
        mut self,
        group: Option<Cow<'static, str>>,
        key: Cow<'static, str>,
        source: Source,
        missing: Missing,
    ) -> Self {
        let member = Member { group, key, source, missing };
        // A group stands together; the extra fields stay behind what is added to them later.
        let after_group =
            self.members.iter().rposition(|other| other.group.is_some() && other.group == member.group);
        let extras =
            self.members.iter().position(|other| other.source == Source::Extras && other.group.is_none());
        let at_extras =
            extras.filter(|_| matches!(member.source, Source::Extra(_)) && member.group.is_none());
        let position = after_group.map(|position| position + 1).or(at_extras).unwrap_or(self.members.len());
        self.members.insert(position, member);
        self
    }

    /// Gives the member whose source or key is called `name` another key; without such a member, the extra
    /// field `name`.
    pub fn rename(mut self, name: impl Into<String>, key: impl Into<String>) -> Self {
        self.renames.push((name.into(), key.into()));
        self
    }

    /// Leaves out extra fields whose names begin with an underscore.
    pub fn without_private(mut self) -> Self {
        self.extra.without_private = true;
        self
    }

    /// Leaves out the extra field `name`.
    pub fn hide(mut self, name: impl Into<String>) -> Self {
        self.extra.named.push(name.into());
        self
    }

    /// Writes the keys of extra fields with `prefix` before them, of plain characters alone, and their values
    /// as text or numbers.
    pub(super) fn plain_extra(mut self, prefix: &str) -> Self {
        self.extra.syntax = Syntax::Plain;
        // GELF keeps this name for itself.
        self.extra.taken.push("id".to_owned());
        prefix.clone_into(&mut self.extra.prefix);
        self
    }

    /// Puts the fixed values into the object `group`.
    pub(super) fn fixed_inside(self, group: &'static str) -> Self {
        Self { fixed_group: Some(group), ..self }
    }

    /// Text before the object.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// How the creation time is written (default: RFC 3339).
    pub fn timestamps(self, timestamps: TimestampForm) -> Self {
        Self { timestamps, ..self }
    }

    /// The zone of timestamps by RFC 3339 (default: UTC).
    pub fn zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// How exceptions are shown (default: as text).
    pub fn exceptions(self, exceptions: ExceptionForm) -> Self {
        Self { exceptions, ..self }
    }

    /// Writes the stack as a list of lines.
    pub fn stack_as_lines(self) -> Self {
        Self { stack_lines: true, ..self }
    }

    /// Writes every character beyond ASCII as `\uXXXX`.
    pub fn ascii(self) -> Self {
        Self { ascii: true, ..self }
    }

    /// Writes each member and element on a line of its own, `indent` before it for each level: for people, as most log
    /// systems take a line for a record.
    ///
    /// ```
    /// use duramen::formatter::{Formatter, JsonFormatter, json::Source};
    /// # use duramen::record::Caller;
    /// # let record = duramen::Record {
    /// #     name: "app", level: duramen::Level::INFO, level_name: "INFO", message: "hello", created_ns: 0,
    /// #     relative_created_ms: 0.0,
    /// #     caller: Caller { pathname: "", filename: "", module: "", line: 1, function: "" },
    /// #     thread: None, thread_name: None, process: None, process_name: None, task_name: None,
    /// #     fields: &[], exception: None, stack: None,
    /// # };
    /// let members = [("text", Source::by_name("message"))];
    /// let formatter = JsonFormatter::builder().members(members).indent("  ").build().unwrap();
    /// let mut text = Vec::new();
    /// formatter.format(&record, &mut text);
    /// assert_eq!(text, b"{\n  \"text\": \"hello\"\n}");
    /// ```
    pub fn indent(self, indent: impl Into<String>) -> Self {
        Self { indent: Some(indent.into().into()), ..self }
    }

    /// How many lists and mappings may stand inside each other in an extra field, from 1 on (default: 16). What nests
    /// deeper is named.
    pub fn deepest(self, deepest: usize) -> Self {
        Self { deepest, ..self }
    }

    /// Makes the formatter.
    ///
    /// # Errors
    /// [`OptionError`] when two members would have the same key.
    pub fn build(mut self) -> Result<JsonFormatter, OptionError> {
        self.compile()
    }

    /// Makes a formatter that writes the members as pairs.
    ///
    /// # Errors
    /// As for [`JsonBuilder::build`].
    pub fn build_logfmt(mut self) -> Result<LogfmtFormatter, OptionError> {
        self.extra.syntax = Syntax::Pairs;
        self.compile().map(LogfmtFormatter)
    }

    fn compile(&mut self) -> Result<JsonFormatter, OptionError> {
        self.apply_renames();
        self.refuse_same_keys()?;
        let mut extra = std::mem::take(&mut self.extra);
        let extras = self.members.iter().find(|member| member.source == Source::Extras);
        let extra_group = extras.map(|member| member.group.clone());
        for member in &self.members {
            extra.named.extend(member.source.extra_name().map(str::to_owned));
            if Some(&member.group) == extra_group.as_ref() && member.source != Source::Extras {
                let key = member.key.strip_prefix(extra.prefix.as_str());
                extra.taken.extend(key.map(str::to_owned));
            }
        }
        extra.seal();
        Ok(JsonFormatter {
            prefix: std::mem::take(&mut self.prefix).into_bytes(),
            steps: steps(&self.members, self.ascii, extra.syntax),
            extra,
            timestamps: self.timestamps,
            zone: self.zone.clone(),
            exceptions: self.exceptions,
            stack_lines: self.stack_lines,
            ascii: self.ascii,
            indent: self.indent.take(),
            deepest: self.deepest,
            kept: KeptBeginning::default(),
        })
    }

    #[expect(clippy::indexing_slicing, reason = "the place was found in it")]
    fn apply_renames(&mut self) {
        for (name, key) in std::mem::take(&mut self.renames) {
            let by_source = self.members.iter().position(|member| member.source.is_called(&name));
            let position = by_source.or_else(|| self.members.iter().position(|member| member.key == name));
            match position {
                Some(position) => self.members[position].key = key.into(),
                None => self.extra.renamed.push((name, key)),
            }
        }
    }

    #[expect(clippy::indexing_slicing, reason = "the index is of one of them")]
    fn refuse_same_keys(&self) -> Result<(), OptionError> {
        for (index, member) in self.members.iter().enumerate() {
            let same = |other: &Member| other.group == member.group && other.key == member.key;
            if self.members[..index].iter().any(same) {
                let path = format!("fields[{:?}]", member.key);
                return Err(OptionError::new(path, "two members with this key", "one member for each key"));
            }
        }
        Ok(())
    }
}

fn steps(members: &[Member], ascii: bool, syntax: Syntax) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut group = None;
    for member in members {
        if member.group != group {
            if group.is_some() {
                steps.push(Step::Close);
            }
            group.clone_from(&member.group);
            steps.extend(group.as_deref().map(|group| Step::Open { key: key_in_quotes(group, ascii) }));
        }
        steps.push(match &member.source {
            Source::Extras => Step::Extra,
            source => Step::Member {
                key: match syntax {
                    Syntax::Pairs | Syntax::PaintedPairs => key_of_pair(&member.key),
                    Syntax::Json | Syntax::Plain => key_in_quotes(&member.key, ascii),
                },
                source: source.clone(),
                missing: member.missing.clone(),
            },
        });
    }
    steps.extend(group.map(|_| Step::Close));
    steps
}

fn key_in_quotes(key: &str, ascii: bool) -> Vec<u8> {
    let mut out = Vec::new();
    escape::write_text(key, ascii, &mut out);
    out.extend_from_slice(b": ");
    out
}

fn key_of_pair(key: &str) -> Vec<u8> {
    let mut out = Vec::new();
    pairs::write_key(&[key], false, &mut out);
    out
}
