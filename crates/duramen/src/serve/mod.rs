//! A server that receives the records of other processes and gives them to the loggers of this one.
//!
//! It understands what Python's `SocketHandler` and `DatagramHandler` send (a pickle, read by a reader that imports
//! and calls nothing), what this crate's send (JSON), and syslog (RFC 3164 and RFC 5424), on every socket: the first
//! byte of a message says which it is. One thread does all of it; a client whose record is written waits for nobody,
//! and one that sends faster than records are written is held up by its own socket. docs/serve.md has the rest.
//!
//! ```
//! use duramen::Manager;
//! use duramen::serve::{Options, Server};
//!
//! let manager = Manager::new();
//! let server = Server::bind(&["tcp:127.0.0.1:0".parse().unwrap()], manager, &Options::default()).unwrap();
//! let control = server.control();
//! let served = std::thread::spawn(move || server.run());
//! control.stop();
//! assert_eq!(served.join().unwrap().received, 0);
//! ```

mod address;
mod client;
mod frames;
mod incoming;
mod ledger;
mod losses;
mod message;
mod pickle;
mod syslog;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use parking_lot::Mutex;

pub use address::Address;
pub use ledger::Ledger;

use crate::clock::{Clock as _, SystemClock};
use crate::{Manager, report};
use address::Listener;
use client::{Client, Stream, Turn};
use losses::Losses;

/// The longest message that the options allow, in bytes.
///
/// ```
/// use duramen::serve::{LARGEST_MESSAGE, Options};
///
/// let options = Options { largest_message: LARGEST_MESSAGE, ..Options::default() };
/// assert_eq!(Options::default().largest_message, 1024 * 1024);
/// ```
pub const LARGEST_MESSAGE: usize = frames::LARGEST;

/// The bounds of a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// The longest message in bytes, 1 to [`LARGEST_MESSAGE`]; 1 MiB by default. Longer ones are skipped and counted.
    pub largest_message: usize,
    /// So many connections are open at most (default: 1024); others wait until one ends.
    pub clients: usize,
    /// How long the end takes what clients have sent, at most (default: 5 seconds). It is over earlier when nothing
    /// has come for a quarter of a second: what a full socket had to refuse is sent again by then.
    pub drain_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { largest_message: 1 << 20, clients: 1024, drain_timeout: Duration::from_secs(5) }
    }
}

