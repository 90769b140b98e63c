//! What becomes of backups: compressed, limited by number, age and size, archived; after kills and jumps of the clock.

use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use duramen::rotation::upkeep::{end_before_fork, go_on_after_fork};
use duramen::rotation::{
    Compression, Customs, OnRotate, Schedule, SizeLimit, Upkeep, UpkeepOptions, When, parse_age,
};
use duramen::writer::{FileWriter, RotatingWriter, TimedRotatingWriter, Writer};
use duramen_testkit::{FakeClock, FakeDisk};
use jiff::tz::TimeZone;
use proptest::prelude::*;

const LOG: &str = "log/app.log";
/// 1 March 2024, noon.
const NOON: i64 = 1_709_294_400;
const DAY: i64 = 86_400;
const LONG: Duration = Duration::from_secs(60);

/// A disk, a clock and what writes there.
struct Bench {
    disk: FakeDisk,
    clock: Arc<FakeClock>,
    options: UpkeepOptions,
}

impl Bench {
    fn new(options: UpkeepOptions) -> Self {
        let disk = FakeDisk::default();
        disk.set_time(NOON);
        Self { disk, clock: Arc::new(FakeClock::at(NOON)), options }
    }

    fn upkeep(&self) -> Upkeep {
        let fs = Arc::new(self.disk.clone());
        Upkeep::new(fs, LOG, self.options.clone(), Arc::clone(&self.clock) as _).expect("good options")
    }

    fn file(&self) -> FileWriter {
        FileWriter::on(Arc::new(self.disk.clone()), LOG)
    }

    /// Rolls over before each entry of `most` bytes or more.
    fn by_size(&self, most: u64, upkeep: &Upkeep) -> RotatingWriter {
        let limit = SizeLimit::new(most, 0);
        RotatingWriter::new(self.file(), limit, Customs::default()).with_upkeep(upkeep.clone())
    }

    fn by_day(&self, most: u64, upkeep: &Upkeep) -> TimedRotatingWriter {
        let schedule = Schedule::new(When::Midnight, 1).expect("a schedule");
        let (clock, zone) = (Arc::clone(&self.clock) as _, TimeZone::UTC);
        TimedRotatingWriter::new(self.file(), schedule, 0, Customs::default(), clock, zone)
            .with_upkeep(upkeep.clone(), most)
    }

    fn pass(&self, seconds: i64) {
        use duramen::clock::Clock as _;
        self.clock.advance(seconds);
        self.disk.set_time(self.clock.now_seconds());
    }

    /// The names in a folder, without it.
    fn names(&self, folder: &str) -> Vec<String> {
        let start = format!("{folder}/");
        self.disk.names().iter().filter_map(|name| name.strip_prefix(&start)).map(str::to_owned).collect()
    }

    /// The text of a file, whatever its ending says of it.
    fn text(&self, path: &str) -> String {
        let bytes = self.disk.bytes(path).expect("a file");
        let mut text = String::new();
        let read = if has_ending(path, "gz") {
            flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text)
        } else if has_ending(path, "zst") {
            zstd::Decoder::new(&bytes[..]).expect("a reader").read_to_string(&mut text)
        } else {
            (&bytes[..]).read_to_string(&mut text)
        };
        read.expect("whole text");
        text
    }

    /// The lines of all files but those that are not complete.
    fn lines(&self) -> Vec<String> {
        let names = self.disk.names();
        let complete = names.iter().filter(|name| !name.ends_with(".partial"));
        let mut lines: Vec<_> = complete
            .flat_map(|name| self.text(name).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        lines.sort();
        lines
    }
}

fn has_ending(path: &str, ending: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, found)| found == ending)
}

fn write(writer: &mut dyn Writer, upkeep: &Upkeep, text: &str) {
    writer.write_entry(format!("{text}\n").as_bytes()).expect("written");
    assert!(upkeep.wait(LONG), "a sweep does not end");
}

fn with(options: impl FnOnce(&mut UpkeepOptions)) -> Bench {
    let mut all = UpkeepOptions::default();
    options(&mut all);
    Bench::new(all)
}

