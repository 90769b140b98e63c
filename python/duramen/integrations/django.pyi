from collections.abc import Callable
from typing import Any

__all__ = ["LoggingMiddleware"]

class LoggingMiddleware:
    sync_capable: bool
    async_capable: bool
    get_response: Callable[[Any], Any]
    def __init__(self, get_response: Callable[[Any], Any]) -> None: ...
    def __call__(self, request: Any) -> Any: ...
    def process_exception(self, request: Any, exception: BaseException) -> None: ...
