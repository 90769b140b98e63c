//! What the native way does for a handler, found out once and remembered while nothing changes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::rc::Rc;
use std::sync::Arc;

use duramen::formatter::{Field, Layout};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

use crate::asctime::TimeText;
use crate::classes::AddressHasher;
use crate::handler;
use crate::interpreter::{Attached, State};
use crate::settings::Settings;
use crate::sink::DirectFile;

/// How the native way turns a record into text.
#[derive(Clone)]
pub(crate) enum Rendering {
    /// As the compiled layout of a `logging.Formatter` says.
    Layout(Arc<Layout>),
    /// `duramen.formatters.JsonFormatter`.
    Json,
    /// `duramen.formatters.ConsoleFormatter`.
    Console { color: bool },
}

impl Rendering {
    /// Whether the text shows `field`.
    pub(crate) fn uses(&self, field: Field) -> bool {
        match self {
            Self::Layout(layout) => layout.uses(field),
            Self::Json => false,
            Self::Console { .. } => field == Field::Asctime,
        }
    }

    /// Whether the text shows the extra fields.
    fn uses_extra(&self) -> bool {
        !matches!(self, Self::Layout(_))
    }
}

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
        let roll_over = match self {
            Self::Stream => return Ok(()),
            Self::File => false,
            Self::RotatedBySize => {
                // CPython counts characters here, not bytes.
                handler::rotating::is_full(handler, || Ok(String::from_utf8_lossy(line).chars().count()))?
            }
            Self::RotatedByTime => handler::timed_rotating::is_due(handler)?,
            Self::Watched => {
                handler.call_method0(intern!(py, "reopenIfNeeded"))?;
                false
            }
        };
        if roll_over {
            handler.call_method0(intern!(py, "doRollover"))?;
        }
        handler::file::open_if_delayed(handler)
    }
}

/// When a handler has to do something before it writes to its open file.
#[derive(Clone, Copy)]
pub(crate) enum Rollover {
    Never,
    /// When the record and its newline reach this many bytes in all; 0: never.
    AtSize {
        most: i64,
        from_end: bool,
    },
    /// From this second since the Unix epoch on.
    AtTime(i64),
    /// It has to look each time.
    Unknown,
}

impl Rollover {
    pub(crate) fn of(handler: &Bound<'_, PyAny>, kind: Kind) -> PyResult<Self> {
        let py = handler.py();
        Ok(match kind {
            Kind::Stream | Kind::File => Self::Never,
            Kind::RotatedBySize => match handler.getattr(intern!(py, "maxBytes"))?.extract() {
                Ok(most) => Self::AtSize { most, from_end: !handler::rotating::spares_empty_files(handler)? },
                Err(_) => Self::Unknown,
            },
            Kind::RotatedByTime => match handler.getattr(intern!(py, "rolloverAt"))?.extract() {
                Ok(second) => Self::AtTime(second),
                Err(_) => Self::Unknown,
            },
            Kind::Watched => Self::Unknown,
        })
    }

    /// Whether there is nothing to be done before `line` is written to `file` at this time.
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds of a present time")]
    pub(crate) fn is_far(self, file: &DirectFile, seconds: f64, line: &[u8]) -> bool {
        match self {
            Self::Never | Self::AtSize { most: ..=0, .. } => true,
            Self::AtSize { most, from_end } => {
                // There are at most as many characters, which CPython counts, as bytes.
                let length = i64::try_from(line.len()).unwrap_or(i64::MAX - 1) + 1;
                let position = file.position(from_end).and_then(|position| i64::try_from(position).ok());
                position.is_some_and(|position| position.saturating_add(length) < most)
            }
            Self::AtTime(second) => (seconds.floor() as i64) < second,
            Self::Unknown => false,
        }
    }
}

/// Which parts of a record are shown, so that the others need not be asked for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Needs(u8);

impl Needs {
    pub(crate) const SITE: Self = Self(1);
    pub(crate) const THREAD: Self = Self(2);
    pub(crate) const PROCESS: Self = Self(4);
    pub(crate) const PROCESS_NAME: Self = Self(8);
    pub(crate) const TASK_NAME: Self = Self(16);
    pub(crate) const EXTRA: Self = Self(32);