#[test]
fn numbered_backups_are_compressed_and_shifted() {
    for (compression, ending) in [(Compression::Gzip, "gz"), (Compression::Zstd, "zst")] {
        let bench = with(|options| {
            options.backup_count = 2;
            options.compression = Some(compression);
        });
        let upkeep = bench.upkeep();
        let mut writer = bench.by_size(1, &upkeep);
        for text in ["one", "two", "three", "four"] {
            write(&mut writer, &upkeep, text);
        }
        assert_eq!(
            bench.names("log"),
            ["app.log", &format!("app.log.1.{ending}"), &format!("app.log.2.{ending}")]
        );
        assert_eq!(bench.text(&format!("log/app.log.1.{ending}")), "three\n");
        assert_eq!(bench.lines(), ["four", "three", "two"]);
        let stats = upkeep.stats();
        assert_eq!((stats.rolled_over, stats.compressed, stats.removed, stats.failed), (3, 3, 1, 0));
        assert_eq!(stats.taken_away.len(), 1);
    }
}

#[test]
fn one_day_may_have_several_backups() {
    let bench = with(|_| {});
    let upkeep = bench.upkeep();
    let mut writer = bench.by_day(10, &upkeep);
    for text in ["one 456", "two 456", "three 6"] {
        write(&mut writer, &upkeep, text);
    }
    bench.pass(DAY);
    write(&mut writer, &upkeep, "four");
    assert_eq!(
        bench.names("log"),
        ["app.log", "app.log.2024-03-01", "app.log.2024-03-01.1", "app.log.2024-03-01.2"]
    );
    assert_eq!(bench.text("log/app.log.2024-03-01.2"), "three 6\n");
}

#[test]
fn what_is_old_or_too_much_leaves_but_never_the_newest() {
    let bench = with(|options| options.max_age = Some(parse_age("max_age", "2d").expect("an age")));
    let upkeep = bench.upkeep();
    let mut writer = bench.by_day(0, &upkeep);
    for text in ["one", "two", "three", "four", "five"] {
        write(&mut writer, &upkeep, text);
        bench.pass(DAY);
    }
    assert_eq!(bench.lines(), ["five", "four", "three"]);
    bench.pass(100 * DAY);
    write(&mut writer, &upkeep, "six");
    assert_eq!(bench.lines(), ["five", "six"]);

    let bench = with(|options| options.max_total_bytes = Some(12));
    let upkeep = bench.upkeep();
    let mut writer = bench.by_size(1, &upkeep);
    for text in ["one", "two", "three", "a very long one", "five"] {
        write(&mut writer, &upkeep, text);
    }
    assert_eq!(bench.lines(), ["a very long one", "five"]);
}

#[test]
fn only_what_a_rollover_of_the_file_has_named_is_touched() {
    let bench = with(|options| {
        options.backup_count = 1;
        options.compression = Some(Compression::Gzip);
    });
    let others = [
        "app.log.old",
        "app.log.1.bak",
        "app.log.2024-13-01",
        "other.log.1",
        "app.log.txt",
        "app.logs.1",
        "app.log.2024-03-01.tar.gz",
    ];
    for name in others {
        bench.disk.put(&format!("log/{name}"), "mine");
    }
    // As an earlier configuration has named them.
    for name in ["app.log.7", "app.log.2023-01-01", "app.log.2023-01-01_10.zst"] {
        bench.disk.put(&format!("log/{name}"), "");
    }
    let upkeep = bench.upkeep();
    let mut writer = bench.by_size(1, &upkeep);
    bench.pass(10);
    write(&mut writer, &upkeep, "one");
    write(&mut writer, &upkeep, "two");
    let mut expected: Vec<_> = others.into_iter().chain(["app.log", "app.log.1.gz"]).collect();
    expected.sort_unstable();
    assert_eq!(bench.names("log"), expected);
}

