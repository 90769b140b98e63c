//! The names of a record's own attributes, which extra fields stand beside.

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
