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
    "several": [
        {"()": "duramen.filters.SamplingFilter", "rate": 1},
        {"()": "duramen.filters.RedactingFilter", "packs": ["credentials", "pii"], "keys": ["pin"]},
        {"()": "duramen.filters.DuplicateFilter", "window": 60},
    ],
}


class Order:
    def __str__(self):
        return "order 7 of ada@example.org"


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
    "a stack": lambda logger: logger.info("here", stack_info=True),
    "a call for another": lambda logger: logger.info("there", stacklevel=2),
    "a message that is a dict": lambda logger: logger.info(
        {"event": "paid", "pin": "1234", "to": "ada@example.org"}
    ),
    "a message that is a dict, with fields": lambda logger: logger.info(
        {"event": "paid"}, extra={"pin": "1"}
    ),
    "a message that is an object": lambda logger: logger.info(Order()),
    "an object in a message": lambda logger: logger.info("took %s", Order()),
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


def configured(formatter, filters=(), owner="handler"):
    """A logger whose one handler writes to a stream that looks for records."""
    stream = Looking()
    handler = {"class": "logging.StreamHandler", "stream": stream, "formatter": "f"}
    shop = {"level": "DEBUG", "handlers": ["h"], "propagate": False}
    filters = {str(number): one for number, one in enumerate(filters)}
    if filters:
        (handler if owner == "handler" else shop)["filters"] = list(filters)
    duramen.config.dictConfig(
        {
            "version": 1,
            "formatters": {"f": formatter},
            "filters": filters,
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
    filters = FILTERS[name] if isinstance(FILTERS[name], list) else [FILTERS[name]]
    logger, stream = configured(JSON, filters, owner)
    CALLS[call](logger)
    assert stream.records, "something is written"
    assert not any(stream.records), stream.getvalue()


@pytest.mark.parametrize("owner", ["handler", "logger"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", ["limited", "without duplicates"])
def test_of_what_is_held_back(name, call, owner):
    """It is kept for the end of the program, but not as a record."""
    rate = {"exempt": None, "burst": 1} if name == "limited" else {}
    logger, stream = configured(JSON, [{**FILTERS[name], **rate}], owner)
    for _ in range(3):
        CALLS[call](logger)
    (filter,) = (logger if owner == "logger" else logger.handlers[0]).filters
    assert (len(stream.records), filter.suppressed()) == (1, 2)
    assert not any(isinstance(one, logging.LogRecord) for one in gc.get_objects())


def test_a_function_gives_the_key_and_its_record_goes_no_further():
    """What is the program's own needs a record; what comes after it, the line included, does not."""
    keys = []

    def per(record):
        keys.append((type(record), record.getMessage(), record.pin))
        return record.pin

    limit = {"()": "duramen.filters.RateLimitFilter", "rate": 0.001, "burst": 1, "per": per}
    logger, stream = configured(JSON, [limit])
    logger.info("order %d", 5, extra={"pin": "1234"})
    logger.info("order %d", 6, extra={"pin": "1234"})
    logger.info("order %d", 7, extra={"pin": "4321"})
    assert keys == [
        (logging.LogRecord, f"order {n}", pin) for n, pin in ((5, "1234"), (6, "1234"), (7, "4321"))
    ]
    assert stream.records == [0, 0]


def test_a_function_as_a_filter_sees_a_record():
    """What is looked for can be found."""
    logger, stream = configured(JSON)
    logger.handlers[0].addFilter(lambda record: True)
    logger.info("paid")
    assert any(stream.records)
