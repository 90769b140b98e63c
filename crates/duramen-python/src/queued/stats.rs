//! The counts of a queue as `AsyncHandler.stats` gives them.

use duramen::queue::Ledger;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// All that the ledger has.
pub(super) fn of<'py>(py: Python<'py>, ledger: &Ledger) -> PyResult<Bound<'py, PyDict>> {
    let (stats, dropped, handlers) = (PyDict::new(py), PyDict::new(py), PyList::empty(py));
    for (name, count) in [
        ("accepted", ledger.accepted),
        ("recovered", ledger.recovered),
        ("delivered", ledger.delivered),
        ("failed", ledger.failed),
        ("queued", ledger.queued),
        ("in_flight", ledger.in_flight),
    ] {
        stats.set_item(name, count)?;
    }
    let counts = ledger.dropped;
    for (name, count) in [
        ("newest", counts.newest),
        ("oldest", counts.oldest),
        ("below_level", counts.below_level),
        ("timeout", counts.timeout),
        ("reentrant", counts.reentrant),
        ("closed", counts.closed),
        ("abandoned", counts.abandoned),
    ] {
        dropped.set_item(name, count)?;
    }
    for counts in &ledger.handlers {
        let own = PyDict::new(py);
        own.set_item("delivered", counts.delivered)?;
        own.set_item("failed", counts.failed)?;
        own.set_item("below_level", counts.below_level)?;
        handlers.append(own)?;
    }
    stats.set_item("dropped", dropped)?;
    stats.set_item("handlers", handlers)?;
    Ok(stats)
}
