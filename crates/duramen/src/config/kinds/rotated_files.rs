//! Handlers that write to files which are rolled over.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::super::options::Options;
use super::super::registry::Recipe;
use super::files::File;
use super::handlers::ready;
use crate::Value;
use crate::clock::{Clock, SystemClock};
use crate::fs::Disk;
use crate::handler::{RotatingFileHandler, TimedRotatingFileHandler};
use crate::rotation::{
    Compression, Customs, InvalidOption, Schedule, SizeLimit, Upkeep, UpkeepOptions, When, parse_age,
};
use crate::writer::{RotatingWriter, TimedRotatingWriter};

/// `RotatingFileHandler`: by size, and with `when` by time as well.
pub(super) fn by_size(options: &mut Options<'_>) -> Option<Recipe> {
    let max_bytes = options.integer("maxBytes", 0..=i64::MAX).unwrap_or(0).unsigned_abs();
    let backup_count = backup_count(options);
    let schedule = optional_schedule(options);
    if schedule.is_none() && options.value("when").is_some() {
        return None;
    }
    let mut upkeep = upkeep(options, backup_count);
    let mut file = File::check(options, true)?;
    // As in Python: what is to be kept up to a size is not emptied.
    file.truncate &= max_bytes == 0 && schedule.is_none() && upkeep.is_none();
    if schedule.is_some() {
        upkeep.get_or_insert(UpkeepOptions { backup_count, ..UpkeepOptions::default() });
    } else if let Some(upkeep) = &upkeep {
        check_size(options, max_bytes, upkeep)?;
    }
    finish(options, file, Rolled { max_bytes, backup_count, schedule, upkeep })
}

/// `TimedRotatingFileHandler`: by time, and with `maxBytes` by size as well.
pub(super) fn by_time(options: &mut Options<'_>) -> Option<Recipe> {
    let backup_count = backup_count(options);
    let schedule = schedule(options);
    let max_bytes = options.integer("maxBytes", 0..=i64::MAX);
    let mut upkeep = upkeep(options, backup_count);
    if max_bytes.is_some() {
        upkeep.get_or_insert(UpkeepOptions { backup_count, ..UpkeepOptions::default() });
    }
    if upkeep.is_some() {
        check_time(options)?;
    }
    let file = File::check(options, false)?;
    let max_bytes = max_bytes.unwrap_or(0).unsigned_abs();
    finish(options, file, Rolled { max_bytes, backup_count, schedule: Some(schedule?), upkeep })
}

/// What a file that is rolled over is asked for.
struct Rolled {
    max_bytes: u64,
    backup_count: usize,
    schedule: Option<Schedule>,
    upkeep: Option<UpkeepOptions>,
}

fn finish(options: &mut Options<'_>, file: File, rolled: Rolled) -> Option<Recipe> {
    if let Some(Err(InvalidOption { option, found, expected })) =
        rolled.upkeep.as_ref().map(|upkeep| upkeep.check_on(&Disk, &file.path))
    {
        options.mistake(option, found, expected);
        return None;
    }
    options.is_right().then(|| {
        file.recipe(move |file, parts| {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
            let upkeep = rolled.upkeep.clone().map(|options| upkeep_of(file, options, &clock)).transpose()?;
            let writer = file.writer()?;
            if let Some(upkeep) = &upkeep {
                upkeep.begin();
            }
            Ok(if let Some(schedule) = rolled.schedule {
                let (zone, customs) = (TimeZone::system(), Customs::default());
                let mut writer =
                    TimedRotatingWriter::new(writer, schedule, rolled.backup_count, customs, clock, zone);
                if let Some(upkeep) = upkeep {
                    writer = writer.with_upkeep(upkeep, rolled.max_bytes);
                }
                ready(TimedRotatingFileHandler::with_writer(writer), parts)
            } else {
                let backup_count = u32::try_from(rolled.backup_count).unwrap_or(u32::MAX);
                let limit = SizeLimit::new(rolled.max_bytes, backup_count);
                let mut writer = RotatingWriter::new(writer, limit, Customs::default());
                if let Some(upkeep) = upkeep {
                    writer = writer.with_upkeep(upkeep);
                }
                ready(RotatingFileHandler::with_writer(writer), parts)
            })
        })
    })
}

/// Before the file is opened: what cannot be leaves none behind.
fn upkeep_of(file: &File, options: UpkeepOptions, clock: &Arc<dyn Clock>) -> io::Result<Upkeep> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
    let upkeep = Upkeep::new(Arc::new(Disk), &file.path, options, Arc::clone(clock)).map_err(invalid)?;
    upkeep.link().map_err(|error| io::Error::new(error.kind(), format!("symlink: {error}")))?;
    Ok(upkeep)
}

