//! OpenTelemetry's active span, read without a call of Python's.
//!
//! OpenTelemetry keeps it in a dict, in a context variable, and gives it out by functions that do no more than look it
//! up there. Which variable and which key these are is found out from the functions, and tried out beside them; it holds
//! while the globals and classes that were looked at are as they were. Where anything is otherwise (another runtime of
//! contexts, a function that was replaced, spans of other classes), the functions are called.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFunction, PyModule, PyString, PyTuple, PyType};

use crate::interpreter::{self, Attached, State, intern};
use crate::record::surroundings::{self, Seen};

/// The identifiers of a span, none of which is zero, and the flags of its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identifiers {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    pub(crate) flags: u8,
}

/// What the program's OpenTelemetry says, as far as it is known without asking.
pub(crate) enum Known<'py> {
    /// There is no span, or no OpenTelemetry.
    Nothing,
    /// The span, and the fields of the service that it belongs to, which never change.
    Span(Identifiers, Bound<'py, PyDict>),
    /// It has to be asked.
    Unknown,
}

/// How the span is found.
struct Reader {
    /// `opentelemetry.trace`, held by `sys.modules`.
    module: *mut ffi::PyObject,
    /// The globals of the module, of `get_current_span` and of `get_value`: each that is as it was holds the next.
    globals: [Seen; 3],
    places: Option<Places>,
}

/// Where the functions look the span up.
struct Places {
    /// Held by the last one of the globals.
    runtime: *mut ffi::PyObject,
    state: State,
    variable: Py<PyAny>,
    key: Py<PyAny>,
    service: Py<PyDict>,
}

static READER: Attached<Option<Reader>> = Attached::new(None);

/// What is asked of a class.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A dict whose `get` is that of a dict.
    Context,
    /// `get_span_context` gives the attribute `_context`.
    Span,
    /// A tuple of the identifiers of the trace and the span, whether it is remote, flags, state and whether it is valid.
    Identifiers,
}

/// A class that was looked at.
#[derive(Clone, Copy)]
struct Class {
    role: Role,
    address: *mut ffi::PyTypeObject,
    /// No two classes ever have the same.
    version: u32,
    /// `get_span_context`, which the class holds.
    method: *mut ffi::PyObject,
    is_usual: bool,
}

/// The classes that were looked at last: programs have two kinds of spans, and one of each of the others.
static CLASSES: Attached<[Option<Class>; 8]> = Attached::new([None; 8]);

impl Class {
    /// # Safety
    /// `object` is live and the thread is attached.
    unsafe fn of(object: *mut ffi::PyObject, role: Role) -> Option<Self> {
        // SAFETY: by the contract; nothing runs while the entries are looked at.
        unsafe {
            let address = ffi::Py_TYPE(object);
            let version = (*address).tp_version_tag;
            let is_it = |class: &&Self| {
                class.address == address && class.role == role && class.version == version && version != 0
            };
            (*CLASSES.get()).iter().flatten().find(is_it).copied()
        }
    }

    fn keep(self) {
        // SAFETY: attached; nothing in it has to be dropped.
        let classes = unsafe { &mut *CLASSES.get() };
        let is_same = |class: &Self| class.address == self.address && class.role == self.role;
        let place = classes.iter().position(|class| class.as_ref().is_none_or(is_same));
        let place = place.unwrap_or_else(|| self.version as usize % classes.len());
        classes[place] = Some(self);
    }
}

