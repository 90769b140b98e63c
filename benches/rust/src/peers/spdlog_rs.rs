//! spdlog-rs.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use spdlog::formatter::{JsonFormatter, PatternFormatter, pattern};
use spdlog::sink::{AsyncPoolSink, FileSink, OverflowPolicy, Sink};
use spdlog::{Level, LevelFilter, Logger, ThreadPool};

use crate::line::{LOGGER, Request};
use crate::measure::Peer;
use crate::way::Manner;

pub struct SpdlogRs(Arc<Logger>);

impl Peer for SpdlogRs {
    fn start(manner: Manner, file: &Path) -> Option<Self> {
        let sink = FileSink::builder().path(file).capacity(64 * 1024);
        let sink: Arc<dyn Sink> = if manner == Manner::Json {
            sink.formatter(JsonFormatter::new()).build_arc().ok()?
        } else {
            let line = pattern!("{year}-{month}-{day} {time},{millisecond} {level} {logger} {payload}{eol}");
            sink.formatter(PatternFormatter::new(line)).build_arc().ok()?
        };
        let sink = if manner == Manner::Asynchronous {
            let pool = ThreadPool::builder().capacity(NonZeroUsize::new(8192)?).build_arc().ok()?;
            let queue = AsyncPoolSink::builder().sink(sink).thread_pool(pool);
            queue.overflow_policy(OverflowPolicy::Block).build_arc().ok()?
        } else {
            sink
        };
        let mut builder = Logger::builder();
        builder.name(LOGGER).sink(sink).level_filter(LevelFilter::MoreSevereEqual(Level::Info));
        if manner == Manner::Flushed {
            builder.flush_level_filter(LevelFilter::All);
        }
        builder.build_arc().ok().map(Self)
    }

    #[inline]
    fn info(&self, request: Request<'_>) {
        let Request { number, user, took } = request;
        spdlog::info!(logger: self.0, "request {} of {} took {} ms", number, user, took);
    }

    #[inline]
    fn debug(&self, request: Request<'_>) {
        let Request { number, user, took } = request;
        spdlog::debug!(logger: self.0, "request {} of {} took {} ms", number, user, took);
    }

    #[inline]
    fn info_with_fields(&self, request: Request<'_>) {
        spdlog::info!(logger: self.0, kv: { number = request.number, user = request.user }, "request done");
    }

    fn finish(self) {
        self.0.flush();
    }
}
