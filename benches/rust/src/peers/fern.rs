//! fern, which flushes after each record.

use std::path::Path;

use crate::line::{LOGGER, OTHER_LOGGER, Request};
use crate::measure::Peer;
use crate::peers::timestamp;
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

    #[inline]
    fn info(&self, request: Request<'_>) {
        log::info!(target: LOGGER, "request {} of {} took {} ms", request.number, request.user, request.took);
    }

    #[inline]
    fn debug(&self, request: Request<'_>) {
        log::debug!(target: LOGGER, "request {} of {} took {} ms", request.number, request.user, request.took);
    }

    fn info_with_fields(&self, _: Request<'_>) {}

    fn finish(self) {
        log::logger().flush();
    }
}
