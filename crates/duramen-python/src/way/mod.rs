//! The ways that a record can take from the call to its handlers, and how the right one is found.

mod asked;
pub(crate) mod buffers;
pub(crate) mod call;
pub(crate) mod delivery;
pub(crate) mod direct;
mod keeping;
mod logger_name;
pub(crate) mod pipeline;
pub(crate) mod reach;
pub(crate) mod record_delivery;
pub(crate) mod record_way;
pub(crate) mod remembered;
pub(crate) mod route;
pub(crate) mod settings;
