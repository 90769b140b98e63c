//! Which way a record takes: the native one, or the Python one and why.
//!
//! This is the one place that decides. The native way is taken when everything that the record meets is
//! exactly of our classes with nothing overridden, and no other filters are attached than Duramen's. The Python objects own what is
//! asked here and may change at any moment: what was found out is used again only while they have not.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use duramen::formatter::{Field, Layout};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyType};

use crate::classes::globals;
use crate::classes::inherited::Inherited;
use crate::classes::{self, Family, Obstacle, Untouched};
use crate::formatter::asctime::TimeText;
use crate::formatter::layouts;
use crate::formatter::plan::{FormatterPlan, Rendering};
use crate::formatter::structured::StructuredLayout;
use crate::handler::plan::{HandlerPlan, Kind, Parts};
use crate::interpreter;
use crate::interpreter::intern;
use crate::way::reach;
use crate::way::settings::{self, Settings};

/// Why a record takes the Python way.
#[derive(Debug)]
pub(crate) enum Reason {
    /// An object is not exactly of one of the classes that the native way knows.
    ForeignClass { part: &'static str, class: Py<PyType> },
    /// A method is overridden, on the class or on the instance.
    Overridden { part: &'static str, method: String },
    /// A filter is attached, which is Python code.
    Filtered { part: &'static str },
    /// An attribute is missing or not of the usual kind.
    Unusual { part: &'static str, attribute: &'static str },
    /// The layout is one that only the interpreter renders exactly.
    Layout(String),
    /// This formatter needs a record in Python form.
    Formatter(Py<PyAny>),
    /// Records are made by a factory or a record class of the application.
    RecordFactory,
    /// No logger on the way to the root has a handler.
    NoHandlers,
}

impl fmt::Display for Reason {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignClass { part, class } => {
                let name =
                    Python::attach(|py| class.bind(py).fully_qualified_name().map(|name| name.to_string()));
                write!(text, "the {part} is of the class {}", name.as_deref().unwrap_or("?"))
            }
            Self::Overridden { part, method } => write!(text, "the {part}'s method {method} is overridden"),
            Self::Filtered { part } => write!(text, "the {part} has filters"),
            Self::Unusual { part, attribute } => write!(text, "the {part}'s {attribute} is not a usual one"),
            Self::Layout(layout) => write!(text, "the layout {layout:?} is rendered by the interpreter"),
            Self::Formatter(_) => text.write_str("the formatter is written in Python"),
            Self::RecordFactory => text.write_str("a record factory or record class is set"),
            Self::NoHandlers => text.write_str("no handler is attached"),
        }
    }
}

/// `Ok(Err(reason))`: the Python way; `Err`: an error of the interpreter that the caller has to see.
pub(crate) type Route<T> = PyResult<Result<T, Reason>>;

/// Takes the value out of a `Route`, or returns the reason.
macro_rules! native {
    ($route:expr) => {
        match $route {
            Ok(value) => value,
            Err(reason) => return Ok(Err(reason)),
        }
    };
}
pub(crate) use native;

pub(crate) fn part<'py>(
    object: &Bound<'py, PyAny>,
    family: Family,
    part: &'static str,
) -> Route<Untouched<'py>> {
    Ok(classes::untouched(object, family)?.map_err(|obstacle| match obstacle {
        Obstacle::ForeignClass => Reason::ForeignClass { part, class: object.get_type().unbind() },
        Obstacle::Overridden(method) => Reason::Overridden { part, method },
    }))
}

/// The plan for a handler; `None` when it writes nothing. Its filters are not looked at.
pub(crate) fn plan_of(handler: &Bound<'_, PyAny>, settings: &Settings) -> Route<Option<Rc<HandlerPlan>>> {
    if let Some(plan) = HandlerPlan::find(handler, settings) {
        return Ok(Ok(Some(plan)));
    }
    if classes::known(handler).is_some_and(|class| class.family == Family::NullHandler) {
        return Ok(part(handler, Family::NullHandler, "handler")?.map(|_| None));
    }
    let plan = native!(plan_anew(handler, settings)?);
    Ok(Ok(Some(plan.remember(handler))))
}

