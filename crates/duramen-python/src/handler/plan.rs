//! What the native way does for a handler, found out once and remembered while nothing changes.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use duramen::rotation::line_end::{self, Secured};
use duramen::writer::Fsync;
use duramen::writer::fsync::Syncer;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::filter::plan::{FilterPlan, KnownFilters};
use crate::formatter::plan::FormatterPlan;
use crate::handler::sink::DirectFile;
use crate::handler::{self, upkeep};
use crate::interpreter::{State, intern};
use crate::way::remembered::{Finding, Remembered};
use crate::way::route::Reason;
use crate::way::settings::Settings;

/// What a handler does before it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing: it has its stream.
    Stream,
    /// It opens its file, if that was put off.
    File,
    /// It rolls its file over when the record would make it too large.
    RotatedBySize,
    /// It rolls its file over when the time has come.
    RotatedByTime,
    /// It opens its file again when somebody has moved it.
    Watched,
}

impl Kind {
    pub(crate) fn of_class(name: &str) -> Option<Self> {
        Some(match name {
            "StreamHandler" => Self::Stream,
            "FileHandler" => Self::File,
            "RotatingFileHandler" => Self::RotatedBySize,
            "TimedRotatingFileHandler" => Self::RotatedByTime,
            "WatchedFileHandler" => Self::Watched,
            _ => return None,
        })
    }

    /// Does it, for a record whose text is `line`; the handler's lock is held.
    pub(crate) fn prepare(self, handler: &Bound<'_, PyAny>, line: &[u8]) -> PyResult<()> {
        let py = handler.py();
        // CPython counts characters here, not bytes.
        let length = || Ok(String::from_utf8_lossy(line).chars().count());
        let is_due = match self {
            Self::Stream => return Ok(()),
            Self::File => false,
            Self::RotatedBySize => {
                handler::turn::follow(handler)?;
                handler::turn::is_due_by_size(handler, &length)?
                    || handler::timed_rotating::is_due_too(handler)?
            }
            Self::RotatedByTime => {
                handler::turn::follow(handler)?;
                handler::timed_rotating::is_due(handler)?
                    || handler::turn::is_due_by_size_too(handler, &length)?
            }
            Self::Watched => {
                handler.call_method0(intern!(py, "reopenIfNeeded"))?;
                false
            }
        };
        if is_due {
            handler::turn::roll_over(handler, &length)?;
        }
        handler::file::open_if_delayed(handler)
    }

    /// What is to be held while `line` is written.
    pub(crate) fn secure(self, handler: &Bound<'_, PyAny>, line: &[u8]) -> PyResult<Option<Secured>> {
        match self {
            Self::RotatedBySize | Self::RotatedByTime => handler::turn::secure(handler, line.len()),
            Self::Stream | Self::File | Self::Watched => Ok(None),
        }
    }
}

/// When a handler has to do something before it writes to its open file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rollover {
    /// When the record and its newline reach this many bytes in all; 0: never.
    size: i64,
    /// From this second since the Unix epoch on.
    second: i64,
    /// It has to look each time.
    is_unknown: bool,
    /// Others may write to the file, or move it.
    looks: bool,
}

impl Rollover {
    const NEVER: Self = Self { size: 0, second: i64::MAX, is_unknown: false, looks: false };
    const UNKNOWN: Self = Self { is_unknown: true, ..Self::NEVER };

    pub(crate) fn of(handler: &Bound<'_, PyAny>, kind: Kind) -> PyResult<Self> {
        let py = handler.py();
        let (by_size, by_time) = match kind {
            Kind::Stream | Kind::File => return Ok(Self::NEVER),
            Kind::Watched => return Ok(Self::UNKNOWN),
            Kind::RotatedBySize => (true, upkeep::has_attribute(handler, intern!(py, "rolloverAt"))?),
            Kind::RotatedByTime => (upkeep::has_attribute(handler, intern!(py, "maxBytes"))?, true),
        };
        let number = |counts: bool, name, missing| {
            if counts { Ok::<_, PyErr>(handler.getattr(name)?.extract().ok()) } else { Ok(Some(missing)) }
        };
        let size = number(by_size, intern!(py, "maxBytes"), Self::NEVER.size)?;
        let second = number(by_time, intern!(py, "rolloverAt"), Self::NEVER.second)?;
        Ok(match (size, second) {
            (Some(size), Some(second)) => Self { size, second, is_unknown: false, looks: true },
            _ => Self::UNKNOWN,
        })
    }

