//! Masking: secrets are found by the names of fields and by their form, and something else stands in their
//! place before a record reaches a destination.
//!
//! A [`Redactor`] is made once, from packs of rules and rules of one's own, and given to a handler
//! (`set_redactor`), which then formats a masked copy of each record. Its time is linear in the length of what
//! it looks at.

mod builder;
mod checks;
mod keys;
mod mode;
mod names;
mod patterns;
mod record;
mod shapes;
mod trigger;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

pub use builder::RedactorBuilder;
pub use mode::{MASK, Mode};
use smallvec::SmallVec;

use self::keys::KeyRule;
use self::names::Names;
use self::patterns::{Pattern, Secret};
use self::trigger::Triggers;

/// The examples of the page run with those of this documentation.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/masking.md")]
struct Page;

/// Finds secrets and puts something else in their place.
///
/// ```
/// use duramen::redact::Redactor;
///
/// let redactor = Redactor::builder().pack("credentials").key("user.pin").build().unwrap();
/// assert_eq!(redactor.text("login with password=hunter2 failed"), "login with password=*** failed");
/// assert_eq!(redactor.text("nothing to see"), "nothing to see");
/// ```
///
/// What is masked is counted, by rule, and so is what could not be looked through:
///
/// ```
/// use duramen::redact::{Path, Redactor, Verdict};
///
/// let redactor = Redactor::builder().pack("credentials").key("pin").build().unwrap();
/// let (verdict, other_name) = redactor.verdict_of("pin");
/// assert_eq!((verdict, other_name), (Verdict::Secret, None));
/// assert_eq!(redactor.known_verdict_of("pin"), Some(Verdict::Secret)); // asked for before
/// Path::default().inside("user", |path| assert_eq!(redactor.verdict(path), Verdict::Search));
/// assert_eq!(redactor.secret("1234").as_deref(), Some("***"));
/// redactor.count_failure(); // a value that is masked as a whole
/// let counts = redactor.counts();
/// assert!(counts.contains(&("key".to_owned(), 1)) && counts.contains(&("failed".to_owned(), 1)));
/// ```
#[derive(Debug)]
pub struct Redactor {
    keys: Vec<KeyRule>,
    /// With an allow list nothing else is shown.
    allowed: Option<Vec<KeyRule>>,
    rules: Vec<Rule>,
    triggers: Triggers,
    key_mode: Mode,
    pseudonyms: Option<mode::Key>,
    names: Names,
    masked_keys: AtomicU64,
    failures: AtomicU64,
}

#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    mode: Mode,
    masked: AtomicU64,
}

/// A text in which all that was found is replaced.
///
/// ```
/// use duramen::redact::{Masked, Redactor};
///
/// let redactor = Redactor::builder().pack("credentials").build().unwrap();
/// let masked: Masked<'_> = redactor.masked_text("password=hunter2");
/// assert!(!masked.is_unchanged());
/// assert_eq!(masked.text, "password=***");
/// redactor.count(&masked); // only now: it is going to be used
/// ```
#[derive(Clone, Debug)]
pub struct Masked<'t> {
    /// Borrowed, where nothing was found.
    pub text: Cow<'t, str>,
    /// The numbers of the rules that have found something, and how often.
    hits: SmallVec<[(usize, u64); 4]>,
}

impl Masked<'_> {
    /// Whether nothing was found.
    pub fn is_unchanged(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_)) && self.hits.is_empty()
    }
}

/// What is to be done with a field.
///
/// ```
/// use duramen::redact::{Path, Redactor, Verdict};
///
/// let redactor = Redactor::builder().key("user.pin").build().unwrap();
/// let mut path = Path::default();
/// path.inside("user", |user| {
///     user.inside("pin", |pin| assert_eq!(redactor.verdict(pin), Verdict::Secret));
///     user.inside("name", |name| assert_eq!(redactor.verdict(name), Verdict::Search));
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is a secret, whatever it holds.
    Secret,
    /// What it holds is looked through.
    Search,
    /// It is not on the allow list, but a field inside it may be.
    Unlisted,
}

