"""Structured lines to a file: the shortest way, the native way and the Python way write the same bytes.

The shortest way is taken from the second record on that a handler writes to a file, where all values are plain.
"""

import collections
import datetime
import decimal
import gc
import io
import math
import re
import time

import pytest

import duramen as logging
import duramen.context
from duramen._core import RECORD_ATTRIBUTES
from duramen.filters import RedactingFilter
from duramen.formatters import ConsoleFormatter, JsonFormatter, LogfmtFormatter

#: So often each call is made: what the first ones leave to be kept is used by the last.
TIMES = 3


class Text(str):
    """Text of a class that has a text of its own."""

    def __str__(self):
        return "another"


class Number(int):
    def __repr__(self):
        return "seven"


class Mapping(dict):
    pass


def lines_of(way, formatter, calls, tmp_path, filters=()):
    """What each of ``calls`` writes, ``TIMES`` times, or the error that it raises."""
    path = tmp_path / f"{way}.log"
    path.unlink(missing_ok=True)
    stream = io.StringIO()
    handler = (
        logging.StreamHandler(stream) if way == "native" else logging.FileHandler(path, encoding="utf-8")
    )
    handler.setFormatter(formatter)
    for filter in filters:
        handler.addFilter(filter)
    if way == "python":
        handler.addFilter(lambda record: True)
    logger = logging.Logger("shop.orders", logging.DEBUG)
    logger.addHandler(handler)
    logger.info("first")
    errors = []
    for call in calls:
        for _ in range(TIMES):
            try:
                call(logger)
            except (KeyError, TypeError) as error:
                errors.append(f"{type(error).__name__}: {error}")
    handler.close()
    text = stream.getvalue() if way == "native" else path.read_text("utf-8")
    return text.split("\n"), errors


def assert_all_ways_agree(formatter, calls, tmp_path, filters=()):
    found = [lines_of(way, formatter, calls, tmp_path, filters) for way in ("file", "native", "python")]
    assert found[0] == found[1]
    assert found[0] == found[2]
    return found[0]


def nested(levels):
    value = "inside"
    for _ in range(levels):
        value = {"a": [value]}
    return value


cycle = []
cycle.append(cycle)

EXTRAS = {
    "plain": {"order": 7, "customer": "ann", "total": 9.5, "paid": True, "coupon": None},
    "empty": {},
    "numbers": {"a": 0, "b": -1, "c": 2**63 - 1, "d": -(2**63), "e": 2**63, "f": 10**40, "g": -(10**30)},
    "floats": {
        "a": 0.1,
        "b": -0.0,
        "c": 1e300,
        "d": 5e-324,
        "e": math.nan,
        "f": math.inf,
        "g": -math.inf,
        "h": 1e16,
    },
    "texts": {
        "a": "",
        "b": 'say "hi"\\',
        "c": "line\nbreak\t\x00\x7f",
        "d": "größe 😀 \u2028\x85",
        "e": "x" * 5000,
    },
    "surrogates": {"a": "\ud800", "b": "ok", "c": ["\udc80x"]},
    "surrogate name": {"\ud800": 1},
    "names": {"": 1, 'quo"te': 2, "größe": 3, "new\nline": 4, "with space": 5, "a.b": 6, "n" * 5000: 7},
    "names of members": {
        "level": "x",
        "logger": 1,
        "timestamp": 2,
        "exception": 3,
        "stack": 4,
        "extra.level": 5,
    },
    "private": {"_a": 1, "_": 2, "a_": 3},
    "names of other classes": {1: "a", None: "b", 2.5: "c", False: "d", ("t",): "e"},
    "subclasses": {Text("t"): Text("v"), "n": Number(7), "m": Mapping(a=1)},
    "mapping": Mapping(a=1),
    "ordered": collections.OrderedDict(b=1, a=2),
    "containers": {"l": [1, "a", None, [], {}], "t": (1, (2.5, False)), "d": {"x": {"y": []}, "": "z"}},
    "inner names": {"d": {1: "a", None: 2, "\ud800": 3}},
    "inner kinds": {"d": [datetime.date(2024, 3, 1), decimal.Decimal("1.10"), {1, 2}, b"raw"]},
    "deep": {"d": nested(8), "e": nested(9), "f": nested(40)},
    "cycle": {"d": cycle},
    "others": {"when": datetime.date(2024, 3, 1), "error": ValueError("no"), "type": int},
    "own name": {"a": 1, "name": 2},
    "own names at the end": {"a": 1, "msg": 2, "message": 3, "asctime": 4},
    "dunder": {"__class__": int, "a": 1},
    "method": {"getMessage": 1},
    "none": None,
    "no mapping": 0,
}

