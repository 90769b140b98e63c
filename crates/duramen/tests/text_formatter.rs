//! The entry that a text formatter appends: exception and stack below the line, each on a line of its own.

use duramen::formatter::{EscapingFormatter, Formatter as _, Style, TextFormatter};
use duramen::record::Caller;
use duramen::{Level, Record};
use jiff::tz::TimeZone;

fn record<'a>(message: &'a str, exception: Option<&'a str>, stack: Option<&'a str>) -> Record<'a> {
    Record {
        name: "app",
        level: Level::ERROR,
        level_name: "ERROR",
        message,
        created_ns: 1_700_000_000_123_456_789,
        relative_created_ms: 1.5,
        caller: Caller::of_source("src/main.rs", 7, "app"),
        thread: None,
        thread_name: None,
        process: None,
        process_name: None,
        task_name: None,
        fields: &[],
        exception,
        stack,
    }
}

fn appended(before: &str, record: &Record<'_>) -> String {
    let mut out = before.as_bytes().to_vec();
    TextFormatter::default().format(record, &mut out);
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn exception_and_stack_stand_below_the_message() {
    let whole = record("failed", Some("Error: disk\nfull"), Some("Stack:\n  main"));
    assert_eq!(appended("", &whole), "failed\nError: disk\nfull\nStack:\n  main");
}

#[test]
fn a_message_that_ends_its_line_gets_no_blank_line() {
    assert_eq!(appended("", &record("failed\n", Some("Error"), None)), "failed\nError");
}

#[test]
fn an_empty_message_before_an_exception_keeps_its_line_wherever_the_entry_stands() {
    let empty = record("", Some("Error"), None);
    assert_eq!(appended("", &empty), "\nError");
    assert_eq!(appended("earlier\n", &empty), "earlier\n\nError");
}

#[test]
fn the_time_has_milliseconds_unless_a_date_format_says_otherwise() {
    let line = |date_format| {
        let formatter = TextFormatter::new("{asctime} {message}", date_format, Style::Brace)
            .expect("a valid format")
            .in_zone(TimeZone::UTC);
        let mut out = Vec::new();
        formatter.format(&record("up", None, None), &mut out);
        String::from_utf8(out).expect("UTF-8")
    };
    assert_eq!(line(None), "2023-11-14 22:13:20,123 up");
    assert_eq!(line(Some("%H:%M")), "22:13 up");
}

#[test]
fn a_value_that_the_format_cannot_show_leaves_the_message() {
    let formatter =
        TextFormatter::new("%(thread)d %(message)s", None, Style::Percent).expect("a valid format");
    let mut out = Vec::new();
    formatter.format(&record("up", None, None), &mut out);
    assert_eq!(String::from_utf8(out).expect("UTF-8"), "up");
}

/// What a formatter shows of one record after another is what a fresh one shows of each.
#[test]
fn the_beginning_of_a_line_is_that_of_its_own_record() {
    let moments = [0, 1_000_000, 999_999_999, 1_000_000_000, 999_999_999, -1, -1_000_001];
    let levels =
        [(Level::INFO, "INFO"), (Level::ERROR, "ERROR"), (Level::ERROR, "FEHLER"), (Level(25), "INFO")];
    for (format, date_format) in [
        ("%(asctime)s %(levelname)s %(name)s %(message)s", None),
        ("%(levelname)s %(asctime)s %(message)s %(name)s", Some("%H:%M:%S")),
        ("%(asctime)s %(name)s %(levelname)s %(message)s", Some("%H:%M:%S.%f")),
        ("%(asctime)s %(asctime)s %(message)s %(asctime)s", None),
        ("%(asctime)s %(levelname)-8s %(thread)d %(message)s", None),
        ("%(name)s %(message)s", None),
    ] {
        let formatter =
            || TextFormatter::new(format, date_format, Style::Percent).expect("right").in_zone(TimeZone::UTC);
        let shared = formatter();
        for moment in moments {
            for (level, level_name) in levels {
                for (name, thread) in [("app", None), ("app", Some(7)), ("api", Some(7)), ("", None)] {
                    let of_moment = record("done", None, None);
                    let of_moment = Record {
                        name,
                        level,
                        level_name,
                        thread,
                        created_ns: of_moment.created_ns + moment,
                        ..of_moment
                    };
                    let (mut one, mut other) = (b"before ".to_vec(), b"before ".to_vec());
                    shared.format(&of_moment, &mut one);
                    formatter().format(&of_moment, &mut other);
                    assert_eq!(String::from_utf8_lossy(&one), String::from_utf8_lossy(&other));
                }
            }
        }
    }
}

#[test]
fn no_text_of_a_record_forges_a_line() {
    let layout = "{name}|{levelname}|{threadName}|{filename}|{funcName}|{message}";
    let formatter = EscapingFormatter::new(TextFormatter::new(layout, None, Style::Brace).expect("right"));
    let hostile = Record {
        name: "a\nb",
        level_name: "E\x1b[2J",
        thread_name: Some("t\r"),
        caller: Caller { filename: "f\n.rs", function: "g\u{2028}", ..Caller::of_source("f.rs", 7, "app") },
        ..record("m\n", Some("Error: \x1b[2J\n\tcause"), None)
    };
    let mut line = Vec::new();
    formatter.format(&hostile, &mut line);
    let expected = "a\\nb|E\\x1b[2J|t\\r|f\\n.rs|g\\u2028|m\\n\nError: \\x1b[2J\n\tcause";
    assert_eq!(String::from_utf8_lossy(&line), expected);
}
