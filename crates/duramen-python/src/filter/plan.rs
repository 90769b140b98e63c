//! What the native way does for the filters of a handler or a logger, found out once and remembered while nothing
//! changes.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use duramen::Record;
use duramen::filter::Decision;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString};

use crate::classes::{self, Family, native_method};
use crate::filter::amended::Amended;
use crate::filter::flood::{self, Duplicates, RateLimiter, Sampler};
use crate::filter::kept::{Kept, KeptRecords};
use crate::filter::redactor::Redactor;
use crate::formatter::values;
use crate::interpreter::{State, intern};
use crate::record::fields;
use crate::way::remembered::{Finding, Remembered};

/// What is to be done for the filters in a list, in its order.
pub(crate) struct FilterPlan(Box<[Part]>);

struct Part {
    /// The filter, which the list holds, and its state when it was looked at.
    filter: *mut ffi::PyObject,
    state: State,
    /// Records of this logger and of those below it are meant; of all, when it is empty.
    name: Box<str>,
    action: Action,
}

/// What a filter does with the records that are meant.
enum Action {
    /// Nothing: it holds the others back.
    ByName,
    Redact(Py<Redactor>),
    LimitRate {
        decides: Py<RateLimiter>,
        per: LimitedBy,
        exempt: Option<i64>,
    },
    HoldDuplicates(Py<Duplicates>),
    Sample {
        decides: Py<Sampler>,
        field: Py<PyString>,
        keep: Option<i64>,
        rate: Py<PyAny>,
    },
}

/// What records share a limit.
enum LimitedBy {
    Logger,
    Level,
    All,
    /// Those of which a function of the program's says the same.
    Function,
    /// Those with the same value of this extra field.
    Field(Py<PyString>),
}

/// An event that filters are asked about.
pub(crate) struct Asked<'a, 'py> {
    pub(crate) record: &'a Record<'a>,
    /// The message, where it is a dict.
    pub(crate) message: Option<&'a Bound<'py, PyDict>>,
    pub(crate) extra: Option<&'a Bound<'py, PyDict>>,
    /// The triple of the exception, as it was given.
    pub(crate) exception: Option<&'a Bound<'py, PyAny>>,
    /// Makes the event a `LogRecord`, for a function of the program's that is asked.
    pub(crate) python_record: &'a dyn Fn(&Amended<'py>) -> PyResult<Bound<'py, PyAny>>,
    /// What a `LogRecord` can be made of later, for a filter that keeps the event.
    pub(crate) kept: &'a dyn Fn(&Amended<'py>) -> PyResult<Kept>,
}

impl<'py> Asked<'_, 'py> {
    /// The fields of a message that is a dict, as the filters before have left them.
    pub(crate) fn message_fields(&self, amended: &Amended<'py>) -> Option<Bound<'py, PyDict>> {
        if amended.message.is_some() {
            return None;
        }
        amended.message_fields.as_ref().or(self.message).cloned()
    }

    /// The message as text, as the filters before have left it.
    fn message_text<'t>(&'t self, amended: &'t Amended<'py>) -> PyResult<Cow<'t, str>> {
        match (&amended.message, self.message_fields(amended)) {
            (Some(text), _) => Ok(text.as_str().into()),
            (None, Some(fields)) => Ok(text_or_failure(&fields)?.into()),
            (None, None) => Ok(self.record.message.into()),
        }
    }
}

/// Whose filters they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Others see the record too, so that a filter has to change a copy.
    Handler,
    /// Whoever sees the record sees it after them, so that a copy and the record itself are the same.
    Logger,
}

/// By the lists of loggers, which change without the logger's state.
static OF_LOGGERS: Remembered<FilterPlan> = Remembered::new();

impl Finding for FilterPlan {
    fn is_abandoned(&self) -> bool {
        self.0.iter().any(|part| part.state.is_abandoned())
    }
}

/// The plan for the filters of a logger; `None` when one of them is known to Python alone.
pub(crate) fn of_logger(filters: &Bound<'_, PyList>) -> PyResult<Option<Rc<FilterPlan>>> {
    if let Some(plan) = OF_LOGGERS.find(filters, |plan| plan.holds(filters)) {
        return Ok(Some(plan));
    }
    Ok(FilterPlan::made(filters, Owner::Logger)?.map(|plan| OF_LOGGERS.put(filters, plan)))
}

