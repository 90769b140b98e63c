//! Records to syslog, as Python's `SysLogHandler` writes them (the short form of RFC 3164).

use std::io::{self, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::path::PathBuf;

use super::base::{BasicHandler, Destination};
use super::{datagram, socket};
use crate::{Formatter, Record};

/// Sends `<PRIORITY>`, the identification, what the formatter makes of the record, and a NUL.
///
/// Over TCP nothing but the NUL separates messages, as in Python.
///
/// ```
/// use duramen::handler::SysLogHandler;
/// use duramen::handler::syslog::{Address, Facility, SysLogDestination};
///
/// let destination = SysLogDestination::new(Address::Unix("/dev/log".into()), Facility::Local0);
/// let handler = SysLogHandler::with_destination(destination.identification("shop: ").without_nul());
/// ```
pub type SysLogHandler = BasicHandler<SysLogDestination>;

/// Where the syslog daemon listens.
///
/// ```
/// use duramen::handler::SysLogHandler;
/// use duramen::handler::syslog::{Address, Facility};
///
/// let local = SysLogHandler::new(Address::Unix("/dev/log".into()), Facility::Daemon);
/// let remote = SysLogHandler::new(Address::Udp("logs.internal".into(), 514), Facility::Local0);
/// let reliable = SysLogHandler::new(Address::Tcp("logs.internal".into(), 601), Facility::default());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket, such as `/dev/log`: for datagrams or, where those are refused, for a stream.
    Unix(PathBuf),
    /// UDP on a host and a port, usually 514.
    Udp(String, u16),
    /// TCP on a host and a port.
    Tcp(String, u16),
}

/// The part of the system that a message comes from.
///
/// ```
/// use duramen::handler::syslog::Facility;
///
/// assert_eq!(Facility::default(), Facility::User);
/// assert_eq!(Facility::Local7 as u8, 23); // its number in RFC 3164
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of syslog say what they are")]
pub enum Facility {
    Kern = 0,
    #[default]
    User = 1,
    Mail = 2,
    Daemon = 3,
    Auth = 4,
    Syslog = 5,
    Lpr = 6,
    News = 7,
    Uucp = 8,
    Cron = 9,
    Authpriv = 10,
    Ftp = 11,
    Ntp = 12,
    Security = 13,
    Console = 14,
    SolarisCron = 15,
    Local0 = 16,
    Local1 = 17,
    Local2 = 18,
    Local3 = 19,
    Local4 = 20,
    Local5 = 21,
    Local6 = 22,
    Local7 = 23,
}

/// A connection to a syslog daemon, made at the first record.
///
/// ```
/// use duramen::handler::SysLogHandler;
/// use duramen::handler::syslog::{Address, Facility, SysLogDestination};
///
/// let destination = SysLogDestination::new(Address::Tcp("logs.internal".into(), 601), Facility::Mail)
///     .identification("postmaster: ")
///     .without_nul();
/// let handler = SysLogHandler::with_destination(destination);
/// ```
pub struct SysLogDestination {
    address: Address,
    facility: Facility,
    identification: String,
    append_nul: bool,
    connection: Option<Connection>,
}

enum Connection {
    Udp(UdpSocket),
    Tcp(TcpStream),
    #[cfg(unix)]
    UnixDatagram(std::os::unix::net::UnixDatagram),
    #[cfg(unix)]
    UnixStream(std::os::unix::net::UnixStream),
}

impl SysLogDestination {
    /// Messages of `facility` to the daemon at `address`.
    pub fn new(address: Address, facility: Facility) -> Self {
        Self { address, facility, identification: String::new(), append_nul: true, connection: None }
    }

    /// Puts `identification` before each message, as in `app: ` (Python's `ident`).
    #[must_use]
    pub fn identification(self, identification: impl Into<String>) -> Self {
        Self { identification: identification.into(), ..self }
    }

    /// Leaves out the NUL after each message, which only old daemons need (Python's `append_nul`).
    #[must_use]
    pub fn without_nul(self) -> Self {
        Self { append_nul: false, ..self }
    }

    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(&self.address)?,
        };
        // After an error the connection is dropped, and the next attempt makes a new one.
        connection.send(message)?;
        self.connection = Some(connection);
        Ok(())
    }
}

impl SysLogHandler {
    /// Messages of `facility` to the daemon at `address`.
    pub fn new(address: Address, facility: Facility) -> Self {
        Self::with_destination(SysLogDestination::new(address, facility))
    }
}

impl Connection {
    fn open(address: &Address) -> io::Result<Self> {
        match address {
            Address::Udp(host, port) => datagram::connect(host, *port).map(Self::Udp),
            Address::Tcp(host, port) => socket::connect(host, *port).map(Self::Tcp),
            #[cfg(unix)]
            Address::Unix(path) => {
                use std::os::unix::net::{UnixDatagram, UnixStream};
                let datagram = UnixDatagram::unbound()?;
                if datagram.connect(path).is_ok() {
                    return Ok(Self::UnixDatagram(datagram));
                }
                UnixStream::connect(path).map(Self::UnixStream)
            }
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.send(message).map(|_| ()),
            Self::Tcp(stream) => stream.write_all(message),
            #[cfg(unix)]
            Self::UnixDatagram(socket) => socket.send(message).map(|_| ()),
            #[cfg(unix)]
            Self::UnixStream(stream) => stream.write_all(message),
        }
    }
}

/// The severity by the level's name: what is not one of the five standard names is a warning.
fn severity(level_name: &str) -> u8 {
    match level_name {
        "DEBUG" => 7,
        "INFO" => 6,
        "ERROR" => 3,
        "CRITICAL" => 2,
        _ => 4,
    }
}

impl Destination for SysLogDestination {
    fn name(&self) -> &'static str {
        "SysLogHandler"
    }

    fn emit(&mut self, record: &Record<'_>, formatter: &dyn Formatter) -> io::Result<()> {
        let priority = (self.facility as u8) << 3 | severity(record.level_name);
        let mut message = format!("<{priority}>{}", self.identification).into_bytes();
        formatter.format(record, &mut message);
        if self.append_nul {
            message.push(0);
        }
        let was_connected = self.connection.is_some();
        match self.send(&message) {
            // The daemon of a local socket may have been started again since the last record.
            Err(_) if was_connected && matches!(self.address, Address::Unix(_)) => self.send(&message),
            sent => sent,
        }
    }

    fn close(&mut self) -> io::Result<()> {
        self.connection = None;
        Ok(())
    }
}
