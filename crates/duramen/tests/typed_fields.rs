//! Fields behind the semicolon of the macros.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use duramen::formatter::JsonFormatter;
use duramen::formatter::json::{JsonBuilder, Source};
use duramen::redact::Redactor;
use duramen::value::ToValue;
use duramen::{
    Formatter, Level, Logger, Manager, Value, critical, debug, error, exception, fields, info, log, report,
    warning,
};
use duramen_testkit::CapturingHandler;

fn captured() -> (Manager, Logger, Arc<CapturingHandler>) {
    let manager = Manager::new();
    let handler = Arc::new(CapturingHandler::default());
    manager.root().add_handler(handler.clone());
    let log = manager.get_logger("shop");
    log.set_level(Level::INFO);
    (manager, log, handler)
}

fn fields_of(handler: &CapturingHandler) -> Vec<Vec<(String, Value<'static>)>> {
    handler.map(|record| {
        let owned = |(key, value): &(&str, Value<'_>)| ((*key).to_owned(), value.clone().into_owned());
        record.fields.iter().map(owned).collect()
    })
}

fn text(text: &str) -> Value<'static> {
    Value::Text(text.to_owned().into())
}

/// Shown differently by `Display` and `Debug`.
#[derive(Debug)]
struct State(u8);

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "state {}", self.0)
    }
}

#[test]
fn a_field_keeps_its_type_or_is_shown() {
    let (_manager, log, handler) = captured();
    let (name, id, state) = (String::from("ada"), State(1), State(2));
    info!(log, "user {} logged in", name; user_id = 123, request_id = %id, state = ?state, ratio = -0.5, ok = true);
    let expected = [
        ("user_id", Value::Integer(123)),
        ("request_id", text("state 1")),
        ("state", text("State(2)")),
        ("ratio", Value::Float(-0.5)),
        ("ok", Value::Bool(true)),
    ];
    assert_eq!(fields_of(&handler), [expected.map(|(key, value)| (key.to_owned(), value))]);
    assert_eq!(handler.messages(), ["user ada logged in"]);
    assert_eq!((name.len(), id.0, state.0), (3, 1, 2), "nothing was moved");
}

#[test]
fn every_macro_takes_fields_with_every_form_of_arguments() {
    let (_manager, log, handler) = captured();
    log.set_level(Level::DEBUG);
    let kept = 3;
    debug!(log, "no arguments"; at = 1);
    info!(log, "{} of {all}", kept, all = 7; at = 2,);
    warning!(log, "{kept:>2} {}", { let mut number = 0; number += 1; number }; at = 3, type = "keyword", "http.status" = 200);
    error!(log, "{0} {0}", if kept == 3 { "three" } else { "other" },; at = 4);
    critical!(&log, concat!("joined ", "{}"), [1, 2].map(|number| number + 1).len(); at = 5);
    log!(log, Level(35), "{name} {1} {0}", 1, 2, name = "x"; at = 6);
    exception!(log, std::fmt::Error, "failed {}", "here"; at = 7);
    let boxed: Box<dyn std::error::Error + Send + Sync> = "in a box".into();
    exception!(log, *boxed, "failed"; at = 8);
    info!(log, "nothing behind the semicolon";);
    info!(log, "{} {last}", 1, last = 2,);
    let messages = [
        "no arguments",
        "3 of 7",
        " 3 1",
        "three three",
        "joined 2",
        "x 2 1",
        "failed here",
        "failed",
        "nothing behind the semicolon",
        "1 2",
    ];
    assert_eq!(handler.messages(), messages);
    let seen = fields_of(&handler);
    for (number, fields) in (1..=8).zip(&seen) {
        assert_eq!(fields[0], ("at".to_owned(), Value::Integer(number)));
    }
    let names: Vec<_> = seen[2].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["at", "type", "http.status"]);
    assert!(seen[8].is_empty() && seen[9].is_empty());
    let exceptions = handler.map(|record| record.exception.map(str::to_owned));
    assert_eq!(exceptions[6].as_deref(), Some("an error occurred when formatting an argument"));
    assert_eq!(exceptions[7].as_deref(), Some("in a box"));
    let levels: Vec<_> = handler.map(|record| record.level.0);
    assert_eq!(levels, [10, 20, 30, 40, 50, 35, 40, 40, 20, 20]);
}

#[test]
fn neither_fields_nor_arguments_of_a_disabled_level_are_evaluated() {
    let (_manager, log, handler) = captured();
    let mut evaluated = 0;
    let mut next = || {
        evaluated += 1;
        evaluated
    };
    debug!(log, "{}", next(); typed = next(), shown = %next(), debugged = ?next());
    debug!(log.bind([("request_id", 1)]), "{}", next(); typed = next());
    info!(log, "{}", 0; typed = next());
    log.set_disabled(true);
    exception!(log, { next(); fmt::Error }, "{}", next(); typed = next());
    assert_eq!(evaluated, 1);
    assert_eq!(handler.messages(), ["0"]);
}

