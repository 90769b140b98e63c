"""Values whose text is made by code that changes the handler they are written to."""

import io
import threading

import pytest

import duramen as logging
from duramen.formatters import JsonFormatter


class Acting:
    """Does something when its text is asked for."""

    def __init__(self, action):
        self._action = action

    def __str__(self):
        action, self._action = self._action, lambda: None
        action()
        return "acted"


@pytest.fixture
def logger(tmp_path):
    """A logger with a file of its own, into which the direct way writes already."""
    logger = logging.getLogger("acting")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.FileHandler(tmp_path / "first.log")
    handler.setFormatter(JsonFormatter(fields=["message"]))
    logger.addHandler(handler)
    for _ in range(3):
        logger.info("before")
    yield logger
    logger.removeHandler(handler)
    handler.close()


def test_a_stream_that_is_replaced_meanwhile_is_not_written_to(logger, tmp_path):
    handler = logger.handlers[0]
    other = io.StringIO()

    def replace():
        old, handler.stream = handler.stream, other
        old.close()

    logger.info("after", extra={"value": Acting(replace)})
    assert (tmp_path / "first.log").read_text().count("\n") == 3
    assert other.getvalue() == '{"message": "after", "value": "acted"}\n'


def test_a_thread_that_takes_the_lock_meanwhile_is_waited_for(logger, tmp_path):
    handler = logger.handlers[0]
    holds, finished = threading.Event(), []

    def hold():
        with handler.lock:
            holds.set()
            # Long enough for the record to be written, were the lock not respected.
            for _ in range(200):
                finished.append((tmp_path / "first.log").read_text().count("\n"))

    def start():
        threads.append(threading.Thread(target=hold))
        threads[0].start()
        holds.wait()

    threads = []
    logger.info("after", extra={"value": Acting(start)})
    threads[0].join()
    assert set(finished) == {3}
    assert (tmp_path / "first.log").read_text().count("\n") == 4