/// The names that lead to a field, from the outside in.
///
/// ```
/// use duramen::redact::{Redactor, Path, Verdict};
///
/// let redactor = Redactor::builder().pack("credentials").build().unwrap();
/// let mut path = Path::default();
/// path.inside("headers", |path| {
///     path.inside("X-Api-Key", |path| assert_eq!(redactor.verdict(path), Verdict::Secret));
/// });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Path(Vec<String>);

impl Path {
    /// Calls `body` with the path of the field `name` inside this one. Dots in the name part names too.
    pub fn inside<R>(&mut self, name: &str, body: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.0.len();
        self.0.extend(name.split('.').map(keys::normalized));
        let result = body(self);
        self.0.truncate(outer);
        result
    }
}

impl Redactor {
    /// Begins a redactor without rules.
    pub fn builder() -> RedactorBuilder {
        RedactorBuilder::default()
    }

    /// `text` with what the patterns find replaced.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let masked = self.masked_text(text);
        self.count(&masked);
        masked.text
    }

    /// The same, for who does not know yet whether the text is used: [`Redactor::count`] counts what was replaced.
    ///
    /// ```
    /// let redactor = duramen::redact::Redactor::builder().pack("pii").build().unwrap();
    /// let masked = redactor.masked_text("from 10.1.2.3");
    /// assert_eq!(masked.text, "from ***");
    /// assert!(redactor.counts().iter().all(|(_, count)| *count == 0));
    /// redactor.count(&masked);
    /// assert!(redactor.counts().contains(&("ipv4".to_owned(), 1)));
    /// ```
    #[expect(clippy::indexing_slicing, reason = "triggers name rules by their places")]
    pub fn masked_text<'t>(&self, text: &'t str) -> Masked<'t> {
        let mut masked = Masked { text: Cow::Borrowed(text), hits: SmallVec::new() };
        for index in self.triggers.triggered(text) {
            let (found, hits) = self.rules[index].apply(&masked.text, self.pseudonyms.as_ref());
            if let Some(text) = found {
                masked.text = Cow::Owned(text);
            }
            if hits > 0 {
                masked.hits.push((index, hits));
            }
        }
        masked
    }

    /// Counts what was replaced in a text.
    #[expect(clippy::indexing_slicing, reason = "the places came from `masked_text`")]
    pub fn count(&self, masked: &Masked<'_>) {
        for (index, hits) in &masked.hits {
            self.rules[*index].masked.fetch_add(*hits, Ordering::Relaxed);
        }
    }

    /// What is looked for: the names of the patterns with their regular expressions.
    ///
    /// ```
    /// let redactor = duramen::redact::Redactor::builder().pattern("order", r"\bo-\d+").build().unwrap();
    /// assert_eq!(redactor.expressions().collect::<Vec<_>>(), [("order", r"\bo-\d+")]);
    /// ```
    pub fn expressions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules.iter().map(|rule| (&*rule.pattern.name, rule.pattern.regex.as_str()))
    }

    /// What is to be done with the field at `path`.
    #[expect(clippy::indexing_slicing, reason = "no longer than the whole")]
    pub fn verdict(&self, path: &Path) -> Verdict {
        let matches = |rules: &[KeyRule], path: &[String]| rules.iter().any(|rule| rule.matches(path));
        if matches(&self.keys, &path.0) {
            return Verdict::Secret;
        }
        match &self.allowed {
            Some(allowed) if !(1..=path.0.len()).any(|length| matches(allowed, &path.0[..length])) => {
                Verdict::Unlisted
            }
            _ => Verdict::Search,
        }
    }

    /// What is to be done with the field `name` that is inside no other, and with its name; it is remembered.
    ///
    /// ```
    /// use duramen::redact::{Redactor, Verdict};
    ///
    /// let redactor = Redactor::builder().pack("credentials").build().unwrap();
    /// assert_eq!(redactor.verdict_of("apiKey"), (Verdict::Secret, None));
    /// assert_eq!(redactor.verdict_of("order"), (Verdict::Search, None));
    /// ```
    pub fn verdict_of(&self, name: &str) -> (Verdict, Option<String>) {
        if let Some(verdict) = self.known_verdict_of(name) {
            return (verdict, None);
        }
        let verdict = Path::default().inside(name, |path| self.verdict(path));
        if let Cow::Owned(masked) = self.text(name) {
            return (verdict, Some(masked));
        }
        self.names.remember(name, verdict);
        (verdict, None)
    }

    /// The same for a name that was asked for before and stays as it is.
    pub fn known_verdict_of(&self, name: &str) -> Option<Verdict> {
        self.names.find(name)
    }

    /// What stands in the place of a secret field that holds `text`; `None` when the field is to be left out.
    pub fn secret(&self, text: &str) -> Option<String> {
        self.masked_keys.fetch_add(1, Ordering::Relaxed);
        if self.key_mode == Mode::Drop {
            return None;
        }
        let mut masked = String::new();
        mode::replace(self.key_mode, self.pseudonyms.as_ref(), "secret", text, &mut masked);
        Some(masked)
    }

    /// Counts that something could not be looked through, and was masked as a whole.
    pub fn count_failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// How often each rule has masked: `key` for the names of fields, the patterns by name, and `failed` for
    /// what could not be looked through.
    pub fn counts(&self) -> Vec<(String, u64)> {
        let mut counts = vec![
            ("key".to_owned(), self.masked_keys.load(Ordering::Relaxed)),
            ("failed".to_owned(), self.failures.load(Ordering::Relaxed)),
        ];
        let rules = self.rules.iter();
        counts.extend(rules.map(|rule| (rule.pattern.name.clone(), rule.masked.load(Ordering::Relaxed))));
        counts
    }
}

