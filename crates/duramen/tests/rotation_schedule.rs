//! When a schedule rolls over: against tables made by CPython, and by properties over whole years.

use std::convert::Infallible;

use duramen::rotation::local_time::utc_time;
use duramen::rotation::{BrokenDownTime, InvalidSchedule, LocalTime, Rules, Schedule, When};
use jiff::tz::TimeZone;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// 2024-01-01T00:00:00Z.
const YEAR_START: i64 = 1_704_067_200;
const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"];

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("the time zone database is built in for tests")
}

fn local(zone: &TimeZone, seconds: i64) -> BrokenDownTime {
    let Ok(fields) = zone.local_time(seconds);
    fields
}

fn compute_rollover(schedule: &Schedule, now: i64, zone: &TimeZone) -> i64 {
    let Ok(rollover) = schedule.compute_rollover(now, zone);
    rollover
}

fn moments_of_the_year() -> impl Iterator<Item = i64> {
    // 47 minutes and 11 seconds: no multiple of an hour, so that all times of the day are met.
    (YEAR_START..YEAR_START + 366 * DAY).step_by(47 * 60 + 11)
}

fn agrees_with(table: &str, rules: Rules) {
    let mut lines = 0;
    for line in table.lines() {
        let [name, when, interval, at_time, now, expected] =
            line.split(' ').collect::<Vec<_>>().try_into().expect("six columns");
        let schedule =
            Schedule::new(When::parse(when).expect("a valid unit"), interval.parse().expect("a number"))
                .expect("a valid interval")
                .at_time(at_time.parse().ok())
                .rules(rules);
        let now = now.parse().expect("a number");
        let rollover = compute_rollover(&schedule, now, &zone(name));
        assert_eq!(rollover.to_string(), expected, "{line}");
        lines += 1;
    }
    assert!(lines > 1000, "the table is there");
}

#[test]
fn the_rollover_is_the_one_of_cpython_3_12_1() {
    agrees_with(include_str!("data/rollover_times_original.txt"), Rules::Original);
}

#[test]
fn the_rollover_is_the_one_of_cpython_3_13() {
    agrees_with(include_str!("data/rollover_times_corrected.txt"), Rules::Corrected);
}

#[test]
fn a_rollover_is_always_later_than_now() {
    for name in ZONES {
        let zone = zone(name);
        for when in [When::Second, When::Hour, When::Day, When::Midnight, When::Weekday(2)] {
            for rules in [Rules::Original, Rules::Corrected] {
                let schedule = Schedule::new(when, 1).expect("valid").rules(rules);
                for now in moments_of_the_year() {
                    let Ok(next) = schedule.rollover_after(now, &zone);
                    assert!(next > now, "{name} {when:?} {rules:?} at {now}");
                    // The original rules may add the hour of daylight saving twice.
                    assert!(next <= now + when.seconds() + 2 * HOUR, "{name} {when:?} {rules:?} at {now}");
                }
            }
        }
    }
}

#[test]
fn midnight_is_when_the_date_changes() {
    // Lord Howe, which moves its clock by half an hour, is left out: CPython counts with whole hours.
    for name in ["Europe/Berlin", "America/New_York", "UTC"] {
        let zone = zone(name);
        let schedule = Schedule::new(When::Midnight, 1).expect("valid");
        for now in moments_of_the_year() {
            let next = compute_rollover(&schedule, now, &zone);
            assert_eq!(local(&zone, next).seconds_of_day(), 0, "{name} at {now}");
            assert_eq!(local(&zone, next - 1).day, local(&zone, now).day, "{name} at {now}");
        }
    }
}

#[test]
fn a_weekly_rollover_is_on_its_day_and_at_its_time() {
    let zone = zone("Europe/Berlin");
    for day in 0..7 {
        let schedule = Schedule::new(When::Weekday(day), 1).expect("valid").at_time(Some(6 * 3600 + 90));
        for now in moments_of_the_year() {
            let next = local(&zone, compute_rollover(&schedule, now, &zone));
            assert_eq!((next.weekday, next.hour, next.minute, next.second), (day, 6, 1, 30), "at {now}");
        }
    }
}

#[test]
fn utc_does_not_ask_for_local_time() {
    struct Refusing;
    impl LocalTime for Refusing {
        type Error = &'static str;
        fn local_time(&self, _: i64) -> Result<BrokenDownTime, &'static str> {
            Err("asked for local time")
        }
    }
    let schedule = Schedule::new(When::Midnight, 1).expect("valid");
    assert_eq!(schedule.compute_rollover(YEAR_START, &Refusing), Err("asked for local time"));
    let utc = schedule.utc(true);
    assert_eq!(utc.compute_rollover(YEAR_START + 5, &Refusing), Ok(YEAR_START + DAY));
    assert_eq!(utc.backup_time(YEAR_START + DAY, YEAR_START + DAY, &Refusing), Ok(utc_time(YEAR_START)));
}

#[test]
fn an_invented_zone_takes_the_place_of_the_real_one() {
    /// UTC, with daylight saving from the second day of 2024 on.
    struct Invented;
    impl LocalTime for Invented {
        type Error = Infallible;
        fn local_time(&self, seconds: i64) -> Result<BrokenDownTime, Infallible> {
            let is_dst = seconds >= YEAR_START + DAY;
            let shown = if is_dst { seconds + HOUR } else { seconds };
            Ok(BrokenDownTime { is_dst, ..utc_time(shown) })
        }
    }
    let midnight = Schedule::new(When::Midnight, 1).expect("valid");
    let Ok(first) = midnight.compute_rollover(YEAR_START, &Invented);
    let Ok(second) = midnight.compute_rollover(first, &Invented);
    assert_eq!((first, second), (YEAR_START + DAY, YEAR_START + 2 * DAY - HOUR));
}

#[test]
fn a_backup_is_named_after_the_start_of_its_interval() {
    let zone = zone("Europe/Berlin");
    let daily = Schedule::new(When::Midnight, 1).expect("valid");
    // The night of 31 March 2024 has 23 hours; the one of 27 October has 25.
    for (midnight, expected) in [(1_711_922_400, "2024-03-31"), (1_730_070_000, "2024-10-27")] {
        assert_eq!(local(&zone, midnight).seconds_of_day(), 0);
        let Ok(time) = daily.backup_time(midnight, midnight, &zone);
        assert_eq!(daily.backup_suffix(&time), expected);
    }
    let time = utc_time(1_709_294_405);
    for (when, expected) in [
        (When::Second, "2024-03-01_12-00-05"),
        (When::Minute, "2024-03-01_12-00"),
        (When::Hour, "2024-03-01_12"),
        (When::Weekday(0), "2024-03-01"),
    ] {
        assert_eq!(Schedule::new(when, 1).expect("valid").backup_suffix(&time), expected);
    }
}

#[test]
fn what_is_no_schedule_is_refused() {
    assert_eq!(When::parse("w6"), Ok(When::Weekday(6)));
    assert_eq!(When::parse("Midnight"), Ok(When::Midnight));
    for text in ["W", "W7", "W10", "w-1"] {
        assert!(matches!(When::parse(text), Err(InvalidSchedule::Weekday(_))), "{text}");
    }
    for text in ["", "X", "DAY", "5"] {
        assert!(matches!(When::parse(text), Err(InvalidSchedule::Unit(_))), "{text}");
    }
    assert_eq!(Schedule::new(When::Hour, 0), Err(InvalidSchedule::Interval(0)));
    assert_eq!(Schedule::new(When::Hour, i64::MAX), Err(InvalidSchedule::Interval(i64::MAX)));
}
