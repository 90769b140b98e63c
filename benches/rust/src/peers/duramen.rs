//! Duramen.

use std::path::Path;
use std::sync::Arc;

use duramen::formatter::{JsonFormatter, Style, TextFormatter};
use duramen::handler::{AsyncHandler, FileHandler, JournaledHandler};
use duramen::queue::{Options, Overflow};
use duramen::{Formatter, Handler, Level, Logger, Manager, debug, info, spool};

use crate::line::{LOGGER, OTHER_LOGGER, Request};
use crate::measure::Peer;
use crate::way::Manner;

/// The example set-up of docs/rust.md.
pub struct Duramen {
    manager: Manager,
    log: Logger,
}

impl Duramen {
    fn with(manner: Manner, file: &Path, options: Options) -> Option<Self> {
        let handler = handler(manner, file)?;
        Some(match manner {
            Manner::Asynchronous => Self::of(Arc::new(AsyncHandler::new(vec![handler], options).ok()?)),
            _ => Self::of(handler),
        })
    }

    fn of(handler: Arc<dyn Handler>) -> Self {
        let manager = Manager::new();
        manager.root().set_level(Level::INFO);
        manager.root().add_handler(handler);
        manager.get_logger(OTHER_LOGGER).set_level(Level::DEBUG);
        let log = manager.get_logger(LOGGER);
        Self { manager, log }
    }
}

/// A handler on the file, with the line's layout.
fn handler(manner: Manner, file: &Path) -> Option<Arc<dyn Handler>> {
    let formatter: Arc<dyn Formatter> = match manner {
        Manner::Json => Arc::new(JsonFormatter::default()),
        _ => {
            let layout = "%(asctime)s %(levelname)s %(name)s %(message)s";
            Arc::new(TextFormatter::new(layout, None, Style::Percent).ok()?)
        }
    };
    let handler = match manner {
        Manner::Buffered | Manner::Json => FileHandler::buffered(file, 64 * 1024),
        _ => FileHandler::new(file),
    };
    let handler = handler.ok()?;
    handler.set_formatter(formatter);
    Some(Arc::new(handler))
}

impl Peer for Duramen {
    fn start(manner: Manner, file: &Path) -> Option<Self> {
        Self::with(manner, file, Options::default())
    }

    fn start_dropping(file: &Path) -> Option<Self> {
        let options = Options { overflow: Overflow::DropNewest, ..Options::default() };
        Self::with(Manner::Asynchronous, file, options)
    }

    fn start_journaled(file: &Path) -> Option<Self> {
        let behind = vec![handler(Manner::Asynchronous, file)?];
        let folder = file.with_extension("spool");
        let queue = JournaledHandler::new(behind, Options::default(), &folder, spool::DEFAULT_SIZE).ok()?;
        Some(Self::of(Arc::new(queue)))
    }

    #[inline]
    fn info(&self, request: Request<'_>) {
        info!(self.log, "request {} of {} took {} ms", request.number, request.user, request.took);
    }

    #[inline]
    fn debug(&self, request: Request<'_>) {
        debug!(self.log, "request {} of {} took {} ms", request.number, request.user, request.took);
    }

    #[inline]
    fn info_with_fields(&self, request: Request<'_>) {
        info!(self.log, "request done"; number = request.number, user = request.user);
    }

    fn finish(self) {
        self.manager.shutdown();
    }
}