/// The active span, if it can be read. Nothing of the program's runs.
pub(crate) fn read(py: Python<'_>) -> Known<'_> {
    let Some(module) = surroundings::known_open_telemetry() else { return Known::Unknown };
    if module.is_null() {
        return Known::Nothing;
    }
    // SAFETY: attached; the reference does not outlive the reading, in which nothing runs.
    let reader = unsafe { &*READER.get() }.as_ref();
    let Some(places) = reader.filter(|reader| reader.holds(module)).and_then(|reader| reader.places.as_ref())
    else {
        return Known::Unknown;
    };
    // SAFETY: the globals hold the runtime, and nothing runs.
    match unsafe { places.read(py) } {
        Some(Some(found)) => Known::Span(found, places.service.bind(py).clone()),
        Some(None) => Known::Nothing,
        None => Known::Unknown,
    }
}

impl Reader {
    fn holds(&self, module: *mut ffi::PyObject) -> bool {
        self.module == module && self.globals.iter().all(|globals| globals.holds())
    }
}

impl Places {
    /// The span, if there is one; `None` where the functions have to be asked.
    ///
    /// # Safety
    /// The runtime is alive, and the thread is attached.
    #[expect(clippy::option_option, reason = "no span and not known are two things")]
    unsafe fn read(&self, py: Python<'_>) -> Option<Option<Identifiers>> {
        // SAFETY: live objects. The variable holds the context, that one the span, and nothing runs: the key is text, and
        // classes are looked at before their values are.
        unsafe {
            self.state.holds(self.runtime).then_some(())?;
            let mut context = std::ptr::null_mut();
            if ffi::PyContextVar_Get(self.variable.as_ptr(), std::ptr::null_mut(), &raw mut context) < 0 {
                ffi::PyErr_Clear();
                return None;
            }
            let context = Bound::from_owned_ptr_or_opt(py, context)?;
            Class::of(context.as_ptr(), Role::Context).filter(|class| class.is_usual)?;
            if ffi::PyDict_Size(context.as_ptr()) == 0 {
                return Some(None);
            }
            let span = ffi::PyDict_GetItemWithError(context.as_ptr(), self.key.as_ptr());
            if span.is_null() || span == ffi::Py_None() {
                return Some(None);
            }
            let span = Bound::from_borrowed_ptr(py, span);
            let class = Class::of(span.as_ptr(), Role::Span).filter(|class| class.is_usual)?;
            interpreter::has_method(&span, intern!(py, "get_span_context"), class.method).then_some(())?;
            let found = interpreter::optional_attribute(&span, intern!(py, "_context")).ok()??;
            Class::of(found.as_ptr(), Role::Identifiers).filter(|class| class.is_usual)?;
            identifiers(&found)
        }
    }
}

/// The identifiers of a usual `SpanContext`; `None` where they are not plain numbers.
///
/// # Safety
/// `context` is a tuple.
#[expect(clippy::option_option, reason = "no span and not known are two things")]
unsafe fn identifiers(context: &Bound<'_, PyAny>) -> Option<Option<Identifiers>> {
    // SAFETY: by the contract; the tuple holds its items, and whole numbers are read where they lie.
    unsafe {
        let context = context.as_ptr();
        (ffi::PyTuple_GET_SIZE(context) == 6).then_some(())?;
        let [trace, span, flags, is_valid] = [0, 1, 3, 5].map(|index| ffi::PyTuple_GET_ITEM(context, index));
        if is_valid == ffi::Py_False() {
            return Some(None);
        }
        // Then trace and span are within their bounds.
        let are_plain = is_valid == ffi::Py_True()
            && ffi::PyLong_CheckExact(trace) != 0
            && ffi::PyLong_CheckExact(span) != 0
            && ffi::PyLong_Check(flags) != 0;
        are_plain.then_some(())?;
        let mut overflow = 0;
        let flags = ffi::PyLong_AsLongAndOverflow(flags, &raw mut overflow);
        let flags = u8::try_from(flags).ok().filter(|_| overflow == 0)?;
        let py = Python::assume_attached();
        let trace = Borrowed::from_ptr(py, trace).extract().ok()?;
        let span = Borrowed::from_ptr(py, span).extract().ok()?;
        (trace != 0 && span != 0).then_some(Some(Identifiers { trace, span, flags }))
    }
}

/// Finds out how `api`, `opentelemetry.trace`, looks its span up, if that is not known. `service` has the fields of the
/// provider that it gives now.
pub(crate) fn learn(api: &Bound<'_, PyAny>, service: &Bound<'_, PyDict>) -> PyResult<()> {
    let module = api.as_ptr();
    // SAFETY: attached; the reference lives only for the comparison.
    if unsafe { &*READER.get() }.as_ref().is_some_and(|reader| reader.holds(module)) {
        return Ok(());
    }
    let Ok(api) = api.cast_exact::<PyModule>() else { return Ok(()) };
    let globals = Globals::of(&api.dict())?;
    let reader = Reader { module, globals: globals.seen(), places: globals.places(service)? };
    // SAFETY: attached; the previous value is dropped after the place has the new one.
    let previous = unsafe { (*READER.get()).replace(reader) };
    drop(previous);
    Ok(())
}

/// The functions are asked from now on, until something changes.
pub(crate) fn distrust() {
    // SAFETY: attached; what is taken out is dropped after the place is empty.
    let places = unsafe { (*READER.get()).as_mut().and_then(|reader| reader.places.take()) };
    drop(places);
}

/// The globals of the functions that look a span up, as far as they are those that are known here.
struct Globals<'py> {
    trace: Bound<'py, PyDict>,
    propagation: Option<Bound<'py, PyDict>>,
    context: Option<Bound<'py, PyDict>>,
}