#[test]
fn retention_does_not_believe_a_clock_that_jumps_ahead() {
    let bench = with(|options| options.max_age = Some(parse_age("max_age", "30d").expect("an age")));
    let upkeep = bench.upkeep();
    let mut writer = bench.by_day(0, &upkeep);
    for text in ["one", "two", "three"] {
        write(&mut writer, &upkeep, text);
        bench.pass(DAY);
    }
    bench.clock.jump(4000 * DAY);
    write(&mut writer, &upkeep, "four");
    bench.clock.jump(-4000 * DAY);
    write(&mut writer, &upkeep, "five");
    bench.pass(DAY);
    write(&mut writer, &upkeep, "six");
    assert_eq!(bench.lines(), ["five", "four", "one", "six", "three", "two"]);
    assert_eq!(upkeep.stats().removed, 0);
}

#[test]
fn what_leaves_goes_to_the_archive_of_another_disk_too() {
    for is_elsewhere in [false, true] {
        let bench = with(|options| {
            options.backup_count = 1;
            options.compression = Some(Compression::Gzip);
            options.archive_to = Some("archive".into());
            options.archive_max_age = Some(parse_age("archive_max_age", "10d").expect("an age"));
        });
        if is_elsewhere {
            bench.disk.put_elsewhere("archive");
        }
        let upkeep = bench.upkeep();
        let mut writer = bench.by_size(1, &upkeep);
        for text in ["one", "two", "three", "four"] {
            write(&mut writer, &upkeep, text);
        }
        // Both left in the same second.
        let expected = ["app.log.2024-03-01_12-00-00.1.gz", "app.log.2024-03-01_12-00-00.gz"];
        assert_eq!(bench.names("archive"), expected);
        assert_eq!(bench.lines(), ["four", "one", "three", "two"]);
        bench.pass(20 * DAY);
        write(&mut writer, &upkeep, "five");
        assert_eq!(bench.names("archive"), [""; 0], "all of them are too old there");
        assert_eq!((upkeep.stats().archived, upkeep.stats().failed), (3, 0));
    }
}

#[test]
fn a_backup_that_somebody_writes_to_is_not_compressed_yet() {
    let bench = with(|options| options.compression = Some(Compression::Gzip));
    let upkeep = bench.upkeep();
    let mut late = bench.file();
    late.write_entry(b"one\n").expect("written");
    let mut writer = bench.by_size(1, &upkeep);
    writer.write_entry(b"two\n").expect("written");
    assert_eq!(bench.names("log"), ["app.log", "app.log.1"]);
    late.write_entry(b"late\n").expect("written");
    drop(late);
    upkeep.begin();
    while upkeep.stats().compressed == 0 {
        std::thread::yield_now();
    }
    assert_eq!(bench.text("log/app.log.1.gz"), "one\nlate\n");
}

/// It is open since before it was rolled over: what comes late would be lost with it.
#[test]
fn a_numbered_backup_that_somebody_writes_to_stays_whatever_limit_it_is_beyond() {
    let limits: [fn(&mut UpkeepOptions); 3] = [
        |options| options.backup_count = 1,
        |options| options.max_total_bytes = Some(1),
        |options| options.max_age = Some(LONG),
    ];
    for limit in limits {
        let bench = with(limit);
        let upkeep = bench.upkeep();
        let mut late = bench.file();
        late.write_entry(b"one\n").expect("written");
        let mut writer = bench.by_size(1, &upkeep);
        for text in ["two\n", "three\n", "four\n"] {
            writer.write_entry(text.as_bytes()).expect("written");
            bench.pass(100);
        }
        late.write_entry(b"late\n").expect("written");
        // The one before the last may have left already.
        assert_eq!(bench.text("log/app.log.3"), "one\nlate\n");
        assert_eq!(bench.text("log/app.log.1"), "three\n");
        drop(late);
        upkeep.begin();
        let until = std::time::Instant::now() + LONG;
        while bench.names("log") != ["app.log", "app.log.1"] {
            assert!(std::time::Instant::now() < until, "{:?}", bench.names("log"));
            std::thread::yield_now();
        }
        assert_eq!(bench.lines(), ["four", "three"]);
    }
}

