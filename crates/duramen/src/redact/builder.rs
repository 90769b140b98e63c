//! Which rules a redactor has.

use std::sync::atomic::AtomicU64;

use regex::RegexBuilder;

use super::keys::KeyRule;
use super::mode::{Key, Mode};
use super::names::Names;
use super::patterns::{PACKS, Pattern, Secret, Trigger};
use super::trigger::{MOST_PATTERNS, Triggers};
use super::{Redactor, Rule, checks};
use crate::error::OptionError;

/// Collects rules; [`RedactorBuilder::build`] makes the redactor, or says which rule is wrong.
///
/// ```
/// use duramen::redact::{Mode, Redactor};
///
/// let redactor = Redactor::builder()
///     .pack("pii")
///     .key("*_token") // the name of a field, in any spelling
///     .pattern("ticket", r"T-(?P<secret>\d+)")
///     .mode(Mode::TypeName)
///     .mode_of("ticket", Mode::Mask)
///     .build()
///     .unwrap();
/// assert_eq!(redactor.text("ada@example.org has T-12"), "[email] has T-***");
///
/// // The same person has the same token in every line, and nobody finds out who it is without the key.
/// let pseudonyms = Redactor::builder().pack("pii").mode(Mode::Pseudonym).pseudonym_key(*b"0123456789abcdef");
/// let pseudonyms = pseudonyms.build().unwrap();
/// assert_eq!(pseudonyms.text("ada@example.org"), pseudonyms.text("ada@example.org"));
/// assert_ne!(pseudonyms.text("ada@example.org"), pseudonyms.text("bob@example.org"));
///
/// let error = Redactor::builder().pattern("half", "(").build().unwrap_err();
/// assert!(error.to_string().starts_with("patterns[\"half\"]: found"));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a redactor is made by build"]
pub struct RedactorBuilder {
    packs: Vec<String>,
    keys: Vec<String>,
    patterns: Vec<(String, String)>,
    allowed: Option<Vec<String>>,
    mode: Mode,
    modes: Vec<(String, Mode)>,
    pseudonym_key: Option<Vec<u8>>,
}

impl RedactorBuilder {
    /// The rules of a pack: `credentials`, `pii`, `financial`.
    pub fn pack(mut self, name: impl Into<String>) -> Self {
        self.packs.push(name.into());
        self
    }

    /// Masks the fields called `name`: in any spelling (`apiKey`, `API_KEY`), with `*` for any characters, with
    /// dots for fields inside others.
    pub fn key(mut self, name: impl Into<String>) -> Self {
        self.keys.push(name.into());
        self
    }

    /// Masks what the regular expression finds, or its group `secret`. `name` is the rule's own.
    pub fn pattern(mut self, name: impl Into<String>, expression: impl Into<String>) -> Self {
        self.patterns.push((name.into(), expression.into()));
        self
    }

    /// Shows no other fields than those called `name`, which are spelled as for [`RedactorBuilder::key`]. Of
    /// these too, secrets are masked.
    ///
    /// ```
    /// use duramen::redact::Redactor;
    /// use duramen::{Level, Record, Value};
    ///
    /// let redactor = Redactor::builder().allow("order").build().unwrap();
    /// let fields = [("order", Value::Integer(17)), ("card", Value::Text("4111".into()))];
    /// let record = Record { fields: &fields, ..Record::new("shop", Level::INFO, "paid") };
    /// redactor.with_masked(&record, |masked| {
    ///     assert_eq!(masked.fields, [("order", Value::Integer(17)), ("card", Value::Text("***".into()))]);
    /// });
    /// ```
    pub fn allow(mut self, name: impl Into<String>) -> Self {
        self.allowed.get_or_insert_default().push(name.into());
        self
    }

    /// What stands where a secret stood (default: `***`).
    pub fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// Another mode for the pattern `name`.
    pub fn mode_of(mut self, name: impl Into<String>, mode: Mode) -> Self {
        self.modes.push((name.into(), mode));
        self
    }

    /// The secret key of pseudonyms, at least 16 bytes.
    pub fn pseudonym_key(self, secret: impl Into<Vec<u8>>) -> Self {
        Self { pseudonym_key: Some(secret.into()), ..self }
    }

    /// Makes the redactor.
    ///
    /// # Errors
    /// [`OptionError`] with the rule that is wrong.
    pub fn build(self) -> Result<Redactor, OptionError> {
        let mut keys = self.keys.clone();
        let mut patterns = Vec::new();
        for (index, name) in self.packs.iter().enumerate() {
            let known = PACKS.iter().find(|pack| pack.name == name);
            let path = format!("packs[{index}]");
            let pack = known.ok_or_else(|| OptionError::new(path, format!("{name:?}"), expected_packs()))?;
            keys.extend(pack.keys.iter().map(|&key| key.to_owned()));
            patterns.extend(pack.patterns());
        }
        for (name, expression) in &self.patterns {
            patterns.push(own_pattern(name, expression)?);
        }
        if patterns.len() > MOST_PATTERNS {
            let expected = format!("at most {MOST_PATTERNS} with those of the packs");
            return Err(OptionError::new("patterns", patterns.len().to_string(), expected));
        }
        let pseudonyms = self.pseudonyms()?;
        let rules = self.rules(patterns)?;
        let triggers = Triggers::new(&rules.iter().map(|rule| rule.pattern.trigger).collect::<Vec<_>>());
        Ok(Redactor {
            keys: key_rules("keys", &keys)?,
            allowed: self.allowed.as_deref().map(|allowed| key_rules("allow", allowed)).transpose()?,
            rules,
            triggers,
            key_mode: self.mode,
            pseudonyms,
            names: Names::default(),
            masked_keys: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        })
    }