FORMATTERS = {
    "json": JsonFormatter(fields=["levelname", "message"]),
    "names": JsonFormatter(
        fields={"level": "levelname", "who": "name", "l": "levelno", "text": "message", "o": "order"}
    ),
    "ascii": JsonFormatter(fields=["message"], json_ensure_ascii=True),
    "renamed": JsonFormatter(fields=["message"], rename_fields={"order": "id", "a": "first \u2028"}),
    "defaults": JsonFormatter(
        fields=["message"], defaults={"order": 0, "shop": "x"}, static_fields={"a": "fixed"}
    ),
    "hiding": JsonFormatter("%(message)s"),
    "prefix": JsonFormatter(fields=["message"], prefix="@cee: "),
    "shallow": JsonFormatter(fields=["message"], max_depth=1),
    "hook": JsonFormatter(fields=["message"], default=lambda value: f"<{type(value).__name__}>"),
    "logfmt": LogfmtFormatter(fields=["levelname", "message"]),
    "plain": logging.Formatter("%(levelname)s %(message)s"),
}


@pytest.mark.parametrize("name", FORMATTERS)
def test_extra_fields(name, tmp_path):
    calls = [
        lambda logger, extra=extra: logger.warning("order %s", "placed", extra=extra)
        for extra in EXTRAS.values()
    ]
    lines, errors = assert_all_ways_agree(FORMATTERS[name], calls, tmp_path)
    assert len(lines) > TIMES * 20
    assert sum("overwrite" in error for error in errors) >= 2 * TIMES


MOMENT = re.compile(r"\d{4}-\d\d-\d\dT?[ \d:.,]+Z?|\b1[6-9]\d{8}[.\d]*")


@pytest.mark.parametrize(
    "formatter",
    [
        JsonFormatter(),
        JsonFormatter(time_format="epoch_ms"),
        JsonFormatter(time_zone="Europe/Berlin"),
        JsonFormatter("%(asctime)s %(levelname)s %(message)s"),
        JsonFormatter(fields=["timestamp", "threadName", "process", "message", "lineno"]),
        *(
            JsonFormatter(preset=preset)
            for preset in ("ecs", "opentelemetry", "google_cloud", "datadog", "gelf")
        ),
        JsonFormatter(preset="logstash"),
        ConsoleFormatter(color=False),
        ConsoleFormatter(color=True),
    ],
)
def test_lines_with_a_time(formatter, tmp_path):
    calls = [
        lambda logger, extra=EXTRAS[name]: logger.info("order", extra=extra)
        for name in ("plain", "names", "names of members", "containers", "numbers", "none")
    ]
    ways = [lines_of(way, formatter, calls, tmp_path) for way in ("file", "native", "python")]
    cut = [[MOMENT.sub("TIME", line) for line in lines] for lines, _ in ways]
    assert cut[0] == cut[1] == cut[2]
    assert sum("TIME" in line for line in cut[0]) == 1 + TIMES * len(calls)


@pytest.mark.parametrize(
    "formatter",
    [
        JsonFormatter(fields=["msg", "args", "message"]),
        JsonFormatter("%(msg)s %(message)s"),
        JsonFormatter("%(message)s", defaults={"msg": "none"}),
        JsonFormatter(
            "%(message)s", reserved_attrs=[name for name in RECORD_ATTRIBUTES if name not in ("msg", "args")]
        ),
        LogfmtFormatter(fields=["msg", "message"]),
    ],
)
def test_what_a_record_alone_has(formatter, tmp_path):
    calls = [lambda logger: logger.info("order %s", 7, extra={"a": 1}), lambda logger: logger.info("late")]
    lines, _ = assert_all_ways_agree(formatter, calls, tmp_path)
    assert sum("order %s" in line for line in lines) == TIMES


