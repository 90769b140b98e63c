//! Records over UDP.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;

use super::base::{BasicHandler, Destination};
use crate::formatter::JsonFormatter;
use crate::{Formatter, Record};

/// Sends each record as one datagram: what the formatter makes of it, JSON by default.
///
/// Python's `DatagramHandler` sends a pickle, which is not spoken here. A datagram may be lost on its way,
/// and one that is longer than the network takes is reported.
///
/// ```
/// use duramen::handler::DatagramHandler;
///
/// let handler = DatagramHandler::new("127.0.0.1", 9021); // JSON, a datagram for each record
/// ```
pub type DatagramHandler = BasicHandler<UdpDestination>;

/// A UDP socket that is opened at the first record.
///
/// ```
/// use duramen::handler::{BasicHandler, DatagramHandler, datagram::UdpDestination};
///
/// /// Takes the handler of any configuration of UDP.
/// fn count(handler: &BasicHandler<UdpDestination>) -> Option<u64> {
///     duramen::Handler::failed(handler)
/// }
///
/// count(&DatagramHandler::new("127.0.0.1", 9021));
/// ```
pub struct UdpDestination {
    host: String,
    port: u16,
    socket: Option<UdpSocket>,
}

impl DatagramHandler {
    /// Sends to `port` of `host`.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        let handler = Self::with_destination(UdpDestination { host: host.into(), port, socket: None });
        handler.set_formatter(Arc::new(JsonFormatter::default()));
        handler
    }
}

/// A UDP socket of any free port that sends to `port` of `host`.
pub(super) fn connect(host: &str, port: u16) -> io::Result<UdpSocket> {
    let no_address = || io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    let address = (host, port).to_socket_addrs()?.next().ok_or_else(no_address)?;
    let any = match address {
        SocketAddr::V4(_) => "0.0.0.0:0",
        SocketAddr::V6(_) => "[::]:0",
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    Ok(socket)
}

impl Destination for UdpDestination {
    fn name(&self) -> &'static str {
        "DatagramHandler"
    }

    fn emit(&mut self, record: &Record<'_>, formatter: &dyn Formatter) -> io::Result<()> {
        let mut message = Vec::new();
        formatter.format(record, &mut message);
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => connect(&self.host, self.port)?,
        };
        let sent = socket.send(&message).map(|_| ());
        self.socket = Some(socket);
        sent
    }

    fn close(&mut self) -> io::Result<()> {
        self.socket = None;
        Ok(())
    }
}
