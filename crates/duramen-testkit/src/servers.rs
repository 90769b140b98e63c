//! Small servers that keep what they receive, each on a thread of its own until the test ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// After so long a test fails, in place of waiting for what does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// The messages that a server has received; clones are the same mailbox.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<(Mutex<Vec<Vec<u8>>>, Condvar)>);

impl Mailbox {
    /// Puts a message in.
    pub fn put(&self, message: &[u8]) {
        self.0.0.lock().push(message.to_owned());
        self.0.1.notify_all();
    }

    /// All messages, once there are at least `count`, or as many as came within the patience of a test.
    pub fn wait_for(&self, count: usize) -> Vec<Vec<u8>> {
        let mut messages = self.0.0.lock();
        while messages.len() < count {
            if self.0.1.wait_for(&mut messages, PATIENCE).timed_out() {
                break;
            }
        }
        messages.clone()
    }
}

/// A UDP server: each datagram is a message. Gives its port.
///
/// # Panics
/// When there is no free port.
pub fn udp() -> (u16, Mailbox) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let port = socket.local_addr().expect("a bound socket").port();
    let mailbox = Mailbox::default();
    let received = mailbox.clone();
    thread::spawn(move || {
        let mut buffer = vec![0; 65536];
        while let Ok(length) = socket.recv(&mut buffer) {
            received.put(&buffer[..length]);
        }
    });
    (port, mailbox)
}

/// A TCP server that gives each connection to `serve`. Gives its port.
///
/// # Panics
/// When there is no free port.
pub fn tcp(serve: fn(TcpStream, &Mailbox)) -> (u16, Mailbox) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("a bound socket").port();
    let mailbox = Mailbox::default();
    let received = mailbox.clone();
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            serve(connection, &received);
        }
    });
    (port, mailbox)
}

/// Reads messages with four bytes of length before each.
pub fn length_prefixed(mut connection: TcpStream, mailbox: &Mailbox) {
    let mut length = [0; 4];
    while connection.read_exact(&mut length).is_ok() {
        let mut message = vec![0; u32::from_be_bytes(length) as usize];
        if connection.read_exact(&mut message).is_err() {
            return;
        }
        mailbox.put(&message);
    }
}

/// Reads messages that end with a NUL.
pub fn nul_terminated(connection: TcpStream, mailbox: &Mailbox) {
    for message in BufReader::new(connection).split(0).map_while(Result::ok) {
        mailbox.put(&message);
    }
}

/// Answers one HTTP request; its first line, its headers and its body are the message.
pub fn http(connection: TcpStream, mailbox: &Mailbox) {
    let mut reader = BufReader::new(connection);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
    }
    let length = request
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_ok() {
        mailbox.put(&[request.as_bytes(), &body].concat());
        // The client may be gone already.
        let _ = reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
    }
}

/// Holds one SMTP conversation; the mail with its headers is the message.
pub fn smtp(connection: TcpStream, mailbox: &Mailbox) {
    let mut reader = BufReader::new(connection);
    let mut answer = "220-hello\r\n220 ready\r\n";
    loop {
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
        let mut command = String::new();
        if reader.read_line(&mut command).unwrap_or(0) == 0 {
            return;
        }
        answer = "250 ok\r\n";
        if command.starts_with("DATA") {
            let _ = reader.get_mut().write_all(b"354 go on\r\n");
            let mut mail = String::new();
            while !mail.ends_with("\r\n.\r\n") {
                if reader.read_line(&mut mail).unwrap_or(0) == 0 {
                    return;
                }
            }
            mailbox.put(mail.as_bytes());
        }
    }
}
