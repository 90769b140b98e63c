"""Helpers for tests that look at what was logged.

``capture()`` works anywhere; the fixtures are there for a pytest run that asks for them::

    # conftest.py
    pytest_plugins = ["duramen.testing"]

    # test_app.py
    def test_it_says_so(duramen_capture):
        connect()
        assert duramen_capture.messages == ["connected"]

They are not a plugin that pytest finds by itself: a Duramen that is merely installed leaves a test run,
and what ``caplog`` sees in it, alone.
"""

import contextlib

import duramen

__all__ = ["CapturingHandler", "capture"]


class CapturingHandler(duramen.Handler):
    """Keeps every record that it handles, and the line that its formatter made of it.

    ``records`` holds the records, ``lines`` the formatted text of each, made when it was handled.
    Without a formatter of its own a line reads ``LEVEL:name:message``, as with ``basicConfig()``.
    """

    def __init__(self, level=duramen.NOTSET):
        super().__init__(level)
        self.setFormatter(duramen.Formatter(duramen.BASIC_FORMAT))
        self.records = []
        self.lines = []

    def emit(self, record):
        """Keep ``record`` and its line; what goes wrong while formatting is raised, for the test to see."""
        line = self.format(record)
        self.records.append(record)
        self.lines.append(line)

    @property
    def messages(self):
        """The message of each record, its arguments merged into it."""
        return [record.getMessage() for record in self.records]

    @property
    def text(self):
        """All lines, each with a line feed at its end."""
        return "".join(line + "\n" for line in self.lines)

    def clear(self):
        """Forget what was captured so far."""
        self.acquire()
        try:
            self.records.clear()
            self.lines.clear()
        finally:
            self.release()


@contextlib.contextmanager
def capture(logger=None, level=None):
    """Capture what ``logger`` and the loggers below it log; gives the ``CapturingHandler``.

    ``logger`` is a logger, or the name of one of ``duramen``'s; None is the root logger. With a
    ``level``, the logger lets everything from it upwards through for the time, and nothing below it is
    captured. At the end the logger is as it was.
    """
    if logger is None or isinstance(logger, str):
        logger = duramen.getLogger(logger)
    handler = CapturingHandler(duramen.NOTSET if level is None else level)
    level_before = logger.level
    logger.addHandler(handler)
    try:
        if level is not None:
            logger.setLevel(level)
        yield handler
    finally:
        logger.setLevel(level_before)
        logger.removeHandler(handler)


try:
    import pytest
except ImportError:
    pass
else:

    @pytest.fixture
    def duramen_capture():
        """Everything that reaches the root logger during the test, whatever its level."""
        # 1 and not NOTSET, which on the root logger means the same but on another means "inherit".
        with capture(level=1) as handler:
            yield handler

    @pytest.fixture
    def duramen_installed():
        """``duramen.install()`` for the time of the test."""
        if duramen.is_installed():
            yield
            return
        duramen.install()
        try:
            yield
        finally:
            duramen.uninstall()
