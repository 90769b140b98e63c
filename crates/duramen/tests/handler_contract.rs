//! Every handler is held to the handler contract of the test kit.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use duramen::filter::Filter;
use duramen::formatter::TextFormatter;
use duramen::handler::http::{HttpDestination, Method};
use duramen::handler::syslog::{Address, Facility};
use duramen::handler::{
    AsyncHandler, BasicHandler, DatagramHandler, Destination, FileHandler, HttpHandler, MemoryHandler,
    RotatingFileHandler, SmtpHandler, SocketHandler, StreamHandler, SysLogHandler, TimedRotatingFileHandler,
    WatchedFileHandler,
};
use duramen::queue::Options;
use duramen::rotation::{Customs, Schedule, SizeLimit, When};
use duramen::writer::{FileWriter, TimedRotatingWriter};
use duramen::{Formatter, Level, Record, report};
use duramen_testkit::contract::{Subject, hold};
use duramen_testkit::servers::{self, Mailbox};
use duramen_testkit::{CapturingHandler, FakeClock, FakeDisk};
use jiff::tz::TimeZone;
use parking_lot::Mutex;

/// A subject of a handler whose text is the message alone.
fn subject<D: Destination + 'static>(
    handler: BasicHandler<D>,
    delivered: impl FnMut(usize) -> Vec<String> + 'static,
) -> Subject {
    handler.set_formatter(Arc::new(TextFormatter::default()));
    let handler = Arc::new(handler);
    let same = Arc::clone(&handler);
    Subject {
        handler,
        set_level: Box::new(move |level| same.set_level(level)),
        delivered: Box::new(delivered),
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// What a server got, each message made readable by `read`.
fn received(mailbox: Mailbox, read: fn(&str) -> String) -> impl FnMut(usize) -> Vec<String> {
    move |count| {
        let messages = mailbox.wait_for(count);
        messages.iter().map(|message| read(std::str::from_utf8(message).expect("UTF-8"))).collect()
    }
}

/// A stream whose bytes can be read while it is written.
#[derive(Clone, Default)]
struct SharedBytes(Arc<Mutex<Vec<u8>>>);

impl Write for SharedBytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn stream() {
    let bytes = SharedBytes::default();
    let written = bytes.clone();
    hold(subject(StreamHandler::new(bytes), move |_| lines(&String::from_utf8_lossy(&written.0.lock()))));
}

fn temporary_file() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("app.log");
    (directory, path)
}

fn lines_of(path: &Path) -> Vec<String> {
    lines(&std::fs::read_to_string(path).unwrap_or_default())
}

#[test]
fn file() {
    let (_directory, path) = temporary_file();
    hold(subject(FileHandler::new(&path).expect("a writable file"), move |_| lines_of(&path)));
}

#[test]
fn watched_file() {
    let (_directory, path) = temporary_file();
    hold(subject(WatchedFileHandler::new(FileWriter::new(&path)), move |_| lines_of(&path)));
}

#[test]
fn rotating_file() {
    let disk = FakeDisk::default();
    let file = FileWriter::on(Arc::new(disk.clone()), "app.log");
    let handler = RotatingFileHandler::new(file, SizeLimit::new(120, 100), Customs::default());
    hold(subject(handler, move |_| {
        let backups = (1..=100).rev().filter_map(|number| disk.text(&format!("app.log.{number}")));
        lines(&backups.chain(disk.text("app.log")).collect::<String>())
    }));
}

#[test]
fn timed_rotating_file() {
    let disk = FakeDisk::default();
    let file = FileWriter::on(Arc::new(disk.clone()), "app.log");
    let schedule = Schedule::new(When::Second, 1).expect("valid");
    let clock = Arc::new(FakeClock::at(1_709_294_400));
    let writer =
        TimedRotatingWriter::new(file, schedule, 0, Customs::default(), clock.clone(), TimeZone::UTC);
    hold(subject(TimedRotatingFileHandler::with_writer(writer), move |_| {
        clock.advance(5);
        let mut names = disk.names();
        // The names of the backups sort by time; the file itself comes last.
        names.rotate_left(1);
        lines(&names.iter().filter_map(|name| disk.text(name)).collect::<String>())
    }));
}

#[test]
fn memory() {
    let target = Arc::new(CapturingHandler::default());
    let handler = Arc::new(MemoryHandler::new(7, Level::ERROR, target.clone()));
    let same = Arc::clone(&handler);
    hold(Subject {
        handler,
        set_level: Box::new(move |level| same.set_level(level)),
        delivered: Box::new(move |_| target.messages()),
    });
}

#[test]
fn queue() {
    let behind = Arc::new(CapturingHandler::default());
    let handler = AsyncHandler::new(vec![behind.clone()], Options { capacity: 3, ..Options::default() })
        .expect("a thread");
    let handler = Arc::new(handler);
    let same = Arc::clone(&handler);
    hold(Subject {
        handler: handler.clone(),
        set_level: Box::new(move |level| same.set_level(level)),
        delivered: Box::new(move |_| behind.messages()),
    });
    let stats = handler.stats();
    assert_eq!(stats.accepted, stats.delivered);
    assert_eq!(
        (stats.queued, stats.failed, stats.dropped.closed),
        (0, 0, 1),
        "the record after close is counted"
    );
}

#[test]
fn socket() {
    let (port, mailbox) = servers::tcp(servers::length_prefixed);
    hold(subject(SocketHandler::new("127.0.0.1", port), received(mailbox, str::to_owned)));
}

#[test]
fn datagram() {
    let (port, mailbox) = servers::udp();
    hold(subject(DatagramHandler::new("127.0.0.1", port), received(mailbox, str::to_owned)));
}

/// The message of a syslog packet of the facility `user` and the severity `info`.
fn syslog_message(packet: &str) -> String {
    packet.strip_prefix("<14>").expect("the priority").trim_end_matches('\0').to_owned()
}

#[test]
fn syslog_over_udp() {
    let (port, mailbox) = servers::udp();
    let handler = SysLogHandler::new(Address::Udp("127.0.0.1".to_owned(), port), Facility::User);
    hold(subject(handler, received(mailbox, syslog_message)));
}

#[test]
fn syslog_over_tcp() {
    let (port, mailbox) = servers::tcp(servers::nul_terminated);
    let handler = SysLogHandler::new(Address::Tcp("127.0.0.1".to_owned(), port), Facility::User);
    hold(subject(handler, received(mailbox, syslog_message)));
}

#[cfg(unix)]
#[test]
fn syslog_over_a_unix_socket() {
    let (directory, _) = temporary_file();
    let path = directory.path().join("log");
    let daemon = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    let mailbox = Mailbox::default();
    let sink = mailbox.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length) = daemon.recv(&mut buffer) {
            sink.put(&buffer[..length]);
        }
    });
    let handler = SysLogHandler::new(Address::Unix(path), Facility::User);
    hold(subject(handler, received(mailbox, syslog_message)));
}

