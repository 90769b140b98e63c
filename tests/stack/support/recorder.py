"""What the programs under test import: a file of records in one format, and who implements logging."""

import logging
import sys

FORMAT = "%(levelname)s|%(name)s|%(module)s.%(funcName)s|%(message)s"


def record_to_file(path="records.log", logger=None, level=logging.DEBUG, format=FORMAT):
    """Give `logger`, the root logger by default, a file handler that writes one line a record."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(format))
    logger = logger or logging.getLogger()
    logger.addHandler(handler)
    logger.setLevel(level)
    return handler


def implementation():
    """ "duramen" where it is installed in this process, else "stdlib"."""
    duramen = sys.modules.get("duramen")
    return "duramen" if duramen is not None and duramen.is_installed() else "stdlib"