    fn of(rendering: &Rendering) -> Self {
        use Field::{
            Filename, FuncName, Lineno, Module, Pathname, Process, ProcessName, TaskName, Thread, ThreadName,
        };
        let groups: [(Self, &[Field]); 5] = [
            (Self::SITE, &[Pathname, Filename, Module, Lineno, FuncName]),
            (Self::THREAD, &[Thread, ThreadName]),
            (Self::PROCESS, &[Process]),
            (Self::PROCESS_NAME, &[ProcessName]),
            (Self::TASK_NAME, &[TaskName]),
        ];
        let mut needs = if rendering.uses_extra() { Self::EXTRA } else { Self::default() };
        for (need, fields) in groups {
            if fields.iter().any(|field| rendering.uses(*field)) {
                needs = needs.and(need);
            }
        }
        needs
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn has(self, need: Self) -> bool {
        self.0 & need.0 != 0
    }
}

/// The Python objects that a plan is made from.
pub(crate) struct Parts<'a, 'py> {
    pub(crate) handler: &'a Bound<'py, PyAny>,
    pub(crate) filters: &'a Bound<'py, PyAny>,
    pub(crate) lock: &'a Bound<'py, PyAny>,
    pub(crate) formatter: &'a Bound<'py, PyAny>,
    /// The formatter's style and what that one holds.
    pub(crate) style: Vec<Bound<'py, PyAny>>,
}

/// What the native way does for one handler.
pub(crate) struct HandlerPlan {
    pub(crate) level: i64,
    pub(crate) kind: Kind,
    pub(crate) terminator: Box<str>,
    pub(crate) rendering: Rendering,
    pub(crate) needs: Needs,
    pub(crate) time: Option<TimeText>,
    pub(crate) rollover: Rollover,
    /// The file, while its stream is in the state in which it can be written to directly.
    pub(crate) file: RefCell<Option<DirectFile>>,
    /// The handler, its formatter and the style, in the states from which the plan was made. Each one that is
    /// as it was holds the next.
    handler: Option<State>,
    chain: Vec<(*mut ffi::PyObject, State)>,
    /// References that the handler holds.
    filters: *mut ffi::PyObject,
    lock: *mut ffi::PyObject,
    globals: u64,
}

impl HandlerPlan {
    pub(crate) fn new(
        parts: &Parts<'_, '_>,
        level: i64,
        kind: Kind,
        terminator: &str,
        rollover: Rollover,
        rendering: Rendering,
        time: Option<TimeText>,
    ) -> Self {
        let mut handler = State::of(parts.handler);
        let mut chain = Vec::with_capacity(1 + parts.style.len());
        for part in std::iter::once(parts.formatter).chain(&parts.style) {
            match State::of(part) {
                Some(state) => chain.push((part.as_ptr(), state)),
                // Without it the plan is good for one record.
                None => handler = None,
            }
        }
        Self {
            level,
            kind,
            terminator: terminator.into(),
            needs: Needs::of(&rendering),
            rendering,
            time,
            rollover,
            file: RefCell::new(None),
            handler,
            chain,
            filters: parts.filters.as_ptr(),
            lock: parts.lock.as_ptr(),
            globals: 0,
        }
    }

    /// Whether everything is still as it was when the plan was made.
    pub(crate) fn holds(&self, handler: &Bound<'_, PyAny>, settings: &Settings) -> bool {
        // SAFETY: the handler is live; while it is as it was, it holds its filters and its formatter (or the
        // module's globals hold that), and that holds its style.
        unsafe {
            self.globals == settings.version()
                && self.handler.is_some_and(|state| state.holds(handler.as_ptr()))
                && ffi::PyList_GET_SIZE(self.filters) == 0
                && self.chain.iter().all(|(part, state)| state.holds(*part))
        }
    }

    /// The handler's lock.
    ///
    /// # Safety
    /// [`HandlerPlan::holds`] is true for the handler, and nothing has run since.
    pub(crate) unsafe fn lock<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        // SAFETY: the handler holds it.
        unsafe { Borrowed::from_ptr(py, self.lock).to_owned() }
    }
}

/// By the address of the handler. An entry that outlives its handler fits no other one.
type Plans = HashMap<usize, Rc<HandlerPlan>, BuildHasherDefault<AddressHasher>>;

static PLANS: Attached<Option<Plans>> = Attached::new(None);

/// A program that makes handlers without end must not fill the memory.
const MOST_PLANS: usize = 1024;

/// The plan for `handler`, if there is one and everything is as it was.
pub(crate) fn remembered(handler: &Bound<'_, PyAny>, settings: &Settings) -> Option<Rc<HandlerPlan>> {
    // SAFETY: attached; the reference lives only for the clone.
    let plan = unsafe { (*PLANS.get()).as_ref()?.get(&(handler.as_ptr() as usize))? };
    plan.holds(handler, settings).then(|| Rc::clone(plan))
}

/// Remembers the plan for `handler`, made with these globals.
pub(crate) fn remember(
    handler: &Bound<'_, PyAny>,
    mut plan: HandlerPlan,
    settings: &Settings,
) -> Rc<HandlerPlan> {
    plan.globals = settings.version();
    let plan = Rc::new(plan);
    // SAFETY: attached; what is replaced is dropped after the table is complete again.
    let replaced = unsafe {
        let plans = (*PLANS.get()).get_or_insert_default();
        let all = if plans.len() >= MOST_PLANS { std::mem::take(plans) } else { Plans::default() };
        (all, plans.insert(handler.as_ptr() as usize, Rc::clone(&plan)))
    };
    drop(replaced);
    plan
}
