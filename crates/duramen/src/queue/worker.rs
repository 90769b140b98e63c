//! The thread that empties a queue.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use super::{Queue, Tally, Waiting};
use crate::{background, report};

/// A thread that takes batches out of a queue and gives them to a function.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use duramen::Level;
/// use duramen::queue::{Options, Queue, Worker};
///
/// let (queue, taken) = (Arc::new(Queue::<u32>::new(Options::default(), 0)), Arc::new(Mutex::new(Vec::new())));
/// let seen = Arc::clone(&taken);
/// let worker = Worker::start(Arc::clone(&queue), move |batch, tally| {
///     while let Some(item) = batch.pop_front() {
///         seen.lock().unwrap().push(item);
///         tally.item(false);
///     }
/// })
/// .unwrap();
/// (0..3).for_each(|item| assert!(queue.push(item, Level::INFO)));
/// queue.close();
/// worker.join(); // when all is delivered
/// assert_eq!(*taken.lock().unwrap(), [0, 1, 2]);
/// ```
pub struct Worker {
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts it. `deliver` takes the items out of the batch one by one and tells the tally about each; what it
    /// leaves there, or was about when it panicked, is counted as failed.
    ///
    /// # Errors
    /// When the operating system starts no thread.
    pub fn start<T: 'static, W: Waiting + 'static>(
        queue: Arc<Queue<T, W>>,
        mut deliver: impl FnMut(&mut W, &mut Tally) + Send + 'static,
    ) -> io::Result<Self> {
        let work = move || {
            queue.begin_service();
            let mut batch = W::default();
            while queue.take(&mut batch) {
                let mut tally = Tally::default();
                let outcome = catch_unwind(AssertUnwindSafe(|| deliver(&mut batch, &mut tally)));
                if outcome.is_err() {
                    report::error("queue", &"a handler panicked; its record is counted as failed");
                }
                batch.clear();
                queue.settle(&tally);
            }
        };
        let thread = background::spawn("duramen-queue", work)?;
        Ok(Self { thread })
    }

    /// Waits for its end, which it comes to when its queue is closed or parked. The thread itself may call this.
    pub fn join(self) {
        if self.thread.thread().id() != std::thread::current().id() {
            // The thread catches the panics of what it calls, so there is none to pass on.
            let _ = self.thread.join();
        }
    }
}
