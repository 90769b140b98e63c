//! What a configuration says when it is wrong.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use duramen::config::{self, Recipe, Registry};
use duramen::handler::NullHandler;
use duramen::{Level, Manager};

use crate::mistakes;

#[test]
fn all_mistakes_are_told_at_once_with_their_paths() {
    let text = r#"{
        "version": 2, "handlrs": {},
        "formatters": {
            "line": {"format": "%(nothing)s"},
            "json": {"class": "duramen.formatters.JsonFormatter", "preset": "esc", "time_format": "unix"},
            "odd": {"class": "duramen.formatters.JsonFormater"}
        },
        "filters": {
            "limit": {"()": "duramen.filters.RateLimitFilter", "rate": 0},
            "mask": {"()": "duramen.filters.RedactingFilter", "packs": ["pi"], "patterns": {"a": "(", "b": "x*"}}
        },
        "handlers": {
            "file": {"class": "logging.handlers.RotatingFileHandler", "filename": "a.log", "maxBytes": "ten",
                     "encoding": "latin-1", "formatter": "lines", "backupcount": 3},
            "none": {"class": "logging.handlers.FileHandler"}
        },
        "loggers": {"app": {"level": "LOUD", "handlers": ["flie"], "propagate": "no"}},
        "root": {"handlers": "file"}
    }"#;
    let found = mistakes(config::from_json(text));
    let begin = [
        "version: found 2, expected 1",
        "handlrs: found an unknown option, expected one of disable_existing_loggers, filters, formatters, handlers, incremental, loggers, redact, root, version; did you mean \"handlers\"?",
        "formatters.line.format: found the unknown field \"nothing\" in \"%(nothing)s\", expected one of name, levelname, ",
        "formatters.json.preset: found \"esc\", expected one of ecs, opentelemetry",
        "formatters.json.time_format: found \"unix\", expected one of rfc3339",
        "formatters.odd.class: found \"duramen.formatters.JsonFormater\", expected one of logging.Formatter",
        "filters.limit.rate: found 0, expected records a second, above 0",
        "filters.mask.packs[0]: found \"pi\", expected one of credentials, pii, financial",
        "filters.mask.patterns.a: found ",
        "filters.mask.patterns.b: found \"x*\"",
        "handlers.file.formatter: found \"lines\", expected a formatter: json, line, odd; did you mean \"line\"?",
        "handlers.file.maxBytes: found \"ten\", expected an integer of at least 0",
        "handlers.file.encoding: found \"latin-1\", expected \"utf-8\", the only one",
        "handlers.file.backupcount: found an unknown option, expected one of ",
        "handlers.none.class: found \"logging.handlers.FileHandler\"",
        "root.handlers: found \"file\", expected a list of names",
        "loggers.app.level: found \"LOUD\", expected one of CRITICAL",
        "loggers.app.propagate: found \"no\", expected true or false",
        "loggers.app.handlers[0]: found \"flie\", expected a handler: file, none; did you mean \"file\"?",
    ];
    for (index, begin) in begin.iter().enumerate() {
        let line = found.get(index).map_or("", String::as_str);
        assert!(line.starts_with(begin), "{index}: {line}\nin place of {begin}");
    }
    assert_eq!(found.len(), begin.len(), "{found:#?}");
    assert!(found[5].ends_with("did you mean \"duramen.formatters.JsonFormatter\"?"), "{}", found[5]);
    assert!(found[14].ends_with("did you mean \"logging.FileHandler\"?"), "{}", found[14]);
    assert!(!Path::new("a.log").exists());
}

