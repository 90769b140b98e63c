"""Duramen's own filters on the native way: the bytes, the counts and the errors are those of the Python way."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import duramen as logging
import duramen.context
from duramen import _core
from duramen.filters import DuplicateFilter, RateLimitFilter, RedactingFilter, SamplingFilter
from duramen.formatters import ConsoleFormatter, EscapingFormatter, JsonFormatter, LogfmtFormatter

SECRET = "hunter2correcthorse"


class Broken:
    def __str__(self):
        raise ValueError(SECRET)


class Failing(Broken):
    """Has neither a text nor an address in it that would differ each time."""

    __repr__ = Broken.__str__


class BrokenText(str):
    def __str__(self):
        raise ValueError(SECRET)


class BrokenDict(dict):
    def __repr__(self):
        raise ValueError(SECRET)


class Telling:
    def __str__(self):
        return f"token={SECRET}"


def formatters():
    return [
        logging.Formatter("%(levelname)s %(name)s %(message)s"),
        JsonFormatter(fields=["levelname", "name", "message", "exc_info"]),
        LogfmtFormatter("%(levelname)s %(name)s %(message)s"),
        ConsoleFormatter(datefmt="now"),
        JsonFormatter(fields=["message", "exc_info"], exceptions="object"),
        JsonFormatter(
            fields=["message", "exc_info", "stack_info"], exceptions="both", json_ensure_ascii=True
        ),
        EscapingFormatter("%(levelname)s %(message)s"),
    ]


def filters():
    everything = ["credentials", "pii", "financial"]
    return {
        "masking": lambda: [RedactingFilter(packs=everything, keys=["user.pin"])],
        "dropping": lambda: [RedactingFilter(mode="drop")],
        "allowing": lambda: [RedactingFilter(allow=["user", "order"])],
        "by name": lambda: [logging.Filter("shop.orders")],
        "by another name": lambda: [logging.Filter("shop.order")],
        "masking one logger": lambda: [RedactingFilter("shop.orders")],
        "masking another logger": lambda: [RedactingFilter("web")],
        "rate": lambda: [RateLimitFilter(rate=1, burst=2)],
        "rate by level": lambda: [RateLimitFilter(rate=1, burst=1, per="level", exempt=None)],
        "rate by field": lambda: [RateLimitFilter(rate=1, burst=1, per="field:order")],
        "rate by a function": lambda: [RateLimitFilter(rate=1, burst=1, per=lambda record: record.order)],
        "duplicates": lambda: [DuplicateFilter(window=60)],
        "all of a sample": lambda: [SamplingFilter(rate=1, keep=None)],
        "none of a sample": lambda: [SamplingFilter(rate=0)],
        "traces": lambda: [SamplingFilter(rate=0.5, field="order")],
        "several": lambda: [DuplicateFilter(window=60), RateLimitFilter(rate=1, burst=4), RedactingFilter()],
    }


def calls(logger, clock):
    """What a program logs, with pauses."""
    logger.info("plain")
    logger.info("password=%s of %s", SECRET, "ada@example.org")
    logger.warning("from 10.1.2.3 with %s", Telling(), extra={"order": 7, "password": SECRET})
    nested = {
        "user": {"pin": 1234, "name": "Ada", Telling(): [f"token={SECRET}", {"api_key": SECRET}]},
        "order": "a",
    }
    logger.info("nested", extra=nested)
    logger.info(
        "kinds", extra={"broken": Broken(), "telling": Telling(), "none": None, "card": 4111111111111111}
    )
    with duramen.context.bound(session_token=SECRET, order="b"):
        logger.info("bound")
    try:
        raise ValueError(f"secret: {SECRET}") from KeyError("k")
    except ValueError:
        logger.exception("failed with token=%s", SECRET)
        logger.error("failed above", exc_info=True)
    logger.info(
        {"event": "a dict", "password": SECRET, f"token={SECRET}": [f"token={SECRET}"]}, extra={"order": 9}
    )
    logger.info(Telling())
    logger.info("with a stack", stack_info=True, stacklevel=1)
    for _ in range(2):
        logger.info({"event": "a dict again", "password": SECRET})
    for _ in range(3):
        logger.info("again")
    clock[0] += 90
    logger.info("again")
    logger.info("password=%s of %s", SECRET, "ada@example.org")


def message_of(record):
    try:
        return record.getMessage()
    except Exception as error:
        return type(error).__name__


def written(make_filters, formatter, way, call=calls, on_logger=False):
    stream, clock = io.StringIO(), [0.0]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("shop.orders", logging.DEBUG)
    logger.addHandler(handler)
    owner = logger if on_logger else handler
    if way == "python":
        owner.addFilter(lambda record: True)
    own = make_filters()
    for filter in own:
        if hasattr(filter, "_now"):
            filter._now = lambda: clock[0]
        owner.addFilter(filter)
    assert (_core.route(logger) is None) == (way == "native"), _core.route(logger)
    call(logger, clock)
    counts = [filter.counts() if hasattr(filter, "counts") else None for filter in own]
    held = [filter.suppressed() if hasattr(filter, "suppressed") else None for filter in own]
    kept = [
        sorted(
            (
                number,
                message_of(one),
                one.levelname,
                one.lineno,
                one.threadName,
                one.exc_text,
                one.stack_info,
            )
            for number, one in filter._decides.take_unsaid()
        )
        for filter in own
        if hasattr(filter, "_say_the_rest")
    ]
    text = stream.getvalue()
    return text, counts, held, kept


@pytest.mark.filterwarnings("ignore:RedactingFilter on the logger")
@pytest.mark.parametrize("name", filters())
@pytest.mark.parametrize("kind", range(len(formatters())))
@pytest.mark.parametrize("on_logger", [False, True], ids=["handler", "logger"])
def test_both_ways_write_the_same_and_count_the_same(name, kind, on_logger):
    native, python = (
        written(filters()[name], formatters()[kind], way, on_logger=on_logger) for way in ("native", "python")
    )
    assert native == python
    if "masking" in name and "another" not in name:
        assert SECRET not in native[0]


def hostile_calls(logger, clock):
    """Messages and fields whose own code fails, and texts that have no UTF-8 form."""
    for _ in range(2):
        logger.info(Failing())
        logger.info({"event": Failing(), "order": Failing()})
        logger.info({Failing(): 1})
        logger.info({"message": Failing()})
        logger.info(BrokenDict(event=1))
        logger.info(BrokenText("text"))
        logger.info("a\udc80")
        logger.info({"event": "\udc80", "\udc81": 1, "message": "\ud800"})
        logger.info("m %s", Failing())
        logger.info("m %d", "x")
        logger.info(Failing(), 1)
        logger.info("m", extra={"order": Failing(), "user": Failing()})
        logger.info("m", extra={"order": "\udc80", "\udc81": "\udc80"})
        with duramen.context.bound(order=Failing()):
            logger.info("bound")
        try:
            raise BrokenError
        except BrokenError:
            logger.exception({"event": Failing()})
        clock[0] += 0.5


class BrokenError(Exception):
    def __str__(self):
        raise ValueError(SECRET)


@pytest.mark.filterwarnings("ignore:RedactingFilter on the logger")
@pytest.mark.parametrize("name", filters())
@pytest.mark.parametrize("kind", range(len(formatters())))
@pytest.mark.parametrize("on_logger", [False, True], ids=["handler", "logger"])
def test_nothing_that_fails_reaches_the_application(name, kind, on_logger, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    native, python = (
        written(filters()[name], formatters()[kind], way, hostile_calls, on_logger)
        for way in ("native", "python")
    )
    assert native == python


fields = st.dictionaries(
    st.sampled_from(["user", "password", "apiKey", "order", "note"]),
    st.recursive(
        st.one_of(
            st.none(), st.integers(), st.floats(allow_nan=False), st.text(), st.just(f"token={SECRET}")
        ),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


@settings(deadline=None)
@given(message=st.text(), argument=st.text() | st.integers(), extra=fields)
def test_whatever_is_logged_is_masked_alike(message, argument, extra):
    def call(logger, clock):
        logger.info(message.replace("%", "") + "%s", argument, extra=extra)

    masking = filters()["masking"]
    native, python = (written(masking, JsonFormatter(), way, call)[1:] for way in ("native", "python"))
    assert native == python
    layout = JsonFormatter(fields=["message"])
    assert written(masking, layout, "native", call) == written(masking, layout, "python", call)


def test_other_handlers_see_what_was_logged():
    plain, masked, after = io.StringIO(), io.StringIO(), io.StringIO()
    logger = logging.Logger("shop")
    for stream, filter in (
        (plain, None),
        (masked, RedactingFilter()),
        (after, SamplingFilter(rate=1, keep=None)),
    ):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(JsonFormatter(fields=["message"]))
        if filter:
            handler.addFilter(filter)
        logger.addHandler(handler)
    handler = logging.StreamHandler(last := io.StringIO())
    handler.setFormatter(JsonFormatter(fields=["message"]))
    logger.addHandler(handler)
    assert _core.route(logger) is None
    logger.info("password=%s", SECRET, extra={"token": SECRET})
    assert plain.getvalue() == f'{{"message": "password={SECRET}", "token": "{SECRET}"}}\n'
    assert masked.getvalue() == '{"message": "password=***", "token": "***"}\n'
    assert after.getvalue() == (
        f'{{"message": "password={SECRET}", "token": "{SECRET}", "sample_rate": 1}}\n'
    )
    assert last.getvalue() == plain.getvalue()


def test_a_handler_that_fails_shows_the_masked_record():
    seen = []

    class Failing(io.StringIO):
        def write(self, text):
            raise OSError("full")

    handler = logging.StreamHandler(Failing())
    handler.addFilter(RedactingFilter())
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    assert _core.route(logger) is None
    original = logging.Handler.handleError
    try:
        logging.Handler.handleError = lambda self, record: seen.append(record)
        # A class that was changed is left to Python; the error is the native way's when the change is older.
        logger.info("password=%s", SECRET, extra={"token": SECRET})
    finally:
        logging.Handler.handleError = original
    assert SECRET not in repr(vars(seen[0])) and seen[0].getMessage() == "password=***"


def test_what_a_handler_says_on_standard_error_is_masked(capsys):
    class Failing(io.StringIO):
        def write(self, text):
            raise OSError("full")

    handler = logging.StreamHandler(Failing())
    handler.addFilter(RedactingFilter())
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    assert _core.route(logger) is None
    hidden = SECRET
    logger.info("password=%s", hidden)
    said = capsys.readouterr().err
    assert "Message: 'password=***'" in said and SECRET not in said


def test_text_that_only_python_carries_is_masked():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    logger.info("\udc80 password=%s", SECRET)
    logger.info({"password": SECRET})
    logger.info("%d", f"password={SECRET}")
    assert SECRET not in stream.getvalue()


def test_a_filter_that_is_changed_is_seen_at_once():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    only = logging.Filter("web")
    handler.addFilter(only)
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    logger.info("held back")
    only.name, only.nlen = "shop", 4
    logger.info("its name was changed")
    only.filter = lambda record: False
    logger.info("held back")
    del only.filter
    handler.filters.append(lambda record: "not this" not in record.msg)
    logger.info("not this")
    handler.filters[:] = [RedactingFilter()]
    logger.info("token=%s", SECRET)
    original = RedactingFilter.filter
    try:
        RedactingFilter.filter = lambda self, record: False
        logger.info("held back")
    finally:
        RedactingFilter.filter = original
    handler.filters.clear()
    logger.info("no filter")
    assert stream.getvalue().splitlines() == ["its name was changed", "token=***", "no filter"]


def test_a_filter_that_changes_its_handler_while_it_is_asked():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.Logger("shop")
    logger.addHandler(handler)

    class Changing:
        def __str__(self):
            handler.filters.clear()
            handler.setFormatter(JsonFormatter(fields=["message"]))
            handler.addFilter(RedactingFilter())
            logger.info("token=%s", SECRET)
            return f"token={SECRET}"

    logger.info("outer", extra={"value": Changing()})
    assert SECRET not in stream.getvalue() and "token=***" in stream.getvalue()


@pytest.mark.filterwarnings("ignore:RedactingFilter on the logger")
def test_every_handler_sees_what_the_filters_of_the_logger_leave():
    streams = [io.StringIO(), io.StringIO(), io.StringIO()]
    logger = logging.Logger("shop")
    logger.addFilter(DuplicateFilter(window=60))
    logger.addFilter(RedactingFilter())
    parent = logging.Logger("")
    logger.parent = parent
    handlers = [logging.StreamHandler(stream) for stream in streams]
    handlers[1].setFormatter(JsonFormatter(fields=["message"]))
    handlers[2].addFilter(RateLimitFilter(rate=1, burst=1, exempt=None))
    for handler in handlers[:2]:
        logger.addHandler(handler)
    parent.addHandler(handlers[2])
    assert _core.route(logger) is None
    for _ in range(2):
        logger.error("password=%s", SECRET, extra={"token": SECRET})
    logger.error("other")
    plain, structured, limited = (stream.getvalue().splitlines() for stream in streams)
    assert plain == ["password=***", "other"]
    assert structured[0] == '{"message": "password=***", "token": "***"}'
    assert limited == ["password=***"]
    ((_, kept),) = handlers[2].filters[0]._decides.take_unsaid()
    assert kept.getMessage() == "other"
    ((_, kept),) = logger.filters[0]._decides.take_unsaid()
    assert (kept.getMessage(), kept.token) == (f"password={SECRET}", SECRET)


def test_filters_of_a_logger_count_what_no_handler_takes():
    limit = RateLimitFilter(rate=1, burst=1, exempt=None)
    limit._now = lambda: 0.0
    logger = logging.Logger("shop")
    handler = logging.StreamHandler(io.StringIO())
    handler.setLevel(logging.ERROR)
    logger.addHandler(handler)
    logger.addFilter(limit)
    for _ in range(3):
        logger.info("m")
    assert limit.suppressed() == 2


@pytest.mark.filterwarnings("ignore:RedactingFilter on the logger")
def test_a_handler_that_fails_sees_what_the_filters_of_the_logger_leave(capsys):
    class Failing(io.StringIO):
        def write(self, text):
            raise OSError("full")

    logger = logging.Logger("shop")
    logger.addHandler(logging.StreamHandler(Failing()))
    logger.addFilter(RedactingFilter())
    assert _core.route(logger) is None
    hidden = SECRET
    logger.error("password=%s", hidden, exc_info=ValueError(f"token={hidden}"))
    said = capsys.readouterr().err
    assert "Message: 'password=***'" in said and SECRET not in said