    fn rules(&self, patterns: Vec<Pattern>) -> Result<Vec<Rule>, OptionError> {
        for (name, _) in &self.modes {
            if !patterns.iter().any(|pattern| pattern.name == *name) {
                let known: Vec<_> = patterns.iter().map(|pattern| pattern.name.as_str()).collect();
                let expected = format!("the name of a pattern: {}", known.join(", "));
                return Err(OptionError::new(format!("modes[{name:?}]"), "no such pattern", expected));
            }
        }
        let mode_of = |name: &str| {
            let own = self.modes.iter().find(|(pattern, _)| pattern == name);
            own.map_or(self.mode, |(_, mode)| *mode)
        };
        let rule =
            |pattern: Pattern| Rule { mode: mode_of(&pattern.name), pattern, masked: AtomicU64::new(0) };
        Ok(patterns.into_iter().map(rule).collect())
    }

    fn pseudonyms(&self) -> Result<Option<Key>, OptionError> {
        let modes = self.modes.iter().map(|(_, mode)| *mode).chain([self.mode]);
        let wanted = modes.into_iter().any(|mode| mode == Mode::Pseudonym);
        match &self.pseudonym_key {
            None if wanted => {
                Err(OptionError::new("pseudonym_key", "none", "a key, since pseudonyms are asked for"))
            }
            None => Ok(None),
            Some(secret) => Key::new(secret).map(Some).ok_or_else(|| {
                OptionError::new("pseudonym_key", format!("{} bytes", secret.len()), "at least 16 bytes")
            }),
        }
    }
}

fn expected_packs() -> String {
    format!("one of {}", PACKS.map(|pack| pack.name).join(", "))
}

fn key_rules(path: &str, rules: &[String]) -> Result<Vec<KeyRule>, OptionError> {
    let rule = |rule: &String| {
        KeyRule::new(rule).ok_or_else(|| {
            OptionError::new(path, format!("{rule:?}"), "the name of a field, as token, *secret* or user.pin")
        })
    };
    rules.iter().map(rule).collect()
}

/// A compiled expression takes at most so many bytes.
const LARGEST_EXPRESSION: usize = 1 << 20;

fn own_pattern(name: &str, expression: &str) -> Result<Pattern, OptionError> {
    let path = format!("patterns[{name:?}]");
    let regex = RegexBuilder::new(expression).size_limit(LARGEST_EXPRESSION).build();
    let regex =
        regex.map_err(|error| OptionError::new(path.clone(), error.to_string(), "a regular expression"))?;
    if regex.is_match("") {
        return Err(OptionError::new(
            path,
            format!("{expression:?}"),
            "an expression that does not match nothing",
        ));
    }
    let secret = if regex.captures_len() > 1 { Secret::Group } else { Secret::Match };
    Ok(Pattern { name: name.to_owned(), trigger: Trigger::Always, regex, secret, check: checks::always })
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::Redactor;

    static ALL: LazyLock<Redactor> = LazyLock::new(|| {
        let packs = super::PACKS.iter().fold(Redactor::builder(), |builder, pack| builder.pack(pack.name));
        packs.build().expect("packs")
    });

    /// Pieces of which secrets are made, and what stands around them.
    fn pieces() -> impl Strategy<Value = String> {
        let words = [
            "password", "token=", "Bearer ", "eyJ", "AKIA", "://", "cookie:", "1", "23", "123", "4567",
            "0.0", ".", "-", ":", "::", "@", "+", "(555)", " ", "a", "fe80", "ff:", "DE", "4111", "GB29",
            "00:1b:", "\u{e9}",
        ];
        prop::collection::vec(prop::sample::select(words.to_vec()), 0..24).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn whatever_a_pattern_matches_triggers_it(text in pieces()) {
            let redactor = &*ALL;
            let triggered: Vec<_> = redactor.triggers.triggered(&text).collect();
            for (index, rule) in redactor.rules.iter().enumerate() {
                let mut hidden = None;
                // What the check of a pattern refuses may be left out before.
                rule.each_in(&text, |found| {
                    let secret = &text[found.clone()];
                    hidden = (rule.pattern.check)(secret).then_some(found).or(hidden.take());
                });
                prop_assert!(hidden.is_none() || triggered.contains(&index), "{} {hidden:?}", rule.pattern.name);
            }
        }

        #[test]
        fn secrets_are_where_their_groups_are(text in pieces()) {
            for rule in &ALL.rules {
                let mut found = Vec::new();
                rule.each_in(&text, |secret| found.push(secret));
                let groups = rule.pattern.regex.captures_iter(&text);
                let groups = groups.map(|groups| {
                    groups.name("secret").or_else(|| groups.get(0)).expect("a match").range()
                });
                prop_assert_eq!(found, groups.collect::<Vec<_>>(), "{}", rule.pattern.name);
            }
        }
    }
}
