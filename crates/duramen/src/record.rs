//! The record: one event, as it travels from a logger to the handlers.

use crate::{Level, Value};

/// The names of a record's own attributes, which stand here and nowhere else.
macro_rules! attributes {
    ($($name:literal)*) => {
        /// The attributes of Python's `LogRecord`, in its order, `message` and `asctime`, which formatting adds, the last.
        ///
        /// ```
        /// use duramen::record::ATTRIBUTES;
        ///
        /// assert_eq!(ATTRIBUTES.first(), Some(&"name"));
        /// ```
        pub const ATTRIBUTES: [&str; 23] = [$($name),*];

        /// Whether a record has an attribute of its own under this name, beside which extra fields stand.
        ///
        /// ```
        /// use duramen::record::is_attribute;
        ///
        /// assert!(is_attribute("levelname"));
        /// assert!(!is_attribute("order"));
        /// ```
        #[inline]
        pub fn is_attribute(name: &str) -> bool {
            matches!(name, $($name)|*)
        }
    };
}

attributes! {
    "name" "msg" "args" "levelname" "levelno" "pathname"
    "filename" "module" "exc_info" "exc_text" "stack_info" "lineno"
    "funcName" "created" "msecs" "relativeCreated" "thread" "threadName"
    "processName" "process" "taskName" "message" "asctime"
}

/// One logging event. It borrows everything, so that making one allocates nothing.
///
/// The fields are those of Python's `LogRecord`, under their Rust spelling.
///
/// ```
/// use duramen::record::Caller;
/// use duramen::{Level, Record, Value};
///
/// let record = Record {
///     name: "shop.orders",
///     level: Level::INFO,
///     level_name: "INFO",
///     message: "paid",
///     created_ns: 1_700_000_000_123_456_789,
///     relative_created_ms: 12.5,
///     caller: Caller::of_source(file!(), line!(), module_path!()),
///     thread: None,
///     thread_name: Some("main"),
///     process: Some(std::process::id()),
///     process_name: None,
///     task_name: None,
///     fields: &[("order", Value::Integer(17))],
///     exception: None,
///     stack: None,
/// };
/// assert_eq!(record.milliseconds(), 123);
/// ```
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// The logger's name (`name`).
    pub name: &'a str,
    /// Severity (`levelno`).
    pub level: Level,
    /// The level's name at the time of the call (`levelname`).
    pub level_name: &'a str,
    /// The message with its arguments merged in (`message`).
    pub message: &'a str,
    /// When the record was made, in nanoseconds since the Unix epoch (`created`, `msecs`).
    pub created_ns: i64,
    /// Milliseconds between the start of logging in this process and the record (`relativeCreated`).
    pub relative_created_ms: f64,
    /// Where the logging call stands.
    pub caller: Caller<'a>,
    /// Identifier of the thread, where it is known (`thread`).
    pub thread: Option<u64>,
    /// Name of the thread, where it is known (`threadName`).
    pub thread_name: Option<&'a str>,
    /// Identifier of the process, where it is wanted (`process`).
    pub process: Option<u32>,
    /// Name of the process, where it is known (`processName`).
    pub process_name: Option<&'a str>,
    /// Name of the asynchronous task, where there is one (`taskName`).
    pub task_name: Option<&'a str>,
    /// Extra fields in the order in which they were given (`extra`).
    pub fields: &'a [(&'a str, Value<'a>)],
    /// The exception with its traceback as text, without a final newline (`exc_text`).
    pub exception: Option<&'a str>,
    /// The stack of the call as text, without a final newline (`stack_info`).
    pub stack: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// A record with a message and nothing else, made at the Unix epoch: for tests of filters, formatters and handlers.
    /// A logger makes its records itself. `level_name` is that of a level of Duramen's own, and empty for others.
    ///
    /// ```
    /// use duramen::formatter::{Formatter, LogfmtFormatter};
    /// use duramen::{Level, Record, Value};
    ///
    /// let record = Record { fields: &[("order", Value::Integer(17))], ..Record::new("shop", Level::INFO, "paid") };
    /// let mut line = Vec::new();
    /// LogfmtFormatter::default().format(&record, &mut line);
    /// assert!(line.ends_with(b"level=INFO logger=shop message=paid order=17"));
    /// ```
    #[inline]
    pub const fn new(name: &'a str, level: Level, message: &'a str) -> Self {
        let level_name = match level {
            Level::NOTSET => "NOTSET",
            Level::DEBUG => "DEBUG",
            Level::INFO => "INFO",
            Level::WARNING => "WARNING",
            Level::ERROR => "ERROR",
            Level::CRITICAL => "CRITICAL",
            _ => "",
        };
        Self {
            name,
            level,
            level_name,
            message,
            created_ns: 0,
            relative_created_ms: 0.0,
            caller: Caller { pathname: "", filename: "", module: "", line: 0, function: "" },
            thread: None,
            thread_name: None,
            process: None,
            process_name: None,
            task_name: None,
            fields: &[],
            exception: None,
            stack: None,
        }
    }

    /// The creation time in seconds, as Python has it: the floating-point number that is nearest to it.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "rounded once; 127 at most")]
    pub(crate) fn created(&self) -> f64 {
        // The division of two numbers of which the first is rounded would be rounded twice: whole numbers are divided, to
        // many more digits than a float has, and a rest that is left counts as one more.
        let nanoseconds = u128::from(self.created_ns.unsigned_abs());
        let shift = nanoseconds.leading_zeros().min(127);
        let scaled = nanoseconds << shift;
        let seconds = (scaled / 1_000_000_000) | u128::from(scaled % 1_000_000_000 != 0);
        let size = seconds as f64 * 0.5_f64.powi(shift as i32);
        if self.created_ns < 0 { -size } else { size }
    }

    /// The whole milliseconds of the creation time, 0 to 999 (`msecs`).
    ///
    /// ```
    /// use duramen::{Filter, Record};
    ///
    /// /// Lets the records of the first half of each second through.
    /// struct FirstHalf;
    ///
    /// impl Filter for FirstHalf {
    ///     fn filter(&self, record: &Record<'_>) -> bool {
    ///         record.milliseconds() < 500
    ///     }
    /// }
    /// ```
    pub fn milliseconds(&self) -> u32 {
        u32::try_from(self.created_ns.rem_euclid(1_000_000_000) / 1_000_000).unwrap_or(0)
    }
}

