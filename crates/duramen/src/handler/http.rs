//! Records to a web server.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Write as _};

use super::base::{BasicHandler, Destination};
use super::{base64, socket};
use crate::{Formatter, Record};

/// Sends the fields of each record to a web server, encoded as a form, in a GET or a POST request.
///
/// As in Python the formatter has no part in it, and each record has a connection of its own. Only plain
/// HTTP is spoken: put a local proxy or a queue and a shipping handler where encryption is needed.
///
/// ```
/// use duramen::handler::HttpHandler;
/// use duramen::handler::http::{HttpDestination, Method};
///
/// let destination = HttpDestination::new("collector.internal", 80, "/records", Method::Post).unwrap();
/// let handler = HttpHandler::with_destination(destination.credentials("shop", "hunter2"));
/// ```
pub type HttpHandler = BasicHandler<HttpDestination>;

/// How the fields are sent.
///
/// ```
/// use duramen::handler::http::{HttpDestination, HttpHandler, Method};
///
/// let destination = HttpDestination::new("127.0.0.1", 8080, "/log?app=shop", Method::Get).unwrap();
/// let handler = HttpHandler::new(destination); // GET /log?app=shop&name=…
/// assert_eq!(Method::default(), Method::Get);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// In the query of the address.
    #[default]
    Get,
    /// In the body of the request.
    Post,
}

/// A web server and the address on it.
///
/// ```
/// use duramen::handler::http::{HttpDestination, Method};
///
/// let destination = HttpDestination::new("127.0.0.1", 8080, "/records", Method::Post)
///     .unwrap()
///     .credentials("shop", "hunter2");
/// assert!(HttpDestination::new("127.0.0.1", 80, "/a\r\nX-Evil: 1", Method::Get).is_err());
/// ```
#[derive(Clone)]
pub struct HttpDestination {
    host: String,
    port: u16,
    path: String,
    method: Method,
    authorization: Option<String>,
}

impl HttpDestination {
    /// Requests to `path`, which begins with a slash, at `port` (usually 80) of `host`.
    ///
    /// # Errors
    /// When host or path has a space or a control character, which could add a header.
    pub fn new(
        host: impl Into<String>,
        port: u16,
        path: impl Into<String>,
        method: Method,
    ) -> io::Result<Self> {
        let (host, path) = (host.into(), path.into());
        let is_unsafe = |text: &str| text.contains(|character: char| character <= ' ' || character == '\x7f');
        if is_unsafe(&host) || is_unsafe(&path) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("no address: {host:?} {path:?}"),
            ));
        }
        Ok(Self { host, port, path, method, authorization: None })
    }

    /// Sends a user's name and password along, readable for everybody on the way (Basic authentication).
    #[must_use]
    pub fn credentials(self, user: &str, password: &str) -> Self {
        Self { authorization: Some(base64::encode(format!("{user}:{password}").as_bytes())), ..self }
    }

    fn request(&self, form: &str) -> String {
        let mut request = match self.method {
            Method::Get => {
                let separator = if self.path.contains('?') { '&' } else { '?' };
                format!("GET {}{separator}{form} HTTP/1.1\r\n", self.path)
            }
            Method::Post => format!("POST {} HTTP/1.1\r\n", self.path),
        };
        let _ = write!(request, "Host: {}:{}\r\nConnection: close\r\n", self.host, self.port);
        if let Some(credentials) = &self.authorization {
            let _ = write!(request, "Authorization: Basic {credentials}\r\n");
        }
        if self.method == Method::Post {
            let _ = write!(
                request,
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
                form.len()
            );
        } else {
            request.push_str("\r\n");
        }
        request
    }
}

impl HttpHandler {
    /// Sends to `destination`.
    pub fn new(destination: HttpDestination) -> Self {
        Self::with_destination(destination)
    }
}

/// The fields of a record under their Python names, encoded as a form.
fn form(record: &Record<'_>) -> String {
    let mut form = String::new();
    let mut add = |name: &str, value: &str| {
        if !form.is_empty() {
            form.push('&');
        }
        encode(name, &mut form);
        form.push('=');
        encode(value, &mut form);
    };
    add("name", record.name);
    add("msg", record.message);
    add("levelname", record.level_name);
    add("levelno", &record.level.0.to_string());
    add("pathname", record.caller.pathname);
    add("filename", record.caller.filename);
    add("module", record.caller.module);
    add("lineno", &record.caller.line.to_string());
    add("funcName", record.caller.function);
    let seconds = record.created_ns.div_euclid(1_000_000_000);
    let nanoseconds = record.created_ns.rem_euclid(1_000_000_000);
    add("created", &format!("{seconds}.{nanoseconds:09}"));
    add("msecs", &record.milliseconds().to_string());
    add("relativeCreated", &record.relative_created_ms.to_string());
    add("thread", &or_none(record.thread));
    add("threadName", &or_none(record.thread_name));
    add("process", &or_none(record.process));
    add("processName", &or_none(record.process_name));
    add("taskName", &or_none(record.task_name));
    add("exc_text", &or_none(record.exception));
    add("stack_info", &or_none(record.stack));
    for (name, value) in record.fields {
        add(name, &value.to_string());
    }
    form
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "None".to_owned(), |value| value.to_string())
}

/// Appends `text` as a form wants it: a space as `+`, all but letters, digits and `_.-~` as `%XX`.
fn encode(text: &str, form: &mut String) {
    for byte in text.bytes() {
        match byte {
            b' ' => form.push('+'),
            b'_' | b'.' | b'-' | b'~' => form.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => form.push(char::from(byte)),
            _ => {
                let _ = write!(form, "%{byte:02X}");
            }
        }
    }
}

impl Destination for HttpDestination {
    fn name(&self) -> &'static str {
        "HTTPHandler"
    }

    fn emit(&mut self, record: &Record<'_>, _: &dyn Formatter) -> io::Result<()> {
        let mut server = BufReader::new(socket::connect(&self.host, self.port)?);
        server.get_mut().write_all(self.request(&form(record)).as_bytes())?;
        // The answer is awaited, so that the request has been read, and not judged.
        server.read_line(&mut String::new())?;
        Ok(())
    }

    /// Each record has a connection of its own: there is nothing to release.
    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}
