//! Formatters and filters as a configuration describes them, seen in the lines.

use std::fs;

use duramen::config;
use duramen::{Level, Manager, Value, error, info, log, warning};

use crate::{mistakes, one_file, written};

#[test]
fn the_redact_section_masks_behind_the_handlers_own_filters() {
    let folder = tempfile::tempdir().expect("a folder");
    let sections = r#""formatters": {"f": {"()": "duramen.formatters.LogfmtFormatter", "fields": ["message"]}},
        "redact": {"packs": ["credentials", "pii"], "keys": ["user.pin"]},"#;
    let settings = one_file(folder.path(), sections, "");
    let text = written(&settings, folder.path(), |manager| {
        let user = Value::Map(vec![("pin".into(), Value::Integer(1234)), ("id".into(), Value::Integer(7))]);
        let log = manager.get_logger("app");
        log!(log, Level::INFO, ["user" => user], "password={} of {}", "hunter2", "ada@example.org");
    });
    assert_eq!(text, "message=\"password=*** of ***\" user=\"{\\\"pin\\\": \\\"***\\\", \\\"id\\\": 7}\"\n");

    let wrong = r#"{"version": 1, "handlers": {"a": {"class": "logging.NullHandler"}},
        "redact": {"handlers": ["b"], "mode": "none", "pseudonym_key_env": "DURAMEN_NOT_SET_IN_ANY_TEST"}}"#;
    assert_eq!(
        mistakes(config::from_json(wrong)),
        [
            "redact.handlers[0]: found \"b\", expected a handler: a",
            "redact.mode: found \"none\", expected one of mask, partial, pseudonym, type, drop",
            "redact.pseudonym_key_env: found \"DURAMEN_NOT_SET_IN_ANY_TEST\", expected a variable of the environment that is set",
        ]
    );
    let on_logger = r#"{"version": 1, "filters": {"m": {"()": "duramen.filters.RedactingFilter"}},
        "root": {"filters": ["m"]}}"#;
    assert!(
        mistakes(config::from_json(on_logger))[0].starts_with("root.filters[0]: found a filter that masks")
    );
}

#[test]
fn what_filters_hold_back_is_said_by_the_next_record_and_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let sections = r#""formatters": {"f": {"()": "duramen.formatters.LogfmtFormatter", "fields": ["message"]}},
        "filters": {
            "limit": {"()": "duramen.filters.RateLimitFilter", "rate": 0.000001, "burst": 3, "per": "level"},
            "once": {"()": "duramen.filters.DuplicateFilter", "window": 100000}
        },"#;
    let settings = one_file(folder.path(), sections, r#", "filters": ["once", "limit"]"#);
    let text = written(&settings, folder.path(), |manager| {
        let log = manager.get_logger("app");
        for _ in 0..3 {
            info!(log, "slow");
        }
        for number in 0..4 {
            warning!(log, "{number}");
        }
        error!(log, "never held back");
    });
    assert_eq!(
        text,
        "message=slow\nmessage=0\nmessage=1\nmessage=2\nmessage=\"never held back\"\n\
         message=\"slow [repeated 2 times]\" suppressed=2\nmessage=\"3 [1 more suppressed]\" suppressed=1\n"
    );
}

#[test]
fn each_value_of_a_field_may_have_a_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let limited = |per: &str| {
        let sections = format!(
            r#""formatters": {{"f": {{"()": "duramen.formatters.LogfmtFormatter", "fields": ["message"]}}}},
            "filters": {{"limit": {{"()": "duramen.filters.RateLimitFilter", "rate": 0.000001, "per": {per:?}}}}},"#
        );
        one_file(folder.path(), &sections, r#", "filters": ["limit"]"#)
    };
    let text = written(&limited("field:customer"), folder.path(), |manager| {
        let log = manager.get_logger("app");
        for customer in ["a", "b", "a"] {
            info!(log, "late"; customer = customer);
        }
        info!(log, "nobody's");
        info!(log, "nobody's");
        info!(manager.get_logger("web"), "nobody's");
    });
    assert_eq!(
        text,
        "message=late customer=a\nmessage=late customer=b\nmessage=nobody's\n\
         message=\"nobody's [2 more suppressed]\" suppressed=2\n\
         message=\"late [1 more suppressed]\" customer=a suppressed=1\n"
    );
    for wrong in ["field:", "field:name", "day"] {
        let filters = format!(
            r#"{{"version": 1, "filters": {{"limit":
                {{"()": "duramen.filters.RateLimitFilter", "rate": 1, "per": {wrong:?}}}}}}}"#
        );
        let found = mistakes(config::from_json(&filters));
        let expected = "expected \"logger\", \"level\", \"field:NAME\" or null";
        assert_eq!(found, [format!("filters.limit.per: found {wrong:?}, {expected}")]);
    }
}