#[test]
fn values_have_the_type_that_fits() {
    let map = BTreeMap::from([("b", Some(2)), ("a", None)]);
    let list = vec![1_u8, 2];
    let nested = Value::List(vec![Value::Null]);
    let values = [
        (i8::MIN.to_value(), Value::Integer(-128)),
        (u32::MAX.to_value(), Value::Integer(4_294_967_295)),
        (u64::MAX.to_value(), Value::BigInteger("18446744073709551615".into())),
        (7_u64.to_value(), Value::Integer(7)),
        (i128::MIN.to_value(), Value::BigInteger("-170141183460469231731687303715884105728".into())),
        (usize::MIN.to_value(), Value::Integer(0)),
        (0.5_f32.to_value(), Value::Float(0.5)),
        ('é'.to_value(), text("é")),
        ("".to_value(), text("")),
        (Cow::Borrowed("cow").to_value(), text("cow")),
        ((&&"reference").to_value(), text("reference")),
        (None::<i32>.to_value(), Value::Null),
        (().to_value(), Value::Null),
        (list.to_value(), Value::List(vec![Value::Integer(1), Value::Integer(2)])),
        ([true].to_value(), Value::List(vec![Value::Bool(true)])),
        (map.to_value(), Value::Map(vec![("a".into(), Value::Null), ("b".into(), Value::Integer(2))])),
        (nested.to_value(), nested.clone()),
    ];
    for (value, expected) in values {
        assert_eq!(value, expected);
    }
    assert_eq!(Arc::new(Some(Box::new("deep"))).to_value(), text("deep"));
}

#[test]
fn formatters_and_masks_see_the_types() {
    let (_manager, log, handler) = captured();
    let coupon = None::<&str>;
    info!(log, "paid"; amount = 12.5, items = [1, 2], coupon = coupon, api_key = %"k-1", by = 4_111_111_111_111_111_i64);
    let members = [("message", Source::by_name("message"))];
    let json: JsonFormatter = JsonBuilder::default().members(members).build().expect("right");
    let redactor = Redactor::builder().pack("credentials").pack("financial").build().expect("right");
    let lines = handler.map(|record| {
        let mut line = Vec::new();
        json.format(record, &mut line);
        line.push(b'\n');
        redactor.with_masked(record, |record| json.format(record, &mut line));
        String::from_utf8(line).expect("text")
    });
    let start = r#"{"message": "paid", "amount": 12.5, "items": [1, 2], "coupon": null, "api_key": "#;
    let plain = r#""k-1", "by": 4111111111111111}"#;
    let masked = r#""***", "by": "***"}"#;
    assert_eq!(lines, [format!("{start}{plain}\n{start}{masked}")]);
}

#[test]
fn a_value_that_cannot_be_shown_is_reported_and_the_record_goes_on() {
    struct Broken;
    impl fmt::Display for Broken {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("half")?;
            Err(fmt::Error)
        }
    }
    impl fmt::Debug for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("in Debug")
        }
    }
    impl ToValue for Broken {
        fn to_value(&self) -> Value<'_> {
            panic!("in to_value")
        }
    }
    report::set_enabled(false);
    let (_manager, log, handler) = captured();
    let before = report::count();
    info!(log, "kept"; shown = %Broken, debugged = ?Broken, typed = Broken, last = 1);
    let values: Vec<_> = fields_of(&handler).remove(0).into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, [text("half"), text(""), Value::Null, Value::Integer(1)]);
    assert_eq!(report::count(), before + 3);
}

#[test]
fn a_value_may_log_while_it_is_shown() {
    struct Chatty(Logger);
    impl fmt::Display for Chatty {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            info!(self.0, "inner {}", 1; shown = %"in between");
            out.write_str("chatty")
        }
    }
    let (_manager, log, handler) = captured();
    info!(log, "outer {}", Chatty(log.clone()); first = %"first", shown = %Chatty(log.clone()));
    assert_eq!(handler.messages(), ["inner 1", "inner 1", "outer chatty"]);
    let outer = fields_of(&handler).remove(2);
    assert_eq!(outer, [("first".to_owned(), text("first")), ("shown".to_owned(), text("chatty"))]);
}

#[test]
fn fields_are_an_array_for_calls_without_macros() {
    let (_manager, log, handler) = captured();
    let caller = duramen::record::Caller::of_source(file!(), line!(), module_path!());
    log.log(Level::INFO, format_args!("by hand"), &fields![user = "ada", state = %State(1)], caller);
    assert_eq!(
        fields_of(&handler),
        [fields![user = "ada", state = "state 1"].map(|(k, v)| (k.to_owned(), v))]
    );
}

#[test]
fn many_arguments_and_fields_are_taken() {
    let (_manager, log, handler) = captured();
    info!(
        log, "{}{}{}{}{}{}{}{}{}{}{}{}", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11;
        a = 0, b = 1, c = 2, d = 3, e = 4, f = 5, g = 6, h = 7, i = 8, j = 9, k = 10, l = 11, m = 12, n = 13,
        o = 14, p = 15, q = 16, r = 17, s = %18, t = ?19, u = "20", v = 21, w = 22, x = 23, y = 24, z = 25,
    );
    assert_eq!(handler.messages(), ["01234567891011"]);
    let fields = fields_of(&handler).remove(0);
    assert_eq!(fields.len(), 26);
    assert_eq!(fields[25], ("z".to_owned(), Value::Integer(25)));
}
