//! Records over TCP.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use super::base::{BasicHandler, Destination};
use super::retry::Retry;
use crate::clock::{Clock, SystemClock};
use crate::formatter::JsonFormatter;
use crate::{Formatter, Record};

/// How long a connection attempt and a write may take, so that a dead peer does not hold up the program.
pub(super) const TIMEOUT: Duration = Duration::from_secs(1);

/// Sends each record over TCP: four bytes of length, the highest first, then the record.
///
/// The record is what the formatter makes of it, JSON by default. Python's `SocketHandler` sends a pickle,
/// which is not spoken here: a receiver that unpickles does not understand this handler.
///
/// The connection is made at the first record. After a failure the next attempt waits, longer each time;
/// records in between are not delivered, and each is reported.
///
/// ```
/// use duramen::{Level, handler::SocketHandler};
///
/// let handler = SocketHandler::new("collector.internal", 9020); // nothing is opened yet
/// handler.set_level(Level::INFO);
/// ```
pub type SocketHandler = BasicHandler<TcpDestination>;

/// A TCP connection that is made again after it broke.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use duramen::clock::SystemClock;
/// use duramen::handler::socket::{SocketHandler, TcpDestination};
/// use duramen::handler::retry::Retry;
///
/// let destination = TcpDestination::new("collector.internal", 9020)
///     .retry(Retry::new(Duration::from_millis(100), 3, Duration::from_secs(60)))
///     .clock(Arc::new(SystemClock::default())); // a test sets it by hand
/// let handler = SocketHandler::to(destination);
/// ```
pub struct TcpDestination {
    host: String,
    port: u16,
    connection: Option<TcpStream>,
    retry: Retry,
    clock: Arc<dyn Clock>,
}

impl SocketHandler {
    /// Sends to `port` of `host`.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self::to(TcpDestination::new(host, port))
    }

    /// Sends to `destination`.
    pub fn to(destination: TcpDestination) -> Self {
        let handler = Self::with_destination(destination);
        handler.set_formatter(Arc::new(JsonFormatter::default()));
        handler
    }
}

impl TcpDestination {
    /// A connection to `port` of `host`.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            connection: None,
            retry: Retry::default(),
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// Sets how long the next attempt waits after a failure.
    ///
    /// ```
    /// use duramen::handler::socket::{SocketHandler, TcpDestination};
    /// use duramen::handler::retry::Retry;
    ///
    /// let destination = TcpDestination::new("collector.internal", 9020).retry(Retry::default());
    /// let handler = SocketHandler::to(destination);
    /// ```
    #[must_use]
    pub fn retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// Measures the waits by `clock`.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    fn connected(&mut self) -> io::Result<&mut TcpStream> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        Ok(self.connection.insert(connection))
    }

    fn connect(&mut self) -> io::Result<TcpStream> {
        let now = self.clock.elapsed();
        if !self.retry.is_due(now) {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "waiting before the next attempt"));
        }
        let connection = connect(&self.host, self.port);
        match &connection {
            Ok(_) => self.retry.succeeded(),
            Err(_) => self.retry.failed(now),
        }
        connection
    }
}

/// Connects to the first address of `host` that answers.
pub(super) fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    use std::net::ToSocketAddrs as _;
    let mut last_error = io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, TIMEOUT) {
            Ok(connection) => {
                connection.set_write_timeout(Some(TIMEOUT))?;
                connection.set_read_timeout(Some(TIMEOUT))?;
                return Ok(connection);
            }
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

impl Destination for TcpDestination {
    fn name(&self) -> &'static str {
        "SocketHandler"
    }

    #[expect(clippy::indexing_slicing, reason = "four bytes were written first")]
    fn emit(&mut self, record: &Record<'_>, formatter: &dyn Formatter) -> io::Result<()> {
        let mut message = vec![0; 4];
        formatter.format(record, &mut message);
        let length = u32::try_from(message.len() - 4)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "record longer than 4 GiB"))?;
        message[..4].copy_from_slice(&length.to_be_bytes());
        let sent = self.connected()?.write_all(&message);
        if sent.is_err() {
            // A record may have been sent in part: the receiver can only go on with a new connection.
            self.connection = None;
        }
        sent
    }

    fn close(&mut self) -> io::Result<()> {
        self.connection = None;
        Ok(())
    }
}
