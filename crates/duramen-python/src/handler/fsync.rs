//! The keyword `fsync` of the handlers for files: when what was written is brought to the disk.
//!
//! [`duramen::writer::fsync`] does it. A handler that was not asked to has no such attribute, and is CPython's.

use std::sync::Arc;

use duramen::fs::Disk;
use duramen::writer::Fsync;
use duramen::writer::fsync::Syncer;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::handler::descriptor::Descriptor;
use crate::handler::further_options::Asked;
use crate::handler::option_values;
use crate::interpreter;
use crate::interpreter::intern;

/// The handler's side of [`Syncer`]: its attribute `fsync`.
#[pyclass(frozen, module = "duramen._core")]
pub(crate) struct FileSync(Arc<Syncer>);

#[pymethods]
impl FileSync {
    /// "rotation", "interval" or "record".
    #[getter]
    fn mode(&self) -> &'static str {
        match self.0.fsync() {
            Fsync::Never => "never",
            Fsync::OnRotation => "rotation",
            Fsync::Interval(_) => "interval",
            Fsync::EveryRecord => "record",
        }
    }

    /// The interval in seconds, or `None`.
    #[getter]
    fn interval(&self) -> Option<f64> {
        match self.0.fsync() {
            Fsync::Interval(interval) => Some(interval.as_secs_f64()),
            _ => None,
        }
    }

    /// How often the file was brought to the disk, and how often that failed.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (synced, failed) = self.0.counts();
        let counts = PyDict::new(py);
        counts.set_item("synced", synced)?;
        counts.set_item("failed", failed)?;
        Ok(counts)
    }

    fn __repr__(&self) -> String {
        format!("<fsync {}>", self.0.fsync())
    }
}

/// What the caller of `__init__` has asked for, checked before a file is touched.
pub(crate) fn asked(asked: Option<&Asked<'_, '_>>) -> PyResult<Fsync> {
    let Some(asked) = asked else { return Ok(Fsync::Never) };
    let Some(value) = asked.get("fsync")? else { return Ok(Fsync::Never) };
    let fsync = if let Ok(text) = value.extract::<String>() {
        text.parse().ok()
    } else if value.is_instance_of::<PyBool>() {
        // Which of the values above would be meant?
        None
    } else if let Ok(seconds) = value.extract::<f64>() {
        Fsync::from_seconds(seconds)
    } else {
        let interval = value.extract::<std::time::Duration>().ok();
        interval.and_then(|interval| Fsync::from_seconds(interval.as_secs_f64()))
    };
    let wrong = |expected: &str| asked.checked(Err(option_values::wrong("fsync", &value, expected)));
    match fsync {
        None => wrong(&format!("{}, or a timedelta", Fsync::EXPECTED)),
        Some(fsync) if fsync != Fsync::Never && cfg!(not(unix)) => wrong("\"never\", on this system"),
        Some(fsync) => Ok(fsync),
    }
}

/// Gives the handler, whose path is known by now, what was asked for.
pub(crate) fn begin(handler: &Bound<'_, PyAny>, asked: Fsync) -> PyResult<()> {
    if asked == Fsync::Never {
        return Ok(());
    }
    let py = handler.py();
    let path: std::path::PathBuf = handler.getattr(intern!(py, "baseFilename"))?.extract()?;
    let syncer = Arc::new(Syncer::new(Arc::new(Disk), path, asked));
    handler.setattr(intern!(py, "fsync"), Py::new(py, FileSync(syncer))?)
}

/// The handler's syncer, where it was given one. No code of a subclass is asked.
pub(crate) fn of(handler: &Bound<'_, PyAny>) -> PyResult<Option<Arc<Syncer>>> {
    let Ok(attributes) = interpreter::instance_dict(handler) else { return Ok(None) };
    let Some(found) = attributes.get_item(intern!(handler.py(), "fsync"))? else { return Ok(None) };
    Ok(found.cast::<FileSync>().ok().map(|found| Arc::clone(&found.get().0)))
}

/// The handler has written to its stream and flushed it; its lock is held.
pub(crate) fn has_written(handler: &Bound<'_, PyAny>) -> PyResult<()> {
    let Some(syncer) = of(handler)? else { return Ok(()) };
    has_written_with(handler, &syncer)
}

/// As [`has_written`], for a handler whose syncer is known.
pub(crate) fn has_written_with(handler: &Bound<'_, PyAny>, syncer: &Arc<Syncer>) -> PyResult<()> {
    match open_file(handler)? {
        Some(file) => Ok(handler.py().detach(|| file.with(|file| syncer.has_written(file)))?),
        None => Ok(()),
    }
}

/// The handler's stream, which is flushed, is going to be closed. An error is reported: the handler goes on.
pub(crate) fn leave(handler: &Bound<'_, PyAny>) -> PyResult<()> {
    let Some(syncer) = of(handler)? else { return Ok(()) };
    if let Some(file) = open_file(handler)? {
        // What fails here fails again when the stream is closed, and is told then.
        let _ =
            handler.getattr(intern!(handler.py(), "stream"))?.call_method0(intern!(handler.py(), "flush"));
        handler.py().detach(|| syncer.report(file.with(|file| syncer.leave(file))));
    }
    Ok(())
}

/// The handler's file has got another name. An error is reported.
pub(crate) fn has_moved(handler: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Some(syncer) = of(handler)? {
        handler.py().detach(|| syncer.report(syncer.has_moved()));
    }
    Ok(())
}

/// The file below the handler's stream; `None` when there is none.
fn open_file(handler: &Bound<'_, PyAny>) -> PyResult<Option<Descriptor>> {
    let py = handler.py();
    let stream = handler.getattr(intern!(py, "stream"))?;
    if stream.is_none() {
        return Ok(None);
    }
    let number = stream.call_method0(intern!(py, "fileno")).and_then(|number| number.extract::<i32>());
    Ok(number.ok().map(Descriptor::new))
}