#[test]
fn mistakes_about_queues_and_the_network_have_their_paths() {
    let text = r#"{"version": 1, "formatters": {"f": {}}, "handlers": {
        "none": {"class": "duramen.handlers.AsyncHandler", "handlers": []},
        "twice": {"class": "duramen.handlers.AsyncHandler", "handlers": ["web", "web"], "overflow": "lose",
                  "flush_interval": 61, "formatter": "f"},
        "queue": {"class": "logging.handlers.QueueHandler", "handlers": ["nobody"], "queue": "ext://q.Q"},
        "web": {"class": "logging.handlers.HTTPHandler", "host": "log:x", "url": "/", "method": "PUT",
                "secure": true, "credentials": ["a"]},
        "mail": {"class": "logging.handlers.SMTPHandler", "mailhost": ["mx", 0], "fromaddr": "a@b", "toaddrs": [],
                 "subject": "s", "credentials": ["a", "b"]}
    }}"#;
    let found = mistakes(config::from_json(text));
    for path in [
        "handlers.none.handlers: ",
        "handlers.twice.handlers[1]: ",
        "handlers.twice.overflow: ",
        "handlers.twice.flush_interval: ",
        "handlers.twice.formatter: ",
        "handlers.queue.handlers[0]: ",
        "handlers.queue.queue: ",
        "handlers.web.host: ",
        "handlers.web.method: ",
        "handlers.web.secure: ",
        "handlers.web.credentials: ",
        "handlers.mail.mailhost: ",
        "handlers.mail.toaddrs: ",
        "handlers.mail.credentials: ",
    ] {
        assert!(found.iter().any(|mistake| mistake.starts_with(path)), "{path} {found:#?}");
    }
    assert_eq!(found.len(), 14, "{found:#?}");
}

#[cfg(all(feature = "yaml", feature = "toml"))]
#[test]
fn text_that_is_in_no_form_is_told_with_its_place() {
    let place = |result| mistakes(result)[0].split(": found").next().unwrap_or_default().to_owned();
    assert_eq!(place(config::from_json("{\n  \"version\" 1}")), "line 2, column 13");
    assert_eq!(place(config::from_toml("version = 1\nroot = ]")), "line 2, column 8");
    assert!(place(config::from_yaml("version: 1\nroot: [a\n")).starts_with("line "));
    assert_eq!(place(config::from_ini("[a]\nb")), "line 2, column 1");
    assert!(mistakes(config::from_yaml("a: 1\na: 2\n"))[0].contains("a second time"));
    assert!(mistakes(config::from_json("{\"a\": 1, \"a\": 2}"))[0].contains("stands twice"));
    assert!(
        mistakes(config::from_yaml("a: !!python/object:os.system x\n"))[0].contains("which is not known")
    );
    let bomb = (1..12).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text + &format!("a{level}: &a{level} [{aliases}]\n")
    });
    assert!(mistakes(config::from_yaml(&bomb))[0].contains("more than 100000 values"));
    let wrong = mistakes(config::from_toml("version = 1\nroot = {}\nroot = {}\n"));
    assert!(wrong[0].starts_with("line 3, column 1: found "), "{}", wrong[0]);
    for nested in [config::from_json(&"[".repeat(100_000)), config::from_yaml(&"[".repeat(100_000))] {
        assert!(!mistakes(nested).is_empty());
    }
    for empty in [config::from_json(""), config::from_yaml(""), config::from_toml(""), config::from_ini("")] {
        assert!(!mistakes(empty).is_empty());
    }
}

#[cfg(all(feature = "yaml", feature = "toml"))]
#[test]
fn what_is_no_mapping_as_a_whole_is_one_mistake() {
    let expected = |found: &str| {
        vec![format!("the configuration: found {found}, expected a mapping, with \"version\" in it")]
    };
    assert_eq!(mistakes(config::from_json("[1, {}]")), expected("[1, {}]"));
    assert_eq!(mistakes(config::from_yaml("- version: 1\n")), expected("[{version: 1}]"));
    assert_eq!(mistakes(config::from_yaml("version\n")), expected("\"version\""));
    assert_eq!(mistakes(config::from_yaml("cfg://root\n")), expected("\"cfg://root\""));
    assert_eq!(mistakes(config::from_yaml("# nothing\n")), expected("nothing"));
    assert_eq!(mistakes(config::from_json("7")), expected("7"));
    assert_eq!(mistakes(config::from_dict(&duramen::Value::Null)), expected("nothing"));
    // TOML and INI files are mappings.
    assert_eq!(mistakes(config::from_toml(""))[0], "version: found nothing, expected 1");
}

