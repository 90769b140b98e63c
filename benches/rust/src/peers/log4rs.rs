//! log4rs, which flushes after each record.

use std::path::Path;

use crate::line::OTHER_LOGGER;
use crate::measure::Peer;
use crate::peers::calls_of_log;
use crate::way::Manner;

pub struct Log4rs;

impl Peer for Log4rs {
    fn start(manner: Manner, file: &Path) -> Option<Self> {
        use log::LevelFilter::{Debug, Info};
        use log4rs::config::{Appender, Logger, Root};
        if manner != Manner::Flushed {
            return None;
        }
        let pattern = "{d(%Y-%m-%d %H:%M:%S,%3f)} {l} {t} {m}{n}";
        let encoder = log4rs::encode::pattern::PatternEncoder::new(pattern);
        let appender =
            log4rs::append::file::FileAppender::builder().encoder(Box::new(encoder)).build(file).ok()?;
        let config = log4rs::Config::builder()
            .appender(Appender::builder().build("file", Box::new(appender)))
            .logger(Logger::builder().build(OTHER_LOGGER, Debug))
            .build(Root::builder().appender("file").build(Info));
        log4rs::init_config(config.ok()?).ok()?;
        Some(Self)
    }

    calls_of_log!();

    fn finish(self) {
        log::logger().flush();
    }
}