/// Why a server does not start.
///
/// ```
/// use duramen::Manager;
/// use duramen::serve::{Options, ServeError, Server};
///
/// let first = Server::bind(&["tcp:127.0.0.1:0".parse().unwrap()], Manager::new(), &Options::default()).unwrap();
/// let taken = first.addresses().next().unwrap().clone(); // with the port that the system has chosen
/// match Server::bind(&[taken.clone()], Manager::new(), &Options::default()) {
///     Err(ServeError::Listen(address, _)) => assert_eq!(address, taken),
///     _ => unreachable!("the first server listens there"),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The system does not let it listen there.
    #[error("cannot listen on {0}: {1}")]
    Listen(Address, #[source] io::Error),
    /// The system has no means to wait for sockets.
    #[error("cannot wait for sockets: {0}")]
    Poll(#[from] io::Error),
}

const WAKER: Token = Token(0);
/// A descriptor may be free again after so long.
const BEFORE_ANOTHER_ACCEPT: Duration = Duration::from_millis(100);
/// Nothing is on its way when nothing has come for so long: Linux sends again what was not taken after 200 ms.
const QUIET: Duration = Duration::from_millis(250);
/// So many datagrams are taken from one socket before the others have their turn.
const DATAGRAMS_IN_A_TURN: usize = 256;

/// A server that listens.
pub struct Server {
    poll: Poll,
    listeners: Vec<Listening>,
    clients: HashMap<Token, Client>,
    next_token: usize,
    /// It has been said that there are as many clients as there may be.
    is_full_said: bool,
    receiver: Receiver,
    losses: Losses,
    control: Control,
}

/// What the thread of a server waits for.
struct Waiting {
    events: Events,
    /// Clients of which more may be read at once.
    ready: Vec<Token>,
    /// Clients of which it is in doubt whether their last message has ended.
    in_doubt: Vec<Token>,
    /// No longer than this; without it, until something comes.
    at_most: Option<Duration>,
}

impl Default for Waiting {
    fn default() -> Self {
        let (ready, in_doubt) = (Vec::new(), Vec::new());
        Self { events: Events::with_capacity(256), ready, in_doubt, at_most: None }
    }
}

impl Waiting {
    fn no_longer_than(&mut self, wait: Duration) {
        self.at_most = Some(self.at_most.map_or(wait, |at_most| at_most.min(wait)));
    }
}

struct Listening {
    socket: Listener,
    address: Address,
    /// There may be something that has not been taken.
    is_ready: bool,
}

/// What messages of all sockets go through.
struct Receiver {
    manager: Manager,
    options: Options,
    clock: SystemClock,
    ledger: Ledger,
    /// What a socket gives at once.
    chunk: Vec<u8>,
    /// Something has come since this was last looked at.
    has_taken: bool,
}

/// Ends a server from another thread, and tells its counts. Clones are of the same server.
///
/// ```
/// use duramen::Manager;
/// use duramen::serve::{Control, Options, Server};
///
/// let address = "tcp:127.0.0.1:0".parse().unwrap();
/// let server = Server::bind(&[address], Manager::new(), &Options::default()).unwrap();
/// let control: Control = server.control();
/// let served = std::thread::spawn(move || server.run());
/// assert_eq!(control.ledger().received, 0); // at any time, such as for a status page
/// control.stop();
/// served.join().unwrap();
/// ```
#[derive(Clone)]
pub struct Control(Arc<Shared>);

struct Shared {
    waker: Waker,
    has_to_stop: AtomicBool,
    ledger: Mutex<Ledger>,
}

impl Control {
    /// Has the server take what has arrived and end.
    pub fn stop(&self) {
        self.0.has_to_stop.store(true, Ordering::SeqCst);
        if let Err(error) = self.0.waker.wake() {
            report::error("serve", &error);
        }
    }

    /// Where messages have gone.
    pub fn ledger(&self) -> Ledger {
        *self.0.ledger.lock()
    }

    fn has_to_stop(&self) -> bool {
        self.0.has_to_stop.load(Ordering::SeqCst)
    }
}

impl Server {
    /// Listens on `addresses` for records that go to the loggers of `manager`.
    ///
    /// # Errors
    /// [`ServeError`] with the address that cannot be had. The file of a Unix socket on which nobody listens any more
    /// is replaced.
    pub fn bind(addresses: &[Address], manager: Manager, options: &Options) -> Result<Self, ServeError> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let shared = Shared { waker, has_to_stop: AtomicBool::default(), ledger: Mutex::default() };
        let mut listeners = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            let in_vain = |error| ServeError::Listen(address.clone(), error);
            let mut socket = Listener::bind(address).map_err(in_vain)?;
            poll.registry()
                .register(socket.source(), Token(index + 1), Interest::READABLE)
                .map_err(in_vain)?;
            let address = socket.address(address);
            listeners.push(Listening { socket, address, is_ready: false });
        }
        let options =
            Options { largest_message: options.largest_message.clamp(1, LARGEST_MESSAGE), ..options.clone() };
        // One byte more tells that a datagram is too long.
        let chunk = vec![0; (options.largest_message + 4 + 1).max(1 << 16)];
        Ok(Self {
            poll,
            next_token: listeners.len() + 1,
            listeners,
            clients: HashMap::new(),
            is_full_said: false,
            losses: Losses::default(),
            receiver: Receiver {
                manager,
                options,
                clock: SystemClock::default(),
                ledger: Ledger::default(),
                chunk,
                has_taken: false,
            },
            control: Control(Arc::new(shared)),
        })
    }

    /// Where it listens, with the ports that the system has chosen.
    ///
    /// ```
    /// use duramen::{Manager, serve::{Options, Server}};
    ///
    /// let server = Server::bind(&["udp:127.0.0.1:0".parse().unwrap()], Manager::new(), &Options::default()).unwrap();
    /// let address = server.addresses().next().unwrap().to_string();
    /// assert!(address.starts_with("udp:127.0.0.1:") && !address.ends_with(":0"));
    /// ```
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.listeners.iter().map(|listening| &listening.address)
    }

    /// What ends it and tells its counts.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Serves until [`Control::stop`], then takes what has arrived, flushes the handlers and gives the counts.
    pub fn run(mut self) -> Ledger {
        let mut waiting = Waiting::default();
        while !self.control.has_to_stop() {
            self.take_turn(&mut waiting);
        }
        self.drain(waiting);
        self.receiver.manager.flush();
        self.publish();
        self.receiver.ledger
    }

    /// Waits until something has come, and takes from each socket what may be taken at once.
    #[expect(
        clippy::indexing_slicing,
        reason = "the comparison says so, and the one below all is the waker's"
    )]
    fn take_turn(&mut self, waiting: &mut Waiting) {
        if let Err(error) = self.poll.poll(&mut waiting.events, waiting.at_most)
            && error.kind() != io::ErrorKind::Interrupted
        {
            report::error("serve", &error);
        }
        for event in &waiting.events {
            match event.token() {
                WAKER => {}
                Token(token) if token <= self.listeners.len() => self.listeners[token - 1].is_ready = true,
                token if waiting.ready.contains(&token) => {}
                token => waiting.ready.push(token),
            }
        }
        waiting.at_most = self.take_from_listeners(&mut waiting.ready);
        let before = self.clients.len();
        waiting.ready.retain(|token| self.take_from_client(*token, &mut waiting.in_doubt));
        self.end_doubts(waiting);
        // A place that has become free is the only news: one that could not be had before is waited for.
        if !waiting.ready.is_empty() || self.clients.len() < before && self.can_take_more_clients() {
            waiting.at_most = Some(Duration::ZERO);
        }
        self.publish();
    }

    /// Takes messages of clients that have sent nothing else for a while.
    fn end_doubts(&mut self, waiting: &mut Waiting) {
        for token in std::mem::take(&mut waiting.in_doubt) {
            let Some(client) = self.clients.get_mut(&token) else { continue };
            let Some(since) = client.in_doubt_since() else { continue };
            let left = QUIET.saturating_sub(since.elapsed());
            if !left.is_zero() {
                waiting.in_doubt.push(token);
                waiting.no_longer_than(left);
            } else if !client.end_doubt(&mut self.receiver) {
                self.clients.remove(&token);
            }
        }
    }

    fn publish(&mut self) {
        self.receiver.ledger.connected = self.clients.len() as u64;
        self.receiver.ledger.lost = self.losses.of(&self.receiver.manager);
        *self.control.0.ledger.lock() = self.receiver.ledger;
    }

    /// Whether a connection waits and a place for it has become free.
    fn can_take_more_clients(&self) -> bool {
        self.clients.len() < self.receiver.options.clients
            && self.listeners.iter().any(|listening| listening.is_ready)
    }

    /// Takes connections and datagrams; how long the next wait may be.
    #[expect(clippy::indexing_slicing, reason = "the index is of one of them")]
    fn take_from_listeners(&mut self, ready: &mut Vec<Token>) -> Option<Duration> {
        let mut wait = None;
        for index in 0..self.listeners.len() {
            while self.listeners[index].is_ready {
                let listening = &mut self.listeners[index];
                let accepted = match &listening.socket {
                    Listener::Udp(_) => None,
                    #[cfg(unix)]
                    Listener::UnixDatagram(..) => None,
                    _ if self.clients.len() >= self.receiver.options.clients => {
                        self.say_that_it_is_full();
                        break;
                    }
                    Listener::Tcp(socket) => Some(
                        socket.accept().map(|(stream, address)| (Stream::Tcp(stream), address.to_string())),
                    ),
                    #[cfg(unix)]
                    Listener::Unix(socket, _) => Some(
                        socket
                            .accept()
                            .map(|(stream, _)| (Stream::Unix(stream), listening.address.to_string())),
                    ),
                };
                match accepted {
                    None => {
                        listening.is_ready = self.receiver.take_datagrams(listening);
                        if listening.is_ready {
                            wait = Some(Duration::ZERO);
                        }
                        break;
                    }
                    Some(Ok((stream, name))) => ready.extend(self.add_client(stream, name)),
                    Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                        listening.is_ready = false;
                    }
                    Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Some(Err(error)) => {
                        report::error("serve", &format_args!("{}: {error}", listening.address));
                        wait = wait.or(Some(BEFORE_ANOTHER_ACCEPT));
                        break;
                    }
                }
            }
        }
        wait
    }

    /// Says it again only when it has been far from it meanwhile.
    fn say_that_it_is_full(&mut self) {
        if !std::mem::replace(&mut self.is_full_said, true) {
            let clients = self.clients.len();
            let what =
                format_args!("as many connections are open as may be, {clients}: others wait until one ends");
            report::error("serve", &what);
        }
    }

    fn add_client(&mut self, mut stream: Stream, name: String) -> Option<Token> {
        let token = Token(self.next_token);
        self.next_token += 1;
        if let Err(error) = self.poll.registry().register(stream.source(), token, Interest::READABLE) {
            report::error("serve", &format_args!("{name}: {error}"));
            return None;
        }
        stream.keep_alive();
        self.receiver.ledger.clients += 1;
        self.receiver.has_taken = true;
        self.clients.insert(token, Client::new(stream, name));
        Some(token)
    }

    /// Takes what a client has sent, one chunk at most; whether there may be more.
    fn take_from_client(&mut self, token: Token, in_doubt: &mut Vec<Token>) -> bool {
        let Some(client) = self.clients.get_mut(&token) else { return false };
        match client.take(&mut self.receiver) {
            Turn::More => return true,
            Turn::Nothing => {
                if client.in_doubt_since().is_some() && !in_doubt.contains(&token) {
                    in_doubt.push(token);
                }
            }
            Turn::Ended => {
                self.clients.remove(&token);
                self.is_full_said &= self.clients.len() > self.receiver.options.clients / 2;
            }
        }
        false
    }

    /// Takes what has been sent, from connections that wait as well, and ends all.
    fn drain(&mut self, mut waiting: Waiting) {
        let begun = Instant::now();
        let until = begun.checked_add(self.receiver.options.drain_timeout);
        let mut quiet_since = begun;
        for listening in &mut self.listeners {
            listening.is_ready = true;
        }
        // What those have sent that wait for a place has arrived too; they are no more than the system lets wait.
        self.receiver.options.clients = usize::MAX;
        waiting.ready = self.clients.keys().copied().collect();
        waiting.at_most = Some(Duration::ZERO);
        loop {
            self.take_turn(&mut waiting);
            let now = Instant::now();
            if std::mem::take(&mut self.receiver.has_taken) {
                quiet_since = now;
            }
            let is_quiet = quiet_since + QUIET;
            let end = until.map_or(is_quiet, |until| until.min(is_quiet));
            if now >= end {
                break;
            }
            waiting.no_longer_than(end - now);
        }
        if quiet_since > begun && until.is_some_and(|until| quiet_since + QUIET > until) {
            report::error("serve", &"records still came when the time for the end was over");
        }
        self.listeners.clear();
        for (_, mut client) in self.clients.drain() {
            client.end(&mut self.receiver);
        }
    }
}

