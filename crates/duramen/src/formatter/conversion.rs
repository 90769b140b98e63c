//! How one value is written into a line of text: width, precision, sign and alignment, as CPython has them.

use super::UnsupportedLayout;
use super::digits::{self, Digits};

/// Widths and precisions beyond this are left to the interpreter, which refuses what it cannot allocate.
pub(super) const WIDEST: usize = 4096;

/// What kind of value a field holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Float,
}

pub(super) enum FieldValue<'r> {
    Text(&'r str),
    Integer(i64),
    Float(f64),
    None,
    Unrenderable,
}

/// How a field is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Conversion {
    pub(super) form: Form,
    pub(super) align: Align,
    pub(super) sign: Sign,
    /// Fill a number with zeros between sign and digits.
    pub(super) zeros: bool,
    /// At least so many characters (code points).
    pub(super) width: usize,
    /// Text: at most so many characters. Whole numbers: at least so many digits. Fractions: exactly so
    /// many digits after the point.
    pub(super) precision: Option<usize>,
    /// `None` as a value is an error in CPython with this conversion.
    pub(super) refuses_none: bool,
    pub(super) fill: Fill,
}

/// The character that fills the width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fill(pub(super) char);

impl Default for Fill {
    fn default() -> Self {
        Self(' ')
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// As `str` gives it.
    #[default]
    Text,
    /// A whole number; fractions are cut off.
    Decimal,
    /// A number with a fixed count of digits after the point.
    Fixed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    #[default]
    Right,
    Center,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sign {
    #[default]
    OnlyMinus,
    Plus,
    Space,
}

impl Conversion {
    pub(super) fn write(&self, value: &FieldValue<'_>, out: &mut Vec<u8>) -> Result<(), UnsupportedLayout> {
        match (self.form, value) {
            (Form::Text, FieldValue::Text(text)) => self.write_text(text, out),
            (Form::Text, FieldValue::None) if !self.refuses_none => self.write_text("None", out),
            (Form::Text, FieldValue::Integer(number)) => {
                self.write_text(itoa::Buffer::new().format(*number), out);
            }
            (Form::Text, FieldValue::Float(number)) => {
                let digits = Digits::shortest(*number)?;
                self.write_text(std::str::from_utf8(digits.as_bytes()).unwrap_or_default(), out);
            }
            (Form::Decimal, FieldValue::Integer(number)) => self.write_integer(*number, out),
            #[expect(clippy::cast_possible_truncation, reason = "guarded by the comparison")]
            (Form::Decimal, FieldValue::Float(number)) if number.abs() < 9e15 => {
                self.write_integer(*number as i64, out);
            }
            #[expect(clippy::cast_precision_loss, reason = "Python converts to a float here as well")]
            (Form::Fixed, FieldValue::Integer(number)) => self.write_fixed(*number as f64, out)?,
            (Form::Fixed, FieldValue::Float(number)) => self.write_fixed(*number, out)?,
            _ => return Err(UnsupportedLayout),
        }
        Ok(())
    }

    #[expect(clippy::string_slice, reason = "the place was found in it")]
    fn write_text(&self, text: &str, out: &mut Vec<u8>) {
        let text = match self.precision {
            Some(most) => text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end]),
            None => text,
        };
        if self.width == 0 {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        let padding = self.width.saturating_sub(text.chars().count());
        let before = self.padding_before(padding);
        self.pad(before, out);
        out.extend_from_slice(text.as_bytes());
        self.pad(padding - before, out);
    }

    fn padding_before(&self, padding: usize) -> usize {
        match self.align {
            Align::Left => 0,
            Align::Right => padding,
            Align::Center => padding / 2,
        }
    }

    fn pad(&self, count: usize, out: &mut Vec<u8>) {
        let mut buffer = [0; 4];
        let fill = self.fill.0.encode_utf8(&mut buffer).as_bytes();
        for _ in 0..count {
            out.extend_from_slice(fill);
        }
    }

    fn write_integer(&self, number: i64, out: &mut Vec<u8>) {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number.unsigned_abs()).as_bytes();
        self.write_number(number < 0, digits, self.precision.unwrap_or(1), out);
    }

    #[expect(clippy::indexing_slicing, reason = "what was written begins there, and has a digit at least")]
    fn write_fixed(&self, number: f64, out: &mut Vec<u8>) -> Result<(), UnsupportedLayout> {
        let start = out.len();
        match self.sign {
            Sign::Plus if number.is_sign_positive() => out.push(b'+'),
            Sign::Space if number.is_sign_positive() => out.push(b' '),
            _ => {}
        }
        digits::write_fixed(number, self.precision.unwrap_or(6), out)?;
        let padding = self.width.saturating_sub(out.len() - start);
        if padding > 0 {
            let has_sign = !out[start].is_ascii_digit();
            let (zeros, spaces) = if self.zeros { (padding, 0) } else { (0, padding) };
            let before = self.padding_before(spaces);
            // What stands before the digits is written behind them and moved there.
            let end = out.len();
            out.resize(end + zeros, b'0');
            out[start + usize::from(has_sign)..].rotate_right(zeros);
            let end = out.len();
            self.pad(before, out);
            let moved = out.len() - end;
            out[start..].rotate_right(moved);
            self.pad(spaces - before, out);
        }
        Ok(())
    }

    fn write_number(&self, negative: bool, digits: &[u8], least_digits: usize, out: &mut Vec<u8>) {
        match (negative, self.sign) {
            (true, _) => self.write_signed(b"-", digits, least_digits, out),
            (false, Sign::Plus) => self.write_signed(b"+", digits, least_digits, out),
            (false, Sign::Space) => self.write_signed(b" ", digits, least_digits, out),
            (false, Sign::OnlyMinus) if digits.len() >= least_digits.max(self.width) => {
                out.extend_from_slice(digits);
            }
            (false, Sign::OnlyMinus) => self.write_signed(b"", digits, least_digits, out),
        }
    }

    fn write_signed(&self, sign: &[u8], digits: &[u8], least_digits: usize, out: &mut Vec<u8>) {
        let leading = least_digits.saturating_sub(digits.len());
        let padding = self.width.saturating_sub(sign.len() + leading + digits.len());
        let (zeros, spaces) = if self.zeros { (leading + padding, 0) } else { (leading, padding) };
        let before = self.padding_before(spaces);
        self.pad(before, out);
        out.extend_from_slice(sign);
        out.resize(out.len() + zeros, b'0');
        out.extend_from_slice(digits);
        self.pad(spaces - before, out);
    }
}