impl FilterPlan {
    /// The plan for `filters` of a handler; `None` when one of them is known to Python alone.
    pub(crate) fn of(filters: &Bound<'_, PyList>) -> PyResult<Option<Self>> {
        Self::made(filters, Owner::Handler)
    }

    fn made(filters: &Bound<'_, PyList>, owner: Owner) -> PyResult<Option<Self>> {
        let mut parts = Vec::new();
        for filter in filters.iter() {
            let Some(part) = Part::of(&filter, owner)? else { return Ok(None) };
            parts.push(part);
        }
        Ok(Some(Self(parts.into())))
    }

    /// Whether `filters` are those that the plan was made for, as they were then.
    pub(crate) fn holds(&self, filters: &Bound<'_, PyList>) -> bool {
        filters.len() == self.0.len()
            && filters.iter().zip(&self.0).all(|(filter, part)| {
                // SAFETY: a live filter, attached.
                filter.as_ptr() == part.filter && unsafe { part.state.holds(part.filter) }
            })
    }

    /// The only filter, if all that it does is masking; `logger` is the record's.
    pub(crate) fn only_masking(&self, logger: &str) -> Option<&Redactor> {
        match &*self.0 {
            [part] if part.is_meant(logger) => match &part.action {
                Action::Redact(redactor) => Some(redactor.get()),
                _ => None,
            },
            _ => None,
        }
    }

    /// Asks the filters; what they have changed, or `None` when one holds the event back.
    pub(crate) fn ask<'py>(
        &self,
        filters: &Bound<'py, PyList>,
        asked: &Asked<'_, 'py>,
    ) -> PyResult<Option<Amended<'py>>> {
        let mut amended = Amended::default();
        // Taken before the first one runs, which may change the list.
        let filters: smallvec::SmallVec<[_; 4]> = filters.iter().collect();
        for (filter, part) in filters.iter().zip(&self.0) {
            if !part.is_meant(asked.record.name) {
                // The flood filters and masking leave other records alone.
                if matches!(part.action, Action::ByName) {
                    return Ok(None);
                }
                continue;
            }
            if !part.action.ask(filter, asked, &mut amended)? {
                return Ok(None);
            }
        }
        Ok(Some(amended))
    }
}

/// The plan for the filters of one handler, as they were when they were last looked at: their list changes without the
/// handler's state.
pub(crate) struct KnownFilters {
    plan: RefCell<Option<Rc<FilterPlan>>>,
    /// The class of a filter that was last found to be known to Python alone; null while there is none. Only its address
    /// is compared: the Python way is right for every filter.
    foreign: Cell<*mut ffi::PyTypeObject>,
}

impl Default for KnownFilters {
    fn default() -> Self {
        Self { plan: RefCell::default(), foreign: Cell::new(std::ptr::null_mut()) }
    }
}

impl KnownFilters {
    /// What `filters`, those of the handler, do, if that was found out before and still holds.
    pub(crate) fn known(&self, filters: &Bound<'_, PyList>) -> Option<Rc<FilterPlan>> {
        self.plan.try_borrow().ok()?.as_ref().filter(|plan| plan.holds(filters)).map(Rc::clone)
    }

    /// Whether one of `filters`, those of the handler, is of a class that was found to be known to Python alone.
    #[inline]
    pub(crate) fn have_foreign(&self, filters: &Bound<'_, PyList>) -> bool {
        filters.iter().any(|filter| filter.get_type_ptr() == self.foreign.get())
    }

    /// What `filters`, those of the handler, do; `None` when one of them is known to Python alone.
    pub(crate) fn of(&self, filters: &Bound<'_, PyList>) -> PyResult<Option<Rc<FilterPlan>>> {
        if let Some(plan) = self.known(filters) {
            return Ok(Some(plan));
        }
        if self.have_foreign(filters) {
            return Ok(None);
        }
        let plan = FilterPlan::of(filters)?.map(Rc::new);
        if let Some(foreign) = filters.iter().find(|filter| classes::known(filter).is_none()) {
            self.foreign.set(foreign.get_type_ptr());
        }
        let last =
            self.plan.try_borrow_mut().ok().map(|mut place| std::mem::replace(&mut *place, plan.clone()));
        // Dropping it may run code of the program's.
        drop(last);
        Ok(plan)
    }
}