fn backup_count(options: &mut Options<'_>) -> usize {
    let count = options.integer("backupCount", 0..=i64::from(u32::MAX)).unwrap_or(0);
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// The schedule of a handler that need not have one: its other options count beside `when` alone.
pub(super) fn optional_schedule(options: &mut Options<'_>) -> Option<Schedule> {
    if options.value("when").is_some() {
        let schedule = schedule(options)?;
        check_time(options)?;
        return Some(schedule);
    }
    for name in ["interval", "utc", "atTime"] {
        if let Some(value) = options.value(name) {
            return options.refuse(name, value, "when beside it");
        }
    }
    None
}

/// Refuses a time of the day beside a unit that has none.
fn check_time(options: &mut Options<'_>) -> Option<()> {
    let unit = options.text("when").map_or(Ok(When::Hour), When::parse);
    match options.value("atTime") {
        Some(time) if unit.is_ok_and(|unit| !unit.follows_the_calendar()) => {
            options.refuse("atTime", time, "none, since when is neither midnight nor a day of the week")
        }
        _ => Some(()),
    }
}

fn schedule(options: &mut Options<'_>) -> Option<Schedule> {
    let when = options.one_of("when", "one of S, M, H, D, MIDNIGHT, W0 to W6", |text| When::parse(text).ok());
    let interval = options.integer("interval", 1..=i64::MAX).unwrap_or(1);
    let utc = options.flag("utc").unwrap_or(false);
    let at_time = options.one_of("atTime", "a time of the day, as \"03:30:00\"", |text| {
        let time = text.parse::<Time>().ok()?;
        let second = i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second());
        u32::try_from(second).ok()
    });
    let schedule = Schedule::new(when.unwrap_or(When::Hour), interval);
    let schedule = schedule.map(|schedule| schedule.utc(utc).at_time(at_time));
    schedule.map_err(|error| options.mistake("interval", interval.to_string(), error.to_string())).ok()
}

/// The options that CPython's handlers do not have; `None` when none is there.
fn upkeep(options: &mut Options<'_>, backup_count: usize) -> Option<UpkeepOptions> {
    const NAMES: [&str; 6] =
        ["compression", "max_age", "max_total_bytes", "archive_to", "archive_max_age", "symlink"];
    let is_asked = NAMES.into_iter().any(|name| options.value(name).is_some());
    let compression =
        options.one_of("compression", "\"gzip\" or \"zstd\"", |text| text.parse::<Compression>().ok());
    let upkeep = UpkeepOptions {
        backup_count,
        compression,
        max_age: age(options, "max_age"),
        max_total_bytes: options.integer("max_total_bytes", 1..=i64::MAX).map(i64::unsigned_abs),
        archive_to: path(options, "archive_to"),
        archive_max_age: age(options, "archive_max_age"),
        symlink: path(options, "symlink"),
        on_rotate: None,
    };
    is_asked.then_some(upkeep)
}

/// An age: text such as `30d`, or seconds.
pub(super) fn age(options: &mut Options<'_>, name: &'static str) -> Option<Duration> {
    const EXPECTED: &str = "text such as \"30d\", or seconds above 0";
    let value = options.value(name)?;
    let age = match value {
        Value::Text(text) => parse_age(name, text).ok(),
        Value::Integer(seconds) => u64::try_from(*seconds).ok().map(Duration::from_secs),
        Value::Float(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
        _ => None,
    };
    age.filter(|age| !age.is_zero()).or_else(|| options.refuse(name, value, EXPECTED))
}

fn path(options: &mut Options<'_>, name: &'static str) -> Option<PathBuf> {
    let path = Path::new(options.text(name)?);
    Some(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
}

fn check_size(options: &mut Options<'_>, max_bytes: u64, upkeep: &UpkeepOptions) -> Option<()> {
    let otherwise = "without it nothing is rolled over";
    if max_bytes == 0 {
        options.mistake("maxBytes", "0", format!("at least 1, or when: {otherwise}"));
        return None;
    }
    if upkeep.backup_count == 0 && upkeep.max_age.is_none() && upkeep.max_total_bytes.is_none() {
        let expected = format!("at least 1, or max_age or max_total_bytes: {otherwise}");
        options.mistake("backupCount", "0", expected);
        return None;
    }
    Some(())
}
