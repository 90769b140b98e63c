//! Each option of a queue does what it does in Python: `tests/python/test_queue_options.py` reads the same table.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use duramen::config::{Recipe, Registry};
use duramen::{Handler, Level, Manager, Record, log};
use serde_json::{Map, Value as Json, json};

use super::mistakes;

fn table(part: &str) -> Vec<Json> {
    let table: Json = serde_json::from_str(include_str!("../data/queue_options.json")).expect("a table");
    table[part].as_array().expect("rows").clone()
}

/// A handler that keeps messages, and waits before each while its gate is closed.
#[derive(Default)]
struct Gated {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_open: bool,
    has_begun: bool,
    messages: Vec<String>,
}

impl Gated {
    fn wait_until_it_has_begun(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(state, |state| !state.has_begun));
    }

    fn open(&self) {
        self.state.lock().expect("whole").is_open = true;
        self.changed.notify_all();
    }
}

impl Handler for Gated {
    fn level(&self) -> Level {
        Level::NOTSET
    }

    fn handle(&self, record: &Record<'_>) {
        let mut state = self.state.lock().expect("whole");
        state.has_begun = true;
        self.changed.notify_all();
        state = self.changed.wait_while(state, |state| !state.is_open).expect("whole");
        state.messages.push(record.message.to_owned());
    }

    fn flush(&self) {}

    fn close(&self) {}
}

/// A configuration of a queue with `options` before the handler "behind".
fn configuration(options: &Map<String, Json>, behind: &Json) -> String {
    let mut queue = json!({"class": "duramen.handlers.AsyncHandler", "handlers": ["behind"]});
    for (name, value) in options {
        queue[name] = value.clone();
    }
    let handlers = json!({"queue": queue, "behind": behind});
    let formatters = json!({"plain": {"format": "%(message)s"}});
    let root = json!({"level": "DEBUG", "handlers": ["queue"]});
    json!({"version": 1, "formatters": formatters, "handlers": handlers, "root": root}).to_string()
}

#[test]
fn what_is_full_does_what_the_options_say() {
    for row in table("full") {
        let behind = Arc::new(Gated::default());
        let made = Arc::clone(&behind);
        let registry = Registry::new().handler("tests.Gated", move |_| {
            let made = Arc::clone(&made);
            Some(Recipe::new(move |_| {
                let handler: Arc<dyn Handler> = Arc::<Gated>::clone(&made);
                Ok(handler)
            }))
        });
        let mut options = row["options"].as_object().expect("options").clone();
        options.insert("flush_interval".to_owned(), json!(0));
        let text = configuration(&options, &json!({"class": "tests.Gated"}));
        let manager = Manager::new();
        registry.from_json(&text).expect("right").apply_to(&manager).expect("applied");
        log!(manager.root(), Level::INFO, "0");
        behind.wait_until_it_has_begun();
        for (number, level) in row["levels"].as_array().expect("levels").iter().enumerate() {
            log!(manager.root(), Level(level.as_i64().expect("a level")), "{}", number + 1);
        }
        behind.open();
        manager.shutdown();
        let kept: Vec<_> = row["kept"].as_array().expect("numbers").iter().map(Json::to_string).collect();
        assert_eq!(behind.state.lock().expect("whole").messages, kept, "{row}");
    }
}

#[test]
fn what_is_wrong_is_refused_by_name() {
    for row in table("wrong") {
        let behind = json!({"class": "logging.FileHandler", "filename": "never-made.log"});
        let found = mistakes(duramen::config::from_json(&configuration(
            row["options"].as_object().expect("options"),
            &behind,
        )));
        let path = format!("handlers.queue.{}", row["named"].as_str().expect("a name"));
        assert!(found.iter().any(|mistake| mistake.starts_with(&path)), "{path}: {found:?}");
    }
}

#[test]
fn a_journal_is_made_where_it_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, spool) = (folder.path().join("out.log"), folder.path().join("deep").join("spool"));
    let options = json!({"journal": spool, "journal_size": 131_072, "flush_interval": 60});
    let behind = json!({"class": "logging.FileHandler", "filename": log});
    let text = configuration(options.as_object().expect("options"), &behind);
    let manager = Manager::new();
    duramen::config::from_json(&text).expect("right").apply_to(&manager).expect("applied");
    log!(manager.root(), Level::INFO, "kept");
    let journal = std::fs::read_dir(&spool).expect("made").next().expect("one").expect("readable");
    let content = std::fs::read(journal.path()).expect("readable");
    assert!(content.len() > 131_072 && content.windows(5).any(|part| part == b"kept\n"));
    manager.shutdown();
    assert_eq!(std::fs::read_dir(&spool).expect("there").count(), 0);
    assert_eq!(std::fs::read_to_string(log).expect("written"), "kept\n");
}

/// A handler that can hold back, and delivers nothing.
#[derive(Default)]
struct Loses {
    held_back: AtomicU64,
    lost: AtomicU64,
}

impl Handler for Loses {
    fn level(&self) -> Level {
        Level::NOTSET
    }

    fn handle(&self, _: &Record<'_>) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    fn hold_back(&self) {
        self.held_back.fetch_add(1, Ordering::Relaxed);
    }

    fn failed(&self) -> Option<u64> {
        Some(self.lost.load(Ordering::Relaxed))
    }

    fn flush(&self) {}

    fn close(&self) {}
}

#[test]
fn a_handler_behind_a_queue_is_told_of_batches_and_tells_of_losses() {
    let python = "logging.handlers.QueueHandler";
    for queue in [
        json!({"class": "duramen.handlers.AsyncHandler"}),
        json!({"class": python}),
        json!({"class": python, "respect_handler_level": true, "formatter": "plain"}),
    ] {
        let behind = Arc::new(Loses::default());
        let made = Arc::clone(&behind);
        let registry = Registry::new().handler("tests.Loses", move |_| {
            let made: Arc<dyn Handler> = Arc::<Loses>::clone(&made);
            Some(Recipe::new(move |_| Ok(Arc::clone(&made))))
        });
        let options = queue.as_object().expect("options");
        let text = configuration(options, &json!({"class": "tests.Loses", "level": "INFO"}));
        let manager = Manager::new();
        registry.from_json(&text).expect("right").apply_to(&manager).expect("applied");
        (0..10).for_each(|number| log!(manager.root(), Level::INFO, "{number}"));
        manager.flush();
        assert!(behind.held_back.load(Ordering::Relaxed) > 0, "{queue}");
        assert_eq!(manager.root().handlers()[0].failed(), Some(10), "{queue}");
        manager.shutdown();
    }
}
