"""The names of the paths that a record can take in the leak tests."""

PATHS = (
    "stream", "percent", "brace", "dollar", "file", "rotating", "memory", "queue", "python handler",
    "python filter", "null", "failing", "exception", "record factory", "adapter", "disabled", "new loggers", "stack",
    "new layouts", "new classes", "install again",
)  # fmt: skip
