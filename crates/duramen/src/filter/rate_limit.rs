//! So many records a second, and no more.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::suppression::{Decision, Suppressions};
use super::{Filter, WrongOption};
use crate::clock::{Clock, SystemClock};
use crate::{Level, Record, Value};

/// What records share a limit.
///
/// ```
/// use duramen::filter::{LimitBy, RateLimitFilter};
///
/// // Ten records a second of all loggers together.
/// let filter = RateLimitFilter::new(10.0, 10.0).unwrap().by(LimitBy::All);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitBy {
    /// Those of a logger.
    #[default]
    Logger,
    /// Those of a level.
    Level,
    /// All.
    All,
}

/// What tells which limit a record has.
#[derive(Clone, Debug)]
pub(crate) enum LimitKey {
    Of(LimitBy),
    /// The value of a field.
    Field(String),
}

impl LimitKey {
    pub(crate) fn of<'r>(&self, record: &'r Record<'_>) -> Cow<'r, str> {
        match self {
            Self::Of(LimitBy::Logger) => record.name.into(),
            Self::Of(LimitBy::Level) => record.level_name.into(),
            Self::Of(LimitBy::All) => "".into(),
            Self::Field(name) => {
                let field = record.fields.iter().find(|(other, _)| other == name);
                field
                    .filter(|(_, value)| *value != Value::Null)
                    .map_or_else(Cow::default, |(_, value)| value.to_string().into())
            }
        }
    }
}

/// Lets `rate` records a second through for each key, and `burst` at once after a pause (a token bucket). Records
/// from `exempt` on always go on, and take no token.
///
/// ```
/// use duramen::filter::{Decision, RateLimitFilter};
///
/// let filter = RateLimitFilter::new(1.0, 2.0).unwrap();
/// assert!(filter.decide("db").passes() && filter.decide("db").passes());
/// assert_eq!(filter.decide("db"), Decision::Suppress);
/// assert!(filter.decide("web").passes());
/// assert_eq!(filter.suppressed(), 1);
/// ```
///
/// With a clock of the caller's the same can be tried out, and what was held back can be told:
///
/// ```
/// use std::time::Duration;
///
/// use duramen::filter::{Decision, LimitBy, RateLimitFilter};
/// use duramen::Level;
///
/// let filter = RateLimitFilter::new(2.0, 1.0).unwrap().by(LimitBy::Logger).exempt(Level::ERROR);
/// let at = |milliseconds| filter.decide_at("db", Duration::from_millis(milliseconds));
/// assert_eq!(at(0), Decision::Pass { suppressed: 0 });
/// assert_eq!((at(100), at(200)), (Decision::Suppress, Decision::Suppress));
/// assert_eq!(at(500), Decision::Pass { suppressed: 2 }); // half a second is a token
/// at(501);
/// assert_eq!(filter.take_unsaid(), [("db".to_owned(), 1)]);
/// assert!(filter.take_unsaid().is_empty()); // it has been said
/// ```
#[derive(Debug)]
pub struct RateLimitFilter {
    rate: f64,
    burst: f64,
    by: LimitKey,
    exempt: Option<Level>,
    clock: Arc<dyn Clock>,
    buckets: Mutex<Suppressions<Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Duration,
}

impl RateLimitFilter {
    /// `rate` in records a second; `burst` at least 1.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{filter::RateLimitFilter, handler::StreamHandler};
    ///
    /// let handler = StreamHandler::stderr();
    /// handler.add_filter(Arc::new(RateLimitFilter::new(10.0, 100.0).unwrap()));
    /// assert!(RateLimitFilter::new(0.0, 1.0).is_err());
    /// ```
    ///
    /// # Errors
    /// For a rate that is not above 0, or a burst below 1.
    pub fn new(rate: f64, burst: f64) -> Result<Self, WrongOption> {
        if !(rate > 0.0 && rate.is_finite()) {
            return Err(WrongOption { option: "rate", found: rate, expected: "records a second, above 0" });
        }
        if !(burst >= 1.0 && burst.is_finite()) {
            return Err(WrongOption {
                option: "burst",
                found: burst,
                expected: "a number of records, 1 or more",
            });
        }
        let clock = Arc::new(SystemClock::default());
        Ok(Self {
            rate,
            burst,
            by: LimitKey::Of(LimitBy::Logger),
            exempt: None,
            clock,
            buckets: Mutex::default(),
        })
    }

    /// What records share a limit; those of a logger if this is not called.
    #[must_use]
    pub fn by(mut self, by: LimitBy) -> Self {
        self.by = LimitKey::Of(by);
        self
    }

    /// Each value of the field `name` has a limit of its own; records without it share one.
    ///
    /// ```
    /// use duramen::filter::{Filter, RateLimitFilter};
    /// use duramen::{Level, Record, Value};
    ///
    /// let filter = RateLimitFilter::new(1.0, 1.0).unwrap().by_field("customer");
    /// let goes_on = |customer| {
    ///     let fields = [("customer", Value::Integer(customer))];
    ///     filter.filter(&Record { fields: &fields, ..Record::new("shop", Level::INFO, "late") })
    /// };
    /// assert_eq!([goes_on(7), goes_on(7), goes_on(8)], [true, false, true]);
    /// ```
    #[must_use]
    pub fn by_field(mut self, name: impl Into<String>) -> Self {
        self.by = LimitKey::Field(name.into());
        self
    }

    /// Records of this level and above always go on.
    #[must_use]
    pub fn exempt(mut self, level: Level) -> Self {
        self.exempt = Some(level);
        self
    }

    /// Takes the time from `clock`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use duramen::clock::SystemClock;
    /// use duramen::filter::RateLimitFilter;
    ///
    /// // A test puts a clock there that it sets itself.
    /// let filter = RateLimitFilter::new(10.0, 10.0).unwrap().with_clock(Arc::new(SystemClock::default()));
    /// assert!(filter.decide("db").passes());
    /// ```
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes a token of `key`, if there is one.
    pub fn decide(&self, key: &str) -> Decision {
        self.decide_at(key, self.clock.elapsed())
    }

    /// The same, `now` being the time by a clock of the caller's, which never goes back.
    pub fn decide_at(&self, key: &str, now: Duration) -> Decision {
        let (rate, burst) = (self.rate, self.burst);
        let present = |bucket: &Bucket| {
            (bucket.tokens + rate * now.saturating_sub(bucket.filled).as_secs_f64()).min(burst)
        };
        let new = || Bucket { tokens: burst, filled: now };
        // A full bucket is as good as a new one.
        let is_full = |bucket: &Bucket| present(bucket) >= burst;
        let takes_token = |bucket: &mut Bucket| {
            (bucket.tokens, bucket.filled) = (present(bucket), now);
            let has_token = bucket.tokens >= 1.0;
            if has_token {
                bucket.tokens -= 1.0;
            }
            has_token
        };
        self.buckets.lock().decide(key, new, is_full, takes_token)
    }

    /// How many records were held back.
    pub fn suppressed(&self) -> u64 {
        self.buckets.lock().suppressed()
    }

    /// What was held back and has not been said yet, in the order of the keys; it counts as said from now on.
    pub fn take_unsaid(&self) -> Vec<(String, u64)> {
        self.buckets.lock().take_unsaid()
    }
}

impl Filter for RateLimitFilter {
    fn holds_back(&self) -> bool {
        true
    }

    fn filter(&self, record: &Record<'_>) -> bool {
        if self.exempt.is_some_and(|exempt| record.level >= exempt) {
            return true;
        }
        self.decide(&self.by.of(record)).passes()
    }
}
