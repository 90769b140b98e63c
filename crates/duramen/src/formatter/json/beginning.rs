//! What a line begins with, apart from the rest: the same for all records of a logger, a level and a second, but for the
//! digits of the microsecond.

use std::convert::Infallible;

use super::{Details, JsonFormatter, Source, Step, TimestampForm, ValueWriter, begin_member, timestamp};
use crate::Record;
use crate::formatter::Field;

/// The beginning of a line, as [`JsonFormatter::begin`] has written it.
///
/// ```
/// use duramen::formatter::JsonFormatter;
/// use duramen::{Level, Record};
///
/// let formatter = JsonFormatter::default();
/// let mut line = Vec::new();
/// let beginning = formatter.begin(&Record::new("app", Level::INFO, ""), &mut line);
/// // The same beginning serves the next record, with the digits of its microsecond.
/// let record = Record { created_ns: 7_000, ..Record::new("app", Level::INFO, "hello") };
/// beginning.put_microsecond(record.created_ns, &mut line);
/// let Ok(()) = formatter.end(beginning, &record, None, &record, &mut line);
/// let mut whole = Vec::new();
/// duramen::Formatter::format(&formatter, &record, &mut whole);
/// assert_eq!(line, whole);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Beginning {
    /// So many steps are done.
    steps: usize,
    microsecond: Option<usize>,
    /// The key of the message stands there, which is the next step.
    has_message_key: bool,
}

impl Beginning {
    /// Where the six digits of the microsecond begin, counted from where the line does; `None` where it shows none.
    ///
    /// ```
    /// use duramen::formatter::JsonFormatter;
    /// use duramen::{Level, Record};
    ///
    /// let mut line = Vec::new();
    /// let beginning = JsonFormatter::default().begin(&Record::new("app", Level::INFO, ""), &mut line);
    /// let digits = beginning.microsecond().and_then(|place| line.get(place..place + 6));
    /// assert_eq!(digits, Some(&b"000000"[..]));
    /// ```
    pub fn microsecond(self) -> Option<usize> {
        self.microsecond
    }

    /// Puts the microsecond of a moment into a line that begins so.
    #[inline]
    pub fn put_microsecond(self, nanoseconds: i64, line: &mut [u8]) {
        if let Some(place) = self.microsecond {
            timestamp::put_microsecond(nanoseconds, line.get_mut(place..));
        }
    }
}

impl JsonFormatter {
    /// Whether lines can be written in two parts.
    pub fn has_beginning(&self) -> bool {
        self.indent.is_none()
    }