#[test]
fn smtp() {
    let (port, mailbox) = servers::tcp(servers::smtp);
    let to = vec!["ops@example.org".to_owned()];
    let handler = SmtpHandler::new("127.0.0.1", port, "app@example.org", to, "Trouble").expect("addresses");
    hold(subject(handler, received(mailbox, mail_body)));
}

/// The text of a mail, which is base 64.
fn mail_body(mail: &str) -> String {
    let (_, body) = mail.split_once("\r\n\r\n").expect("headers");
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut bytes = Vec::new();
    for value in body.bytes().filter_map(|byte| digits.iter().position(|digit| *digit == byte)) {
        bits = bits << 6 | u32::try_from(value).expect("six bits");
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn http() {
    for method in [Method::Get, Method::Post] {
        let (port, mailbox) = servers::tcp(servers::http);
        let destination = HttpDestination::new("127.0.0.1", port, "/log?app=1", method).expect("valid");
        let handler = HttpHandler::new(destination);
        hold(subject(handler, received(mailbox, form_message)));
    }
}

/// The field `msg` of a request.
fn form_message(request: &str) -> String {
    let (_, rest) = request.split_once("msg=").expect("a message");
    let encoded = rest.split('&').next().unwrap_or_default().replace('+', " ");
    let mut bytes = Vec::new();
    let mut rest = encoded.as_bytes();
    while let [byte, after @ ..] = rest {
        if let ([b'%', high, low, after @ ..], _) = (rest, after) {
            let hexadecimal = format!("{}{}", char::from(*high), char::from(*low));
            bytes.push(u8::from_str_radix(&hexadecimal, 16).expect("two digits"));
            rest = after;
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// What a program brings along itself: where lines go, and how they look.
struct Page(Arc<Mutex<Vec<String>>>);

impl Destination for Page {
    fn name(&self) -> &'static str {
        "Page"
    }

    fn emit(&mut self, record: &Record<'_>, formatter: &dyn Formatter) -> std::io::Result<()> {
        let mut line = Vec::new();
        formatter.format(record, &mut line);
        self.0.lock().push(String::from_utf8_lossy(&line).into_owned());
        Ok(())
    }

    fn close(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct InBrackets;

impl Formatter for InBrackets {
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let _ = write!(out, "[{}]", record.message);
    }
}

#[test]
fn a_handler_and_a_formatter_of_the_programs_own() {
    let lines = Arc::default();
    let handler = Arc::new(BasicHandler::with_destination(Page(Arc::clone(&lines))));
    handler.set_formatter(Arc::new(InBrackets));
    let same = Arc::clone(&handler);
    let without_brackets = |line: &String| line.trim_start_matches('[').trim_end_matches(']').to_owned();
    hold(Subject {
        handler,
        set_level: Box::new(move |level| same.set_level(level)),
        delivered: Box::new(move |_| lines.lock().iter().map(without_brackets).collect()),
    });
}

#[test]
fn a_panic_in_a_filter_is_reported_and_not_passed_on() {
    struct Panicking;
    impl Filter for Panicking {
        fn filter(&self, record: &Record<'_>) -> bool {
            assert_ne!(record.message, "panic", "as the test wants");
            true
        }
    }
    report::set_enabled(false);
    let (_directory, path) = temporary_file();
    let handler = FileHandler::new(&path).expect("a writable file");
    handler.add_filter(Arc::new(Panicking));
    let before = report::count();
    for message in ["one", "panic", "two"] {
        duramen_testkit::record(Level::INFO, message, |record| {
            duramen::Handler::handle(&handler, record);
        });
    }
    assert_eq!(lines_of(&path), ["one", "two"]);
    assert!(report::count() > before);
}

#[test]
fn a_filter_that_handles_a_record_itself_does_not_hang() {
    struct Loops(std::sync::Weak<FileHandler>);
    impl Filter for Loops {
        fn filter(&self, record: &Record<'_>) -> bool {
            if let Some(handler) = self.0.upgrade() {
                duramen::Handler::handle(handler.as_ref(), record);
            }
            true
        }
    }
    report::set_enabled(false);
    let (_directory, path) = temporary_file();
    let handler = Arc::new(FileHandler::new(&path).expect("a writable file"));
    handler.add_filter(Arc::new(Loops(Arc::downgrade(&handler))));
    duramen_testkit::record(Level::INFO, "one", |record| {
        duramen::Handler::handle(handler.as_ref(), record);
    });
    assert_eq!(lines_of(&path), ["one"]);
}