#[test]
fn json_may_have_lines_as_python_indents_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let formatter = r#""formatters": {"f": {"class": "duramen.formatters.JsonFormatter", "format": "%(message)s", "json_indent": 1}},"#;
    let settings = one_file(folder.path(), formatter, "");
    let found = written(&settings, folder.path(), |manager| {
        log!(manager.root(), Level::INFO, ["n" => Value::Integer(1)], "hello");
    });
    assert_eq!(found, "{\n \"message\": \"hello\",\n \"n\": 1\n}\n");
}

#[test]
fn exceptions_stand_before_extra_fields() {
    let folder = tempfile::tempdir().expect("a folder");
    let formatter =
        r#""formatters": {"f": {"class": "duramen.formatters.JsonFormatter", "fields": ["message"]}},"#;
    let settings = one_file(folder.path(), formatter, "");
    let found = written(&settings, folder.path(), |manager| {
        let failure = std::io::Error::other("full");
        duramen::exception!(manager.root(), failure, "failed"; n = 1);
    });
    assert_eq!(found, "{\"message\": \"failed\", \"exc_info\": \"full\", \"n\": 1}\n");
}

#[test]
fn lines_show_extra_fields_that_have_defaults() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |options: &str| {
        let text = format!(
            r#"{{"version": 1, "formatters": {{"f": {{{options}}}}},
                "handlers": {{"file": {{"class": "logging.FileHandler", "filename": {:?}, "formatter": "f", "mode": "w"}}}},
                "root": {{"level": "INFO", "handlers": ["file"]}}}}"#,
            folder.path().join("app.log")
        );
        config::from_json(&text)
    };
    let settings = line(
        r#""()": "duramen.formatters.EscapingFormatter", "format": "{user:>5}|{n}|{on}|{message}", "style": "{",
           "defaults": {"user": "-", "n": 0, "on": false}"#,
    );
    let manager = Manager::new();
    settings.expect("right").apply_to(&manager).expect("applied");
    let log = manager.root();
    duramen::info!(log, "a\nb");
    duramen::info!(log, "\x1b[31m"; user = 5, n = "x\ny", on = true);
    let written = fs::read_to_string(folder.path().join("app.log")).expect("written");
    assert_eq!(written, "    -|0|False|a\\nb\n    5|x\\ny|True|\\x1b[31m\n");

    let found = mistakes(line(r#""format": "%(user)s""#));
    let unknown =
        "formatters.f.format: found the unknown field \"user\" in \"%(user)s\", expected one of name, ";
    assert!(found[0].starts_with(unknown), "{found:?}");
    assert!(found[0].contains("or one that `defaults` have a value for"), "{found:?}");
    for (style, format) in
        [("%", "%(messag)s %(usr)-5s"), ("{", "{messag} {usr:>5}"), ("$", "$messag ${usr}")]
    {
        let options = format!(r#""format": "{format}", "style": "{style}", "defaults": {{"user": "-"}}"#);
        let found = mistakes(line(&options));
        assert_eq!(found.len(), 2, "each is told: {found:?}");
        assert!(
            found[0].contains("field \"messag\" in") && found[0].ends_with("mean \"message\"?"),
            "{found:?}"
        );
        assert!(found[1].contains("field \"usr\" in") && found[1].ends_with("mean \"user\"?"), "{found:?}");
    }
    let found = mistakes(line(r#""format": "%(message)""#));
    assert!(found[0].contains("found \"%(message)\", expected a format of its style"), "{found:?}");
    let found = mistakes(line(r#""format": "%(user)d", "defaults": {"user": "-"}"#));
    assert_eq!(found.len(), 1, "a text is no number: {found:?}");
}
