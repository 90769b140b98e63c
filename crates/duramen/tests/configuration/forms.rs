//! The forms of a configuration: YAML, TOML, JSON, INI, and references within one.

use std::fs;

use duramen::config;
use duramen::{Manager, info};

use crate::{mistakes, one_file, written};

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
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("written");
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
