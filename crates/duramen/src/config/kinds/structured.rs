//! The options of `JsonFormatter` and `LogfmtFormatter`, which take those of python-json-logger too.

use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use regex::Regex;

use super::super::options::Options;
use super::formatters::format;
use crate::formatter::asctime::Asctime;
use crate::formatter::json::{
    ExceptionForm, Json, JsonBuilder, JsonFormatter, LogfmtFormatter, Preset, RecordDetails, Source,
    TimestampForm,
};
use crate::formatter::{Field, Formatter};
use crate::record::{ATTRIBUTES, is_attribute};
use crate::{Record, Value};

/// Attributes that no member shows under their own names: members for them are there anyway, or Rust's records lack them.
const NOT_SHOWN: [&str; 5] = ["msg", "args", "exc_info", "exc_text", "stack_info"];

/// Options of Python's formatters that are functions.
const FUNCTIONS: [&str; 4] = ["default", "json_default", "json_encoder", "json_serializer"];

pub(super) fn json(options: &mut Options<'_>) -> Option<Arc<dyn Formatter>> {
    let mut builder = begin(options, true);
    if let Some(prefix) = options.text("prefix") {
        builder = builder.prefix(prefix);
    }
    if options.flag("stack_info_as_array") == Some(true) {
        builder = builder.stack_as_lines();
    }
    if options.flag("json_ensure_ascii") == Some(true) {
        builder = builder.ascii();
    }
    match options.value("json_indent") {
        Some(Value::Text(indent)) => builder = builder.indent(&**indent),
        Some(Value::Integer(columns @ 0..=100)) => {
            builder = builder.indent(" ".repeat(usize::try_from(*columns).unwrap_or_default()));
        }
        Some(other) => {
            options.refuse::<()>(
                "json_indent",
                other,
                "a number of columns from 0 to 100, or what stands there",
            );
        }
        None => {}
    }
    let asctime = Asctime::new(options.text("datefmt"));
    let formatter = options.is_right().then(|| builder.build())?;
    let formatter = formatter.map_err(|error| options.refused(error)).ok()?;
    if !formatter.uses(Field::Asctime) {
        return Some(Arc::new(formatter));
    }
    Some(Arc::new(Dated { formatter, asctime }))
}

pub(super) fn logfmt(options: &mut Options<'_>) -> Option<Arc<dyn Formatter>> {
    let builder = begin(options, false);
    let asctime = Asctime::new(options.text("datefmt"));
    let formatter = options.is_right().then(|| builder.build_logfmt())?;
    let formatter = formatter.map_err(|error| options.refused(error)).ok()?;
    if !formatter.uses(Field::Asctime) {
        return Some(Arc::new(formatter));
    }
    Some(Arc::new(Dated { formatter, asctime }))
}

/// A structured formatter whose `asctime` follows a date format, as in Python.
struct Dated<F> {
    formatter: F,
    asctime: Asctime,
}

impl Formatter for Dated<JsonFormatter> {
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        self.asctime.with(record, |asctime| {
            let details = RecordDetails { record, deepest: self.formatter.deepest() };
            let Ok(()) = self.formatter.format_with(record, Some(asctime), &details, out);
        });
    }
}

impl Formatter for Dated<LogfmtFormatter> {
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        self.asctime.with(record, |asctime| {
            let details = RecordDetails { record, deepest: self.formatter.deepest() };
            let Ok(()) = self.formatter.format_with(record, Some(asctime), &details, out);
        });
    }
}

