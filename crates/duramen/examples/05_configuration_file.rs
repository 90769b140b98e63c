//! Loggers configured by a file, which a Python service may share: `cargo run --example 05_configuration_file -- FILE`.
//! Without a file, one in YAML is written first.

use duramen::{Value, config, debug, error, get_logger, info, manager, warning};

const SHARED: &str = "
version: 1
formatters:
  json: {(): duramen.formatters.JsonFormatter, static_fields: {service: shop}}
handlers:
  screen: {class: logging.StreamHandler, stream: ext://sys.stdout, formatter: json}
redact: {packs: [credentials, pii]}
root: {level: DEBUG, handlers: [screen]}
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = if let Some(path) = std::env::args_os().nth(1) {
        path.into()
    } else {
        let path = std::env::temp_dir().join("duramen-example.yaml");
        std::fs::write(&path, SHARED)?;
        path
    };
    config::from_file(path)?.apply()?;

    let shop = get_logger("shop");
    let orders = get_logger("shop.orders");
    info!(shop, "open, with password={}", "hunter2");
    for number in 1..=3 {
        info!(orders, "order accepted"; order = number, by = "Ada L.");
    }
    warning!(orders, "mail to {}", "ada@example.org"; apiKey = "k-123");
    for _ in 0..2 {
        error!(shop, "disk \"{}\" is slow", "a\u{e9}");
    }
    debug!(shop, "done"; ratio = 0.5, none = (), on = true);
    let nested = (0..9).fold(Value::List(vec![Value::Integer(1)]), |inner, _| {
        Value::Map(vec![("list".into(), Value::List(vec![inner]))])
    });
    info!(shop, "deep"; nested = nested);
    manager::shutdown();
    Ok(())
}