impl Part {
    fn of<'py>(filter: &Bound<'py, PyAny>, owner: Owner) -> PyResult<Option<Self>> {
        let Ok(own) = classes::untouched(filter, Family::Filter)? else { return Ok(None) };
        let py = filter.py();
        let attribute = |name: &Bound<'py, PyString>| own.attributes.get_item(name);
        let Some(Ok(name)) = attribute(intern!(py, "name"))?.map(Bound::cast_into_exact::<PyString>) else {
            return Ok(None);
        };
        let length = attribute(intern!(py, "nlen"))?.and_then(|length| length.extract::<usize>().ok());
        let Ok(name) = name.to_str() else { return Ok(None) };
        if length != Some(name.chars().count()) {
            return Ok(None);
        }
        let class = classes::known(filter).map_or("", |class| class.name);
        let Some(action) = Action::of(class, filter, &own.attributes, owner)? else { return Ok(None) };
        let state = State::of(filter);
        Ok(state.map(|state| Self { filter: filter.as_ptr(), state, name: name.into(), action }))
    }

    fn is_meant(&self, logger: &str) -> bool {
        self.name.is_empty()
            || logger.strip_prefix(&*self.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl Action {
    /// `None` for a filter whose attributes are not of the usual kinds.
    fn of<'py>(
        class: &str,
        filter: &Bound<'py, PyAny>,
        attributes: &Bound<'py, PyDict>,
        owner: Owner,
    ) -> PyResult<Option<Self>> {
        let py = filter.py();
        let attribute = |name: &Bound<'py, PyString>| attributes.get_item(name);
        // One that has to change the record itself does so in Python.
        let copies = || {
            let copies = filter.getattr_opt(intern!(py, "_copies"))?;
            let copies = copies.is_some_and(|copies| copies.is(PyBool::new(py, true)));
            Ok::<_, PyErr>(copies || owner == Owner::Logger)
        };
        Ok(match class {
            "Filter" => Some(Self::ByName),
            "RedactingFilter" if copies()? => {
                attribute(intern!(py, "_redactor"))?.and_then(exactly).map(Self::Redact)
            }
            "RateLimitFilter" if copies()? => {
                let per = limited_by(attribute(intern!(py, "_per"))?);
                let exempt = level(attribute(intern!(py, "_exempt"))?);
                let decides = attribute(intern!(py, "_decides"))?.and_then(exactly);
                match (decides, per, exempt) {
                    (Some(decides), Some(per), Some(exempt)) => {
                        Some(Self::LimitRate { decides, per, exempt })
                    }
                    _ => None,
                }
            }
            "DuplicateFilter" if copies()? => {
                attribute(intern!(py, "_decides"))?.and_then(exactly).map(Self::HoldDuplicates)
            }
            "SamplingFilter" if copies()? => {
                let decides = attribute(intern!(py, "_decides"))?.and_then(exactly);
                let field = attribute(intern!(py, "_field"))?.and_then(|field| field.cast_into_exact().ok());
                let keep = level(attribute(intern!(py, "_keep"))?);
                let rate = attribute(intern!(py, "_rate"))?;
                match (decides, field, keep, rate) {
                    (Some(decides), Some(field), Some(keep), Some(rate)) if is_extra_name(&field) => {
                        Some(Self::Sample { decides, field: field.unbind(), keep, rate: rate.unbind() })
                    }
                    _ => None,
                }
            }
            _ => None,
        })
    }

    /// Whether the event goes on.
    fn ask<'py>(
        &self,
        filter: &Bound<'py, PyAny>,
        asked: &Asked<'_, 'py>,
        amended: &mut Amended<'py>,
    ) -> PyResult<bool> {
        let py = filter.py();
        let level = asked.record.level.0;
        let is_from = |least: &Option<i64>| least.is_some_and(|least| level >= least);
        match self {
            Self::ByName => Ok(true),
            Self::Redact(redactor) => Redactor::amend(redactor.bind(py), asked, amended).map(|()| true),
            Self::LimitRate { exempt, .. } if is_from(exempt) => Ok(true),
            Self::LimitRate { decides, per, .. } => {
                let key = match per {
                    LimitedBy::Logger => asked.record.name.into(),
                    LimitedBy::Level => asked.record.level_name.into(),
                    LimitedBy::All => Cow::Borrowed(""),
                    LimitedBy::Function => {
                        native_method::refuse_deep_recursion()?;
                        let record = (asked.python_record)(amended)?;
                        let per = filter.getattr(intern!(py, "_per"))?;
                        match per.call1((record,)) {
                            Ok(key) => text_or_failure(&key)?.into(),
                            Err(error) => values::name_of_failure(&per, error)?.into(),
                        }
                    }
                    LimitedBy::Field(field) => {
                        text_of_field(field.bind(py), asked, amended)?.unwrap_or_default().into()
                    }
                };
                let limiter = decides.get();
                let decision = limiter.decides.decide_at(&key, flood::now_of(filter)?);
                follow(filter, &limiter.kept, decision, &key, asked, amended)
            }
            Self::HoldDuplicates(decides) => {
                let key = format!("{}\n{level}\n{}", asked.record.name, asked.message_text(amended)?);
                let duplicates = decides.get();
                let decision = duplicates.decides.decide_at(&key, flood::now_of(filter)?);
                if !follow(filter, &duplicates.kept, decision, &key, asked, amended)? {
                    return Ok(false);
                }
                match asked.exception.filter(|_| amended.has_whole_exception()) {
                    Some(triple) if flood::was_logged_before(filter, triple)? => {
                        let message = asked.message_text(amended)?.into_owned();
                        amended.add_note(&message, "[exception logged before]");
                        amended.is_without_exception = true;
                    }
                    _ => {}
                }
                Ok(true)
            }
            Self::Sample { keep, .. } if is_from(keep) => Ok(true),
            Self::Sample { decides, field, rate, .. } => {
                let trace = text_of_field(field.bind(py), asked, amended)?;
                if !decides.get().0.decide(trace.as_deref()) {
                    return Ok(false);
                }
                amended.set_field(py, asked.extra, "sample_rate", rate.bind(py))?;
                Ok(true)
            }
        }
    }
}