    /// Whether there is nothing to be done before `line` is written to `file` at this time.
    pub(crate) fn is_far(self, file: &DirectFile, path: Option<&Path>, seconds: f64, line: &[u8]) -> bool {
        if self.is_unknown || (self.looks && line.len() >= line_end::PART) || self.is_due_at(seconds) {
            return false;
        }
        let limit = u64::try_from(self.size).unwrap_or(0);
        !self.looks || file.is_as_expected(path, seconds, limit, |end| self.has_room(end, line.len()))
    }

    /// Whether the time, in seconds since the epoch, has come.
    #[expect(clippy::cast_precision_loss, reason = "whole seconds of a present time, or of one far from any")]
    pub(crate) fn is_due_at(self, seconds: f64) -> bool {
        self.second != i64::MAX && seconds >= self.second as f64
    }

    /// Whether a text of so many bytes, with its newline, certainly goes into a file that is so long.
    pub(crate) fn has_room(self, end: u64, bytes: usize) -> bool {
        // There are at most as many characters, which CPython counts, as bytes.
        let length = i64::try_from(bytes).unwrap_or(i64::MAX - 1) + 1;
        self.size <= 0 || i64::try_from(end).is_ok_and(|end| end.saturating_add(length) < self.size)
    }

    /// Whether it is told by these numbers, and not by a look each time.
    pub(crate) fn is_known(self) -> bool {
        !self.is_unknown
    }
}

/// The Python objects that a plan is made from.
pub(crate) struct Parts<'a, 'py> {
    pub(crate) handler: &'a Bound<'py, PyAny>,
    pub(crate) filters: &'a Bound<'py, PyAny>,
    pub(crate) lock: &'a Bound<'py, PyAny>,
    pub(crate) formatter: &'a Bound<'py, PyAny>,
    pub(crate) stream: &'a Bound<'py, PyAny>,
}

/// What the native way does for one handler.
pub(crate) struct HandlerPlan {
    pub(crate) level: i64,
    pub(crate) kind: Kind,
    pub(crate) terminator: Box<str>,
    pub(crate) formatter: Rc<FormatterPlan>,
    pub(crate) rollover: Rollover,
    /// The path of a file that is opened anew when somebody has moved it away.
    path: Option<PathBuf>,
    /// Brings the file to the disk, where that was asked for.
    pub(crate) syncer: Option<Arc<Syncer>>,
    /// The file, while its stream is in the state in which it can be written to directly.
    pub(crate) file: RefCell<Option<DirectFile>>,
    filters: KnownFilters,
    /// The state of the handler from which the plan was made. `None` when changes could not be told: the plan
    /// is good for one record.
    state: Option<State>,
    /// References that the handler holds; the formatter may be held by the module's globals instead.
    filters_object: *mut ffi::PyObject,
    lock_object: *mut ffi::PyObject,
    formatter_object: *mut ffi::PyObject,
    stream_object: *mut ffi::PyObject,
    globals: u64,
}

static PLANS: Remembered<HandlerPlan> = Remembered::new();

impl Finding for HandlerPlan {
    fn is_abandoned(&self) -> bool {
        self.state.as_ref().is_none_or(State::is_abandoned)
    }
}

impl HandlerPlan {
    pub(crate) fn new(
        parts: &Parts<'_, '_>,
        level: i64,
        kind: Kind,
        terminator: &str,
        formatter: Rc<FormatterPlan>,
        settings: &Settings,
    ) -> PyResult<Self> {
        Ok(Self {
            level,
            kind,
            terminator: terminator.into(),
            formatter,
            rollover: Rollover::of(parts.handler, kind)?,
            path: match kind {
                Kind::RotatedBySize | Kind::RotatedByTime => handler::turn::followed_path(parts.handler)?,
                _ => None,
            },
            syncer: handler::fsync::of(parts.handler)?,
            file: RefCell::new(None),
            filters: KnownFilters::default(),
            state: State::of(parts.handler),
            filters_object: parts.filters.as_ptr(),
            lock_object: parts.lock.as_ptr(),
            formatter_object: parts.formatter.as_ptr(),
            stream_object: parts.stream.as_ptr(),
            globals: settings.version(),
        })
    }

    /// Whether everything is still as it was when the plan was made.
    pub(crate) fn holds(&self, handler: &Bound<'_, PyAny>, settings: &Settings) -> bool {
        // SAFETY: a live handler.
        unsafe { self.holds_for(handler.as_ptr(), settings) }
    }

