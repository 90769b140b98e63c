//! An audit trail: lines of which each is on the disk when it is acknowledged, chained so that a change is found.
//!
//! - Each line has a number and a code (HMAC-SHA256) that depends on its text and on the code of the line before.
//!   Without the key nobody makes a line that fits.
//! - The file begins with a note that names the key and the code before it: each file can be checked alone.
//! - A file beside it, the head, says where the trail ends; processes that write the same trail lock it for each commit.
//! - What cannot be written stays in memory, in its order, and is written by the next commit that succeeds.
//! - A torn line at the end, which a power cut leaves, is taken away, and a note in the trail says what it held.

mod check;
mod end;
mod head;
mod key;
mod line;
mod note;
mod options;
mod parts;
mod retention;
mod tail;
mod trail;

pub use check::{AuditFinding, AuditReport, check};
pub use key::AuditKey;
pub use options::{AuditOptions, Commit};
pub use trail::{AuditStats, AuditTrail};

/// The examples of the page run with those of this documentation.
#[cfg(doctest)]
#[doc = include_str!("../../../../../docs/audit.md")]
struct Page;
