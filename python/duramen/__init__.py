"""Python's logging, implemented in Rust."""
