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
    /// Blanks, line breaks and comments.
    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
        while let Some(comment) = self.rest.strip_prefix('#') {
            let (_, behind) = comment.split_once('\n').unwrap_or_default();
            self.rest = behind.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
        }
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
            Some(_) if self.prefix_of_text().is_some() => self.texts(),
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
            if entries.iter().any(|(other, _)| *other == key) {
                return Err(format!("the key {key:?} a second time"));
            }
            entries.push((key, self.value()?));
            has_comma = self.takes(",");
        }
        Ok(Value::Map(entries))
    }

    /// What stands before the quote of a text, and whether its backslashes are plain characters; `None` where no text stands.
    fn prefix_of_text(&self) -> Option<(&'static str, bool)> {
        let prefixes = [("", false), ("r", true), ("R", true), ("u", false), ("U", false)];
        prefixes.into_iter().find(|(prefix, _)| {
            self.rest.strip_prefix(prefix).is_some_and(|behind| behind.starts_with(['\'', '"']))
        })
    }

    /// One text, or several that stand side by side.
    fn texts(&mut self) -> Result<Value<'static>, String> {
        let mut text = String::new();
        while let Some((prefix, is_raw)) = self.prefix_of_text() {
            self.takes(prefix);
            self.text(is_raw, &mut text)?;
            self.skip_spaces();
        }
        Ok(Value::Text(text.into()))
    }

    fn next_character(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next();
        self.rest = characters.as_str();
        character
    }

    fn text(&mut self, is_raw: bool, text: &mut String) -> Result<(), String> {
        let quote = if self.rest.starts_with("'''") || self.rest.starts_with("\"\"\"") { 3 } else { 1 };
        let (quote, behind) = self.rest.split_at(quote);
        self.rest = behind;
        loop {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                self.rest = rest;
                return Ok(());
            }
            match self.next_character() {
                Some('\\') if is_raw => {
                    text.push('\\');
                    text.extend(self.next_character());
                }
                Some('\\') => self.escape(text)?,
                Some('\n') if quote.len() == 1 => return Err("a text that its line does not end".to_owned()),
                Some(character) => text.push(character),
                None => return Err("a text whose quote is not closed".to_owned()),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), String> {
        let Some(character) = self.next_character() else { return Ok(()) };
        match character {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'a' => text.push('\x07'),
            'b' => text.push('\x08'),
            'f' => text.push('\x0c'),
            'v' => text.push('\x0b'),
            '\\' | '\'' | '"' => text.push(character),
            '\n' => {}
            'x' => text.push(self.coded("\\x", 2)?),
            'u' => text.push(self.coded("\\u", 4)?),
            'U' => text.push(self.coded("\\U", 8)?),
            '0'..='7' => text.push(self.octal(character)),
            'N' => {
                return Err(
                    "the escape \"\\N\": characters have no names here, but numbers (\\u2022)".to_owned()
                );
            }
            // As in Python, the backslash is one then.
            _ => text.extend(['\\', character]),
        }
        Ok(())
    }

    /// The character whose number these hexadecimal digits are.
    fn coded(&mut self, escape: &str, digits: usize) -> Result<char, String> {
        let code = self.rest.get(..digits).filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code =
            code.ok_or_else(|| format!("the escape \"{escape}\" without {digits} hexadecimal digits"))?;
        let character = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
        self.rest = self.rest.get(digits..).unwrap_or_default();
        character.ok_or_else(|| format!("the escape \"{escape}{code}\", which is no character"))
    }

    /// The character of up to three octal digits, of which one is read.
    fn octal(&mut self, first: char) -> char {
        let mut code = first.to_digit(8).unwrap_or_default();
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|next| next.to_digit(8)) else { break };
            self.next_character();
            code = code * 8 + digit;
        }
        char::from_u32(code).unwrap_or_default()
    }

    fn number(&mut self) -> Result<Value<'static>, String> {
        let sign = if self.takes("-") {
            "-"
        } else {
            self.takes("+");
            ""
        };
        self.skip_spaces();
        let mut before = ' ';
        let is_hexadecimal =
            self.rest.starts_with(['0']) && self.rest.get(1..2).is_some_and(|x| "xX".contains(x));
        let end = self.rest.find(|character: char| {
            let is_sign = "+-".contains(character) && "eE".contains(before) && !is_hexadecimal;
            before = character;
            !(character.is_ascii_alphanumeric() || "._".contains(character) || is_sign)
        });
        let (written, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        number(sign, written).ok_or_else(|| format!("{written:?}"))
    }

    fn word(&mut self) -> Result<Value<'static>, String> {
        let is_part = |character: char| character.is_alphanumeric() || "._".contains(character);
        let end = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
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

