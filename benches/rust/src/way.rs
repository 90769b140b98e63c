//! The ways to log that are measured.

/// How a record goes to its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The call is below the logger's level, while another logger takes that level.
    Disabled,
    /// One `write(2)` for each record, in the calling thread.
    Flushed,
    /// Written in blocks, in the calling thread.
    Buffered,
    /// JSON with two fields, written in blocks, in the calling thread.
    Json,
    /// Through a queue to a thread that writes, until the last byte is in the file.
    Asynchronous,
    /// The same, in bursts of 100 records: what the caller waits.
    Bursts,
    /// As [`Way::Asynchronous`], with a queue that outlives the process.
    Journaled,
    /// As [`Way::Bursts`], with such a queue.
    JournaledBursts,
    /// Four threads, one file, one `write(2)` for each record.
    ThreadsFlushed,
    /// Four threads, one file, written in blocks.
    ThreadsBuffered,
    /// Four threads through a queue to a thread that writes.
    ThreadsAsynchronous,
}

impl Way {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 11] = [
        Self::Disabled,
        Self::Flushed,
        Self::Buffered,
        Self::Json,
        Self::Bursts,
        Self::Asynchronous,
        Self::JournaledBursts,
        Self::Journaled,
        Self::ThreadsFlushed,
        Self::ThreadsBuffered,
        Self::ThreadsAsynchronous,
    ];

    /// Those after which it is looked what is missing when the program ends.
    pub const BEFORE_AN_END: [Self; 4] = [Self::Flushed, Self::Buffered, Self::Asynchronous, Self::Journaled];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Flushed => "flushed",
            Self::Buffered => "buffered",
            Self::Json => "json",
            Self::Asynchronous => "async",
            Self::Bursts => "bursts",
            Self::Journaled => "journaled",
            Self::JournaledBursts => "journaled-bursts",
            Self::ThreadsFlushed => "threads-flushed",
            Self::ThreadsBuffered => "threads-buffered",
            Self::ThreadsAsynchronous => "threads-async",
        }
    }

    /// The title on the page.
    pub fn title(self) -> &'static str {
        match self {
            Self::Disabled => "disabled call (ns)",
            Self::Flushed => "synchronous, one write(2) a record (million records/s)",
            Self::Buffered => "synchronous, buffered (million records/s)",
            Self::Json => "JSON, buffered (million records/s)",
            Self::Asynchronous => "asynchronous, until the last byte is in the file (million records/s)",
            Self::Bursts => "asynchronous, the caller's time in bursts of 100, p50 (ns a record)",
            Self::JournaledBursts => {
                "asynchronous with a journal, the caller's time in bursts of 100, p50 (ns a record)"
            }
            Self::Journaled => {
                "asynchronous with a journal, until the last byte is in the file (million records/s)"
            }
            Self::ThreadsFlushed => "4 threads to one file, one write(2) a record (million records/s)",
            Self::ThreadsBuffered => "4 threads to one file, buffered (million records/s)",
            Self::ThreadsAsynchronous => "4 threads to one file, asynchronous (million records/s)",
        }
    }

    /// The way of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }

    /// How many calls one measurement makes.
    pub fn calls(self, scale: f64) -> u64 {
        let calls = match self {
            Self::Disabled => 40_000_000.0,
            Self::Flushed | Self::ThreadsFlushed => 400_000.0,
            Self::Bursts | Self::JournaledBursts => 100_000.0,
            _ => 1_000_000.0,
        };
        ((calls * scale) as u64).max(400) / 400 * 400
    }

    /// How many threads log.
    pub fn threads(self) -> u64 {
        match self {
            Self::ThreadsFlushed | Self::ThreadsBuffered | Self::ThreadsAsynchronous => 4,
            _ => 1,
        }
    }

    /// What one thread does for each record; the same set-up serves one thread and several.
    pub fn manner(self) -> Manner {
        match self {
            Self::Disabled | Self::Flushed | Self::ThreadsFlushed => Manner::Flushed,
            Self::Buffered | Self::ThreadsBuffered => Manner::Buffered,
            Self::Json => Manner::Json,
            Self::Bursts
            | Self::Asynchronous
            | Self::Journaled
            | Self::JournaledBursts
            | Self::ThreadsAsynchronous => Manner::Asynchronous,
        }
    }

    /// Whether what waits in the queue is delivered after a kill by the next start.
    pub fn has_journal(self) -> bool {
        matches!(self, Self::Journaled | Self::JournaledBursts)
    }

    /// Whether one thread does all the work.
    pub fn is_one_thread(self) -> bool {
        matches!(self, Self::Disabled | Self::Flushed | Self::Buffered | Self::Json)
    }

    /// Whether nanoseconds are measured, of which fewer are better.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Disabled | Self::Bursts | Self::JournaledBursts)
    }
}

/// How a peer is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// The file has each record when the call returns.
    Flushed,
    /// Records gather in memory.
    Buffered,
    /// Records in JSON gather in memory.
    Json,
    /// Another thread writes.
    Asynchronous,
}
