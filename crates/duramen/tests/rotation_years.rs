//! Whole years of a rotating file with its upkeep, in several zones: the hours that daylight saving adds and takes, leap
//! days, a day that was left out, clocks that jump, restarts, one process or two.
//!
//! `PROPTEST_CASES` asks for a longer campaign.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use duramen::clock::Clock as _;
use duramen::rotation::local_time::utc_time;
use duramen::rotation::{BrokenDownTime, Customs, LocalTime as _, Schedule, Upkeep, UpkeepOptions, When};
use duramen::writer::{FileWriter, TimedRotatingWriter, Writer as _};
use duramen_testkit::{FakeClock, FakeDisk};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;

const LOG: &str = "log/app.log";
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// With a record after so many seconds at most there is one between midnight and each change of the clock, at two.
const SHORT_PAUSE: i64 = 100 * 60;
const LONG: Duration = Duration::from_secs(60);
/// Zones, and whether their midnights are all there: then each backup has exactly the records of its date.
const ZONES: [(&str, bool); 7] = [
    ("UTC", true),
    ("Europe/Berlin", true),
    ("America/New_York", true),
    ("Pacific/Auckland", true),
    // Daylight saving of half an hour, which CPython's schedule takes for a whole one.
    ("Australia/Lord_Howe", false),
    // Daylight saving begins at midnight.
    ("America/Santiago", false),
    // 30 December 2011 was left out.
    ("Pacific/Apia", false),
];
const YEARS: [i16; 3] = [2011, 2023, 2024];
/// Retention believes a clock that is ahead by so much.
const BELIEVED_AHEAD: i64 = HOUR;

/// What happens at some moment of the year.
#[derive(Clone, Debug)]
enum Event {
    /// The clock is set, ahead or back.
    Jump(i64),
    /// Nothing is logged for so many seconds.
    Silence(i64),
    /// The program ends, and starts again.
    Restart,
}

#[derive(Clone, Debug)]
struct Plan {
    zone: (&'static str, bool),
    year: i16,
    when: When,
    at_time: Option<u32>,
    utc: bool,
    processes: usize,
    max_bytes: u64,
    backup_count: usize,
    max_age: Option<i64>,
    max_total_bytes: Option<u64>,
    /// The longest time between two records.
    pause: i64,
    seed: u64,
    /// By the second of the year.
    events: Vec<(i64, Event)>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let when = prop_oneof![
        4 => Just(When::Midnight),
        2 => (0..7_u8).prop_map(When::Weekday),
        1 => Just(When::Day),
        1 => Just(When::Hour),
    ];
    let event = prop_oneof![
        (-40 * DAY..40 * DAY).prop_map(Event::Jump),
        (-3 * HOUR..3 * HOUR).prop_map(Event::Jump),
        (0..40 * DAY).prop_map(Event::Silence),
        Just(Event::Restart),
    ];
    let events = prop_oneof![Just(Vec::new()), prop::collection::vec((0..365 * DAY, event), 1..8),];
    let calendar = (prop::sample::select(&ZONES[..]), prop::sample::select(&YEARS[..]), any::<bool>());
    let schedule = (when, prop::option::of(0..86_400_u32), 1..3_usize, prop_oneof![Just(0), 100..400_u64]);
    let kept = (0..40_usize, prop::option::of(DAY..60 * DAY), prop::option::of(200..5_000_u64));
    (calendar, schedule, kept, (prop_oneof![HOUR..SHORT_PAUSE, HOUR..2 * DAY], any::<u64>(), events))
        .prop_map(
            |((zone, year, utc), (when, at_time, processes, max_bytes), kept, (pause, seed, events))| {
                let (backup_count, max_age, max_total_bytes) = kept;
                let mut events = events;
                events.sort_by_key(|(second, _)| *second);
                // Without a limit a year of hours has too many files to look at them all after each record.
                let backup_count = if when == When::Hour { backup_count.max(1) } else { backup_count };
                Plan {
                    zone,
                    year,
                    when,
                    at_time,
                    utc,
                    processes,
                    max_bytes,
                    backup_count,
                    max_age,
                    max_total_bytes,
                    pause,
                    seed,
                    events,
                }
            },
        )
}

impl Plan {
    /// The dates of backups are right. CPython's rule, which is kept, names one a day earlier that is due before
    /// daylight saving changes at night and is made after it.
    fn has_right_dates(&self) -> bool {
        let is_silent = self.events.iter().any(|(_, event)| matches!(event, Event::Silence(_)));
        let is_in_time = self.pause <= SHORT_PAUSE && !is_silent && self.at_time.is_none();
        self.utc || self.zone.0 == "UTC" || (self.zone.1 && is_in_time)
    }

