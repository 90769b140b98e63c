//! slog: a drain for lines, slog-json, slog-async.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use slog::{Drain, Level, Logger, OwnedKVList, Record, o};

use crate::line::{LOGGER, Request};
use crate::measure::Peer;
use crate::peers::timestamp;
use crate::way::Manner;

pub struct Slog {
    log: Logger,
    file: Shared,
    guard: Option<slog_async::AsyncGuard>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<BufWriter<File>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

/// The line, whose parts no drain of slog's own writes in this order.
struct Lines {
    file: Shared,
    flushes: bool,
}

impl Drain for Lines {
    type Ok = ();
    type Err = slog::Never;

    fn log(&self, record: &Record<'_>, _: &OwnedKVList) -> Result<(), slog::Never> {
        let mut file = self.file.0.lock().unwrap_or_else(PoisonError::into_inner);
        let level = record.level().as_short_str();
        let _ = writeln!(file, "{} {level} {} {}", timestamp(), LOGGER, record.msg());
        if self.flushes {
            let _ = file.flush();
        }
        Ok(())
    }
}

impl Peer for Slog {
    fn start(manner: Manner, file: &Path) -> Option<Self> {
        let file = OpenOptions::new().append(true).create(true).open(file).ok()?;
        let file = Shared(Arc::new(Mutex::new(BufWriter::with_capacity(64 * 1024, file))));
        let lines = Lines { file: file.clone(), flushes: manner == Manner::Flushed };
        let mut guard = None;
        let log = match manner {
            Manner::Flushed | Manner::Buffered => {
                Logger::root(slog::LevelFilter::new(lines, Level::Info).fuse(), o!())
            }
            Manner::Json => {
                let json = slog_json::Json::new(file.clone()).add_default_keys().build();
                let json = slog::LevelFilter::new(Mutex::new(json).fuse(), Level::Info).fuse();
                Logger::root(json, o!("logger" => LOGGER))
            }
            Manner::Asynchronous => {
                let queue = slog_async::Async::new(lines).chan_size(8192);
                let queue = queue.overflow_strategy(slog_async::OverflowStrategy::Block);
                let (queue, own) = queue.build_with_guard();
                guard = Some(own);
                Logger::root(slog::LevelFilter::new(queue, Level::Info).fuse(), o!())
            }
        };
        Some(Self { log, file, guard })
    }

    #[inline]
    fn info(&self, request: Request<'_>) {
        let Request { number, user, took } = request;
        slog::info!(self.log, "request {} of {} took {} ms", number, user, took);
    }

    #[inline]
    fn debug(&self, request: Request<'_>) {
        let Request { number, user, took } = request;
        slog::debug!(self.log, "request {} of {} took {} ms", number, user, took);
    }

    #[inline]
    fn info_with_fields(&self, request: Request<'_>) {
        slog::info!(self.log, "request done"; "number" => request.number, "user" => request.user.to_owned());
    }

    fn finish(mut self) {
        drop(self.guard.take());
        let _ = self.file.flush();
    }
}
