//! Secrets by the name of their field.

/// A rule for the names of fields, compiled.
///
/// Names are compared by their words, whatever separates them: `apiKey`, `API_KEY`, `api-key` and `apikey` are
/// one name. A rule matches a field that is called so or whose name ends in it, as `x_api_key`. With `*`, which
/// stands for any characters, it has to match the whole name. Dots part the names of nested fields:
/// `user.token` is the field `token` inside a `user`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyRule(Vec<String>);

impl KeyRule {
    /// `None` when a name is empty.
    pub(super) fn new(rule: &str) -> Option<Self> {
        let names: Vec<_> = rule.split('.').map(normalized).collect();
        (!names.iter().any(String::is_empty)).then_some(Self(names))
    }

    /// Whether the rule matches the last of the names in `path`, which are normalized.
    pub(super) fn matches(&self, path: &[String]) -> bool {
        path.len() >= self.0.len()
            && self.0.iter().rev().zip(path.iter().rev()).all(|(rule, name)| name_matches(rule, name))
    }
}

/// The name in lower-case words with `_` between them.
pub(super) fn normalized(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut previous = '_';
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let next_is_lower = characters.peek().is_some_and(|next| next.is_lowercase());
        let begins_word = character.is_uppercase()
            && (previous.is_lowercase()
                || previous.is_numeric()
                || (previous.is_uppercase() && next_is_lower));
        let separates = !character.is_alphanumeric() && character != '*';
        if (begins_word || separates) && !words.is_empty() && !words.ends_with('_') {
            words.push('_');
        }
        if !separates {
            words.extend(character.to_lowercase());
        }
        previous = character;
    }
    words.truncate(words.trim_end_matches('_').len());
    words
}

fn name_matches(rule: &str, name: &str) -> bool {
    if rule.contains('*') {
        return glob_matches(rule.as_bytes(), name.as_bytes());
    }
    name.strip_suffix(rule).is_some_and(|before| before.is_empty() || before.ends_with('_'))
        || without_underscores(rule).eq(without_underscores(name))
}

fn without_underscores(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|&byte| byte != b'_')
}

/// Whether the whole of `text` is matched, `*` standing for any bytes. A star that was passed is only taken up
/// again for the last one, so that the time is bounded by the product of the lengths.
#[expect(
    clippy::indexing_slicing,
    reason = "the loop ends with the text, and the place in the pattern goes on behind a byte alone"
)]
fn glob_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut star = None;
    while at_text < text.len() {
        if pattern.get(at_pattern) == Some(&b'*') {
            star = Some((at_pattern, at_text));
            at_pattern += 1;
        } else if pattern.get(at_pattern) == Some(&text[at_text]) {
            at_pattern += 1;
            at_text += 1;
        } else if let Some((position, taken)) = star {
            star = Some((position, taken + 1));
            at_pattern = position + 1;
            at_text = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at_pattern..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::{KeyRule, normalized};

    fn matches(rule: &str, path: &str) -> bool {
        let path: Vec<_> = path.split('.').map(normalized).collect();
        KeyRule::new(rule).expect("a rule").matches(&path)
    }

    #[test]
    fn names_are_compared_by_their_words() {
        for name in ["apiKey", "API_KEY", "api-key", "apikey", "ApiKey", "x-api-key", "APIKey", "my.apiKey"] {
            assert!(matches("api_key", name), "{name}");
        }
        for name in ["monkey", "api_keys", "key", "api_key_count"] {
            assert!(!matches("api_key", name), "{name}");
        }
    }

    #[test]
    fn stars_stand_for_any_characters() {
        assert!(matches("*password*", "dbPasswordHash") && matches("*password*", "password"));
        assert!(matches("card_*_number", "card_first_number") && !matches("card_*_number", "card_number_x"));
        assert!(!matches("pass*", "my_password"));
    }

    #[test]
    fn dots_part_nested_names() {
        assert!(matches("user.token", "request.user.token") && !matches("user.token", "token"));
        assert!(matches("headers.*", "headers.accept") && !matches("headers.*", "headers"));
        assert!(KeyRule::new("").is_none() && KeyRule::new("a..b").is_none());
    }
}
