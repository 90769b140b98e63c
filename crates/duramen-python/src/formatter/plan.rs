//! How the native way turns records into text for a formatter, found out once and remembered while nothing
//! changes.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use duramen::Record;
use duramen::formatter::{Field, Layout};
use duramen::redact::Redactor;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::formatter::asctime::TimeText;
use crate::formatter::beginning::{Beginning, Origin};
use crate::formatter::plain_fields::{KeptTexts, PlainDetails, PlainFields};
use crate::formatter::structured::StructuredLayout;
use crate::interpreter::State;
use crate::record::Creation;
use crate::way::remembered::{Finding, Remembered};
use crate::way::settings::Settings;

/// How the native way turns a record into text.
pub(crate) enum Rendering {
    /// As the compiled layout of a `logging.Formatter` says.
    Layout(Arc<Layout>),
    /// The same with the texts of the record escaped, as `EscapingFormatter` does it.
    Escaped(Arc<Layout>),
    /// A formatter of `duramen.formatters`.
    Structured(Py<StructuredLayout>),
    /// The formatter's own `format`, which needs a record in Python form.
    Python,
}

impl Rendering {
    /// Whether rendering may run code of the application: extra fields are objects of any kind.
    pub(crate) fn may_run_python(&self) -> bool {
        !matches!(self, Self::Layout(_) | Self::Escaped(_))
    }

    pub(crate) fn is_native(&self) -> bool {
        !matches!(self, Self::Python)
    }

