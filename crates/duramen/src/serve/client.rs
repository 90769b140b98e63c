//! One connection.

use std::io::{self, Read as _};
use std::time::Instant;

use mio::net::TcpStream;

use super::Receiver;
use super::frames::{Frames, Front, Rest};
use crate::report;

/// So much is read from one client before others have their turn.
const CHUNK: usize = 1 << 16;

pub(super) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
}

impl Stream {
    pub(super) fn source(&mut self) -> &mut dyn mio::event::Source {
        match self {
            Self::Tcp(stream) => stream,
            #[cfg(unix)]
            Self::Unix(stream) => stream,
        }
    }

    /// Has the system look after a long silence whether the other side is still there: one that went without a word, as a
    /// machine that lost its power, would keep its place for ever.
    pub(super) fn keep_alive(&self) {
        #[cfg(unix)]
        if let Self::Tcp(stream) = self {
            // Where that cannot be had, all else can.
            let _ = rustix::net::sockopt::set_socket_keepalive(stream, true);
        }
    }

    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(chunk),
            #[cfg(unix)]
            Self::Unix(stream) => stream.read(chunk),
        }
    }
}

pub(super) struct Client {
    stream: Stream,
    name: String,
    frames: Frames,
    /// When the bytes came that are a message if nothing else comes soon.
    in_doubt_since: Option<Instant>,
}

/// How it stands with a client after its turn.
pub(super) enum Turn {
    /// More may have come.
    More,
    /// All that has come was taken.
    Nothing,
    /// The connection is over.
    Ended,
}

impl Client {
    pub(super) fn new(stream: Stream, name: String) -> Self {
        Self { stream, name, frames: Frames::default(), in_doubt_since: None }
    }

    /// Takes what it has sent, one chunk at most.
    #[expect(clippy::indexing_slicing, reason = "no more is read than there is room for")]
    pub(super) fn take(&mut self, receiver: &mut Receiver) -> Turn {
        let size = receiver.chunk.len().min(CHUNK);
        match self.stream.read(&mut receiver.chunk[..size]) {
            Ok(0) => {
                self.end(receiver);
                Turn::Ended
            }
            Ok(count) => {
                receiver.has_taken = true;
                self.frames.push(&receiver.chunk[..count]);
                if !self.take_messages(receiver, Rest::Coming) {
                    return Turn::Ended;
                }
                self.in_doubt_since = self.frames.may_have_ended().then(Instant::now);
                Turn::More
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Turn::Nothing,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Turn::More,
            Err(error) => {
                if error.kind() != io::ErrorKind::ConnectionReset {
                    report::error("serve", &format_args!("{}: {error}", self.name));
                }
                self.end(receiver);
                Turn::Ended
            }
        }
    }

    /// Since when it is in doubt whether a message has ended.
    pub(super) fn in_doubt_since(&self) -> Option<Instant> {
        self.in_doubt_since
    }

    /// Takes the message of which it was in doubt, as nothing else has come. False: the connection is of no use.
    pub(super) fn end_doubt(&mut self, receiver: &mut Receiver) -> bool {
        self.in_doubt_since = None;
        self.take_messages(receiver, Rest::Late)
    }

    /// No more comes: a message of syslog may end so, another one is incomplete.
    pub(super) fn end(&mut self, receiver: &mut Receiver) {
        if self.take_messages(receiver, Rest::Over) && self.frames.is_within_message() {
            receiver.ledger.incomplete += 1;
            report::error("serve", &format_args!("{}: the connection ended within a record", self.name));
        }
    }

    /// False: the connection is of no use.
    fn take_messages(&mut self, receiver: &mut Receiver, more: Rest) -> bool {
        loop {
            match self.frames.next(receiver.options.largest_message, more) {
                Front::Incomplete => return true,
                Front::Payload(range) => receiver.payload(self.frames.bytes(range), &self.name),
                Front::Syslog(range) => receiver.syslog(self.frames.bytes(range), &self.name),
                Front::TooLarge => receiver.refuse_too_large(&self.name),
                Front::Foreign => {
                    receiver.ledger.foreign += 1;
                    report::error(
                        "serve",
                        &format_args!(
                            "{}: neither records nor syslog came; the connection is ended",
                            self.name
                        ),
                    );
                    return false;
                }
            }
        }
    }
}
