//! Starts the measurements, one after the other, round by round, and checks what they wrote.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::losses::End;
use crate::way::{Manner, Way};
use crate::{ENTRIES, HAS_NO_SUCH_WAY, SPDLOG, line, page};

/// Values of all rounds, or why there are none.
pub type Cells = BTreeMap<(Way, &'static str), Cell>;

#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub values: Vec<f64>,
    /// The most memory of any round, in KiB.
    pub peak: u64,
    /// What went wrong, such as lines that are missing.
    pub fault: Option<String>,
}

/// Missing lines by package, way and end; `None`: it has no such way.
pub type Losses = BTreeMap<(&'static str, Way, &'static str), Result<u64, String>>;

/// How many records a program logs while nobody reads what it writes.
pub const RECORDS_FOR_A_FULL_QUEUE: u64 = 50_000;

/// How many records a program logs before it ends.
pub const RECORDS_BEFORE_THE_END: u64 = 10_000;

struct Run {
    rounds: usize,
    scale: f64,
    only: Vec<Way>,
    spdlog: PathBuf,
    page: PathBuf,
}

pub fn run(options: &[&str]) -> ExitCode {
    let Some(run) = read(options) else { return ExitCode::from(2) };
    let folder = std::env::temp_dir().join(format!("duramen-bench-{}", std::process::id()));
    if let Err(error) = std::fs::create_dir_all(&folder) {
        eprintln!("{}: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    let cells = measure_all(&run, &folder);
    let losses = lose_all(&run, &folder);
    let _ = std::fs::remove_dir_all(&folder);
    let text = page::write(&cells, &losses, run.rounds, run.scale);
    print!("{text}");
    let written = run.page.parent().map_or(Ok(()), std::fs::create_dir_all);
    if let Err(error) = written.and_then(|()| std::fs::write(&run.page, text)) {
        eprintln!("{}: {error}", run.page.display());
        return ExitCode::FAILURE;
    }
    let fault = cells.iter().find(|((_, peer), cell)| *peer == "duramen" && cell.fault.is_some());
    if let Some(((way, _), cell)) = fault {
        eprintln!("duramen, {}: {}", way.name(), cell.fault.as_deref().unwrap_or_default());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn read(options: &[&str]) -> Option<Run> {
    let mut run = Run {
        rounds: 5,
        scale: 1.0,
        only: Vec::new(),
        spdlog: PathBuf::new(),
        page: PathBuf::from("build/bench/benchmarks-rust.md"),
    };
    for pair in options.chunks(2) {
        let [option, value] = pair else { return None };
        match *option {
            "--rounds" => run.rounds = value.parse().ok()?,
            "--scale" => run.scale = value.parse().ok()?,
            "--only" => run.only.push(Way::by_name(value)?),
            "--spdlog" => run.spdlog = value.into(),
            "--page" => run.page = value.into(),
            _ => return None,
        }
    }
    if run.only.is_empty() {
        run.only = Way::ALL.into();
    }
    Some(run)
}

fn measure_all(run: &Run, folder: &Path) -> Cells {
    let mut cells = Cells::new();
    for round in 1..=run.rounds {
        for &way in &run.only {
            for entry in ENTRIES {
                let cell = cells.entry((way, entry.name)).or_default();
                if round > 1 && cell.values.is_empty() {
                    continue;
                }
                let file = folder.join("measured.log");
                let _ = std::fs::remove_file(&file);
                let calls = way.calls(run.scale);
                let words = [way.name(), &file.display().to_string(), &calls.to_string()].map(str::to_owned);
                match answer(run, entry.name, "measure", &words) {
                    Ok(Some(text)) => {
                        let mut words = text.split_whitespace();
                        let value = words.next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN);
                        cell.values.push(value);
                        cell.peak =
                            cell.peak.max(words.next().and_then(|word| word.parse().ok()).unwrap_or(0));
                        if way != Way::Disabled {
                            match line::check(&file, way, calls) {
                                Ok(0) => {}
                                Ok(missing) => {
                                    cell.fault = Some(format!("{missing} of {calls} lines are missing"))
                                }
                                Err(error) => cell.fault = Some(error),
                            }
                        }
                        eprintln!(
                            "{round} {} {}: {value:.2} {}",
                            way.name(),
                            entry.name,
                            cell.fault.as_deref().unwrap_or("")
                        );
                    }
                    Ok(None) => {}
                    Err(error) => cell.fault = Some(error),
                }
            }
        }
    }
    cells
}

fn lose_all(run: &Run, folder: &Path) -> Losses {
    let mut losses = Losses::new();
    let file = folder.join("lost.log");
    for entry in ENTRIES.iter().filter(|entry| !entry.is_limit) {
        for way in Way::BEFORE_AN_END {
            for end in End::ALL {
                if let Some(lost) = lose(run, entry.name, way, end, &file) {
                    losses.insert((entry.name, way, end.name()), lost);
                }
            }
        }
    }
    losses
}

/// How many lines are missing; `None`: the package has no such way.
fn lose(run: &Run, peer: &str, way: Way, end: End, file: &Path) -> Option<Result<u64, String>> {
    let _ = std::fs::remove_file(file);
    let is_full = matches!(end, End::Full | End::FullDropping);
    if is_full && (way.manner() != Manner::Asynchronous || peer == SPDLOG) {
        return None;
    }
    let calls = if is_full { RECORDS_FOR_A_FULL_QUEUE } else { RECORDS_BEFORE_THE_END };
    let reader = is_full.then(|| slow_reader(file)).flatten();
    let log_and_end = |calls: u64, end: End| {
        let words = [way.name(), &file.display().to_string(), &calls.to_string(), end.name()];
        answer(run, peer, "lose", &words.map(str::to_owned))
    };
    if let Err(error) = log_and_end(calls, end).transpose()? {
        return Some(Err(error));
    }
    let lines = match reader {
        Some(reader) => reader.join().map_err(|_| "the reader failed".to_owned()),
        None => {
            if way.has_journal() {
                // What is left in the journal is delivered by the next start.
                let _ = log_and_end(0, End::Return);
            }
            Ok(line::count(file))
        }
    };
    Some(lines.map(|lines| calls.saturating_sub(lines)))
}

/// A pipe in the place of the file, from which nothing is read at first; gives the number of lines at its end.
fn slow_reader(path: &Path) -> Option<JoinHandle<u64>> {
    let made = Command::new("mkfifo").arg(path).status().ok()?;
    // Open for writing too, so that this end opens at once; the count ends with a pause in which nothing comes.
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path).ok()?;
    made.success().then(|| std::thread::spawn(move || read_slowly(file)))
}

fn read_slowly(file: std::fs::File) -> u64 {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::sleep(Duration::from_millis(300));
    std::thread::spawn(move || {
        let mut file = file;
        let mut block = vec![0; 1 << 16];
        while let Ok(count) = file.read(&mut block) {
            let lines = block[..count].iter().filter(|byte| **byte == b'\n').count();
            if tell.send(lines as u64).is_err() {
                return;
            }
        }
    });
    let mut lines = 0;
    while let Ok(more) = told.recv_timeout(Duration::from_secs(2)) {
        lines += more;
    }
    lines
}

/// What the process says; `None`: there is no such way.
fn answer(run: &Run, peer: &str, command: &str, words: &[String]) -> Result<Option<String>, String> {
    let mut process = if peer == SPDLOG {
        if !run.spdlog.is_file() {
            return Ok(None);
        }
        Command::new(&run.spdlog)
    } else {
        let mut own = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
        own.args([command, peer]);
        own
    };
    let child = process.args(words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.map_err(|error| error.to_string())?;
    for _ in 0..6000 {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            let output = child.wait_with_output().map_err(|error| error.to_string())?;
            return match status.code() {
                Some(0) | None => Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned())),
                Some(code) if code == i32::from(HAS_NO_SUCH_WAY) => Ok(None),
                Some(code) => Err(format!("ended with code {code}")),
            };
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    Err("took more than a minute".to_owned())
}
