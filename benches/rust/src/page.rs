//! The page with the results.

use std::fmt::Write as _;

use crate::driver::{Cell, Cells, Losses, RECORDS_BEFORE_THE_END, RECORDS_FOR_A_FULL_QUEUE};
use crate::goals::GOALS;
use crate::losses::End;
use crate::way::Way;
use crate::{ENTRIES, SPDLOG};

/// The words around the tables, which a person has written.
const BEFORE: &str = include_str!("../before.md");
const AFTER: &str = include_str!("../after.md");

/// The one in the middle; `None` where nothing was measured.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

pub fn write(cells: &Cells, losses: &Losses, rounds: usize, scale: f64) -> String {
    let mut page = BEFORE.to_owned();
    let _ = writeln!(page, "\n{}\n", machine(rounds, scale));
    write_goals(cells, &mut page);
    write_ways(cells, &mut page);
    write_losses(losses, &mut page);
    page.push_str(AFTER);
    page
}

fn machine(rounds: usize, scale: f64) -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    format!(
        "Measured on {} with {cores} cores, {rounds} rounds, {scale} of the calls; the load of the machine at the end was \
         {load} (where it is more than the number of cores, others used it too).",
        processor.map_or("a processor", |(_, name)| name)
    )
}

fn write_goals(cells: &Cells, page: &mut String) {
    page.push_str("## Goals\n\n| way | goal | measured | |\n| --- | --- | --- | --- |\n");
    for goal in GOALS {
        let (measured, verdict) = match goal.judge(cells) {
            Some((measured, true)) => (measured, "reached"),
            Some((measured, false)) => (measured, "**missed**"),
            None => ("–".to_owned(), "not measured"),
        };
        let way = goal.way.title().split(" (").next().unwrap_or_default();
        let _ = writeln!(page, "| {way} | {} | {measured} | {verdict} |", goal.what);
    }
}

fn write_ways(cells: &Cells, page: &mut String) {
    page.push_str("\n## Results\n\nMedian, and in brackets the lowest and the highest of the rounds.\n");
    for way in Way::ALL {
        let rows: Vec<_> = ENTRIES
            .iter()
            .filter_map(|entry| Some((entry, cells.get(&(way, entry.name))?)))
            .filter(|(_, cell)| !cell.values.is_empty() || cell.fault.is_some())
            .collect();
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(
            page,
            "\n### {}\n\n| package | result | memory (MB) |\n| --- | --- | --- |",
            way.title()
        );
        for (entry, cell) in rows {
            let _ = writeln!(
                page,
                "| {} | {} | {:.1} |",
                entry.name,
                text_of(way, cell),
                cell.peak as f64 / 1024.0
            );
        }
    }
}

fn text_of(way: Way, cell: &Cell) -> String {
    let unit = if way.is_time() { 1.0 } else { 1e6 };
    let mut text = String::new();
    if let Some(middle) = median(&cell.values) {
        let lowest = cell.values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = cell.values.iter().copied().fold(0.0, f64::max);
        let _ = write!(text, "{:.2} ({:.2}–{:.2})", middle / unit, lowest / unit, highest / unit);
    }
    if let Some(fault) = &cell.fault {
        let _ = write!(text, " {fault}");
    }
    text
}

fn write_losses(losses: &Losses, page: &mut String) {
    let _ = writeln!(
        page,
        "\n## What is missing\n\nLines that are not in the file, of {RECORDS_BEFORE_THE_END} that were logged right before \
         the program ended without a flush. The last two columns: of {RECORDS_FOR_A_FULL_QUEUE} that were logged while nobody \
         read what was written for 300 ms, with a queue that has its callers wait, and with one that drops what there is no \
         room for, where the package has such a one.\n\n\
         | package | way | kill -9 | exit(0) | return from main | full, waits | full, drops |\n\
         | --- | --- | --- | --- | --- | --- | --- |"
    );
    for entry in ENTRIES.iter().filter(|entry| !entry.is_limit) {
        for way in Way::BEFORE_AN_END {
            let found = |end: &End| losses.get(&(entry.name, way, end.name()));
            if End::ALL.iter().all(|end| found(end).is_none()) {
                continue;
            }
            let cells: Vec<String> = End::ALL
                .iter()
                .map(|end| match found(end) {
                    Some(Ok(lost)) => lost.to_string(),
                    Some(Err(error)) => error.clone(),
                    None => "–".to_owned(),
                })
                .collect();
            let _ = writeln!(page, "| {} | {} | {} |", entry.name, way.name(), cells.join(" | "));
        }
    }
    if !losses.keys().any(|(peer, _, _)| *peer == SPDLOG) {
        page.push_str("\nC++ spdlog was not there: `apt-get install g++ libspdlog-dev`.\n");
    }
}
