"""What meets Duramen's own parts alone never becomes a ``LogRecord``.

A program sees that by its garbage collector: while a line is written, the record that it was made of is alive.
"""

import gc
import io
import sys

import pytest

import duramen as logging
import duramen.config
from duramen import context

JSON = {"()": "duramen.formatters.JsonFormatter"}
THREADS = ["threadName", "thread", "process", "processName"]
PLACES = ["pathname", "filename", "module", "lineno", "funcName"]

FORMATTERS = {
    "json": JSON,
    "json with threads": {**JSON, "fields": [*THREADS, "message"]},
    "json with tasks": {**JSON, "fields": ["taskName", "message"]},
    "json with places": {**JSON, "fields": [*PLACES, "message"]},
    "json with objects": {**JSON, "exceptions": "object"},
    "json with lines": {**JSON, "json_indent": 2, "exceptions": "both"},
    "json with a hook": {**JSON, "default": "builtins.repr"},
    "json as python-json-logger's": {
        **JSON,
        "fmt": "%(asctime)s %(levelname)s %(message)s",
        "timestamp": True,
    },
    **{
        preset: {**JSON, "preset": preset}
        for preset in ("ecs", "opentelemetry", "google_cloud", "datadog", "gelf", "logstash")
    },
    "logfmt": {"()": "duramen.formatters.LogfmtFormatter"},
    "console": {"()": "duramen.formatters.ConsoleFormatter"},
    "escaping": {"()": "duramen.formatters.EscapingFormatter", "fmt": "%(levelname)s %(message)s"},
    "plain": {"format": "%(asctime)s %(threadName)s %(message)s"},
}

FILTERS = {
    "redacting": {"()": "duramen.filters.RedactingFilter", "packs": ["credentials", "pii"], "keys": ["pin"]},
    "limited": {"()": "duramen.filters.RateLimitFilter", "rate": 0.001, "burst": 2},
    "limited by level": {
        "()": "duramen.filters.RateLimitFilter",
        "rate": 1000,
        "burst": 1000,
        "per": "level",
    },
    "sampled": {"()": "duramen.filters.SamplingFilter", "rate": 1},
    "without duplicates": {"()": "duramen.filters.DuplicateFilter", "window": 60},
    "by name": {"()": "duramen.Filter", "name": "shop"},
}


def fails(logger):
    try:
        raise ValueError("no such order")
    except ValueError:
        logger.exception("order %d failed", 5, extra={"pin": "1234"})


CALLS = {
    "a message": lambda logger: logger.info("order %s of %d for ada@example.org", "a\u00e9", 5),
    "extra fields": lambda logger: logger.warning(
        "paid", extra={"pin": "1234", "items": [{"n": 1}, (2.5, None)]}
    ),
    "an exception": fails,
    "bound fields": context.bound(request="7f3a", user={"id": 5})(lambda logger: logger.info("bound")),
    "an adapter": lambda logger: logging.LoggerAdapter(logger, {"job": 7}).info("adapted"),
}


class Looking(io.StringIO):
    """Counts the records that are alive at each write."""

    def __init__(self):
        super().__init__()
        self.records = []

    def write(self, text):
        self.records.append(sum(isinstance(one, logging.LogRecord) for one in gc.get_objects()))
        return super().write(text)


@pytest.fixture(autouse=True, scope="module")
def few_objects():
    """Only what is made from here on is looked through."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def configured(formatter, filters=None, owner="handler"):
    """A logger whose one handler writes to a stream that looks for records."""
    stream = Looking()
    handler = {"class": "logging.StreamHandler", "stream": stream, "formatter": "f"}
    shop = {"level": "DEBUG", "handlers": ["h"], "propagate": False}
    if filters:
        (handler if owner == "handler" else shop)["filters"] = list(filters)
    duramen.config.dictConfig(
        {
            "version": 1,
            "formatters": {"f": formatter},
            "filters": dict(filters or {}),
            "handlers": {"h": handler},
            "loggers": {"shop": shop},
        }
    )
    return logging.getLogger("shop"), stream


@pytest.fixture(autouse=True)
def clean_logger():
    yield
    logger = logging.getLogger("shop")
    logger.handlers.clear()
    logger.filters.clear()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("formatter", FORMATTERS)
def test_by_formatter(formatter, call):
    if formatter == "json with tasks" and sys.version_info < (3, 12):
        pytest.skip("records have no task before CPython 3.12")
    logger, stream = configured(FORMATTERS[formatter])
    CALLS[call](logger)
    assert stream.records, "something is written"
    assert not any(stream.records), stream.getvalue()


@pytest.mark.parametrize("owner", ["handler", "logger"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.filterwarnings("ignore:RedactingFilter on the logger")
def test_by_filter(name, call, owner):
    logger, stream = configured(JSON, {"filter": FILTERS[name]}, owner)
    CALLS[call](logger)
    assert stream.records, "something is written"
    assert not any(stream.records), stream.getvalue()


def test_a_function_as_a_filter_sees_a_record():
    """What is looked for can be found."""
    logger, stream = configured(JSON)
    logger.handlers[0].addFilter(lambda record: True)
    logger.info("paid")
    assert any(stream.records)
