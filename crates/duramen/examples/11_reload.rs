//! A configuration file that operations change while the program runs: the program says when it is looked at, and a wrong
//! file changes nothing.

use std::{env, fs};

use duramen::config::{ConfigError, Reloader};
use duramen::{debug, get_logger, info};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = env::temp_dir().join("duramen-example-reload.toml");
    fs::write(&path, configuration("INFO"))?;
    let mut reloader = Reloader::new(&path);
    reloader.reload_if_changed()?;
    let log = get_logger("shop");
    debug!(log, "not shown");
    info!(log, "open");

    fs::write(&path, configuration("DEBUGG"))?;
    match reloader.reload_if_changed() {
        Err(ConfigError::Mistakes(mistakes)) => println!("{}", mistakes.list()[0]),
        other => println!("{other:?}"),
    }
    info!(log, "still at INFO");

    fs::write(&path, configuration("DEBUG"))?;
    println!("changed: {}", reloader.reload_if_changed()?);
    debug!(log, "now it is shown");
    println!("changed: {}", reloader.reload_if_changed()?);
    fs::remove_file(path)?;
    Ok(())
}

fn configuration(level: &str) -> String {
    format!(
        r#"version = 1
[formatters]
line.format = "%(levelname)s:%(name)s:%(message)s"
[handlers]
screen = {{ class = "logging.StreamHandler", stream = "ext://sys.stdout", formatter = "line" }}
[root]
level = "{level}"
handlers = ["screen"]
"#
    )
}
