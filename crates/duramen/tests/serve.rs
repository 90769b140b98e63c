//! The server that receives records of other processes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use duramen::serve::{Address, Control, Ledger, Options, Server};
use duramen::{Handler, Level, Manager, Record};
use duramen_testkit::CapturingHandler;

struct Running {
    handler: Arc<CapturingHandler>,
    manager: Manager,
    control: Control,
    addresses: Vec<Address>,
    thread: JoinHandle<Ledger>,
}

fn serve_with(addresses: &[&str], options: &Options) -> Running {
    let manager = Manager::new();
    let handler = Arc::new(CapturingHandler::default());
    manager.root().add_handler(handler.clone() as Arc<dyn Handler>);
    manager.root().set_level(Level(1));
    let addresses: Vec<Address> = addresses.iter().map(|address| address.parse().unwrap()).collect();
    let server = Server::bind(&addresses, manager.clone(), options).unwrap();
    let (control, addresses) = (server.control(), server.addresses().cloned().collect());
    Running { handler, manager, control, addresses, thread: std::thread::spawn(move || server.run()) }
}

fn serve() -> Running {
    serve_with(&["tcp:127.0.0.1:0", "udp:127.0.0.1:0"], &Options::default())
}

impl Running {
    fn socket_address(&self, index: usize) -> SocketAddr {
        self.addresses[index].to_string().split_once(':').unwrap().1.parse().unwrap()
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.socket_address(0)).unwrap()
    }

    /// Sends `parts`, one after the other has been taken, and closes the connection.
    fn send(&self, parts: &[&[u8]]) {
        let mut stream = self.connect();
        for part in parts {
            stream.write_all(part).unwrap();
            stream.flush().unwrap();
        }
    }

    fn wait_until(&self, is_so: impl Fn(Ledger) -> bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while !is_so(self.control.ledger()) {
            assert!(Instant::now() < until, "it did not come to that: {}", self.control.ledger());
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    fn stop(self) -> Ledger {
        self.control.stop();
        let ledger = self.thread.join().unwrap();
        assert_eq!(ledger.received, ledger.handled + ledger.below_level + ledger.refused);
        ledger
    }
}

fn framed(payload: &[u8]) -> Vec<u8> {
    [&u32::try_from(payload.len()).unwrap().to_be_bytes()[..], payload].concat()
}

/// A pickle (protocol 1) with these attributes: text, or a number of 0 to 255.
fn pickled(attributes: &[(&str, Attribute)]) -> Vec<u8> {
    let mut pickle = b"}(".to_vec();
    for (name, attribute) in attributes {
        pickled_text(name, &mut pickle);
        match attribute {
            Attribute::Text(text) => pickled_text(text, &mut pickle),
            Attribute::Number(number) => pickle.extend([b'K', *number]),
            Attribute::Raw(bytes) => pickle.extend_from_slice(bytes),
        }
    }
    pickle.extend(b"u.");
    pickle
}

enum Attribute {
    Text(&'static str),
    Number(u8),
    Raw(&'static [u8]),
}
use Attribute::{Number, Raw, Text};

fn pickled_text(text: &str, pickle: &mut Vec<u8>) {
    pickle.push(b'X');
    pickle.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    pickle.extend(text.as_bytes());
}

fn record(message: &'static str, extra: Option<&'static [u8]>) -> Vec<u8> {
    let mut attributes = vec![("name", Text("shop")), ("levelno", Number(30)), ("msg", Text(message))];
    attributes.extend(extra.map(|extra| ("extra", Raw(extra))));
    framed(&pickled(&attributes))
}

#[test]
fn a_record_arrives_in_any_pieces() {
    let running = serve();
    let bytes = [record("one", None), record("two", None)].concat();
    for size in [1, 3, 7, bytes.len()] {
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        running.send(&pieces);
    }
    running.wait_until(|ledger| ledger.received == 8 && ledger.connected == 0);
    assert_eq!(running.handler.messages(), ["one", "two"].repeat(4));
    let names = running.handler.map(|record| (record.name.to_owned(), record.level_name.to_owned()));
    assert_eq!(names[0], ("shop".to_owned(), "WARNING".to_owned()));
    assert_eq!(running.stop().handled, 8);
}

#[test]
fn what_would_import_or_call_becomes_its_name() {
    let running = serve();
    let call = b"cposix\nsystem\n(X\x08\x00\x00\x00echo hi!tR";
    running.send(&[&record("kept", Some(call))]);
    // The whole record is the result of a call: there is nothing to keep.
    running.send(&[&framed(b"cposix\nsystem\n(X\x04\x00\x00\x00exittR.")]);
    running.wait_until(|ledger| ledger.received == 2);
    let extras = running.handler.map(|record| record.fields[0].1.to_string());
    assert_eq!(extras, ["<posix.system echo hi!>"]);
    let ledger = running.stop();
    assert_eq!((ledger.handled, ledger.refused, ledger.replaced), (1, 1, 1));
}

#[test]
fn opcodes_that_no_record_has_are_refused() {
    let running = serve();
    let refused: [&[u8]; 9] = [
        b"",
        b".",
        b"N.",
        b"P1\n.",
        b"\x80\x02\x82\x01.",
        b"}(X\x01\x00\x00\x00au.",
        b"}h\x07.",
        b"e.",
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff.",
    ];
    for pickle in refused {
        running.send(&[&framed(pickle)]);
    }
    running.send(&[&record("last", None)]);
    running.wait_until(|ledger| ledger.received == 10);
    assert_eq!(running.handler.messages(), ["last"]);
    assert_eq!(running.stop().refused, 9);
}

#[test]
fn what_refers_to_itself_is_cut_and_what_grows_without_end_is_refused() {
    let running = serve();
    running.send(&[&record("a list in itself", Some(b"]q\x01h\x01a"))]);
    // Each of these lists holds the one before twice.
    let mut doubled = b"]q\x00".to_vec();
    for place in 1..30_u8 {
        doubled.extend([b']', b'q', place, b'(', b'h', place - 1, b'h', place - 1, b'e']);
    }
    doubled.extend(b".");
    running.send(&[&framed(&doubled)]);
    running.wait_until(|ledger| ledger.received == 2);
    assert_eq!(running.handler.messages(), ["a list in itself"]);
    let ledger = running.stop();
    assert_eq!((ledger.refused, ledger.replaced), (1, 1));
}

#[test]
fn a_record_that_is_too_long_is_skipped_and_the_connection_goes_on() {
    let options = Options { largest_message: 200, ..Options::default() };
    let running = serve_with(&["tcp:127.0.0.1:0"], &options);
    running.send(&[&framed(&vec![b'x'; 100_000]), &record("after it", None)]);
    running.wait_until(|ledger| ledger.received == 2);
    assert_eq!(running.handler.messages(), ["after it"]);
    assert_eq!(running.stop().refused, 1);
}

#[test]
fn a_length_that_nobody_has_ends_the_connection() {
    let running = serve();
    let mut stream = running.connect();
    stream.write_all(b"\x7f\xff\xff\xff").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(matches!(stream.read(&mut [0; 8]), Ok(0) | Err(_)));
    running.wait_until(|ledger| ledger.foreign == 1);
    running.send(&[&record("another client", None)]);
    running.wait_until(|ledger| ledger.received == 1);
    running.stop();
}

#[test]
fn half_a_record_is_counted_when_its_client_leaves() {
    let running = serve();
    let whole = record("whole", None);
    running.send(&[&whole, &whole[..whole.len() - 1]]);
    running.wait_until(|ledger| ledger.incomplete == 1);
    assert_eq!(running.stop().handled, 1);
}

#[test]
fn a_client_that_says_nothing_holds_up_nobody() {
    let running = serve();
    let silent: Vec<_> = (0..20).map(|_| running.connect()).collect();
    let mut slow = running.connect();
    slow.write_all(&record("half", None)[..9]).unwrap();
    running.send(&[&record("served", None)]);
    running.wait_until(|ledger| ledger.received == 1);
    assert_eq!(running.handler.messages(), ["served"]);
    drop(silent);
    drop(slow);
    running.stop();
}

#[test]
fn clients_above_the_limit_wait_for_a_place() {
    let running = serve_with(&["tcp:127.0.0.1:0"], &Options { clients: 1, ..Options::default() });
    let first = running.connect();
    running.wait_until(|ledger| ledger.connected == 1);
    let mut second = running.connect();
    second.write_all(&record("second", None)).unwrap();
    drop(first);
    running.wait_until(|ledger| ledger.received == 1);
    running.stop();
}

#[test]
fn the_end_takes_what_has_arrived() {
    let running = serve();
    let mut streams: Vec<_> = (0..8).map(|_| running.connect()).collect();
    for stream in &mut streams {
        for _ in 0..500 {
            stream.write_all(&record("sent", None)).unwrap();
        }
    }
    let handler = Arc::clone(&running.handler);
    assert_eq!(running.stop().handled, 4000);
    assert_eq!(handler.messages().len(), 4000);
}

/// A handler that is busy until it is let go.
#[derive(Default)]
struct BusyHandler(Mutex<()>);

impl Handler for BusyHandler {
    fn level(&self) -> Level {
        Level::NOTSET
    }

    fn flush(&self) {}

    fn close(&self) {}

    fn handle(&self, _: &Record<'_>) {
        drop(self.0.lock().unwrap());
    }
}

#[test]
fn the_end_takes_what_is_still_on_its_way() {
    let running = serve();
    let handler = Arc::new(BusyHandler::default());
    let busy = handler.0.lock().unwrap();
    running.manager.root().add_handler(handler.clone() as Arc<dyn Handler>);
    let mut stream = running.connect();
    stream.write_all(&record("one", None)).unwrap();
    running.control.stop();
    drop(busy);
    running.wait_until(|ledger| ledger.received == 1);
    // Whoever ends at the first socket that is empty has ended by now.
    stream.write_all(&record("two", None)).unwrap();
    assert_eq!(running.stop().handled, 2);
}

#[test]
fn loggers_of_the_configuration_decide_and_others_are_not_made() {
    let running = serve();
    running.manager.get_logger("quiet").set_level(Level::ERROR);
    let names: [&'static str; 3] = ["quiet", "quiet.below", "loud"];
    for name in names {
        running.send(&[&framed(&pickled(&[
            ("name", Text(name)),
            ("levelno", Number(30)),
            ("msg", Text("m")),
        ]))]);
    }
    running.wait_until(|ledger| ledger.received == 3);
    assert_eq!(running.handler.map(|record| record.name.to_owned()), ["loud"]);
    assert_eq!(running.stop().below_level, 2);
}

#[test]
fn json_of_this_crates_handlers_arrives() {
    let running = serve();
    let sender = Manager::new();
    sender.root().set_level(Level(1));
    let address = running.socket_address(0);
    let handler = Arc::new(duramen::handler::SocketHandler::new("127.0.0.1", address.port()));
    sender.root().add_handler(handler.clone());
    let log = sender.get_logger("rust.app");
    duramen::error!(log, "no {}", "disk"; attempts = 3);
    handler.close();
    running.wait_until(|ledger| ledger.received == 1);
    let seen = running.handler.map(|record| {
        (record.name.to_owned(), record.level, record.message.to_owned(), record.fields[0].1.to_string())
    });
    assert_eq!(seen, [("rust.app".into(), Level::ERROR, "no disk".into(), "3".into())]);
    running.stop();
}

type Seen = (String, i64, String, Vec<(String, String)>);

fn syslog_seen(datagrams: &[&[u8]]) -> Vec<Seen> {
    let running = serve();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for (index, datagram) in datagrams.iter().enumerate() {
        socket.send_to(datagram, running.socket_address(1)).unwrap();
        running.wait_until(|ledger| ledger.received == index as u64 + 1);
    }
    let seen = running.handler.map(|record| {
        let fields =
            record.fields.iter().map(|(key, value)| ((*key).to_owned(), value.to_string())).collect();
        (record.name.to_owned(), record.level.0, record.message.to_owned(), fields)
    });
    running.stop();
    seen
}

fn field(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn syslog_of_rfc_5424_is_read_whole() {
    let message = "<165>1 2003-10-11T22:14:15.003Z host.example evntslog 99 ID47 \
                   [a@1 x=\"y \\\"z\\\" \\]\"][b@2] \u{feff}An event: done";
    let seen = syslog_seen(&[message.as_bytes()]);
    let fields = vec![
        field("facility", "local4"),
        field("hostname", "host.example"),
        field("msgid", "ID47"),
        field("structured_data", "{a@1: {x: y \"z\" ]}, b@2: {}}"),
    ];
    assert_eq!(seen, [("syslog.evntslog".into(), 20, "An event: done".into(), fields)]);
}

#[test]
fn syslog_of_rfc_3164_and_pythons_short_form_are_read() {
    let seen = syslog_seen(&[
        b"<34>Oct 11 22:14:15 mymachine su[231]: 'su root' failed\n",
        b"<11>plain text: of Python\0",
        b"<14>app: started\0",
        b"<191>",
    ]);
    let name = |at: usize| (&*seen[at].0, seen[at].1, &*seen[at].2);
    assert_eq!(name(0), ("syslog.su", 50, "'su root' failed"));
    assert_eq!(seen[0].3, [field("facility", "auth"), field("hostname", "mymachine")]);
    assert_eq!(name(1), ("syslog", 40, "plain text: of Python"));
    assert_eq!(name(2), ("syslog.app", 20, "started"));
    assert_eq!(name(3), ("syslog", 10, ""));
}

#[test]
fn syslog_over_tcp_may_end_in_three_ways() {
    let running = serve();
    // A NUL, as Python sends it: line feeds belong to the message.
    running.send(&[b"<14>one\ntwo\0<14>three\0"]);
    running.wait_until(|ledger| ledger.received == 2);
    running.send(&[b"<14>four\n<14>five\nsix\n"]);
    running.wait_until(|ledger| ledger.received == 4);
    running.send(&[b"8 <14>1234", b"7 <14>567"]);
    running.wait_until(|ledger| ledger.received == 6);
    running.send(&[b"<14>without an end"]);
    running.wait_until(|ledger| ledger.received == 7);
    let expected = ["one\ntwo", "three", "four", "five\nsix", "1234", "567", "without an end"];
    assert_eq!(running.handler.messages(), expected);
    running.stop();
}

#[test]
fn datagrams_that_are_no_record_are_refused() {
    let seen = syslog_seen(&[b"\0\0\0\x05abc", b"", b"hello", b"<999>x", b"<1>ok"]);
    assert_eq!(seen.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_unix_socket_that_was_left_is_taken_over_and_one_in_use_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let text = format!("unix:{}", path.display());
    let running = serve_with(&[&text], &Options::default());
    let second = Server::bind(&[text.parse().unwrap()], Manager::new(), &Options::default());
    assert!(second.err().is_some_and(|error| error.to_string().starts_with("cannot listen on unix:")));
    let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    stream.write_all(&record("through a file", None)).unwrap();
    drop(stream);
    running.wait_until(|ledger| ledger.received == 1);
    running.stop();
    assert!(!path.exists());
}

#[test]
fn a_message_of_syslog_whose_sender_was_killed_is_no_message() {
    let running = serve();
    running.send(&[b"<14>one\0<14>two\0<14>thr"]);
    running.wait_until(|ledger| ledger.incomplete == 1);
    assert_eq!(running.handler.messages(), ["one", "two"]);
    assert_eq!(running.stop().received, 2);
}

#[test]
fn a_message_of_several_lines_may_come_in_any_pieces() {
    let running = serve();
    let mut stream = running.connect();
    stream.set_nodelay(true).unwrap();
    let bytes = b"<14>failed\n<module>\n9 lines\0<14>next\0";
    for count in 1..=bytes.len() {
        stream.write_all(&bytes[count - 1..count]).unwrap();
        // Each byte is read by itself: datagrams are taken before what comes from a connection.
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        datagrams.send_to(b"<15>", running.socket_address(1)).unwrap();
        running.wait_until(|ledger| ledger.received >= count as u64);
    }
    running.wait_until(|ledger| ledger.received == bytes.len() as u64 + 2);
    let mut messages = running.handler.messages();
    messages.retain(|message| !message.is_empty());
    assert_eq!(messages, ["failed\n<module>\n9 lines", "next"]);
    // One that ends with a line feed is whole when nothing else comes.
    running.send(&[b"<14>of another client\n"]);
    let mut open = running.connect();
    open.write_all(b"<14>of a third\n").unwrap();
    running.wait_until(|ledger| ledger.received == bytes.len() as u64 + 4);
    assert_eq!(running.stop().foreign, 0);
}

#[test]
fn the_end_takes_those_who_wait_for_a_place() {
    let running = serve_with(&["tcp:127.0.0.1:0"], &Options { clients: 1, ..Options::default() });
    let _first = running.connect();
    running.wait_until(|ledger| ledger.connected == 1);
    let mut waiting: Vec<_> = (0..5).map(|_| running.connect()).collect();
    for stream in &mut waiting {
        stream.write_all(&record("waits", None)).unwrap();
    }
    assert_eq!(running.stop().handled, 5);
}

#[test]
fn an_end_without_a_limit_ends_when_nothing_comes() {
    let options = Options { drain_timeout: Duration::MAX, ..Options::default() };
    let running = serve_with(&["tcp:127.0.0.1:0"], &options);
    running.send(&[&record("one", None)]);
    assert_eq!(running.stop().handled, 1);
}

#[cfg(unix)]
#[test]
fn of_servers_that_start_together_one_has_the_socket_that_was_left() {
    const SERVERS: usize = 16;
    let folder = tempfile::tempdir().unwrap();
    for kind in ["unix", "unix-datagram"] {
        for round in 0..200 {
            let path = folder.path().join(format!("{kind}-{round}.sock"));
            drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
            let address: Address = format!("{kind}:{}", path.display()).parse().unwrap();
            let (address, together) = (&address, &std::sync::Barrier::new(SERVERS));
            let servers: Vec<_> = std::thread::scope(|scope| {
                let bind = || {
                    together.wait();
                    Server::bind(std::slice::from_ref(address), Manager::new(), &Options::default()).ok()
                };
                let starting: Vec<_> = (0..SERVERS).map(|_| scope.spawn(bind)).collect();
                starting.into_iter().filter_map(|server| server.join().unwrap()).collect()
            });
            assert_eq!(servers.len(), 1, "{kind}, {round}");
            assert!(path.exists());
        }
    }
}

#[cfg(unix)]
#[test]
fn a_server_that_accepts_nobody_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.sock");
    // It listens, and its queue of connections is full.
    let _busy = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let mut connections = Vec::new();
    while let Ok(connection) = mio::net::UnixStream::connect(&path) {
        connections.push(connection);
        assert!(connections.len() < 100_000);
    }
    let address: Address = format!("unix:{}", path.display()).parse().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let server = Server::bind(&[address], Manager::new(), &Options::default());
        tell.send(server.is_err()).unwrap();
    });
    assert_eq!(told.recv_timeout(Duration::from_secs(60)), Ok(true));
}