/// The names that OpenTelemetry's functions use.
const OF_CURRENT_SPAN: &[&str] = &["get_value", "_SPAN_KEY", "isinstance", "Span", "INVALID_SPAN"];
const OF_VALUE: &[&str] = &["get", "get_current"];
const OF_CONTEXT: &[&str] = &["_RUNTIME_CONTEXT", "get_current"];
const OF_RUNTIME: &[&str] = &["_current_context", "get"];
/// The SDK's casts the attribute for type checkers.
const OF_SPAN: &[&str] = &["_context", "typing", "cast", "trace_api", "SpanContext"];
const OF_PROVIDER: &[&str] = &[
    "_TRACER_PROVIDER",
    "_PROXY_TRACER_PROVIDER",
    "OTEL_PYTHON_TRACER_PROVIDER",
    "os",
    "environ",
    "_load_provider",
    "_set_tracer_provider",
    "cast",
    "typing",
    "TracerProvider",
];

impl<'py> Globals<'py> {
    fn of(trace: &Bound<'py, PyDict>) -> PyResult<Self> {
        let propagation = globals_of(trace, "get_current_span", OF_CURRENT_SPAN)?;
        let context = match &propagation {
            Some(propagation) => globals_of(propagation, "get_value", OF_VALUE)?,
            None => None,
        };
        Ok(Self { trace: trace.clone(), propagation, context })
    }

    fn seen(&self) -> [Seen; 3] {
        let propagation = self.propagation.as_ref().unwrap_or(&self.trace);
        [&self.trace, propagation, self.context.as_ref().unwrap_or(propagation)].map(Seen::of)
    }

    /// `None` where the functions do more than is known here.
    fn places(&self, service: &Bound<'py, PyDict>) -> PyResult<Option<Places>> {
        let (Some(propagation), Some(context)) = (&self.propagation, &self.context) else { return Ok(None) };
        for (holder, name, names) in
            [(context, "get_current", OF_CONTEXT), (&self.trace, "get_tracer_provider", OF_PROVIDER)]
        {
            if !globals_of(holder, name, names)?.is_some_and(|globals| globals.is(holder)) {
                return Ok(None);
            }
        }
        let key = propagation.get_item("_SPAN_KEY")?.filter(PyAnyMethods::is_exact_instance_of::<PyString>);
        let (Some(runtime), Some(key)) = (context.get_item("_RUNTIME_CONTEXT")?, key) else {
            return Ok(None);
        };
        let method = runtime.get_type().getattr("get_current")?;
        let is_own =
            runtime.getattr("get_current")?.getattr_opt("__func__")?.is_some_and(|of| of.is(&method));
        // SAFETY: compares the class of a live object.
        let is_variable =
            |value: &Bound<'_, PyAny>| unsafe { ffi::PyContextVar_CheckExact(value.as_ptr()) } != 0;
        let variable = runtime.getattr_opt("_current_context")?.filter(is_variable);
        let (Some(variable), Some(state)) = (variable, State::of(&runtime)) else { return Ok(None) };
        let is_usual = is_own && names_only(&method, OF_RUNTIME)?;
        let (variable, key, service) = (variable.unbind(), key.unbind(), service.clone().unbind());
        Ok(is_usual.then(|| Places { runtime: runtime.as_ptr(), state, variable, key, service }))
    }
}

