//! The tree of loggers: levels, propagation, the last resort, and what a record says.

use std::sync::Arc;

use duramen::config::{ConfigError, basic_config};
use duramen::filter::NameFilter;
use duramen::formatter::Style;
use duramen::{
    Filter, Handler, Level, Manager, Record, Value, critical, debug, error, exception, info, warning,
};
use duramen_testkit::{CapturingHandler, FakeClock};

fn captured(manager: &Manager) -> Arc<CapturingHandler> {
    let handler = Arc::new(CapturingHandler::default());
    manager.root().add_handler(handler.clone());
    handler
}

#[test]
fn the_nearest_level_holds_and_a_change_is_seen_at_once() {
    let manager = Manager::new();
    let leaf = manager.get_logger("a.b.c");
    assert_eq!(leaf.effective_level(), Level::WARNING);
    assert!(!leaf.is_enabled_for(Level::INFO));
    manager.get_logger("a").set_level(Level::DEBUG);
    assert!(leaf.is_enabled_for(Level::DEBUG));
    manager.get_logger("a.b").set_level(Level::ERROR);
    assert!(!leaf.is_enabled_for(Level::WARNING));
    manager.get_logger("a.b").set_level(Level::NOTSET);
    assert!(leaf.is_enabled_for(Level::DEBUG));
    manager.disable(Level::INFO);
    assert!(!leaf.is_enabled_for(Level::INFO) && leaf.is_enabled_for(Level::WARNING));
    manager.disable(Level::NOTSET);
    leaf.set_disabled(true);
    assert!(!leaf.is_enabled_for(Level::CRITICAL));
}

#[test]
fn a_logger_made_later_comes_in_between() {
    let manager = Manager::new();
    let leaf = manager.get_logger("a.b.c");
    let similar = manager.get_logger("a.bb");
    assert_eq!(leaf.parent().map(|parent| parent.name().to_owned()).as_deref(), Some("root"));
    let top = manager.get_logger("a");
    let middle = manager.get_logger("a.b");
    let parent = |logger: &duramen::Logger| logger.parent().expect("a parent").name().to_owned();
    assert_eq!((parent(&leaf), parent(&middle), parent(&similar)), ("a.b".into(), "a".into(), "a".into()));
    assert_eq!(top.child("b.c").name(), "a.b.c");
    assert_eq!(manager.root().child("a").name(), "a");
}

#[test]
fn records_propagate_until_a_logger_says_no() {
    let manager = Manager::new();
    let at_root = captured(&manager);
    let at_leaf = Arc::new(CapturingHandler::default());
    let leaf = manager.get_logger("a.b");
    leaf.add_handler(at_leaf.clone());
    leaf.add_handler(at_leaf.clone());
    error!(leaf, "to both");
    leaf.set_propagate(false);
    error!(leaf, "to one");
    assert_eq!(at_leaf.messages(), ["to both", "to one"], "a handler is added once");
    let handler: Arc<dyn Handler> = at_leaf.clone();
    leaf.remove_handler(&handler);
    assert!(!leaf.has_handlers());
    assert_eq!(at_root.messages(), ["to both"]);
}

#[test]
fn a_filter_of_the_logger_stops_a_record() {
    struct NoSecrets;
    impl Filter for NoSecrets {
        fn filter(&self, record: &Record<'_>) -> bool {
            !record.message.contains("secret")
        }
    }
    let manager = Manager::new();
    let handler = captured(&manager);
    let log = manager.get_logger("a");
    log.add_filter(Arc::new(NoSecrets));
    error!(log, "a secret");
    error!(log, "an error");
    assert_eq!(handler.messages(), ["an error"]);
}

#[test]
fn a_filter_that_is_taken_away_stops_nothing() {
    let manager = Manager::new();
    let handler = captured(&manager);
    let log = manager.get_logger("app");
    let (one, other): (Arc<dyn Filter>, Arc<dyn Filter>) =
        (Arc::new(NameFilter::new("other")), Arc::new(NameFilter::new("app")));
    log.add_filter(Arc::clone(&one));
    log.add_filter(other);
    warning!(log, "stopped");
    log.remove_filter(&one);
    log.remove_filter(&one);
    warning!(log, "passes");
    assert_eq!(handler.messages(), ["passes"]);
}

#[test]
fn the_last_resort_takes_what_has_no_handler() {
    let manager = Manager::new();
    let last = Arc::new(CapturingHandler::default());
    last.set_level(Level::WARNING);
    manager.set_last_resort(Some(last.clone()));
    manager.root().set_level(Level::DEBUG);
    let log = manager.get_logger("a");
    info!(log, "too low");
    warning!(log, "shown");
    let handler = captured(&manager);
    warning!(log, "handled");
    assert_eq!(last.messages(), ["shown"]);
    assert_eq!(handler.messages(), ["handled"]);
}

