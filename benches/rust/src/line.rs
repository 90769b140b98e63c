//! What is logged, and the check that it arrived.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::way::Way;

/// The name of the logger.
pub const LOGGER: &str = "shop.orders";
/// Of another one, which takes more.
pub const OTHER_LOGGER: &str = "shop.stock";

/// The arguments of one record: `request {number} of {user} took {took} ms`.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub number: u64,
    pub user: &'a str,
    pub took: u64,
}

impl<'a> Request<'a> {
    #[inline]
    pub fn new(number: u64, user: &'a str) -> Self {
        Self { number, user, took: number % 1000 }
    }
}

/// Checks that `file` has each of the `records` lines once, and those of a thread in their order. Gives how many are
/// missing.
///
/// # Errors
/// A line that is none of them, one that comes twice, or one that is out of its order.
pub fn check(file: &Path, way: Way, records: u64) -> Result<u64, String> {
    let file = fs::File::open(file).map_err(|error| format!("no file: {error}"))?;
    let of_a_thread = records / way.threads();
    let mut last_of_thread = vec![None; usize::try_from(way.threads()).unwrap_or(1)];
    let mut seen = HashSet::new();
    for line in BufReader::with_capacity(1 << 18, file).lines() {
        let line = line.map_err(|error| error.to_string())?;
        let number = if way == Way::Json { number_in_json(&line) } else { number_in_text(&line) };
        let number =
            number.filter(|number| *number < records).ok_or(format!("not a line of the run: {line}"))?;
        let thread = usize::try_from(number / of_a_thread).unwrap_or(0);
        if last_of_thread[thread].is_some_and(|last| last >= number) || !seen.insert(number) {
            return Err(format!("out of order or twice: {line}"));
        }
        last_of_thread[thread] = Some(number);
    }
    Ok(records - seen.len() as u64)
}

/// How many different lines of text `file` has; parts of lines are none.
pub fn count(file: &Path) -> u64 {
    let text = fs::read(file).unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    lines.filter_map(number_in_text).collect::<HashSet<_>>().len() as u64
}

/// The number in `2024-03-01 12:00:00,123 INFO shop.orders request 7 of ada took 7 ms`, if it is such a line. Levels
/// may be in lower case, and a point may stand before the milliseconds.
fn number_in_text(line: &str) -> Option<u64> {
    let (time, rest) = line.split_at_checked(23)?;
    let is_time = time.bytes().zip(b"0000-00-00 00:00:00,000".iter()).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        b',' => byte == b',' || byte == b'.',
        _ => byte == *form,
    });
    let (level, message) = rest.strip_prefix(' ')?.split_once(' ')?;
    let number = message.strip_prefix(LOGGER)?.strip_prefix(" request ")?.split(' ').next()?.parse().ok()?;
    let expected = format!("{LOGGER} request {number} of ada took {} ms", number % 1000);
    (is_time && level.eq_ignore_ascii_case("info") && message == expected).then_some(number)
}

/// The number in a line of JSON which has, in whatever place, the message and the fields.
fn number_in_json(line: &str) -> Option<u64> {
    let object: serde_json::Value = serde_json::from_str(line).ok()?;
    let number = find(&object, &|key, value| if key == "number" { value.as_u64() } else { None })?;
    let text = |wanted: &'static str| {
        find(&object, &move |_, value| {
            value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(wanted)).then_some(())
        })
    };
    text("info")?;
    text("ada")?;
    text("request done")?;
    text(LOGGER)?;
    Some(number)
}

fn find<T>(value: &serde_json::Value, wanted: &impl Fn(&str, &serde_json::Value) -> Option<T>) -> Option<T> {
    value.as_object()?.iter().find_map(|(key, value)| wanted(key, value).or_else(|| find(value, wanted)))
}
