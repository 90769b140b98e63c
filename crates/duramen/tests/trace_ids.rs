//! The identifiers of the active span on records. The finder is the whole program's: one test sets it.

use std::cell::Cell;
use std::sync::Arc;

use allocation_counter::measure;
use duramen::context::{self, TraceIds};
use duramen::formatter::JsonFormatter;
use duramen::handler::StreamHandler;
use duramen::{Manager, bound, fields, report, warning};
use duramen_testkit::CapturingHandler;

#[derive(Clone, Copy)]
enum Active {
    Nothing,
    Invalid,
    Span(u64),
    Panicking,
}

thread_local! {
    static ACTIVE: Cell<Active> = const { Cell::new(Active::Nothing) };
}

#[test]
fn identifiers_of_the_active_span_are_on_records_unless_the_program_says_others() {
    report::set_enabled(false);
    let (manager, handler) = (Manager::new(), Arc::new(CapturingHandler::default()));
    manager.root().add_handler(handler.clone());
    let log = manager.get_logger("shop");
    let of_finder = manager.get_logger("finder");
    of_finder.set_disabled(true);
    let within = of_finder.clone();
    context::set_trace_ids(|| panic!("it has been replaced"));
    context::set_trace_ids(move || {
        warning!(within, "a finder that logs");
        match ACTIVE.get() {
            Active::Nothing => None,
            Active::Invalid => Some(TraceIds { trace_id: 0, span_id: 0, trace_flags: 0 }),
            Active::Span(span_id) => Some(TraceIds { trace_id: 0xabc, span_id, trace_flags: 1 }),
            Active::Panicking => panic!("in a finder"),
        }
    });
    let seen = || {
        let fields = |record: &duramen::Record<'_>| {
            let pairs: Vec<_> = record.fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
            pairs.join(" ")
        };
        handler.map(fields).pop().expect("a record")
    };

    warning!(log, "outside"; order = 1);
    assert_eq!(seen(), "order=1");

    ACTIVE.set(Active::Span(0xfeed));
    warning!(log, "within"; order = 1);
    let trace = "trace_id=00000000000000000000000000000abc";
    assert_eq!(seen(), format!("order=1 {trace} span_id=000000000000feed trace_flags=01"));
    {
        let _bound = bound!(trace_flags = "bound", request_id = 2);
        warning!(log.bind(fields![span_id = "the logger's"]), "others"; trace_id = "the call's");
        let expected = "trace_id=the call's span_id=the logger's trace_flags=bound request_id=2";
        assert_eq!(seen(), expected);
    }
    let log_of_thread = log.clone();
    std::thread::spawn(move || warning!(log_of_thread, "no span here")).join().expect("joined");
    assert_eq!(seen(), "");

    let before = handler.messages().len();
    of_finder.set_disabled(false);
    warning!(log, "once more");
    of_finder.set_disabled(true);
    assert_eq!(handler.messages()[before..], ["a finder that logs", "once more"]);

    ACTIVE.set(Active::Invalid);
    warning!(log, "no identifiers");
    assert_eq!(seen(), "");

    ACTIVE.set(Active::Panicking);
    let reported = report::count();
    warning!(log, "kept");
    assert_eq!((seen(), report::count()), (String::new(), reported + 1));

    ACTIVE.set(Active::Span(1));
    let nowhere = Manager::new();
    let sink = StreamHandler::new(std::io::sink());
    sink.set_formatter(Arc::new(JsonFormatter::default()));
    nowhere.root().add_handler(Arc::new(sink));
    let log = nowhere.get_logger("shop");
    let log_some = || (0..100).for_each(|number| warning!(log, "record {number}"; number = number));
    log_some();
    assert_eq!(measure(log_some).count_total, 0, "identifiers allocate nothing");
}