/// The sweep waits for a writer; its thread ends before the fork, and goes on after it.
#[test]
fn a_sweep_is_interrupted_by_a_fork() {
    let bench = with(|options| options.compression = Some(Compression::Gzip));
    let upkeep = bench.upkeep();
    let mut writer = bench.by_size(10, &upkeep);
    writer.write_entry(b"one two three\n").expect("written");
    let mut held = bench.file();
    held.open().expect("open");
    writer.write_entry(b"four\n").expect("written");
    assert!(end_before_fork());
    assert!(upkeep.wait(Duration::ZERO), "nothing is running");
    assert_eq!(bench.names("log"), ["app.log", "app.log.1"]);
    drop(held);
    go_on_after_fork();
    assert!(upkeep.wait(Duration::from_secs(60)));
    assert_eq!(bench.names("log"), ["app.log", "app.log.1.gz"]);
}

#[test]
fn each_backup_is_told_once_when_it_is_done() {
    for compression in [None, Some(Compression::Zstd)] {
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&told);
        let bench = with(|options| {
            options.backup_count = 5;
            options.compression = compression;
            options.on_rotate = Some(OnRotate::new(move |path| {
                list.lock().expect("no panic").push(path.display().to_string());
                assert!(list.lock().expect("no panic").len() != 2, "a hook that fails stops nothing");
            }));
        });
        let upkeep = bench.upkeep();
        let mut writer = bench.by_size(1, &upkeep);
        for text in ["one", "two", "three"] {
            write(&mut writer, &upkeep, text);
        }
        upkeep.sweep();
        let name = if compression.is_some() { "log/app.log.1.zst" } else { "log/app.log.1" };
        assert_eq!(*told.lock().unwrap_or_else(std::sync::PoisonError::into_inner), [name, name]);
        assert_eq!(upkeep.stats().failed, 1);
    }
}

#[test]
fn who_follows_late_does_not_roll_over_a_second_time() {
    let bench = with(|_| {});
    let upkeep = bench.upkeep();
    let mut first = bench.by_day(0, &upkeep);
    let mut second = bench.by_day(0, &upkeep);
    write(&mut first, &upkeep, "one");
    bench.pass(DAY);
    write(&mut first, &upkeep, "two");
    bench.pass(60);
    // It has had no file open until now.
    write(&mut second, &upkeep, "three");
    assert_eq!(bench.names("log"), ["app.log", "app.log.2024-03-01"]);
    assert_eq!(bench.text(LOG), "two\nthree\n");
}

#[test]
fn contradictions_are_refused() {
    type Change = fn(&mut UpkeepOptions);
    let cases: [(&str, Change); 13] = [
        ("archive_to: found a folder alone", |options| options.archive_to = Some("old".into())),
        ("archive_to: found the folder of the log", |options| {
            options.backup_count = 1;
            options.archive_to = Some("log".into());
        }),
        ("archive_max_age: found an age alone", |options| options.archive_max_age = Some(LONG)),
        ("archive_to: found the folder of the log", |options| {
            options.backup_count = 1;
            options.archive_to = Some("log/old/..".into());
        }),
        ("symlink: found the path of the log", |options| options.symlink = Some(LOG.into())),
        ("symlink: found the path of the log", |options| options.symlink = Some(format!("./{LOG}").into())),
        ("symlink: found \"\"", |options| options.symlink = Some("".into())),
        ("symlink: found a name that backups get", |options| {
            options.symlink = Some(format!("{LOG}.1").into());
        }),
        ("symlink: found a name that backups get", |options| {
            options.backup_count = 1;
            options.archive_to = Some("archive".into());
            options.symlink = Some("archive/app.log.2024-03-01_12.gz".into());
        }),
        ("symlink: found the folder of archive_to", |options| {
            options.backup_count = 1;
            options.archive_to = Some("archive".into());
            options.symlink = Some("log/../archive".into());
        }),
        ("archive_to: found a name that the log or its backups get", |options| {
            options.backup_count = 1;
            options.archive_to = Some(LOG.into());
        }),
        ("archive_to: found a name that the log or its backups get", |options| {
            options.backup_count = 1;
            options.archive_to = Some(format!("{LOG}.1").into());
        }),
        ("archive_max_age: found an age that all have", |options| {
            options.max_age = Some(LONG);
            options.archive_to = Some("archive".into());
            options.archive_max_age = Some(LONG);
        }),
    ];
    for (start, change) in cases {
        let mut options = UpkeepOptions::default();
        change(&mut options);
        let error = options.check(LOG.as_ref()).expect_err("a contradiction").to_string();
        assert!(error.starts_with(start), "{error}");
    }
}

