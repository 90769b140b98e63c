//! What a configuration does to loggers, and what it says when it is wrong.

mod applying;
mod file_options;
mod forms;
mod handlers;
mod lines;
mod mistakes;
mod queues;

use std::fs;
use std::path::Path;

use duramen::Manager;
use duramen::config::{self, ConfigError, Settings};

fn mistakes(result: Result<impl Sized, ConfigError>) -> Vec<String> {
    match result {
        Ok(_) => Vec::new(),
        Err(ConfigError::Mistakes(mistakes)) => mistakes.list().iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

/// Applies the settings, runs `body`, closes the handlers, and gives the content of the file `app.log`.
fn written(settings: &Settings, folder: &Path, body: impl FnOnce(&Manager)) -> String {
    let manager = Manager::new();
    settings.apply_to(&manager).expect("applied");
    body(&manager);
    manager.shutdown();
    fs::read_to_string(folder.join("app.log")).expect("written")
}

/// A configuration of one handler that writes to `app.log` in `folder`, with `formatter` and more options.
fn one_file(folder: &Path, sections: &str, options: &str) -> Settings {
    let path = folder.join("app.log").display().to_string();
    let text = format!(
        r#"{{"version": 1, {sections}
        "handlers": {{"file": {{"class": "logging.FileHandler", "filename": {path:?}, "formatter": "f" {options}}}}},
        "root": {{"level": "DEBUG", "handlers": ["file"]}}}}"#
    );
    config::from_json(&text).expect("right")
}
