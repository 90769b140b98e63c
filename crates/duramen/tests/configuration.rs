//! What a configuration does to loggers, and what it says when it is wrong.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use duramen::config::{self, ConfigError, Recipe, Registry, Reloader, Settings};
use duramen::handler::NullHandler;
use duramen::{Level, Manager, Value, error, info, log, warning};
use duramen_testkit::servers;

fn mistakes(result: Result<impl Sized, ConfigError>) -> Vec<String> {
    match result {
        Ok(_) => Vec::new(),
        Err(ConfigError::Mistakes(mistakes)) => mistakes.list().iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

/// Applies the settings, runs `body`, closes the handlers, and gives the content of the file `app.log`.
fn written(settings: &Settings, folder: &Path, body: impl FnOnce(&Manager)) -> String {
    let manager = Manager::new();
    settings.apply_to(&manager).expect("applied");
    body(&manager);
    manager.shutdown();
    fs::read_to_string(folder.join("app.log")).expect("written")
}

/// A configuration of one handler that writes to `app.log` in `folder`, with `formatter` and more options.
fn one_file(folder: &Path, sections: &str, options: &str) -> Settings {
    let path = folder.join("app.log").display().to_string();
    let text = format!(
        r#"{{"version": 1, {sections}
        "handlers": {{"file": {{"class": "logging.FileHandler", "filename": {path:?}, "formatter": "f" {options}}}}},
        "root": {{"level": "DEBUG", "handlers": ["file"]}}}}"#
    );
    config::from_json(&text).expect("right")
}

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
        "version: found 2, expected an integer from 1 to 1",
        "handlrs: found an unknown option, expected one of disable_existing_loggers, filters, formatters, handlers, incremental, loggers, redact, root, version; did you mean \"handlers\"?",
        "formatters.line.format: found \"%(nothing)s\", expected a format of its style",
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
fn loggers_that_are_not_named_are_switched_off_unless_they_are_to_stay() {
    let manager = Manager::new();
    let [old, named, below] = ["old", "app", "app.db"].map(|name| manager.get_logger(name));
    below.set_level(Level::DEBUG);
    let apply = |text: &str| config::from_json(text).expect("right").apply_to(&manager).expect("applied");
    apply(r#"{"version": 1, "loggers": {"app": {"level": "ERROR"}}}"#);
    assert!(!old.is_enabled_for(Level::CRITICAL));
    assert!(named.is_enabled_for(Level::ERROR) && !named.is_enabled_for(Level::WARNING));
    assert_eq!(below.level(), Level::NOTSET, "below a named logger they begin anew");
    apply(r#"{"version": 1, "disable_existing_loggers": false, "root": {"level": 25}}"#);
    assert!(old.is_enabled_for(Level(25)) && !old.is_enabled_for(Level(24)));
}

#[test]
fn an_incremental_configuration_changes_levels_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = one_file(folder.path(), r#""formatters": {"f": {"format": "%(message)s"}},"#, "");
    let text = written(&settings, folder.path(), |manager| {
        let apply = |text: &str| config::from_json(text).and_then(|settings| settings.apply_to(manager));
        let log = manager.get_logger("app");
        info!(log, "one");
        apply(r#"{"version": 1, "incremental": true, "handlers": {"file": {"level": "ERROR"}}}"#)
            .expect("applied");
        info!(log, "two");
        error!(log, "three");
        let missing =
            apply(r#"{"version": 1, "incremental": true, "handlers": {"other": {"level": "ERROR"}}}"#);
        assert_eq!(
            mistakes(missing),
            ["handlers.other: found no such handler, expected a handler of the configuration that holds"]
        );
        apply(r#"{"version": 1, "incremental": true, "root": {"level": "CRITICAL"}}"#).expect("applied");
        error!(log, "four");
    });
    assert_eq!(text, "one\nthree\n");
}

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
fn a_memory_handler_gives_its_records_to_its_target() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let text = format!(
        r#"{{"version": 1, "handlers": {{
            "buffer": {{"class": "logging.handlers.MemoryHandler", "capacity": 10, "flushLevel": "ERROR", "target": "file"}},
            "file": {{"class": "logging.FileHandler", "filename": {path:?}, "delay": true}}
        }}, "root": {{"level": "INFO", "handlers": ["buffer"]}}}}"#
    );
    let settings = config::from_json(&text).expect("right");
    let text = written(&settings, folder.path(), |manager| {
        info!(manager.root(), "kept");
        assert!(!path.exists(), "it is opened at the first record");
        error!(manager.root(), "failed");
        assert_eq!(fs::read_to_string(&path).expect("there"), "kept\nfailed\n");
        info!(manager.root(), "last");
    });
    assert_eq!(text, "kept\nfailed\nlast\n");

    let circle = r#"{"version": 1, "handlers": {
        "a": {"class": "logging.handlers.MemoryHandler", "capacity": 1, "target": "b"},
        "b": {"class": "logging.handlers.MemoryHandler", "capacity": 1, "target": "a"}}}"#;
    let expected = "expected targets that do not lead back to the handler";
    assert_eq!(
        mistakes(config::from_json(circle)),
        [format!("handlers.a: found \"b\", {expected}"), format!("handlers.b: found \"a\", {expected}")]
    );
}

