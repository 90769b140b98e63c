# ruff: noqa: F403, I001
import datetime
import logging
import logging.handlers
from collections.abc import Callable
from os import PathLike
from typing import Any, TypedDict

# One by one: with an asterisk mypy would keep the standard library's classes in place of those below.
from logging.handlers import (
    DEFAULT_TCP_LOGGING_PORT as DEFAULT_TCP_LOGGING_PORT,
    DEFAULT_UDP_LOGGING_PORT as DEFAULT_UDP_LOGGING_PORT,
    DEFAULT_HTTP_LOGGING_PORT as DEFAULT_HTTP_LOGGING_PORT,
    DEFAULT_SOAP_LOGGING_PORT as DEFAULT_SOAP_LOGGING_PORT,
    SYSLOG_UDP_PORT as SYSLOG_UDP_PORT,
    SYSLOG_TCP_PORT as SYSLOG_TCP_PORT,
    BaseRotatingHandler as BaseRotatingHandler,
    BufferingHandler as BufferingHandler,
    DatagramHandler as DatagramHandler,
    HTTPHandler as HTTPHandler,
    MemoryHandler as MemoryHandler,
    NTEventLogHandler as NTEventLogHandler,
    QueueListener as QueueListener,
    SMTPHandler as SMTPHandler,
    SocketHandler as SocketHandler,
    SysLogHandler as SysLogHandler,
    _QueueLike as _QueueLike,
    _T as _T,
)

class _Dropped(TypedDict):
    newest: int
    oldest: int
    below_level: int
    timeout: int
    reentrant: int
    closed: int
    abandoned: int

class _HandlerCounts(TypedDict):
    delivered: int
    failed: int
    below_level: int

class _Journal(TypedDict):
    path: str | None
    size: int
    used: int
    unjournaled: int
    in_doubt: int
    damaged: int
    set_aside: int

class _Stats(TypedDict):
    accepted: int
    recovered: int
    delivered: int
    failed: int
    queued: int
    in_flight: int
    dropped: _Dropped
    handlers: list[_HandlerCounts]
    journal: _Journal | None

class _UpkeepStats(TypedDict):
    rolled_over: int
    compressed: int
    archived: int
    removed: int
    failed: int
    taken_away: list[str]

class _RotationUpkeep:
    def sweep(self) -> None: ...
    def wait(self, timeout: float = 5.0) -> bool: ...
    def stats(self) -> _UpkeepStats: ...

class _SyncStats(TypedDict):
    synced: int
    failed: int

class _FileSync:
    @property
    def mode(self) -> str: ...
    @property
    def interval(self) -> float | None: ...
    def stats(self) -> _SyncStats: ...

# The standard library's, with the keywords that Duramen's take beside CPython's parameters. `upkeep` and `fsync` are
# there where one of them was given.
class RotatingFileHandler(logging.handlers.RotatingFileHandler):
    upkeep: _RotationUpkeep
    fsync: _FileSync
    def __init__(
        self,
        filename: str | PathLike[str],
        mode: str = "a",
        maxBytes: int = 0,
        backupCount: int = 0,
        encoding: str | None = None,
        delay: bool = False,
        errors: str | None = None,
        *,
        when: str | None = None,
        interval: int | None = None,
        utc: bool | None = None,
        atTime: datetime.time | None = None,
        compression: str | None = None,
        max_age: str | float | datetime.timedelta | None = None,
        max_total_bytes: int | None = None,
        archive_to: str | PathLike[str] | None = None,
        archive_max_age: str | float | datetime.timedelta | None = None,
        symlink: str | PathLike[str] | None = None,
        on_rotate: Callable[[str], object] | None = None,
        fsync: str | float | datetime.timedelta | None = None,
    ) -> None: ...

class TimedRotatingFileHandler(logging.handlers.TimedRotatingFileHandler):
    upkeep: _RotationUpkeep
    fsync: _FileSync
    def __init__(
        self,
        filename: str | PathLike[str],
        when: str = "h",
        interval: int = 1,
        backupCount: int = 0,
        encoding: str | None = None,
        delay: bool = False,
        utc: bool = False,
        atTime: datetime.time | None = None,
        errors: str | None = None,
        *,
        maxBytes: int | None = None,
        compression: str | None = None,
        max_age: str | float | datetime.timedelta | None = None,
        max_total_bytes: int | None = None,
        archive_to: str | PathLike[str] | None = None,
        archive_max_age: str | float | datetime.timedelta | None = None,
        symlink: str | PathLike[str] | None = None,
        on_rotate: Callable[[str], object] | None = None,
        fsync: str | float | datetime.timedelta | None = None,
    ) -> None: ...

# Without a queue it makes its own.
class QueueHandler(logging.handlers.QueueHandler):
    def __init__(self, queue: _QueueLike[Any] = ...) -> None: ...

class WatchedFileHandler(logging.handlers.WatchedFileHandler):
    fsync: _FileSync
    def __init__(
        self,
        filename: str | PathLike[str],
        mode: str = "a",
        encoding: str | None = None,
        delay: bool = False,
        errors: str | None = None,
        *,
        fsync: str | float | datetime.timedelta | None = None,
    ) -> None: ...

class _AuditStats(TypedDict):
    written: int
    pending: int
    lost: int
    failed: int
    removed: int

class AuditFileHandler(logging.Handler):
    baseFilename: str
    def __init__(
        self,
        filename: str | PathLike[str],
        *,
        key_env: str | None = None,
        key_file: str | PathLike[str] | None = None,
        commit: str = "record",
        maxBytes: int = 0,
        when: str | None = None,
        interval: int = 1,
        utc: bool = False,
        atTime: datetime.time | None = None,
        max_age: str | float | datetime.timedelta | None = None,
        legal_hold: bool = False,
        level: int | str = 0,
    ) -> None: ...
    def stats(self) -> _AuditStats: ...

class AsyncHandler(logging.Handler):
    handlers: tuple[logging.Handler, ...]
    def __init__(
        self,
        *handlers: logging.Handler,
        capacity: int = 8192,
        overflow: str = "block",
        block_timeout: float | None = None,
        flush_interval: float = 0.05,
        journal: str | PathLike[str] | None = None,
        journal_size: int | None = None,
    ) -> None: ...
    # Wider than that of a plain handler, which takes nothing and says nothing.
    def flush(self, timeout: float | None = None) -> bool: ...  # type: ignore[override]
    def stats(self) -> _Stats: ...
