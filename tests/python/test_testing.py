"""duramen.testing, and that a Duramen which is merely installed changes nothing for pytest."""

import re
from pathlib import Path

import pytest
from activation_support import PACKAGE_PARENT, environment, python

import duramen
from duramen.testing import CapturingHandler, capture

REPOSITORY = Path(__file__).resolve().parents[2]


def test_capture_gives_records_lines_and_messages():
    with capture() as captured:
        duramen.getLogger("app.db").warning("lost %s", "host", extra={"port": 5432})
        duramen.getLogger("app").info("below the root's level")
    duramen.getLogger("app.db").warning("after the end")
    (record,) = captured.records
    assert (record.name, record.levelno, record.args, record.port) == ("app.db", 30, ("host",), 5432)
    assert captured.lines == ["WARNING:app.db:lost host"]
    assert captured.messages == ["lost host"]
    assert captured.text == "WARNING:app.db:lost host\n"


def test_capture_of_one_logger_at_a_level_puts_everything_back():
    logger = duramen.getLogger("testing.one")
    logger.setLevel(duramen.ERROR)
    handlers = list(logger.handlers)
    for target in (logger, "testing.one"):
        with pytest.raises(KeyError), capture(target, level=duramen.INFO) as captured:
            logger.debug("too low")
            logger.info("captured")
            duramen.getLogger("testing.other").error("another logger")
            raise KeyError
        assert captured.messages == ["captured"]
        assert (logger.level, logger.handlers) == (duramen.ERROR, handlers)


def test_captures_nest():
    with capture("testing", level="DEBUG") as outer, capture("testing.inner") as inner:
        duramen.getLogger("testing.inner").debug("x")
    assert outer.messages == inner.messages == ["x"]


def test_lines_are_made_when_a_record_is_handled():
    value = ["before"]
    with capture() as captured:
        duramen.error("%s", value)
        value[0] = "after"
    assert captured.lines == ["ERROR:root:['before']"]


def test_a_formatter_and_clear():
    handler = CapturingHandler()
    handler.setFormatter(duramen.Formatter("%(levelno)d %(message)s"))
    record = duramen.makeLogRecord({"msg": "m", "levelno": 20})
    handler.handle(record)
    assert (handler.records, handler.lines) == ([record], ["20 m"])
    handler.clear()
    assert (handler.records, handler.lines, handler.text) == ([], [], "")


def test_an_error_while_formatting_reaches_the_test():
    with capture(), pytest.raises(TypeError, match="not all arguments converted"):
        duramen.error("no place", "for this")


CAPLOG = """
import logging

def test_caplog(caplog):
    logger = logging.getLogger("app.db")
    with caplog.at_level(logging.DEBUG, logger="app"):
        logger.debug("one %d", 1, extra={"port": 5})
    logging.warning("two")
    print([sorted(vars(record)) for record in caplog.records])
    print(caplog.record_tuples, caplog.text, caplog.records[0].port, caplog.messages)
    print([type(handler).__qualname__ for handler in logging.getLogger().handlers])

def test_failing_shows_captured_log():
    logging.getLogger("x").error("shown")
    assert False
"""

DURAMEN_FIXTURES = """
import logging
import duramen
pytest_plugins = ["duramen.testing"]

def test_capture(duramen_capture):
    duramen.getLogger("app").debug("low")
    assert duramen_capture.lines == ["DEBUG:app:low"]

def test_installed(duramen_installed, duramen_capture):
    assert duramen.is_installed()

def test_not_installed():
    assert not duramen.is_installed()
"""


def run_pytest(folder, source, *options, **variables):
    (folder / "test_it.py").write_text(source)
    return python(
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *options,
        "test_it.py",
        cwd=folder,
        environ=environment(**variables),
    )


def without_times(text):
    text = re.sub(r"test_it\.py:\d+", "test_it.py", text)
    return re.sub(r"\d+\.\d+s", "", text)


def test_a_merely_installed_duramen_changes_nothing_for_caplog(tmp_path):
    alone = run_pytest(tmp_path, CAPLOG, "-rP", PYTHONPATH="")
    beside = run_pytest(tmp_path, CAPLOG, "-rP", PYTHONPATH=PACKAGE_PARENT)
    imported = run_pytest(tmp_path, "import duramen, duramen.testing\n" + CAPLOG, "-rP")
    assert "'one 1', 'two'" in alone.stdout
    assert "1 failed, 1 passed" in alone.stdout
    assert without_times(beside.stdout) == without_times(alone.stdout)
    assert without_times(imported.stdout) == without_times(alone.stdout)


def test_caplog_sees_the_same_when_duramen_is_active(tmp_path):
    alone = run_pytest(tmp_path, CAPLOG, "-rP", PYTHONPATH="")
    active = run_pytest(tmp_path, "import duramen; duramen.install()\n" + CAPLOG, "-rP")
    assert without_times(active.stdout) == without_times(alone.stdout)


def test_no_entry_point_makes_pytest_load_it():
    assert "pytest11" not in (REPOSITORY / "pyproject.toml").read_text()


def test_the_fixtures_are_there_for_who_asks(tmp_path):
    finished = run_pytest(tmp_path, DURAMEN_FIXTURES)
    assert finished.returncode == 0, finished.stdout
    assert "3 passed" in finished.stdout
