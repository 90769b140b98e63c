//! The macros that applications log with. Each takes a logger, a format and its arguments, then fields behind a
//! semicolon, and knows where it stands. Neither arguments nor fields are evaluated when the level is not enabled.

/// Logs at any level: `log!(logger, Level(25), "kept {} of {}", kept, all)`.
///
/// Behind a semicolon stand extra fields, in the form of [`fields!`](crate::fields). The logger is a
/// [`Logger`](crate::Logger) or a [`BoundLogger`](crate::BoundLogger).
///
/// ```
/// use duramen::{Level, get_logger, log};
///
/// let log = get_logger("shop");
/// let (user, address) = (123, std::net::Ipv4Addr::LOCALHOST);
/// log!(log, Level::INFO, "{} logged in", "ada"; user_id = user, from = %address, groups = ?["staff"]);
/// ```
///
/// Fields whose names the program makes stand in brackets before the format, with a [`Value`](crate::Value) each:
/// `log!(logger, level, [name => Value::Integer(7)], "…")`.
#[macro_export]
macro_rules! log {
    ($logger:expr, $level:expr, [$($key:expr => $value:expr),* $(,)?], $($format:tt)+) => {{
        let logger = &$logger;
        let level = $level;
        if $crate::level::is_compiled(level) && logger.is_enabled_for(level) {
            const CALLER: $crate::record::Caller<'static> =
                $crate::record::Caller::of_source(file!(), line!(), module_path!());
            logger.log(level, format_args!($($format)+), &[$(($key, $value)),*], CALLER);
        }
    }};
    ($logger:expr, $level:expr, $($rest:tt)+) => {
        $crate::__log!(($logger, $level, log) [] $($rest)+)
    };
}

/// Logs at [`Level::DEBUG`](crate::Level::DEBUG), as [`log!`](crate::log) does.
///
/// ```
/// let log = duramen::get_logger("shop");
/// duramen::debug!(log, "looked up in {} ms", 3; cached = true);
/// ```
#[macro_export]
macro_rules! debug {
    ($logger:expr, $($rest:tt)+) => { $crate::log!($logger, $crate::Level::DEBUG, $($rest)+) };
}

/// Logs at [`Level::INFO`](crate::Level::INFO), as [`log!`](crate::log) does.
///
/// ```
/// let log = duramen::get_logger("shop");
/// duramen::info!(log, "order placed"; order = 17, total = 12.5);
/// ```
#[macro_export]
macro_rules! info {
    ($logger:expr, $($rest:tt)+) => { $crate::log!($logger, $crate::Level::INFO, $($rest)+) };
}

/// Logs at [`Level::WARNING`](crate::Level::WARNING), as [`log!`](crate::log) does.
///
/// ```
/// let log = duramen::get_logger("shop");
/// duramen::warning!(log, "{percent} % of the disk are used", percent = 91; disk = "/var");
/// ```
#[macro_export]
macro_rules! warning {
    ($logger:expr, $($rest:tt)+) => { $crate::log!($logger, $crate::Level::WARNING, $($rest)+) };
}

/// Logs at [`Level::ERROR`](crate::Level::ERROR), as [`log!`](crate::log) does.
///
/// ```
/// let log = duramen::get_logger("shop");
/// duramen::error!(log, "no mail sent"; attempt = 3, to = None::<&str>);
/// ```
#[macro_export]
macro_rules! error {
    ($logger:expr, $($rest:tt)+) => { $crate::log!($logger, $crate::Level::ERROR, $($rest)+) };
}

/// Logs at [`Level::CRITICAL`](crate::Level::CRITICAL), as [`log!`](crate::log) does.
///
/// ```
/// let log = duramen::get_logger("shop");
/// duramen::critical!(log, "no database left"; "db.host" = "primary");
/// ```
#[macro_export]
macro_rules! critical {
    ($logger:expr, $($rest:tt)+) => { $crate::log!($logger, $crate::Level::CRITICAL, $($rest)+) };
}

/// Logs an error value at [`Level::ERROR`](crate::Level::ERROR): the message, and below it the error with
/// its causes. Format and fields are those of [`log!`](crate::log). An error in a box is given as `*error`.
///
/// ```
/// let log = duramen::get_logger("app");
/// if let Err(error) = "seven".parse::<u32>() {
///     duramen::exception!(log, error, "no number in {}", "the settings"; line = 7);
/// }
/// ```
#[macro_export]
macro_rules! exception {
    ($logger:expr, $error:expr, $($rest:tt)+) => {
        $crate::__log!(($logger, $crate::Level::ERROR, log_error, $error) [] $($rest)+)
    };
}

/// Fields with their names: `fields![user_id = 7, request_id = %id, "http.status" = 200]`.
///
/// It is an array of names and [`Value`](crate::Value)s, which what logs or binds takes.
///
/// | form | the value |
/// | --- | --- |
/// | `key = value` | with its type: what has [`ToValue`](crate::value::ToValue) |
/// | `key = %value` | its text by `Display` |
/// | `key = ?value` | its text by `Debug` |
///
/// A key is a word, or a text in quotes. The values borrow: use the array in the statement that makes it.
///
/// ```
/// use duramen::{fields, get_logger, info};
///
/// let log = get_logger("shop").bind(fields![request_id = %"7f3a", user_id = 123]);
/// info!(log, "with both fields");
/// ```
#[macro_export]
macro_rules! fields {
    ($($field:tt)*) => { $crate::__fields!([] $($field)*) };
}