    /// # Safety
    /// `handler` is live and the thread is attached.
    #[inline]
    pub(crate) unsafe fn holds_for(&self, handler: *mut ffi::PyObject, settings: &Settings) -> bool {
        // SAFETY: by the contract; while the handler and the globals are as they were, they hold the formatter.
        unsafe {
            self.globals == settings.version()
                && self.state.as_ref().is_some_and(|state| state.holds(handler))
                && self.formatter.holds(self.formatter_object)
        }
    }

    /// The plan for `handler` that was made before, if it still holds.
    pub(crate) fn find(handler: &Bound<'_, PyAny>, settings: &Settings) -> Option<Rc<Self>> {
        PLANS.find(handler, |plan| plan.holds(handler, settings))
    }

    pub(crate) fn remember(self, handler: &Bound<'_, PyAny>) -> Rc<Self> {
        PLANS.put(handler, self)
    }

    /// Whether a record may be written without the handler's lock: one that has to be on the disk takes its time.
    pub(crate) fn writes_at_once(&self) -> bool {
        self.syncer.as_ref().is_none_or(|syncer| syncer.fsync() != Fsync::EveryRecord)
    }

    /// Whether `line`, of a record made at this time, may be written to `file` without the handler's lock, and without
    /// anything to be done before.
    pub(crate) fn takes_at_once(&self, file: &DirectFile, seconds: f64, line: &[u8]) -> bool {
        self.writes_at_once() && self.rollover.is_far(file, self.path.as_deref(), seconds, line)
    }

    /// A record was written to `file` without the handler's lock.
    pub(crate) fn has_written(&self, file: &DirectFile) {
        if let Some(syncer) = &self.syncer {
            file.sync_with(syncer);
        }
    }

    /// A record was written to the handler's stream, which is flushed; the handler's lock is held.
    pub(crate) fn sync(&self, handler: &Bound<'_, PyAny>) -> PyResult<()> {
        match &self.syncer {
            Some(syncer) => handler::fsync::has_written_with(handler, syncer),
            None => Ok(()),
        }
    }

    /// Whether records need not be made in Python form for it. It holds.
    pub(crate) fn is_native(&self, py: Python<'_>) -> Result<(), Reason> {
        if self.formatter.rendering.is_native() {
            return Ok(());
        }
        // SAFETY: the handler or the module's globals hold it.
        Err(Reason::Formatter(unsafe { self.formatter_object(py) }.unbind()))
    }

    /// The handler's filters.
    ///
    /// # Safety
    /// The plan has just been made or found to hold, and nothing has run since.
    pub(crate) unsafe fn filters<'a, 'py>(&'a self, py: Python<'py>) -> Borrowed<'a, 'py, PyList> {
        // SAFETY: the handler holds the list.
        unsafe { Borrowed::from_ptr(py, self.filters_object).cast_unchecked() }
    }

    /// What its filters do, if that was found out before and still holds; the plan has just been found to hold.
    pub(crate) fn known_filter_plan(&self, py: Python<'_>) -> Option<Rc<FilterPlan>> {
        // SAFETY: nothing has run since.
        let filters = unsafe { self.filters(py) };
        self.filters.known(&filters)
    }

    /// Whether one of its filters is known to Python alone, as far as that was found out before; the plan has just been found
    /// to hold.
    #[inline]
    pub(crate) fn has_foreign_filters(&self, py: Python<'_>) -> bool {
        // SAFETY: nothing has run since.
        let filters = unsafe { self.filters(py) };
        self.filters.have_foreign(&filters)
    }

    /// What `filters`, those of the handler, do; `None` when one of them is known to Python alone.
    pub(crate) fn filter_plan(&self, filters: &Bound<'_, PyList>) -> PyResult<Option<Rc<FilterPlan>>> {
        self.filters.of(filters)
    }

    /// The handler's stream or `None`, which it holds as long as the plan holds.
    pub(crate) fn stream_object(&self) -> *mut ffi::PyObject {
        self.stream_object
    }

    /// The handler's lock, which it holds as long as the plan holds.
    pub(crate) fn lock_object(&self) -> *mut ffi::PyObject {
        self.lock_object
    }

    /// The handler's lock.
    ///
    /// # Safety
    /// As for [`HandlerPlan::filters`].
    pub(crate) unsafe fn lock<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        // SAFETY: the handler holds it.
        unsafe { Borrowed::from_ptr(py, self.lock_object).to_owned() }
    }

    /// The handler's formatter.
    ///
    /// # Safety
    /// As for [`HandlerPlan::filters`].
    pub(crate) unsafe fn formatter_object<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        // SAFETY: the handler or the module's globals hold it.
        unsafe { Borrowed::from_ptr(py, self.formatter_object).to_owned() }
    }
}