    fn jumps(&self) -> bool {
        self.events.iter().any(|(_, event)| matches!(event, Event::Jump(_)))
    }

    /// Each backup has the records of so many dates that begin at its own.
    fn is_exact(&self) -> Option<i32> {
        let days = match self.when {
            When::Midnight => 1,
            When::Weekday(_) => 7,
            _ => return None,
        };
        let is_plain = self.at_time.is_none() && !self.jumps();
        (is_plain && self.has_right_dates()).then_some(days)
    }
}

/// What runs through the year.
struct Run {
    plan: Plan,
    disk: FakeDisk,
    clock: Arc<FakeClock>,
    zone: TimeZone,
    upkeep: Upkeep,
    writers: Vec<TimedRotatingWriter>,
    /// What the clock would show had it not been set since the program began.
    began: (i64, Duration),
    accepted: Vec<String>,
    /// When each was written, by the clock.
    times: Vec<i64>,
    /// Records of files that retention has deleted.
    removed: Vec<String>,
    files_removed: usize,
    files_rolled: usize,
    random: u64,
    /// What the files had after the last record, where one process alone writes them.
    known: Option<Files>,
}

type Files = BTreeMap<String, String>;

impl Run {
    fn new(plan: Plan) -> Self {
        let zone = TimeZone::get(plan.zone.0).expect("the time zone database is built in for tests");
        let new_year = date(plan.year, 1, 1).at(0, 0, 0, 0);
        let start = zone.to_timestamp(new_year).expect("a moment").as_second();
        let disk = FakeDisk::default();
        disk.set_time(start);
        let clock = Arc::new(FakeClock::at(start));
        let upkeep = upkeep(&plan, &disk, &clock);
        let random = plan.seed | 1;
        let began = (start, clock.elapsed());
        let (writers, accepted, removed) = (Vec::new(), Vec::new(), Vec::new());
        let (files_removed, files_rolled) = (0, 0);
        let mut run = Self {
            plan,
            disk,
            clock,
            zone,
            upkeep,
            writers,
            began,
            accepted,
            removed,
            files_removed,
            files_rolled,
            random,
            times: Vec::new(),
            known: None,
        };
        run.start();
        run
    }

    fn start(&mut self) {
        self.writers.clear();
        self.upkeep = upkeep(&self.plan, &self.disk, &self.clock);
        self.began = (self.clock.now_seconds(), self.clock.elapsed());
        for _ in 0..self.plan.processes {
            let file = FileWriter::on(Arc::new(self.disk.clone()), LOG);
            let schedule = Schedule::new(self.plan.when, 1).expect("a schedule");
            let schedule = schedule.utc(self.plan.utc).at_time(self.plan.at_time);
            let clock = Arc::clone(&self.clock) as _;
            let writer =
                TimedRotatingWriter::new(file, schedule, 0, Customs::default(), clock, self.zone.clone());
            self.writers.push(writer.with_upkeep(self.upkeep.clone(), self.plan.max_bytes));
        }
    }

    /// A number below `end` (xorshift).
    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % end
    }

    fn set_disk(&self) {
        self.disk.set_time(self.clock.now_seconds());
    }

    fn happens(&mut self, event: &Event) {
        match *event {
            Event::Jump(seconds) => self.clock.jump(seconds),
            Event::Silence(seconds) => self.clock.advance(seconds),
            Event::Restart => {
                // What the process before has counted.
                self.files_rolled = 0;
                self.start();
            }
        }
        self.set_disk();
    }