/// Binds fields to the running thread until what it gives, a [`Bound`](crate::context::Bound), is dropped. The
/// fields are those of [`fields!`](crate::fields).
///
/// ```
/// use duramen::{bound, context, get_logger, info};
///
/// let log = get_logger("shop");
/// {
///     let _bound = bound!(request_id = %"7f3a", user_id = 123);
///     info!(log, "with both fields");
/// }
/// assert!(context::get().is_empty());
/// ```
#[macro_export]
macro_rules! bound {
    ($($field:tt)+) => { $crate::context::bound($crate::fields![$($field)+]) };
}

/// Reads the arguments of a message one by one, up to the fields or the end, then logs: into brackets, or from the first
/// one with a name on into braces. An argument with a name has to be found before others: `name = value` is an
/// expression too.
#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    // Where the format says no more than where its arguments stand, they are given with their types. A message with an
    // error is rare enough to go the other way.
    (($logger:expr, $level:expr, log) [$format:expr, $($argument:expr,)*] $(; $($field:tt)*)?) => {{
        let logger = &$logger;
        let level = $level;
        if $crate::level::is_compiled(level) && logger.is_enabled_for(level) {
            const CALLER: $crate::record::Caller<'static> =
                $crate::record::Caller::of_source(file!(), line!(), module_path!());
            const TEMPLATE: &$crate::macro_support::Template =
                &$crate::macro_support::Template::of($format, <[&str]>::len(&[$(stringify!($argument)),*]));
            if TEMPLATE.is_plain() {
                #[allow(unused_imports)]
                use $crate::macro_support::{ByDisplay as _, ByType as _, Otherwise as _};
                // One statement: fields and arguments may live in it alone.
                logger.log(
                    level,
                    $crate::message::Message::of_template(
                        TEMPLATE,
                        &[$((&&$crate::macro_support::Given(&$argument)).argument()),*],
                    ),
                    &$crate::fields![$($($field)*)?],
                    CALLER,
                );
            } else {
                logger.log(
                    level,
                    format_args!($format, $($argument,)*),
                    &$crate::fields![$($($field)*)?],
                    CALLER,
                );
            }
        }
    }};
    ($to:tt [$($format:tt)+] $(; $($field:tt)*)?) => {
        $crate::__log!($to {$($format)+} $(; $($field)*)?)
    };
    (($logger:expr, $level:expr, $method:ident $(, $error:expr)?) {$($format:tt)+} $(; $($field:tt)*)?) => {{
        let logger = &$logger;
        let level = $level;
        if $crate::level::is_compiled(level) && logger.is_enabled_for(level) {
            const CALLER: $crate::record::Caller<'static> =
                $crate::record::Caller::of_source(file!(), line!(), module_path!());
            logger.$method(
                level,
                $(&$error,)?
                format_args!($($format)+),
                &$crate::fields![$($($field)*)?],
                CALLER,
            );
        }
    }};
    ($to:tt [$($format:tt)*] $name:ident = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__log!($to {$($format)* $name = $value,} $($($rest)*)?)
    };
    ($to:tt [$($format:tt)*] $name:ident = $value:expr; $($field:tt)*) => {
        $crate::__log!($to {$($format)* $name = $value,}; $($field)*)
    };
    ($to:tt [$($format:tt)*] $argument:expr $(, $($rest:tt)*)?) => {
        $crate::__log!($to [$($format)* $argument,] $($($rest)*)?)
    };
    ($to:tt [$($format:tt)*] $argument:expr; $($field:tt)*) => {
        $crate::__log!($to [$($format)* $argument,]; $($field)*)
    };
    // Behind an argument with a name all have one.
    ($to:tt {$($format:tt)*} $name:ident = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__log!($to {$($format)* $name = $value,} $($($rest)*)?)
    };
    ($to:tt {$($format:tt)*} $name:ident = $value:expr; $($field:tt)*) => {
        $crate::__log!($to {$($format)* $name = $value,}; $($field)*)
    };
    ($to:tt {$($format:tt)*} $argument:expr $(, $($rest:tt)*)?) => {
        $crate::__log!($to {$($format)* $argument,} $($($rest)*)?)
    };
    ($to:tt {$($format:tt)*} $argument:expr; $($field:tt)*) => {
        $crate::__log!($to {$($format)* $argument,}; $($field)*)
    };
}

/// Reads fields one by one into the brackets, then gives the array.
#[doc(hidden)]
#[macro_export]
macro_rules! __fields {
    ([$($done:tt)*]) => { [$($done)*] };
    ([$($done:tt)*] $key:tt = % $value:expr $(, $($rest:tt)*)?) => {
        $crate::__fields!(
            [$($done)* $crate::macro_support::text($crate::__key!($key), format_args!("{}", $value)).field(),]
            $($($rest)*)?
        )
    };
    ([$($done:tt)*] $key:tt = ? $value:expr $(, $($rest:tt)*)?) => {
        $crate::__fields!(
            [$($done)* $crate::macro_support::text($crate::__key!($key), format_args!("{:?}", $value)).field(),]
            $($($rest)*)?
        )
    };
    ([$($done:tt)*] $key:tt = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__fields!(
            [$($done)* $crate::macro_support::typed($crate::__key!($key), &$value),]
            $($($rest)*)?
        )
    };
    ($($other:tt)*) => {
        compile_error!("a field is written as `key = value`, `key = %value` or `key = ?value`")
    };
}

/// The name of a field: a text, or a word.
#[doc(hidden)]
#[macro_export]
macro_rules! __key {
    ($key:literal) => {
        $key
    };
    ($key:tt) => {
        stringify!($key)
    };
}
