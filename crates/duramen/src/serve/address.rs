//! Where a server listens.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::str::FromStr;

use mio::net::{TcpListener, UdpSocket};

use crate::error::OptionError;

/// Where a server listens, as text `tcp:HOST:PORT`, `udp:HOST:PORT`, `unix:PATH` or `unix-datagram:PATH`. Port 0: one
/// that is free.
///
/// ```
/// use duramen::serve::Address;
///
/// let address: Address = "tcp:127.0.0.1:9020".parse().unwrap();
/// assert_eq!(address.to_string(), "tcp:127.0.0.1:9020");
/// assert!("http:localhost".parse::<Address>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// TCP on a host and a port.
    Tcp(String),
    /// UDP on a host and a port.
    Udp(String),
    /// Connections to a Unix socket.
    Unix(PathBuf),
    /// Datagrams to a Unix socket.
    UnixDatagram(PathBuf),
}

impl FromStr for Address {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        let expected = "tcp:HOST:PORT, udp:HOST:PORT, unix:PATH or unix-datagram:PATH";
        let wrong = || OptionError::new("address", format!("{text:?}"), expected);
        let (kind, place) = text.split_once(':').ok_or_else(wrong)?;
        let has_port = place
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        match kind {
            "tcp" if has_port => Ok(Self::Tcp(place.to_owned())),
            "udp" if has_port => Ok(Self::Udp(place.to_owned())),
            "unix" if !place.is_empty() => Ok(Self::Unix(place.into())),
            "unix-datagram" if !place.is_empty() => Ok(Self::UnixDatagram(place.into())),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(place) => write!(out, "tcp:{place}"),
            Self::Udp(place) => write!(out, "udp:{place}"),
            Self::Unix(path) => write!(out, "unix:{}", path.display()),
            Self::UnixDatagram(path) => write!(out, "unix-datagram:{}", path.display()),
        }
    }
}

/// A socket that listens.
pub(super) enum Listener {
    Tcp(TcpListener),
    Udp(UdpSocket),
    #[cfg(unix)]
    Unix(mio::net::UnixListener, #[expect(dead_code, reason = "its end takes the file away")] unix::OwnFile),
    #[cfg(unix)]
    UnixDatagram(
        mio::net::UnixDatagram,
        #[expect(dead_code, reason = "its end takes the file away")] unix::OwnFile,
    ),
}

impl Listener {
    pub(super) fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(place) => first(place, TcpListener::bind).map(Self::Tcp),
            Address::Udp(place) => first(place, UdpSocket::bind).map(Self::Udp),
            #[cfg(unix)]
            Address::Unix(path) => {
                let (socket, file) = unix::bind(path, |path| mio::net::UnixListener::bind(path))?;
                Ok(Self::Unix(socket, file))
            }
            #[cfg(unix)]
            Address::UnixDatagram(path) => {
                let (socket, file) = unix::bind(path, |path| mio::net::UnixDatagram::bind(path))?;
                Ok(Self::UnixDatagram(socket, file))
            }
            #[cfg(not(unix))]
            Address::Unix(_) | Address::UnixDatagram(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Where it listens, with the port that the system has chosen.
    pub(super) fn address(&self, asked: &Address) -> Address {
        let chosen = match self {
            Self::Tcp(socket) => socket.local_addr(),
            Self::Udp(socket) => socket.local_addr(),
            #[cfg(unix)]
            Self::Unix(..) | Self::UnixDatagram(..) => return asked.clone(),
        };
        match (asked, chosen) {
            (Address::Tcp(_), Ok(address)) => Address::Tcp(address.to_string()),
            (Address::Udp(_), Ok(address)) => Address::Udp(address.to_string()),
            _ => asked.clone(),
        }
    }

    pub(super) fn source(&mut self) -> &mut dyn mio::event::Source {
        match self {
            Self::Tcp(socket) => socket,
            Self::Udp(socket) => socket,
            #[cfg(unix)]
            Self::Unix(socket, _) => socket,
            #[cfg(unix)]
            Self::UnixDatagram(socket, _) => socket,
        }
    }
}

/// Binds the first address of `place` that can be had.
fn first<S>(place: &str, bind: impl Fn(SocketAddr) -> io::Result<S>) -> io::Result<S> {
    let mut last_error = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in place.to_socket_addrs()? {
        match bind(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    use std::os::unix::net::UnixDatagram;
    use std::path::{Path, PathBuf};

    use mio::net::UnixStream;

    /// The file of a socket, which goes when the socket does.
    pub(in super::super) struct OwnFile {
        path: PathBuf,
        identity: Option<(u64, u64)>,
    }

    impl Drop for OwnFile {
        fn drop(&mut self) {
            // Another server may have put its own in this place.
            if self.identity.is_some() && self.identity == identity(&self.path) {
                let _ = fs::remove_file(&self.path);
            }
        }
    }

    fn identity(path: &Path) -> Option<(u64, u64)> {
        let of_file = fs::symlink_metadata(path).ok()?;
        Some((of_file.dev(), of_file.ino()))
    }

    /// Binds `path`, where a server that was killed may have left its file. Servers that start at the same time do so one after
    /// the other, as one that does not listen yet looks like one that was killed.
    pub(super) fn bind<S>(path: &Path, bind: impl Fn(&Path) -> io::Result<S>) -> io::Result<(S, OwnFile)> {
        let _alone = locked_folder(path);
        let socket = match bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(path) => {
                fs::remove_file(path)?;
                bind(path)
            }
            bound => bound,
        };
        let socket = socket?;
        Ok((socket, OwnFile { path: path.to_owned(), identity: identity(path) }))
    }

    /// The lock of the folder, until it is dropped; `None` for one that may not be read.
    fn locked_folder(path: &Path) -> Option<fs::File> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::File::open(folder.unwrap_or(Path::new("."))).ok()?;
        folder.lock().ok().map(|()| folder)
    }

    /// Whether it is a socket on which nobody listens. A server whose queue of connections is full is not waited for.
    fn is_left_over(path: &Path) -> bool {
        let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        fs::symlink_metadata(path).is_ok_and(|of_file| of_file.file_type().is_socket())
            && UnixStream::connect(path).is_err_and(refused)
            && UnixDatagram::unbound().and_then(|socket| socket.connect(path)).is_err_and(refused)
    }
}
