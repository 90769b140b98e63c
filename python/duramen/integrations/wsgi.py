"""Middleware for WSGI applications: Flask, Django, Bottle, Pyramid.

>>> from duramen.integrations.wsgi import LoggingMiddleware
>>> def app(environ, start_response):
...     start_response("200 OK", [("Content-Type", "text/plain")])
...     return [b"served"]
>>> app = LoggingMiddleware(app, logger="web.access")
"""

import contextvars

from duramen import context
from duramen.integrations._request import Options, Request

__all__ = ["LoggingMiddleware"]


class LoggingMiddleware:
    """Puts the fields of the request on every record that is made while it is served, and logs it at its end.

    ``user`` and ``session`` are functions that get the environment. All options: docs/middleware.md.
    """

    def __init__(self, app, **options):
        self.app = app
        self._options = Options("wsgi.LoggingMiddleware", **options)

    def __call__(self, environ, start_response):
        """Serve one request, as PEP 3333 says."""
        request = Request(
            self._options,
            environ.get("REQUEST_METHOD", "GET"),
            _text(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")),
            environ.get("QUERY_STRING", ""),
            lambda name: environ.get("HTTP_" + name.upper().replace("-", "_")),
            environ.get("REMOTE_ADDR"),
        )
        # The body is made after the application has returned, and belongs to the request all the same.
        own = contextvars.copy_context()
        try:
            body = own.run(self._serve, request, environ, start_response)
        except BaseException as error:
            # That of a green thread whose time is up is no Exception.
            own.run(request.log, error)
            raise
        kind = _SizedBody if hasattr(body, "__len__") else _Body
        return kind(body, request, own, environ)

    def _serve(self, request, environ, start_response):
        context.bind(**request.fields)
        context.bind(**request.ask(environ))

        def start(status, headers, *exc_info):
            request.status = int(status[:3])
            header = request.response_header
            if header is not None:
                others = [pair for pair in headers if pair[0].lower() != header[0].lower()]
                headers = [*others, header]
            write = start_response(status, headers, *exc_info)

            def counted(data):
                request.bytes_sent += len(data)
                return write(data)

            return counted

        return self.app(environ, start)


def _text(path):
    """PEP 3333 has bytes in the path as if they were Latin-1."""
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


class _Body:
    """The response's body; the request is over when it is closed, or has come to its end."""

    def __init__(self, body, request, own, environ):
        self._body = body
        self._parts = None
        self._request = request
        self._own = own
        self._environ = environ

    def __iter__(self):
        return self

    def __next__(self):
        try:
            if self._parts is None:
                self._parts = self._own.run(iter, self._body)
            part = self._own.run(next, self._parts)
        except StopIteration:
            self._end()
            raise
        except BaseException as error:
            self._end(error)
            raise
        self._request.bytes_sent += len(part)
        return part

    def close(self):
        try:
            if hasattr(self._body, "close"):
                self._own.run(self._body.close)
        finally:
            self._end()

    def _end(self, error=None):
        if not self._request.is_logged:
            self._own.run(self._request.ask, self._environ)
            self._own.run(self._request.log, error)


class _SizedBody(_Body):
    """A body of so many parts: of one, servers take its length for that of the response."""

    def __len__(self):
        return len(self._body)
