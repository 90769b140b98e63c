//! Fields on records: those of a call, of a logger, and of all that a thread or a worker does for one request.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread;

use duramen::formatter::LogfmtFormatter;
use duramen::formatter::json::{JsonBuilder, Source};
use duramen::handler::StreamHandler;
use duramen::{Level, bound, context, exception, fields, get_logger, info, manager, root};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve(io::stdout())
}

/// Logs to `out` what a server may log of two requests.
pub(crate) fn serve(out: impl Write + Send + 'static) -> Result<(), Box<dyn std::error::Error>> {
    let members = ["levelname", "name", "message"].map(|name| (name, Source::by_name(name)));
    let formatter: LogfmtFormatter = JsonBuilder::default().members(members).build_logfmt()?;
    let handler = StreamHandler::new(out);
    handler.set_formatter(Arc::new(formatter));
    root().set_level(Level::INFO);
    root().add_handler(Arc::new(handler));

    for request in ["7f3a", "7f3b"] {
        // Until the request is done, on every record of this thread.
        let _bound = bound!(request_id = %request);
        place_order(123);
        // The pool's thread works for the same request.
        let mail = thread::spawn(context::carry(|| info!(get_logger("shop.mail"), "sent"; bytes = 2048_u64)));
        mail.join().map_err(|_| "the mail's thread panicked")?;
    }
    info!(get_logger("shop"), "done"; requests = 2);
    manager::shutdown();
    Ok(())
}

fn place_order(user_id: i64) {
    let log = get_logger("shop.orders").bind(fields![user_id = user_id]);
    info!(log, "{} items", 2; total = 12.5, coupon = None::<&str>, state = ?Some("new"));
    if let Err(error) = "seven".parse::<u32>() {
        exception!(log, error, "no quantity"; user_id = "overridden by the call");
    }
}
