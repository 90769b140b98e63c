//! The arguments in INI files: Python's literals, and the two standard streams. Nothing is evaluated.

use super::DEEPEST;
use crate::Value;

/// Reads one literal; what else there is, is said in the error.
pub(super) fn read(text: &str) -> Result<Value<'static>, String> {
    let mut reader = Reader { rest: text.trim(), depth: 0 };
    let value = reader.value()?;
    reader.skip_spaces();
    if reader.rest.is_empty() { Ok(value) } else { Err(format!("{:?} behind a literal", reader.rest)) }
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl Reader<'_> {
    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, token: &str) -> bool {
        self.skip_spaces();
        let behind = self.rest.strip_prefix(token);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    fn value(&mut self) -> Result<Value<'static>, String> {
        self.skip_spaces();
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("more than {DEEPEST} levels"));
        }
        let value = match self.rest.chars().next() {
            Some('(') => self.tuple(),
            Some('[') => {
                self.takes("[");
                self.items("]").map(|(values, _)| Value::List(values))
            }
            Some('{') => self.dict(),
            Some('\'' | '"') => self.texts(),
            Some(first) if first.is_ascii_digit() || "+-.".contains(first) => self.number(),
            Some(_) => self.word(),
            None => Err("nothing where a literal would stand".to_owned()),
        };
        self.depth -= 1;
        value
    }

    /// A tuple, or a value in parentheses.
    fn tuple(&mut self) -> Result<Value<'static>, String> {
        self.takes("(");
        let (mut values, ends_with_comma) = self.items(")")?;
        if values.len() == 1 && !ends_with_comma {
            return Ok(values.remove(0));
        }
        Ok(Value::List(values))
    }

    fn items(&mut self, end: &str) -> Result<(Vec<Value<'static>>, bool), String> {
        let mut values = Vec::new();
        let mut has_comma = true;
        loop {
            if self.takes(end) {
                return Ok((values, has_comma));
            }
            if !has_comma {
                return Err(format!("{:?} where {end:?} or a comma would stand", self.rest));
            }
            values.push(self.value()?);
            has_comma = self.takes(",");
        }
    }

    fn dict(&mut self) -> Result<Value<'static>, String> {
        self.takes("{");
        let mut entries = Vec::new();
        let mut has_comma = true;
        while !self.takes("}") {
            if !has_comma {
                return Err(format!("{:?} where \"}}\" or a comma would stand", self.rest));
            }
            let Value::Text(key) = self.value()? else { return Err("a key that is no text".to_owned()) };
            if !self.takes(":") {
                return Err(format!("{:?} where a colon would stand", self.rest));
            }
            entries.push((key, self.value()?));
            has_comma = self.takes(",");
        }
        Ok(Value::Map(entries))
    }

    /// One text, or several that stand side by side.
    fn texts(&mut self) -> Result<Value<'static>, String> {
        let mut text = String::new();
        while self.rest.starts_with(['\'', '"']) {
            self.text(false, &mut text)?;
            self.skip_spaces();
        }
        Ok(Value::Text(text.into()))
    }

    #[expect(clippy::string_slice, reason = "as long as the character that stands there, or as the text")]
    fn text(&mut self, is_raw: bool, text: &mut String) -> Result<(), String> {
        let quote = if self.rest.starts_with("'''") || self.rest.starts_with("\"\"\"") { 3 } else { 1 };
        let (quote, behind) = self.rest.split_at(quote);
        self.rest = behind;
        loop {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                self.rest = rest;
                return Ok(());
            }
            let Some(character) = self.rest.chars().next() else {
                return Err("a text whose quote is not closed".to_owned());
            };
            self.rest = &self.rest[character.len_utf8()..];
            match character {
                '\\' if is_raw => {
                    text.push('\\');
                    let next = self.rest.chars().next().unwrap_or_default();
                    text.push(next);
                    self.rest = &self.rest[next.len_utf8().min(self.rest.len())..];
                }
                '\\' => self.escape(text)?,
                _ => text.push(character),
            }
        }
    }

    #[expect(clippy::string_slice, reason = "so many bytes were found there")]
    fn escape(&mut self, text: &mut String) -> Result<(), String> {
        let Some(character) = self.rest.chars().next() else { return Ok(()) };
        self.rest = &self.rest[character.len_utf8()..];
        let digits = match character {
            'n' => return plain(text, "\n"),
            't' => return plain(text, "\t"),
            'r' => return plain(text, "\r"),
            '\\' => return plain(text, "\\"),
            '\'' => return plain(text, "'"),
            '"' => return plain(text, "\""),
            '\n' => return Ok(()),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => return Err(format!("the escape \"\\{character}\"")),
        };
        let code = self.rest.get(..digits).ok_or("an escape that is too short")?;
        self.rest = &self.rest[digits..];
        let character = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
        text.push(character.ok_or_else(|| format!("the escape of {code:?}"))?);
        Ok(())
    }

    fn number(&mut self) -> Result<Value<'static>, String> {
        let is_part = |character: char| character.is_ascii_alphanumeric() || "+-._".contains(character);
        let end = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
        let (written, rest) = self.rest.split_at(end);
        self.rest = rest;
        let plain = written.replace('_', "");
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
            if let Some(digits) = plain.strip_prefix(prefix) {
                let number = i64::from_str_radix(digits, radix).map_err(|_| format!("{written:?}"))?;
                return Ok(Value::Integer(number));
            }
        }
        if let Ok(number) = plain.parse() {
            return Ok(Value::Integer(number));
        }
        let is_float = plain.contains(['.', 'e', 'E']);
        let number = plain.parse().ok().filter(|_| is_float);
        number.map(Value::Float).ok_or_else(|| format!("{written:?}"))
    }

    fn word(&mut self) -> Result<Value<'static>, String> {
        let is_part = |character: char| character.is_alphanumeric() || "._".contains(character);
        let end = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if rest.starts_with(['\'', '"']) && matches!(word, "r" | "R" | "u" | "U") {
            self.rest = rest;
            let mut text = String::new();
            self.text(word.eq_ignore_ascii_case("r"), &mut text)?;
            return Ok(Value::Text(text.into()));
        }
        let value = match word {
            "None" => Value::Null,
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "sys.stdout" => Value::Text("ext://sys.stdout".into()),
            "sys.stderr" => Value::Text("ext://sys.stderr".into()),
            _ => return Err(format!("{:?}, which would have to be evaluated", self.rest)),
        };
        self.rest = rest;
        Ok(value)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "other escapes can be wrong")]
