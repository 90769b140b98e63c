//! The options of `SysLogHandler`.

use super::super::options::Options;
use super::super::registry::Recipe;
use super::handlers::ready;
use crate::Value;
use crate::handler::SysLogHandler;
use crate::handler::syslog::{Address, Facility, SysLogDestination};

const FACILITIES: [(&str, Facility); 24] = [
    ("kern", Facility::Kern),
    ("user", Facility::User),
    ("mail", Facility::Mail),
    ("daemon", Facility::Daemon),
    ("auth", Facility::Auth),
    ("syslog", Facility::Syslog),
    ("lpr", Facility::Lpr),
    ("news", Facility::News),
    ("uucp", Facility::Uucp),
    ("cron", Facility::Cron),
    ("authpriv", Facility::Authpriv),
    ("ftp", Facility::Ftp),
    ("ntp", Facility::Ntp),
    ("security", Facility::Security),
    ("console", Facility::Console),
    ("solaris-cron", Facility::SolarisCron),
    ("local0", Facility::Local0),
    ("local1", Facility::Local1),
    ("local2", Facility::Local2),
    ("local3", Facility::Local3),
    ("local4", Facility::Local4),
    ("local5", Facility::Local5),
    ("local6", Facility::Local6),
    ("local7", Facility::Local7),
];

pub(super) fn check(options: &mut Options<'_>) -> Option<Recipe> {
    let facility = facility(options);
    let sockets = "ext://socket.SOCK_DGRAM or ext://socket.SOCK_STREAM";
    let is_tcp = options.one_of("socktype", sockets, |name| match name {
        "ext://socket.SOCK_DGRAM" => Some(false),
        "ext://socket.SOCK_STREAM" => Some(true),
        _ => None,
    });
    // Attributes, which Python's configuration sets on the handler when it is made.
    let (mut identification, mut append_nul) = (None, true);
    if let Some(mut attributes) = options.nested(".") {
        identification = attributes.text("ident").map(str::to_owned);
        append_nul = attributes.flag("append_nul").unwrap_or(true);
        options.end_nested(attributes);
    }
    let address = address(options, is_tcp.unwrap_or(false))?;
    Some(Recipe::new(move |parts| {
        let mut destination = SysLogDestination::new(address.clone(), facility);
        if let Some(identification) = &identification {
            destination = destination.identification(identification);
        }
        if !append_nul {
            destination = destination.without_nul();
        }
        Ok(ready(SysLogHandler::with_destination(destination), parts))
    }))
}

fn address(options: &mut Options<'_>, is_tcp: bool) -> Option<Address> {
    const EXPECTED: &str = "the path of a socket, or a host and a port, as [\"localhost\", 514]";
    let at = |host: &str, port| {
        if is_tcp { Address::Tcp(host.to_owned(), port) } else { Address::Udp(host.to_owned(), port) }
    };
    match options.value("address") {
        None => Some(at("localhost", 514)),
        Some(Value::Text(path)) => Some(Address::Unix((&**path).into())),
        Some(value) => {
            if let Value::List(parts) = value
                && let [Value::Text(host), Value::Integer(port)] = parts.as_slice()
                && let Ok(port @ 1..) = u16::try_from(*port)
            {
                return Some(at(host, port));
            }
            options.refuse("address", value, EXPECTED)
        }
    }
}

/// By name, or by the number that syslog gives it.
fn facility(options: &mut Options<'_>) -> Facility {
    let value = options.value("facility");
    let known = match value {
        None => return Facility::User,
        Some(Value::Text(name)) => FACILITIES.iter().find(|(known, _)| known == name),
        Some(Value::Integer(number)) => {
            FACILITIES.iter().find(|(_, facility)| i64::from(*facility as u8) == *number)
        }
        Some(_) => None,
    };
    if known.is_none()
        && let Some(value) = value
    {
        let names: Vec<_> = FACILITIES.iter().map(|(name, _)| *name).collect();
        options.refuse::<()>("facility", value, &format!("one of {}, or 0 to 23", names.join(", ")));
    }
    known.map_or(Facility::User, |(_, facility)| *facility)
}
