//! What a record of the core itself holds beyond its own fields.

use super::writer::DEEPEST;
use super::{Details, ExceptionPart, ExtraWriter, Members, ValueWriter};
use crate::Record;

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
