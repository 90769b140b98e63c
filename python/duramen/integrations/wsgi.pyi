from collections.abc import Callable, Iterable
from typing import Any

from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["LoggingMiddleware"]

class LoggingMiddleware:
    app: WSGIApplication
    def __init__(
        self,
        app: WSGIApplication,
        *,
        logger: str | None = "duramen.access",
        request_id_header: str = "X-Request-ID",
        respond: bool = True,
        query: bool = False,
        trusted_proxies: Iterable[str] = (),
        user: Callable[[WSGIEnvironment], Any] | None = None,
        session: Callable[[WSGIEnvironment], Any] | None = None,
    ) -> None: ...
    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]: ...
