//! Numbers as text, without an allocation.

use std::fmt::Write as _;

use super::layout::UnsupportedLayout;
use crate::append::{EIGHT_DIGITS, ZEROS, append, eight_digits};

/// The text of a short number.
pub(super) struct Digits {
    bytes: [u8; 128],
    length: usize,
}

impl Digits {
    /// The text of a float with `precision` digits after the point, sign aside.
    fn fixed(number: f64, precision: usize) -> Result<Self, UnsupportedLayout> {
        Self::of(format_args!("{:.precision$}", number.abs()))
    }

    /// A float as Python's `str` writes it, in the range in which that is without an exponent.
    pub(super) fn shortest(number: f64) -> Result<Self, UnsupportedLayout> {
        if number != 0.0 && !(1e-4..1e16).contains(&number.abs()) {
            return Err(UnsupportedLayout);
        }
        let mut digits = Self::of(format_args!("{number}"))?;
        if !digits.as_bytes().contains(&b'.') {
            digits.push(b".0")?;
        }
        Ok(digits)
    }

    #[expect(clippy::indexing_slicing, reason = "no more is written than there is room for")]
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn of(number: std::fmt::Arguments<'_>) -> Result<Self, UnsupportedLayout> {
        let mut digits = Self { bytes: [0; 128], length: 0 };
        digits.write_fmt(number).map_err(|_| UnsupportedLayout)?;
        Ok(digits)
    }

    fn push(&mut self, text: &[u8]) -> Result<(), UnsupportedLayout> {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(UnsupportedLayout)?.copy_from_slice(text);
        self.length = end;
        Ok(())
    }
}

/// Appends a float with `precision` digits after the point.
#[expect(clippy::indexing_slicing, reason = "20 digits, the point and the sign are the longest")]
pub(super) fn write_fixed(number: f64, precision: usize, out: &mut Vec<u8>) -> Result<(), UnsupportedLayout> {
    /// 20 digits, the point and the sign.
    const LONGEST: usize = 22;
    if let Some((digits, length)) = short_fixed(number, precision) {
        append(out, &digits[..length]);
        return Ok(());
    }
    if !number.is_finite() {
        return Err(UnsupportedLayout);
    }
    let Some(mut scaled) = scaled(number.abs(), precision) else {
        if number.is_sign_negative() {
            out.push(b'-');
        }
        out.extend_from_slice(Digits::fixed(number, precision)?.as_bytes());
        return Ok(());
    };
    // Written from its end.
    let mut text = [0; LONGEST];
    let mut start = LONGEST;
    let mut put = |byte: u8| {
        start -= 1;
        text[start] = byte;
    };
    for _ in 0..precision {
        put(last_digit(scaled));
        scaled /= 10;
    }
    if precision > 0 {
        put(b'.');
    }
    loop {
        put(last_digit(scaled));
        scaled /= 10;
        if scaled == 0 {
            break;
        }
    }
    if number.is_sign_negative() {
        put(b'-');
    }
    append(out, &text[start..]);
    Ok(())
}

fn last_digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

/// So many digits are made at once.
const SHORT: usize = 8;

/// A float with `precision` digits after the point, and how many bytes that takes, where it has eight digits at most.
#[inline]
pub(super) fn short_fixed(number: f64, precision: usize) -> Option<([u8; 16], usize)> {
    if precision >= SHORT {
        return None;
    }
    let digits = scaled(number.abs(), precision).and_then(|scaled| u32::try_from(scaled).ok());
    let digits = eight_digits(digits.filter(|digits| *digits < EIGHT_DIGITS)?);
    // The first digits stand in the lowest bytes. Zeros before the others are not shown, but for one before the point.
    let hidden = (digits.trailing_zeros() as usize / 8).min(SHORT - 1 - precision);
    let (word, mut length) = (u128::from((digits | ZEROS) >> (8 * hidden)), SHORT - hidden);
    let mut text = word;
    if precision > 0 {
        let point = 8 * (length - precision);
        let before = (1 << point) - 1;
        text = word & before | u128::from(b'.') << point | (word & !before) << 8;
        length += 1;
    }
    if number.is_sign_negative() {
        text = text << 8 | u128::from(b'-');
        length += 1;
    }
    Some((text.to_le_bytes(), length))
}

impl std::fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.push(text.as_bytes()).map_err(|_| std::fmt::Error)
    }
}

/// Those that fit 64 bits.
#[expect(
    clippy::indexing_slicing,
    reason = "guarded by the comparison; while compiling it would be an error there"
)]
const POWERS_OF_TEN: [u64; 20] = {
    let mut powers = [1; 20];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// A positive number times ten to the power of `precision`, at most 19, rounded from its exact value, half to even, as C and
/// Python do. `None` for numbers and precisions that are too large for this way.
#[inline]
fn scaled(number: f64, precision: usize) -> Option<u64> {
    const FRACTION_BITS: u32 = 52;
    let power = *POWERS_OF_TEN.get(precision)?;
    let bits = number.to_bits();
    let (exponent, fraction) = ((bits >> FRACTION_BITS) & 0x7ff, bits & ((1 << FRACTION_BITS) - 1));
    // Numbers below 2^-1022 have no implicit leading bit; here they are all rounded to zero.
    let significand = if exponent == 0 { 0 } else { fraction | 1 << FRACTION_BITS };
    // The number is `significand / 2^shift`.
    let shift = u32::try_from(1075u64.checked_sub(exponent)?).ok()?;
    if power <= 1000 {
        // The usual case. The product has at most 63 bits, so that it is less than a half where all are shifted out.
        let product = significand * power;
        return Some(match shift {
            0 => product,
            1..64 => (product + (1 << (shift - 1)) - 1 + (product >> shift & 1)) >> shift,
            _ => 0,
        });
    }
    // Below 2^53, a product with at most 117 bits.
    let product = u128::from(significand) * u128::from(power);
    let rounded = match shift {
        0 => product,
        1..128 => (product + (1 << (shift - 1)) - 1 + (product >> shift & 1)) >> shift,
        _ => 0,
    };
    u64::try_from(rounded).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn fixed(number: f64, precision: usize) -> String {
        let mut out = Vec::new();
        super::write_fixed(number, precision, &mut out).expect("short enough");
        String::from_utf8(out).expect("digits")
    }

    proptest! {
        // The standard library formats the exact value too, only slower.
        #[test]
        fn fixed_digits_are_those_of_the_exact_value(bits: u64, precision in 0..25_usize) {
            let number = f64::from_bits(bits);
            prop_assume!(number.abs() < 1e100);
            prop_assert_eq!(fixed(number, precision), format!("{number:.precision$}"));
        }

        #[test]
        fn fixed_digits_of_usual_numbers(number in -1e9..1e9_f64, precision in 0..9_usize) {
            prop_assert_eq!(fixed(number, precision), format!("{number:.precision$}"));
        }

        #[test]
        fn halves_are_rounded_to_even(numerator in 0..1_000_000_u32, precision in 0..4_usize) {
            let number = f64::from(numerator) / 16.0;
            prop_assert_eq!(fixed(number, precision), format!("{number:.precision$}"));
        }
    }
}
