//! Handlers that write to files.

use std::path::PathBuf;

use jiff::civil::Time;

use super::super::options::Options;
use super::super::registry::Recipe;
use super::handlers::ready;
use crate::handler::{FileHandler, RotatingFileHandler, TimedRotatingFileHandler, WatchedFileHandler};
use crate::rotation::{Customs, Schedule, SizeLimit, When};
use crate::writer::FileWriter;

/// A file as the options of all these handlers describe it.
struct File {
    path: PathBuf,
    truncate: bool,
    delay: bool,
}

impl File {
    fn check(options: &mut Options<'_>, has_mode: bool) -> Option<Self> {
        options.one_of("encoding", "\"utf-8\", the only one", |name| {
            matches!(&*name.to_ascii_lowercase(), "utf-8" | "utf8" | "utf_8").then_some(())
        });
        // Text is always valid in Rust, so that each way to handle errors is kept.
        options.text("errors");
        let delay = options.flag("delay").unwrap_or(false);
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
        Some(Self { path, truncate: mode.unwrap_or(false), delay })
    }

    /// The writer, which has opened the file unless that is delayed.
    fn writer(&self) -> std::io::Result<FileWriter> {
        let mut writer = FileWriter::new(&self.path);
        if self.truncate {
            writer = writer.truncating();
        }
        if !self.delay {
            writer.open()?;
        }
        Ok(writer)
    }

    fn recipe(
        self,
        make: impl Fn(FileWriter, &super::super::registry::Parts<'_>) -> std::sync::Arc<dyn crate::Handler>
        + Send
        + Sync
        + 'static,
    ) -> Recipe {
        let opens = (!self.delay).then(|| self.path.clone());
        let recipe = Recipe::new(move |parts| Ok(make(self.writer()?, parts)));
        match opens {
            Some(path) => recipe.opening(path),
            None => recipe,
        }
    }
}

pub(super) fn plain(options: &mut Options<'_>) -> Option<Recipe> {
    let file = File::check(options, true)?;
    Some(file.recipe(|writer, parts| ready(FileHandler::with_writer(writer), parts)))
}

pub(super) fn watched(options: &mut Options<'_>) -> Option<Recipe> {
    let file = File::check(options, true)?;
    Some(file.recipe(|writer, parts| ready(WatchedFileHandler::new(writer), parts)))
}

pub(super) fn rotating(options: &mut Options<'_>) -> Option<Recipe> {
    let max_bytes = options.integer("maxBytes", 0..=i64::MAX).unwrap_or(0);
    let backup_count = options.integer("backupCount", 0..=i64::from(u32::MAX)).unwrap_or(0);
    let mut file = File::check(options, true)?;
    // As in Python: what is to be kept up to a size is not emptied.
    file.truncate &= max_bytes == 0;
    let limit = SizeLimit::new(max_bytes.unsigned_abs(), u32::try_from(backup_count).unwrap_or(u32::MAX));
    Some(file.recipe(move |writer, parts| {
        ready(RotatingFileHandler::new(writer, limit, Customs::default()), parts)
    }))
}

pub(super) fn timed(options: &mut Options<'_>) -> Option<Recipe> {
    let when = options.one_of("when", "one of S, M, H, D, MIDNIGHT, W0 to W6", |text| When::parse(text).ok());
    let interval = options.integer("interval", 1..=i64::MAX).unwrap_or(1);
    let backup_count = options.integer("backupCount", 0..=i64::from(u32::MAX)).unwrap_or(0);
    let utc = options.flag("utc").unwrap_or(false);
    let at_time = options.one_of("atTime", "a time of the day, as \"03:30:00\"", |text| {
        let time = text.parse::<Time>().ok()?;
        let second = i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second());
        u32::try_from(second).ok()
    });
    let schedule = Schedule::new(when.unwrap_or(When::Hour), interval);
    let schedule = schedule.map(|schedule| schedule.utc(utc).at_time(at_time));
    let schedule =
        schedule.map_err(|error| options.mistake("interval", interval.to_string(), error.to_string()));
    let file = File::check(options, false)?;
    let (schedule, backup_count) = (schedule.ok()?, usize::try_from(backup_count).ok()?);
    Some(file.recipe(move |writer, parts| {
        ready(TimedRotatingFileHandler::new(writer, schedule, backup_count, Customs::default()), parts)
    }))
}
