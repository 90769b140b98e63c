"""Each option of ``AsyncHandler``, the same from Python code, from ``dictConfig``, imported and installed.

What they do, and what is wrong, stands in one table, which the tests of the Rust configuration read too
(crates/duramen/tests/configuration/queues.rs).
"""

import json
import logging as standard
import logging.config
import os
import threading
import time
from pathlib import Path

import pytest

import duramen
import duramen.config
from duramen.handlers import AsyncHandler

TABLE = json.loads(
    (Path(__file__).parents[2] / "crates" / "duramen" / "tests" / "data" / "queue_options.json").read_text()
)
CAUSES = ("newest", "oldest", "below_level", "timeout", "reentrant", "closed", "abandoned")


def gated(base):
    """A handler that keeps messages, and waits before each while its gate is closed."""

    class Gated(base.Handler):
        def __init__(self):
            super().__init__()
            self.messages, self.gate = [], threading.Event()

        def emit(self, record):
            self.gate.wait()
            self.messages.append(record.getMessage())

    return Gated()


class Way:
    """One of the ways to a logger with a queue before the handler ``behind``."""

    def __init__(self, is_installed, is_configured):
        self.base = standard if is_installed else duramen
        self.is_configured = is_configured
        self.config = logging.config if is_installed else duramen.config

    def make(self, behind, options):
        """The handler of the queue, on a logger of its own."""
        logger = self.base.getLogger("test_queue_options")
        logger.propagate = False
        if self.is_configured:
            handlers = {
                "queue": {"class": "duramen.handlers.AsyncHandler", "handlers": ["behind"], **options},
                "behind": {"()": lambda: behind},
            }
            formatters = {"plain": {"format": "%(message)s"}}
            loggers = {"test_queue_options": {"handlers": ["queue"], "level": "DEBUG", "propagate": False}}
            # Another module may have given the root handlers, which this must not close.
            configuration = {"version": 1, "disable_existing_loggers": False, "incremental": False}
            self.config.dictConfig(
                {**configuration, "formatters": formatters, "handlers": handlers, "loggers": loggers}
            )
            return logger, logger.handlers[-1]
        options = dict(options)
        names = options.pop("handlers", ["behind"])
        formatter = options.pop("formatter", None)
        found = [behind if name == "behind" else name for name in names] if names != "behind" else [names]
        handler = AsyncHandler(*found, **options)
        if formatter:
            handler.setFormatter(self.base.Formatter("%(message)s"))
        logger.handlers[:] = [handler]
        logger.setLevel("DEBUG")
        return logger, handler


@pytest.fixture(params=[False, True], ids=["imported", "installed"])
def is_installed(request):
    if request.param:
        duramen.install()
    yield request.param
    if request.param:
        duramen.uninstall()


@pytest.fixture(params=[False, True], ids=["code", "dictConfig"])
def way(request, is_installed):
    return Way(is_installed, request.param)


def wait_until(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


@pytest.mark.parametrize("row", TABLE["full"], ids=lambda row: json.dumps(row["options"]))
def test_what_is_full_does_what_the_options_say(way, row):
    behind = gated(way.base)
    logger, handler = way.make(behind, {"flush_interval": 0, **row["options"]})
    logger.info("%d", 0)
    wait_until(lambda: handler.stats()["in_flight"] == 1)
    for number, level in enumerate(row["levels"], 1):
        logger.log(level, "%d", number)
    stats = handler.stats()
    assert stats["dropped"] == {cause: row["dropped"].get(cause, 0) for cause in CAUSES}
    accounted = stats["delivered"] + stats["failed"] + stats["queued"] + stats["in_flight"]
    assert stats["accepted"] == accounted + stats["dropped"]["oldest"]
    assert handler.flush(timeout=0.01) is False
    behind.gate.set()
    assert handler.flush(timeout=20) is True
    assert behind.messages == [str(number) for number in row["kept"]]
    stats = handler.stats()
    assert (stats["delivered"], stats["queued"], stats["in_flight"]) == (len(row["kept"]), 0, 0)
    assert stats["handlers"] == [{"delivered": len(row["kept"]), "failed": 0, "below_level": 0}]
    handler.close()


def test_records_gather_for_the_flush_interval(way, tmp_path):
    behind = way.base.FileHandler(tmp_path / "out.log")
    logger, handler = way.make(behind, {"flush_interval": 60})
    for number in range(3):
        logger.info("%d", number)
    stats = handler.stats()
    assert (stats["queued"], stats["delivered"], stats["journal"]) == (3, 0, None)
    assert (tmp_path / "out.log").read_text() == ""
    # Who flushes does not wait for it.
    assert handler.flush() is True
    assert (tmp_path / "out.log").read_text() == "0\n1\n2\n"
    handler.close()


def test_a_journal_is_made_where_and_as_large_as_it_is_said(way, tmp_path):
    behind = way.base.FileHandler(tmp_path / "out.log")
    spool = tmp_path / "deep" / "spool"
    logger, handler = way.make(behind, {"journal": str(spool), "journal_size": 131072, "flush_interval": 60})
    logger.info("kept")
    journal = handler.stats()["journal"]
    assert (os.path.dirname(journal["path"]), journal["size"]) == (str(spool), 131072)
    assert journal["used"] > 0
    with open(journal["path"], "rb") as content:
        assert b"kept\n" in content.read()
    handler.close()
    assert (os.listdir(spool), (tmp_path / "out.log").read_text()) == ([], "kept\n")


@pytest.mark.parametrize("row", TABLE["wrong"], ids=lambda row: json.dumps(row["options"]))
def test_what_is_wrong_is_refused_by_name(way, row, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    behind = way.base.FileHandler(tmp_path / "out.log")
    with pytest.raises((ValueError, TypeError)) as caught:
        way.make(behind, row["options"])
    error, said = caught.value, ""
    while error is not None:
        said += f"{error}\n"
        error = error.__cause__
    assert row["named"] in said
    assert os.listdir(tmp_path) == ["out.log"]
    behind.close()


@pytest.mark.parametrize("timeout", [-1, float("nan"), "soon"])
def test_a_wrong_timeout_is_refused_by_name(way, timeout):
    _, handler = way.make(way.base.NullHandler(), {})
    with pytest.raises((ValueError, TypeError), match="timeout|'>=' not supported"):
        handler.flush(timeout=timeout)
    handler.close()