#[test]
fn an_option_that_an_ini_file_gives_twice_is_a_mistake() {
    let text = |more: &str| {
        format!(
            "[loggers]\nkeys=root\n[handlers]\nkeys=a\n[formatters]\nkeys=\n[logger_root]\nhandlers=a\n\
             [handler_a]\nclass=FileHandler\nlevel=INFO\n{more}\n"
        )
    };
    let found = |more: &str| mistakes(config::from_ini(&text(more)));
    assert_eq!(
        found("args=('a.log',)\nkwargs={'delay': True, 'delay': False}"),
        ["[handler_a] kwargs: found the key \"delay\" a second time, \
             expected literals, sys.stdout or sys.stderr: nothing is evaluated"]
    );
    let again = |name: &str| {
        vec![format!("[handler_a] kwargs: found {name:?}, which is given already, expected each option once")]
    };
    assert_eq!(found("args=('a.log', 'w')\nkwargs={'mode': 'a'}"), again("mode"));
    assert_eq!(found("args=('a.log',)\nkwargs={'level': 10}"), again("level"));
    assert_eq!(
        found("args=()\nargs=('a.log',)"),
        ["line 13, column 1: found the option \"args\" a second time, expected INI"]
    );
    assert_eq!(
        found("[logger_root]"),
        ["line 12, column 1: found the section [logger_root] a second time, expected INI"]
    );
}

#[test]
fn a_file_that_cannot_be_opened_changes_nothing_and_empties_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let (kept, first, second) =
        (folder.path().join("kept.log"), folder.path().join("no/1.log"), folder.path().join("no/2.log"));
    fs::write(&kept, "kept\n").expect("written");
    let text = format!(
        r#"{{"version": 1, "handlers": {{
            "kept": {{"class": "logging.FileHandler", "filename": {kept:?}, "mode": "w"}},
            "first": {{"class": "logging.FileHandler", "filename": {first:?}}},
            "second": {{"class": "logging.FileHandler", "filename": {second:?}}}
        }}, "root": {{"level": "DEBUG", "handlers": ["kept", "first", "second"]}}}}"#
    );
    let manager = Manager::new();
    let app = manager.get_logger("app");
    let found = mistakes(config::from_json(&text).expect("right").apply_to(&manager));
    assert_eq!(found.len(), 2);
    assert!(found[0].starts_with("handlers.first.filename: found "), "{}", found[0]);
    assert!(found[1].starts_with("handlers.second.filename: found "), "{}", found[1]);
    assert_eq!(fs::read_to_string(&kept).expect("there"), "kept\n");
    assert_eq!(manager.root().level(), Level::WARNING);
    assert!(!manager.root().has_handlers());
    assert!(app.is_enabled_for(Level::ERROR));
}

#[test]
fn kinds_of_the_program_are_checked_like_those_of_duramen() {
    let registry = Registry::new().handler("shop.Pager", |options| {
        let number = options.required_text("number")?.to_owned();
        Some(Recipe::new(move |_| match &*number {
            "" => Err(std::io::Error::other("no number")),
            _ => Ok(Arc::new(NullHandler)),
        }))
    });
    let text = |number: &str, more: &str| {
        format!(
            r#"{{"version": 1, "handlers": {{"pager": {{"()": "shop.Pager", "number": {number} {more}}}}}}}"#
        )
    };
    let check = |text: &str| registry.from_json(text).and_then(|settings| settings.apply_to(&Manager::new()));
    assert_eq!(mistakes(check(&text("5", ""))), ["handlers.pager.number: found 5, expected text"]);
    let found = mistakes(check(&text("\"5\"", ", \"ringtone\": 1")));
    assert!(found[0].starts_with("handlers.pager.ringtone: found an unknown option"), "{}", found[0]);
    assert_eq!(mistakes(check(&text("\"\"", ""))), ["handlers.pager: found no number, expected a handler"]);
    assert!(check(&text("\"5\"", "")).is_ok());
    let unknown = mistakes(config::from_json(&text("\"5\"", "")));
    assert!(
        unknown[0].starts_with("handlers.pager.(): found \"shop.Pager\", expected one of"),
        "{}",
        unknown[0]
    );
}
