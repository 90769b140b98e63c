//! What threads wait with: that of `std`, and in the tests of this crate's own modules that of `loom`, which tries all
//! the orders in which threads can run.

#[cfg(test)]
pub(crate) use loom::sync::atomic::AtomicU64;
#[cfg(test)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
#[cfg(test)]
pub(crate) use loom::thread::{self, ThreadId};
#[cfg(not(test))]
pub(crate) use std::sync::atomic::AtomicU64;
#[cfg(not(test))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(test))]
pub(crate) use std::thread::{self, ThreadId};
