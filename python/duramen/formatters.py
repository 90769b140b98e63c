"""Structured and coloured output: ``JsonFormatter`` and ``ConsoleFormatter``.

Both take the place of a ``logging.Formatter`` anywhere, and are native: a record that meets only
Duramen's own parts never becomes a Python object.
"""

import os
import sys

from duramen import Formatter, _core

__all__ = ["ConsoleFormatter", "JsonFormatter"]


def _refuse(class_name, option, value, right):
    if value is not None:
        raise ValueError(
            f"{class_name}: the option {option!r} has no meaning here (found {value!r}); {right}"
        )


class JsonFormatter(Formatter):
    """One JSON object on one line for each record.

    The keys, in this order: ``timestamp`` (RFC 3339, UTC, microseconds), ``level``, ``logger``,
    ``message``, every ``extra`` field, ``exception`` and ``stack`` where there are any. Values of
    ``extra`` that JSON has no form for are written as ``str()`` gives them; NaN and the infinities as
    ``null``.

    The parameters are those of ``logging.Formatter``, since ``dictConfig`` passes them. ``fmt`` and
    ``datefmt`` have to be ``None``: anything else raises ``ValueError``.

    >>> import duramen as logging
    >>> formatter = JsonFormatter()
    >>> record = logging.makeLogRecord({"name": "app", "levelname": "INFO", "msg": "hello", "created": 0.5})
    >>> record.user_id = 7
    >>> formatter.format(record)
    '{"timestamp": "1970-01-01T00:00:00.500000Z", "level": "INFO", "logger": "app", "message": "hello", "user_id": 7}'
    """

    def __init__(self, fmt=None, datefmt=None, style="%", validate=True):
        _refuse("JsonFormatter", "fmt", fmt, "the fields of the record are its layout")
        _refuse("JsonFormatter", "datefmt", datefmt, "timestamps are RFC 3339")
        super().__init__()

    def format(self, record):
        """The record as one line of JSON."""

    def usesTime(self):
        """False: the timestamp does not come from ``formatTime``."""
        return False


class ConsoleFormatter(Formatter):
    """A line for people: time, level, logger, message and ``extra`` fields, in colour on a terminal.

    ``datefmt`` is as for ``logging.Formatter``; ``fmt`` has to be ``None``. ``color`` is true, false, or
    ``None`` (the default): then colour is used unless ``NO_COLOR`` is set in the environment, if
    ``FORCE_COLOR`` is set or ``sys.stderr`` is a terminal.

    Control characters in the message are escaped: it can neither forge a line nor drive the terminal.

    >>> import duramen as logging
    >>> formatter = ConsoleFormatter(datefmt="%H:%M", color=False)
    >>> formatter.converter = __import__("time").gmtime
    >>> record = logging.makeLogRecord({"name": "app", "levelname": "INFO", "msg": "hello", "created": 0.5})
    >>> record.user_id = 7
    >>> formatter.format(record)
    '00:00 INFO     app: hello user_id=7'
    """

    def __init__(self, fmt=None, datefmt=None, style="%", validate=True, *, color=None):
        _refuse("ConsoleFormatter", "fmt", fmt, "the layout is fixed")
        super().__init__(datefmt=datefmt)
        self.color = _is_color_wanted() if color is None else bool(color)

    def format(self, record):
        """The record as a line for a terminal; tracebacks follow on lines of their own."""

    def usesTime(self):
        """True: the line begins with ``formatTime``'s text."""
        return True


def _is_color_wanted():
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


_core.put_native_methods(globals(), __name__)
