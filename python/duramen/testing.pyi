from contextlib import AbstractContextManager
from logging import Handler, Logger, LogRecord

__all__ = ["CapturingHandler", "capture"]

class CapturingHandler(Handler):
    records: list[LogRecord]
    lines: list[str]
    def __init__(self, level: int | str = 0) -> None: ...
    @property
    def messages(self) -> list[str]: ...
    @property
    def text(self) -> str: ...
    def clear(self) -> None: ...

def capture(
    logger: Logger | str | None = None, level: int | str | None = None
) -> AbstractContextManager[CapturingHandler]: ...
