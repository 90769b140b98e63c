"""What install() changes, what it leaves alone, and what uninstall() puts back."""

import copy
import io
import logging
import logging.handlers
import pickle
import subprocess
import sys
import types
from unittest import mock

import pytest

import duramen


class EarlyHandler(logging.Handler):
    """A subclass made before anything is installed."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


class EarlyLogger(logging.Logger):
    """A subclass made before anything is installed."""


HANDLER_BEFORE = logging.Handler
GET_LOGGER_BEFORE = logging.getLogger
EARLY = logging.getLogger("duramen.tests.early")


@pytest.fixture
def installed():
    duramen.install()
    yield
    duramen.uninstall()


@pytest.fixture
def logger():
    """A logger of its own, which writes messages to ``logger.text``."""
    logger = logging.getLogger("duramen.tests.install")
    logger.text = io.StringIO()
    handler = logging.StreamHandler(logger.text)
    handler.setFormatter(logging.Formatter("%(levelname)s:%(message)s"))
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)
    yield logger
    logger.handlers.clear()
    logging.disable(logging.NOTSET)


def is_native(function):
    return type(function).__name__ == "native_function"


def test_importing_changes_nothing():
    assert not duramen.is_installed()
    assert not is_native(logging.Logger.info)


def test_importing_loads_nothing_that_is_needed_only_later():
    program = """
import sys
before = set(sys.modules)
import duramen
later = {"logging", "copy", "importlib.util", "duramen.handlers", "duramen._redaction"}
print(*sorted(later & (set(sys.modules) - before)))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.stdout.split(), result.stderr) == ([], "")


def test_classes_objects_and_functions_keep_their_identity(installed):
    assert logging.Handler is HANDLER_BEFORE
    assert GET_LOGGER_BEFORE("duramen.tests.early") is EARLY
    assert is_native(type(EARLY).info)
    assert isinstance(logging.StreamHandler(), HANDLER_BEFORE)
    assert duramen.Handler is logging.Handler
    assert duramen.getLogger("duramen.tests.early") is EARLY


def test_subclasses_made_earlier_are_subclasses(installed):
    assert issubclass(EarlyLogger, logging.Logger) and issubclass(EarlyLogger, duramen.Logger)
    manager = logging.Manager(logging.RootLogger(logging.WARNING))
    manager.setLoggerClass(EarlyLogger)
    assert type(manager.getLogger("a")) is EarlyLogger
    handler = EarlyHandler()
    EARLY.addHandler(handler)
    try:
        EARLY.warning("seen by %s", "the early handler")
    finally:
        EARLY.removeHandler(handler)
    assert handler.messages == ["seen by the early handler"]


def test_installing_twice_is_installing_once(installed):
    native = logging.Logger.info
    duramen.install()
    assert logging.Logger.info is native
    duramen.uninstall()
    assert not duramen.is_installed()
    assert not is_native(logging.Logger.info)


def test_objects_made_meanwhile_keep_working_afterwards(logger):
    duramen.install()
    handler = logging.StreamHandler(logger.text)
    logger.handlers[:] = [handler]
    duramen.uninstall()
    logger.warning("after")
    assert logger.text.getvalue() == "after\n"


def test_a_replacement_made_meanwhile_stays(logger):
    duramen.install()
    original = logging.Logger.callHandlers
    seen = []

    def call_handlers(self, record):
        seen.append(record.getMessage())
        return original(self, record)

    try:
        logging.Logger.callHandlers = call_handlers
        logger.info("one")
        duramen.uninstall()
        logger.info("two")
        assert logging.Logger.callHandlers is call_handlers
    finally:
        duramen.uninstall()
        logging.Logger.callHandlers = STANDARD_CALL_HANDLERS
    assert seen == ["one", "two"]
    assert logger.text.getvalue() == "INFO:one\nINFO:two\n"


STANDARD_CALL_HANDLERS = logging.Logger.callHandlers


def test_a_replacement_made_earlier_stays(logger):
    seen = []

    def call_handlers(self, record):
        seen.append(record.getMessage())
        return STANDARD_CALL_HANDLERS(self, record)

    logging.Logger.callHandlers = call_handlers
    try:
        duramen.install()
        assert logging.Logger.callHandlers is call_handlers
        logger.info("one")
        duramen.uninstall()
        assert logging.Logger.callHandlers is call_handlers
    finally:
        logging.Logger.callHandlers = STANDARD_CALL_HANDLERS
    assert seen == ["one"]


