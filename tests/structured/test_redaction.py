"""``RedactingFilter``: nothing unmasked reaches a handler's stream, whatever carries it and wherever it stands."""

import builtins
import collections
import copy
import dataclasses
import datetime
import io
import json
import logging as standard_logging
import pickle
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structured.both_ways import raised, record

import duramen as logging
import duramen.config
from duramen import _core
from duramen.filters import RedactingFilter
from duramen.formatters import ConsoleFormatter, JsonFormatter, LogfmtFormatter

SECRET = "hunter2correcthorse"
ALL = RedactingFilter(packs=["credentials", "pii", "financial"], keys=["user.pin"])


@dataclasses.dataclass
class Login:
    user: str
    password: str


class Opaque:
    def __str__(self):
        return f"<login password={SECRET}>"


def text_of(formatter, redacting=ALL, **attributes):
    return formatter.format(redacting.filter(record(**attributes)))


CARRIERS = {
    "message": {"msg": f"password={SECRET}", "args": ()},
    "argument": {"msg": "token: %s", "args": (SECRET,)},
    "mapping argument": {"msg": "token: %(t)s", "args": {"t": SECRET, "password": SECRET}},
    "dict message": {"msg": {"password": SECRET, "note": f"pwd={SECRET}"}, "args": ()},
    "field by key": {"apiKey": SECRET},
    "field by form": {"note": f"see https://x.org/?token={SECRET}"},
    "nested": {"a": [{"b": ({"db_password": SECRET}, f"secret={SECRET}")}]},
    "key": {"headers": {f"token={SECRET}": 1}},
    "name": {f"password={SECRET}": 1},
    "set": {"tags": {f"password={SECRET}", "x"}},
    "object": {"login": Opaque()},
    "dataclass": {"login": Login("ada", SECRET)},
    "mapping": {"login": collections.UserDict(password=SECRET)},
    "error": {"cause": ValueError(f"password={SECRET}")},
    "exception": {"exc_info": raised(ValueError(f"password={SECRET}"))},
    "exception text": {"exc_text": f"ValueError: password={SECRET}"},
    "stack": {"stack_info": f"Stack\n password={SECRET}"},
    "dotted": {"user": {"pin": SECRET}},
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(
    "formatter",
    [
        JsonFormatter(),
        JsonFormatter(exceptions="both"),
        JsonFormatter(reserved_attrs=[]),
        JsonFormatter(preset="ecs"),
        LogfmtFormatter(),
        ConsoleFormatter(color=False),
        logging.Formatter("%(message)s"),
    ],
    ids=lambda formatter: type(formatter).__name__,
)
def test_no_secret_passes_whatever_carries_it(carrier, formatter):
    assert SECRET not in text_of(formatter, **CARRIERS[carrier])


@pytest.mark.parametrize("carrier", CARRIERS)
def test_the_record_itself_stays_as_it_was(carrier):
    attributes = CARRIERS[carrier]
    original = record(**attributes)
    before = dict(vars(original))
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(RedactingFilter(packs=["credentials", "pii", "financial"], keys=["user.pin"]))
    handler.handle(original)
    assert vars(original) == before
    assert all(vars(original)[name] is before[name] for name in before)


def test_what_holds_no_secret_is_the_same_object():
    values = {
        "a": [1, {"b": (None, True, 1.5)}],
        "when": datetime.date(2024, 3, 1),
        "s": {1, 2},
        "o": object(),
    }
    masked = ALL.filter(record(**values))
    assert all(getattr(masked, name) is value for name, value in values.items())
    assert masked.getMessage() == "late by 5 min"


def test_handlers_with_the_filter_mask_and_others_do_not():
    masked, plain = io.StringIO(), io.StringIO()
    logger = logging.Logger("shop")
    for stream in (masked, plain):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
    logger.handlers[0].addFilter(RedactingFilter())
    logger.error("password=%s", SECRET, extra={"token": SECRET})
    assert SECRET not in masked.getvalue()
    assert json.loads(masked.getvalue())["token"] == "***"
    assert plain.getvalue().count(SECRET) == 2


def test_from_dict_config():
    stream = io.StringIO()
    options = {"()": "duramen.filters.RedactingFilter", "packs": ["pii"], "modes": {"email": "type"}}
    configuration = {
        "version": 1,
        "filters": {"secrets": options},
        "handlers": {"out": {"class": "duramen.StreamHandler", "stream": stream, "filters": ["secrets"]}},
        "loggers": {"masked": {"handlers": ["out"], "propagate": False}},
    }
    duramen.config.dictConfig(configuration)
    logging.getLogger("masked").error("mail to a@example.org")
    assert stream.getvalue() == "mail to [email]\n"
    options["packs"] = ["pie"]
    with pytest.raises(ValueError, match="Unable to configure filter 'secrets'") as caught:
        duramen.config.dictConfig(configuration)
    assert 'packs[0]: found "pie"' in str(caught.value.__cause__)


def test_on_a_logger_it_warns():
    with pytest.warns(UserWarning, match="on the logger 'shop' does not see"):
        logging.Logger("shop").addFilter(RedactingFilter())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logging.StreamHandler().addFilter(RedactingFilter())


def test_what_fails_is_masked_and_counted():
    class Broken:
        def __str__(self):
            raise RuntimeError

    ring = []
    ring.append(ring)
    redacting = RedactingFilter()
    masked = redacting.filter(record(broken=Broken(), ring=ring, fine=1))
    assert (masked.broken, masked.ring, masked.fine) == ("***", ["***"], 1)
    assert redacting.counts()["failed"] == 2
    # A message that cannot be made is not shown, nor is anything else that came with it.
    masked = redacting.filter(record(msg="%d", args=(SECRET,), x=SECRET, exc_text=SECRET))
    assert SECRET not in JsonFormatter(reserved_attrs=[]).format(masked)
    assert masked.name == "shop.orders"
    assert redacting.counts()["failed"] == 3


def test_modes():
    def found(mode, **options):
        masked = RedactingFilter(packs=["credentials", "pii"], mode=mode, **options).filter(
            record(msg="to a.lovelace@example.org", args=(), token="abcdefghijklmnop", n=1)
        )
        return masked.getMessage(), getattr(masked, "token", None)

    assert found("mask") == ("to ***", "***")
    assert found("partial") == ("to ***.org", "***mnop")
    assert found("type") == ("to [email]", "[secret]")
    assert found("drop") == ("to ", None)


def test_pseudonyms_need_a_key_from_outside(monkeypatch, tmp_path):
    monkeypatch.setenv("MASKING_KEY", "a key of sixteen bytes and more")
    (tmp_path / "key").write_text("a key of sixteen bytes and more\n")
    options = {"packs": ["pii"], "mode": "pseudonym"}
    by_env = RedactingFilter(**options, pseudonym_key_env="MASKING_KEY")
    by_file = RedactingFilter(**options, pseudonym_key_file=tmp_path / "key")
    token = by_env.text("a@example.org")
    assert token.startswith("pseudonym:") and token == by_file.text("a@example.org")
    assert token != by_env.text("b@example.org")
    with pytest.raises(ValueError, match="pseudonym_key: found none"):
        RedactingFilter(**options)
    with pytest.raises(ValueError, match="'NO_SUCH' is not set"):
        RedactingFilter(**options, pseudonym_key_env="NO_SUCH")
    with pytest.raises(ValueError, match="pseudonym_key_file: found .*none.*, expected a file"):
        RedactingFilter(**options, pseudonym_key_file=tmp_path / "none")


def test_an_allow_list_shows_nothing_else():
    redacting = RedactingFilter(allow=["order", "user.name"])
    masked = redacting.filter(
        record(
            order={"id": 1, "token": SECRET}, user={"name": "Ada", "age": 36}, other=3, login=Login("a", "b")
        )
    )
    assert masked.order == {"id": 1, "token": "***"}
    assert masked.user == {"name": "Ada", "age": "***"}
    assert (masked.other, masked.login) == ("***", "***")


@pytest.mark.parametrize("made_again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_and_pickles_mask_the_same(made_again):
    assert made_again(ALL).text(f"password={SECRET} a@example.org") == "password=*** ***"


keys = st.sampled_from(["a", "password", "b", "token"])
nested = st.recursive(
    st.integers() | st.text() | st.just(f"password={SECRET}"),
    lambda inner: (
        st.lists(inner) | st.dictionaries(keys, inner) | st.tuples(inner) | st.frozensets(st.text())
    ),
)


@settings(deadline=None)
@given(nested)
def test_no_nesting_hides_a_secret(value):
    line = text_of(JsonFormatter(), value=value, password=[SECRET])
    assert SECRET not in line


class _OwnHandle(logging.StreamHandler):
    """Goes on with the record that it was given, whatever the filters answer."""

    def handle(self, record):
        if self.filter(record):
            self.emit(record)


class _OwnFilter(logging.StreamHandler):
    """Tells that the record may pass, and not which one."""

    def filter(self, record):
        return bool(super().filter(record))


@pytest.mark.parametrize(
    ("kind", "module"),
    [(_OwnHandle, logging), (_OwnFilter, logging), (standard_logging.StreamHandler, standard_logging)],
)
def test_a_handler_that_may_not_take_the_copy_shows_no_secret(kind, module):
    stream = io.StringIO()
    handler = kind(stream)
    handler.addFilter(RedactingFilter())
    record = module.makeLogRecord({"msg": "password=%s", "args": ("hunter2",), "levelno": 20})
    handler.handle(record)
    assert stream.getvalue() == "password=***\n"


class _Unmaskable(logging.LogRecord):
    def __setattr__(self, name, value):
        if getattr(self, "is_made", False):
            raise ValueError("not to be changed")
        super().__setattr__(name, value)


def test_what_can_neither_be_masked_nor_replaced_does_not_pass(monkeypatch):
    record = _Unmaskable("app", 20, "path", 1, "password=hunter2", (), None)
    record.is_made = True
    masking = RedactingFilter()
    monkeypatch.setattr(logging, "LogRecord", None)
    assert masking.filter(record) is False
    assert masking.counts()["failed"] == 1


class TestExceptionsAsObjects:
    """What a filter leaves of an exception is an object still, whose texts are masked."""

    def chain(self):
        group = getattr(builtins, "ExceptionGroup", None)
        try:
            try:
                raise KeyError(f"token={SECRET}")
            except KeyError:
                raise LookupError(f"password={SECRET} \u00fc") from None
        except LookupError as cause:
            inner = ValueError(f"secret: {SECRET}")
            inner.__notes__ = [f"api_key={SECRET}", "try again"]
            try:
                raise (group("several", [inner, OSError("no")]) if group else inner) from cause
            except Exception as error:
                return error

    def shown(self, formatter, owner, way, filters=1):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        logger = logging.Logger("shop")
        logger.addHandler(handler)
        target = logger if owner == "logger" else handler
        if way == "python":
            target.addFilter(lambda record: True)
        for _ in range(filters):
            target.addFilter(RedactingFilter())
        assert (_core.route(logger) is None) == (way == "native")
        logger.error("failed", exc_info=self.chain())
        assert SECRET not in stream.getvalue()
        return stream.getvalue()

    @pytest.mark.filterwarnings("ignore:RedactingFilter on the logger")
    @pytest.mark.parametrize("owner", ["handler", "logger"])
    @pytest.mark.parametrize("way", ["native", "python"])
    @pytest.mark.parametrize("ascii_", [False, True])
    def test_every_text_of_it_is_masked(self, owner, way, ascii_):
        formatter = JsonFormatter(fields=["exc_info"], exceptions="object", json_ensure_ascii=ascii_)
        line = self.shown(formatter, owner, way)
        error = json.loads(line)["exc_info"]
        inner = error["exceptions"][0] if "exceptions" in error else error
        assert (inner["type"], inner["message"]) == ("ValueError", "secret: ***")
        assert inner["notes"] == ["api_key=***", "try again"]
        assert error["cause"]["message"] == "password=*** \u00fc"
        assert error["frames"][0]["function"] == "chain"
        assert line.isascii() == ascii_

    @pytest.mark.parametrize("way", ["native", "python"])
    def test_parts_of_it_stay_where_a_schema_has_them(self, way):
        line = json.loads(self.shown(JsonFormatter(preset="ecs"), "handler", way))
        assert line["error.type"] in ("ExceptionGroup", "ValueError")
        assert "password=***" in line["error.stack_trace"]
        assert line["error.message"].startswith(("several", "secret: ***"))

    @pytest.mark.parametrize("way", ["native", "python"])
    def test_a_second_filter_leaves_no_less_masked(self, way):
        formatter = JsonFormatter(fields=["exc_info"], exceptions="object")
        assert "password=***" in self.shown(formatter, "handler", way, filters=2)

    def test_a_pattern_of_the_line_in_the_traceback_finds_the_message(self):
        formatter = JsonFormatter(fields=["exc_info"], exceptions="object")
        filter = RedactingFilter(patterns={"line": "ValueError: (?P<secret>.+)"})
        one = record(exc_info=raised(ValueError("no pattern of its own")))
        assert json.loads(formatter.format(filter.filter(one)))["exc_info"]["message"] == "***"

    def test_a_copy_for_another_process_is_text_alone(self):
        masked = RedactingFilter().filter(record(exc_info=raised(ValueError(f"password={SECRET}"))))
        text = pickle.loads(pickle.dumps(masked)).exc_text
        assert type(text) is str and "ValueError: password=***" in text
        assert type(copy.deepcopy(masked).exc_text) is str
