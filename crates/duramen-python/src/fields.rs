//! The names of a record's own attributes, which extra fields stand beside.

use duramen::formatter::Field;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::interpreter::Once;

/// So many fields of a record are text.
pub(crate) const TEXTS: usize = 9;

/// The fields of a record that are text, with the names of the attributes.
pub(crate) fn texts(py: Python<'_>) -> &'static [(Field, Py<PyString>); TEXTS] {
    static NAMES: Once<[(Field, Py<PyString>); TEXTS]> = Once::new();
    NAMES.get_or_init(py, || {
        [
            (Field::Name, "name"),
            (Field::Levelname, "levelname"),
            (Field::Pathname, "pathname"),
            (Field::Filename, "filename"),
            (Field::Module, "module"),
            (Field::FuncName, "funcName"),
            (Field::ThreadName, "threadName"),
            (Field::ProcessName, "processName"),
            (Field::TaskName, "taskName"),
        ]
        .map(|(field, name)| (field, PyString::intern(py, name).unbind()))
    })
}

/// Whether a record has an attribute of its own under this name; `message` and `asctime` are those that
/// formatting adds.
pub(crate) fn is_own_attribute(name: &str) -> bool {
    matches!(
        name,
        "name"
            | "msg"
            | "args"
            | "levelname"
            | "levelno"
            | "pathname"
            | "filename"
            | "module"
            | "exc_info"
            | "exc_text"
            | "stack_info"
            | "lineno"
            | "funcName"
            | "created"
            | "msecs"
            | "relativeCreated"
            | "thread"
            | "threadName"
            | "processName"
            | "process"
            | "taskName"
            | "message"
            | "asctime"
    )
}

/// Whether `extra` may hold a field of this name without changing what the record does.
pub(crate) fn is_free_name(name: &str) -> bool {
    !is_own_attribute(name) && name != "getMessage" && !name.starts_with("__")
}
