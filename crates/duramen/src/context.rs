//! Fields on every record of a thread: a request's id, a user, a job. `duramen.context` is the same in Python.
//!
//! ```
//! use duramen::{bound, context, fields, get_logger, info};
//!
//! let log = get_logger("shop.orders");
//! {
//!     let _bound = bound!(request_id = %"7f3a");
//!     context::bind(fields![user_id = 123]);
//!     info!(log, "order placed"; order = 17); // with order=17 request_id=7f3a user_id=123
//! }
//! assert!(context::get().is_empty());
//! ```
//!
//! Each record that a logger makes has the fields of the call, then those of a [`BoundLogger`](crate::BoundLogger), then
//! those bound to the thread, in the order in which they were bound first, then the identifiers of the active span
//! ([`set_trace_ids`]). Of fields with the same name those of the call stay, then the bound logger's, then what was
//! bound last, and only then an identifier. A name that is an attribute of Python's `LogRecord`,
//! such as `name`, or begins with two underscores, gets an underscore at its end when it is bound. Records that were
//! made elsewhere and come by [`Logger::handle`](crate::Logger::handle) are left alone.
//!
//! A thread begins with no fields: [`carry`] and [`snapshot`] take them along, and [`carry_async`] to a task.

mod trace_ids;

use std::borrow::Cow;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::Value;
use crate::fields::Fields;
use crate::value::ToValue;

pub(crate) use trace_ids::TraceFields;
pub use trace_ids::{TraceIds, set_resource, set_trace_ids};

thread_local! {
    static THREAD: RefCell<Thread> =
        const { RefCell::new(Thread { fields: Fields::NONE, scopes: Vec::new(), opened: 0 }) };
}

/// What is bound to one thread.
struct Thread {
    fields: Fields,
    /// Those that have not ended, the innermost last.
    scopes: Vec<Scope>,
    /// How many scopes there have been: each has a number of its own.
    opened: u64,
}

struct Scope {
    number: u64,
    /// What was bound when it began.
    before: Fields,
}

/// Binds `fields` to the running thread until what it gives is dropped; the macro [`bound!`](crate::bound) is the
/// shorter way.
///
/// ```
/// use duramen::context;
///
/// let job = context::bound([("job", "report")]);
/// assert_eq!(context::get().len(), 1);
/// drop(job);
/// assert!(context::get().is_empty());
/// ```
pub fn bound<K: Into<Cow<'static, str>>, V: ToValue>(fields: impl IntoIterator<Item = (K, V)>) -> Bound {
    enter(current().with(fields))
}

/// Binds `fields` to the running thread from now on: until the innermost [`Bound`] ends, where there is one, or else
/// until the thread does.
///
/// ```
/// use duramen::{Value, context, fields};
///
/// context::bind(fields![user_id = 123]);
/// context::bind([("user_id", 124)]);
/// assert_eq!(context::get(), [("user_id".to_owned(), Value::Integer(124))]);
/// ```
pub fn bind<K: Into<Cow<'static, str>>, V: ToValue>(fields: impl IntoIterator<Item = (K, V)>) {
    put(current().with(fields));
}

/// Takes fields off again; names that are not bound are left alone.
///
/// ```
/// use duramen::{context, fields};
///
/// context::bind(fields![user_id = 123, job = "report"]);
/// context::unbind(["user_id"]);
/// assert_eq!(context::get().len(), 1);
/// ```
pub fn unbind<K: AsRef<str>>(names: impl IntoIterator<Item = K>) {
    put(current().without(names));
}

/// Takes all fields off.
///
/// ```
/// duramen::context::bind([("user_id", 123)]);
/// duramen::context::clear();
/// assert!(duramen::context::get().is_empty());
/// ```
pub fn clear() {
    put(Fields::NONE);
}

/// A copy of the fields that are bound to the running thread, by the names that they have on records.
///
/// ```
/// use duramen::{Value, bound, context};
///
/// let _bound = bound!(name = "ada");
/// assert_eq!(context::get(), [("name_".to_owned(), Value::Text("ada".into()))]);
/// ```
pub fn get() -> Vec<(String, Value<'static>)> {
    current().to_vec()
}

/// All that is bound to the running thread, for another thread or a later time. It costs no copy.
///
/// ```
/// use duramen::{bound, context};
///
/// let _bound = bound!(request_id = %"7f3a");
/// let snapshot = context::snapshot();
/// std::thread::spawn(move || {
///     let _bound = snapshot.enter();
///     assert_eq!(context::get().len(), 1);
/// })
/// .join()
/// .unwrap();
/// ```
pub fn snapshot() -> Snapshot {
    Snapshot(current())
}

/// `function` for another thread: it runs there with all that is bound here and now.
///
/// ```
/// use duramen::{bound, context};
///
/// let _bound = bound!(request_id = %"7f3a");
/// let alone = std::thread::spawn(context::get).join().unwrap();
/// let carried = std::thread::spawn(context::carry(context::get)).join().unwrap();
/// assert_eq!((alone.len(), carried.len()), (0, 1));
/// ```
pub fn carry<R>(function: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let snapshot = snapshot();
    move || {
        let _bound = snapshot.enter();
        function()
    }
}