/// The globals of the function `name`, if it uses no other names than these.
fn globals_of<'py>(
    holder: &Bound<'py, PyDict>,
    name: &str,
    names: &[&str],
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(function) = holder.get_item(name)? else { return Ok(None) };
    if !names_only(&function, names)? {
        return Ok(None);
    }
    Ok(function.getattr("__globals__")?.cast_into_exact().ok())
}

/// Whether `function` is a plain one that uses no other names than these.
fn names_only(function: &Bound<'_, PyAny>, names: &[&str]) -> PyResult<bool> {
    if !function.is_exact_instance_of::<PyFunction>() {
        return Ok(false);
    }
    let used: Vec<String> = function.getattr("__code__")?.getattr("co_names")?.extract()?;
    Ok(used.iter().all(|name| names.contains(&name.as_str())))
}

/// Looks at the classes of the running context and of a span, as far as they are not known.
pub(crate) fn learn_classes(span: &Bound<'_, PyAny>, identifiers: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = span.py();
    // SAFETY: attached; the reference lives only for the clone.
    let variable = unsafe { &*READER.get() }.as_ref().and_then(|reader| reader.places.as_ref());
    if let Some(variable) = variable.map(|places| places.variable.bind(py).clone()) {
        let context = variable.call_method0("get")?;
        learn_class(&context, Role::Context, || {
            let of_dict = py.get_type::<PyDict>().getattr("get")?;
            Ok(context.is_instance_of::<PyDict>() && context.get_type().getattr("get")?.is(&of_dict))
        })?;
    }
    learn_class(span, Role::Span, || {
        let method = span.get_type().getattr("get_span_context")?;
        let is_attribute = span.getattr_opt("_context")?.is_some_and(|found| found.is(identifiers));
        Ok(is_attribute
            && names_only(&method, OF_SPAN)?
            && span.get_type().getattr_opt("_context")?.is_none()
            && is_span(span)?)
    })?;
    learn_class(identifiers, Role::Identifiers, || {
        let Ok(items) = identifiers.cast::<PyTuple>() else { return Ok(false) };
        for (name, index) in [("trace_id", 0), ("span_id", 1), ("trace_flags", 3), ("is_valid", 5)] {
            let property = identifiers.get_type().getattr(name)?;
            let Some(getter) = property.getattr_opt("fget")? else { return Ok(false) };
            if !names_only(&getter, &[])? || !getter.call1((identifiers,))?.is(&items.get_item(index)?) {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// Whether OpenTelemetry's own look at the class says that it is one of a span.
fn is_span(span: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Some(api) = surroundings::open_telemetry(span.py())? else { return Ok(false) };
    Ok(api.getattr("Span")?.cast::<PyType>().is_ok_and(|class| {
        // SAFETY: two live classes.
        unsafe { ffi::PyType_IsSubtype(span.get_type_ptr(), class.as_ptr().cast()) != 0 }
    }))
}

fn learn_class(
    object: &Bound<'_, PyAny>,
    role: Role,
    is_usual: impl FnOnce() -> PyResult<bool>,
) -> PyResult<()> {
    // SAFETY: a live object.
    if unsafe { Class::of(object.as_ptr(), role) }.is_some() {
        return Ok(());
    }
    let is_usual = is_usual()? && interpreter::has_generic_attributes(object);
    let class = object.get_type();
    let Some(version) = interpreter::type_version(&class) else { return Ok(()) };
    let method =
        if role == Role::Span { class.getattr("get_span_context")?.as_ptr() } else { std::ptr::null_mut() };
    Class { role, address: class.as_ptr().cast(), version, method, is_usual }.keep();
    Ok(())
}