/// Does what a filter against floods has decided, as its method does it.
fn follow<'py>(
    filter: &Bound<'py, PyAny>,
    kept: &KeptRecords,
    decision: Decision,
    key: &str,
    asked: &Asked<'_, 'py>,
    amended: &mut Amended<'py>,
) -> PyResult<bool> {
    let py = filter.py();
    match decision {
        Decision::Pass { suppressed: 0 } => Ok(true),
        Decision::Pass { suppressed } => {
            kept.forget(key);
            let note = filter.call_method1(intern!(py, "_note"), (suppressed,))?;
            let message = asked.message_text(amended)?.into_owned();
            amended.add_note(&message, &note.to_string());
            amended.set_field(py, asked.extra, "suppressed", suppressed)?;
            Ok(true)
        }
        Decision::Suppress => {
            kept.keep(key, || (asked.kept)(amended))?;
            Ok(false)
        }
    }
}

/// The text of an extra field; `None` where the event has none, or it is `None`.
fn text_of_field<'py>(
    name: &Bound<'py, PyString>,
    asked: &Asked<'_, 'py>,
    amended: &Amended<'py>,
) -> PyResult<Option<String>> {
    let fields = amended.extra.as_ref().or(asked.extra);
    let value = fields.map(|fields| fields.get_item(name)).transpose()?.flatten();
    value.filter(|value| !value.is_none()).map(|value| text_or_failure(&value)).transpose()
}

fn text_or_failure(value: &Bound<'_, PyAny>) -> PyResult<String> {
    values::text_of(&values::text_or_failure(value)?)
}

fn exactly<T: pyo3::PyClass>(value: Bound<'_, PyAny>) -> Option<Py<T>> {
    value.cast_into_exact::<T>().ok().map(Bound::unbind)
}

/// A level, or `Some(None)` where none is set.
#[expect(clippy::option_option, reason = "absent and unusable are two things")]
fn level(value: Option<Bound<'_, PyAny>>) -> Option<Option<i64>> {
    let value = value?;
    if value.is_none() {
        return Some(None);
    }
    value.cast_exact::<PyInt>().ok()?.extract().ok().map(Some)
}

/// What stands before the name of a field.
const FIELD: &str = "field:";

fn limited_by(value: Option<Bound<'_, PyAny>>) -> Option<LimitedBy> {
    let value = value?;
    if value.is_none() {
        return Some(LimitedBy::All);
    }
    let Ok(name) = value.cast::<PyString>() else { return Some(LimitedBy::Function) };
    match name.to_str().ok()? {
        "logger" => Some(LimitedBy::Logger),
        "level" => Some(LimitedBy::Level),
        other => {
            let field = other.strip_prefix(FIELD)?;
            Some(LimitedBy::Field(PyString::intern(name.py(), field).unbind()))
        }
    }
}

/// Whether only `extra` and bound fields can give a record an attribute of this name.
fn is_extra_name(name: &Bound<'_, PyString>) -> bool {
    name.to_str().is_ok_and(|name| !fields::is_own_attribute(name))
}