/// `future` with all that is bound here and now, whichever threads it runs on. What it binds itself by [`bind`] is
/// its own, and is there after each `await`.
///
/// ```
/// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// use duramen::{bound, context};
///
/// # let mut fields = pin!({
/// let _bound = bound!(request_id = %"7f3a");
/// let task = context::carry_async(async { context::get() }); // for `tokio::spawn`
/// # task });
/// # let ready = fields.as_mut().poll(&mut Context::from_waker(Waker::noop()));
/// # assert!(matches!(ready, Poll::Ready(fields) if fields.len() == 1));
/// ```
pub fn carry_async<F: Future>(future: F) -> Carried<F> {
    Carried { future: Some(Box::pin(future)), fields: current() }
}

/// A future with fields of its own, from [`carry_async`]. They are bound each time that it is polled, and when it is
/// dropped before it is ready.
///
/// ```
/// use duramen::context;
///
/// fn needs_send(_: impl Future + Send) {}
///
/// needs_send(context::carry_async(async { context::bind([("step", 1)]) }));
/// ```
#[must_use = "futures do nothing unless they are awaited"]
#[derive(Debug)]
pub struct Carried<F> {
    /// `None` when it is being dropped.
    future: Option<Pin<Box<F>>>,
    fields: Fields,
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, wake: &mut Context<'_>) -> Poll<F::Output> {
        let _bound = enter(self.fields.clone());
        let Some(future) = &mut self.future else { return Poll::Pending };
        let result = future.as_mut().poll(wake);
        self.fields = current();
        result
    }
}

impl<F> Drop for Carried<F> {
    fn drop(&mut self) {
        let _bound = enter(self.fields.clone());
        self.future = None;
    }
}

/// All that was bound to a thread at one moment, from [`snapshot`]. It goes to any thread, and clones share the fields.
///
/// ```
/// use duramen::{bound, context::{self, Snapshot}};
///
/// fn needs_send_and_sync(_: impl Send + Sync + Clone) {}
///
/// let _bound = bound!(job = "report");
/// let snapshot: Snapshot = context::snapshot();
/// needs_send_and_sync(snapshot);
/// ```
#[derive(Clone, Debug)]
pub struct Snapshot(Fields);

impl Snapshot {
    /// Binds what was bound then, and nothing else, to the running thread until what it gives is dropped.
    ///
    /// ```
    /// use duramen::{bound, context};
    ///
    /// let empty = context::snapshot();
    /// let _bound = bound!(job = "report");
    /// {
    ///     let _bound = empty.enter();
    ///     assert!(context::get().is_empty());
    /// }
    /// assert_eq!(context::get().len(), 1);
    /// ```
    pub fn enter(&self) -> Bound {
        enter(self.0.clone())
    }
}

/// Fields stay bound to the thread until it is dropped, at the end of a block, by a return or a panic.
///
/// Then all is bound that was before: what the block has bound itself is gone too, and scopes within, should they
/// still be there, end with it. It belongs to its thread and cannot be sent to another:
///
/// ```compile_fail,E0277
/// let bound = duramen::bound!(job = "report");
/// std::thread::spawn(move || drop(bound));
/// ```
///
/// It is not for code that waits: between `await`s other tasks run in the same thread, and would have the fields.
/// [`carry_async`] gives them to one task.
///
/// ```
/// use duramen::context::{self, Bound};
/// use duramen::fields;
///
/// /// Binds what all of a worker's records have, as long as the caller keeps the result.
/// fn enter(worker: u32) -> Bound {
///     context::bound(fields![worker = worker])
/// }
///
/// let bound = enter(3);
/// assert_eq!(context::get().len(), 1);
/// drop(bound);
/// assert!(context::get().is_empty());
/// ```
#[must_use = "the fields are bound until it is dropped, which `let _ =` does at once: write `let _bound =`"]
#[derive(Debug)]
pub struct Bound {
    number: u64,
    of_this_thread: PhantomData<*const ()>,
}

impl Drop for Bound {
    fn drop(&mut self) {
        // Nothing is left when the thread is being destroyed.
        let _ = THREAD.try_with(|thread| {
            let mut thread = thread.borrow_mut();
            if let Some(place) = thread.scopes.iter().rposition(|scope| scope.number == self.number) {
                let ended = thread.scopes.drain(place..).next();
                thread.fields = ended.map(|scope| scope.before).unwrap_or_default();
            }
        });
    }
}

/// Whether records that the running thread makes may have fields of the thread, or of a span.
#[inline]
pub(crate) fn has_fields() -> bool {
    trace_ids::may_be_found() || THREAD.try_with(|thread| !thread.borrow().fields.is_empty()).unwrap_or(false)
}

/// The fields of the running thread.
pub(crate) fn current() -> Fields {
    THREAD.try_with(|thread| thread.borrow().fields.clone()).unwrap_or_default()
}

fn put(fields: Fields) {
    let _ = THREAD.try_with(|thread| thread.borrow_mut().fields = fields);
}

fn enter(fields: Fields) -> Bound {
    let number = THREAD.try_with(|thread| {
        let mut thread = thread.borrow_mut();
        thread.opened += 1;
        let (number, before) = (thread.opened, std::mem::replace(&mut thread.fields, fields));
        thread.scopes.push(Scope { number, before });
        number
    });
    // No scope has the number 0.
    Bound { number: number.unwrap_or(0), of_this_thread: PhantomData }
}