fn plain(text: &mut String, escaped: &str) -> Result<(), String> {
    text.push_str(escaped);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::Value;

    #[test]
    fn literals_are_read_as_python_reads_them() {
        let text = |text: &'static str| Value::Text(text.into());
        let list = |values: Vec<Value<'static>>| Value::List(values);
        assert_eq!(read("()"), Ok(list(vec![])));
        assert_eq!(read("('app.log', 'a',)"), Ok(list(vec![text("app.log"), text("a")])));
        assert_eq!(read("(sys.stdout,)"), Ok(list(vec![text("ext://sys.stdout")])));
        assert_eq!(
            read("(('localhost', 0x202), -1.5)").map(|value| value.to_string()).as_deref(),
            Ok("[[localhost, 514], -1.5]")
        );
        assert_eq!(
            read(r#"{'a': None, "b": [True, r'\d']}"#).map(|value| value.to_string()).as_deref(),
            Ok("{a: null, b: [true, \\d]}")
        );
        assert_eq!(read(r"'a\tb' 'c\x41\u00e9'"), Ok(text("a\tbcAé")));
    }

    #[test]
    fn nothing_is_evaluated() {
        for expression in
            ["open('x')", "(os.getcwd(),)", "1 + 1", "'a' % 1", "__import__('os')", "(", "{1: 2}", "'a", "\\"]
        {
            assert!(read(expression).is_err(), "{expression}");
        }
        assert!(read(&"(".repeat(100_000)).is_err());
    }
}