#[test]
fn references_lead_to_other_places_of_the_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let sections = r#""shop": {"formats": ["%(levelname)s", "%(message)s!"]},
        "formatters": {"f": {"format": "cfg://shop.formats[1]"}},"#;
    let text = written(&one_file(folder.path(), sections, ""), folder.path(), |manager| {
        info!(manager.root(), "sold");
    });
    assert_eq!(text, "sold!\n");
    let wrong = r#"{"version": 1, "root": {"level": "cfg://root.level", "handlers": "cfg://shop[x]"}}"#;
    let found = mistakes(config::from_json(wrong));
    assert!(found[0].ends_with("expected a reference that does not lead back to itself"), "{}", found[0]);
    assert_eq!(
        found[1],
        "root.handlers: found \"cfg://shop[x]\", expected a place in the configuration; there is no \"shop\""
    );
}

#[cfg(all(feature = "yaml", feature = "toml"))]
#[test]
fn every_form_gives_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let path = path.display();
    let yaml = format!(
        "version: 1\nx: &line\n  format: \"%(levelname)s:%(name)s:%(message)s\"\nused: cfg://x\nformatters:\n  f: {{<<: *line}}\n\
         handlers:\n  file:\n    class: logging.handlers.RotatingFileHandler\n    filename: '{path}'\n    \
         maxBytes: 1_000\n    backupCount: 2\n    mode: w\n    delay: no\n    formatter: f\nroot: {{level: INFO, handlers: [file]}}\n"
    );
    // `x` is named by nobody else than the anchor.
    let yaml = yaml
        .replace("used: cfg://x\n", "")
        .replace("    delay: no\n", "    delay: no\n    level: cfg://x.level\n");
    let yaml = yaml
        .replace("x: &line\n", "x: &line\n  level: 5\n")
        .replace("{<<: *line}", "{format: cfg://x.format}");
    let toml = format!(
        "version = 1\n[formatters.f]\nformat = \"%(levelname)s:%(name)s:%(message)s\"\n[handlers.file]\n\
         class = \"logging.handlers.TimedRotatingFileHandler\"\nfilename = '{path}'\nwhen = \"midnight\"\natTime = 03:30:00\n\
         utc = true\nformatter = \"f\"\n[root]\nlevel = \"INFO\"\nhandlers = [\"file\"]\n"
    );
    let ini = format!(
        "[loggers]\nkeys = root, quiet\n[handlers]\nkeys=file\n[formatters]\nkeys=f\n\
         [formatter_f]\nformat=%(levelname)s:%(name)s:%(message)s\n\
         [handler_file]\nclass=handlers.WatchedFileHandler\nformatter: f\nargs=('{path}',\n   'a')\nkwargs={{'delay': True}}\n\
         # The loggers\n[logger_root]\nlevel=INFO\nhandlers=file\n\
         [logger_quiet]\nqualname=app.quiet\nhandlers=\npropagate=0\n"
    );
    let all = [config::from_yaml(&yaml), config::from_toml(&toml), config::from_ini(&ini)];
    for settings in all {
        let settings = settings.expect("right");
        fs::write(folder.path().join("app.log"), "").expect("emptied");
        let text = written(&settings, folder.path(), |manager| info!(manager.get_logger("app"), "hello"));
        assert_eq!(text, "INFO:app:hello\n");
    }
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
    for nested in [config::from_json(&"[".repeat(100_000)), config::from_yaml(&"[".repeat(100_000))] {
        assert!(!mistakes(nested).is_empty());
    }
    for empty in [config::from_json(""), config::from_yaml(""), config::from_toml(""), config::from_ini("")] {
        assert!(!mistakes(empty).is_empty());
    }
}

