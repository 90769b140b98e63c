//! The names of a record's own attributes, which extra fields stand beside.

use duramen::formatter::Field;

use crate::record_shape::Attribute;

/// The fields of a record that are text, with their attributes.
pub(crate) const TEXTS: [(Field, Attribute); 9] = [
    (Field::Name, Attribute::Name),
    (Field::Levelname, Attribute::Levelname),
    (Field::Pathname, Attribute::Pathname),
    (Field::Filename, Attribute::Filename),
    (Field::Module, Attribute::Module),
    (Field::FuncName, Attribute::FuncName),
    (Field::ThreadName, Attribute::ThreadName),
    (Field::ProcessName, Attribute::ProcessName),
    (Field::TaskName, Attribute::TaskName),
];

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
