//! JSON to a file that is rolled over by size, with extra fields, behind a queue.

use std::sync::Arc;

use duramen::formatter::JsonFormatter;
use duramen::handler::{AsyncHandler, RotatingFileHandler};
use duramen::queue::Options;
use duramen::rotation::{Customs, SizeLimit};
use duramen::writer::FileWriter;
use duramen::{Level, get_logger, info, manager};

fn main() -> std::io::Result<()> {
    let path = std::env::temp_dir().join("duramen-example.jsonl");
    let file =
        RotatingFileHandler::new(FileWriter::new(&path), SizeLimit::new(10_000, 3), Customs::default());
    file.set_formatter(Arc::new(JsonFormatter::default()));
    let queue = Arc::new(AsyncHandler::new(vec![Arc::new(file)], Options::default())?);

    let orders = get_logger("shop.orders");
    orders.set_level(Level::INFO);
    orders.set_propagate(false);
    orders.add_handler(queue.clone());
    for number in 0..200 {
        info!(orders, "order {number} accepted"; order_id = number);
    }

    // Delivers what is queued and closes the file.
    manager::shutdown();
    println!("{} records in {} and its backups", queue.stats().delivered, path.display());
    Ok(())
}