fn plan_anew<'py>(handler: &Bound<'py, PyAny>, settings: &Settings) -> Route<HandlerPlan> {
    let py = handler.py();
    let own = native!(part(handler, Family::StreamHandler, "handler")?);
    let attribute = |name: &Bound<'py, PyString>| own.attributes.get_item(name);
    let unusual = |attribute| Reason::Unusual { part: "handler", attribute };
    let Some(Ok(level)) = attribute(intern!(py, "level"))?.map(|least| least.extract::<i64>()) else {
        return Ok(Err(unusual("level")));
    };
    let filters = attribute(intern!(py, "filters"))?;
    let Some(filters) = filters.filter(PyAnyMethods::is_exact_instance_of::<PyList>) else {
        return Ok(Err(unusual("filters")));
    };
    let Some(kind) = classes::known(handler).and_then(|class| Kind::of_class(class.name)) else {
        return Ok(Err(unusual("class")));
    };
    let stream = attribute(intern!(py, "stream"))?;
    let Some(stream) = stream.filter(|stream| !stream.is_none() || kind != Kind::Stream) else {
        return Ok(Err(unusual("stream")));
    };
    let Ok(terminator) = handler.getattr(intern!(py, "terminator"))?.cast_into_exact::<PyString>() else {
        return Ok(Err(unusual("terminator")));
    };
    let Ok(terminator) = terminator.to_str() else { return Ok(Err(unusual("terminator"))) };
    let (Some(lock), Some(formatter)) =
        (attribute(intern!(py, "lock"))?, attribute(intern!(py, "formatter"))?)
    else {
        return Ok(Err(unusual("lock or formatter")));
    };
    let formatter =
        if formatter.is_none() { globals::get(py, intern!(py, "_defaultFormatter"))? } else { formatter };
    let plan = if let Ok(plan) = formatter_plan_of(&formatter)? {
        plan
    } else {
        // Whether attributes change is told by the dict that holds them; one without a dict is looked at anew.
        drop(interpreter::instance_dict(&formatter));
        FormatterPlan::new(&formatter, &[], Rendering::Python, None).remember(&formatter)
    };
    let parts = Parts { handler, filters: &filters, lock: &lock, formatter: &formatter, stream: &stream };
    HandlerPlan::new(&parts, level, kind, terminator, plan, settings).map(Ok)
}

/// The plan for a formatter, if its text needs no record in Python form.
pub(crate) fn formatter_plan_of(formatter: &Bound<'_, PyAny>) -> Route<Rc<FormatterPlan>> {
    if let Some(plan) = FormatterPlan::find(formatter) {
        let is_native = plan.rendering.is_native();
        return Ok(if is_native { Ok(plan) } else { Err(Reason::Formatter(formatter.clone().unbind())) });
    }
    let (rendering, style) = native!(rendering_of(formatter)?);
    Ok(plan_for(formatter, &style, rendering)?.map(|plan| plan.remember(formatter)))
}

/// What `Formatter.format` calls of a formatter.
static FORMAT: Inherited = Inherited::new(&[
    ("formatTime", "Formatter.formatTime"),
    ("formatMessage", "Formatter.formatMessage"),
    ("usesTime", "Formatter.usesTime"),
    ("formatException", "Formatter.formatException"),
    ("formatStack", "Formatter.formatStack"),
    ("__getattribute__", "object.__getattribute__"),
]);

/// The plan for what `Formatter.format` does with `formatter`, whose own `format` may be another one that has
/// called it.
pub(crate) fn inherited_format_of(formatter: &Bound<'_, PyAny>) -> Route<Rc<FormatterPlan>> {
    if let Some(plan) = FormatterPlan::find_inherited(formatter) {
        return Ok(Ok(plan));
    }
    let class = formatter.get_type();
    if classes::known(formatter).is_some() {
        return formatter_plan_of(formatter);
    }
    if !FORMAT.is_in(&class)? {
        return Ok(Err(Reason::ForeignClass { part: "formatter", class: class.unbind() }));
    }
    let attributes = interpreter::instance_dict(formatter)?;
    for (method, _) in FORMAT.methods() {
        if attributes.contains(method)? {
            return Ok(Err(Reason::Overridden { part: "formatter", method: (*method).to_owned() }));
        }
    }
    let Some(style) = attributes.get_item(intern!(formatter.py(), "_style"))? else {
        return Ok(Err(Reason::Unusual { part: "formatter", attribute: "_style" }));
    };
    let (layout, template) = native!(layout_of(&style)?);
    let style: Vec<_> = std::iter::once(style).chain(template).collect();
    let plan = plan_for(formatter, &style, Rendering::Layout(layout))?;
    Ok(plan.map(|plan| plan.remember_inherited(formatter)))
}

fn plan_for<'py>(
    formatter: &Bound<'py, PyAny>,
    style: &[Bound<'py, PyAny>],
    rendering: Rendering,
) -> Route<FormatterPlan> {
    let time = rendering.uses(Field::Asctime).then(|| TimeText::of(formatter)).transpose();
    Ok(match time {
        Ok(time) => Ok(FormatterPlan::new(formatter, style, rendering, time)),
        // What it does not say about times fails where the record is formatted.
        Err(error) if classes::is_ordinary(formatter.py(), &error) => {
            Err(Reason::Unusual { part: "formatter", attribute: "datefmt" })
        }
        Err(error) => return Err(error),
    })
}

