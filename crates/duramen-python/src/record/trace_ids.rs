//! The identifiers of the span that OpenTelemetry's API says is active, and the service that it belongs to.
//!
//! <https://opentelemetry.io/docs/specs/otel/logs/data-model/> has the fields of a log record, and
//! <https://www.w3.org/TR/trace-context/> the form of identifiers: lower-case hexadecimal digits.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::classes;
use crate::interpreter::{Attached, intern};
use crate::record::active_span::{self, Identifiers, Known};
use crate::record::surroundings;

/// The attributes of the service's resource that records show, and the names of the fields.
const SERVICE: [(&str, &str); 4] = [
    ("service.name", "service_name"),
    ("service.namespace", "service_namespace"),
    ("service.version", "service_version"),
    ("service.instance.id", "service_instance_id"),
];

/// The provider that was asked last, and the fields of its resource.
static SERVICE_OF: Attached<Option<(Py<PyAny>, Py<PyDict>)>> = Attached::new(None);

/// The fields of the span that was active last, and the service's that are among them.
static LAST: Attached<Option<Last>> = Attached::new(None);

struct Last {
    identifiers: Identifiers,
    service: Py<PyDict>,
    /// Never changed.
    fields: Py<PyDict>,
}

/// `trace_id`, `span_id`, `trace_flags` and the service, as a dict that nobody changes; `None` when no span is active, or
/// the program has not imported OpenTelemetry.
pub(crate) fn current(py: Python<'_>) -> PyResult<Option<Bound<'_, PyDict>>> {
    match active_span::read(py) {
        Known::Nothing => return Ok(None),
        Known::Span(identifiers, service) => return fields_of(identifiers, &service).map(Some),
        Known::Unknown => {}
    }
    let Some(api) = surroundings::open_telemetry(py)? else { return Ok(None) };
    match of_active_span(&api) {
        // Half imported, or replaced by something else.
        Err(error) if classes::is_ordinary(py, &error) => Ok(None),
        found => found,
    }
}

/// The same, if it is known without asking: nothing of the program's runs.
#[expect(clippy::option_option, reason = "no span and not known are two things")]
pub(crate) fn current_plainly(py: Python<'_>) -> Option<Option<Bound<'_, PyDict>>> {
    match active_span::read(py) {
        Known::Nothing => Some(None),
        Known::Span(identifiers, service) => {
            let known = last(identifiers, &service);
            // A new dict can run a garbage collection before CPython 3.12.
            let fields =
                if cfg!(Py_3_12) && known.is_none() { fields_of(identifiers, &service).ok() } else { known };
            fields.map(Some)
        }
        Known::Unknown => None,
    }
}

fn of_active_span<'py>(api: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let py = api.py();
    let span = api.call_method0(intern!(py, "get_current_span"))?;
    let provider = api.call_method0(intern!(py, "get_tracer_provider"))?;
    let service = service_of(&provider)?;
    let context = span.call_method0(intern!(py, "get_span_context"))?;
    let found = identifiers_of(&context);
    active_span::learn(api, &service)?;
    active_span::learn_classes(&span, &context)?;
    let found = found?;
    match active_span::read(py) {
        Known::Nothing if found.is_some() => active_span::distrust(),
        Known::Span(read, _) if Some(read) != found => active_span::distrust(),
        _ => {}
    }
    found.map(|identifiers| fields_of(identifiers, &service)).transpose()
}

/// `None` when one of them is zero, which is none.
fn identifiers_of(context: &Bound<'_, PyAny>) -> PyResult<Option<Identifiers>> {
    let py = context.py();
    let trace: u128 = context.getattr(intern!(py, "trace_id"))?.extract()?;
    let span: u64 = context.getattr(intern!(py, "span_id"))?.extract()?;
    let flags: u8 = context.getattr(intern!(py, "trace_flags"))?.extract()?;
    Ok((trace != 0 && span != 0).then_some(Identifiers { trace, span, flags }))
}

/// The fields, if they are those that were made last.
fn last<'py>(identifiers: Identifiers, service: &Bound<'py, PyDict>) -> Option<Bound<'py, PyDict>> {
    // SAFETY: attached; the reference lives only for the comparison and the clone.
    let last = unsafe { &*LAST.get() }.as_ref()?;
    let is_it = last.identifiers == identifiers && last.service.is(service);
    is_it.then(|| last.fields.bind(service.py()).clone())
}

fn fields_of<'py>(identifiers: Identifiers, service: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let py = service.py();
    if let Some(fields) = last(identifiers, service) {
        return Ok(fields);
    }
    let Identifiers { trace, span, flags } = identifiers;
    let fields = PyDict::new(py);
    fields.set_item(intern!(py, "trace_id"), format!("{trace:032x}"))?;
    fields.set_item(intern!(py, "span_id"), format!("{span:016x}"))?;
    fields.set_item(intern!(py, "trace_flags"), format!("{flags:02x}"))?;
    for (name, value) in service.iter() {
        fields.set_item(name, value)?;
    }
    let now = Last { identifiers, service: service.clone().unbind(), fields: fields.clone().unbind() };
    // SAFETY: attached; the previous value is dropped after the place has the new one.
    let previous = unsafe { (*LAST.get()).replace(now) };
    if let Some(Last { service, fields, .. }) = previous {
        // Let go without asking whether the thread is attached. Nothing runs: the service is held elsewhere, or plain.
        drop((service.into_bound(py), fields.into_bound(py)));
    }
    Ok(fields)
}

/// The fields of the provider's resource, which never changes.
fn service_of<'py>(provider: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let py = provider.py();
    // SAFETY: attached; the reference lives only for the comparison and the clone.
    if let Some((known, fields)) = unsafe { &*SERVICE_OF.get() }
        && known.is(provider)
    {
        return Ok(fields.bind(py).clone());
    }
    let fields = PyDict::new(py);
    // The API's own provider has none.
    if let Some(resource) = provider.getattr_opt(intern!(py, "resource"))? {
        let attributes = resource.getattr(intern!(py, "attributes"))?;
        for (attribute, field) in SERVICE {
            let value = attributes.call_method1(intern!(py, "get"), (attribute,))?;
            if !value.is_none() {
                fields.set_item(PyString::intern(py, field), value.str()?)?;
            }
        }
    }
    let known = (provider.clone().unbind(), fields.clone().unbind());
    // SAFETY: attached; the previous value is dropped after the place has the new one.
    let previous = unsafe { (*SERVICE_OF.get()).replace(known) };
    drop(previous);
    Ok(fields)
}