def test_messages(tmp_path):
    calls = [
        lambda logger: logger.info('say "hi" %d%%', 5, extra={"a": 1}),
        lambda logger: logger.info("%s", Text("t"), extra={"a": 1}),
        lambda logger: logger.info("\ud800", extra={"a": 1}),
        lambda logger: logger.info("größe \x1b[0m", extra={"a": 1}),
        lambda logger: logger.info(Text("t"), extra={"a": 1}),
        lambda logger: logger.info(7, extra={"a": 1}),
        lambda logger: logger.log(20, "x", extra={"a": 1}),
        lambda logger: logger.error("x", exc_info=None, extra={"a": 1}),
        lambda logger: logger.info("x", stacklevel=1, extra={"a": 1}),
    ]
    assert_all_ways_agree(FORMATTERS["json"], calls, tmp_path)


MESSAGES = {
    "plain": {"event": "late", "minutes": 5, "inner": {"a": [1]}},
    "empty": {},
    "own names": {"name": "x", "message": "y", "level": "z", "levelname": "q", "args": 1},
    "shadowed": {"order": 1, "customer": "bob", "more": 2},
    "other names": {1: "a", None: "b", Text("t"): "c"},
    "others": {"when": datetime.date(2024, 3, 1)},
    "surrogates": {"a": "\ud800"},
    "subclass": Mapping(a=1),
}


@pytest.mark.parametrize("name", FORMATTERS)
def test_messages_that_are_dicts(name, tmp_path):
    calls = []
    for message in MESSAGES.values():
        calls += [
            lambda logger, message=message: logger.info(message),
            lambda logger, message=message: logger.info(message, extra={"order": 7, "customer": "ann"}),
            lambda logger, message=message: logger.info(message, extra={"when": datetime.date(2024, 3, 1)}),
        ]
    calls.append(lambda logger: logger.info({"a": 1}, 5))
    lines, _ = assert_all_ways_agree(FORMATTERS[name], calls, tmp_path)
    assert sum("late" in line for line in lines) == 3 * TIMES


def test_messages_that_are_dicts_need_no_record(tmp_path):
    """A program sees by its garbage collector whether records are made: they are objects with a dict of their own."""
    stream = io.StringIO()
    logger = logging.Logger("probed", logging.DEBUG)
    for handler in (logging.StreamHandler(stream), logging.FileHandler(tmp_path / "log")):
        handler.setFormatter(FORMATTERS["json"])
        logger.addHandler(handler)
    made = []
    probe = {"note": Probe(made)}
    logger.info(probe)
    assert made == [[]]
    handler.close()
    assert (tmp_path / "log").read_text() == stream.getvalue()


class Probe:
    """Its text tells which records of its logger are alive; those of others may be kept to be used again."""

    def __init__(self, found):
        self._found = found

    def __str__(self):
        if not self._found:
            records = [one for one in gc.get_objects() if isinstance(one, logging.LogRecord)]
            self._found.append([one for one in records if one.name == "probed"])
        return "a text"


def test_bound_fields(tmp_path):
    growing = [1]
    bounds = [
        {"request": "7f3a", "user": 5},
        {"request": "7f3b", "user": 5},
        {"order": "bound", "user": 5},
        {"user": growing},
        {"when": datetime.date(2024, 3, 1)},
        {"note": "\ud800"},
        {"name": "an own name", "level": "a member's"},
        {f"field_{number}": f"value {number}" for number in range(10)},
        {"long": "x" * 5000},
        {},
    ]
    calls = []
    for bound in bounds:

        def call(logger, bound=bound):
            with duramen.context.bound(**bound):
                logger.info("x")
                logger.info("x", extra={"order": 7})
                growing.append(2)
                logger.info("x", extra={"order": 7, "customer": "ann"})
                logger.info({"order": 1, "user": 2, "a": 3}, extra={"order": 7})
            growing[:] = [1]

        calls.append(call)
    for formatter in ("json", "names", "hiding", "logfmt", "renamed"):
        assert_all_ways_agree(FORMATTERS[formatter], calls, tmp_path)


