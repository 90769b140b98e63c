//! Messages are what `format!` makes of the same format and arguments, whichever way the macros take.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Display};
use std::rc::Rc;
use std::sync::Arc;

use duramen::{Level, Logger, Manager, debug, exception, info, log};
use duramen_testkit::CapturingHandler;

fn logger() -> (Logger, Arc<CapturingHandler>) {
    let manager = Box::leak(Box::new(Manager::new()));
    let log = manager.get_logger("app");
    log.set_level(Level::INFO);
    let handler = Arc::new(CapturingHandler::default());
    log.add_handler(handler.clone());
    (log, handler)
}

/// Logs the format with its arguments, and compares.
macro_rules! same {
    ($($format:tt)+) => {{
        let manager = Manager::new();
        let handler = Arc::new(CapturingHandler::default());
        manager.root().add_handler(handler.clone());
        log!(manager.root(), Level::ERROR, $($format)+);
        assert_eq!(handler.messages(), [format!($($format)+)]);
    }};
}

#[test]
fn numbers_of_all_types_are_written_in_full() {
    same!("{} {} {}", u8::MAX, i8::MIN, 0_u16);
    same!("{} {} {} {}", i16::MIN, u32::MAX, i32::MIN, i64::MIN);
    same!("{} {} {}", u64::MAX, usize::MAX, isize::MIN);
    same!("{} {}", u128::MAX, i128::MIN);
    same!("{} {} {} {}", 3, -3, 2.5, f64::NAN);
    same!("{} {}", 1.0e300_f64, 0.1_f32);
    same!("{}", std::num::NonZero::<u8>::MAX);
}

#[test]
fn texts_and_pointers_to_them_are_written_as_they_are() {
    let (text, owned, shared) = ("ada", String::from("grace"), Arc::<str>::from("mary"));
    let mut counter = 7;
    same!("{}{}{}", text, owned, shared);
    same!("{} {} {}", &text, &&owned, Rc::new(Box::new(12)));
    same!("{} {}", Cow::Borrowed("é"), Cow::<str>::Owned("ü".into()));
    same!("{} {} {}", 'c', 'é', true);
    same!("{} {}", text, &mut counter);
    same!("braces as text: {}", "{} {{}} {text}");
}

fn generic<T: Display, U: fmt::Debug>(value: T, debug: U) {
    same!("{} of {}", value, &value);
    same!("{:?}", debug);
}

#[test]
fn what_has_only_a_display_is_shown() {
    struct Order(u32);
    impl Display for Order {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(out, "#{}", self.0)
        }
    }
    let shown: &dyn Display = &Order(4);
    let boxed: Box<dyn Display> = Box::new(Order(5));
    same!("{} {} {}", Order(3), shown, boxed);
    same!("{} {}", format_args!("{}-{}", 1, 2), "/tmp".parse::<String>().unwrap_or_default());
    generic(Order(6), Some(1));
    generic("text", [1, 2]);
}

#[test]
fn other_formats_are_the_standard_librarys() {
    let (width, name, number) = (6, "ada", 7);
    same!("nothing to fill in");
    same!("{{}} {{{}}}", 1);
    same!("{0} {0} {1}", 1, 2);
    same!("{:>5}|{:<5}|{:05.1}", 1, 2, 2.25);
    same!("{number:>width$} {name:?} {}", 3);
    same!("{} {name} {other}", 1, other = 2);
    same!("{name}");
    same!("{}{}{}{}{}{}{}{}{}{}", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    same!("é{}é{}é", 'ü', "ö");
    same!("{}", concat!("a", "b"));
    same!(concat!("{}", " of {}"), 1, 2);
    same!("{:x} {:#?}", 255, Some(1));
    same!("trailing {}", 1,);
}

#[test]
fn arguments_are_evaluated_once_in_their_order_and_only_where_the_level_is_enabled() {
    let (log, handler) = logger();
    let count = Cell::new(0);
    let next = || {
        count.set(count.get() + 1);
        count.get()
    };
    debug!(log, "{} {}", next(), next());
    info!(log, "{} {}", next(), next(); third = next());
    info!(log, "{} {last}", next(), last = next());
    assert_eq!(handler.messages(), ["1 2", "4 5"]);
    exception!(log, fmt::Error, "{} failed", next());
    assert_eq!(handler.messages()[2], "6 failed");
}

#[test]
fn an_argument_that_fails_ends_the_message() {
    struct Fails;
    impl Display for Fails {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("begun")?;
            Err(fmt::Error)
        }
    }
    duramen::report::set_enabled(false);
    let (log, handler) = logger();
    info!(log, "{} then {} then {}", 1, Fails, 2);
    info!(log, "{one} then {} then {}", Fails, 2, one = 1);
    assert_eq!(handler.messages(), ["1 then begun", "1 then begun"]);
}

#[test]
fn temporaries_live_until_the_record_is_made() {
    let (log, handler) = logger();
    let name = || String::from("ada");
    info!(log, "{} and {}", name().as_str(), &name()[1..]; user = name().as_str());
    let moved = name();
    info!(log, "{}", { moved });
    assert_eq!(handler.messages(), ["ada and da", "ada"]);
}
