//! Which way a record takes: the native one, or the Python one and why.
//!
//! This is the one place that decides. The native way is taken when everything that the record meets is
//! exactly of our classes with nothing overridden, and no filter is attached. What is asked here is read
//! from the Python objects for each record, since they own it and may change at any moment.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use duramen::formatter::{Field, Layout};
use parking_lot::RwLock;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::classes::{self, Family, Obstacle, Untouched};
use crate::structured::StructuredLayout;
use crate::{globals, handler};

/// Why a record takes the Python way.
#[derive(Debug)]
pub(crate) enum Reason {
    /// An object is not exactly of one of the classes that the native way knows.
    ForeignClass { part: &'static str, class: String },
    /// A method is overridden, on the class or on the instance.
    Overridden { part: &'static str, method: String },
    /// A filter is attached, which is Python code.
    Filtered { part: &'static str },
    /// An attribute is missing or not of the usual kind.
    Unusual { part: &'static str, attribute: &'static str },
    /// The layout is one that only the interpreter renders exactly.
    Layout(String),
    /// Records are made by a factory or a record class of the application.
    RecordFactory,
    /// No logger on the way to the root has a handler.
    NoHandlers,
}

impl fmt::Display for Reason {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignClass { part, class } => write!(text, "the {part} is of the class {class}"),
            Self::Overridden { part, method } => write!(text, "the {part}'s method {method} is overridden"),
            Self::Filtered { part } => write!(text, "the {part} has filters"),
            Self::Unusual { part, attribute } => write!(text, "the {part}'s {attribute} is not a usual one"),
            Self::Layout(layout) => write!(text, "the layout {layout:?} is rendered by the interpreter"),
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

/// How the native way turns a record into text.
pub(crate) enum Rendering {
    /// As the compiled layout of a `logging.Formatter` says.
    Layout(Arc<Layout>),
    /// A formatter of `duramen.formatters`.
    Structured(Py<StructuredLayout>),
}

impl Rendering {
    /// Whether the text shows `field`.
    pub(crate) fn uses(&self, field: Field) -> bool {
        match self {
            Self::Layout(layout) => layout.uses(field),
            Self::Structured(layout) => layout.get().uses(field),
        }
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
    fn of_class(name: &str) -> Option<Self> {
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

/// A handler that the native way can write to, with all that it takes.
pub(crate) struct Target<'py> {
    pub(crate) handler: Bound<'py, PyAny>,
    pub(crate) lock: Bound<'py, PyAny>,
    pub(crate) kind: Kind,
    pub(crate) terminator: Bound<'py, PyString>,
    pub(crate) formatter: Bound<'py, PyAny>,
    pub(crate) date_format: Bound<'py, PyAny>,
    pub(crate) rendering: Rendering,
}

/// The handlers that a record of `level` made with `logger` reaches.
pub(crate) fn targets<'py>(logger: &Bound<'py, PyAny>, level: i64) -> Route<Vec<Target<'py>>> {
    let py = logger.py();
    let own = native!(part(logger, Family::Logger, "logger")?);
    native!(without_filters(&own, "logger")?);
    if !classes::is_untouched_class(&globals::get(py, intern!(py, "_logRecordFactory"))?, Family::Record)? {
        return Ok(Err(Reason::RecordFactory));
    }
    let mut targets = Vec::new();
    let mut found = false;
    let mut current = logger.clone();
    loop {
        let Ok(handlers) = current.getattr(intern!(py, "handlers"))?.cast_into_exact::<PyList>() else {
            return Ok(Err(Reason::Unusual { part: "logger", attribute: "handlers" }));
        };
        for handler in handlers.iter() {
            found = true;
            if let Some(target) = native!(target(&handler, level)?) {
                targets.push(target);
            }
        }
        if !current.getattr(intern!(py, "propagate"))?.is_truthy()? {
            break;
        }
        current = current.getattr(intern!(py, "parent"))?;
        if current.is_none() {
            break;
        }
    }
    if found { Ok(Ok(targets)) } else { Ok(Err(Reason::NoHandlers)) }
}

fn part<'py>(object: &Bound<'py, PyAny>, family: Family, part: &'static str) -> Route<Untouched<'py>> {
    Ok(classes::untouched(object, family)?.map_err(|obstacle| match obstacle {
        Obstacle::ForeignClass => Reason::ForeignClass { part, class: name_of_class(object) },
        Obstacle::Overridden(method) => Reason::Overridden { part, method },
    }))
}

fn name_of_class(object: &Bound<'_, PyAny>) -> String {
    object.get_type().fully_qualified_name().map_or_else(|_| "?".to_owned(), |name| name.to_string())
}

fn without_filters(object: &Untouched<'_>, part: &'static str) -> Route<()> {
    let filters = object.attributes.get_item(intern!(object.attributes.py(), "filters"))?;
    Ok(match filters.as_ref().map(|filters| filters.cast_exact::<PyList>()) {
        Some(Ok(filters)) if filters.is_empty() => Ok(()),
        Some(Ok(_)) => Err(Reason::Filtered { part }),
        _ => Err(Reason::Unusual { part, attribute: "filters" }),
    })
}

/// `handler` as a target; `None` when its level keeps the record out, or it writes nothing.
fn target<'py>(handler: &Bound<'py, PyAny>, level: i64) -> Route<Option<Target<'py>>> {
    let py = handler.py();
    if classes::known(handler).is_some_and(|class| class.family == Family::NullHandler) {
        return Ok(part(handler, Family::NullHandler, "handler")?.map(|_| None));
    }
    let own = native!(part(handler, Family::StreamHandler, "handler")?);
    let attribute = |name: &Bound<'py, PyString>| own.attributes.get_item(name);
    let unusual = |attribute| Reason::Unusual { part: "handler", attribute };
    let Some(Ok(least)) = attribute(intern!(py, "level"))?.map(|least| least.extract::<i64>()) else {
        return Ok(Err(unusual("level")));
    };
    if level < least {
        return Ok(Ok(None));
    }
    native!(without_filters(&own, "handler")?);
    let Some(kind) = classes::known(handler).and_then(|class| Kind::of_class(class.name)) else {
        return Ok(Err(unusual("class")));
    };
    let has_stream = attribute(intern!(py, "stream"))?.map(|stream| !stream.is_none());
    if !has_stream.is_some_and(|open| open || kind != Kind::Stream) {
        return Ok(Err(unusual("stream")));
    }
    let Ok(terminator) = handler.getattr(intern!(py, "terminator"))?.cast_into_exact::<PyString>() else {
        return Ok(Err(unusual("terminator")));
    };
    let (Some(lock), Some(formatter)) =
        (attribute(intern!(py, "lock"))?, attribute(intern!(py, "formatter"))?)
    else {
        return Ok(Err(unusual("lock or formatter")));
    };
    let formatter =
        if formatter.is_none() { globals::get(py, intern!(py, "_defaultFormatter"))? } else { formatter };
    let (rendering, date_format) = native!(rendering_of(&formatter)?);
    let handler = handler.clone();
    Ok(Ok(Some(Target { handler, lock, kind, terminator, formatter, date_format, rendering })))
}

/// How `formatter` renders, and its date format (text or `None`).
fn rendering_of<'py>(formatter: &Bound<'py, PyAny>) -> Route<(Rendering, Bound<'py, PyAny>)> {
    let py = formatter.py();
    let own = native!(part(formatter, Family::Formatter, "formatter")?);
    let unusual = |attribute| Reason::Unusual { part: "formatter", attribute };
    let Some(date_format) = own.attributes.get_item(intern!(py, "datefmt"))? else {
        return Ok(Err(unusual("datefmt")));
    };
    let rendering = match classes::known(formatter).map_or("", |class| class.name) {
        "JsonFormatter" | "LogfmtFormatter" | "ConsoleFormatter" => {
            match StructuredLayout::native(&own.attributes)? {
                Some(layout) => Rendering::Structured(layout.unbind()),
                None => return Ok(Err(unusual("options"))),
            }
        }
        _ => match own.attributes.get_item(intern!(py, "_style"))? {
            Some(style) => Rendering::Layout(native!(layout_of(&style)?)),
            None => return Ok(Err(unusual("_style"))),
        },
    };
    Ok(Ok((rendering, date_format)))
}

/// The compiled layout of a style.
fn layout_of(style: &Bound<'_, PyAny>) -> Route<Arc<Layout>> {
    let attributes = native!(part(style, Family::Style, "formatter's style")?).attributes;
    let defaults = attributes.get_item(intern!(style.py(), "_defaults"))?;
    let unusual = |attribute| Reason::Unusual { part: "formatter", attribute };
    if defaults.is_none_or(|defaults| !defaults.is_none()) {
        return Ok(Err(unusual("defaults")));
    }
    let text = text_of_style(style, &attributes)?;
    let Some(Ok(text)) = text.map(Bound::cast_into_exact::<PyString>) else {
        return Ok(Err(unusual("layout")));
    };
    Ok(compiled(style, &text).ok_or_else(|| Reason::Layout(text.to_string())))
}

/// The text that the style renders: its `_fmt`, or the template that it made of it for `$`.
fn text_of_style<'py>(
    style: &Bound<'py, PyAny>,
    attributes: &Bound<'py, PyDict>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = style.py();
    match attributes.get_item(intern!(py, "_tpl"))? {
        Some(template) => template.getattr_opt(intern!(py, "template")),
        None => attributes.get_item(intern!(py, "_fmt")),
    }
}

