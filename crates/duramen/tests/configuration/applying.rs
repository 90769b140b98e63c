//! What becomes of the loggers that are there, and of a configuration that changes.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use duramen::config::{self, ConfigError, Reloader};
use duramen::{Level, Manager, error, info};

use crate::{mistakes, one_file, written};

#[test]
fn loggers_that_are_not_named_are_switched_off_unless_they_are_to_stay() {
    let manager = Manager::new();
    let [old, named, below] = ["old", "app", "app.db"].map(|name| manager.get_logger(name));
    below.set_level(Level::DEBUG);
    let apply = |text: &str| config::from_json(text).expect("right").apply_to(&manager).expect("applied");
    apply(r#"{"version": 1, "loggers": {"app": {"level": "ERROR"}}}"#);
    assert!(!old.is_enabled_for(Level::CRITICAL));
    assert!(named.is_enabled_for(Level::ERROR) && !named.is_enabled_for(Level::WARNING));
    assert_eq!(below.level(), Level::NOTSET, "below a named logger they begin anew");
    apply(r#"{"version": 1, "disable_existing_loggers": false, "root": {"level": 25}}"#);
    assert!(old.is_enabled_for(Level(25)) && !old.is_enabled_for(Level(24)));
}

#[test]
fn an_incremental_configuration_changes_levels_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = one_file(folder.path(), r#""formatters": {"f": {"format": "%(message)s"}},"#, "");
    let text = written(&settings, folder.path(), |manager| {
        let apply = |text: &str| config::from_json(text).and_then(|settings| settings.apply_to(manager));
        let log = manager.get_logger("app");
        info!(log, "one");
        apply(r#"{"version": 1, "incremental": true, "handlers": {"file": {"level": "ERROR"}}}"#)
            .expect("applied");
        info!(log, "two");
        error!(log, "three");
        let missing =
            apply(r#"{"version": 1, "incremental": true, "handlers": {"other": {"level": "ERROR"}}}"#);
        assert_eq!(
            mistakes(missing),
            ["handlers.other: found no such handler, expected a handler of the configuration that holds"]
        );
        apply(r#"{"version": 1, "incremental": true, "root": {"level": "CRITICAL"}}"#).expect("applied");
        error!(log, "four");
    });
    assert_eq!(text, "one\nthree\n");
}

#[test]
fn a_file_is_applied_again_when_it_has_changed_and_a_wrong_one_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, log) = (folder.path().join("logging.json"), folder.path().join("app.log"));
    let text = |level: &str| {
        format!(
            r#"{{"version": 1, "handlers": {{"file": {{"class": "logging.FileHandler", "filename": {log:?}}}}},
            "root": {{"level": "{level}", "handlers": ["file"]}}}}"#
        )
    };
    let manager = Manager::new();
    let mut reloader = Reloader::new(&path).manager(manager.clone());
    assert!(matches!(reloader.reload_if_changed(), Err(ConfigError::Unreadable(..))));
    fs::write(&path, text("INFO")).expect("written");
    assert!(reloader.reload_if_changed().expect("applied"));
    info!(manager.root(), "one");
    fs::write(&path, text("LOUD")).expect("written");
    let error = reloader.reload_if_changed().expect_err("wrong").to_string();
    assert!(
        error.starts_with(&format!(
            "the configuration file {} cannot be used:\n  root.level: ",
            path.display()
        ))
    );
    info!(manager.root(), "two");
    fs::write(&path, text("ERROR")).expect("written");
    assert!(reloader.reload_if_changed().expect("applied"));
    assert!(!reloader.reload_if_changed().expect("as before"));
    info!(manager.root(), "three");
    error!(manager.root(), "four");
    assert_eq!(manager.root().handlers().len(), 1);
    assert_eq!(fs::read_to_string(&log).expect("there"), "one\ntwo\nfour\n");
}

#[test]
fn loggers_that_are_in_use_when_a_file_changes_stay_on_unless_it_says_otherwise() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("logging.json");
    let manager = Manager::new();
    let before = manager.get_logger("before");
    let mut reloader = Reloader::new(&path).manager(manager.clone());
    let mut apply = |options: &str| {
        fs::write(&path, format!(r#"{{"version": 1, {options} "root": {{"level": "INFO"}}}}"#))
            .expect("written");
        assert!(reloader.reload_if_changed().expect("applied"));
    };
    apply(r#""loggers": {"named": {"level": "DEBUG"}},"#);
    let (named, used) = (manager.get_logger("named"), manager.get_logger("used"));
    apply("");
    assert!(used.is_enabled_for(Level::INFO));
    assert!(!before.is_enabled_for(Level::CRITICAL), "it was switched off, and stays so");
    assert_eq!(named.level(), Level::NOTSET, "what the file said of it holds no more");
    assert!(named.is_enabled_for(Level::INFO));
    apply(r#""disable_existing_loggers": true,"#);
    assert!(!used.is_enabled_for(Level::CRITICAL));
    apply(r#""disable_existing_loggers": false,"#);
    assert!(used.is_enabled_for(Level::INFO) && before.is_enabled_for(Level::INFO));
}

#[test]
fn no_record_is_lost_while_the_file_changes() {
    const THREADS: usize = 4;
    let folder = tempfile::tempdir().expect("a folder");
    let (path, log) = (folder.path().join("logging.json"), folder.path().join("app.log"));
    let write = |turn: usize| {
        let options = format!(r#""handlers": ["file"], "capacity": {}"#, 1000 + turn);
        let queue = format!(r#""queue": {{"class": "duramen.handlers.AsyncHandler", {options}}}"#);
        let file = format!(r#""file": {{"class": "logging.FileHandler", "filename": {log:?}}}"#);
        let root = r#""root": {"level": "INFO", "handlers": ["queue"]}"#;
        fs::write(&path, format!(r#"{{"version": 1, "handlers": {{{file}, {queue}}}, {root}}}"#))
            .expect("written");
    };
    write(0);
    let manager = Manager::new();
    let mut reloader = Reloader::new(&path).manager(manager.clone());
    reloader.reload_if_changed().expect("right");
    let ends = AtomicBool::new(false);
    let logged: usize = thread::scope(|scope| {
        let work = || {
            let logger = manager.get_logger("app");
            let mut count = 0;
            while !ends.load(Ordering::Relaxed) {
                info!(logger, "one of many");
                count += 1;
            }
            count
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        for turn in 1..=20 {
            write(turn);
            assert!(reloader.reload_if_changed().expect("right"));
        }
        ends.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().expect("it ends")).sum()
    });
    manager.shutdown();
    assert_eq!(fs::read_to_string(log).expect("text").lines().count(), logged);
}