impl Receiver {
    /// Takes datagrams, so many at most that others have their turn; whether there may be more.
    #[expect(clippy::indexing_slicing, reason = "no more is read than there is room for")]
    fn take_datagrams(&mut self, listening: &Listening) -> bool {
        let mut chunk = std::mem::take(&mut self.chunk);
        let mut is_ready = true;
        for _ in 0..DATAGRAMS_IN_A_TURN {
            let received = match &listening.socket {
                Listener::Udp(socket) => {
                    socket.recv_from(&mut chunk).map(|(count, from)| (count, Some(from)))
                }
                #[cfg(unix)]
                Listener::UnixDatagram(socket, _) => socket.recv(&mut chunk).map(|count| (count, None)),
                _ => break,
            };
            match received {
                Ok((count, from)) => {
                    let name: &dyn std::fmt::Display = match &from {
                        Some(from) => from,
                        None => &listening.address,
                    };
                    self.has_taken = true;
                    self.datagram(&chunk[..count], name);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    is_ready = false;
                    break;
                }
                // An answer that somebody else sent to this port.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                Err(error) => {
                    report::error("serve", &format_args!("{}: {error}", listening.address));
                    is_ready = false;
                    break;
                }
            }
        }
        self.chunk = chunk;
        is_ready
    }

    fn now_ns(&self) -> i64 {
        self.clock.now_ns()
    }
}
