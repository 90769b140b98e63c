//! flexi_logger.

use std::path::Path;

use crate::line::OTHER_LOGGER;
use crate::measure::Peer;
use crate::peers::{calls_of_log, timestamp};
use crate::way::Manner;

use flexi_logger::{DeferredNow, FileSpec, Logger, LoggerHandle, WriteMode};

pub struct FlexiLogger(LoggerHandle);

fn line(
    out: &mut dyn std::io::Write,
    _: &mut DeferredNow,
    record: &log::Record<'_>,
) -> Result<(), std::io::Error> {
    write!(out, "{} {} {} {}", timestamp(), record.level(), record.target(), record.args())
}

impl Peer for FlexiLogger {
    fn start(manner: Manner, file: &Path) -> Option<Self> {
        let mode = match manner {
            Manner::Flushed => WriteMode::Direct,
            Manner::Buffered => WriteMode::BufferDontFlushWith(64 * 1024),
            Manner::Asynchronous => WriteMode::Async,
            Manner::Json => return None,
        };
        let logger = Logger::try_with_str(format!("info, {OTHER_LOGGER}=debug")).ok()?;
        let logger =
            logger.log_to_file(FileSpec::try_from(file).ok()?).append().write_mode(mode).format(line);
        logger.start().ok().map(Self)
    }

    calls_of_log!();

    fn finish(self) {
        self.0.shutdown();
    }
}