impl Rule {
    /// Calls `found` with each place that is to be masked, its check aside.
    fn each_in(&self, text: &str, mut found: impl FnMut(Range<usize>)) {
        let regex = &self.pattern.regex;
        match &self.pattern.secret {
            Secret::Match => regex.find_iter(text).for_each(|matched| found(matched.range())),
            Secret::Between(before, behind) => regex.find_iter(text).for_each(|matched| {
                let before = before.find(matched.as_str()).map_or(0, |before| before.end());
                found(matched.start() + before..matched.end() - behind);
            }),
            Secret::Group => regex.captures_iter(text).for_each(|captures| {
                if let Some(secret) = captures.name("secret").or_else(|| captures.get(0)) {
                    found(secret.range());
                }
            }),
        }
    }

    /// The text with all that the rule finds replaced, and how often that was; `None` when it finds nothing.
    #[expect(clippy::string_slice, reason = "the expression found the places in it, one behind the other")]
    fn apply(&self, text: &str, pseudonyms: Option<&mode::Key>) -> (Option<String>, u64) {
        let mut masked = String::new();
        let mut written = 0;
        let mut hits = 0;
        self.each_in(text, |found| {
            let within = within_quotes(&text[found.clone()]);
            let (start, end) = (found.start + within.start, found.start + within.end);
            let secret = &text[start..end];
            // What an earlier rule has put there is no secret.
            if secret.starts_with(MASK) || !(self.pattern.check)(secret) {
                return;
            }
            if masked.is_empty() {
                // Most of what stands in the place of secrets is shorter.
                masked.reserve(text.len() + MASK.len());
            }
            masked.push_str(&text[written..start]);
            mode::replace(self.mode, pseudonyms, &self.pattern.name, secret, &mut masked);
            written = end;
            hits += 1;
        });
        let masked = (written > 0).then(|| {
            masked.push_str(&text[written..]);
            masked
        });
        (masked, hits)
    }
}

/// Where in `text` stands what its quotes enclose: they stay, so that JSON stays JSON.
fn within_quotes(text: &str) -> Range<usize> {
    let enclosed = ["\\\"", "\"", "'"]
        .into_iter()
        .find(|quote| text.len() >= 2 * quote.len() && text.starts_with(quote) && text.ends_with(quote));
    let length = enclosed.map_or(0, str::len);
    length..text.len() - length
}
