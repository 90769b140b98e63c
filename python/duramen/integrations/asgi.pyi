from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

__all__ = ["LoggingMiddleware"]

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]

class LoggingMiddleware:
    app: _App
    def __init__(
        self,
        app: _App,
        *,
        logger: str | None = "duramen.access",
        request_id_header: str = "X-Request-ID",
        respond: bool = True,
        query: bool = False,
        trusted_proxies: Iterable[str] = (),
        user: Callable[[_Scope], Any] | None = None,
        session: Callable[[_Scope], Any] | None = None,
    ) -> None: ...
    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None: ...
