"""Configuration by dict and by file, queues and rotating files."""

import logging
import logging.config
import logging.handlers
import queue
from logging import Formatter, Logger, LogRecord, getLogger
from logging.config import dictConfig, fileConfig
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from typing import Any

CONFIG: "dict[str, Any]" = {
    "version": 1,
    "handlers": {"out": {"class": "logging.StreamHandler"}},
    "root": {"level": "INFO", "handlers": ["out"]},
}


def configure(path: str) -> "list[logging.Handler]":
    dictConfig(CONFIG)
    dictConfig({"version": 1, "disable_existing_loggers": False, "root": {"level": logging.INFO}})
    fileConfig(path, defaults={"a": "b"}, disable_existing_loggers=False)
    logging.config.dictConfigClass(CONFIG).configure()
    rotating = RotatingFileHandler("app.log", maxBytes=1_000, backupCount=3, delay=True)
    rotating.namer = lambda name: name + ".gz"
    timed = logging.handlers.TimedRotatingFileHandler("app.log", when="midnight", utc=True)
    timed.suffix = "%Y"
    memory = logging.handlers.MemoryHandler(10, flushLevel=logging.ERROR, target=rotating)
    syslog = logging.handlers.SysLogHandler(("localhost", 514), logging.handlers.SysLogHandler.LOG_USER)
    return [rotating, timed, memory, syslog]


def listen(handlers: "list[logging.Handler]") -> QueueListener:
    records: queue.Queue[Any] = queue.Queue(-1)
    logger: Logger = getLogger("app")
    logger.addHandler(QueueHandler(records))
    listener = QueueListener(records, *handlers, respect_handler_level=True)
    listener.start()
    return listener


def render(record: LogRecord, formatter: "Formatter | None" = None) -> str:
    return (formatter or Formatter()).format(record)


def tree(manager: logging.Manager) -> "list[str]":
    return [
        name for name, logger in manager.loggerDict.items() if not isinstance(logger, logging.PlaceHolder)
    ]
