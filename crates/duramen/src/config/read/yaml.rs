//! YAML, with the plain values that `PyYAML` knows: those of YAML 1.2 and `yes`, `no`, `on`, `off`.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::{DEEPEST, Mistakes, malformed};
use crate::Value;

/// So many values a document has when its aliases are followed.
const MOST_VALUES: usize = 100_000;

pub(in super::super) fn read(text: &str) -> Result<Value<'static>, Mistakes> {
    let mut document = Document::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            malformed(error.marker().line(), error.marker().col() + 1, error.info(), "YAML")
        })?;
        document
            .take(event)
            .map_err(|problem| malformed(span.start.line(), span.start.col() + 1, problem, "YAML"))?;
    }
    Ok(document.value.unwrap_or(Value::Null))
}

/// What has been read until now.
#[derive(Default)]
struct Document {
    open: Vec<Open>,
    anchors: HashMap<usize, Value<'static>>,
    value: Option<Value<'static>>,
    values: usize,
}

/// A list or a mapping that has not ended.
struct Open {
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Value<'static>>),
    Map { entries: Entries, key: Option<String>, merged: Vec<Entries> },
}

type Entries = Vec<(std::borrow::Cow<'static, str>, Value<'static>)>;

impl Document {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(&text, style, tag.as_deref())?;
                self.end(anchor, value)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_unknown(tag.as_deref())?;
                self.begin(anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                refuse_unknown(tag.as_deref())?;
                self.begin(anchor, Content::Map { entries: Vec::new(), key: None, merged: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { anchor, content: Content::List(values) }) => {
                    self.end(anchor, Value::List(values))
                }
                Some(Open { anchor, content: Content::Map { entries, merged, .. } }) => {
                    self.end(anchor, Value::Map(with_merged(entries, merged)))
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned().ok_or("an alias inside of what it names")?;
                self.values += count(&value);
                self.end(0, value)
            }
            Event::DocumentStart(_) if self.value.is_some() => Err("a second document".to_owned()),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, content: Content) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("more than {DEEPEST} levels"));
        }
        self.open.push(Open { anchor, content });
        Ok(())
    }

    /// Puts a value that is complete where it belongs.
    fn end(&mut self, anchor: usize, value: Value<'static>) -> Result<(), String> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.value = Some(value),
            Some(Content::List(values)) => values.push(value),
            Some(Content::Map { entries, key, merged }) => match key.take() {
                None => *key = Some(key_of(value)?),
                Some(name) if name == "<<" => merge(merged, value)?,
                Some(name) if entries.iter().any(|(other, _)| *other == name) => {
                    return Err(format!("the key {name:?} a second time"));
                }
                Some(name) => entries.push((name.into(), value)),
            },
        }
        Ok(())
    }
}

fn count(value: &Value<'_>) -> usize {
    match value {
        Value::List(values) => 1 + values.iter().map(count).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, value)| count(value)).sum::<usize>(),
        _ => 1,
    }
}

fn key_of(value: Value<'static>) -> Result<String, String> {
    match value {
        Value::List(_) | Value::Map(_) => Err("a key that is no text".to_owned()),
        value => Ok(value.to_string()),
    }
}

/// What `<<` asks for: the entries of a mapping, or of several.
fn merge(merged: &mut Vec<Entries>, value: Value<'static>) -> Result<(), String> {
    match value {
        Value::Map(entries) => merged.push(entries),
        Value::List(values) => {
            for value in values {
                let Value::Map(entries) = value else { return Err("no mapping behind \"<<\"".to_owned()) };
                merged.push(entries);
            }
        }
        _ => return Err("no mapping behind \"<<\"".to_owned()),
    }
    Ok(())
}

/// The mapping's own entries and those of the merged ones that it has not; the merged ones stand before.
fn with_merged(own: Entries, merged: Vec<Entries>) -> Entries {
    let mut all = Entries::new();
    for (key, value) in merged.into_iter().flatten() {
        if !own.iter().chain(&all).any(|(other, _)| *other == key) {
            all.push((key, value));
        }
    }
    all.extend(own);
    all
}

/// Tags other than those of YAML's own values would make objects in Python.
fn refuse_unknown(tag: Option<&Tag>) -> Result<(), String> {
    const KNOWN: [&str; 7] = ["str", "int", "float", "bool", "null", "map", "seq"];
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && KNOWN.contains(&&*tag.suffix)) => {
            Err(format!("the tag {}{}, which is not known", tag.handle, tag.suffix))
        }
        _ => Ok(()),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value<'static>, String> {
    let as_text = || Value::Text(text.to_owned().into());
    refuse_unknown(tag)?;
    let resolves =
        tag.map_or(style == ScalarStyle::Plain, |tag| tag.is_yaml_core_schema() && tag.suffix != "str");
    if !resolves {
        return Ok(as_text());
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => number(text).unwrap_or_else(as_text),
    })
}

fn number(text: &str) -> Option<Value<'static>> {
    let plain = text.replace('_', "");
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            let number = i64::from_str_radix(digits, radix).ok()?;
            return Some(Value::Integer(if plain.starts_with('-') { -number } else { number }));
        }
    }
    if digits.bytes().all(|digit| digit.is_ascii_digit()) {
        let number = plain.strip_prefix('+').unwrap_or(&plain);
        let integer = number.parse().map(Value::Integer);
        return Some(integer.unwrap_or_else(|_| Value::BigInteger(number.to_owned().into())));
    }
    // With a point, as PyYAML asks for: `1e3` is text.
    let is_float = digits.contains('.') && digits.bytes().all(|byte| b"0123456789.eE+-".contains(&byte));
    is_float.then(|| plain.parse().ok()).flatten().map(Value::Float)
}