def test_globals_have_one_owner(installed, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    assert duramen.raiseExceptions is False
    duramen.raiseExceptions = True
    assert logging.raiseExceptions is True
    with mock.patch.object(duramen, "lastResort", None):
        assert logging.lastResort is None
    assert logging.lastResort is not None
    vars(logging)["logThreads"] = False
    try:
        assert logging.makeLogRecord({}).threadName is None
    finally:
        logging.logThreads = True


def test_the_trees_are_apart_until_installed():
    assert duramen.getLogger("duramen.tests.apart") is not logging.getLogger("duramen.tests.apart")
    assert duramen.root is not logging.root


OVERRIDES = {
    "a method of the class": lambda logger: mock.patch.object(
        type(logger), "makeRecord", lambda self, *args, **kwargs: changed_record()
    ),
    "a method of the logger": lambda logger: mock.patch.object(
        logger, "makeRecord", lambda *args, **kwargs: changed_record()
    ),
    "a method of the handler": lambda logger: mock.patch.object(
        logger.handlers[0], "format", lambda record: "INFO:changed"
    ),
    "a method of the formatter": lambda logger: mock.patch.object(
        logger.handlers[0].formatter, "formatMessage", lambda record: "INFO:changed"
    ),
    "a method of the formatter's class": lambda logger: mock.patch.object(
        logging.Formatter, "format", lambda self, record: "INFO:changed"
    ),
    "the record's class": lambda logger: mock.patch.object(
        logging.LogRecord, "getMessage", lambda self: "changed"
    ),
    "the record factory": lambda logger: mock.patch.object(
        logging, "_logRecordFactory", lambda *args, **kwargs: changed_record()
    ),
    "the style's format": lambda logger: mock.patch.object(
        logger.handlers[0].formatter._style, "_fmt", "INFO:changed"
    ),
    "the name of the level": lambda logger: mock.patch.dict(logging._levelToName, {20: "INFO:changed\nINFO"}),
    "a filter that changes the record": lambda logger: attached_filter(logger, changing_filter),
}


def changed_record():
    return logging.LogRecord("name", logging.INFO, "path", 1, "changed", (), None)


def changing_filter(record):
    record.msg = "changed"
    return True


class attached_filter:
    def __init__(self, logger, filter):
        self.logger, self.filter = logger, filter

    def __enter__(self):
        self.logger.filters.append(self.filter)

    def __exit__(self, *exception):
        self.logger.filters.clear()


@pytest.mark.parametrize("what", OVERRIDES)
def test_an_override_is_seen_between_two_calls(installed, logger, what):
    logger.info("before")
    with OVERRIDES[what](logger):
        logger.info("meanwhile")
    logger.info("after")
    lines = logger.text.getvalue().splitlines()
    assert (lines[0], lines[1], lines[-1]) == ("INFO:before", "INFO:changed", "INFO:after")


def test_lists_changed_in_place_are_seen(installed, logger):
    handler = logger.handlers[0]
    logger.info("one")
    logger.handlers.clear()
    logger.info("two")
    logger.handlers = [handler]
    logger.info("three")
    logger.disabled = True
    logger.info("four")
    logger.disabled = False
    logging.disable(logging.INFO)
    logger.info("five")
    logging.disable(logging.NOTSET)
    logger.info("six")
    assert logger.text.getvalue() == "INFO:one\nINFO:three\nINFO:six\n"


def test_a_stream_swapped_between_two_calls_is_seen(installed, logger):
    logger.info("one")
    other = types.SimpleNamespace(lines=[])
    other.write = other.lines.append
    logger.handlers[0].stream = other
    logger.info("two")
    assert logger.text.getvalue() == "INFO:one\n"
    assert other.lines == ["INFO:two\n"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_name_the_standard_library(protocol):
    record = duramen.makeLogRecord({"msg": "hello %s", "args": ("you",)})
    for value in (record, duramen.Formatter("%(message)s"), duramen.getLogger("duramen.tests.pickle")):
        pickled = pickle.dumps(value, protocol)
        assert b"duramen\n" not in pickled and b"\x07duramen" not in pickled
        assert type(pickle.loads(pickled)).__module__ == "logging"
    assert pickle.loads(pickle.dumps(record, protocol)).getMessage() == "hello you"


def test_copies_are_of_the_same_class():
    record = duramen.makeLogRecord({"msg": ["a list"]})
    assert type(copy.copy(record)) is type(copy.deepcopy(record)) is duramen.LogRecord
    assert copy.copy(record).msg is record.msg
    assert copy.deepcopy(record).msg is not record.msg
