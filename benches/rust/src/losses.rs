//! What is missing when a program ends without a flush.

use std::path::Path;

use crate::measure::{Peer, log_some, start};
use crate::way::Way;

/// How the program ends after its last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `kill -9`.
    Kill,
    /// `exit(0)`.
    Exit,
    /// `main` returns, and what it holds is dropped.
    Return,
    /// The queue is full, since nobody reads what is written, and callers wait for room.
    Full,
    /// The same, and the queue drops what there is no room for.
    FullDropping,
}

impl End {
    pub const ALL: [Self; 5] = [Self::Kill, Self::Exit, Self::Return, Self::Full, Self::FullDropping];

    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Exit => "exit",
            Self::Return => "return",
            Self::Full => "full",
            Self::FullDropping => "full-dropping",
        }
    }

    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.name() == name)
    }
}

/// Logs and ends; false where the package has no such way.
pub fn run<P: Peer>(way: Way, file: &Path, calls: u64, end: End) -> bool {
    let peer = match end {
        End::FullDropping if way.has_journal() => None,
        End::FullDropping => P::start_dropping(file),
        _ => start::<P>(way, file),
    };
    let Some(peer) = peer else { return false };
    log_some(&peer, way, 0..calls, std::hint::black_box("ada"));
    match end {
        // SAFETY: a signal to this very process.
        End::Kill => unsafe {
            libc::kill(libc::getpid(), libc::SIGKILL);
        },
        End::Exit => std::process::exit(0),
        End::Return => {}
        End::Full | End::FullDropping => peer.finish(),
    }
    true
}