#[test]
fn ini_files_evaluate_nothing_and_tell_all_that_is_wrong() {
    let text = "[loggers]\nkeys=root\n[handlers]\nkeys=a,b\n[formatters]\nkeys=\n\
        [handler_a]\nclass=StreamHandler\nargs=(open('x', 'w'),)\n[logger_root]\nhandlers=c\n";
    assert_eq!(
        mistakes(config::from_ini(text)),
        [
            "[handler_a] args: found \"open('x', 'w'),)\", which would have to be evaluated, expected literals, sys.stdout or sys.stderr: nothing is evaluated",
            "[handler_b]: found nothing, expected this section",
            "root.handlers[0]: found \"c\", expected a handler: a, b",
        ]
    );
}

#[test]
fn ini_files_take_options_from_their_section_and_the_default_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = |name: &str| {
        format!(
            "[DEFAULT]\nfolder={}\n[loggers]\nkeys=root\n[handlers]\nkeys=file\n[formatters]\nkeys=\n\
             [handler_file]\nclass=FileHandler\nname=app\nargs=('%({name})s/%(name)s.log',)\n\
             [logger_root]\nlevel=INFO\nhandlers=file\n",
            folder.path().display()
        )
    };
    let settings = config::from_ini(&text("folder")).expect("right");
    assert_eq!(written(&settings, folder.path(), |manager| info!(manager.root(), "100%")), "100%\n");
    assert_eq!(
        mistakes(config::from_ini(&text("place"))),
        ["[handler_file] args: found \"%(place)s\", expected an option of the section or of [DEFAULT]"]
    );
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

#[test]
fn a_file_is_applied_again_when_it_has_changed_and_a_wrong_one_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, log) = (folder.path().join("logging.json"), folder.path().join("app.log"));
    let text = |level: &str| {
        format!(
            r#"{{"version": 1, "handlers": {{"file": {{"class": "logging.FileHandler", "filename": {log:?}}}}},
            "root": {{"level": "{level}", "handlers": ["file"]}}}}"#
        )
    };
    let manager = Manager::new();
    let mut reloader = Reloader::new(&path).manager(manager.clone());
    assert!(matches!(reloader.reload_if_changed(), Err(ConfigError::Unreadable(..))));
    fs::write(&path, text("INFO")).expect("written");
    assert!(reloader.reload_if_changed().expect("applied"));
    info!(manager.root(), "one");
    fs::write(&path, text("LOUD")).expect("written");
    let error = reloader.reload_if_changed().expect_err("wrong").to_string();
    assert!(
        error.starts_with(&format!(
            "the configuration file {} cannot be used:\n  root.level: ",
            path.display()
        ))
    );
    info!(manager.root(), "two");
    fs::write(&path, text("ERROR")).expect("written");
    assert!(reloader.reload_if_changed().expect("applied"));
    assert!(!reloader.reload_if_changed().expect("as before"));
    info!(manager.root(), "three");
    error!(manager.root(), "four");
    assert_eq!(manager.root().handlers().len(), 1);
    assert_eq!(fs::read_to_string(&log).expect("there"), "one\ntwo\nfour\n");
}

