//! The identifiers of the span that a tracing system says is active, and the service that the trace is of.

use std::cell::Cell;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use crate::kept_text::KeptText;
use crate::report;

/// The identifiers of a trace and of a span in it: <https://www.w3.org/TR/trace-context/>. On records they are the
/// fields `trace_id`, `span_id` and `trace_flags`, in lower-case hexadecimal digits, as in Python.
///
/// [`set_trace_ids`] says where they come from.
///
/// ```
/// use duramen::context::TraceIds;
///
/// // traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
/// let ids = TraceIds {
///     trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
///     span_id: 0x00f0_67aa_0ba9_02b7,
///     trace_flags: 0x01,
/// };
/// assert_eq!(ids.trace_flags & 1, 1, "sampled");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceIds {
    /// Of the trace, 16 bytes with the first one as the highest; 0 is none.
    pub trace_id: u128,
    /// Of the span, 8 bytes with the first one as the highest; 0 is none.
    pub span_id: u64,
    /// The lowest bit says that the trace is sampled.
    pub trace_flags: u8,
}

/// Finds the active span.
type Finder = dyn Fn() -> Option<TraceIds> + Send + Sync;

static FINDER: RwLock<Option<Arc<Finder>>> = RwLock::new(None);

/// False as long as a record need not look for a finder.
static HAS_FINDER: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The finder runs: what it logs itself has no identifiers.
    static FINDS: Cell<bool> = const { Cell::new(false) };
}

/// Puts the identifiers of the span that is active on every record that is made from now on, in the whole program,
/// unless a field of the record has the name already. `finder` is asked for each record, in the thread that makes it;
/// it is `None` where there is no span. One that is set later takes the place of an earlier one.
///
/// For OpenTelemetry, and for spans of `tracing` too where `tracing-opentelemetry` 0.32 or newer is in use:
///
/// ```
/// use duramen::context::{self, TraceIds};
///
/// context::set_trace_ids(|| {
///     let context = opentelemetry::Context::current();
///     let span = opentelemetry::trace::TraceContextExt::span(&context).span_context().clone();
///     Some(TraceIds {
///         trace_id: u128::from_be_bytes(span.trace_id().to_bytes()),
///         span_id: u64::from_be_bytes(span.span_id().to_bytes()),
///         trace_flags: span.trace_flags().to_u8(),
///     })
/// });
/// ```
///
/// What it does with any system:
///
/// ```
/// use duramen::context::{self, TraceIds};
/// use duramen::{get_logger, warning};
///
/// context::set_trace_ids(|| Some(TraceIds { trace_id: 0xabc, span_id: 1, trace_flags: 1 }));
/// // With trace_id=00000000000000000000000000000abc span_id=0000000000000001 trace_flags=01:
/// warning!(get_logger("shop"), "within a span");
/// ```
pub fn set_trace_ids(finder: impl Fn() -> Option<TraceIds> + Send + Sync + 'static) {
    let finder: Arc<Finder> = Arc::new(finder);
    let previous = FINDER.write().replace(finder);
    HAS_FINDER.store(true, Ordering::Release);
    // Code of the application may run when it is dropped: no lock is held any more.
    drop(previous);
}

/// What the attributes of a resource are called on records.
const OF_SERVICE: [(&str, &str); 4] = [
    ("service.name", "service_name"),
    ("service.namespace", "service_namespace"),
    ("service.version", "service_version"),
    ("service.instance.id", "service_instance_id"),
];

type Service = Arc<[(&'static str, String)]>;

static SERVICE: RwLock<Option<Service>> = RwLock::new(None);

/// Says of which service the spans are: on every record that has the identifiers of one, the resource's `service.name`,
/// `service.namespace`, `service.version` and `service.instance.id` are the fields `service_name`,
/// `service_namespace`, `service_version` and `service_instance_id`, as in Python, unless a field of the record has the
/// name. Other attributes are left aside. What is said later takes the place of what was said before.
///
/// The names are those of
/// [OpenTelemetry](https://opentelemetry.io/docs/specs/semconv/resource/#service). With its SDK, `resource` being what
/// the tracer provider was made with: `context::set_resource(resource.iter())`.
///
/// ```
/// use duramen::context;
///
/// context::set_resource([("service.name", "shop"), ("service.version", "1.2")]);
/// ```
pub fn set_resource(attributes: impl IntoIterator<Item = (impl Display, impl Display)>) {
    let given: Vec<_> =
        attributes.into_iter().map(|(key, value)| (report::text_of(&key), report::text_of(&value))).collect();
    // In an order of their own: that of the SDK's attributes differs from run to run.
    let named = OF_SERVICE.into_iter().filter_map(|(attribute, name)| {
        let value = given.iter().rev().find(|(key, _)| key == attribute);
        value.map(|(_, value)| (name, value.clone()))
    });
    let service: Service = named.collect();
    *SERVICE.write() = Some(service);
}

/// False where the program has said nothing of spans.
#[inline]
pub(super) fn may_be_found() -> bool {
    HAS_FINDER.load(Ordering::Acquire)
}

/// The identifiers and the service as text, for one record.
pub(crate) struct TraceFields {
    identifiers: KeptText,
    service: Option<Service>,
}

impl TraceFields {
    /// `None` where no span is active, or the program has said nothing of spans.
    pub(crate) fn current() -> Option<Self> {
        if !may_be_found() || FINDS.try_with(|finds| finds.replace(true)) != Ok(false) {
            return None;
        }
        let finder = FINDER.read().clone();
        let found = catch_unwind(AssertUnwindSafe(|| finder.and_then(|finder| finder())));
        let _ = FINDS.try_with(|finds| finds.set(false));
        let found = found.unwrap_or_else(|_| {
            report::error("context", &"the identifiers of a span are lost: what finds them panicked");
            None
        });
        let TraceIds { trace_id, span_id, trace_flags } =
            found.filter(|ids| ids.trace_id != 0 && ids.span_id != 0)?;
        let identifiers = KeptText::of(&format_args!("{trace_id:032x}{span_id:016x}{trace_flags:02x}")).0;
        Some(Self { identifiers, service: SERVICE.read().clone() })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("trace_id", 0..32), ("span_id", 32..48), ("trace_flags", 48..50)]
            .into_iter()
            .filter_map(|(name, place)| Some((name, self.identifiers.get(place)?)))
            .chain(
                self.service.iter().flat_map(|service| service.iter()).map(|(name, text)| (*name, &**text)),
            )
    }
}