    fn local(&self) -> BrokenDownTime {
        let now = self.clock.now_seconds();
        if self.plan.utc {
            return utc_time(now);
        }
        let Ok(time) = self.zone.local_time(now);
        time
    }

    /// When the last record of `text` was written.
    fn last_change(&self, text: &str) -> i64 {
        let last = text.lines().last().expect("a file has a record");
        self.times[last[..5].parse::<usize>().expect("a number")]
    }

    fn files(&self) -> Files {
        let names = self.disk.names();
        names.into_iter().map(|name| (name.clone(), self.disk.text(&name).unwrap_or_default())).collect()
    }

    /// Logs one record, and compares the files before and after.
    fn log(&mut self) -> Result<(), TestCaseError> {
        let before = self.known.take().unwrap_or_else(|| self.files());
        let process = usize::try_from(self.below(self.plan.processes as u64)).expect("a small number");
        let time = self.local();
        let text = format!("{:05} {:04}-{:02}-{:02}", self.accepted.len(), time.year, time.month, time.day);
        self.writers[process].write_entry(format!("{text}\n").as_bytes()).expect("written");
        self.accepted.push(text);
        self.times.push(self.clock.now_seconds());
        let started = Instant::now();
        // Without the pauses that waiting for it has.
        while !self.upkeep.wait(Duration::ZERO) {
            prop_assert!(started.elapsed() < LONG, "a sweep does not end");
            std::thread::yield_now();
        }
        let stats = self.upkeep.stats();
        prop_assert_eq!(stats.failed, 0);
        let rolled = usize::try_from(stats.rolled_over).expect("a small number") - self.files_rolled;
        prop_assert!(rolled <= 1, "{} rollovers for one record", rolled);
        if rolled > 0 {
            self.files_rolled += 1;
            self.has_rolled_over(&before)?;
        }
        if self.plan.processes == 1 {
            let mut known = if rolled > 0 { self.files() } else { before };
            known.insert(LOG.to_owned(), self.disk.text(LOG).unwrap_or_default());
            self.known = Some(known);
        }
        Ok(())
    }

    fn has_rolled_over(&mut self, before: &Files) -> Result<(), TestCaseError> {
        let after = self.files();
        let gone = before.keys().filter(|name| *name != LOG && !after.contains_key(*name)).cloned();
        let mut gone: Vec<_> = gone.collect();
        let fresh: Vec<_> = after.keys().filter(|name| !before.contains_key(*name)).collect();
        if fresh.is_empty() {
            // Older than all others by a clock that was set back: it has left at once.
            prop_assert!(self.plan.jumps(), "a backup is nowhere");
            gone.push(LOG.to_owned());
        }
        prop_assert!(after.len() > 1, "retention has removed everything");
        let last = self.began.0
            + i64::try_from(self.clock.elapsed().saturating_sub(self.began.1).as_secs()).expect("a year");
        for name in gone {
            let is_for_age_alone = self.plan.backup_count == 0 && self.plan.max_total_bytes.is_none();
            if let Some(max_age) = self.plan.max_age.filter(|_| is_for_age_alone) {
                let age = last + BELIEVED_AHEAD - self.last_change(&before[&name]);
                prop_assert!(age > max_age, "{} was {} seconds old", name, age);
            }
            self.removed.extend(before[&name].lines().map(str::to_owned));
            self.files_removed += 1;
        }
        Ok(())
    }

