//! What a server has received, and what has become of it.

use std::fmt;

/// The counts of a server, all of one moment.
///
/// `received = handled + below_level + refused`; a message that came in part, and whose end never came, is
/// `incomplete` and was not received.
///
/// ```
/// use duramen::serve::Ledger;
///
/// let counts = Ledger { received: 3, handled: 2, below_level: 1, ..Ledger::default() };
/// assert_eq!(counts.received, counts.handled + counts.below_level + counts.refused);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Messages that came whole, or whose length is above the limit.
    pub received: u64,
    /// Records that were given to the loggers.
    pub handled: u64,
    /// Records that their loggers do not take.
    pub below_level: u64,
    /// Messages that are no record, or too large a one.
    pub refused: u64,
    /// Messages of which a client sent a part before it left.
    pub incomplete: u64,
    /// Connections that were ended, since what came is of no protocol that is understood.
    pub foreign: u64,
    /// Values of extra fields that only Python could make again: the name of their class stands for them.
    pub replaced: u64,
    /// Losses of the handlers: records that one of them could not write, and that a queue has dropped. They are of those that
    /// were handled.
    pub lost: u64,
    /// Connections that were made.
    pub clients: u64,
    /// Connections that are open.
    pub connected: u64,
}

/// One line of JSON.
impl fmt::Display for Ledger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            ("received", self.received),
            ("handled", self.handled),
            ("below_level", self.below_level),
            ("refused", self.refused),
            ("incomplete", self.incomplete),
            ("foreign", self.foreign),
            ("replaced", self.replaced),
            ("lost", self.lost),
            ("clients", self.clients),
            ("connected", self.connected),
        ];
        for (index, (name, count)) in counts.into_iter().enumerate() {
            write!(out, "{}\"{name}\": {count}", if index == 0 { "{" } else { ", " })?;
        }
        out.write_str("}")
    }
}
