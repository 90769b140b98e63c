//! Duramen beside other logging packages for Rust, and C++ spdlog: `make bench-rust`.
//!
//! Each measurement is a process of its own, which this program starts, and whose file it checks line by line.

mod driver;
mod goals;
mod limits;
mod line;
mod losses;
mod measure;
mod page;
mod peers;
mod way;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use losses::End;
use measure::Peer;
use way::Way;

/// A package: its name, and the program that measures it.
pub struct Entry {
    pub name: &'static str,
    /// A limit of the machine, not a package.
    pub is_limit: bool,
    measure: Option<fn(Way, &Path, u64) -> Option<measure::Measured>>,
    lose: Option<fn(Way, &Path, u64, End) -> bool>,
}

const fn package<P: Peer>(name: &'static str) -> Entry {
    Entry { name, is_limit: false, measure: Some(measure::run::<P>), lose: Some(losses::run::<P>) }
}

const fn limit<P: Peer>(name: &'static str) -> Entry {
    Entry { name, is_limit: true, measure: Some(measure::run::<P>), lose: None }
}

/// The one that is no Rust.
pub const SPDLOG: &str = "C++ spdlog";

pub const ENTRIES: &[Entry] = &[
    package::<peers::duramen::Duramen>("duramen"),
    package::<peers::tracing::Tracing>("tracing-subscriber, tracing-appender"),
    package::<peers::log4rs::Log4rs>("log4rs"),
    package::<peers::fern::Fern>("fern"),
    package::<peers::flexi_logger::FlexiLogger>("flexi_logger"),
    package::<peers::spdlog_rs::SpdlogRs>("spdlog-rs"),
    package::<peers::fast_log::FastLog>("fast_log"),
    package::<peers::ftlog::Ftlog>("ftlog"),
    package::<peers::slog::Slog>("slog"),
    package::<peers::logforth::Logforth>("logforth"),
    Entry { name: SPDLOG, is_limit: false, measure: None, lose: None },
    limit::<limits::Blocks<true>>("limit: std formatting"),
    limit::<limits::Blocks<false>>("limit: by hand"),
    limit::<limits::Rings<false>>("limit: ring of bytes"),
    limit::<limits::Rings<true>>("limit: ring of arguments"),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["run", ref options @ ..] => driver::run(options),
        ["measure", peer, way, file, calls] => measure(peer, way, &PathBuf::from(file), calls),
        ["lose", peer, way, file, calls, end] => lose(peer, way, &PathBuf::from(file), calls, end),
        _ => {
            eprintln!("bench run [--rounds N] [--scale F] [--only WAY]… [--spdlog FILE] [--page FILE]");
            ExitCode::from(2)
        }
    }
}

/// The code with which a process says that a package has no such way.
pub const HAS_NO_SUCH_WAY: u8 = 3;

fn measure(peer: &str, way: &str, file: &Path, calls: &str) -> ExitCode {
    let entry = ENTRIES.iter().find(|entry| entry.name == peer).and_then(|entry| entry.measure);
    let (Some(run), Some(way), Ok(calls)) = (entry, Way::by_name(way), calls.parse()) else {
        return ExitCode::from(2);
    };
    match run(way, file, calls) {
        Some(measured) => println!("{} {}", measured.value, measured.peak),
        None => return ExitCode::from(HAS_NO_SUCH_WAY),
    }
    ExitCode::SUCCESS
}

fn lose(peer: &str, way: &str, file: &Path, calls: &str, end: &str) -> ExitCode {
    let entry = ENTRIES.iter().find(|entry| entry.name == peer).and_then(|entry| entry.lose);
    let (Some(run), Some(way), Ok(calls), Some(end)) =
        (entry, Way::by_name(way), calls.parse(), End::by_name(end))
    else {
        return ExitCode::from(2);
    };
    if run(way, file, calls, end) { ExitCode::SUCCESS } else { ExitCode::from(HAS_NO_SUCH_WAY) }
}
