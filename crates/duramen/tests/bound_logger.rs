//! Loggers with fields of their own, and which field stays when several have its name.

use std::sync::Arc;

use duramen::{BoundLogger, Level, Manager, Value, bound, context, critical, exception, fields, info, log};
use duramen_testkit::CapturingHandler;

/// A manager, a logger of it with `request_id=1 step=1`, and what it logs.
fn bound_logger() -> (Manager, BoundLogger, Arc<CapturingHandler>) {
    let manager = Manager::new();
    let handler = Arc::new(CapturingHandler::default());
    manager.root().add_handler(handler.clone());
    let log = manager.get_logger("shop");
    log.set_level(Level::INFO);
    (manager, log.bind(fields![request_id = 1, step = 1]), handler)
}

/// The fields of each record, as `a=1 b=2`.
fn fields_of(handler: &CapturingHandler) -> Vec<String> {
    handler.map(|record| {
        let pairs: Vec<_> = record.fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
        pairs.join(" ")
    })
}

#[test]
fn every_record_of_a_bound_logger_has_its_fields() {
    let (_manager, log, handler) = bound_logger();
    info!(log, "one {}", 1);
    critical!(&log, "two"; order = 7);
    exception!(log.clone(), std::fmt::Error, "three");
    log!(log, Level::INFO, ["own" => Value::Null], "four");
    info!(log.logger(), "the logger itself has none");
    let expected = ["request_id=1 step=1", "order=7 request_id=1 step=1", "request_id=1 step=1"];
    assert_eq!(fields_of(&handler)[..3], expected);
    assert_eq!(fields_of(&handler)[3..], ["own=null request_id=1 step=1", ""]);
    assert_eq!(handler.map(|record| record.exception.is_some()), [false, false, true, false, false]);
    assert_eq!(handler.map(|record| record.name.to_owned()), ["shop"; 5]);
}

#[test]
fn binding_again_adds_and_overrides_and_leaves_the_first_as_it_was() {
    let (_manager, first, handler) = bound_logger();
    let second = first.bind(fields![step = 2, user = %"ada"]);
    let third = second.unbind(["request_id", "not there"]);
    let none = third.unbind(["step", "user"]);
    for log in [&first, &second, &third, &none] {
        info!(log, "");
    }
    let expected = ["request_id=1 step=1", "request_id=1 step=2 user=ada", "step=2 user=ada", ""];
    assert_eq!(fields_of(&handler), expected);
}

#[test]
fn fields_of_the_call_win_over_the_loggers_and_these_over_the_threads() {
    let (_manager, log, handler) = bound_logger();
    let _outer = bound!(user = "outer", step = "outer", request_id = "outer", host = "outer");
    let _inner = bound!(user = "inner", step = "inner");
    context::bind(fields![zone = "inner"]);
    info!(log, "all"; step = 3);
    info!(log.logger(), "without the logger's"; step = 3);
    let expected = ["step=3 request_id=1 user=inner host=outer zone=inner"];
    assert_eq!(fields_of(&handler)[..1], expected);
    assert_eq!(fields_of(&handler)[1], "step=3 user=inner request_id=outer host=outer zone=inner");
}

#[test]
fn names_of_a_records_own_attributes_get_an_underscore() {
    let (_manager, log, handler) = bound_logger();
    let log = log.unbind(["request_id", "step"]).bind(fields![name = "ada", message = 1, __class__ = 2]);
    info!(log, "");
    info!(log.unbind(["name"]), ""; name = "the call's own is as it was given");
    let expected = ["name_=ada message_=1 __class___=2"];
    assert_eq!(fields_of(&handler)[..1], expected);
    assert_eq!(fields_of(&handler)[1], "name=the call's own is as it was given message_=1 __class___=2");
}

#[test]
fn a_bound_logger_goes_to_other_threads() {
    let (_manager, log, handler) = bound_logger();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let log = log.bind(fields![number = number]);
            scope.spawn(move || info!(log, ""));
        }
    });
    let mut fields = fields_of(&handler);
    fields.sort();
    let expected = [0, 1, 2, 3].map(|number| format!("request_id=1 step=1 number={number}"));
    assert_eq!(fields, expected);
}

#[test]
fn levels_are_those_of_the_logger_behind() {
    let (_manager, log, handler) = bound_logger();
    assert!(log.is_enabled_for(Level::INFO) && !log.is_enabled_for(Level::DEBUG));
    log.logger().set_level(Level::ERROR);
    info!(log, "not any more");
    assert!(handler.messages().is_empty());
    assert_eq!(format!("{log:?}"), "<BoundLogger shop (ERROR)>");
}

#[test]
fn fields_keep_their_types_and_borrow_nothing() {
    let (_manager, log, _handler) = bound_logger();
    let log = {
        let (name, list) = (String::from("ada"), vec![1, 2]);
        log.unbind(["request_id", "step"]).bind(fields![name = name, list = list, key = %name])
    };
    let list = Value::List(vec![Value::Integer(1), Value::Integer(2)]);
    let ada = || Value::Text("ada".into());
    let expected = [("name_", ada()), ("list", list), ("key", ada())];
    assert_eq!(log.get(), expected.map(|(key, value)| (key.to_owned(), value)));
}
