//! Fields that are bound to a thread.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use duramen::handler::AsyncHandler;
use duramen::queue::Options;
use duramen::{Handler, Manager, Record, bound, context, fields, warning};
use duramen_testkit::CapturingHandler;

/// What is bound here, as `a=1 b=2`.
fn here() -> String {
    let pairs: Vec<_> = context::get().iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(" ")
}

fn fields_of(record: &Record<'_>) -> String {
    let pairs: Vec<_> = record.fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(" ")
}

fn captured() -> (Manager, Arc<CapturingHandler>) {
    let (manager, handler) = (Manager::new(), Arc::new(CapturingHandler::default()));
    manager.root().add_handler(handler.clone());
    (manager, handler)
}

#[test]
fn fields_are_on_records_until_the_scope_ends() {
    let (manager, handler) = captured();
    let log = manager.get_logger("shop");
    let id = "7f3a";
    {
        let _bound = bound!(request_id = %id, state = ?Some(1));
        warning!(log, "within"; order = 17);
        {
            let _bound = bound!(user_id = 123, state = "inner");
            warning!(log, "deeper");
        }
        warning!(log, "back");
    }
    warning!(log, "after");
    let expected = [
        "order=17 request_id=7f3a state=Some(1)",
        "request_id=7f3a state=inner user_id=123",
        "request_id=7f3a state=Some(1)",
        "",
    ];
    assert_eq!(handler.map(fields_of), expected);
}

#[test]
fn what_a_scope_has_bound_itself_ends_with_it() {
    context::bind(fields![host = "a"]);
    {
        let _bound = bound!(job = 1);
        context::bind(fields![user = 2, host = "b"]);
        context::unbind(["job", "not there"]);
        assert_eq!(here(), "host=b user=2");
        context::clear();
        assert_eq!(here(), "");
    }
    assert_eq!(here(), "host=a");
}

#[test]
fn a_panic_ends_the_scopes_that_it_leaves() {
    let _outer = bound!(request_id = 1);
    let result = std::panic::catch_unwind(|| {
        let _inner = bound!(job = 2);
        context::bind(fields![user = 3]);
        panic!("in the middle");
    });
    assert!(result.is_err());
    assert_eq!(here(), "request_id=1");
}

#[test]
fn scopes_that_end_in_another_order_leave_nothing_behind() {
    let outer = bound!(a = 1);
    let inner = bound!(b = 2);
    drop(outer);
    assert_eq!(here(), "", "what is within has ended too");
    let next = bound!(c = 3);
    let within = bound!(d = 4);
    drop(inner);
    assert_eq!(here(), "c=3 d=4");
    drop((within, next));
    assert_eq!(here(), "");
}

#[test]
fn a_scope_that_is_forgotten_ends_with_the_one_around_it() {
    {
        let _outer = bound!(a = 1);
        std::mem::forget(bound!(b = 2));
    }
    assert_eq!(here(), "");
}

#[test]
fn a_thread_begins_without_fields_and_can_be_given_them() {
    let _bound = bound!(request_id = 1);
    let snapshot = context::snapshot();
    context::bind(fields![later = 2]);
    let other = snapshot.clone();
    let entered = thread::spawn(move || {
        context::bind(fields![own = 3]);
        let within = {
            let _bound = other.enter();
            here()
        };
        (within, here())
    });
    assert_eq!(thread::spawn(here).join().expect("joined"), "");
    assert_eq!(entered.join().expect("joined"), ("request_id=1".to_owned(), "own=3".to_owned()));
    assert_eq!(thread::spawn(context::carry(here)).join().expect("joined"), "request_id=1 later=2");
}

#[test]
fn carried_work_leaves_a_thread_of_a_pool_as_it_was() {
    let work = {
        let _bound = bound!(request_id = 1);
        context::carry(|| {
            context::bind(fields![own = 2]);
            here()
        })
    };
    let worker = thread::spawn(move || {
        let _bound = bound!(worker = 7);
        (work(), here())
    });
    assert_eq!(worker.join().expect("joined"), ("request_id=1 own=2".to_owned(), "worker=7".to_owned()));
}

