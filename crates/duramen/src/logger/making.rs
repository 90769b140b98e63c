//! Making a record: its message, its fields and its moment.

use std::error::Error;

use super::{Logger, Time};
use crate::context::{self, TraceFields};
use crate::fields::{self, Fields};
use crate::kept_text::KeptText;
use crate::message::Message;
use crate::record::Caller;
use crate::{Level, Record, Value, process, report};

impl Logger {
    /// Makes a record, with the fields of the call before all others, and hands it on, where its level is enabled.
    pub(super) fn make_and_handle(
        &self,
        level: Level,
        message: &Message<'_>,
        given: &[(&str, Value<'_>)],
        of_logger: &Fields,
        caller: &Caller<'_>,
        error: Option<&dyn Error>,
    ) {
        if !self.is_enabled_for(level) {
            return;
        }
        if self.0.tree.strong_count() == 0 {
            return report::error(self.name(), &"the manager of this logger is gone: its records go nowhere");
        }
        // Most records have neither bound fields nor an error: nothing is made for these then.
        let (of_thread, of_span, joined, chain);
        let (mut fields, mut exception) = (given, None);
        if !of_logger.is_empty() || context::has_fields() || error.is_some() {
            (of_thread, of_span) = (context::current(), TraceFields::current());
            let of_span = of_span.iter().flat_map(TraceFields::iter);
            let of_span = of_span.map(|(name, digits)| (name, Value::Text(digits.into())));
            joined = fields::joined(given, of_logger.iter().chain(of_thread.iter()).chain(of_span));
            fields = &joined;
            chain = error.map(error_chain);
            exception = chain.as_deref();
        }
        let kept;
        let message = if let Some(whole) = message.as_str() {
            whole
        } else {
            let is_whole;
            (kept, is_whole) = KeptText::of_message(message);
            if !is_whole {
                report::error(self.name(), &"an argument of a message cannot be shown: its Display failed");
            }
            &kept
        };
        let Time { clock, start_ns } = &self.0.time;
        let created_ns = clock.now_ns();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since the start are far below 2^52")]
        let relative_created_ms = (created_ns - start_ns) as f64 / 1e6;
        self.handle(&Record {
            name: self.name(),
            level,
            level_name: &level.name(),
            message,
            created_ns,
            relative_created_ms,
            caller: *caller,
            thread: None,
            thread_name: process::thread_name().as_deref(),
            process: Some(process::id()),
            process_name: None,
            task_name: None,
            fields,
            exception,
            stack: None,
        });
    }
}

/// An error and its causes, a line for each.
fn error_chain(error: &dyn Error) -> String {
    let mut text = report::text_of(&error);
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str("\ncaused by: ");
        text.push_str(&report::text_of(&error));
        cause = error.source();
    }
    text
}