/// A number as Python writes it, its sign apart; `None` for what is none.
fn number(sign: &str, written: &str) -> Option<Value<'static>> {
    let prefix = written.get(..2).unwrap_or_default().to_ascii_lowercase();
    let radix = match prefix.as_str() {
        "0x" => 16,
        "0o" => 8,
        "0b" => 2,
        _ => return decimal(sign, written),
    };
    let digits = written.get(2..).map(|digits| digits.strip_prefix('_').unwrap_or(digits))?;
    let digits = format!("{sign}{}", without_underscores(digits, radix)?);
    if let Ok(number) = i64::from_str_radix(&digits, radix) {
        return Some(Value::Integer(number));
    }
    i128::from_str_radix(&digits, radix).ok().map(|number| Value::BigInteger(number.to_string().into()))
}

fn decimal(sign: &str, written: &str) -> Option<Value<'static>> {
    let (mantissa, exponent) = written.split_once(['e', 'E']).map_or((written, None), |(m, e)| (m, Some(e)));
    if exponent.is_none() && !mantissa.contains('.') {
        let digits = without_underscores(mantissa, 10)?;
        // Octal, as long ago; Python refuses it.
        if digits.starts_with('0') && digits.contains(|digit| digit != '0') {
            return None;
        }
        let digits = format!("{sign}{digits}");
        return Some(digits.parse().map_or_else(|_| Value::BigInteger(digits.into()), Value::Integer));
    }
    if let Some(exponent) = exponent {
        without_underscores(exponent.strip_prefix(['+', '-']).unwrap_or(exponent), 10)?;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    for part in [whole, fraction].into_iter().filter(|part| !part.is_empty()) {
        without_underscores(part, 10)?;
    }
    // A point alone is none, which the standard library says.
    format!("{sign}{written}").replace('_', "").parse().ok().map(Value::Float)
}

/// Digits, between which single underscores may stand.
fn without_underscores(written: &str, radix: u32) -> Option<String> {
    let is_number = |group: &str| !group.is_empty() && group.chars().all(|digit| digit.is_digit(radix));
    written.split('_').all(is_number).then(|| written.replace('_', ""))
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

    /// Left what stands in the file, right what `ast.literal_eval` of CPython 3.10 to 3.13 makes of it.
    #[test]
    fn numbers_and_escapes_are_those_of_python() {
        let read = |written: &str| read(written).map(|value| format!("{value:?}"));
        let text = |text: &'static str| format!("{:?}", Value::Text(text.into()));
        for (written, expected) in [
            (r"'\101\0\18'", "A\0\u{1}8"),
            (r"'\777'", "\u{1ff}"),
            (r"'\a\b\f\v'", "\x07\x08\x0c\x0b"),
            (r"'C:\logs\d'", r"C:\logs\d"),
            ("'a\\\nb'", "ab"),
            ("'''a\nb'''", "a\nb"),
            (r"'\U0001f600'", "\u{1f600}"),
            (r"r'\x4' u'é' 'b'", r"\x4éb"),
            ("('a' # one\n 'b') # two", "ab"),
        ] {
            assert_eq!(read(written), Ok(text(expected)), "{written}");
        }
        let numbers = [
            ("1_000", 1000),
            ("0x_dead_beef", 0xdead_beef),
            ("0X1F", 31),
            ("0O7", 7),
            ("0b1_0", 2),
            ("-0x10", -16),
            ("- 1", -1),
            ("00", 0),
            ("-9223372036854775808", i64::MIN),
        ];
        for (written, expected) in numbers {
            assert_eq!(read(written), Ok(format!("{:?}", Value::Integer(expected))), "{written}");
        }
        for (written, expected) in
            [("1_0.5", 10.5), ("1e+5", 1e5), ("5.", 5.0), (".5E-1", 0.05), ("01.5", 1.5), ("1.e3", 1e3)]
        {
            assert_eq!(read(written), Ok(format!("{:?}", Value::Float(expected))), "{written}");
        }
        for written in ["9223372036854775808", "0x8000000000000000"] {
            let big = Value::BigInteger("9223372036854775808".into());
            assert_eq!(read(written), Ok(format!("{big:?}")), "{written}");
        }
        let refused_numbers =
            "1__0 1_ _1 07 0_1 0o8 0b 0b12 0x-1 0x+1 --1 +-1 1._5 1_.5 1e_5 1e5e5 1.2.3 . - 1j 1e inf";
        let refused_texts = [
            r"'\x+1'",
            r"'\x 1'",
            r"'\x4'",
            r"'\u+123'",
            r"'\U00110000'",
            r"'\N{BULLET}'",
            "'a\nb'",
            "b'a'",
            "ur'a'",
        ];
        let refused_others = ["[,]", "(,)", "[1,,2]", "(1 2)", "{,}", "\u{a0}[\u{a0}]", "# c", "-None"];
        for written in refused_numbers.split(' ').chain(refused_texts).chain(refused_others) {
            assert!(read(written).is_err(), "{written}");
        }
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
