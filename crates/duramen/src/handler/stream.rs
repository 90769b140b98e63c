//! Records as text on a stream.

use std::io::Write;

use super::base::BasicHandler;
use super::written::Written;
use crate::writer::StreamWriter;

/// Writes to standard error, standard output, or another stream; flushes after each record.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use duramen::{Manager, handler::StreamHandler, warning};
///
/// /// A stream of the program's own.
/// #[derive(Clone, Default)]
/// struct Screen(Arc<Mutex<Vec<u8>>>);
///
/// impl std::io::Write for Screen {
///     fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
///         self.0.lock().unwrap().write(bytes)
///     }
///     fn flush(&mut self) -> std::io::Result<()> {
///         Ok(())
///     }
/// }
///
/// let (manager, screen) = (Manager::new(), Screen::default());
/// manager.root().add_handler(Arc::new(StreamHandler::new(screen.clone())));
/// warning!(manager.root(), "low on paper");
/// assert_eq!(*screen.0.lock().unwrap(), b"low on paper\n");
/// ```
pub type StreamHandler = BasicHandler<Written<StreamWriter>>;

impl StreamHandler {
    /// Writes to standard error.
    ///
    /// ```
    /// use duramen::{Level, handler::StreamHandler};
    ///
    /// let handler = StreamHandler::stderr();
    /// handler.set_level(Level::WARNING);
    /// ```
    pub fn stderr() -> Self {
        Self::on(StreamWriter::stderr())
    }

    /// Writes to standard output.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use duramen::{formatter::JsonFormatter, handler::StreamHandler};
    ///
    /// let handler = StreamHandler::stdout();
    /// handler.set_formatter(Arc::new(JsonFormatter::default())); // for a container's collector
    /// ```
    pub fn stdout() -> Self {
        Self::on(StreamWriter::stdout())
    }

    /// Writes to `stream`.
    ///
    /// ```
    /// use std::net::TcpStream;
    ///
    /// use duramen::handler::StreamHandler;
    ///
    /// fn to(connection: TcpStream) -> StreamHandler {
    ///     StreamHandler::new(connection)
    /// }
    /// ```
    pub fn new(stream: impl Write + Send + 'static) -> Self {
        Self::on(StreamWriter::new(stream))
    }

    fn on(writer: StreamWriter) -> Self {
        Self::with_destination(Written::new("StreamHandler", writer))
    }
}