def test_the_same_bound_fields_beside_others(tmp_path):
    def call(logger):
        with duramen.context.bound(user=5, order="bound"):
            for extra in (
                {"a": 1},
                {"order": 7},
                {"a": 1},
                {},
                None,
                {"user": datetime.date(2024, 3, 1)},
                {"b": 1},
            ):
                logger.info("x", extra=extra)

    assert_all_ways_agree(FORMATTERS["json"], [call], tmp_path)


def test_names_without_end(tmp_path):
    def call(logger):
        for number in range(300):
            name = f"name_{number}"
            logger.info("x", extra={name: number, "order": number})

    assert_all_ways_agree(FORMATTERS["json"], [call], tmp_path)


def test_loggers_and_levels_in_turn(tmp_path):
    def call(logger):
        other = logging.Logger('an "other"', logging.DEBUG)
        other.handlers = logger.handlers
        for _ in range(3):
            logger.info("a", extra={"x": 1})
            other.info("b", extra={"x": 2})
            other.error("c", extra={"x": 3})
            logger.error("d")
            logger.name = "renamed"
            logger.error("e")
            logger.name = "shop.orders"

    lines, _ = assert_all_ways_agree(FORMATTERS["names"], [call], tmp_path)
    assert sum('"who": "an \\"other\\""' in line for line in lines) == 18
    assert sum('"who": "renamed"' in line for line in lines) == 9


def test_names_of_levels_that_change(tmp_path):
    def call(logger):
        logger.info("a")
        try:
            logging.addLevelName(logging.INFO, "NEWS")
            logger.info("a")
        finally:
            logging.addLevelName(logging.INFO, "INFO")

    lines, _ = assert_all_ways_agree(FORMATTERS["json"], [call], tmp_path)
    assert sum("NEWS" in line for line in lines) == TIMES


def test_the_time_goes_on(tmp_path):
    """The beginning of a line is kept for a second: each line has its own time all the same."""
    handler = logging.FileHandler(tmp_path / "log")
    handler.setFormatter(JsonFormatter())
    logger = logging.Logger("shop", logging.DEBUG)
    logger.addHandler(handler)
    bounds = [time.time()]
    for number in range(50):
        logger.info("x", extra={"number": number})
        bounds.append(time.time())
    handler.close()
    for line, before, after in zip((tmp_path / "log").read_text().splitlines(), bounds, bounds[1:]):
        text = line.split('"')[3]
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
        # A record holds microseconds.
        assert before - 2e-6 <= moment <= after + 2e-6
        assert len(text) == len("2024-03-01T12:00:00.123456Z")


def test_a_dict_that_changes_meanwhile(tmp_path):
    class Acting:
        def __init__(self, action):
            self.action = action

        def __str__(self):
            self.action()
            return "acted"

    def call(logger):
        extra = {"a": 1, "b": 2}
        logger.info("%s", Acting(lambda: extra.update(c=3)), extra=extra)
        logger.info("%s", Acting(extra.clear), extra=extra)
        extra = {"a": 1}
        extra["b"] = Acting(lambda: extra.setdefault("d", 4))
        logger.info("x", extra=extra)
        logger.info("x", extra=extra)

    file, native = (lines_of(way, FORMATTERS["json"], [call], tmp_path) for way in ("file", "native"))
    assert file == native
    assert any('"c": 3' in line for line in file[0])


REDACTING = {"packs": ["credentials", "pii"], "keys": ["user.pin"]}


