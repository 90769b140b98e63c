from collections.abc import Iterable, Mapping
from logging import Filter, LogRecord
from os import PathLike
from typing import Literal

__all__ = ["RedactingFilter"]

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
    def counts(self) -> dict[str, int]: ...