/// Where a logging call stands in the source.
///
/// ```
/// use duramen::record::Caller;
///
/// let here = Caller::of_source("src/db/pool.rs", 12, "shop::db::pool");
/// assert_eq!((here.filename, here.module, here.line), ("pool.rs", "pool", 12));
/// assert_eq!(here.function, "shop::db::pool");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    /// Full path of the source file (`pathname`).
    pub pathname: &'a str,
    /// Last part of the path (`filename`).
    pub filename: &'a str,
    /// The file name without its ending (`module`).
    pub module: &'a str,
    /// Line number, from 1 (`lineno`).
    pub line: u32,
    /// Name of the function (`funcName`).
    pub function: &'a str,
}

impl<'a> Caller<'a> {
    /// The place that `file!`, `line!` and `module_path!` give. Rust tells no function's name, so that the
    /// module's path stands for it.
    ///
    /// The macros have it done when the program is compiled.
    ///
    /// ```
    /// use duramen::record::Caller;
    ///
    /// const CALLER: Caller<'static> = Caller::of_source("src/db/pool.test.rs", 7, "app::db::pool");
    /// assert_eq!((CALLER.filename, CALLER.module), ("pool.test.rs", "pool.test"));
    /// ```
    #[expect(
        clippy::indexing_slicing,
        reason = "guarded by comparisons; while compiling it would be an error there"
    )]
    pub const fn of_source(pathname: &'a str, line: u32, module_path: &'a str) -> Self {
        let bytes = pathname.as_bytes();
        let mut start = bytes.len();
        let mut stem_end = bytes.len();
        while start > 0 && !matches!(bytes[start - 1], b'/' | b'\\') {
            start -= 1;
            if bytes[start] == b'.' && stem_end == bytes.len() {
                stem_end = start;
            }
        }
        let (_, filename) = pathname.split_at(start);
        let (module, _) = filename.split_at(stem_end - start);
        Self { pathname, filename, module, line, function: module_path }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Record;
    use crate::level::Level;

    proptest! {
        #[test]
        fn the_creation_time_is_the_nearest_number(created_ns: i64, small in 0..63_u32) {
            let record = Record { created_ns: created_ns >> small, ..Record::new("app", Level::INFO, "") };
            let nanoseconds = record.created_ns.unsigned_abs();
            let sign = if record.created_ns < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{:09}", nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
            prop_assert_eq!(Ok(record.created()), text.parse());
        }
    }
}
