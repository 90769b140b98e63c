//! What a record holds beyond its own fields, as whoever holds it writes it: a record of the core itself, or the binding.

use super::writer::DEEPEST;
use super::{ExtraWriter, Members, ValueWriter};
use crate::Record;
use crate::formatter::Field;

/// A part of an exception that a member of its own shows.
///
/// ```
/// use duramen::formatter::json::{ExceptionPart, Source};
///
/// // A member for the class of the exception, and one for what it says.
/// let members = [
///     ("error_type", Source::ExceptionPart(ExceptionPart::Type)),
///     ("error", Source::ExceptionPart(ExceptionPart::Message)),
/// ];
/// # assert!(duramen::formatter::JsonFormatter::builder().members(members).build().is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExceptionPart {
    /// The name of its class.
    Type,
    /// What it says.
    Message,
}

/// What a record holds beyond its own fields, written by whoever holds it.
///
/// ```
/// use duramen::formatter::json::{Details, ExceptionPart, ExtraWriter, Members, ValueWriter};
/// use duramen::formatter::{Field, JsonFormatter};
/// use duramen::{Level, Record};
///
/// /// What is known of a failed request.
/// struct Failure {
///     status: i64,
/// }
///
/// impl Details for Failure {
///     type Error = std::convert::Infallible;
///     fn text_with_surrogates(&self, _: Field) -> Option<&[u8]> {
///         None // texts of Rust have none
///     }
///     fn write_extra(&self, extra: &mut ExtraWriter<'_>) -> Result<(), Self::Error> {
///         extra.field("status", |value| Ok(value.integer(self.status)))
///     }
///     fn write_named(&self, name: &str, value: ValueWriter<'_>) -> Result<bool, Self::Error> {
///         if name == "status" {
///             value.integer(self.status);
///         }
///         Ok(name == "status")
///     }
///     fn write_part(&self, _: ExceptionPart, _: ValueWriter<'_>) -> Result<bool, Self::Error> {
///         Ok(false)
///     }
///     fn write_exception(&self, _: &mut Members<'_>) -> Result<bool, Self::Error> {
///         Ok(false)
///     }
/// }
///
/// let mut line = Vec::new();
/// let record = Record::new("shop.web", Level::ERROR, "GET /");
/// let Ok(()) = JsonFormatter::default().format_with(&record, None, &Failure { status: 502 }, &mut line);
/// assert!(line.ends_with(br#""message": "GET /", "status": 502}"#));
/// ```
pub trait Details {
    /// Why writing was given up; the line is then of no use.
    type Error;

    /// The text of `field` where it holds surrogates alone, which the record cannot: UTF-8, and three bytes
    /// for each of them.
    fn text_with_surrogates(&self, field: Field) -> Option<&[u8]> {
        let _ = field;
        None
    }

    /// Writes every extra field, in the order in which they were given.
    ///
    /// # Errors
    /// Those that must not be kept from the application; a value that cannot be written is none.
    fn write_extra(&self, extra: &mut ExtraWriter<'_>) -> Result<(), Self::Error>;

    /// Writes the extra field called `name`; `false`, with nothing written, when there is none.
    ///
    /// # Errors
    /// As for [`Details::write_extra`].
    fn write_named(&self, name: &str, value: ValueWriter<'_>) -> Result<bool, Self::Error>;

    /// Writes one part of the exception; `false`, with nothing written, when it is not known.
    ///
    /// # Errors
    /// As for [`Details::write_extra`].
    fn write_part(&self, part: ExceptionPart, value: ValueWriter<'_>) -> Result<bool, Self::Error>;

    /// Writes the members of the exception as an object; `false`, with nothing written, when there is none.
    ///
    /// # Errors
    /// As for [`Details::write_extra`].
    fn write_exception(&self, members: &mut Members<'_>) -> Result<bool, Self::Error>;
}

/// A record's own fields, in which nothing nests deeper than `deepest` levels of lists and mappings: what would is named.
/// An error and its causes are told apart as the logger joined them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordDetails<'r, 'a> {
    /// The record.
    pub(crate) record: &'r Record<'a>,
    /// [`DEEPEST`] unless a formatter was told otherwise.
    pub(crate) deepest: usize,
}

/// Its own fields, in which nothing nests deeper than [`DEEPEST`].
impl Details for Record<'_> {
    type Error = std::convert::Infallible;

    fn write_extra(&self, extra: &mut ExtraWriter<'_>) -> Result<(), Self::Error> {
        RecordDetails { record: self, deepest: DEEPEST }.write_extra(extra)
    }

    fn write_named(&self, name: &str, value: ValueWriter<'_>) -> Result<bool, Self::Error> {
        RecordDetails { record: self, deepest: DEEPEST }.write_named(name, value)
    }

    fn write_part(&self, part: ExceptionPart, value: ValueWriter<'_>) -> Result<bool, Self::Error> {
        RecordDetails { record: self, deepest: DEEPEST }.write_part(part, value)
    }

    fn write_exception(&self, members: &mut Members<'_>) -> Result<bool, Self::Error> {
        RecordDetails { record: self, deepest: DEEPEST }.write_exception(members)
    }
}

impl Details for RecordDetails<'_, '_> {
    type Error = std::convert::Infallible;

    fn write_extra(&self, extra: &mut ExtraWriter<'_>) -> Result<(), Self::Error> {
        for (name, field) in self.record.fields {
            extra.field(name, |value| {
                value.value_within(field, self.deepest);
                Ok::<(), Self::Error>(())
            })?;
        }
        Ok(())
    }

    fn write_named(&self, name: &str, value: ValueWriter<'_>) -> Result<bool, Self::Error> {
        let found = self.record.fields.iter().find(|(field, _)| *field == name);
        Ok(found.map(|(_, field)| value.value_within(field, self.deepest)).is_some())
    }

    fn write_part(&self, part: ExceptionPart, value: ValueWriter<'_>) -> Result<bool, Self::Error> {
        Ok(match (part, self.record.exception) {
            (ExceptionPart::Message, Some(text)) => {
                value.text(text.split(CAUSE).next().unwrap_or(text));
                true
            }
            _ => false,
        })
    }

    fn write_exception(&self, members: &mut Members<'_>) -> Result<bool, Self::Error> {
        let Some(text) = self.record.exception else { return Ok(false) };
        let parts: Vec<&str> = text.split(CAUSE).collect();
        write_causes(&parts, members);
        Ok(true)
    }
}

/// Stands between an error and its cause in a record's exception text.
const CAUSE: &str = "\ncaused by: ";

fn write_causes(errors: &[&str], members: &mut Members<'_>) {
    if let [error, causes @ ..] = errors {
        members.member("message").text(error);
        if !causes.is_empty() {
            members.member("cause").object(|members| write_causes(causes, members));
        }
    }
}
