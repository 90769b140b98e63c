//! Fakes and contracts for Duramen's own tests; product code never depends on this crate.