/// How `formatter` renders, and the parts of its style, if it has one.
fn rendering_of<'py>(formatter: &Bound<'py, PyAny>) -> Route<(Rendering, Vec<Bound<'py, PyAny>>)> {
    let py = formatter.py();
    let own = native!(part(formatter, Family::Formatter, "formatter")?);
    let unusual = |attribute| Reason::Unusual { part: "formatter", attribute };
    let class = classes::known(formatter).map_or("", |class| class.name);
    Ok(match class {
        "JsonFormatter" | "LogfmtFormatter" | "ConsoleFormatter" => {
            match StructuredLayout::native(&own.attributes)? {
                Some(layout) => Ok((Rendering::Structured(layout.unbind()), Vec::new())),
                None => Err(unusual("options")),
            }
        }
        _ => match own.attributes.get_item(intern!(py, "_style"))? {
            Some(style) => {
                let (layout, template) = native!(layout_of(&style)?);
                let escapes = class == "EscapingFormatter";
                let rendering = if escapes { Rendering::Escaped(layout) } else { Rendering::Layout(layout) };
                Ok((rendering, std::iter::once(style).chain(template).collect()))
            }
            None => Err(unusual("_style")),
        },
    })
}

/// The compiled layout of a style, and the template object that it was read from, if there is one.
fn layout_of<'py>(style: &Bound<'py, PyAny>) -> Route<(Arc<Layout>, Option<Bound<'py, PyAny>>)> {
    let attributes = native!(part(style, Family::Style, "formatter's style")?).attributes;
    let defaults = attributes.get_item(intern!(style.py(), "_defaults"))?;
    let unusual = |attribute| Reason::Unusual { part: "formatter", attribute };
    if defaults.is_none_or(|defaults| !defaults.is_none()) {
        return Ok(Err(unusual("defaults")));
    }
    let (text, template) = text_of_style(style, &attributes)?;
    let Some(Ok(text)) = text.map(Bound::cast_into_exact::<PyString>) else {
        return Ok(Err(unusual("layout")));
    };
    let layout = layouts::compiled(style, &text).ok_or_else(|| Reason::Layout(text.to_string()));
    Ok(layout.map(|layout| (layout, template)))
}

type OptionalObject<'py> = Option<Bound<'py, PyAny>>;

/// The text that the style renders: its `_fmt`, of which it has made a template for `$`.
fn text_of_style<'py>(
    style: &Bound<'py, PyAny>,
    attributes: &Bound<'py, PyDict>,
) -> PyResult<(OptionalObject<'py>, OptionalObject<'py>)> {
    let py = style.py();
    let text = attributes.get_item(intern!(py, "_fmt"))?;
    if classes::known(style).is_none_or(|class| class.name != "StringTemplateStyle") {
        return Ok((text, None));
    }
    let (Some(text), Some(template)) = (text, attributes.get_item(intern!(py, "_tpl"))?) else {
        return Ok((None, None));
    };
    // Whether the time is asked for says the one, where it stands the other.
    let rendered = template.getattr_opt(intern!(py, "template"))?;
    let is_same = rendered.as_ref().map_or(Ok(false), |rendered| rendered.eq(&text))?;
    Ok((rendered.filter(|_| is_same), Some(template)))
}

/// Which way a logger's or handler's records take: `None` for the native one, or else the reason for
/// the Python one.
///
/// A logger is asked for a record of its effective level.
#[pyfunction]
pub(crate) fn route(object: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let py = object.py();
    let Some(settings) = settings::current(py)? else {
        return Ok(Some(Reason::Unusual { part: "module logging", attribute: "globals" }.to_string()));
    };
    let reason = if object.hasattr(intern!(py, "getEffectiveLevel"))? {
        let level = object.call_method0(intern!(py, "getEffectiveLevel"))?.extract()?;
        match reach::own_of(object, &settings)? {
            Ok(own) => reach::targets(object, &own.filters, level, &settings, None)?.err(),
            Err(reason) => Some(reason),
        }
    } else {
        match plan_of(object, &settings)? {
            Ok(Some(plan)) => match reach::knows_filters(&plan, py)? {
                Ok(()) => plan.is_native(py).err(),
                Err(reason) => Some(reason),
            },
            plan => plan.err(),
        }
    };
    Ok(match reason {
        // What was remembered does not tell why.
        Some(Reason::Formatter(formatter)) => rendering_of(formatter.bind(py))?.err(),
        reason => reason,
    }
    .map(|reason| reason.to_string()))
}
