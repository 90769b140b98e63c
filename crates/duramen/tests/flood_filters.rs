//! Filters against floods, with a clock that the test sets.

use std::sync::Arc;
use std::time::Duration;

use duramen::Level;
use duramen::filter::{Decision, DuplicateFilter, Filter as _, LimitBy, RateLimitFilter, SamplingFilter};
use duramen_testkit::{FakeClock, record};
use proptest::prelude::*;

#[test]
fn a_bucket_fills_with_time_and_says_what_it_held_back() {
    let clock = Arc::new(FakeClock::default());
    let filter = RateLimitFilter::new(1.0, 2.0).expect("usual").with_clock(clock.clone());
    let decisions: Vec<_> = (0..4).map(|_| filter.decide("k").passes()).collect();
    assert_eq!(decisions, [true, true, false, false]);
    clock.advance(1);
    assert_eq!(filter.decide("k"), Decision::Pass { suppressed: 2 });
    assert_eq!(filter.decide("k"), Decision::Suppress);
    assert_eq!(filter.take_unsaid(), [("k".to_owned(), 1)]);
    assert_eq!(filter.suppressed(), 3);
}

#[test]
fn a_window_begins_with_the_record_that_went_on() {
    let clock = Arc::new(FakeClock::default());
    let filter = DuplicateFilter::new(Duration::from_secs(10)).expect("usual").with_clock(clock.clone());
    assert!(filter.decide("m").passes());
    clock.advance(9);
    assert_eq!(filter.decide("m"), Decision::Suppress);
    clock.advance(1);
    assert_eq!(filter.decide("m"), Decision::Pass { suppressed: 1 });
}

proptest! {
    // However the records come, no more go on than the bucket had and got, and each one is counted.
    #[test]
    fn never_more_than_the_rate(pauses in prop::collection::vec(0..2_000_u64, 1..200), rate in 1..20_u32) {
        let rate = f64::from(rate);
        let filter = RateLimitFilter::new(rate, 3.0).expect("usual");
        let (mut passed, mut now) = (0_u32, Duration::ZERO);
        for pause in &pauses {
            now += Duration::from_millis(*pause);
            passed += u32::from(filter.decide_at("k", now).passes());
            prop_assert!(f64::from(passed) <= 3.0 + rate * now.as_secs_f64() + 1e-6);
        }
        prop_assert_eq!(u64::from(passed) + filter.suppressed(), pauses.len() as u64);
    }
}

#[test]
fn wrong_options_are_named() {
    let refused = RateLimitFilter::new(-1.0, 1.0).expect_err("a rate below 0");
    assert_eq!(refused.to_string(), "rate: found -1, expected records a second, above 0");
    assert_eq!(SamplingFilter::new(2.0).expect_err("more than all").option, "rate");
    assert_eq!(DuplicateFilter::new(Duration::ZERO).expect_err("no length").option, "window");
}

#[test]
fn limits_can_be_shared() {
    for (by, passing) in [(LimitBy::Logger, 1), (LimitBy::Level, 2), (LimitBy::All, 1)] {
        let filter = RateLimitFilter::new(0.001, 1.0).expect("usual").by(by).exempt(Level::ERROR);
        let levels = [Level::INFO, Level::INFO, Level::WARNING];
        let passed = levels.map(|level| record(level, "m", |record| filter.filter(record)));
        assert_eq!(passed.into_iter().filter(|passed| *passed).count(), passing, "{by:?}");
        assert!(record(Level::ERROR, "m", |record| filter.filter(record)));
    }
}
