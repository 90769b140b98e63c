//! Messages of syslog: RFC 5424, RFC 3164, and the short form that Python's `SysLogHandler` sends.

use std::borrow::Cow;

use super::incoming::{Incoming, as_nanoseconds};
use crate::{Level, Value};

/// The levels of the severities 0 (emergency) to 7 (debug).
const LEVELS: [Level; 8] = [
    Level::CRITICAL,
    Level::CRITICAL,
    Level::CRITICAL,
    Level::ERROR,
    Level::WARNING,
    Level::INFO,
    Level::INFO,
    Level::DEBUG,
];

/// The names of the facilities 0 to 23.
const FACILITIES: [&str; 24] = [
    "kern",
    "user",
    "mail",
    "daemon",
    "auth",
    "syslog",
    "lpr",
    "news",
    "uucp",
    "cron",
    "authpriv",
    "ftp",
    "ntp",
    "security",
    "console",
    "solaris-cron",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
];

/// The largest priority: facility 23, severity 7.
const LARGEST: usize = 191;

/// What came does not begin with `<`, a number up to 191, and `>`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message has no priority: it should begin with <0> to <191>")]
pub(super) struct NoPriority;

/// The record of one message. Its logger is `syslog.` and the application's name, or `syslog`.
#[expect(clippy::indexing_slicing, reason = "a priority is no more than the largest, by the comparison")]
pub(super) fn read(message: &[u8], now_ns: i64) -> Result<Incoming<'static>, NoPriority> {
    let text = String::from_utf8_lossy(message);
    let text = text.trim_end_matches(['\0', '\n', '\r']);
    let (priority, rest) = text.strip_prefix('<').and_then(|text| text.split_once('>')).ok_or(NoPriority)?;
    let is_number = (1..=3).contains(&priority.len()) && priority.bytes().all(|byte| byte.is_ascii_digit());
    let priority: usize =
        priority.parse().ok().filter(|number| is_number && *number <= LARGEST).ok_or(NoPriority)?;
    let mut record = Incoming {
        name: "syslog".into(),
        level: LEVELS[priority % 8].0,
        created_ns: now_ns,
        fields: vec![("facility".into(), Value::Text(FACILITIES[priority / 8].into()))],
        ..Incoming::default()
    };
    match rest.strip_prefix("1 ") {
        Some(header) if read_rfc_5424(header, &mut record).is_some() => {}
        _ => read_rfc_3164(rest, &mut record),
    }
    Ok(record)
}

/// `TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG]`, `-` standing for what is not known. `None`
/// leaves the record as it was: this is no such message.
fn read_rfc_5424(header: &str, record: &mut Incoming<'static>) -> Option<()> {
    let mut parts = header.splitn(6, ' ');
    let mut next = || parts.next().map(|part| Some(part).filter(|part| *part != "-"));
    let (time, host, application, process, message_id) = (next()?, next()?, next()?, next()?, next()?);
    let (data, message) = structured_data(parts.next()?)?;
    let time = match time {
        Some(time) => Some(time.parse::<jiff::Timestamp>().ok()?),
        None => None,
    };
    record.created_ns = time.map_or(record.created_ns, as_nanoseconds);
    take_application(application, process, record);
    for (name, value) in [("hostname", host), ("msgid", message_id)] {
        if let Some(value) = value {
            record.fields.push((name.into(), Value::Text(value.to_owned().into())));
        }
    }
    if !data.is_empty() {
        record.fields.push(("structured_data".into(), Value::Map(data)));
    }
    record.message = message.trim_start_matches('\u{feff}').to_owned().into();
    Some(())
}

type Entries = Vec<(Cow<'static, str>, Value<'static>)>;

/// `-` or `[ID NAME="VALUE" ...]...`, and the message behind it.
fn structured_data(text: &str) -> Option<(Entries, &str)> {
    let mut elements = Entries::new();
    if let Some(rest) = text.strip_prefix('-') {
        return Some((elements, message_after(rest)?));
    }
    let mut rest = text;
    while let Some(inside) = rest.strip_prefix('[') {
        let end = inside.find([' ', ']'])?;
        let (id, mut inside) = inside.split_at(end);
        let mut parameters = Entries::new();
        while let Some(parameter) = inside.strip_prefix(' ') {
            let (name, value) = parameter.split_once("=\"")?;
            let (value, after) = quoted(value)?;
            parameters.push((name.to_owned().into(), Value::Text(value.into())));
            inside = after;
        }
        rest = inside.strip_prefix(']')?;
        elements.push((id.to_owned().into(), Value::Map(parameters)));
    }
    if elements.is_empty() { None } else { Some((elements, message_after(rest)?)) }
}

fn message_after(rest: &str) -> Option<&str> {
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(' ') }
}

/// The text up to the closing quote, in which `\"`, `\\` and `\]` stand for the second character.
#[expect(clippy::string_slice, reason = "the place was found in it, before one byte")]
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match characters.next()?.1 {
                escaped @ ('"' | '\\' | ']') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

/// `[Mmm dd hh:mm:ss HOSTNAME ][TAG[PID]: ]MSG`. The time has neither year nor zone: when the message came holds.
fn read_rfc_3164(text: &str, record: &mut Incoming<'static>) {
    let mut rest = text;
    if let Some(after) = after_time(text)
        && let Some((host, after)) = after.split_once(' ')
        && !host.ends_with(':')
    {
        record.fields.push(("hostname".into(), Value::Text(host.to_owned().into())));
        rest = after;
    }
    if let Some((tag, message)) = rest.split_once(": ") {
        let (name, process) = match tag.strip_suffix(']').and_then(|tag| tag.split_once('[')) {
            Some((name, process)) => (name, Some(process)),
            None => (tag, None),
        };
        let is_tag = !name.is_empty()
            && name.len() <= 48
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
        if is_tag {
            take_application(Some(name), process, record);
            rest = message;
        }
    }
    record.message = rest.to_owned().into();
}

/// What follows `Mmm dd hh:mm:ss `, where it is there.
#[expect(clippy::string_slice, reason = "its bytes were seen to be ASCII, sixteen of them")]
fn after_time(text: &str) -> Option<&str> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (time, rest) = text.split_at_checked(16)?;
    let shape = "Mmm dd hh:mm:ss ";
    let fits = time.bytes().zip(shape.bytes()).all(|(byte, form)| match form {
        b'd' => byte == b' ' || byte.is_ascii_digit(),
        b'h' | b'm' | b's' => byte.is_ascii_digit() || (form == b'm' && byte.is_ascii_alphabetic()),
        b'M' => byte.is_ascii_uppercase(),
        other => byte == other,
    });
    (fits && MONTHS.contains(&&time[..3])).then_some(rest)
}

fn take_application(name: Option<&str>, process: Option<&str>, record: &mut Incoming<'static>) {
    if let Some(name) = name {
        record.name = format!("syslog.{name}").into();
    }
    if let Some(process) = process {
        match process.parse() {
            Ok(number) => record.process = Some(number),
            Err(_) => record.process_name = Some(process.to_owned().into()),
        }
    }
}
