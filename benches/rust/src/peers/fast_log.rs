//! fast_log, which has a thread that writes; it knows no levels of targets.

use std::path::Path;

use crate::measure::Peer;
use crate::peers::{calls_of_log, timestamp};
use crate::way::Manner;

use fast_log::appender::{FastLogRecord, RecordFormat};

pub struct FastLog;

/// The caller makes the line.
struct Line;

impl RecordFormat for Line {
    fn do_format(&self, record: &mut FastLogRecord) {
        if record.command == fast_log::appender::Command::CommandRecord {
            record.formated = format!("{} {} {} {}\n", timestamp(), record.level, record.target, record.args);
        }
    }
}

impl Peer for FastLog {
    fn start(manner: Manner, file: &Path) -> Option<Self> {
        if manner != Manner::Asynchronous {
            return None;
        }
        let config = fast_log::Config::new().level(log::LevelFilter::Info).format(Line).chan_len(Some(8192));
        fast_log::init(config.file(file.to_str()?)).ok()?;
        Some(Self)
    }

    calls_of_log!();

    fn finish(self) {
        if let Ok(flushed) = fast_log::flush() {
            flushed.wait();
        }
    }
}
