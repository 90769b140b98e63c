//! Loggers configured by a file, which a Python service may share: `cargo run --example 04_configuration_file -- FILE`.
//! Without a file, one in YAML is written first.

use duramen::{Level, Value, config, get_logger, log, manager};

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
    log!(shop, Level::INFO, "open, with password={}", "hunter2");
    for number in 1..=3 {
        let fields = [("order", Value::Integer(number)), ("by", Value::Text("Ada L.".into()))];
        let [(order, number), (by, who)] = fields;
        log!(orders, Level::INFO, [order => number, by => who], "order accepted");
    }
    log!(orders, Level::WARNING, ["apiKey" => Value::Text("k-123".into())], "mail to {}", "ada@example.org");
    for _ in 0..2 {
        log!(shop, Level::ERROR, "disk \"{}\" is slow", "a\u{e9}");
    }
    log!(shop, Level::DEBUG, ["ratio" => Value::Float(0.5), "none" => Value::Null, "on" => Value::Bool(true)], "done");
    manager::shutdown();
    Ok(())
}
