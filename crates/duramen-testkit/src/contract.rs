//! The handler contract: what every handler must do, in one test body.

use std::sync::Arc;

use duramen::{Handler, Level, Manager, debug, info};

/// A handler and the way to see what reached its destination.
pub struct Subject {
    /// The handler, for all levels and with the message alone as text, where text is its own to choose.
    pub handler: Arc<dyn Handler>,
    /// Sets the handler's level.
    pub set_level: Box<dyn Fn(Level)>,
    /// All messages that have arrived since the beginning, in order. Where a receiver works on its own, it
    /// waits for the number of messages that it is given.
    pub delivered: Box<dyn FnMut(usize) -> Vec<String>>,
}

const IN_ORDER: usize = 40;
const THREADS: usize = 4;
const PER_THREAD: usize = 10;

/// Holds `subject` to the contract.
///
/// # Panics
/// When it breaks it.
pub fn hold(mut subject: Subject) {
    let manager = Manager::new();
    let logger = manager.get_logger("contract");
    logger.set_level(Level::DEBUG);
    logger.add_handler(Arc::clone(&subject.handler));

    (subject.set_level)(Level::INFO);
    debug!(logger, "below the level");
    info!(logger, "at the level");
    subject.handler.flush();
    let mut expected = vec!["at the level".to_owned()];
    assert_eq!((subject.delivered)(1), expected, "the level is respected, and flush means delivered");

    // Lengths differ, so that a record cut short or two mixed ones show.
    expected.extend((0..IN_ORDER).map(|number| format!("{number} {}", "é".repeat(number))));
    for message in &expected[1..] {
        info!(logger, "{message}");
    }
    subject.handler.flush();
    assert_eq!((subject.delivered)(expected.len()), expected, "whole records in order");

    let known = expected.len();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let logger = &logger;
            scope.spawn(move || {
                for number in 0..PER_THREAD {
                    info!(logger, "thread {thread} record {number}");
                }
            });
        }
    });
    subject.handler.flush();
    let delivered = (subject.delivered)(known + THREADS * PER_THREAD);
    assert_eq!(delivered.len(), known + THREADS * PER_THREAD, "each record once, from many threads");
    for thread in 0..THREADS {
        let prefix = format!("thread {thread} ");
        let of_thread: Vec<_> = delivered.iter().filter(|message| message.starts_with(&prefix)).collect();
        let expected: Vec<_> = (0..PER_THREAD).map(|number| format!("{prefix}record {number}")).collect();
        assert_eq!(of_thread, expected.iter().collect::<Vec<_>>(), "the order of one thread is kept");
    }

    subject.handler.close();
    subject.handler.close();
    info!(logger, "after close");
    subject.handler.flush();
    let delivered = (subject.delivered)(known + THREADS * PER_THREAD);
    assert!(delivered.len() >= known + THREADS * PER_THREAD, "closing takes nothing back");
}
