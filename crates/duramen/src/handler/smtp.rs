//! Records by mail.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use jiff::{Timestamp, fmt::rfc2822};

use super::base::{BasicHandler, Destination};
use super::{base64, socket};
use crate::{Formatter, Record};

/// Sends each record as a mail of its own, over SMTP.
///
/// The connection is neither encrypted nor authenticated: it is meant for a mail server on the same machine
/// or network, which brings the mail further.
///
/// ```
/// use duramen::{Level, handler::SmtpHandler};
///
/// let to = vec!["on-call@example.com".to_owned()];
/// let handler = SmtpHandler::new("localhost", 25, "shop@example.com", to, "the shop is down").unwrap();
/// handler.set_level(Level::CRITICAL);
/// ```
pub type SmtpHandler = BasicHandler<SmtpDestination>;

/// A mail server and the envelope of the mails.
///
/// ```
/// use duramen::handler::{BasicHandler, SmtpHandler, smtp::SmtpDestination};
///
/// let to = vec!["on-call@example.com".to_owned()];
/// let handler: BasicHandler<SmtpDestination> =
///     SmtpHandler::new("localhost", 25, "shop@example.com", to, "the shop is down").unwrap();
/// handler.set_level(duramen::Level::CRITICAL);
/// // A line break would begin another header.
/// assert!(SmtpHandler::new("localhost", 25, "a@example.com\r\nBcc: b@example.com", vec![], "").is_err());
/// ```
pub struct SmtpDestination {
    host: String,
    port: u16,
    from: String,
    to: Vec<String>,
    subject: String,
}

impl SmtpHandler {
    /// Mails from `from` to each of `to` through the server at `port` (usually 25) of `host`.
    ///
    /// # Errors
    /// When an address has a control character or an angle bracket, which could add a command or a header.
    pub fn new(
        host: impl Into<String>,
        port: u16,
        from: impl Into<String>,
        to: Vec<String>,
        subject: impl Into<String>,
    ) -> io::Result<Self> {
        let destination =
            SmtpDestination { host: host.into(), port, from: from.into(), to, subject: subject.into() };
        for address in destination.to.iter().chain([&destination.from]) {
            if address.contains(|character: char| character.is_control() || "<>".contains(character)) {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("no address: {address:?}")));
            }
        }
        Ok(Self::with_destination(destination))
    }
}

impl SmtpDestination {
    /// The mail with its headers. Subject and body are base 64, so that no text can end a line early.
    fn mail(&self, record: &Record<'_>, text: &[u8]) -> String {
        let time = Timestamp::from_nanosecond(record.created_ns.into()).unwrap_or(Timestamp::UNIX_EPOCH);
        let date = rfc2822::DateTimePrinter::new().timestamp_to_string(&time).unwrap_or_default();
        let mut mail = format!(
            "From: {}\r\nTo: {}\r\nSubject: =?utf-8?B?{}?=\r\nDate: {date}\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            self.from,
            self.to.join(", "),
            base64::encode(self.subject.as_bytes()),
        );
        let body = base64::encode(text);
        // RFC 2045: lines of at most 76 characters. The text is ASCII, so any position is a boundary.
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(76));
            mail.push_str(line);
            mail.push_str("\r\n");
            rest = after;
        }
        mail
    }

    fn send(&self, mail: &str) -> io::Result<()> {
        let mut session = Session { server: BufReader::new(socket::connect(&self.host, self.port)?) };
        session.expect('2')?;
        session.command("HELO localhost", '2')?;
        session.command(&format!("MAIL FROM:<{}>", self.from), '2')?;
        for address in &self.to {
            session.command(&format!("RCPT TO:<{address}>"), '2')?;
        }
        session.command("DATA", '3')?;
        session.command(&format!("{mail}."), '2')?;
        // The mail is accepted; how the session ends changes nothing.
        let _ = session.command("QUIT", '2');
        Ok(())
    }
}

/// One conversation with a mail server.
struct Session {
    server: BufReader<TcpStream>,
}

impl Session {
    fn command(&mut self, command: &str, expected: char) -> io::Result<()> {
        self.server.get_mut().write_all(format!("{command}\r\n").as_bytes())?;
        self.expect(expected)
    }

    /// Reads an answer, which may have several lines, and compares the first digit of its code.
    fn expect(&mut self, expected: char) -> io::Result<()> {
        loop {
            let mut line = String::new();
            if self.server.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if !line.starts_with(expected) {
                let refusal = format!("the mail server answers: {}", line.trim_end());
                return Err(io::Error::other(refusal));
            }
            let goes_on = line.as_bytes().get(3) == Some(&b'-');
            if !goes_on {
                return Ok(());
            }
        }
    }
}

impl Destination for SmtpDestination {
    fn name(&self) -> &'static str {
        "SMTPHandler"
    }

    fn emit(&mut self, record: &Record<'_>, formatter: &dyn Formatter) -> io::Result<()> {
        let mut text = Vec::new();
        formatter.format(record, &mut text);
        self.send(&self.mail(record, &text))
    }

    /// Each mail has a connection of its own: there is nothing to release.
    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}
