//! What handlers put on the wire, and how they come back after a failure.

use std::net::TcpListener;
use std::sync::Arc;

use duramen::handler::http::{HttpDestination, Method};
use duramen::handler::socket::TcpDestination;
use duramen::handler::syslog::{Address, Facility, SysLogDestination};
use duramen::handler::{HttpHandler, SmtpHandler, SocketHandler, SysLogHandler};
use duramen::{Handler, Level, report};
use duramen_testkit::servers::{self, Mailbox};
use duramen_testkit::{FakeClock, record};

fn handle(handler: &dyn Handler, level: Level, message: &str) {
    record(level, message, |record| handler.handle(record));
}

fn first_text(mailbox: &Mailbox) -> String {
    let messages = mailbox.wait_for(1);
    String::from_utf8(messages.first().expect("a message came").clone()).expect("UTF-8")
}

#[test]
fn a_socket_sends_json() {
    let (port, mailbox) = servers::tcp(servers::length_prefixed);
    handle(&SocketHandler::new("127.0.0.1", port), Level::INFO, "hello");
    let text = first_text(&mailbox);
    assert!(text.starts_with('{') && text.contains(r#""message": "hello""#), "{text}");
}

#[test]
fn a_lost_server_is_tried_again_only_when_the_time_has_come() {
    report::set_enabled(false);
    // The port of a listener that is gone is refused.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let clock = Arc::new(FakeClock::at(0));
    let handler = SocketHandler::to(TcpDestination::new("127.0.0.1", port).clock(clock.clone()));
    handle(&handler, Level::INFO, "refused");
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the same port");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    handle(&handler, Level::INFO, "too early");
    assert!(listener.accept().is_err(), "no attempt within the first second");
    clock.advance(1);
    handle(&handler, Level::INFO, "in time");
    listener.set_nonblocking(false).expect("a listener that waits");
    let (connection, _) = listener.accept().expect("the second attempt");
    let mailbox = Mailbox::default();
    drop(handler);
    servers::length_prefixed(connection, &mailbox);
    assert!(first_text(&mailbox).contains("in time"));
}

#[test]
fn syslog_maps_levels_to_severities() {
    let (port, mailbox) = servers::udp();
    let address = Address::Udp("127.0.0.1".to_owned(), port);
    let destination = SysLogDestination::new(address, Facility::Local3).identification("app: ").without_nul();
    let handler = SysLogHandler::with_destination(destination);
    let levels = [Level::DEBUG, Level::INFO, Level::WARNING, Level::ERROR, Level::CRITICAL, Level(25)];
    for level in levels {
        handle(&handler, level, "text");
    }
    let messages = mailbox.wait_for(levels.len());
    let texts: Vec<_> = messages.iter().map(|message| String::from_utf8_lossy(message)).collect();
    let expected = ["<159>", "<158>", "<156>", "<155>", "<154>", "<156>"];
    assert_eq!(texts, expected.map(|priority| format!("{priority}app: text")));
}

#[test]
fn a_mail_has_its_headers() {
    let (port, mailbox) = servers::tcp(servers::smtp);
    let to = vec!["a@example.org".to_owned(), "b@example.org".to_owned()];
    let handler = SmtpHandler::new("127.0.0.1", port, "app@example.org", to, "Trouble\r\nBcc: x");
    handle(&handler.expect("valid addresses"), Level::ERROR, ".\r\nQUIT");
    let mail = first_text(&mailbox);
    assert!(mail.contains("From: app@example.org\r\nTo: a@example.org, b@example.org\r\n"), "{mail}");
    assert!(mail.contains("Date: Fri, 1 Mar 2024 12:00:00 -0000\r\n"), "{mail}");
    assert!(!mail.contains("Bcc"), "a line end in the subject adds no header: {mail}");
    let refused = SmtpHandler::new("127.0.0.1", port, "a>\r\nRCPT TO:<x", Vec::new(), "");
    assert!(refused.is_err());
}

#[test]
fn a_request_carries_the_fields_of_the_record() {
    let (port, mailbox) = servers::tcp(servers::http);
    let destination = HttpDestination::new("127.0.0.1", port, "/log", Method::Post).expect("valid");
    let handler = HttpHandler::new(destination.credentials("user", "pass"));
    handle(&handler, Level::INFO, "a & b");
    let request = first_text(&mailbox);
    assert!(request.starts_with("POST /log HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("Authorization: Basic dXNlcjpwYXNz\r\n"), "{request}");
    assert!(request.contains("name=app.db&msg=a+%26+b&levelname=INFO&levelno=20&"), "{request}");
    assert!(request.contains("&taskName=None&"), "{request}");
    assert!(HttpDestination::new("host\r\nX: y", 80, "/", Method::Get).is_err());
}
