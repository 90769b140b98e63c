//! Levels: how severe a record is.

/// The severity of a record: any integer, with names for the usual ones.
///
/// Larger is more severe. `NOTSET` (0) on a logger means "ask the parent", on a handler "take all".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(pub i64);

impl Level {
    /// Not set: a logger with this level takes its parent's.
    pub const NOTSET: Level = Level(0);
    /// Detail for somebody who looks for a fault.
    pub const DEBUG: Level = Level(10);
    /// Normal operation.
    pub const INFO: Level = Level(20);
    /// Something unexpected; the program goes on.
    pub const WARNING: Level = Level(30);
    /// An operation failed.
    pub const ERROR: Level = Level(40);
    /// The program itself may not go on.
    pub const CRITICAL: Level = Level(50);
}

impl Level {
    /// The name that records carry: `INFO`, or `Level 25` for a level without a name.
    pub fn name(self) -> std::borrow::Cow<'static, str> {
        match self.0 {
            0 => "NOTSET".into(),
            10 => "DEBUG".into(),
            20 => "INFO".into(),
            30 => "WARNING".into(),
            40 => "ERROR".into(),
            50 => "CRITICAL".into(),
            other => format!("Level {other}").into(),
        }
    }
}
