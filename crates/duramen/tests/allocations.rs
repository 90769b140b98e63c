//! A record allocates nothing, once the first ones have made the buffers as large as they have to be.

use std::io;
use std::sync::Arc;

use allocation_counter::measure;
use duramen::formatter::{ConsoleFormatter, Formatter, JsonFormatter, Style, TextFormatter};
use duramen::handler::{AsyncHandler, FileHandler, JournaledHandler, MemoryHandler, StreamHandler};
use duramen::queue::Options;
use duramen::{Handler, Level, Logger, Manager, Value, bound, fields, info, log};

fn allocations_of_a_record(formatter: Arc<dyn Formatter>) -> u64 {
    allocations_of(formatter, |log, number| {
        info!(log, "record {number} of {}", "the database");
        log!(log, Level::ERROR, ["attempt" => Value::Integer(number)], "record\twith a field");
    })
}

/// What is allocated for 100 times what `write` logs.
fn allocations_of(formatter: Arc<dyn Formatter>, write: impl Fn(&Logger, i64)) -> u64 {
    let handler = StreamHandler::new(io::sink());
    handler.set_formatter(formatter);
    allocations_before(Arc::new(handler), write)
}

fn allocations_before(handler: Arc<dyn Handler>, write: impl Fn(&Logger, i64)) -> u64 {
    let manager = Manager::new();
    manager.root().set_level(Level::INFO);
    manager.root().add_handler(handler);
    let log = manager.get_logger("app.db");
    let log_some = || (0..100).for_each(|number| write(&log, number));
    log_some();
    measure(log_some).count_total
}

fn text(format: &str, date_format: Option<&str>, style: Style) -> Arc<dyn Formatter> {
    Arc::new(TextFormatter::new(format, date_format, style).expect("a valid format"))
}

#[test]
fn lines_of_text_allocate_nothing() {
    let percent = "%(asctime)s %(levelname)-8s %(name)s %(threadName)s %(process)d %(lineno)5d %(message)s";
    assert_eq!(allocations_of_a_record(text(percent, None, Style::Percent)), 0);
    let brace = "{asctime} {msecs:06.2f} {created} {message:>40} {funcName}";
    assert_eq!(allocations_of_a_record(text(brace, Some("%d.%m.%Y %H:%M:%S"), Style::Brace)), 0);
    assert_eq!(allocations_of_a_record(text("$asctime $message", Some("%T%.6f"), Style::Dollar)), 0);
}

#[test]
fn lines_for_the_console_allocate_nothing() {
    assert_eq!(allocations_of_a_record(Arc::new(ConsoleFormatter::new(true))), 0);
}

fn write_fields(log: &Logger, number: i64) {
    info!(log, "record {number} of {}", "the database"; number = number, user = "ada", from = %"here");
}

#[test]
fn lines_in_files_allocate_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = FileHandler::new(folder.path().join("plain.log")).expect("a file");
    assert_eq!(allocations_before(Arc::new(plain), write_fields), 0);
    let buffered = FileHandler::buffered(folder.path().join("buffered.log"), 1000).expect("a file");
    assert_eq!(allocations_before(Arc::new(buffered), write_fields), 0);
}

#[test]
fn records_that_are_held_back_allocate_nothing() {
    let target = Arc::new(StreamHandler::new(io::sink()));
    let handler = MemoryHandler::new(16, Level::ERROR, target);
    assert_eq!(allocations_before(Arc::new(handler), write_fields), 0);
}

#[test]
fn records_for_a_queue_allocate_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = FileHandler::new(folder.path().join("queued.log")).expect("a file");
    file.set_formatter(Arc::new(JsonFormatter::default()));
    // Small enough to be full all the time: then it has grown as large as it has to be.
    let options = Options { capacity: 16, ..Options::default() };
    let handler = AsyncHandler::new(vec![Arc::new(file)], options).expect("a thread");
    assert_eq!(allocations_before(Arc::new(handler), write_fields), 0);
}

/// The caller makes the line in memory that its thread keeps, and it is copied into the journal's ring.
#[cfg(target_os = "linux")]
#[test]
fn lines_for_a_journal_allocate_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = FileHandler::new(folder.path().join("journaled.log")).expect("a file");
    let options = Options { capacity: 16, ..Options::default() };
    let size = *duramen::spool::SIZES.start();
    let handler = JournaledHandler::new(vec![Arc::new(file)], options, &folder.path().join("spool"), size);
    assert_eq!(allocations_before(Arc::new(handler.expect("a journal")), write_fields), 0);
}

#[test]
fn lines_of_json_allocate_nothing() {
    assert_eq!(allocations_of_a_record(Arc::new(JsonFormatter::default())), 0);
}

#[test]
fn fields_of_a_call_allocate_nothing() {
    let (user, address) = (String::from("ada"), std::net::Ipv4Addr::LOCALHOST);
    let allocations = allocations_of(Arc::new(JsonFormatter::default()), |log, number| {
        info!(log, "record {number}"; number = number, user = user, ratio = 0.5, from = %address, seen = ?Some(1));
    });
    assert_eq!(allocations, 0);
}

#[test]
fn fields_of_loggers_and_threads_allocate_nothing_for_a_record() {
    let _bound = bound!(request_id = %"7f3a", user_id = 123);
    let manager = Manager::new();
    let handler = StreamHandler::new(io::sink());
    handler.set_formatter(Arc::new(JsonFormatter::default()));
    manager.root().add_handler(Arc::new(handler) as Arc<dyn Handler>);
    let log = manager.get_logger("app").bind(fields![shop = "north", big = u64::MAX]);
    let log_some = || (0..100).for_each(|number| duramen::error!(log, "record {number}"; user_id = number));
    log_some();
    assert_eq!(measure(log_some).count_total, 0);
}
