"""Middleware for ASGI applications: FastAPI, Starlette, Quart, Django under an ASGI server.

>>> from duramen.integrations.asgi import LoggingMiddleware
>>> async def app(scope, receive, send):
...     await send({"type": "http.response.start", "status": 204, "headers": []})
...     await send({"type": "http.response.body"})
>>> app = LoggingMiddleware(app, logger="web.access")
"""

import asyncio
import os

from duramen import context
from duramen.integrations._request import CLIENT_CLOSED_REQUEST, Options, Request

__all__ = ["LoggingMiddleware"]


class LoggingMiddleware:
    """Puts the fields of the request on every record that is made while it is served, and logs it at its end.

    ``user`` and ``session`` are functions that get the connection's scope. All options: docs/middleware.md.
    """

    def __init__(self, app, **options):
        self.app = app
        self._options = Options("asgi.LoggingMiddleware", **options)

    async def __call__(self, scope, receive, send):
        """Serve one connection, as the ASGI specification (3.0) says."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = _Connection(self._options, scope, receive, send)
        request = connection.request
        with request.bind():
            context.bind(**request.ask(scope))
            try:
                await self.app(scope, connection.receive, connection.send)
            except asyncio.CancelledError:
                connection.is_gone = True
                connection.end()
                raise
            except BaseException as error:
                connection.end(error)
                raise
            connection.end()


class _Connection:
    """Sees what the application sends, and whether the client has gone away."""

    def __init__(self, options, scope, receive, send):
        headers = {}
        for name, value in scope.get("headers", ()):
            name, value = bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1")
            # Lines of one name are one list (RFC 9110, 5.3): so WSGI servers hand it on.
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        self._scope = scope
        self._receive = receive
        self._send = send
        self.is_gone = False
        client = scope.get("client")
        self.request = Request(
            options,
            "WEBSOCKET" if scope["type"] == "websocket" else scope["method"],
            scope["path"],
            scope.get("query_string", b"").decode("latin-1"),
            lambda name: headers.get(name.lower()),
            client[0] if client else None,
        )

    async def receive(self):
        message = await self._receive()
        if message["type"] in ("http.disconnect", "websocket.disconnect"):
            self.is_gone = True
        return message

    async def send(self, message):
        kind = message["type"]
        if kind in ("http.response.start", "websocket.http.response.start"):
            self.request.status = message["status"]
            message = self._with_header(message)
        elif kind == "websocket.accept":
            self.request.status = 101
            message = self._with_header(message)
        elif kind == "websocket.close" and self.request.status is None:
            self.request.status = 403
        elif kind in ("http.response.body", "websocket.http.response.body"):
            self.request.bytes_sent += len(message.get("body", b""))
        elif kind == "websocket.send":
            self.request.bytes_sent += len(message.get("bytes") or message.get("text") or b"")
        elif kind == "http.response.pathsend":
            self.request.bytes_sent += _size_of(message["path"])
        await self._send(message)
        is_last = kind == "http.response.body" and not message.get("more_body", False)
        if is_last or kind == "http.response.pathsend":
            # What goes on after the last byte, such as tasks in the background, is not the client's time.
            self.request.stop()
            if not self.request.has_failed:
                self.end()
            # The exception of which a framework has made this answer is raised again only now.

    def _with_header(self, message):
        header = self.request.response_header
        if header is None:
            return message
        name, value = (text.encode("latin-1") for text in header)
        others = [pair for pair in message.get("headers", ()) if bytes(pair[0]).lower() != name.lower()]
        return {**message, "headers": [*others, (name.lower(), value)]}

    def end(self, error=None):
        if not self.request.is_logged:
            # Who asks may be known only since the application has looked.
            self.request.ask(self._scope)
            if self.is_gone and self.request.status is None:
                self.request.status = CLIENT_CLOSED_REQUEST
        self.request.log(error)


def _size_of(path):
    """The length of a file that the server sends itself; whether it can is the server's to say."""
    try:
        return os.path.getsize(path)
    except OSError:
        return 0
