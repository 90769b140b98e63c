//! Handlers: their native methods, one file per Python class, and what a handler's plan and its file are on the native way.

pub(crate) mod audit;
pub(crate) mod base;
pub(crate) mod descriptor;
pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod fsync;
pub(crate) mod further_options;
pub(crate) mod lineage;
pub(crate) mod listener;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod null;
pub(crate) mod option_values;
pub(crate) mod plan;
pub(crate) mod queue;
pub(crate) mod rotating;
pub(crate) mod schedule;
pub(crate) mod sink;
pub(crate) mod stream;
pub(crate) mod threads;
pub(crate) mod timed_rotating;
pub(crate) mod timed_upkeep;
pub(crate) mod turn;
pub(crate) mod upkeep;
pub(crate) mod usual;
pub(crate) mod watched;
