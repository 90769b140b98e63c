//! The goals, as ratios to others in the same run.

use crate::driver::Cells;
use crate::page::median;
use crate::way::Way;

/// What Duramen is to reach.
pub struct Goal {
    pub way: Way,
    pub what: &'static str,
    measure: Measure,
}

enum Measure {
    /// At most so many nanoseconds.
    AtMost(f64),
    /// At least so many times the fastest package.
    Package(f64),
    /// At least so many times this limit.
    Limit(&'static str, f64),
    /// At most so many KiB in memory at the most.
    Memory(u64),
    /// At most so many times what another way of its own takes.
    OtherWay(Way, f64),
}

use Measure::{AtMost, Limit, Memory, OtherWay, Package};

/// The goals; their ratios are those of the records a second that were aimed at to what was best, and to what the
/// limit was, when they were set.
pub const GOALS: &[Goal] = &[
    Goal { way: Way::Disabled, what: "at most 1 ns, with levels of loggers", measure: AtMost(1.0) },
    Goal { way: Way::Flushed, what: "1.15 of the fastest package", measure: Package(1.15) },
    Goal { way: Way::Flushed, what: "0.91 of the limit by hand", measure: Limit("limit: by hand", 0.91) },
    Goal { way: Way::Buffered, what: "2.2 of the fastest package", measure: Package(2.2) },
    Goal {
        way: Way::Buffered,
        what: "1.2 of the limit with std formatting",
        measure: Limit("limit: std formatting", 1.2),
    },
    Goal { way: Way::Buffered, what: "0.5 of the limit by hand", measure: Limit("limit: by hand", 0.5) },
    Goal { way: Way::Json, what: "1.46 of the fastest package", measure: Package(1.46) },
    Goal {
        way: Way::Bursts,
        what: "at most 1.9 of a ring of arguments",
        measure: Limit("limit: ring of arguments", 1.9),
    },
    Goal { way: Way::Asynchronous, what: "3.2 of the fastest package", measure: Package(3.2) },
    Goal {
        way: Way::Asynchronous,
        what: "0.47 of a ring of bytes",
        measure: Limit("limit: ring of bytes", 0.47),
    },
    Goal { way: Way::Asynchronous, what: "less than 16 MB of memory", measure: Memory(16 * 1024) },
    Goal {
        way: Way::JournaledBursts,
        what: "at most 1.1 of the time without a journal",
        measure: OtherWay(Way::Bursts, 1.1),
    },
    Goal {
        way: Way::ThreadsFlushed,
        what: "0.95 of the limit by hand",
        measure: Limit("limit: by hand", 0.95),
    },
    Goal { way: Way::ThreadsBuffered, what: "1.8 of the fastest package", measure: Package(1.8) },
    Goal { way: Way::ThreadsAsynchronous, what: "3.5 of the fastest package", measure: Package(3.5) },
    Goal {
        way: Way::ThreadsAsynchronous,
        what: "0.5 of a ring of bytes",
        measure: Limit("limit: ring of bytes", 0.5),
    },
];

impl Goal {
    /// What was measured, and whether that is enough; `None` where something is missing from the run.
    pub fn judge(&self, cells: &Cells) -> Option<(String, bool)> {
        let own = cells.get(&(self.way, "duramen")).filter(|cell| cell.fault.is_none())?;
        let value = median(&own.values)?;
        Some(match self.measure {
            AtMost(most) => (format!("{value:.2} ns"), value <= most),
            Memory(most) => (format!("{:.1} MB", own.peak as f64 / 1024.0), own.peak < most),
            OtherWay(way, most) => {
                let ratio = value / median(&cells.get(&(way, "duramen"))?.values)?;
                (format!("{ratio:.2}"), ratio <= most)
            }
            Package(least) => {
                let best = best_package(cells, self.way)?;
                let ratio = value / best.1;
                (format!("{ratio:.2} of {}", best.0), ratio >= least)
            }
            Limit(name, bound) => {
                let ratio = value / median(&cells.get(&(self.way, name))?.values)?;
                (format!("{ratio:.2}"), if self.way.is_time() { ratio <= bound } else { ratio >= bound })
            }
        })
    }
}

/// The fastest package other than Duramen that delivered every line.
fn best_package(cells: &Cells, way: Way) -> Option<(&'static str, f64)> {
    let of_way = cells.iter().filter(|((of, peer), cell)| {
        *of == way && *peer != "duramen" && !peer.starts_with("limit") && cell.fault.is_none()
    });
    let medians = of_way.filter_map(|((_, peer), cell)| Some((*peer, median(&cell.values)?)));
    medians.max_by(|one, other| one.1.total_cmp(&other.1))
}