/// The members and how values are written: what both formatters share.
fn begin(options: &mut Options<'_>, is_json: bool) -> JsonBuilder {
    for name in FUNCTIONS {
        if let Some(value) = options.value(name) {
            options.refuse::<()>(
                name,
                value,
                "nothing: it would be a function of Python's, and every value of a Rust record has a form",
            );
        }
    }
    let deepest = options.integer("max_depth", 1..=100).and_then(|deepest| usize::try_from(deepest).ok());
    let from_format = names_in_format(options);
    let preset = if is_json { preset(options) } else { None };
    let own = fields(options);
    if usize::from(from_format.is_some()) + usize::from(own.is_some()) + usize::from(preset.is_some()) > 1 {
        options.mistake("fields", "more than one of them", "one of fmt, fields and preset alone");
    }
    let mut builder = preset.as_ref().map_or_else(JsonBuilder::default, JsonBuilder::preset);
    if let Some(deepest) = deepest {
        builder = builder.deepest(deepest);
    }
    if from_format.is_some() {
        builder = builder.without_private();
    }
    let is_null = |name: &&str| from_format.iter().flatten().any(|(field, _)| field == name);
    let mut nothing: Vec<_> = NULL_IN_FORMATS.into_iter().filter(is_null).map(str::to_owned).collect();
    let mut fields = from_format.or(own);
    let mut hidden = Vec::new();
    let mut renames = options.text_entries("rename_fields").unwrap_or_default();
    if is_json {
        add_timestamp(options, &mut fields, &mut renames);
        nothing.extend(add_unreserved(options, &mut fields, &mut hidden));
        if options.flag("rename_fields_keep_missing") == Some(true) && preset.is_none() {
            nothing.extend(keep_missing(fields.as_ref(), &renames));
        }
    }
    if let Some(fields) = fields {
        builder = builder.members(fields.into_iter().map(|(key, name)| (key, Source::by_name(&name))));
    }
    for name in hidden {
        builder = builder.hide(name);
    }
    for (name, value) in options.entries("static_fields").unwrap_or_default() {
        builder = builder.fixed(name, Json::from(value));
    }
    let defaults = options.entries("defaults").unwrap_or_default();
    nothing.retain(|name| !defaults.iter().any(|(other, _)| other == name));
    for name in nothing {
        builder = builder.default_value(&name, &Value::Null);
    }
    for (name, value) in defaults {
        builder = builder.default_value(name, Json::from(value));
    }
    for (name, key) in renames {
        builder = builder.rename(name, key);
    }
    forms(options, builder, is_json)
}

/// How exceptions and times are written.
fn forms(options: &mut Options<'_>, mut builder: JsonBuilder, is_json: bool) -> JsonBuilder {
    let as_array = is_json && options.flag("exc_info_as_array") == Some(true);
    let form = options.one_of("exceptions", "one of text, lines, object, both", ExceptionForm::by_name);
    if let Some(form) = form.or(as_array.then_some(ExceptionForm::Lines)) {
        builder = builder.exceptions(form);
    }
    let known = "one of rfc3339, epoch, epoch_ms, epoch_us, epoch_ns";
    if let Some(form) = options.one_of("time_format", known, TimestampForm::by_name) {
        builder = builder.timestamps(form);
    }
    if let Some(zone) = options.one_of("time_zone", "UTC, local or the name of a time zone", zone) {
        builder = builder.zone(zone);
    }
    builder
}

fn zone(name: &str) -> Option<TimeZone> {
    match name {
        "UTC" => Some(TimeZone::UTC),
        "local" => Some(TimeZone::system()),
        _ => TimeZone::get(name).ok(),
    }
}

fn preset(options: &mut Options<'_>) -> Option<Preset> {
    let host = options.text("host").map(str::to_owned);
    let project = options.text("project");
    let name = options.text("preset")?;
    let host = host.or_else(|| if name == "gelf" { this_host() } else { Some(String::new()) });
    let Some(host) = host else {
        options.mistake("host", "nothing", "the name of this machine, which could not be found out");
        return None;
    };
    Preset::by_name(name, &host, project).map_err(|error| options.refused(error)).ok()
}

/// The name of this machine, where the system tells it without a call of its own.
fn this_host() -> Option<String> {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = told.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    told.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok())
}

/// Keys, and the names of what they show.
type Fields = Vec<(String, String)>;

/// The option `fields`: names, or a mapping from keys to names.
fn fields(options: &mut Options<'_>) -> Option<Fields> {
    match options.value("fields")? {
        Value::Map(_) => {
            let entries = options.text_entries("fields")?.into_iter();
            Some(entries.map(|(key, name)| (key.to_owned(), name.to_owned())).collect())
        }
        Value::List(_) => options.texts("fields").map(named_after_themselves),
        other => options.refuse("fields", other, "names, or a mapping from keys to names"),
    }
}

fn named_after_themselves<'n>(names: impl IntoIterator<Item = &'n str>) -> Fields {
    let mut fields = Fields::new();
    for name in names {
        if !fields.iter().any(|(key, _)| key == name) {
            fields.push((name.to_owned(), name.to_owned()));
        }
    }
    fields
}

/// How a format string of each style names a field.
static PATTERNS: LazyLock<[(&str, Option<Regex>); 3]> = LazyLock::new(|| {
    [
        ("%", r"%\((.+?)\)"),
        ("{", r"\{(.+?)(?:![rsa])?(?::[^}]*)?\}"),
        ("$", r"(?i)\$(?:\$|\{(.+?)\}|([_a-z][_a-z0-9]*))"),
    ]
    .map(|(style, pattern)| (style, Regex::new(pattern).ok()))
});

