//! How fast the regex crate alone looks through a text: the benchmark sets masking beside it.
//!
//! `regex_limit EXPRESSIONS TEXT` prints the nanoseconds for one pass over the file TEXT with the expressions in
//! the file EXPRESSIONS, one a line: all at once, and one after the other. The fastest of several passes counts.

use std::time::Instant;
use std::{env, error, fs, hint};

use regex::{Regex, RegexSet};

const PASSES: usize = 9;

fn fastest(mut pass: impl FnMut()) -> u128 {
    let time = |()| {
        let started = Instant::now();
        pass();
        started.elapsed().as_nanos()
    };
    std::iter::repeat_n((), PASSES).map(time).min().unwrap_or(0)
}

fn main() -> Result<(), Box<dyn error::Error>> {
    let [expressions, text] = [1, 2].map(|number| env::args().nth(number).unwrap_or_default());
    let (expressions, text) = (fs::read_to_string(expressions)?, fs::read_to_string(text)?);
    let each = expressions.lines().map(Regex::new).collect::<Result<Vec<_>, _>>()?;
    let all = RegexSet::new(expressions.lines())?;
    let at_once = fastest(|| {
        hint::black_box(all.matches(&text));
    });
    let one_by_one = fastest(|| {
        for expression in &each {
            hint::black_box(expression.find_iter(&text).count());
        }
    });
    println!("{at_once} {one_by_one}");
    Ok(())
}