    /// Nothing was overwritten, and, where no clock has jumped, each record is in the backup of its date.
    fn end(mut self) -> Result<(), TestCaseError> {
        let files = self.files();
        let mut found: Vec<_> = files.values().flat_map(|text| text.lines()).map(str::to_owned).collect();
        found.append(&mut self.removed);
        found.sort();
        prop_assert_eq!(&found, &self.accepted);
        prop_assert_eq!(found.is_empty(), false);
        let is_by_size = self.plan.max_bytes > 0;
        let follows_the_calendar = matches!(self.plan.when, When::Midnight | When::Weekday(_));
        for (name, text) in &files {
            let Some(stamp) = name.strip_prefix("log/app.log.") else { continue };
            let (day, number) = stamp.split_once('.').unwrap_or((stamp, ""));
            if follows_the_calendar && self.plan.has_right_dates() && !is_by_size && !self.plan.jumps() {
                prop_assert_eq!(number, "", "rolled over twice: {}", name);
            }
            let Some(days) = self.plan.is_exact() else { continue };
            let first: Date = day.parse().expect("a date");
            for line in text.lines() {
                let own: Date = line[6..].parse().expect("a date");
                let since = (own - first).get_days();
                prop_assert!((0..days).contains(&since), "{} is in {}", line, name);
            }
        }
        Ok(())
    }
}

fn upkeep(plan: &Plan, disk: &FakeDisk, clock: &Arc<FakeClock>) -> Upkeep {
    let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
    let options = UpkeepOptions {
        backup_count: plan.backup_count,
        max_age: plan.max_age.map(seconds),
        max_total_bytes: plan.max_total_bytes,
        ..UpkeepOptions::default()
    };
    let clock = Arc::clone(clock) as _;
    Upkeep::new(Arc::new(disk.clone()), LOG, options, clock).expect("good options")
}

fn live(plan: Plan) -> Result<(), TestCaseError> {
    let (mut events, pause) = (plan.events.clone(), plan.pause.unsigned_abs());
    events.reverse();
    let mut run = Run::new(plan);
    let mut second = 0;
    while second < 366 * DAY {
        run.log()?;
        let passes = i64::try_from(1 + run.below(pause)).expect("two days at most");
        second += passes;
        run.clock.advance(passes);
        run.set_disk();
        while let Some((_, event)) = events.pop_if(|(due, _)| *due <= second) {
            run.happens(&event);
        }
    }
    run.end()
}

fn cases(short: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(short)
}

/// A record an hour or so, all backups kept, no clock that jumps: each day is one backup, none is missing.
#[test]
fn each_day_of_the_year_is_one_backup() {
    let zones = ZONES.into_iter().filter(|(_, has_midnights)| *has_midnights);
    for (zone, processes) in zones.skip(1).zip([1, 3]) {
        let plan = Plan {
            zone,
            year: 2024,
            when: When::Midnight,
            at_time: None,
            utc: false,
            processes,
            max_bytes: 0,
            backup_count: 0,
            max_age: None,
            max_total_bytes: None,
            pause: SHORT_PAUSE,
            seed: 7,
            events: Vec::new(),
        };
        let mut run = Run::new(plan.clone());
        run.log().expect("whole");
        let mut second = 0;
        while second < 366 * DAY {
            let passes = i64::try_from(1 + run.below(SHORT_PAUSE.unsigned_abs())).expect("hours");
            second += passes;
            run.clock.advance(passes);
            run.set_disk();
            run.log().expect("whole");
        }
        assert_eq!(run.files().len(), 367, "{zone:?}: 366 days, and the file that is written to");
        run.end().expect("whole");
    }
}

/// What the property below has found.
#[test]
fn plans_that_once_did_not_hold() {
    let plan = Plan {
        zone: ("Europe/Berlin", true),
        year: 2011,
        when: When::Midnight,
        at_time: None,
        utc: true,
        processes: 2,
        max_bytes: 119,
        backup_count: 10,
        max_age: None,
        max_total_bytes: None,
        pause: 4728,
        seed: 9_344_642_049_207_375_008,
        events: Vec::new(),
    };
    live(plan.clone()).expect("rolled over by size, and soon after by time");
    let plan = Plan {
        zone: ("UTC", true),
        year: 2024,
        utc: false,
        max_bytes: 102,
        backup_count: 1,
        pause: 3600,
        seed: 0,
        ..plan
    };
    live(plan).expect("a late record in the last backup but one");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(6), max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_rolled_over_twice_overwritten_or_all_removed(plan in plans()) {
        live(plan)?;
    }
}
