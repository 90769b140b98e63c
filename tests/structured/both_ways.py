"""Lines of a formatter as the native way and the Python way write them."""

import io
import sys

import duramen as logging
from duramen import _core


def lines_of(formatter, call):
    """The text that ``call(logger)`` gives with ``formatter``, by the native way and by the Python way."""
    texts = []
    for way in ("native", "python"):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        if way == "python":
            handler.addFilter(lambda record: True)
        logger = logging.Logger("shop.orders", logging.DEBUG)
        logger.addHandler(handler)
        assert (_core.route(logger) is None) == (way == "native"), _core.route(logger)
        call(logger)
        texts.append(stream.getvalue())
    return texts


def record(**attributes):
    """A record that a test can compare with: its time and place are fixed."""
    defaults = {
        "name": "shop.orders",
        "levelno": 30,
        "levelname": "WARNING",
        "msg": "late by %d min",
        "args": (5,),
        "created": 1709294400.25,
        "msecs": 250.0,
        "pathname": "/srv/shop/orders.py",
        "filename": "orders.py",
        "module": "orders",
        "lineno": 42,
        "funcName": "ship",
        "process": 321,
        "processName": "MainProcess",
        "thread": 139,
        "threadName": "MainThread",
    }
    if sys.version_info >= (3, 12):
        defaults["taskName"] = None
    return logging.makeLogRecord({**defaults, **attributes})


def raised(error):
    """The triple of ``error`` after it was raised here."""
    try:
        raise error
    except type(error) as caught:
        return type(caught), caught, caught.__traceback__