@pytest.mark.parametrize("name", ["json", "names", "logfmt", "plain", "hiding"])
def test_masked_records(name, tmp_path):
    extras = [
        None,
        {"order": 7, "customer": "ann", "total": 9.5, "paid": True},
        {"password": "hunter2"},
        {"order": "password=hunter2", "customer": "ann"},
        {"hidden": "from 10.1.2.3", "n": 123456789012},
        {"n": 5551234567, "user": {"pin": 1}, "l": ["a"]},
        {"password=hunter2": 1},
        {"when": datetime.date(2024, 3, 1)},
    ]
    messages = [
        "nothing to see",
        "login with password=hunter2 failed",
        "ada@example.org from 10.1.2.3 with password=hunter2 and Bearer abcDEF123456789xyz",
        "12:30 at 1.20.3 of job@node",
        {"password": "hunter2", "a": 1},
    ]
    calls = [
        lambda logger, message=message, extra=extra: logger.info(message, extra=extra)
        for extra in extras
        for message in messages
    ]

    def bound(logger):
        with duramen.context.bound(user="ada@example.org", job="x"):
            logger.info("x")
        with duramen.context.bound(job="x"):
            logger.info("password=hunter2")

    ways = {}
    for way in ("file", "native", "python"):
        masking = RedactingFilter(**REDACTING)
        ways[way] = lines_of(way, FORMATTERS[name], [*calls, bound], tmp_path, [masking]), masking.counts()
    assert ways["file"] == ways["native"]
    assert ways["file"][0] == ways["python"][0]
    assert not any("hunter2" in line for line in ways["file"][0][0])


def test_masking_of_some_loggers_alone(tmp_path):
    masking = RedactingFilter(**REDACTING, name="other")
    calls = [lambda logger: logger.info("password=hunter2", extra={"a": 1})]
    assert_all_ways_agree(FORMATTERS["json"], calls, tmp_path, [masking])


def test_what_changes_between_calls_is_seen(tmp_path):
    path = tmp_path / "log"
    handler = logging.FileHandler(path)
    handler.setFormatter(FORMATTERS["json"])
    logger = logging.Logger("shop", logging.DEBUG)
    logger.addHandler(handler)

    def last(message="x", **extra):
        logger.info(message, extra=extra)
        return path.read_text().splitlines()[-1]

    usual = '{"levelname": "INFO", "message": "x", "a": 1}'
    assert [last(a=1) for _ in range(3)] == [usual] * 3

    original = JsonFormatter.format
    JsonFormatter.format = lambda self, record: f"class {record.a}"
    assert last(a=1) == "class 1"
    JsonFormatter.format = original
    assert last(a=1) == usual

    handler.formatter.format = lambda record: f"instance {record.a}"
    assert last(a=1) == "instance 1"
    del handler.formatter.format
    assert last(a=1) == usual

    handler.setFormatter(FORMATTERS["ascii"])
    assert last(a="é") == '{"message": "x", "a": "\\u00e9"}'
    handler.setFormatter(FORMATTERS["json"])
    assert last(a=1) == usual

    masking = RedactingFilter(**REDACTING)
    handler.addFilter(masking)
    assert last("password=hunter2", a=1) == usual.replace('"x"', '"password=***"')
    assert last("password=hunter2", a=1) == usual.replace('"x"', '"password=***"')
    masking.filter = lambda record: False
    assert last("password=hunter3", a=2) == usual.replace('"x"', '"password=***"')
    del masking.filter
    assert last("password=hunter2", a=3) == usual.replace('"x"', '"password=***"').replace("1}", "3}")
    handler.removeFilter(masking)
    assert last("password=hunter2", a=1) == usual.replace('"x"', '"password=hunter2"')

    logger.makeRecord = lambda *args, **keywords: logging.makeLogRecord(
        {"msg": "made", "levelname": "M", "levelno": 20}
    )
    assert last(a=1) == '{"levelname": "M", "message": "made"}'
    del logger.makeRecord
    assert last(a=1) == usual

    try:
        logging.setLogRecordFactory(
            lambda *args, **keywords: logging.LogRecord("n", 20, "", 0, "made", (), None)
        )
        assert last(a=1) == usual.replace('"x"', '"made"')
    finally:
        logging.setLogRecordFactory(logging.LogRecord)
    assert last(a=1) == usual
    handler.close()
