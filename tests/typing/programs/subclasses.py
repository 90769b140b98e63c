"""Classes of a user's own: handler, formatter, filter, logger, record, several bases."""

import io
import logging
import logging.handlers
from types import TracebackType
from typing import Any, Literal, TextIO


class ContextFilter(logging.Filter):
    def __init__(self, name: str = "", host: str = "localhost") -> None:
        super().__init__(name)
        self.host = host

    def filter(self, record: logging.LogRecord) -> bool:
        record.host = self.host
        return super().filter(record) is not False


class Brief(logging.Formatter):
    def __init__(self, style: Literal["%", "{", "$"] = "%") -> None:
        super().__init__(fmt=None, datefmt="%H:%M", style=style)

    def format(self, record: logging.LogRecord) -> str:
        return f"{self.formatTime(record)} {record.levelname.lower()} {record.getMessage()}"

    def formatException(
        self,
        ei: "tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]",
    ) -> str:
        return super().formatException(ei).replace("\n", " ")


class Collecting(logging.StreamHandler[TextIO]):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.stream.write(self.format(record) + self.terminator)
        except Exception:
            self.handleError(record)


class Both(logging.handlers.TimedRotatingFileHandler, logging.handlers.RotatingFileHandler):
    pass


class Audited(logging.Logger):
    def audit(self, message: str, *args: object) -> None:
        self._log(25, message, args, stacklevel=2)

    def makeRecord(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = super().makeRecord(*args, **kwargs)
        record.audited = True
        return record


def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = previous(*args, **kwargs)
    record.trace = "0"
    return record


previous = logging.getLogRecordFactory()
logging.setLogRecordFactory(factory)
logging.setLoggerClass(Audited)
handler = Collecting(io.StringIO())
handler.setFormatter(Brief("{"))
handler.addFilter(ContextFilter(host="a"))
handler.addFilter(lambda record: record.levelno > logging.DEBUG)
logging.getLogger().addHandler(handler)
log = logging.getLogger("audit")
assert isinstance(log, Audited)
log.audit("done %s", 1)
