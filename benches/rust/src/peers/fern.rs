//! fern, which flushes after each record.

use std::path::Path;

use crate::line::OTHER_LOGGER;
use crate::measure::Peer;
use crate::peers::{calls_of_log, timestamp};
use crate::way::Manner;

pub struct Fern;

impl Peer for Fern {
    fn start(manner: Manner, file: &Path) -> Option<Self> {
        if manner != Manner::Flushed {
            return None;
        }
        fern::Dispatch::new()
            .format(|out, message, record| {
                out.finish(format_args!("{} {} {} {message}", timestamp(), record.level(), record.target()));
            })
            .level(log::LevelFilter::Info)
            .level_for(OTHER_LOGGER, log::LevelFilter::Debug)
            .chain(fern::log_file(file).ok()?)
            .apply()
            .ok()?;
        Some(Self)
    }

    calls_of_log!();

    fn finish(self) {
        log::logger().flush();
    }
}
