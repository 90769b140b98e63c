//! What a program logs by the `log` crate. One test, since a process has one logger of that crate's.

use std::sync::Arc;

use duramen::formatter::LogfmtFormatter;
use duramen::formatter::json::{JsonBuilder, Source};
use duramen::handler::FileHandler;
use duramen::{Level, front, get_logger, manager, root};
use log::LevelFilter;

struct Panics;

impl std::fmt::Display for Panics {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("no text")
    }
}

#[test]
fn records_of_the_log_crate_reach_the_loggers_and_its_maximal_level_follows_theirs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let handler = FileHandler::new(&path).expect("opened");
    let members = ["levelno", "name", "filename", "message"].map(|name| (name, Source::by_name(name)));
    let formatter: LogfmtFormatter = JsonBuilder::default().members(members).build_logfmt().expect("right");
    handler.set_formatter(Arc::new(formatter));
    root().add_handler(Arc::new(handler));

    front::log::init().expect("the first logger");
    assert!(front::log::init().is_err());
    assert_eq!(log::max_level(), LevelFilter::Warn);
    get_logger("shop.orders").set_level(Level::DEBUG);
    assert_eq!(log::max_level(), LevelFilter::Debug);
    assert!(log::log_enabled!(target: "shop::orders", log::Level::Debug));
    assert!(!log::log_enabled!(target: "shop", log::Level::Info));

    log::debug!(target: "shop::orders::late", order = 7, by = "Ada L.", ratio = 0.5, paid = true; "{} is late", "it");
    log::info!(target: "shop", "held back");
    log::warn!(target: "shop", big = u64::MAX, text:% = 'x', panics:% = Panics; "big");
    get_logger("shop.orders").set_level(Level(5));
    log::trace!(target: "shop::orders", "steps");
    root().set_level(Level(25));
    get_logger("shop.orders").set_level(Level::NOTSET);
    assert_eq!(log::max_level(), LevelFilter::Warn);
    manager::disable(Level::CRITICAL);
    assert_eq!(log::max_level(), LevelFilter::Off);
    manager::disable(Level::NOTSET);
    assert_eq!(log::max_level(), LevelFilter::Warn);
    log::logger().flush();

    let text = std::fs::read_to_string(&path).expect("written");
    let lines: Vec<_> = text.lines().collect();
    let place = "filename=log_facade.rs";
    assert_eq!(
        lines[0],
        format!(
            "levelno=10 name=shop.orders.late {place} message=\"it is late\" order=7 by=\"Ada L.\" ratio=0.5 paid=true"
        )
    );
    assert!(lines[1].starts_with(&format!(
        "levelno=30 name=shop {place} message=big big=18446744073709551615 text=x panics="
    )));
    assert_eq!(lines[2], format!("levelno=5 name=shop.orders {place} message=steps"));
    assert_eq!(lines.len(), 3);
}
