//! Levels and the tree of loggers: a level holds for a logger and those below it, records go to the handlers above.

use std::sync::Arc;

use duramen::formatter::{Style, TextFormatter, UnsupportedLayout};
use duramen::handler::StreamHandler;
use duramen::level::add_level_name;
use duramen::{Level, error, get_logger, info, log, root, warning};

const NOTICE: Level = Level(25);

fn main() -> Result<(), UnsupportedLayout> {
    let screen = StreamHandler::stdout();
    let line = TextFormatter::new("%(levelname)s:%(name)s:%(message)s", None, Style::Percent)?;
    screen.set_formatter(Arc::new(line));
    root().add_handler(Arc::new(screen));

    let [shop, orders, mail] = ["shop", "shop.orders", "shop.mail"].map(get_logger);
    info!(orders, "not shown: the root logger stands at WARNING");
    shop.set_level(Level::INFO);
    info!(orders, "shown: its parent stands at INFO");
    mail.set_level(Level::ERROR);
    warning!(mail, "not shown: its own level is nearer");

    // A level of one's own.
    add_level_name(NOTICE, "NOTICE");
    log!(shop, NOTICE, "between INFO and WARNING");

    // To its own handler alone, which writes the message as it is.
    let receipts = get_logger("shop.receipts");
    receipts.add_handler(Arc::new(StreamHandler::stdout()));
    receipts.set_propagate(false);
    info!(receipts, "2 books, 31.50");

    orders.set_disabled(true);
    error!(orders, "not shown: the logger is switched off");
    Ok(())
}
