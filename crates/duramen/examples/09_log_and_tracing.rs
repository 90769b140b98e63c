//! Crates that log by `log` or `tracing` reach the same loggers and handlers: `--features log,tracing`.

use std::error::Error;
use std::sync::Arc;

use duramen::formatter::LogfmtFormatter;
use duramen::formatter::json::{JsonBuilder, Source};
use duramen::handler::StreamHandler;
use duramen::{Level, front, get_logger, info, root};
use tracing_subscriber::layer::SubscriberExt;

fn main() -> Result<(), Box<dyn Error>> {
    let members = ["levelname", "name", "message"].map(|name| (name, Source::by_name(name)));
    let formatter: LogfmtFormatter = JsonBuilder::default().members(members).build_logfmt()?;
    let screen = StreamHandler::stdout();
    screen.set_formatter(Arc::new(formatter));
    root().add_handler(Arc::new(screen));
    root().set_level(Level::INFO);
    // The noise of one crate.
    get_logger("hyper").set_level(Level::WARNING);

    front::log::init()?;
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(front::tracing::layer()))?;

    log::info!(target: "sqlx::query", "3 rows");
    log::info!(target: "hyper::client", "not shown");
    let request = tracing::info_span!("request", id = "7f3a");
    request.in_scope(|| tracing::warn!(target: "tower::limit", waiting = 12, "too many requests"));
    info!(get_logger("shop"), "and the program's own"; order = 17);
    Ok(())
}
