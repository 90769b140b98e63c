//! What a configured handler does with a record before it formats it: filters, masks, limits, in their order.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::filter::{Decision, DuplicateFilter, LimitKey, NameFilter, RateLimitFilter, SamplingFilter};
use crate::redact::Redactor;
use crate::{Filter, Level, OwnedRecord, Record, Value};

/// Hands a record on to the next step.
pub(super) type Next<'n> = &'n mut dyn FnMut(&Record<'_>);

/// One filter of a configuration: on a handler it may hand on another record than the one that it was given.
pub(super) trait Step: Send + Sync {
    /// Hands `record`, or what stands for it, on, or holds it back.
    fn pass(&self, record: &Record<'_>, next: Next<'_>);

    /// Whether `record` goes on as it is: what a logger asks.
    fn decide(&self, record: &Record<'_>) -> bool;

    /// Whether the filter would be of no use on a logger.
    fn is_for_handlers(&self) -> bool {
        false
    }

    /// Whether records are held back by their number, as [`Filter::holds_back`] has it.
    fn holds_back(&self) -> bool;

    /// Hands on what has not been said yet, since the handler is being closed.
    fn end(&self, _: Next<'_>) {}
}

/// A step as a logger's filter.
pub(super) struct OnLogger(pub(super) Arc<dyn Step>);

impl Filter for OnLogger {
    fn filter(&self, record: &Record<'_>) -> bool {
        self.0.decide(record)
    }
}

/// A filter that lets records through as they are.
pub(super) struct Plain(pub(super) Arc<dyn Filter>);

impl Step for Plain {
    fn holds_back(&self) -> bool {
        self.0.holds_back()
    }

    fn pass(&self, record: &Record<'_>, next: Next<'_>) {
        if self.0.filter(record) {
            next(record);
        }
    }

    fn decide(&self, record: &Record<'_>) -> bool {
        self.0.filter(record)
    }
}

/// Masks the records of the loggers that `names` allows; the others pass as they are.
pub(super) struct Masks {
    pub(super) redactor: Redactor,
    pub(super) names: NameFilter,
}

impl Step for Masks {
    fn holds_back(&self) -> bool {
        false
    }

    fn pass(&self, record: &Record<'_>, next: Next<'_>) {
        if self.names.allows(record.name) {
            self.redactor.with_masked(record, |masked| next(masked));
        } else {
            next(record);
        }
    }

    fn decide(&self, _: &Record<'_>) -> bool {
        true
    }

    fn is_for_handlers(&self) -> bool {
        true
    }
}

/// A filter that holds records back which are alike.
pub(super) trait HoldsBack: Send + Sync {
    /// What records that are alike have in common; `None` for those that always go on.
    fn key(&self, record: &Record<'_>) -> Option<String>;
    fn decide(&self, key: &str) -> Decision;
    fn take_unsaid(&self) -> Vec<(String, u64)>;
    /// What a record that goes on says of those that did not.
    fn note(&self, suppressed: u64) -> String;
}

/// So many first records are kept to say at the end what was held back; what has none then is only counted.
const MOST_KEPT: usize = 1_000;

/// Holds records back, and says how many on the next one like them that goes on.
pub(super) struct Says<F> {
    filter: F,
    names: NameFilter,
    /// The first record of each key that was held back since one went on.
    kept: Mutex<HashMap<String, OwnedRecord>>,
}

impl<F: HoldsBack> Says<F> {
    pub(super) fn new(filter: F, names: NameFilter) -> Self {
        Self { filter, names, kept: Mutex::default() }
    }

    fn say(&self, record: &Record<'_>, suppressed: u64, next: Next<'_>) {
        let message = format!("{} {}", record.message, self.filter.note(suppressed));
        let suppressed = Value::Integer(i64::try_from(suppressed).unwrap_or(i64::MAX));
        with_field(&Record { message: &message, ..record.clone() }, "suppressed", suppressed, next);
    }

    fn key(&self, record: &Record<'_>) -> Option<String> {
        self.names.allows(record.name).then(|| self.filter.key(record)).flatten()
    }
}

impl<F: HoldsBack> Step for Says<F> {
    fn holds_back(&self) -> bool {
        true
    }

    fn pass(&self, record: &Record<'_>, next: Next<'_>) {
        let Some(key) = self.key(record) else { return next(record) };
        match self.filter.decide(&key) {
            Decision::Suppress => {
                let mut kept = self.kept.lock();
                if kept.len() < MOST_KEPT || kept.contains_key(&key) {
                    kept.entry(key).or_insert_with(|| record.into());
                }
            }
            Decision::Pass { suppressed } => {
                self.kept.lock().remove(&key);
                if suppressed > 0 { self.say(record, suppressed, next) } else { next(record) }
            }
        }
    }

    fn decide(&self, record: &Record<'_>) -> bool {
        self.key(record).is_none_or(|key| self.filter.decide(&key).passes())
    }

    fn end(&self, next: Next<'_>) {
        for (key, suppressed) in self.filter.take_unsaid() {
            let kept = self.kept.lock().remove(&key);
            if let Some(kept) = kept {
                kept.with(|record| self.say(record, suppressed, next));
            }
        }
    }
}

/// Hands `record` on with one more field, which takes the place of another one of this name.
fn with_field(record: &Record<'_>, name: &str, value: Value<'_>, next: Next<'_>) {
    let others = record.fields.iter().filter(|(other, _)| *other != name).cloned();
    let fields: Vec<_> = others.chain([(name, value)]).collect();
    next(&Record { fields: &fields, ..record.clone() });
}

/// [`RateLimitFilter`] with what it needs to find the key.
pub(super) struct RateLimit {
    pub(super) filter: RateLimitFilter,
    pub(super) by: LimitKey,
    pub(super) exempt: Option<Level>,
}

impl HoldsBack for RateLimit {
    fn key(&self, record: &Record<'_>) -> Option<String> {
        if self.exempt.is_some_and(|exempt| record.level >= exempt) {
            return None;
        }
        Some(self.by.of(record).into_owned())
    }

    fn decide(&self, key: &str) -> Decision {
        self.filter.decide(key)
    }

    fn take_unsaid(&self) -> Vec<(String, u64)> {
        self.filter.take_unsaid()
    }

    fn note(&self, suppressed: u64) -> String {
        format!("[{suppressed} more suppressed]")
    }
}

impl HoldsBack for DuplicateFilter {
    fn key(&self, record: &Record<'_>) -> Option<String> {
        Some(format!("{}\n{}\n{}", record.name, record.level.0, record.message))
    }

    fn decide(&self, key: &str) -> Decision {
        DuplicateFilter::decide(self, key)
    }

    fn take_unsaid(&self) -> Vec<(String, u64)> {
        DuplicateFilter::take_unsaid(self)
    }

    fn note(&self, suppressed: u64) -> String {
        format!("[repeated {suppressed} times]")
    }
}

/// [`SamplingFilter`]; a record that was chosen has the rate as the field `sample_rate`.
pub(super) struct Samples {
    pub(super) filter: SamplingFilter,
    pub(super) rate: Value<'static>,
    pub(super) keep: Option<Level>,
    pub(super) field: String,
    pub(super) names: NameFilter,
}

impl Samples {
    fn is_kept(&self, record: &Record<'_>) -> bool {
        !self.names.allows(record.name) || self.keep.is_some_and(|keep| record.level >= keep)
    }

    fn is_chosen(&self, record: &Record<'_>) -> bool {
        let field = record.fields.iter().find(|(name, _)| *name == self.field);
        let trace = field.filter(|(_, value)| *value != Value::Null).map(|(_, value)| value.to_string());
        self.filter.decide(trace.as_deref())
    }
}

impl Step for Samples {
    fn holds_back(&self) -> bool {
        true
    }

    fn pass(&self, record: &Record<'_>, next: Next<'_>) {
        if self.is_kept(record) {
            next(record);
        } else if self.is_chosen(record) {
            with_field(record, "sample_rate", self.rate.clone(), next);
        }
    }

    fn decide(&self, record: &Record<'_>) -> bool {
        self.is_kept(record) || self.is_chosen(record)
    }
}
