//! Whatever the bytes of a journal are: no reader panics, and what is whole in it is found.

#![no_main]

use std::sync::LazyLock;

use duramen_testkit::journal_damage::{Specimen, damage};
use libfuzzer_sys::fuzz_target;

static SPECIMENS: LazyLock<[Specimen; 2]> = LazyLock::new(|| [Specimen::small(), Specimen::gone_around()]);

fuzz_target!(|input: &[u8]| damage(input, &*SPECIMENS));
