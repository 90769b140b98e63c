//! Which formats are compiled natively, and which are left to the interpreter.

use duramen::formatter::{Field, brace, dollar, percent};

#[test]
fn the_formats_in_common_use_are_compiled() {
    for format in [
        "",
        "100%%",
        "%(asctime)s [%(levelname)-8s] %(name)s:%(lineno)04d %(message)s",
        "%(message)-5.3s|%(levelno)05d|%(msecs)03d|%(created).3f",
        "%(processName)s %(process)d %(threadName)s %(thread)d %(taskName)s %(relativeCreated)d",
    ] {
        assert!(percent::compile(format).is_ok(), "{format}");
    }
    for format in ["{levelname:<8} {message:>8}", "{levelno:05d}{{}}{created:f}", "{message:*^9.3}"] {
        assert!(brace::compile(format).is_ok(), "{format}");
    }
    for format in ["$message", "${message}s cost $$5", "$asctime $levelname"] {
        assert!(dollar::compile(format).is_ok(), "{format}");
    }
}

#[test]
fn what_the_interpreter_refuses_or_alone_renders_is_left_to_it() {
    for format in ["%", "%s", "%(message)", "%(missing)s", "%(message)*s", "%(message)d", "%(name)r"] {
        assert!(percent::compile(format).is_err(), "{format}");
    }
    for format in
        ["{", "}", "{}", "{0}", "{missing}", "{message!r}", "{name.x}", "{message:{>8}", "{name:=8}"]
    {
        assert!(brace::compile(format).is_err(), "{format}");
    }
    for format in ["$", "$missing", "${message", "${message }", "$5"] {
        assert!(dollar::compile(format).is_err(), "{format}");
    }
}

#[test]
fn no_format_asks_for_more_memory_than_a_line_needs() {
    for format in ["%(lineno)999999999d", "%(message).99999999999999999999s", "%(created).999999f"] {
        assert!(percent::compile(format).is_err(), "{format}");
    }
    assert!(brace::compile("{message:999999999}").is_err());
}

#[test]
fn a_layout_knows_its_fields() {
    let layout = percent::compile("%(message)s %(thread)s").expect("a valid format");
    assert!(layout.uses(Field::Message) && layout.uses(Field::Thread));
    assert!(!layout.uses(Field::Asctime) && !layout.uses(Field::ThreadName));
}
