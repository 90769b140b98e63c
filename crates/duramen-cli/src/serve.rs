//! `duramen serve`: the records of other processes through the loggers of a configuration.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use duramen::Manager;
use duramen::config::Reloader;
use duramen::serve::{Address, Control, LARGEST_MESSAGE, Options, Server};
#[cfg(unix)]
use duramen::{background, report};

use crate::USAGE_ERROR;

const USAGE: &str = "\
usage: duramen serve [OPTION ...] FILE

Receives the records of other processes and gives them to the loggers of the configuration in FILE (JSON, YAML,
TOML or INI). It understands what SocketHandler, DatagramHandler and SysLogHandler send; pickles are read without
importing or calling anything.

  --listen ADDRESS           where to listen: tcp:HOST:PORT, udp:HOST:PORT, unix:PATH or unix-datagram:PATH; may be
                             given several times; tcp:127.0.0.1:9020 when it is not
  --max-record-bytes NUMBER  the longest record, 1 to 16777215; 1048576 when left out
  --max-clients NUMBER       connections at a time, 1 to 65536; 1024 when left out
  --drain-timeout SECONDS    how long the end takes what clients have sent, at most, 0 to 3600; 5 when left out

SIGTERM and SIGINT end it after what has arrived is written; the second one at once. SIGHUP reads FILE again
and opens the log files anew, SIGUSR1 prints the counts, as the end does.
";

/// Where Python's handlers send to by default (`logging.handlers.DEFAULT_TCP_LOGGING_PORT`).
const DEFAULT_ADDRESS: &str = "tcp:127.0.0.1:9020";

/// The exit code when the server cannot be started.
const FAILURE: u8 = 1;

/// Runs the command with the words behind `serve`, and gives its exit code.
pub fn serve(words: impl IntoIterator<Item = OsString>) -> u8 {
    let command = match Command::of(words.into_iter().collect()) {
        Ok(Some(command)) => command,
        Ok(None) => {
            print!("{USAGE}");
            return 0;
        }
        Err(problem) => {
            say(&problem);
            return USAGE_ERROR;
        }
    };
    command.run()
}

/// A command line that was understood.
struct Command {
    file: PathBuf,
    addresses: Vec<Address>,
    options: Options,
}

impl Command {
    /// `None`: the usage is asked for.
    fn of(words: Vec<OsString>) -> Result<Option<Self>, String> {
        let mut files: Vec<PathBuf> = Vec::new();
        let mut addresses = Vec::new();
        let mut options = Options::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let Some(option) = word.to_str().filter(|word| word.starts_with('-')) else {
                files.push(word.into());
                continue;
            };
            if matches!(option, "-h" | "--help") {
                return Ok(None);
            }
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (option.to_owned(), None),
            };
            let mut value = || {
                let next = value.clone().map(OsString::from).or_else(|| words.next());
                let text =
                    next.ok_or_else(|| format!("{name} needs a value; duramen serve --help shows which"))?;
                text.into_string().map_err(|text| format!("{name}: found {}, expected UTF-8", text.display()))
            };
            match &*name {
                "--listen" => addresses.push(value()?.parse().map_err(|error| format!("--listen: {error}"))?),
                "--max-record-bytes" => {
                    options.largest_message =
                        number("--max-record-bytes", &value()?, &(1..=LARGEST_MESSAGE))?;
                }
                "--max-clients" => options.clients = number("--max-clients", &value()?, &(1..=65536))?,
                "--drain-timeout" => {
                    let seconds = number("--drain-timeout", &value()?, &(0.0..=3600.0))?;
                    options.drain_timeout = Duration::from_secs_f64(seconds);
                }
                _ => {
                    return Err(format!(
                        "there is no option {name:?}; duramen serve --help shows those that are"
                    ));
                }
            }
        }
        let mut files = files.into_iter();
        let (Some(file), None) = (files.next(), files.next()) else {
            return Err(
                "it needs one file, a logging configuration; duramen serve --help shows how".to_owned()
            );
        };
        if addresses.is_empty() {
            addresses.extend(DEFAULT_ADDRESS.parse());
        }
        Ok(Some(Self { file, addresses, options }))
    }

    fn run(self) -> u8 {
        let manager = Manager::new();
        let mut configuration = Reloader::new(self.file).manager(manager.clone());
        if let Err(error) = configuration.reload() {
            say(&error);
            return USAGE_ERROR;
        }
        let server = match Server::bind(&self.addresses, manager.clone(), &self.options) {
            Ok(server) => server,
            Err(error) => {
                say(&error);
                manager.shutdown();
                return FAILURE;
            }
        };
        if let Err(error) = obey_signals(server.control(), configuration) {
            say(&format_args!("cannot handle signals: {error}"));
            return FAILURE;
        }
        for address in server.addresses() {
            say(&format_args!("listening on {address}"));
        }
        let ledger = server.run();
        manager.shutdown();
        print_counts(&ledger);
        0
    }
}

