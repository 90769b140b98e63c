from collections.abc import Callable, Iterable, Mapping
from logging import Formatter
from typing import Any, Literal

__all__ = ["ConsoleFormatter", "EscapingFormatter", "JsonFormatter", "LogfmtFormatter"]

_Style = Literal["%", "{", "$", ","]
_Fields = Iterable[str] | Mapping[str, str]
_TimeFormat = Literal["rfc3339", "epoch", "epoch_ms", "epoch_us", "epoch_ns"]
_Exceptions = Literal["text", "lines", "object", "both"]
_Preset = Literal["ecs", "opentelemetry", "google_cloud", "datadog", "gelf", "logstash"]

class _Structured(Formatter):
    def usesTime(self) -> bool: ...

class JsonFormatter(_Structured):
    def __init__(
        self,
        fmt: str | Iterable[str] | None = None,
        datefmt: str | None = None,
        style: _Style = "%",
        validate: bool = True,
        *,
        prefix: str | None = None,
        rename_fields: Mapping[str, str] | None = None,
        rename_fields_keep_missing: bool = False,
        static_fields: Mapping[str, Any] | None = None,
        reserved_attrs: Iterable[str] | None = None,
        timestamp: bool | str = False,
        defaults: Mapping[str, Any] | None = None,
        exc_info_as_array: bool = False,
        stack_info_as_array: bool = False,
        json_default: Callable[[Any], Any] | None = None,
        json_encoder: Callable[[], Any] | None = None,
        json_serializer: Callable[..., str | bytes] | None = None,
        json_indent: int | str | None = None,
        json_ensure_ascii: bool = False,
        fields: _Fields | None = None,
        preset: _Preset | None = None,
        host: str | None = None,
        project: str | None = None,
        time_format: _TimeFormat | None = None,
        time_zone: str | None = None,
        exceptions: _Exceptions | None = None,
        default: Callable[[Any], Any] | None = None,
        max_depth: int | None = None,
    ) -> None: ...

class LogfmtFormatter(_Structured):
    def __init__(
        self,
        fmt: str | Iterable[str] | None = None,
        datefmt: str | None = None,
        style: _Style = "%",
        validate: bool = True,
        *,
        rename_fields: Mapping[str, str] | None = None,
        static_fields: Mapping[str, Any] | None = None,
        defaults: Mapping[str, Any] | None = None,
        fields: _Fields | None = None,
        time_format: _TimeFormat | None = None,
        time_zone: str | None = None,
        exceptions: _Exceptions | None = None,
        default: Callable[[Any], Any] | None = None,
        max_depth: int | None = None,
    ) -> None: ...

class ConsoleFormatter(Formatter):
    color: bool
    def __init__(
        self,
        fmt: None = None,
        datefmt: str | None = None,
        style: Literal["%", "{", "$"] = "%",
        validate: bool = True,
        *,
        color: bool | None = None,
        align: int | None = None,
        default: Callable[[Any], Any] | None = None,
    ) -> None: ...

class EscapingFormatter(Formatter): ...
