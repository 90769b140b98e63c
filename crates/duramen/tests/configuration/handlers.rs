//! Handlers as a configuration describes them.

use std::fs;

use duramen::config;
use duramen::{Level, Manager, error, info, log};
use duramen_testkit::servers;

use crate::{mistakes, one_file, written};

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
