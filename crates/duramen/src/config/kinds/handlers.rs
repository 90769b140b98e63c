//! Handlers for streams, memory and the network; those for files and syslog have modules of their own.

use std::io;
use std::sync::Arc;

use super::super::options::Options;
use super::super::registry::{Parts, Recipe};
use super::{files, network, queues, rotated_files, syslog};
use crate::handler::base::{BasicHandler, Destination};
use crate::handler::{DatagramHandler, MemoryHandler, NullHandler, SocketHandler, StreamHandler};
use crate::{Handler, Level};

pub(super) const CLASSES: [&str; 15] = [
    super::audit::CLASS,
    "logging.FileHandler",
    "logging.NullHandler",
    "logging.StreamHandler",
    super::queues::ASYNC,
    "logging.handlers.DatagramHandler",
    "logging.handlers.HTTPHandler",
    "logging.handlers.MemoryHandler",
    "logging.handlers.QueueHandler",
    "logging.handlers.RotatingFileHandler",
    "logging.handlers.SMTPHandler",
    "logging.handlers.SocketHandler",
    "logging.handlers.SysLogHandler",
    "logging.handlers.TimedRotatingFileHandler",
    "logging.handlers.WatchedFileHandler",
];

/// The check of the options of a class; `None` where the class is not known.
pub(super) fn check_of(class: &str) -> Option<super::Check<Recipe>> {
    Some(match class {
        super::audit::CLASS => super::audit::check,
        "logging.FileHandler" => files::plain,
        "logging.NullHandler" => null,
        "logging.StreamHandler" => stream,
        "logging.handlers.DatagramHandler" => datagram,
        super::queues::ASYNC => queues::asynchronous,
        "logging.handlers.HTTPHandler" => network::http,
        "logging.handlers.MemoryHandler" => memory,
        "logging.handlers.QueueHandler" => queues::queue,
        "logging.handlers.RotatingFileHandler" => rotated_files::by_size,
        "logging.handlers.SMTPHandler" => network::smtp,
        "logging.handlers.SocketHandler" => socket,
        "logging.handlers.SysLogHandler" => syslog::check,
        "logging.handlers.TimedRotatingFileHandler" => rotated_files::by_time,
        "logging.handlers.WatchedFileHandler" => files::watched,
        _ => return None,
    })
}

/// The handler with its formatter, where the configuration gives it one.
pub(super) fn ready<D>(handler: BasicHandler<D>, parts: &Parts<'_>) -> Arc<dyn Handler>
where
    D: Destination + 'static,
{
    if let Some(formatter) = parts.formatter() {
        handler.set_formatter(formatter);
    }
    Arc::new(handler)
}

#[expect(clippy::unnecessary_wraps, reason = "others can be wrong")]
fn null(_: &mut Options<'_>) -> Option<Recipe> {
    Some(Recipe::new(|_| Ok(Arc::new(NullHandler))))
}

#[expect(clippy::unnecessary_wraps, reason = "others can be wrong")]
fn stream(options: &mut Options<'_>) -> Option<Recipe> {
    let make = options.one_of("stream", "ext://sys.stdout or ext://sys.stderr", |name| match name {
        "ext://sys.stdout" => Some(StreamHandler::stdout as fn() -> StreamHandler),
        "ext://sys.stderr" => Some(StreamHandler::stderr),
        _ => None,
    });
    let make = make.unwrap_or(StreamHandler::stderr);
    Some(Recipe::new(move |parts| Ok(ready(make(), parts))))
}

fn memory(options: &mut Options<'_>) -> Option<Recipe> {
    let flush_level = options.level("flushLevel").unwrap_or(Level::ERROR);
    let flush_on_close = options.flag("flushOnClose").unwrap_or(true);
    let target = options.require("target", "the name of a handler").and_then(|()| options.handler("target"));
    let capacity = usize::try_from(options.required_integer("capacity", 0..=i64::MAX)?).ok()?;
    let target = target?;
    Some(Recipe::new(move |parts| {
        let handler = MemoryHandler::new(capacity, flush_level, parts.handler(&target)?);
        Ok(Arc::new(if flush_on_close { handler } else { handler.discard_on_close() }))
    }))
}

fn host_and_port(options: &mut Options<'_>) -> Option<(String, u16)> {
    let host = options.required_text("host");
    let port = options.required_integer("port", 1..=65_535);
    Some((host?.to_owned(), u16::try_from(port?).ok()?))
}

fn socket(options: &mut Options<'_>) -> Option<Recipe> {
    let (host, port) = host_and_port(options)?;
    Some(Recipe::new(move |parts| io::Result::Ok(ready(SocketHandler::new(&*host, port), parts))))
}

fn datagram(options: &mut Options<'_>) -> Option<Recipe> {
    let (host, port) = host_and_port(options)?;
    Some(Recipe::new(move |parts| Ok(ready(DatagramHandler::new(&*host, port), parts))))
}
