//! From text to a configuration as it is written.

mod ini;
mod literal;
#[cfg(feature = "yaml")]
mod yaml;

use std::path::Path;

use super::Mistakes;
use crate::Value;
use crate::error::OptionError;
use crate::value::Tree;

pub(super) use ini::read as ini;
#[cfg(feature = "yaml")]
pub(super) use yaml::read as yaml;

/// A configuration nests no deeper than this.
const DEEPEST: usize = 64;

/// The mistake that the text is not in the format that it should be in.
fn malformed(line: usize, column: usize, problem: impl Into<String>, format: &str) -> Mistakes {
    Mistakes::new(vec![OptionError::new(format!("line {line}, column {column}"), problem, format)])
}

/// A configuration, and what is wrong with parts that could not be read.
pub(super) type Written = (Value<'static>, Vec<OptionError>);

/// The configuration in the bytes of the file at `path`, whose name says how it is written.
pub(super) fn file(path: &Path, bytes: &[u8]) -> Result<Written, Mistakes> {
    let whole = |value| (value, Vec::new());
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let place = format!("byte {}", error.valid_up_to());
            return Err(Mistakes::new(vec![OptionError::new(place, "other bytes", "UTF-8")]));
        }
    };
    match &*ending {
        "json" => json(text).map(whole),
        #[cfg(feature = "toml")]
        "toml" => toml(text).map(whole),
        #[cfg(feature = "yaml")]
        "yaml" | "yml" => yaml(text).map(whole),
        "ini" | "cfg" | "conf" => ini(text),
        _ => {
            let mut known = vec![".json"];
            if cfg!(feature = "toml") {
                known.push(".toml");
            }
            if cfg!(feature = "yaml") {
                known.extend([".yaml", ".yml"]);
            }
            known.extend([".ini", ".cfg", ".conf"]);
            let expected = format!("one of {}", known.join(", "));
            let found = format!("{:?}", path.file_name().unwrap_or_default().to_string_lossy());
            Err(Mistakes::new(vec![OptionError::new("the ending of the file's name", found, expected)]))
        }
    }
}

pub(super) fn json(text: &str) -> Result<Value<'static>, Mistakes> {
    let tree: Result<Tree, _> = serde_json::from_str(text);
    tree.map(|tree| tree.0)
        .map_err(|error| malformed(error.line(), error.column(), error.to_string(), "JSON"))
}

#[cfg(feature = "toml")]
#[expect(
    clippy::string_slice,
    reason = "the parser tells places between characters, and the end bounds them"
)]
pub(super) fn toml(text: &str) -> Result<Value<'static>, Mistakes> {
    let tree: Result<Tree, ::toml::de::Error> = ::toml::from_str(text);
    tree.map(|tree| tree.0).map_err(|error| {
        let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        malformed(line, column, error.message(), "TOML")
    })
}
