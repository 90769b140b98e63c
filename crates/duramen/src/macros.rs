//! The macros that applications log with. Each takes a logger, a format and its arguments, and knows where
//! it stands. The arguments are not evaluated when the level is not enabled.

/// Logs at any level: `log!(logger, Level(25), "kept {} of {}", kept, all)`.
///
/// Extra fields stand in brackets before the format: `log!(logger, level, ["user" => Value::Integer(7)], "…")`.
#[macro_export]
macro_rules! log {
    ($logger:expr, $level:expr, [$($key:expr => $value:expr),* $(,)?], $($format:tt)+) => {{
        let logger = &$logger;
        let level = $level;
        if logger.is_enabled_for(level) {
            let caller = $crate::record::Caller::of_source(file!(), line!(), module_path!());
            logger.log(level, format_args!($($format)+), &[$(($key, $value)),*], caller);
        }
    }};
    ($logger:expr, $level:expr, $($format:tt)+) => {
        $crate::log!($logger, $level, [], $($format)+)
    };
}

/// Logs at [`Level::DEBUG`](crate::Level::DEBUG).
#[macro_export]
macro_rules! debug {
    ($logger:expr, $($rest:tt)+) => { $crate::log!($logger, $crate::Level::DEBUG, $($rest)+) };
}

/// Logs at [`Level::INFO`](crate::Level::INFO).
#[macro_export]
macro_rules! info {
    ($logger:expr, $($rest:tt)+) => { $crate::log!($logger, $crate::Level::INFO, $($rest)+) };
}

/// Logs at [`Level::WARNING`](crate::Level::WARNING).
#[macro_export]
macro_rules! warning {
    ($logger:expr, $($rest:tt)+) => { $crate::log!($logger, $crate::Level::WARNING, $($rest)+) };
}

/// Logs at [`Level::ERROR`](crate::Level::ERROR).
#[macro_export]
macro_rules! error {
    ($logger:expr, $($rest:tt)+) => { $crate::log!($logger, $crate::Level::ERROR, $($rest)+) };
}

/// Logs at [`Level::CRITICAL`](crate::Level::CRITICAL).
#[macro_export]
macro_rules! critical {
    ($logger:expr, $($rest:tt)+) => { $crate::log!($logger, $crate::Level::CRITICAL, $($rest)+) };
}

/// Logs an error value at [`Level::ERROR`](crate::Level::ERROR): the message, and below it the error with
/// its causes.
///
/// ```
/// let log = duramen::get_logger("app");
/// if let Err(error) = "seven".parse::<u32>() {
///     duramen::exception!(log, error, "no number in {}", "the settings");
/// }
/// ```
#[macro_export]
macro_rules! exception {
    ($logger:expr, $error:expr, $($format:tt)+) => {{
        let logger = &$logger;
        if logger.is_enabled_for($crate::Level::ERROR) {
            let caller = $crate::record::Caller::of_source(file!(), line!(), module_path!());
            logger.log_error($crate::Level::ERROR, &$error, format_args!($($format)+), &[], caller);
        }
    }};
}
