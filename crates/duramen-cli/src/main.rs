//! The `duramen` command of a Rust installation.

fn main() {
    println!("duramen {}", env!("CARGO_PKG_VERSION"));
}