    /// Whether the text shows `field`.
    pub(crate) fn uses(&self, field: Field) -> bool {
        match self {
            Self::Layout(layout) | Self::Escaped(layout) => layout.uses(field),
            Self::Structured(layout) => layout.get().uses(field),
            Self::Python => false,
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
        let mut needs = Self::default();
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

    pub(crate) fn is_only(self, need: Self) -> bool {
        self.0 == need.0
    }

    pub(crate) fn has_any(self) -> bool {
        self.0 != 0
    }
}

/// A record on the shortest way.
pub(crate) struct PlainRecord<'a, 'py> {
    /// With the name of its level, which is the same object as long as the name is the same.
    pub(crate) record: (&'a Record<'a>, &'a Rc<str>),
    pub(crate) moment: (&'a Creation, &'a Settings),
    pub(crate) fields: PlainFields<'a, 'py>,
    /// What has masked the message. Fields in which it would find something are not written.
    pub(crate) masking: Option<&'a Redactor>,
}

/// What the native way does for one formatter.
pub(crate) struct FormatterPlan {
    pub(crate) rendering: Rendering,
    pub(crate) needs: Needs,
    pub(crate) time: Option<TimeText>,
    /// For layouts that begin with the time, and for lines of JSON.
    beginning: Option<RefCell<Beginning>>,
    /// Which piece of a layout shows the message, where it stands right behind that beginning, or at the beginning itself, and
    /// nowhere else.
    message_place: Option<usize>,
    /// For structured lines.
    kept: Option<Box<RefCell<KeptTexts>>>,
    /// The extra fields that a layout shows.
    names: Box<[Py<PyString>]>,
    /// The formatter, its style and what that one holds, in the states from which the plan was made. Each one
    /// that is as it was holds the next. `None` when changes could not be told: the plan is good for one record.
    parts: Option<Vec<(*mut ffi::PyObject, State)>>,
}

static PLANS: Remembered<FormatterPlan> = Remembered::new();

/// What `Formatter.format` does for instances of subclasses, which have another `format` themselves.
static INHERITED: Remembered<FormatterPlan> = Remembered::new();

impl Finding for FormatterPlan {
    fn is_abandoned(&self) -> bool {
        self.parts.as_ref().is_none_or(|parts| parts.iter().any(|(_, state)| state.is_abandoned()))
    }
}

impl FormatterPlan {
    /// The plan for `formatter`, of which the style holds `style`.
    pub(crate) fn new(
        formatter: &Bound<'_, PyAny>,
        style: &[Bound<'_, PyAny>],
        rendering: Rendering,
        time: Option<TimeText>,
    ) -> Self {
        let parts = std::iter::once(formatter).chain(style);
        let mut parts: Option<Vec<_>> = parts.map(|part| Some((part.as_ptr(), State::of(part)?))).collect();
        // The style has the formatter's text too.
        if let Some([(_, formatter), style @ ..]) = parts.as_deref_mut() {
            for (_, state) in style {
                state.share_with(formatter);
            }
        }
        let has_beginning = match &rendering {
            Rendering::Layout(layout) => Beginning::has_time(layout),
            Rendering::Structured(layout) => layout.get().has_beginning(),
            Rendering::Escaped(_) | Rendering::Python => false,
        };
        let beginning = has_beginning.then(RefCell::default);
        let message_place = match &rendering {
            Rendering::Layout(layout) => {
                let place = if has_beginning { layout.count_of_beginning() } else { 0 };
                (has_beginning == time.is_some() && layout.has_message_at(place)).then_some(place)
            }
            Rendering::Structured(_) | Rendering::Escaped(_) | Rendering::Python => None,
        };
        let kept = matches!(&rendering, Rendering::Structured(_)).then(Box::default);
        let names = match &rendering {
            Rendering::Layout(layout) | Rendering::Escaped(layout) => {
                layout.extra_names().map(|name| PyString::intern(formatter.py(), name).unbind()).collect()
            }
            Rendering::Structured(_) | Rendering::Python => Box::default(),
        };
        Self { needs: Needs::of(&rendering), rendering, time, beginning, message_place, kept, names, parts }
    }

    /// Whether `formatter` is the one that the plan was made for, and everything is as it was.
    ///
    /// # Safety
    /// `formatter` is live and the thread is attached.
    pub(crate) unsafe fn holds(&self, formatter: *mut ffi::PyObject) -> bool {
        // SAFETY: each part that is as it was holds the next.
        self.parts.as_ref().is_some_and(|parts| unsafe {
            parts.first().is_some_and(|(first, _)| *first == formatter)
                && parts.iter().all(|(part, state)| state.holds(*part))
        })
    }

    /// The plan for `formatter` that was made before, if it still holds.
    pub(crate) fn find(formatter: &Bound<'_, PyAny>) -> Option<Rc<Self>> {
        // SAFETY: a live formatter.
        PLANS.find(formatter, |plan| unsafe { plan.holds(formatter.as_ptr()) })
    }

    pub(crate) fn remember(self, formatter: &Bound<'_, PyAny>) -> Rc<Self> {
        PLANS.put(formatter, self)
    }

    /// The same for what `Formatter.format` does with an instance of a subclass.
    pub(crate) fn find_inherited(formatter: &Bound<'_, PyAny>) -> Option<Rc<Self>> {
        // SAFETY: a live formatter.
        INHERITED.find(formatter, |plan| unsafe { plan.holds(formatter.as_ptr()) })
    }

    pub(crate) fn remember_inherited(self, formatter: &Bound<'_, PyAny>) -> Rc<Self> {
        INHERITED.put(formatter, self)
    }

    /// Whether the text of a record without exception is its message.
    pub(crate) fn is_message(&self) -> bool {
        matches!(&self.rendering, Rendering::Layout(layout) if layout.is_message())
    }

    /// Whether the text shows all extra fields, whatever their names.
    pub(crate) fn shows_fields(&self) -> bool {
        self.kept.is_some()
    }

    /// Whether structured lines show a message.
    pub(crate) fn shows_message(&self) -> bool {
        matches!(&self.rendering, Rendering::Structured(layout) if layout.get().uses(Field::Message))
    }

    /// The names of the extra fields that a layout shows.
    pub(crate) fn names(&self) -> &[Py<PyString>] {
        &self.names
    }

    /// Whether a line is a beginning, the message and the rest, so that the message needs no place of its own before it is in
    /// the line, and no fields but the record's own are shown.
    pub(crate) fn shows_message_by_itself(&self) -> bool {
        self.message_place.is_some() && self.names.is_empty()
    }

    /// Appends what stands before the message in such a line; `None` when the interpreter has to be asked for it.
    #[inline]
    pub(crate) fn begin(
        &self,
        origin: Origin<'_>,
        moment: (&Creation, &Settings),
        line: &mut Vec<u8>,
    ) -> Option<()> {
        let (Rendering::Layout(layout), Some(time), Some(beginning)) =
            (&self.rendering, &self.time, &self.beginning)
        else {
            return Some(());
        };
        beginning.try_borrow_mut().ok()?.put(layout, time, moment, origin, line)
    }

    /// Appends what stands behind the message in such a line, of the record that `record` makes.
    #[inline]
    pub(crate) fn end<'a>(&self, record: impl FnOnce() -> Record<'a>, line: &mut Vec<u8>) -> Option<()> {
        let (Rendering::Layout(layout), Some(place)) = (&self.rendering, self.message_place) else {
            return None;
        };
        let rest = place + 1..layout.count();
        if rest.is_empty() { Some(()) } else { layout.render_pieces(rest, &record(), "", line).ok() }
    }

    /// Appends the text of a record whose level has the name `level_name` to `line`; `None` when the interpreter has to be
    /// asked for it, or something in the fields is for `masking`.
    pub(crate) fn render_plainly(
        &self,
        py: Python<'_>,
        plain: &PlainRecord<'_, '_>,
        time: &mut String,
        line: &mut Vec<u8>,
    ) -> Option<()> {
        let PlainRecord { record, moment, fields, masking } = plain;
        let write_time = |written: &TimeText, time: &mut String| {
            time.clear();
            written.write_remembered(moment.0, moment.1, time)
        };
        match &self.rendering {
            Rendering::Structured(layout) => {
                self.time.as_ref().map_or(Some(()), |written| write_time(written, time))?;
                let layout = layout.get();
                let kept = self.kept.as_deref()?;
                let details = PlainDetails::new(py, *fields, layout.deepest(), *masking, kept);
                layout.write_plainly(*moment, *record, time, &details, self.beginning.as_ref(), line)?;
                details.are_good().then_some(())
            }
            Rendering::Layout(layout) => {
                // Those that are shown are the record's.
                (fields.extra_is_free() && (masking.is_none() || fields.are_none())).then_some(())?;
                let Some(written) = &self.time else { return layout.render(record.0, "", line).ok() };
                if let Some(beginning) = &self.beginning {
                    return beginning.try_borrow_mut().ok()?.render(layout, written, *moment, *record, line);
                }
                write_time(written, time)?;
                layout.render(record.0, time, line).ok()
            }
            Rendering::Escaped(_) | Rendering::Python => None,
        }
    }

    /// Appends the creation time to `out`, if the text shows it. True when the interpreter was asked for it, so
    /// that code of the program's may have run.
    pub(crate) fn write_time(
        &self,
        py: Python<'_>,
        created: &Creation,
        settings: &Settings,
        out: &mut String,
    ) -> PyResult<bool> {
        self.time.as_ref().map_or(Ok(false), |time| time.write(py, created, settings, out))
    }
}
