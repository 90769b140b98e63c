//! The shortest program that logs: one configuration, one logger, lines on standard error.

use duramen::config::{ConfigError, basic_config};
use duramen::{Level, debug, get_logger, info, warning};

fn main() -> Result<(), ConfigError> {
    basic_config().level(Level::INFO).format("%(asctime)s %(levelname)-8s %(name)s: %(message)s").apply()?;

    let log = get_logger("app");
    debug!(log, "not shown: the root logger stands at INFO");
    info!(log, "listening on port {}", 8080);
    warning!(get_logger("app.db"), "connection lost, trying again");
    Ok(())
}