#[test]
fn a_record_knows_where_and_when_it_was_made() {
    let clock = Arc::new(FakeClock::at(1_709_294_400));
    let manager = Manager::with_clock(clock.clone());
    let handler = captured(&manager);
    clock.advance(2);
    let log = manager.get_logger("app");
    let line = line!() + 1;
    duramen::log!(log, Level(35), ["user" => Value::Integer(7)], "{} of {}", 1, 2);
    let seen = handler.map(|record| {
        (
            (record.name.to_owned(), record.level, record.level_name.to_owned(), record.message.to_owned()),
            (record.created_ns, record.relative_created_ms.to_string()),
            (record.caller.filename.to_owned(), record.caller.module.to_owned(), record.caller.line),
            record.fields.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        )
    });
    let expected = (
        ("app".to_owned(), Level(35), "Level 35".to_owned(), "1 of 2".to_owned()),
        (1_709_294_402_000_000_000, "2000".to_owned()),
        ("loggers.rs".to_owned(), "loggers".to_owned(), line),
        vec!["user=7".to_owned()],
    );
    assert_eq!(seen, [expected]);
}

#[test]
fn an_error_value_is_logged_with_its_causes() {
    let manager = Manager::new();
    let handler = captured(&manager);
    let cause = std::io::Error::other("disk gone");
    let error = ConfigError::File("app.log".into(), cause);
    exception!(manager.get_logger("a"), error, "attempt {}", 2);
    let seen = handler.map(|record| (record.message.to_owned(), record.exception.map(str::to_owned)));
    let expected = "cannot open the log file app.log\ncaused by: disk gone".to_owned();
    assert_eq!(seen, [("attempt 2".to_owned(), Some(expected))]);
}

#[test]
fn arguments_are_not_evaluated_for_a_disabled_level() {
    let manager = Manager::new();
    let handler = captured(&manager);
    let log = manager.get_logger("a");
    let mut evaluated = 0;
    let mut argument = || {
        evaluated += 1;
        evaluated
    };
    debug!(log, "{}", argument());
    critical!(log, "{}", argument());
    assert_eq!(evaluated, 1);
    assert_eq!(handler.messages(), ["1"]);
}

#[test]
fn the_basic_configuration_writes_lines_to_a_file() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("app.log");
    let manager = Manager::new();
    let root = manager.root();
    basic_config().level(Level::INFO).new_file(&path).apply_to(&root).expect("configured");
    info!(manager.get_logger("app"), "one");
    // The root has a handler: this changes nothing.
    basic_config().level(Level::ERROR).apply_to(&root).expect("nothing to do");
    info!(manager.get_logger("app"), "two");
    let again = basic_config().format("{levelname:>8} {message}").style(Style::Brace).filename(&path).force();
    again.apply_to(&root).expect("configured");
    info!(manager.get_logger("app"), "three");
    manager.shutdown();
    let text = std::fs::read_to_string(&path).expect("the file");
    assert_eq!(text, "INFO:app:one\nINFO:app:two\n    INFO three\n");
}

#[test]
fn a_configuration_that_cannot_hold_changes_nothing() {
    let manager = Manager::new();
    let handler: Arc<dyn Handler> = captured(&manager);
    let root = manager.root();
    let wrong_format = basic_config().format("%(message").force().level(Level::DEBUG).apply_to(&root);
    assert!(matches!(wrong_format, Err(ConfigError::Format(..))));
    let unknown = basic_config().format("%(messag)s").force().apply_to(&root).expect_err("no such field");
    assert!(
        unknown
            .to_string()
            .contains("format: found the unknown field \"messag\" in \"%(messag)s\", expected one of name, ")
            && unknown.to_string().ends_with("did you mean \"message\"?"),
        "{unknown}"
    );
    let wrong_file = basic_config().filename("no such directory/app.log").force().apply_to(&root);
    assert!(matches!(wrong_file, Err(ConfigError::File(..))));
    assert!(root.handlers().iter().any(|other| Arc::ptr_eq(other, &handler)));
    assert_eq!(root.level(), Level::WARNING);
}

/// A handler that has the logger propagate, or not, when it gets a record.
struct Turns(duramen::Logger);

impl Handler for Turns {
    fn level(&self) -> Level {
        Level::NOTSET
    }

    fn handle(&self, _record: &Record<'_>) {
        self.0.set_propagate(!self.0.propagates());
    }

    fn flush(&self) {}

    fn close(&self) {}
}

#[test]
fn a_record_on_its_way_goes_where_it_would_have_gone_before() {
    let manager = Manager::new();
    let handler = captured(&manager);
    let log = manager.get_logger("app");
    log.add_handler(Arc::new(Turns(log.clone())));
    for number in 0..4 {
        warning!(log, "{number}");
    }
    assert_eq!(handler.messages(), ["0", "2"]);
}
