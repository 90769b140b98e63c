//! `HTTPHandler` and `SMTPHandler`. Neither speaks TLS.

use super::super::options::Options;
use super::super::registry::Recipe;
use super::handlers::ready;
use crate::Value;
use crate::handler::http::{HttpDestination, Method};
use crate::handler::{HttpHandler, SmtpHandler};

/// The options of Python's `HTTPHandler`: `host` may have a port.
pub(super) fn http(options: &mut Options<'_>) -> Option<Recipe> {
    let host = options.required_text("host");
    let url = options.required_text("url");
    let method = options.one_of("method", "GET or POST", |name| match name {
        "GET" => Some(Method::Get),
        "POST" => Some(Method::Post),
        _ => None,
    });
    let credentials = credentials(options);
    if options.flag("secure") == Some(true) {
        options.mistake("secure", "true", "false: TLS is not spoken here");
    }
    if let Some(context) = options.value("context") {
        options.refuse::<()>("context", context, "nothing: TLS is not spoken here");
    }
    let (host, port) = host_and_port(options, "host", host?, 80)?;
    let destination = HttpDestination::new(host, port, url?, method.unwrap_or_default());
    let mut destination = destination
        .map_err(|error| options.mistake("url", error.to_string(), "a host and a path without spaces"))
        .ok()?;
    if let Some((user, password)) = credentials {
        destination = destination.credentials(user, password);
    }
    let destination = std::sync::Arc::new(destination);
    Some(Recipe::new(move |parts| Ok(ready(HttpHandler::new((*destination).clone()), parts))))
}

/// The options of Python's `SMTPHandler`: `mailhost` may be a list of host and port.
pub(super) fn smtp(options: &mut Options<'_>) -> Option<Recipe> {
    let server = match options.value("mailhost") {
        Some(Value::List(parts)) => match parts.as_slice() {
            [Value::Text(host), Value::Integer(port @ 1..=65_535)] => {
                u16::try_from(*port).ok().map(|port| (host.to_string(), port))
            }
            _ => None,
        },
        Some(Value::Text(host)) => host_and_port(options, "mailhost", host, 25),
        _ => None,
    };
    if server.is_none() {
        options.mistake("mailhost", "none that can be used", "a host, or a list of a host and a port");
    }
    let from = options.required_text("fromaddr");
    let to: Option<Vec<String>> = match options.value("toaddrs") {
        Some(Value::Text(address)) => Some(vec![address.to_string()]),
        Some(Value::List(_)) => {
            options.texts("toaddrs").map(|list| list.into_iter().map(str::to_owned).collect())
        }
        _ => None,
    };
    if to.as_ref().is_none_or(Vec::is_empty) {
        options.mistake("toaddrs", "none", "an address, or a list of addresses");
    }
    let subject = options.required_text("subject");
    for name in ["credentials", "secure"] {
        if let Some(value) = options.value(name) {
            options.refuse::<()>(name, value, "nothing: neither a login nor TLS is spoken here");
        }
    }
    let ((host, port), from, to, subject) = (server?, from?.to_owned(), to?, subject?.to_owned());
    let make = move || SmtpHandler::new(host.clone(), port, from.clone(), to.clone(), subject.clone());
    if let Err(error) = make() {
        options.mistake("toaddrs", error.to_string(), "addresses of mail");
    }
    Some(Recipe::new(move |parts| Ok(ready(make()?, parts))))
}

/// `host` or `host:port`.
fn host_and_port(options: &mut Options<'_>, name: &str, text: &str, usual: u16) -> Option<(String, u16)> {
    let Some((host, port)) = text.rsplit_once(':') else { return Some((text.to_owned(), usual)) };
    let Ok(port @ 1..) = port.parse() else {
        options.mistake(name, format!("{text:?}"), "a host, and behind a colon a port from 1 to 65535");
        return None;
    };
    Some((host.to_owned(), port))
}

/// A list of a user's name and the password.
fn credentials<'a>(options: &mut Options<'a>) -> Option<(&'a str, &'a str)> {
    let pair = options.texts("credentials")?;
    if let [user, password] = pair.as_slice() {
        return Some((user, password));
    }
    // What was written there is not shown.
    options.mistake("credentials", format!("{} texts", pair.len()), "a user's name and a password");
    None
}
