from collections.abc import Callable, Iterable, Mapping
from logging import Filter, LogRecord
from os import PathLike
from typing import Literal

__all__ = ["DuplicateFilter", "RateLimitFilter", "RedactingFilter", "SamplingFilter"]

_Mode = Literal["mask", "partial", "pseudonym", "type", "drop"]

class RedactingFilter(Filter):
    def __init__(
        self,
        name: str = "",
        *,
        packs: Iterable[Literal["credentials", "pii", "financial"]] = ("credentials",),
        keys: Iterable[str] | None = None,
        patterns: Mapping[str, str] | None = None,
        allow: Iterable[str] | None = None,
        mode: _Mode | None = None,
        modes: Mapping[str, _Mode] | None = None,
        pseudonym_key_env: str | None = None,
        pseudonym_key_file: str | PathLike[str] | None = None,
    ) -> None: ...
    def filter(self, record: LogRecord) -> LogRecord: ...
    def text(self, text: str) -> str: ...
    def fields(self, fields: Mapping[str, object]) -> dict[str, object]: ...
    def expressions(self) -> dict[str, str]: ...
    def counts(self) -> dict[str, int]: ...

class RateLimitFilter(Filter):
    def __init__(
        self,
        rate: float,
        burst: float | None = None,
        per: str | Callable[[LogRecord], object] | None = "logger",
        exempt: int | str | None = ...,
        name: str = "",
    ) -> None: ...
    def filter(self, record: LogRecord) -> LogRecord | Literal[False]: ...  # type: ignore[override]
    def suppressed(self) -> int: ...

class DuplicateFilter(Filter):
    def __init__(self, window: float = 60.0, name: str = "") -> None: ...
    def filter(self, record: LogRecord) -> LogRecord | Literal[False]: ...  # type: ignore[override]
    def suppressed(self) -> int: ...

class SamplingFilter(Filter):
    def __init__(
        self, rate: float, keep: int | str | None = ..., field: str = "trace_id", name: str = ""
    ) -> None: ...
    def filter(self, record: LogRecord) -> LogRecord | Literal[False]: ...  # type: ignore[override]
    def suppressed(self) -> int: ...
