//! A service as it runs in production: JSON behind a queue into a file that rolls over, warnings on the screen, secrets
//! masked, floods held back, fields for each request, and a configuration that may change while it runs.

use std::error::Error;
use std::path::PathBuf;

use duramen::config::Reloader;
use duramen::{bound, error, exception, get_logger, info, manager};

/// The file that operations own; a Python service could have the same one.
const CONFIGURATION: &str = r#"
version: 1
formatters:
  json: {(): duramen.formatters.JsonFormatter, preset: ecs, static_fields: {service.name: shop}}
  line: {format: "%(levelname)s %(name)s %(message)s"}
filters:
  once: {(): duramen.filters.DuplicateFilter, window: 60}
  limit: {(): duramen.filters.RateLimitFilter, rate: 100, burst: 500}
handlers:
  file:
    class: logging.handlers.RotatingFileHandler
    filename: FOLDER/shop.jsonl
    maxBytes: 100_000_000
    backupCount: 5
    formatter: json
    filters: [once, limit]
  queue: {class: duramen.handlers.AsyncHandler, handlers: [file], overflow: "drop_below:WARNING"}
  screen: {class: logging.StreamHandler, stream: ext://sys.stdout, level: WARNING, formatter: line}
redact: {packs: [credentials, pii], keys: [card]}
root: {level: INFO, handlers: [queue, screen]}
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let path = folder.join("shop-logging.yaml");
    std::fs::write(&path, CONFIGURATION.replace("FOLDER", &folder.display().to_string()))?;
    let mut configuration = Reloader::new(&path);
    configuration.reload_if_changed()?;

    for number in 0..3 {
        serve(number);
        // At a signal, or now and then: a wrong file is an error, and what held before goes on.
        if let Err(problem) = configuration.reload_if_changed() {
            error!(get_logger("shop"), "{problem}");
        }
    }
    // Delivers what is queued, says what was held back, and closes the files.
    manager::shutdown();
    Ok(())
}

fn serve(number: u32) {
    let _request = bound!(request_id = format!("r{number}"), path = "/orders");
    let log = get_logger("shop.orders");
    info!(log, "order of {} accepted", "ada@example.org"; items = 2, card = "4111111111111111");
    if let Err(problem) = "two".parse::<u32>() {
        exception!(log, problem, "no quantity");
    }
}
