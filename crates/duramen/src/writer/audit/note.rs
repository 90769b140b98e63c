//! What a trail says of itself: JSON objects with some of these keys.

use serde_json::{Map, Value};

/// What a note says; each has some of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Note {
    /// `version`: a file begins, and its lines are written so.
    pub(super) version: Option<u64>,
    /// `key`: the name of the key of the lines of this file.
    pub(super) key: Option<String>,
    /// `previous`: the code of the last line of the file before.
    pub(super) previous: Option<String>,
    /// `time`: when, in seconds since the epoch.
    pub(super) time: Option<i64>,
    /// `removed_to`: files were deleted for their age, up to this line.
    pub(super) removed_to: Option<u64>,
    /// `torn`: a torn line was taken away, which held this.
    pub(super) torn: Option<String>,
    /// `lost`: so many records found no place in memory while nothing could be written.
    pub(super) lost: Option<u64>,
    /// `head`: the head was not there, or not readable, when the trail was opened.
    pub(super) head_missing: bool,
}

impl Note {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let Ok(Value::Object(note)) = serde_json::from_slice(text) else { return None };
        let number = |name| note.get(name).and_then(Value::as_u64);
        let text = |name| note.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            version: number("version"),
            key: text("key"),
            previous: text("previous"),
            time: note.get("time").and_then(Value::as_i64),
            removed_to: number("removed_to"),
            torn: text("torn"),
            lost: number("lost"),
            head_missing: text("head").as_deref() == Some("missing"),
        })
    }

    pub(super) fn text(&self) -> Vec<u8> {
        let mut note = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                note.insert(name.to_owned(), value);
            }
        };
        put("version", self.version.map(Value::from));
        put("key", self.key.clone().map(Value::from));
        put("previous", self.previous.clone().map(Value::from));
        put("time", self.time.map(Value::from));
        put("removed_to", self.removed_to.map(Value::from));
        put("torn", self.torn.clone().map(Value::from));
        put("lost", self.lost.map(Value::from));
        put("head", self.head_missing.then(|| Value::from("missing")));
        Value::Object(note).to_string().into_bytes()
    }
}
