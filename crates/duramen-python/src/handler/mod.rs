//! The handlers' native methods, one file per Python class.

pub(crate) mod base;
pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod stream;
