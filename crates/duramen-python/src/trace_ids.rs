//! The identifiers of the span that OpenTelemetry's API says is active, and the service that it belongs to.
//!
//! <https://opentelemetry.io/docs/specs/otel/logs/data-model/> has the fields of a log record, and
//! <https://www.w3.org/TR/trace-context/> the form of identifiers: lower-case hexadecimal digits.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::interpreter::{Attached, intern};
use crate::{classes, surroundings};

/// The attributes of the service's resource that records show, and the names of the fields.
const SERVICE: [(&str, &str); 4] = [
    ("service.name", "service_name"),
    ("service.namespace", "service_namespace"),
    ("service.version", "service_version"),
    ("service.instance.id", "service_instance_id"),
];

/// The provider that was asked last, and the fields of its resource.
static SERVICE_OF: Attached<Option<(Py<PyAny>, Py<PyDict>)>> = Attached::new(None);

/// `trace_id`, `span_id`, `trace_flags` and the service; `None` when no span is active, or the program has not
/// imported OpenTelemetry.
pub(crate) fn current(py: Python<'_>) -> PyResult<Option<Bound<'_, PyDict>>> {
    let Some(api) = surroundings::open_telemetry(py)? else { return Ok(None) };
    match of_active_span(&api) {
        // Half imported, or replaced by something else.
        Err(error) if classes::is_ordinary(py, &error) => Ok(None),
        found => found,
    }
}

fn of_active_span<'py>(api: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let py = api.py();
    let span = api.call_method0(intern!(py, "get_current_span"))?;
    if api.getattr_opt(intern!(py, "INVALID_SPAN"))?.is_some_and(|none| none.is(&span)) {
        return Ok(None);
    }
    let context = span.call_method0(intern!(py, "get_span_context"))?;
    let trace: u128 = context.getattr(intern!(py, "trace_id"))?.extract()?;
    let span: u64 = context.getattr(intern!(py, "span_id"))?.extract()?;
    let flags: u8 = context.getattr(intern!(py, "trace_flags"))?.extract()?;
    // An identifier of zeros is none.
    if trace == 0 || span == 0 {
        return Ok(None);
    }
    let fields = PyDict::new(py);
    fields.set_item(intern!(py, "trace_id"), format!("{trace:032x}"))?;
    fields.set_item(intern!(py, "span_id"), format!("{span:016x}"))?;
    fields.set_item(intern!(py, "trace_flags"), format!("{flags:02x}"))?;
    let provider = api.call_method0(intern!(py, "get_tracer_provider"))?;
    fields.update(service_of(&provider)?.as_mapping())?;
    Ok(Some(fields))
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
                fields.set_item(field, value)?;
            }
        }
    }
    let known = (provider.clone().unbind(), fields.clone().unbind());
    // SAFETY: attached; the previous value is dropped after the place has the new one.
    let previous = unsafe { (*SERVICE_OF.get()).replace(known) };
    drop(previous);
    Ok(fields)
}
