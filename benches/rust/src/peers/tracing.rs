//! tracing-subscriber with tracing-appender.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::line::{OTHER_LOGGER, Request};
use crate::measure::Peer;
use crate::peers::timestamp;
use crate::way::Manner;

pub struct Tracing {
    buffered: Option<Buffered>,
    guard: Option<WorkerGuard>,
}

/// A writer that is flushed at the end.
#[derive(Clone)]
struct Buffered(Arc<Mutex<BufWriter<std::fs::File>>>);

impl Write for Buffered {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

struct Time;

impl FormatTime for Time {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        write!(out, "{}", timestamp())
    }
}

/// `{time} {level} {target} {message}`.
struct Line;

impl<S, N> tracing_subscriber::fmt::FormatEvent<S, N> for Line
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    N: for<'a> tracing_subscriber::fmt::FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &tracing_subscriber::fmt::FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> std::fmt::Result {
        let metadata = event.metadata();
        write!(out, "{} {} {} ", timestamp(), metadata.level(), metadata.target())?;
        context.field_format().format_fields(out.by_ref(), event)?;
        writeln!(out)
    }
}

fn install(writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static, json: bool) {
    use tracing::level_filters::LevelFilter;
    let targets = tracing_subscriber::filter::Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target(OTHER_LOGGER, LevelFilter::DEBUG);
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer);
    let registry = tracing_subscriber::registry().with(targets);
    if json {
        registry.with(layer.json().with_timer(Time)).init();
    } else {
        registry.with(layer.event_format(Line)).init();
    }
}

impl Peer for Tracing {
    fn start_dropping(file: &Path) -> Option<Self> {
        let file = OpenOptions::new().append(true).create(true).open(file).ok()?;
        let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(8192);
        let (writer, guard) = builder.finish(file);
        install(writer, false);
        Some(Self { buffered: None, guard: Some(guard) })
    }

    fn start(manner: Manner, file: &Path) -> Option<Self> {
        let file = OpenOptions::new().append(true).create(true).open(file).ok()?;
        let (mut buffered, mut guard) = (None, None);
        match manner {
            Manner::Flushed => install(Arc::new(file), false),
            Manner::Buffered | Manner::Json => {
                let writer = Buffered(Arc::new(Mutex::new(BufWriter::with_capacity(1 << 16, file))));
                buffered = Some(writer.clone());
                install(move || writer.clone(), manner == Manner::Json);
            }
            Manner::Asynchronous => {
                let builder = NonBlockingBuilder::default().lossy(false).buffered_lines_limit(8192);
                let (writer, own) = builder.finish(file);
                guard = Some(own);
                install(writer, false);
            }
        }
        Some(Self { buffered, guard })
    }

    #[inline]
    fn info(&self, request: Request<'_>) {
        tracing::info!(target: "shop.orders", "request {} of {} took {} ms", request.number, request.user, request.took);
    }

    #[inline]
    fn debug(&self, request: Request<'_>) {
        tracing::debug!(target: "shop.orders", "request {} of {} took {} ms", request.number, request.user, request.took);
    }

    #[inline]
    fn info_with_fields(&self, request: Request<'_>) {
        tracing::info!(target: "shop.orders", number = request.number, user = request.user, "request done");
    }

    fn finish(self) {
        drop(self.guard);
        if let Some(mut buffered) = self.buffered {
            let _ = buffered.flush();
        }
    }
}
