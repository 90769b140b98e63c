//! A share of the records stands for all.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Filter, WrongOption};
use crate::{Level, Record, Value};

/// Lets a share of the records through, chosen at random, and all of those from a level on (errors, if it is not set
/// otherwise). Records of a trace go on together: its identifier decides, in every process alike.
///
/// ```
/// use duramen::filter::SamplingFilter;
///
/// let filter = SamplingFilter::new(0.25).unwrap();
/// let trace = Some("0af7651916cd43dd8448eb211c80319c");
/// assert_eq!(filter.decide(trace), filter.decide(trace));
/// let passed = (0..1000).filter(|_| filter.decide(None)).count();
/// assert!((150..350).contains(&passed));
/// ```
#[derive(Debug)]
pub struct SamplingFilter {
    rate: f64,
    kept: Level,
    field: Box<str>,
    asked: AtomicU64,
    suppressed: AtomicU64,
}

impl SamplingFilter {
    /// `rate` is the share that goes on: 0 to 1.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{filter::SamplingFilter, handler::StreamHandler};
    ///
    /// let handler = StreamHandler::stderr();
    /// handler.add_filter(Arc::new(SamplingFilter::new(0.01).unwrap())); // one of a hundred, and all errors
    /// ```
    ///
    /// # Errors
    /// For any other rate.
    pub fn new(rate: f64) -> Result<Self, WrongOption> {
        if !(0.0..=1.0).contains(&rate) {
            return Err(WrongOption { option: "rate", found: rate, expected: "a share, 0 to 1" });
        }
        let (asked, suppressed) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { rate, kept: Level::ERROR, field: "trace_id".into(), asked, suppressed })
    }

    /// Records of this level and above always go on.
    ///
    /// ```
    /// use duramen::{Level, filter::SamplingFilter};
    ///
    /// let filter = SamplingFilter::new(0.01).unwrap().keep(Level::WARNING);
    /// ```
    #[must_use]
    pub fn keep(mut self, level: Level) -> Self {
        self.kept = level;
        self
    }

    /// The field that says to which trace a record belongs; `trace_id` if this is not called.
    ///
    /// ```
    /// use duramen::filter::SamplingFilter;
    ///
    /// // All records of a request, or none.
    /// let filter = SamplingFilter::new(0.1).unwrap().by_field("request_id");
    /// ```
    #[must_use]
    pub fn by_field(mut self, name: &str) -> Self {
        self.field = name.into();
        self
    }

    /// Whether a record of this trace, or of none, is in the sample.
    #[expect(clippy::cast_precision_loss, reason = "a share of numbers is rounded")]
    pub fn decide(&self, trace: Option<&str>) -> bool {
        let chance = match trace {
            Some(trace) => mixed(trace.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
                // FNV-1a, so that each process comes to the same number.
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
            })),
            None => mixed(self.asked.fetch_add(1, Ordering::Relaxed)),
        };
        let passes = (chance as f64) < self.rate * u64::MAX as f64 || self.rate >= 1.0;
        if !passes {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
        }
        passes
    }

    /// How many records were held back.
    ///
    /// ```
    /// let filter = duramen::filter::SamplingFilter::new(0.0).unwrap();
    /// assert!(!filter.decide(None));
    /// assert_eq!(filter.suppressed(), 1);
    /// ```
    pub fn suppressed(&self) -> u64 {
        self.suppressed.load(Ordering::Relaxed)
    }
}

impl Filter for SamplingFilter {
    fn holds_back(&self) -> bool {
        true
    }

    fn filter(&self, record: &Record<'_>) -> bool {
        let trace = record.fields.iter().find(|(name, _)| **name == *self.field);
        let trace =
            trace.and_then(|(_, value)| if let Value::Text(text) = value { Some(&**text) } else { None });
        record.level >= self.kept || self.decide(trace)
    }
}

/// Spreads numbers that lie close together over the whole range (the finalizer of `SplitMix64`).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