/// Is ready when it is asked for the second time, and tells what was bound each time.
struct Twice(Vec<String>);

impl Future for Twice {
    type Output = String;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<String> {
        self.0.push(here());
        if self.0.len() < 2 { Poll::Pending } else { Poll::Ready(self.0.join(", ")) }
    }
}

#[test]
fn a_task_has_its_fields_on_each_thread_and_keeps_what_it_binds() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let task = |number: i32| {
        let _bound = bound!(task = number);
        is_send(Box::pin(context::carry_async(async move {
            context::bind(fields![step = number]);
            let seen = Twice(Vec::new()).await;
            format!("{seen}, {}", here())
        })))
    };
    let (mut first, mut second) = (task(1), task(2));
    assert_eq!(here(), "");
    let wake = &mut Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(wake).is_pending() && second.as_mut().poll(wake).is_pending());
    assert_eq!(here(), "", "nothing stays with the thread between the steps");
    let finish = move || {
        let _bound = bound!(other = 3);
        let wake = &mut Context::from_waker(Waker::noop());
        [pin!(first).poll(wake), pin!(second).poll(wake)]
    };
    let expected = ["task=1 step=1", "task=2 step=2"].map(|seen| Poll::Ready([seen; 3].join(", ")));
    assert_eq!(thread::spawn(finish).join().expect("joined"), expected);
}

#[test]
fn what_a_task_drops_when_it_is_cancelled_logs_with_its_fields() {
    struct Cancelled(duramen::Logger);
    impl Drop for Cancelled {
        fn drop(&mut self) {
            warning!(self.0, "cancelled");
        }
    }
    let (manager, handler) = captured();
    let log = manager.get_logger("shop");
    let mut task = {
        let _bound = bound!(request_id = 1);
        context::carry_async(async move {
            let _cancelled = Cancelled(log);
            context::bind(fields![step = 2]);
            std::future::pending::<()>().await;
        })
    };
    assert!(pin!(&mut task).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(task);
    assert_eq!(handler.map(fields_of), ["request_id=1 step=2"]);
    assert_eq!(here(), "");
}

#[test]
fn records_that_wait_in_a_queue_have_the_fields_of_their_calls() {
    let handler = Arc::new(CapturingHandler::default());
    let queue = Arc::new(AsyncHandler::new(vec![handler.clone()], Options::default()).expect("a thread"));
    let manager = Manager::new();
    manager.root().add_handler(queue.clone());
    for number in 0..3 {
        let _bound = bound!(number = number);
        warning!(manager.get_logger("shop"), "queued");
    }
    queue.close();
    assert_eq!(handler.map(fields_of), ["number=0", "number=1", "number=2"]);
}

#[test]
fn records_that_were_made_elsewhere_are_left_alone() {
    let (manager, handler) = captured();
    let _bound = bound!(request_id = 1);
    duramen_testkit::record(duramen::Level::ERROR, "from elsewhere", |record| manager.root().handle(record));
    assert_eq!(handler.map(fields_of), [""]);
}

#[test]
fn a_thread_that_ends_may_still_log_and_bind() {
    thread_local! {
        static LAST: std::cell::RefCell<Option<AtTheEnd>> = const { std::cell::RefCell::new(None) };
    }
    struct AtTheEnd(Manager);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let _bound = bound!(at = "the end");
            warning!(self.0.get_logger("shop"), "last words"; shown = %1);
        }
    }
    let (manager, handler) = captured();
    let ending = manager.clone();
    let thread = thread::spawn(move || {
        LAST.with(|last| *last.borrow_mut() = Some(AtTheEnd(ending)));
        let _bound = bound!(request_id = 1);
        warning!(manager.get_logger("shop"), "first words"; shown = %1);
    });
    thread.join().expect("joined");
    assert_eq!(handler.messages(), ["first words", "last words"]);
}