fn print_counts(counts: &duramen::serve::Ledger) {
    say(counts);
}

/// One line on standard error, at which a server must not fail: it may be closed, or a file on a full disk.
fn say(what: &dyn Display) {
    let _ = writeln!(io::stderr(), "duramen: serve: {what}");
}

fn number<N: FromStr + PartialOrd + Display>(
    option: &str,
    text: &str,
    range: &RangeInclusive<N>,
) -> Result<N, String> {
    let found = text.parse().ok().filter(|number| range.contains(number));
    found.ok_or_else(|| {
        format!("{option}: found {text:?}, expected a number from {} to {}", range.start(), range.end())
    })
}

/// Obeys signals on a thread of its own, from now until the process ends. What may wait for others (a configuration whose
/// file is a pipe, a handler that is stalled, a standard error that nobody reads) is done by further threads, so that the
/// signals that end the process are always obeyed.
#[cfg(unix)]
fn obey_signals(control: Control, mut configuration: Reloader) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM, SIGUSR1])?;
    let reload = at_each_order("duramen-reload", move || {
        // Files are opened anew also where nothing has changed: what renames them, logrotate for instance, says so by this signal.
        if let Err(error) = configuration.reload() {
            report::error("serve", &format_args!("the configuration stays: {error}"));
        }
    })?;
    let of_counts = control.clone();
    let tell = at_each_order("duramen-counts", move || print_counts(&of_counts.ledger()))?;
    let obey = move || {
        let mut is_ending = false;
        for signal in signals.forever() {
            match signal {
                SIGHUP => reload.give(),
                SIGUSR1 => tell.give(),
                _ if is_ending => {
                    // The process ends as if nobody had handled the signal.
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
                _ => {
                    is_ending = true;
                    control.stop();
                }
            }
        }
    };
    // It takes signals itself: the thread that serves may be where it takes none, in a write to a disk that is gone.
    std::thread::Builder::new().name("duramen-signals".to_owned()).spawn(obey).map(|_| ())
}

/// Gives orders to a thread.
#[cfg(unix)]
struct Orders(std::sync::mpsc::SyncSender<()>);

#[cfg(unix)]
impl Orders {
    /// Gives one. One that waits already stands for this one too, as with signals themselves.
    fn give(&self) {
        let _ = self.0.try_send(());
    }
}

/// Starts a thread that acts once at each order.
#[cfg(unix)]
fn at_each_order(name: &str, mut act: impl FnMut() + Send + 'static) -> io::Result<Orders> {
    let (orders, given) = std::sync::mpsc::sync_channel(1);
    background::spawn(name, move || given.iter().for_each(|()| act()))?;
    Ok(Orders(orders))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on the other systems")]
fn obey_signals(_: Control, _: Reloader) -> io::Result<()> {
    Ok(())
}
