# ruff: noqa: F403, I001
import logging
from typing import TypedDict

from logging.handlers import *
from logging.handlers import _QueueLike as _QueueLike, _T as _T

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

class _Stats(TypedDict):
    accepted: int
    delivered: int
    failed: int
    queued: int
    in_flight: int
    dropped: _Dropped
    handlers: list[_HandlerCounts]

class AsyncHandler(logging.Handler):
    handlers: tuple[logging.Handler, ...]
    def __init__(
        self,
        *handlers: logging.Handler,
        capacity: int = 8192,
        overflow: str = "block",
        block_timeout: float | None = None,
        flush_interval: float = 0.05,
    ) -> None: ...
    # Wider than that of a plain handler, which takes nothing and says nothing.
    def flush(self, timeout: float | None = None) -> bool: ...  # type: ignore[override]
    def stats(self) -> _Stats: ...
