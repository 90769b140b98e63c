//! `cfg://` references: what another place of the configuration holds takes their place.

use std::collections::BTreeSet;

use super::options::{join, shown};
use crate::Value;
use crate::error::OptionError;

const PREFIX: &str = "cfg://";

/// A reference may lead to another one, so many times.
const LONGEST_CHAIN: usize = 16;

/// So many values a configuration has at most when its references are followed.
const MOST_VALUES: usize = 100_000;

/// A configuration without references.
pub(super) struct Resolved {
    pub(super) value: Value<'static>,
    /// The keys at the top that a reference begins with.
    pub(super) used: BTreeSet<String>,
    pub(super) mistakes: Vec<OptionError>,
}

pub(super) fn resolve(written: &Value<'_>) -> Resolved {
    let mut resolver = Resolver { root: written, used: BTreeSet::new(), mistakes: Vec::new(), values: 0 };
    let value = resolver.value("", written, 0);
    Resolved { value, used: resolver.used, mistakes: resolver.mistakes }
}

struct Resolver<'v> {
    root: &'v Value<'v>,
    used: BTreeSet<String>,
    mistakes: Vec<OptionError>,
    values: usize,
}

impl Resolver<'_> {
    fn value(&mut self, path: &str, value: &Value<'_>, chain: usize) -> Value<'static> {
        self.values += 1;
        if self.values > MOST_VALUES {
            if self.values == MOST_VALUES + 1 {
                let expected = format!("at most {MOST_VALUES} values with those that references lead to");
                self.mistakes.push(OptionError::new(path, "more", expected));
            }
            return Value::Null;
        }
        match value {
            Value::Text(text) => match text.strip_prefix(PREFIX) {
                Some(reference) => self.follow(path, reference, chain),
                None => Value::Text(text.to_string().into()),
            },
            Value::List(values) => Value::List(
                values
                    .iter()
                    .enumerate()
                    .map(|(index, value)| self.value(&join(path, &format!("[{index}]")), value, chain))
                    .collect(),
            ),
            Value::Map(entries) => {
                let entries = entries.iter();
                let resolved = entries
                    .map(|(key, value)| (key.to_string().into(), self.value(&join(path, key), value, chain)));
                Value::Map(resolved.collect())
            }
            Value::Null => Value::Null,
            Value::Bool(flag) => Value::Bool(*flag),
            Value::Integer(number) => Value::Integer(*number),
            Value::BigInteger(digits) => Value::BigInteger(digits.to_string().into()),
            Value::Float(number) => Value::Float(*number),
        }
    }

    fn follow(&mut self, path: &str, reference: &str, chain: usize) -> Value<'static> {
        let root = self.root;
        let found = format!("\"{PREFIX}{reference}\"");
        if chain >= LONGEST_CHAIN {
            let expected = "a reference that does not lead back to itself";
            self.mistakes.push(OptionError::new(path, found, expected));
            return Value::Null;
        }
        match find(root, reference) {
            Ok((first, value)) => {
                self.used.insert(first.to_owned());
                self.value(path, value, chain + 1)
            }
            Err(missing) => {
                let expected = format!("a place in the configuration; {missing}");
                self.mistakes.push(OptionError::new(path, found, expected));
                Value::Null
            }
        }
    }
}

/// The value at `reference`, a name with `.name` and `[index]` behind it, and the name that it begins with.
fn find<'r, 'v>(root: &'v Value<'v>, reference: &'r str) -> Result<(&'r str, &'v Value<'v>), String> {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let (first, mut rest) = word(reference, is_name);
    if first.is_empty() {
        return Err("it begins with a name".to_owned());
    }
    let mut value = item(root, first)?;
    while !rest.is_empty() {
        let part;
        if let Some(behind) = rest.strip_prefix('.') {
            (part, rest) = word(behind, is_name);
        } else if let Some((inside, behind)) =
            rest.strip_prefix('[').and_then(|inside| inside.split_once(']'))
        {
            (part, rest) = (inside, behind.trim_start());
        } else {
            return Err(format!("{rest:?} cannot be followed"));
        }
        value = item(value, part)?;
    }
    Ok((first, value))
}

#[expect(clippy::string_slice, reason = "the place was found in it")]
fn word(text: &str, is_name: impl Fn(char) -> bool) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(|character| !is_name(character)).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// The entry of a mapping by its key, or of a list by its index.
fn item<'v>(value: &'v Value<'v>, key: &str) -> Result<&'v Value<'v>, String> {
    let found = match value {
        Value::Map(entries) => entries.iter().find(|(other, _)| other == key).map(|(_, value)| value),
        Value::List(values) => key.parse::<usize>().ok().and_then(|index| values.get(index)),
        other => return Err(format!("{} has no {key:?}", shown(other))),
    };
    found.ok_or_else(|| format!("there is no {key:?}"))
}