#[test]
fn when_a_file_is_on_the_disk_is_an_option_of_every_handler_of_files() {
    let folder = tempfile::tempdir().expect("a folder");
    for fsync in ["\"never\"", "\"rotation\"", "\"record\"", "\"5s\"", "5", "0.5", "null"] {
        let settings =
            one_file(folder.path(), r#""formatters": {"f": {}},"#, &format!(r#","fsync": {fsync}"#));
        let text = written(&settings, folder.path(), |manager| info!(manager.root(), "{}", fsync));
        assert!(text.ends_with(&format!("{fsync}\n")), "{text}");
    }
    let classes = [
        "FileHandler",
        "handlers.WatchedFileHandler",
        "handlers.RotatingFileHandler",
        "handlers.TimedRotatingFileHandler",
    ];
    for class in classes {
        let wrong = |fsync: &str| {
            let handler = format!(r#"{{"class": "logging.{class}", "filename": "a.log", "fsync": {fsync}}}"#);
            mistakes(config::from_json(&format!(r#"{{"version": 1, "handlers": {{"f": {handler}}}}}"#)))
        };
        let expected = "expected \"never\", \"rotation\", \"record\", or an interval";
        for fsync in ["\"always\"", "0", "-1.5"] {
            let found = wrong(fsync);
            let start = format!("handlers.f.fsync: found {fsync}, {expected}");
            assert!(found.len() == 1 && found[0].starts_with(&start), "{found:?}");
        }
        assert_eq!(wrong("\"record\""), Vec::<String>::new());
    }
}

#[test]
fn a_file_may_hold_records_back_up_to_a_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = one_file(folder.path(), r#""formatters": {"f": {}},"#, r#","buffer_size": 10"#);
    let read = || fs::read_to_string(folder.path().join("app.log")).expect("a file");
    let text = written(&settings, folder.path(), |manager| {
        info!(manager.root(), "one");
        assert_eq!(read(), "");
        info!(manager.root(), "three");
        info!(manager.root(), "six");
        assert_eq!(read(), "one\nthree\n");
        error!(manager.root(), "at once");
        assert_eq!(read(), "one\nthree\nsix\nat once\n");
        info!(manager.root(), "at the end");
    });
    assert_eq!(text, "one\nthree\nsix\nat once\nat the end\n");
    for (options, expected) in [
        (r#""buffer_size": -1"#, "found -1, expected an integer from 0 to 67108864"),
        (r#""buffer_size": "64k""#, "found \"64k\", expected an integer from 0 to 67108864"),
        (r#""buffer_size": 9, "fsync": "record""#, "found 9, expected 0 or none, since fsync is \"record\""),
    ] {
        let text = format!(
            r#"{{"version": 1, "handlers": {{"f": {{"class": "logging.FileHandler", "filename": "a.log", {options}}}}}}}"#
        );
        assert_eq!(mistakes(config::from_json(&text)), [format!("handlers.f.buffer_size: {expected}")]);
    }
}

#[test]
fn queues_are_named_as_in_python() {
    for (class, options, debug_line) in [
        (
            "duramen.handlers.AsyncHandler",
            r#""capacity": 16, "overflow": "drop_below:WARNING", "block_timeout": 1"#,
            "",
        ),
        ("logging.handlers.QueueHandler", r#""respect_handler_level": true"#, ""),
        ("logging.handlers.QueueHandler", r#""respect_handler_level": false"#, "DEBUG low\n"),
        ("duramen.handlers.QueueHandler", r#""formatter": "noted""#, "DEBUG low!\n"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.log").display().to_string();
        let text = format!(
            r#"{{"version": 1,
            "formatters": {{"f": {{"format": "%(levelname)s %(message)s"}}, "noted": {{"format": "%(message)s!"}}}},
            "handlers": {{
                "queue": {{"class": "{class}", "handlers": ["file"], {options}}},
                "file": {{"class": "logging.FileHandler", "filename": {path:?}, "formatter": "f", "level": "INFO"}}
            }},
            "root": {{"level": "DEBUG", "handlers": ["queue"]}}}}"#
        );
        let settings = config::from_json(&text).expect("right");
        let found = written(&settings, folder.path(), |manager| {
            log!(manager.root(), Level::DEBUG, "low");
            log!(manager.root(), Level::ERROR, "high");
        });
        let end = if options.contains("noted") { "!" } else { "" };
        assert_eq!(found, format!("{debug_line}ERROR high{end}\n"), "{class} {options}");
    }
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

#[test]
fn mails_and_requests_are_sent_as_the_configuration_says() {
    let (mail, mails) = servers::tcp(servers::smtp);
    let (web, requests) = servers::tcp(servers::http);
    let text = format!(
        r#"{{"version": 1, "handlers": {{
            "mail": {{"class": "logging.handlers.SMTPHandler", "mailhost": ["127.0.0.1", {mail}],
                      "fromaddr": "a@example.org", "toaddrs": ["b@example.org"], "subject": "hello"}},
            "web": {{"class": "logging.handlers.HTTPHandler", "host": "127.0.0.1:{web}", "url": "/log",
                     "method": "POST", "credentials": ["user", "secret"]}}
        }}, "root": {{"handlers": ["mail", "web"]}}}}"#
    );
    let manager = Manager::new();
    config::from_json(&text).expect("right").apply_to(&manager).expect("applied");
    log!(manager.root(), Level::ERROR, "hello there");
    let shown =
        |mailbox: &servers::Mailbox| String::from_utf8(mailbox.wait_for(1)[0].clone()).expect("UTF-8");
    assert!(shown(&mails).contains("To: b@example.org"));
    assert!(shown(&requests).contains("hello+there"));
    let ini = format!(
        "[loggers]\nkeys=root\n[handlers]\nkeys=w,m\n[formatters]\nkeys=\n[logger_root]\nhandlers=w,m\n\
         [handler_w]\nclass=handlers.HTTPHandler\nargs=('127.0.0.1:{web}', '/log', 'GET')\n\
         [handler_m]\nclass=handlers.SMTPHandler\nargs=('127.0.0.1:{mail}', 'a@b.org', ['c@d.org'], 's')\n"
    );
    assert!(config::from_ini(&ini).is_ok());
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
fn an_audit_trail_has_its_key_elsewhere_and_refuses_what_limits() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    fs::write(&key, "a key of 16 bytes or more\n").expect("written");
    let path = folder.path().join("audit.log");
    let (key, path) = (key.display().to_string(), path.display().to_string());
    let text = |options: &str| {
        format!(
            r#"{{"version": 1, "formatters": {{"f": {{"format": "%(levelname)s %(message)s"}}}},
            "filters": {{"limit": {{"()": "duramen.filters.RateLimitFilter", "rate": 1}}}},
            "handlers": {{"audit": {{"class": "duramen.handlers.AuditFileHandler", "filename": {path:?},
                "key_file": {key:?}, "formatter": "f" {options}}}}},
            "root": {{"level": "INFO", "handlers": ["audit"]}}}}"#
        )
    };
    let settings = config::from_json(&text(r#", "commit": "group", "when": "midnight", "max_age": "30d""#));
    let manager = Manager::new();
    settings.expect("right").apply_to(&manager).expect("applied");
    info!(manager.root(), "one");
    assert!(fs::read_to_string(&path).expect("written").ends_with(" + INFO one\n"));
    manager.shutdown();
    assert_eq!(
        mistakes(config::from_json(&text(r#", "filters": ["limit"]"#))),
        [
            "handlers.audit.filters[0]: found one that limits or samples, expected filters that choose by what a record is: \
          an audit trail drops none of a kind"
        ]
    );
    let queue = r#"}, "queue": {"class": "duramen.handlers.AsyncHandler", "handlers": ["audit"], "overflow": "drop_oldest""#;
    assert_eq!(
        mistakes(config::from_json(&text(queue))),
        [
            "handlers.queue.overflow: found a queue that may drop records, expected block without a block_timeout: \
          \"audit\" drops nothing"
        ]
    );
    let found =
        mistakes(config::from_json(&text(r#", "max_age": "30d", "key_env": "OTHER", "commit": "never""#)));
    assert!(found.iter().any(|found| found.starts_with("handlers.audit.key_file: found ")), "{found:?}");
    assert!(
        found.iter().any(|found| found.starts_with("handlers.audit.commit: found \"never\"")),
        "{found:?}"
    );
}

#[test]
fn ini_files_mask_and_have_defaults() {
    let text = "[loggers]\nkeys=root\n[handlers]\nkeys=a,b\n[formatters]\nkeys=line\n[logger_root]\nlevel=INFO\n\
        handlers=a,b\n[handler_a]\nclass=FileHandler\nargs=('FOLDER/a.log',)\nformatter=line\n\
        [handler_b]\nclass=FileHandler\nargs=('FOLDER/b.log',)\nformatter=line\n\
        [formatter_line]\nformat=%(user)s %(message)s\ndefaults={'user': '-'}\n\
        [redact]\npacks = credentials, pii\nkeys = user\nhandlers = a\nmode = type\n\
        [redact_patterns]\nticket = T-(?P<secret>\\d+%?)\n[redact_modes]\nticket = mask\n";
    let folder = tempfile::tempdir().expect("a folder");
    let settings =
        config::from_ini(&text.replace("FOLDER", &folder.path().display().to_string())).expect("right");
    let manager = Manager::new();
    settings.apply_to(&manager).expect("applied");
    let log = manager.root();
    duramen::info!(log, "ada@example.org has T-12"; user = "ada");
    duramen::info!(log, "nobody");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("written");
    assert_eq!(read("a.log"), "[secret] [email] has T-***\n- nobody\n");
    assert_eq!(read("b.log"), "ada ada@example.org has T-12\n- nobody\n");

    let wrong = text.replace("pii", "pie").replace("handlers = a", "handlers = c");
    let found = mistakes(config::from_ini(&wrong));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|mistake| mistake.starts_with("redact.packs[1]: found \"pie\"")), "{found:?}");
    assert!(found.iter().any(|mistake| mistake.starts_with("redact.handlers[0]: found \"c\"")), "{found:?}");
    let alone = mistakes(config::from_ini(&text.replace("[redact]", "[reduct]")));
    assert!(alone.iter().any(|mistake| mistake.starts_with("[redact_modes]: found no section")), "{alone:?}");
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
    let written = std::fs::read_to_string(folder.path().join("app.log")).expect("written");
    assert_eq!(written, "    -|0|False|a\\nb\n    5|x\\ny|True|\\x1b[31m\n");

    let found = mistakes(line(r#""format": "%(user)s""#));
    assert!(
        found[0].starts_with("formatters.f.format: found \"%(user)s\", expected a format of its style"),
        "{found:?}"
    );
    assert!(found[0].contains("`defaults` have values for"), "{found:?}");
    let found = mistakes(line(r#""format": "%(user)d", "defaults": {"user": "-"}"#));
    assert_eq!(found.len(), 1, "a text is no number: {found:?}");
}