/// The fields that a format names, as python-json-logger lays its lines out.
fn names_in_format(options: &mut Options<'_>) -> Option<Fields> {
    let style = options.one_of("style", "one of %, {, $ and the comma", |style| {
        ["%", "{", "$", ","].into_iter().find(|known| *known == style)
    });
    let validate = options.flag("validate").unwrap_or(true);
    let (name, value) = format(options)?;
    if let Value::List(_) = value {
        return options.texts(name).map(named_after_themselves);
    }
    let text = options.text(name)?;
    let style = style.unwrap_or("%");
    if style == "," {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        return Some(named_after_themselves(names));
    }
    let pattern = PATTERNS.iter().find(|(known, _)| *known == style)?.1.as_ref()?;
    let found = pattern.captures_iter(text).filter_map(|found| found.get(1).or(found.get(2)));
    let fields = named_after_themselves(found.map(|name| name.as_str()));
    if validate && fields.is_empty() {
        options.mistake(
            name,
            format!("{text:?}"),
            format!("a format that names fields in the style {style}"),
        );
    }
    Some(fields)
}

/// The option `timestamp`: true, or the key under which the creation time stands.
fn add_timestamp<'a>(
    options: &mut Options<'a>,
    fields: &mut Option<Fields>,
    renames: &mut Vec<(&'a str, &'a str)>,
) {
    let key = match options.value("timestamp") {
        Some(Value::Text(key)) if !key.is_empty() => Some(&**key),
        Some(Value::Bool(true)) => None,
        None | Some(Value::Bool(false)) => return,
        Some(other) => {
            options.refuse::<()>("timestamp", other, "true, false or a key");
            return;
        }
    };
    match (fields, key) {
        (Some(fields), key) => {
            let key = key.unwrap_or("timestamp");
            fields.retain(|(other, _)| other != key);
            fields.push((key.to_owned(), "timestamp".to_owned()));
        }
        (None, Some(key)) if !renames.iter().any(|(name, _)| *name == "timestamp") => {
            renames.push(("timestamp", key));
        }
        (None, _) => {}
    }
}

/// The option `reserved_attrs`: the record's own attributes that are not reserved are shown, and extra fields
/// that are reserved are hidden. Gives the names of those that are shown as `null` where a record has none.
fn add_unreserved(
    options: &mut Options<'_>,
    fields: &mut Option<Fields>,
    hidden: &mut Vec<String>,
) -> Vec<String> {
    let Some(reserved) = options.texts("reserved_attrs") else { return Vec::new() };
    let is_shown = |name: &&str| !reserved.contains(name);
    let nothing = WHERE_THERE.into_iter().filter(is_shown).map(str::to_owned).collect();
    let is_free = |name: &&str| !reserved.contains(name) && !NOT_SHOWN.contains(name);
    let shown: Vec<_> = ATTRIBUTES.into_iter().filter(is_free).collect();
    if fields.is_none() && !shown.is_empty() {
        *fields = Some(named_after_themselves(["timestamp", "message"]));
    }
    if let Some(fields) = fields {
        let is_present = |fields: &Fields, name| fields.iter().any(|(_, shown)| shown == name);
        for name in shown {
            if !is_present(fields, name) && !["asctime", "message"].contains(&name) {
                fields.push((name.to_owned(), name.to_owned()));
            }
        }
    }
    hidden.extend(reserved.into_iter().filter(|name| !is_attribute(name)).map(str::to_owned));
    nothing
}

/// What the default layout shows.
const DEFAULT_FIELDS: [&str; 4] = ["timestamp", "levelname", "name", "message"];

/// What a format names is there, `null` where a record has none.
const NULL_IN_FORMATS: [&str; 3] = ["exc_info", "stack_info", "exc_text"];

/// What every layout shows for records that have it.
const WHERE_THERE: [&str; 2] = ["exc_info", "stack_info"];

/// What is renamed and not shown otherwise: members that are `null` where a record has nothing for them.
fn keep_missing(fields: Option<&Fields>, renames: &[(&str, &str)]) -> Vec<String> {
    let is_there = |name: &str| match fields {
        Some(fields) => fields.iter().any(|(known, _)| known == name),
        None => DEFAULT_FIELDS.contains(&name),
    };
    let is_hidden = |name: &str| is_attribute(name) && !WHERE_THERE.contains(&name);
    let missing = renames.iter().filter(|(name, _)| !is_there(name));
    missing
        .map(|(name, key)| if is_hidden(name) { key } else { name })
        .map(|name| (*name).to_owned())
        .collect()
}
