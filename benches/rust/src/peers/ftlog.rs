//! ftlog, which has a thread that writes.

use std::path::Path;

use crate::line::OTHER_LOGGER;
use crate::measure::Peer;
use crate::peers::{calls_of_log, timestamp};
use crate::way::Manner;

use std::fmt::Display;
use std::fs::OpenOptions;

pub struct Ftlog(Option<ftlog::LoggerGuard>);

struct Line;

impl ftlog::FtLogFormat for Line {
    fn msg(&self, record: &log::Record<'_>) -> Box<dyn Send + Sync + Display> {
        Box::new(format!("{} {} {}", record.level(), record.target(), record.args()))
    }
}

/// Takes out what ftlog puts between the time and the message: how late the thread is.
struct WithoutDelay(std::io::BufWriter<std::fs::File>);

impl std::io::Write for WithoutDelay {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = std::str::from_utf8(line).unwrap_or_default();
        match text.split_once("ms ").filter(|_| text.len() > 23) {
            Some((_, rest)) => {
                self.0.write_all(&line[..23])?;
                self.0.write_all(b" ")?;
                self.0.write_all(rest.strip_prefix("0 ").unwrap_or(rest).as_bytes())?;
            }
            None => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Peer for Ftlog {
    fn start(manner: Manner, file: &Path) -> Option<Self> {
        if manner != Manner::Asynchronous {
            return None;
        }
        let _ = timestamp();
        let file = OpenOptions::new().append(true).create(true).open(file).ok()?;
        let form = "[year]-[month]-[day] [hour]:[minute]:[second],[subsecond digits:3]";
        let guard = ftlog::builder()
            .max_log_level(log::LevelFilter::Debug)
            .root_log_level(log::LevelFilter::Info)
            .filter(OTHER_LOGGER, "other", log::LevelFilter::Debug)
            .appender("other", std::io::sink())
            .format(Line)
            .time_format(time::format_description::parse_owned::<1>(form).ok()?)
            .bounded(8192, true)
            .root(WithoutDelay(std::io::BufWriter::with_capacity(64 * 1024, file)))
            .try_init();
        guard.ok().map(|guard| Self(Some(guard)))
    }

    calls_of_log!();

    fn finish(self) {
        drop(self.0);
    }
}
