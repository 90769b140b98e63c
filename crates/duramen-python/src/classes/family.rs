//! Families of classes of `logging`, and the methods of each that the native way stands in for.

/// What an object is in the pipeline; objects of one family are asked the same questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// `Logger`.
    Logger,
    /// `LoggerAdapter`.
    Adapter,
    /// `LogRecord`.
    Record,
    /// `Filter`.
    Filter,
    /// `Formatter`.
    Formatter,
    /// `PercentStyle`, `StrFormatStyle`, `StringTemplateStyle`.
    Style,
    /// `StreamHandler`, `FileHandler` and the handlers for files that are rolled over or watched: the
    /// native way can write their records itself.
    StreamHandler,
    /// `NullHandler`, which writes nothing.
    NullHandler,
    /// `AsyncHandler`, which hands lines to a worker.
    AsyncHandler,
    /// `QueueHandler`, which does the same while nobody looks at its queue.
    QueueHandler,
    /// `QueueListener`, behind such a queue.
    QueueListener,
    /// Every other class: never met by the native path.
    Other,
}

impl Family {
    /// The methods that the native path stands in for: with one of them overridden it is not taken.
    pub(crate) fn decisive_methods(self) -> &'static [&'static str] {
        match self {
            Self::Logger => &[
                "isEnabledFor",
                "getEffectiveLevel",
                // Adapters call it.
                "log",
                "_log",
                "findCaller",
                "makeRecord",
                "handle",
                "filter",
                "callHandlers",
                "__getattribute__",
            ],
            Self::Adapter => &["log", "isEnabledFor", "process", "__getattribute__"],
            Self::Record => &[
                "__new__",
                "__init__",
                "getMessage",
                "__getattribute__",
                "__setattr__",
                "__str__",
                "__repr__",
            ],
            Self::Filter => &["filter", "__getattribute__"],
            Self::Formatter => &[
                "format",
                "formatTime",
                "formatMessage",
                "usesTime",
                "formatException",
                "formatStack",
                "__getattribute__",
            ],
            Self::Style => &["format", "_format", "usesTime", "__getattribute__"],
            Self::StreamHandler => &[
                "handle",
                "filter",
                "acquire",
                "release",
                "emit",
                "format",
                "flush",
                "handleError",
                "shouldRollover",
                "__getattribute__",
            ],
            Self::NullHandler => &["handle", "filter", "__getattribute__"],
            Self::AsyncHandler => &["handle", "filter", "emit", "handleError", "__getattribute__"],
            Self::QueueHandler => &[
                "handle",
                "filter",
                "acquire",
                "release",
                "emit",
                "format",
                "prepare",
                "enqueue",
                "handleError",
                "__getattribute__",
            ],
            Self::QueueListener => {
                &["handle", "prepare", "dequeue", "_monitor", "enqueue_sentinel", "__getattribute__"]
            }
            Self::Other => &[],
        }
    }
}

/// Whether the native way of any family stands in for the method, which a base class may define.
pub(crate) fn is_decisive(method: &str) -> bool {
    [
        Family::Logger,
        Family::Adapter,
        Family::Record,
        Family::Filter,
        Family::Formatter,
        Family::Style,
        Family::StreamHandler,
        Family::QueueHandler,
        Family::QueueListener,
    ]
    .into_iter()
    .any(|family| family.decisive_methods().contains(&method))
}
