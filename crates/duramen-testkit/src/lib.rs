//! Fakes and contracts for Duramen's own tests; product code never depends on this crate.

pub mod capture;
pub mod clock;
pub mod contract;
pub mod disk;
pub mod journal_damage;
pub mod servers;

pub use capture::{CapturingHandler, record};
pub use clock::FakeClock;
pub use disk::FakeDisk;
