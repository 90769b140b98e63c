//! The events and spans of the `tracing` crate. Needs the feature `tracing`.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::{Arguments, Debug};

use parking_lot::RwLock;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record as SpanRecord};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::record::Caller;
use crate::{Level, Logger, Manager, Value, manager, report};

/// A layer that takes events to the program's own loggers.
///
/// An event's target becomes the logger's name, with dots in place of `::`; its fields, and those of the spans in
/// which it happens, become extra fields: of the same name, those of the event and of the innermost span stay.
/// `trace!` has level 5. What the loggers do not take costs a look at their level; other layers see it all the same. Records
/// of the `log` crate that `tracing-log` brings keep their own targets and places.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry().with(duramen::front::tracing::layer()).init();
/// let request = tracing::info_span!("request", request_id = "7f3a");
/// request.in_scope(|| tracing::warn!(order = 7, "late")); // with request_id=7f3a order=7
/// ```
pub fn layer() -> TracingLayer {
    TracingLayer::new(manager::global().clone())
}

/// A layer of `tracing_subscriber` that hands events to the loggers of a manager.
///
/// ```
/// use duramen::front::tracing::TracingLayer;
/// use duramen::handler::MemoryHandler;
/// use duramen::{Level, Manager, handler::NullHandler};
/// use std::sync::Arc;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let manager = Manager::new();
/// manager.root().set_level(Level::INFO);
/// let kept = Arc::new(MemoryHandler::new(100, Level::CRITICAL, Arc::new(NullHandler)));
/// manager.root().add_handler(kept);
/// // For a part of a program, or a test: the layer for all of it is `duramen::front::tracing::layer()`.
/// let subscriber = tracing_subscriber::registry().with(TracingLayer::new(manager));
/// tracing::subscriber::with_default(subscriber, || tracing::info!(order = 17, "paid"));
/// ```
pub struct TracingLayer {
    manager: Manager,
    /// By the place in the source: a place has one target.
    loggers: RwLock<HashMap<Identifier, Logger>>,
}

impl TracingLayer {
    /// Hands events to the loggers of `manager`.
    pub fn new(manager: Manager) -> Self {
        Self { manager, loggers: RwLock::default() }
    }

    fn logger(&self, metadata: &Metadata<'_>) -> Logger {
        let place = metadata.callsite();
        if let Some(logger) = self.loggers.read().get(&place) {
            return logger.clone();
        }
        let logger = self.manager.get_logger(&metadata.target().replace("::", "."));
        self.loggers.write().insert(place, logger.clone());
        logger
    }
}

/// The fields of a span, kept with it.
struct SpanFields(Fields);

impl<S> tracing_subscriber::Layer<S> for TracingLayer
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &SpanRecord<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let level = level_of(*metadata.level());
        let of_log = OfLog::new(event);
        let logger = match &of_log {
            Some(OfLog { target, .. }) => self.manager.get_logger(&target.replace("::", ".")),
            None => self.logger(metadata),
        };
        if !logger.is_enabled_for(level) {
            return;
        }
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(SpanFields(own)) = span.extensions().get() {
                own.values.iter().for_each(|(name, value)| fields.set(name, value.clone()));
            }
        }
        event.record(&mut fields);
        if of_log.is_some() {
            fields.values.retain(|(name, _)| !name.starts_with(OfLog::PREFIX));
        }
        let given: Vec<_> = fields.values.iter().map(|(name, value)| (*name, value.clone())).collect();
        let (file, line, module) = match &of_log {
            Some(OfLog { file, line, module, .. }) => (file.as_str(), *line, module.as_str()),
            None => (
                metadata.file().unwrap_or_default(),
                metadata.line().unwrap_or(0),
                metadata.module_path().unwrap_or_default(),
            ),
        };
        let caller = Caller::of_source(file, line, module);
        logger.log(level, fields.message.as_str(), &given, caller);
    }
}

/// Where a record of the crate `log` was made that came as an event by `tracing-log`, as it does where a subscriber is set
/// by `init()`: that crate has one place for all such events, and says in fields of the event which it was.
#[derive(Default)]
struct OfLog {
    target: String,
    file: String,
    line: u32,
    module: String,
}

impl OfLog {
    /// What the names of these fields begin with.
    const PREFIX: &'static str = "log.";

    fn new(event: &Event<'_>) -> Option<Self> {
        let metadata = event.metadata();
        if metadata.target() != "log" || metadata.fields().field("log.target").is_none() {
            return None;
        }
        let mut of_log = Self::default();
        event.record(&mut of_log);
        Some(of_log)
    }
}

impl Visit for OfLog {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "log.target" => value.clone_into(&mut self.target),
            "log.file" => value.clone_into(&mut self.file),
            "log.module_path" => value.clone_into(&mut self.module),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "log.line" {
            self.line = u32::try_from(value).unwrap_or(0);
        }
    }
}

fn level_of(level: tracing::Level) -> Level {
    match level {
        tracing::Level::ERROR => Level::ERROR,
        tracing::Level::WARN => Level::WARNING,
        tracing::Level::INFO => Level::INFO,
        tracing::Level::DEBUG => Level::DEBUG,
        _ => Level(5),
    }
}

/// What an event or a span was given; a name that stands twice has its last value, at its first place.
#[derive(Default)]
struct Fields {
    message: String,
    values: Vec<(&'static str, Value<'static>)>,
}

impl Fields {
    fn set(&mut self, name: &'static str, value: Value<'static>) {
        match self.values.iter_mut().find(|(other, _)| *other == name) {
            Some((_, place)) => *place = value,
            None => self.values.push((name, value)),
        }
    }

    /// What has a text alone: code of the application, which may panic.
    fn set_text(&mut self, field: &Field, value: Arguments<'_>) {
        let text = report::text_of(&value);
        if field.name() == "message" {
            self.message = text;
        } else {
            self.set(field.name(), Value::Text(text.into()));
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set_text(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set_text(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set_text(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), Value::Bool(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), Value::Float(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), Value::Integer(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_u128(field, value.into());
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        let integer = i64::try_from(value).map(Value::Integer);
        self.set(field.name(), integer.unwrap_or_else(|_| Value::BigInteger(value.to_string().into())));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        let integer = i64::try_from(value).map(Value::Integer);
        self.set(field.name(), integer.unwrap_or_else(|_| Value::BigInteger(value.to_string().into())));
    }
}
