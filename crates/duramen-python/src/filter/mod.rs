//! `Filter` and what loggers and handlers share: a list of filters.

pub(crate) mod amended;
pub(crate) mod flood;
pub(crate) mod kept;
pub(crate) mod plan;
pub(crate) mod redactor;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList, PyString};

use crate::classes::globals;
use crate::classes::native_method::{Call, Method};
use crate::classes::{self, Family};
use crate::handler::usual;
use crate::interpreter;
use crate::interpreter::intern;

pub(crate) static METHODS: &[Method] = &[("__init__", init), ("filter", filter_by_name)];

pub(crate) static FILTERER_METHODS: &[Method] = &[
    ("__init__", filterer_init),
    ("addFilter", add_filter),
    ("removeFilter", remove_filter),
    ("filter", filter),
];

fn truth(py: Python<'_>, value: bool) -> Bound<'_, PyAny> {
    PyBool::new(py, value).to_owned().into_any()
}

fn init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let name = call.argument(0);
    call.object.setattr(intern!(py, "name"), name)?;
    call.object.setattr(intern!(py, "nlen"), name.len()?)?;
    call.none()
}

/// Lets through the records of the logger called `name` and of those below it.
fn filter_by_name<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    let length = call.object.getattr(intern!(py, "nlen"))?;
    if length.eq(0)? {
        return Ok(truth(py, true));
    }
    let own_name = call.object.getattr(intern!(py, "name"))?;
    let name = call.argument(0).getattr(intern!(py, "name"))?;
    if own_name.eq(&name)? {
        return Ok(truth(py, true));
    }
    if name.call_method1(intern!(py, "find"), (own_name, 0, &length))?.ne(0)? {
        return Ok(truth(py, false));
    }
    Ok(truth(py, name.get_item(length)?.eq(intern!(py, "."))?))
}

fn filterer_init<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call.object.setattr(intern!(py, "filters"), PyList::empty(py))?;
    call.none()
}

fn add_filter<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let filters = call.object.getattr(intern!(call.py(), "filters"))?;
    if !filters.contains(call.argument(0))? {
        filters.call_method1(intern!(call.py(), "append"), (call.argument(0),))?;
        // A filter of Duramen's may have something to say about its place.
        let attached = intern!(call.py(), "_attached_to");
        if has_on_class(&call.argument(0), attached)? {
            let is_async =
                classes::untouched(&call.object, Family::AsyncHandler).is_ok_and(|found| found.is_ok());
            let takes_copies = is_async || usual::has_usual_handle(&call.object).unwrap_or(false);
            call.argument(0).call_method1(attached, (&call.object, takes_copies))?;
        }
    }
    call.none()
}

fn remove_filter<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let filters = call.object.getattr(intern!(call.py(), "filters"))?;
    if filters.contains(call.argument(0))? {
        filters.call_method1(intern!(call.py(), "remove"), (call.argument(0),))?;
    }
    call.none()
}

fn filter<'py>(call: &Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let filters = call.object.getattr(intern!(call.py(), "filters"))?;
    let record = call.argument(0);
    Ok(answer(&record, passed(&filters, record.to_owned())?))
}

/// What `Filterer.filter` answers about `asked`: from CPython 3.12 on the record that goes on; before, a truth
/// value, unless a filter has put another record in its place.
pub(crate) fn answer<'py>(asked: &Bound<'py, PyAny>, passed: Option<Bound<'py, PyAny>>) -> Bound<'py, PyAny> {
    let py = asked.py();
    match passed {
        Some(record) if every_filter_replaces(py) || !record.is(asked) => record,
        record => truth(py, record.is_some()),
    }
}

/// From CPython 3.12 on any filter may answer with another record, which takes the place of the first one.
fn every_filter_replaces(py: Python<'_>) -> bool {
    globals::python_minor(py) >= 12
}

/// Whether another record that `filter` answers with is taken: before CPython 3.12, from those of Duramen's
/// filters alone that say so.
fn replaces(filter: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = filter.py();
    Ok(every_filter_replaces(py) || has_on_class(filter, intern!(py, "_replaces_record"))?)
}

/// Whether the class of `filter` has the attribute: objects that have any, as mocks do, are not meant.
fn has_on_class(filter: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> PyResult<bool> {
    Ok(interpreter::optional_attribute(filter.get_type().as_any(), name)?.is_some())
}

/// Whether one of the filters of `filterer` may put another record in the place of the one it is asked about.
pub(crate) fn may_replace_record(filterer: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = filterer.py();
    if every_filter_replaces(py) {
        return Ok(true);
    }
    for filter in filterer.getattr(intern!(py, "filters"))?.try_iter()? {
        if replaces(&filter?)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Asks each filter in turn; the record that goes on, if they all let it through.
pub(crate) fn passed<'py>(
    filters: &Bound<'py, PyAny>,
    mut record: Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Ok(list) = filters.cast_exact::<PyList>() else {
        for filter in filters.try_iter()? {
            if !goes_on(&filter?, &mut record)? {
                return Ok(None);
            }
        }
        return Ok(Some(record));
    };
    let mut index = 0;
    // The list may change while its filters run.
    while index < list.len() {
        if !goes_on(&list.get_item(index)?, &mut record)? {
            return Ok(None);
        }
        index += 1;
    }
    Ok(Some(record))
}

/// Whether `filter` lets the record through, in whose place it may put another one.
fn goes_on<'py>(filter: &Bound<'py, PyAny>, record: &mut Bound<'py, PyAny>) -> PyResult<bool> {
    let answer = match interpreter::call_method_if_any(filter, intern!(filter.py(), "filter"), record)? {
        Some(answer) => answer,
        None => interpreter::call_python(filter, &[record])?,
    };
    if let Ok(answer) = answer.cast_exact::<PyBool>() {
        return Ok(answer.is_true());
    }
    if !answer.is_truthy()? {
        return Ok(false);
    }
    if replaces(filter)? && globals::is_log_record(&answer)? {
        *record = answer;
    }
    Ok(true)
}
