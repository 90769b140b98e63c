"""A service: module loggers, levels, extra fields, exceptions, adapters, basicConfig."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

logger = logging.getLogger(__name__)


class RequestAdapter(logging.LoggerAdapter[logging.Logger]):
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return f"[{self.extra}] {msg}", kwargs


def configure(verbose: bool, path: "str | None" = None) -> None:
    level: int = logging.DEBUG if verbose else logging.INFO
    if path is None:
        logging.basicConfig(stream=sys.stderr, level=level, format="%(asctime)s %(message)s", force=True)
    else:
        logging.basicConfig(filename=path, encoding="utf-8", level="INFO", style="{", format="{message}")
    logging.captureWarnings(True)
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    logging.raiseExceptions = False


def work(items: "list[str]") -> int:
    adapter = RequestAdapter(logger, {"request": 1})
    for item in items:
        adapter.info("item %s", item)
    try:
        return len(items) // 0
    except ZeroDivisionError as error:
        logger.exception("no items", extra={"count": len(items)})
        logger.error("again", exc_info=error, stack_info=True, stacklevel=2)
        logger.log(logging.CRITICAL, "%(a)s", {"a": 1})
        return 0


def lookup(name: str) -> "tuple[int, str]":
    number: int = logging._nameToLevel[name]
    logging.addLevelName(15, "TRACE")
    if logging.root.isEnabledFor(number) and logger.hasHandlers():
        logging.disable(logging.NOTSET)
    return number, logging.getLevelName(number)
