from logging import Formatter
from typing import Literal

__all__ = ["ConsoleFormatter", "JsonFormatter"]

class JsonFormatter(Formatter):
    def __init__(
        self,
        fmt: None = None,
        datefmt: None = None,
        style: Literal["%", "{", "$"] = "%",
        validate: bool = True,
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
    ) -> None: ...
