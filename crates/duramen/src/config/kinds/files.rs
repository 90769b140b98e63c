//! Handlers that write to files.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::options::Options;
use super::super::registry::{Parts, Recipe};
use super::handlers::ready;
use crate::handler::{FileHandler, WatchedFileHandler};
use crate::writer::{FileWriter, Fsync};
use crate::{Handler, Value};

/// A file as the options of all these handlers describe it.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) truncate: bool,
    delay: bool,
    fsync: Fsync,
}

impl File {
    pub(super) fn check(options: &mut Options<'_>, has_mode: bool) -> Option<Self> {
        options.one_of("encoding", "\"utf-8\", the only one", |name| {
            matches!(&*name.to_ascii_lowercase(), "utf-8" | "utf8" | "utf_8").then_some(())
        });
        // Text is always valid in Rust, so that each way to handle errors is kept.
        options.text("errors");
        let delay = options.flag("delay").unwrap_or(false);
        let fsync = fsync(options);
        let mode = has_mode
            .then(|| {
                options.one_of("mode", "\"a\" or \"w\"", |mode| match mode {
                    "a" => Some(false),
                    "w" => Some(true),
                    _ => None,
                })
            })
            .flatten();
        let path = options.required_text("filename")?;
        if path.is_empty() {
            options.mistake("filename", "\"\"", "the path of a file");
            return None;
        }
        // As in Python, a later change of the working directory moves no log.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
        Some(Self { path, truncate: mode.unwrap_or(false), delay, fsync })
    }

    /// The writer, which has opened the file unless that is delayed.
    pub(super) fn writer(&self) -> io::Result<FileWriter> {
        let mut writer = FileWriter::new(&self.path).fsync(self.fsync);
        if self.truncate {
            writer = writer.truncating();
        }
        if !self.delay {
            writer.open()?;
        }
        Ok(writer)
    }

    /// How the handler is made that asks for the [writer](File::writer).
    pub(super) fn recipe(
        self,
        make: impl Fn(&Self, &Parts<'_>) -> io::Result<Arc<dyn Handler>> + Send + Sync + 'static,
    ) -> Recipe {
        let opens = (!self.delay).then(|| self.path.clone());
        let recipe = Recipe::new(move |parts| make(&self, parts));
        match opens {
            Some(path) => recipe.opening(path),
            None => recipe,
        }
    }
}

/// When the file is brought to the disk: a name, or an interval as text or in seconds.
fn fsync(options: &mut Options<'_>) -> Fsync {
    let asked = if let Some(Value::Integer(_) | Value::Float(_)) = options.value("fsync") {
        let seconds = options.number("fsync").unwrap_or_default();
        let fsync = Fsync::from_seconds(seconds);
        if fsync.is_none() {
            options.mistake("fsync", seconds.to_string(), Fsync::EXPECTED);
        }
        fsync
    } else if let Some(other @ Value::Bool(_)) = options.value("fsync") {
        options.refuse("fsync", other, Fsync::EXPECTED)
    } else {
        options.one_of("fsync", Fsync::EXPECTED, |text| text.parse().ok())
    };
    asked.unwrap_or_default()
}

/// So many bytes a file may hold back at most.
const LARGEST_BUFFER: i64 = 64 * 1024 * 1024;

pub(super) fn plain(options: &mut Options<'_>) -> Option<Recipe> {
    let buffer = options.integer("buffer_size", 0..=LARGEST_BUFFER).unwrap_or(0);
    let file = File::check(options, true)?;
    if buffer > 0 && file.fsync == Fsync::EveryRecord {
        options.mistake("buffer_size", buffer.to_string(), "0 or none, since fsync is \"record\"");
    }
    let buffer = usize::try_from(buffer).unwrap_or(0);
    Some(file.recipe(move |file, parts| {
        Ok(ready(FileHandler::with_writer(file.writer()?.buffered(buffer)), parts))
    }))
}

pub(super) fn watched(options: &mut Options<'_>) -> Option<Recipe> {
    let file = File::check(options, true)?;
    Some(file.recipe(|file, parts| Ok(ready(WatchedFileHandler::new(file.writer()?), parts))))
}
