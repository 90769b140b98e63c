//! `AsyncHandler` and `QueueHandler`: a queue in front of other handlers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::super::options::Options;
use super::super::registry::Recipe;
use crate::handler::{AsyncHandler, JournaledHandler};
use crate::queue::{self, Overflow};
use crate::spool;
use crate::{Formatter, Handler, Level, Record};

pub(super) const ASYNC: &str = "duramen.handlers.AsyncHandler";

/// The options of Python's `AsyncHandler`.
pub(super) fn asynchronous(options: &mut Options<'_>) -> Option<Recipe> {
    let handlers = behind(options);
    let mut queue = queue::Options::default();
    if let Some(capacity) = options.integer("capacity", 1..=1 << 24) {
        queue.capacity = usize::try_from(capacity).unwrap_or(queue.capacity);
    }
    let expected = "block, drop_newest, drop_oldest, or drop_below: and a level";
    queue.overflow = options.one_of("overflow", expected, overflow).unwrap_or_default();
    queue.block_timeout = seconds(options, "block_timeout", 86_400.0, "seconds from 0 to 86400");
    if queue.block_timeout.is_some() && matches!(queue.overflow, Overflow::DropNewest | Overflow::DropOldest)
    {
        options.mistake("block_timeout", "one", "none, since an overflow that drops never waits");
    }
    queue.flush_interval =
        seconds(options, "flush_interval", 60.0, "seconds from 0 to 60").unwrap_or(queue.flush_interval);
    let journal = options.text("journal").map(PathBuf::from);
    if journal.as_ref().is_some_and(|folder| folder.as_os_str().is_empty()) {
        options.mistake("journal", "\"\"", "the path of a folder");
    }
    let bound = |size: &usize| i64::try_from(*size).unwrap_or(i64::MAX);
    let size = options.integer("journal_size", bound(spool::SIZES.start())..=bound(spool::SIZES.end()));
    if let (None, Some(size)) = (&journal, size) {
        options.mistake("journal_size", size.to_string(), "none, since there is no journal");
    }
    let size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(spool::DEFAULT_SIZE);
    if options.value("formatter").is_some() {
        options.mistake("formatter", "one", "none: the handlers behind the queue have formatters");
    }
    let handlers = handlers?;
    let may_drop = queue.overflow != Overflow::Block || queue.block_timeout.is_some();
    let recipe = Recipe::new(move |parts| {
        let behind = handlers.iter().map(|name| parts.handler(name)).collect::<Result<_, _>>()?;
        Ok(match &journal {
            Some(folder) => Arc::new(JournaledHandler::new(behind, queue.clone(), folder, size)?),
            None => Arc::new(AsyncHandler::new(behind, queue.clone())?),
        })
    });
    Some(recipe.dropping(may_drop))
}

/// The options that Python's `dictConfig` has for a `QueueHandler` from CPython 3.12 on.
pub(super) fn queue(options: &mut Options<'_>) -> Option<Recipe> {
    let handlers = behind(options);
    let respects_levels = options.flag("respect_handler_level").unwrap_or(false);
    for name in ["queue", "listener"] {
        if let Some(value) = options.value(name) {
            options.refuse::<()>(name, value, "nothing: it would be an object of Python's");
        }
    }
    let handlers = handlers?;
    Some(Recipe::new(move |parts| {
        let mut behind = Vec::new();
        for name in &handlers {
            let handler = parts.handler(name)?;
            behind.push(if respects_levels { handler } else { Arc::new(AnyLevel(handler)) });
        }
        // Python's queue has no bound. Here, who logs more than fits waits, so that nothing is lost either.
        let queue = Arc::new(AsyncHandler::new(behind, queue::Options::default())?);
        Ok(match parts.formatter() {
            Some(formatter) => Arc::new(Prepares { formatter, queue }),
            None => queue,
        })
    }))
}

/// The names of the handlers behind the queue.
#[expect(clippy::indexing_slicing, reason = "the index is of one of them")]
fn behind(options: &mut Options<'_>) -> Option<Vec<String>> {
    options.require("handlers", "a list of names of handlers")?;
    let handlers = options.handlers("handlers")?;
    let twice = handlers.iter().enumerate().find(|(index, name)| handlers[..*index].contains(name));
    if let Some((index, name)) = twice {
        options.mistake(&format!("handlers[{index}]"), format!("{name:?} again"), "each handler once");
    }
    if handlers.is_empty() {
        options.mistake("handlers", "none", "the name of one handler at least");
    }
    Some(handlers)
}

fn overflow(name: &str) -> Option<Overflow> {
    Some(match name {
        "block" => Overflow::Block,
        "drop_newest" => Overflow::DropNewest,
        "drop_oldest" => Overflow::DropOldest,
        name => {
            let level = name.strip_prefix("drop_below:")?;
            Overflow::DropBelow(level.parse().map(Level).or_else(|_| level.parse()).ok()?)
        }
    })
}

fn seconds(options: &mut Options<'_>, name: &'static str, most: f64, expected: &str) -> Option<Duration> {
    let seconds = options.number(name)?;
    let duration =
        (0.0..=most).contains(&seconds).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten();
    if duration.is_none() {
        options.mistake(name, seconds.to_string(), expected);
    }
    duration
}

/// A handler that is given records of every level, as a listener without `respect_handler_level` does it.
struct AnyLevel(Arc<dyn Handler>);

impl Handler for AnyLevel {
    fn level(&self) -> Level {
        Level::NOTSET
    }

    fn handle(&self, record: &Record<'_>) {
        self.0.handle(record);
    }

    fn hold_back(&self) {
        self.0.hold_back();
    }

    fn release(&self) {
        self.0.release();
    }

    fn failed(&self) -> Option<u64> {
        self.0.failed()
    }

    fn flush(&self) {
        self.0.flush();
    }

    fn close(&self) {
        self.0.close();
    }
}

/// Puts the text of the queue's own formatter in the place of message, exception and stack, as `prepare` does it.
struct Prepares {
    formatter: Arc<dyn Formatter>,
    queue: Arc<AsyncHandler>,
}

impl Handler for Prepares {
    fn level(&self) -> Level {
        self.queue.level()
    }

    fn handle(&self, record: &Record<'_>) {
        let mut text = Vec::new();
        self.formatter.format(record, &mut text);
        let message = String::from_utf8_lossy(&text);
        self.queue.handle(&Record { message: &message, exception: None, stack: None, ..record.clone() });
    }

    fn hold_back(&self) {
        self.queue.hold_back();
    }

    fn release(&self) {
        self.queue.release();
    }

    fn failed(&self) -> Option<u64> {
        self.queue.failed()
    }

    fn flush(&self) {
        self.queue.flush();
    }

    fn close(&self) {
        self.queue.close();
    }
}
