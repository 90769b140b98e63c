//! Where the last record was made, for the next one: most often thread and process are the same, and nobody has changed
//! what says so.
//!
//! What is asked of `multiprocessing`, once the program has imported it, and of a task that runs is asked each time.

use pyo3::prelude::*;

use crate::interpreter::Attached;
use crate::record::surroundings::{self, Imported, Process, Shown, Surroundings};
use crate::record::threads::Running;

/// The values of the fields, and what they were found with.
struct Around {
    thread: Running,
    process: Process,
    imported: Imported,
    shows_tasks: bool,
    /// Thread, its name, process and its name.
    values: [Py<PyAny>; 4],
}

impl Around {
    fn holds(&self) -> bool {
        self.thread.holds() && self.process.holds() && self.imported.holds()
    }
}

static LAST: Attached<Option<Around>> = Attached::new(None);

/// What a record shows that is made now, if nothing has changed since the last one.
pub(super) fn unchanged(py: Python<'_>) -> PyResult<Option<Surroundings<'_>>> {
    // SAFETY: attached; the reference lives only for the comparisons and the clones.
    let last = unsafe { (*LAST.get()).as_ref() };
    let Some(last) = last.filter(|last| last.holds()) else { return Ok(None) };
    let [thread, thread_name, process, process_name] =
        last.values.each_ref().map(|value| value.bind(py).clone());
    let shown = if last.shows_tasks { last.imported.asyncio } else { std::ptr::null_mut() };
    // SAFETY: `sys.modules` holds the module, if it is there; without it no task runs.
    let asyncio = unsafe { Bound::from_borrowed_ptr_or_opt(py, shown) };
    let has_asked = asyncio.is_some_and(|asyncio| !surroundings::is_idle(&asyncio).unwrap_or(false));
    let task_name = if has_asked { surroundings::task_name(py)? } else { py.None().into_bound(py) };
    Ok(Some(Surroundings { thread, thread_name, process_name, process, task_name, has_asked }))
}

/// Keeps what was found, if it is told by something that can be compared.
pub(super) fn remember(found: &Surroundings<'_>) -> PyResult<()> {
    let py = found.thread.py();
    for shown in [Shown::Threads, Shown::Processes] {
        if !shown.is_on(py)? {
            return Ok(());
        }
    }
    let (Some(imported), Some(process)) = (Imported::known(), Process::known()) else { return Ok(()) };
    if Shown::Multiprocessing.is_on(py)? && !imported.multiprocessing.is_null() {
        return Ok(());
    }
    let Some(thread) = Running::now(py)? else { return Ok(()) };
    let values = [&found.thread, &found.thread_name, &found.process, &found.process_name]
        .map(|value| value.clone().unbind());
    let found = Around { thread, process, imported, shows_tasks: Shown::Tasks.is_on(py)?, values };
    // SAFETY: attached; the previous value is dropped after the place has the new one.
    let previous = unsafe { (*LAST.get()).replace(found) };
    drop(previous);
    Ok(())
}