/// The layouts that were compiled, by the style's class and the text; `None` where only the interpreter
/// renders it.
type Layouts = HashMap<&'static str, HashMap<String, Option<Arc<Layout>>>>;

static LAYOUTS: RwLock<Option<Layouts>> = RwLock::new(None);

/// A program that makes layouts without end must not fill the memory.
const MOST_LAYOUTS: usize = 1024;

fn compiled(style: &Bound<'_, PyAny>, text: &Bound<'_, PyString>) -> Option<Arc<Layout>> {
    let class = classes::known(style).map_or("", |class| class.name);
    // Lone surrogates have no UTF-8 form.
    let text = text.to_str().ok()?;
    let known = LAYOUTS.read();
    if let Some(layout) = known.as_ref().and_then(|layouts| layouts.get(class)?.get(text)) {
        return layout.clone();
    }
    drop(known);
    let layout = compile(class, text).map(Arc::new);
    let mut known = LAYOUTS.write();
    let layouts = known.get_or_insert_default().entry(class).or_default();
    if layouts.len() >= MOST_LAYOUTS {
        layouts.clear();
    }
    layouts.insert(text.to_owned(), layout.clone());
    layout
}

fn compile(class: &str, text: &str) -> Option<Layout> {
    use duramen::formatter::{brace, dollar, percent};
    match class {
        "PercentStyle" => percent::compile(text).ok(),
        "StrFormatStyle" => brace::compile(text).ok(),
        "StringTemplateStyle" => dollar::compile(text).ok(),
        _ => None,
    }
}

/// Which way a logger's or handler's records take: `None` for the native one, or else the reason for
/// the Python one.
///
/// A logger is asked for a record of its effective level.
#[pyfunction]
pub(crate) fn route(object: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let py = object.py();
    let reason = if object.hasattr(intern!(py, "getEffectiveLevel"))? {
        let level = object.call_method0(intern!(py, "getEffectiveLevel"))?.extract()?;
        targets(object, level)?.err()
    } else {
        target(object, i64::MAX)?.err()
    };
    Ok(reason.map(|reason| reason.to_string()))
}