    /// Appends what the line of `record` begins with: what is the same for all records of its logger, its level and its
    /// second, but for the microsecond.
    ///
    /// ```
    /// use duramen::formatter::{Field, JsonFormatter};
    /// use duramen::{Level, Record};
    ///
    /// let record = Record { created_ns: 5_000, ..Record::new("app", Level::INFO, "hello") };
    /// let formatter = JsonFormatter::default();
    /// assert!(formatter.has_beginning() && formatter.uses(Field::Levelname));
    /// let mut line = Vec::new();
    /// let beginning = formatter.begin(&record, &mut line);
    /// assert_eq!(line, br#"{"timestamp": "1970-01-01T00:00:00.000005Z", "level": "INFO", "logger": "app", "message": "#);
    /// assert_eq!(&line[beginning.microsecond().unwrap()..][..6], b"000005");
    /// let Ok(()) = formatter.end(beginning, &record, None, &record, &mut line);
    /// assert!(line.ends_with(br#""message": "hello"}"#));
    /// ```
    pub fn begin(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Beginning {
        let start = out.len();
        let mut beginning = Beginning::default();
        self.open(out);
        for step in &self.steps {
            let Step::Member { key, source, .. } = step else { break };
            match source {
                Source::Timestamp
                    if self.timestamps == TimestampForm::Rfc3339 && beginning.microsecond.is_none() => {}
                Source::Field(Field::Name | Field::Levelname | Field::Levelno)
                | Source::Severity(_)
                | Source::Fixed(_) => {}
                Source::Field(Field::Message) => {
                    begin_member(key, out);
                    beginning.has_message_key = true;
                    break;
                }
                _ => break,
            }
            begin_member(key, out);
            if *source == Source::Timestamp {
                beginning.microsecond = Some(out.len() - start + "\"2024-03-01T12:00:00.".len());
            }
            let Ok(_) = self.write_source(source, record, None, record, out);
            beginning.steps += 1;
        }
        beginning
    }

    /// As [`JsonFormatter::begin`], with what is kept of the line before where that is the same.
    #[inline]
    pub(super) fn begin_again(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Beginning {
        let start = out.len();
        let second = record.created_ns.div_euclid(1_000_000_000);
        let Ok::<_, Infallible>(beginning) =
            self.kept.append(second, record, out, |text| Ok(self.begin(record, text)));
        beginning.put_microsecond(record.created_ns, out.get_mut(start..).unwrap_or_default());
        beginning
    }

    /// Appends the rest of the line that `beginning` is of, as [`JsonFormatter::format_with`] writes it.
    ///
    /// # Errors
    /// Those of `details`.
    pub fn end<D: Details>(
        &self,
        beginning: Beginning,
        record: &Record<'_>,
        asctime: Option<&str>,
        details: &D,
        out: &mut Vec<u8>,
    ) -> Result<(), D::Error> {
        let mut rest = self.steps.get(beginning.steps..).unwrap_or_default();
        if beginning.has_message_key {
            let value = ValueWriter::new(out, self.ascii);
            match details.text_with_surrogates(Field::Message) {
                Some(text) => value.text_with_surrogates(text),
                None => value.text(record.message),
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        self.write_steps(rest, record, asctime, details, out)?;
        out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use crate::formatter::json::{JsonBuilder, JsonFormatter, Preset, Source, TimestampForm};
    use crate::formatter::{Field, Formatter as _};
    use crate::record::Caller;
    use crate::{Level, Record, Value};

    fn formatters() -> Vec<JsonFormatter> {
        let fields = |names: &[&str]| {
            let members = names.iter().map(|name| ((*name).to_owned(), Source::by_name(name)));
            JsonFormatter::builder().members(members.collect::<Vec<_>>())
        };
        let berlin = TimeZone::get("Europe/Berlin").expect("known");
        let mut builders = vec![
            JsonBuilder::default(),
            JsonFormatter::builder().prefix("@cee: ").zone(berlin),
            JsonFormatter::builder().timestamps(TimestampForm::Milliseconds),
            fields(&["levelno", "timestamp", "name", "asctime", "levelname", "message"]),
            fields(&["message", "timestamp"]),
            fields(&[]).fixed("service", &Value::Text("shop".into())),
            JsonBuilder::default()
                .member("again", Source::Timestamp)
                .member("line", Source::Field(Field::Lineno)),
        ];
        let presets = ["ecs", "opentelemetry", "google_cloud", "datadog", "gelf", "logstash"];
        let presets = presets.map(|name| Preset::by_name(name, "host", None).expect("known"));
        builders.extend(presets.iter().map(JsonBuilder::preset));
        builders.into_iter().map(|builder| builder.build().expect("good options")).collect()
    }

    proptest! {
        #[test]
        fn a_line_in_two_parts_is_the_line(
            name: String, level in -5..60_i64, message: String, created_ns: i64, microsecond in 0..1_000_000_i64,
        ) {
            for formatter in formatters() {
                let fields = [("user", Value::Integer(7)), ("level", Value::Text("x".into()))];
                let record = Record {
                    name: &name,
                    level: Level(level),
                    level_name: "LEVEL",
                    message: &message,
                    created_ns,
                    relative_created_ms: 0.0,
                    caller: Caller { pathname: "m.rs", filename: "m.rs", module: "m", line: 1, function: "f" },
                    thread: None,
                    thread_name: None,
                    process: None,
                    process_name: None,
                    task_name: None,
                    fields: &fields,
                    exception: None,
                    stack: None,
                };
                let mut whole = b"before".to_vec();
                formatter.format(&record, &mut whole);
                // Another microsecond of the same second has the same beginning but for its digits.
                let second = created_ns.div_euclid(1_000_000_000);
                let Some(other_ns) = second.checked_mul(1_000_000_000).and_then(|start| start.checked_add(microsecond * 1000)) else {
                    continue;
                };
                let mut line = Vec::new();
                let beginning = formatter.begin(&Record { created_ns: other_ns, ..record.clone() }, &mut line);
                if let Some(place) = beginning.microsecond() {
                    let digits = format!("{:06}", created_ns.rem_euclid(1_000_000_000) / 1000);
                    line[place..place + 6].copy_from_slice(digits.as_bytes());
                }
                line.splice(0..0, *b"before");
                let Ok(()) = formatter.end(beginning, &record, None, &record, &mut line);
                prop_assert_eq!(String::from_utf8_lossy(&line), String::from_utf8_lossy(&whole));
            }
        }
    }
}
