//! The identifiers by which a span is known to a tracing system.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing_subscriber::registry::Extensions;

use crate::{Value, report};

/// The identifiers of a trace and of a span in it: <https://www.w3.org/TR/trace-context/>.
///
/// On records they are the fields `trace_id` and `span_id`, in lower-case hexadecimal digits. 0 is no identifier.
///
/// ```
/// use duramen::front::tracing::TraceIds;
///
/// let ids = TraceIds { trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, span_id: 0x00f0_67aa_0ba9_02b7 };
/// assert_eq!(ids.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceIds {
    /// Of the trace, 16 bytes with the first one as the highest.
    pub trace_id: u128,
    /// Of the span, 8 bytes with the first one as the highest.
    pub span_id: u64,
}

impl std::fmt::Display for TraceIds {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:032x}-{:016x}", self.trace_id, self.span_id)
    }
}

impl TraceIds {
    /// The fields of records.
    pub(super) fn fields(self) -> [(&'static str, Value<'static>); 2] {
        let Self { trace_id, span_id } = self;
        [("trace_id", format!("{trace_id:032x}")), ("span_id", format!("{span_id:016x}"))]
            .map(|(name, digits)| (name, Value::Text(digits.into())))
    }
}

/// Finds the identifiers among what a span's layers keep with it.
type Finder = dyn Fn(&Extensions<'_>) -> Option<TraceIds> + Send + Sync;

/// Where the identifiers come from.
#[derive(Default)]
pub(super) struct Source(Option<Box<Finder>>);

impl Source {
    pub(super) fn new(finder: impl Fn(&Extensions<'_>) -> Option<TraceIds> + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(finder)))
    }

    /// The identifiers of the span with these extensions. The finder is code of the application, which may panic.
    pub(super) fn of(&self, span: &Extensions<'_>) -> Option<TraceIds> {
        let finder = self.0.as_ref()?;
        let found = catch_unwind(AssertUnwindSafe(|| finder(span))).unwrap_or_else(|_| {
            report::error("tracing", &"the identifiers of a span are lost: what finds them panicked");
            None
        });
        found.filter(|ids| ids.trace_id != 0 && ids.span_id != 0)
    }
}