/// What a model process does.
#[derive(Clone, Debug)]
enum Step {
    Write(usize),
    Pass(i64),
    Jump(i64),
    Sweep,
    /// All processes are killed after so many changes, and start again.
    Kill(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3_usize).prop_map(Step::Write),
        2 => (0..2 * DAY).prop_map(Step::Pass),
        1 => (-3 * DAY..3 * DAY).prop_map(Step::Jump),
        2 => Just(Step::Sweep),
        2 => (0..12_usize).prop_map(Step::Kill),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_entry_is_lost_or_doubled_whenever_processes_are_killed(
        steps in steps(),
        by_day in any::<bool>(),
        most in 1_u64..40,
        compressed in any::<bool>(),
        archived in prop::option::of(any::<bool>()),
    ) {
        let bench = with(|options| {
            options.compression = compressed.then_some(Compression::Gzip);
            if archived.is_some() {
                options.archive_to = Some("archive".into());
                options.backup_count = 2;
            }
        });
        if archived == Some(true) {
            bench.disk.put_elsewhere("archive");
        }
        let start = || {
            let upkeep = bench.upkeep();
            let writer = || -> Box<dyn Writer> {
                if by_day { Box::new(bench.by_day(most, &upkeep)) } else { Box::new(bench.by_size(most, &upkeep)) }
            };
            let writers: Vec<_> = (0..3).map(|_| writer()).collect();
            (upkeep, writers)
        };
        let (mut upkeep, mut writers) = start();
        let mut accepted = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Write(process) => {
                    let text = format!("entry {number:03}");
                    // Told to be an error where only the rollover failed: then it may be there as well.
                    if writers[process].write_entry(format!("{text}\n").as_bytes()).is_ok() {
                        accepted.push(text);
                    }
                }
                Step::Pass(seconds) => bench.pass(seconds),
                Step::Jump(seconds) => bench.clock.jump(seconds),
                Step::Sweep => upkeep.sweep(),
                Step::Kill(changes) => {
                    prop_assert!(upkeep.wait_for_work(LONG));
                    bench.disk.kill_after(Some(changes));
                    // Whoever comes first; what has been killed writes nothing.
                    for (process, writer) in writers.iter_mut().enumerate() {
                        let text = format!("entry {number:03} of {process}");
                        if writer.write_entry(format!("{text}\n").as_bytes()).is_ok() {
                            accepted.push(text);
                        }
                    }
                    upkeep.sweep();
                    prop_assert!(upkeep.wait_for_work(LONG));
                    drop(writers);
                    bench.disk.kill_after(None);
                    (upkeep, writers) = start();
                }
            }
        }
        drop(writers);
        // What has been killed in the model still has a thread, which comes to its end.
        let is_in_order = || {
            upkeep.sweep();
            let is_plain = |name: &&String| !has_ending(name, "gz") && *name != "app.log";
            let names = bench.names("log");
            let has_log = names.iter().any(|name| name == "app.log");
            let is_compressed = !compressed || !has_log || names.iter().filter(is_plain).count() == 0;
            is_compressed && !bench.disk.names().iter().any(|name| name.ends_with(".partial"))
        };
        let started = Instant::now();
        while !is_in_order() {
            prop_assert!(started.elapsed() < LONG, "not in order: {:?}", bench.disk.names());
            std::thread::yield_now();
        }
        let mut found = bench.lines();
        let all = found.len();
        found.dedup();
        prop_assert_eq!(all, found.len(), "doubled: {:?}", bench.disk.names());
        for text in accepted {
            prop_assert!(found.contains(&text), "{} is lost: {:?}", text, bench.disk.names());
        }
    }
}
