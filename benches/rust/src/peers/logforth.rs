//! logforth.

use std::path::Path;

use crate::measure::Peer;
use crate::peers::{calls_of_log, timestamp};
use crate::way::Manner;

use logforth::append::File;
use logforth::append::asynchronous::AsyncBuilder;
use logforth::record::{LevelFilter, Record};
use logforth::{Diagnostic, Error, Layout};

pub struct Logforth;

#[derive(Debug)]
struct Line;

impl Layout for Line {
    fn format(&self, record: &Record<'_>, _: &[Box<dyn Diagnostic>]) -> Result<Vec<u8>, Error> {
        Ok(format!("{} {} {} {}", timestamp(), record.level(), record.target(), record.payload())
            .into_bytes())
    }
}

impl Peer for Logforth {
    fn start(manner: Manner, file: &Path) -> Option<Self> {
        if !matches!(manner, Manner::Flushed | Manner::Asynchronous) {
            return None;
        }
        let (folder, name) = (file.parent()?, file.file_name()?.to_str()?);
        let file: File = logforth::append::file::FileBuilder::new(folder, name).layout(Line).build().ok()?;
        let least = LevelFilter::MoreSevereEqual(logforth::record::Level::Info);
        logforth::bridge::log::setup();
        if manner == Manner::Asynchronous {
            let queue =
                AsyncBuilder::new("logforth").buffered_lines_limit(Some(8192)).overflow_block().append(file);
            logforth::core::builder().dispatch(|to| to.filter(least).append(queue.build())).apply();
        } else {
            logforth::core::builder().dispatch(|to| to.filter(least).append(file)).apply();
        }
        Some(Self)
    }

    calls_of_log!();

    fn finish(self) {
        log::logger().flush();
    }
}
