//! Logfmt: pairs as `key=value` on one line for each record.

use super::builder::Missing;
use super::{Details, ExtraWriter, JsonBuilder, JsonFormatter, RecordDetails, Step, pairs};
use crate::Record;
use crate::formatter::{Field, Formatter};

/// Writes a record as pairs of key and value, without a final newline: the members of a [`JsonBuilder`],
/// those of [`JsonFormatter`]'s default by default.
///
/// A value that is one word stands as it is, all else in quotes with the escapes of JSON; lists and objects
/// as their JSON in quotes. In keys `_` stands for what would end them.
///
/// ```
/// use duramen::formatter::json::{JsonBuilder, Source};
/// use duramen::formatter::{Formatter, LogfmtFormatter};
///
/// let formatter = JsonBuilder::default()
///     .members([("level", Source::by_name("levelname")), ("msg", Source::by_name("message"))])
///     .build_logfmt()
///     .unwrap();
/// # drop(formatter);
/// ```
///
/// With details of the caller's own, here the record's fields themselves:
///
/// ```
/// use duramen::formatter::{Field, LogfmtFormatter};
/// use duramen::{Level, Record};
///
/// let formatter = LogfmtFormatter::default();
/// assert!(formatter.uses(Field::Levelname) && !formatter.uses(Field::Asctime));
/// assert_eq!(formatter.deepest(), 16);
/// let record = Record::new("app", Level::INFO, "hello");
/// let mut line = Vec::new();
/// let Ok(()) = formatter.format_with(&record, None, &record, &mut line);
/// assert!(line.ends_with(b"message=hello"));
/// ```
#[derive(Clone, Debug)]
pub struct LogfmtFormatter(pub(super) JsonFormatter);

impl Default for LogfmtFormatter {
    #[expect(clippy::expect_used, reason = "the default members are tested")]
    fn default() -> Self {
        JsonBuilder::default().build_logfmt().expect("the default members have keys of their own")
    }
}

impl Formatter for LogfmtFormatter {
    /// `asctime` is the timestamp by RFC 3339 in the formatter's zone.
    fn format(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let Ok(()) = self.format_with(record, None, &RecordDetails { record, deepest: self.0.deepest }, out);
    }
}

impl LogfmtFormatter {
    /// As [`JsonFormatter::deepest`].
    pub fn deepest(&self) -> usize {
        self.0.deepest
    }

    /// As [`JsonFormatter::uses`].
    pub fn uses(&self, field: Field) -> bool {
        self.0.uses(field)
    }

    /// As [`JsonFormatter::format_with`].
    ///
    /// # Errors
    /// Those of `details`.
    pub fn format_with<D: Details>(
        &self,
        record: &Record<'_>,
        asctime: Option<&str>,
        details: &D,
        out: &mut Vec<u8>,
    ) -> Result<(), D::Error> {
        let plan = &self.0;
        out.extend_from_slice(&plan.prefix);
        let mut first = true;
        for step in &plan.steps {
            let begin = out.len();
            if !first {
                out.push(b' ');
            }
            match step {
                Step::Member { key, source, missing } => {
                    out.extend_from_slice(key);
                    let start = out.len();
                    let written = plan.write_source(source, record, asctime, details, out)?;
                    match missing {
                        _ if written => {}
                        Missing::Json(json) => out.extend_from_slice(json),
                        Missing::Omit | Missing::Null => {
                            out.truncate(begin);
                            continue;
                        }
                    }
                    pairs::finish_value(out, start);
                }
                Step::Extra => {
                    out.truncate(begin);
                    details.write_extra(&mut ExtraWriter::new(&plan.extra, plan.ascii, out))?;
                }
                // The objects inside the object of a preset: their members stand beside the others.
                Step::Open { .. } | Step::Close => out.truncate(begin),
            }
            first = first && out.len() == begin;
        }
        Ok(())
    }
}
