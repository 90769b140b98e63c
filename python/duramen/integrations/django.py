"""Middleware for Django, under WSGI and ASGI servers.

Put ``"duramen.integrations.django.LoggingMiddleware"`` at the head of the setting ``MIDDLEWARE``; options stand in the
setting ``DURAMEN``, a dict.
"""

import asyncio
import hashlib

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings

from duramen import context
from duramen.integrations._request import CLIENT_CLOSED_REQUEST, Options, Request

__all__ = ["LoggingMiddleware"]


class LoggingMiddleware:
    """Puts the fields of the request on every record that is made while it is served, and logs it at its end.

    The primary key of the user and a digest of the session's key are on the access record where the application has
    looked at them: to look would make Django read the session, and vary the response by its cookie. ``user`` and
    ``session`` are functions that get Django's request, for more. All options: docs/middleware.md.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        options = {"user": _user, "session": _session, **getattr(settings, "DURAMEN", {})}
        self._options = Options("django.LoggingMiddleware", **options)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request):
        """Serve one request; gives the response, or under an ASGI server a coroutine for it."""
        if self._is_async:
            return self._serve_async(request)
        own = self._begin(request)
        with own.bind():
            try:
                response = self.get_response(request)
            except BaseException as error:
                own.log(error)
                raise
            return self._ended(own, request, response)

    async def _serve_async(self, request):
        own = self._begin(request)
        with own.bind():
            try:
                response = await self.get_response(request)
            except asyncio.CancelledError:
                # Django does so when the client has gone away.
                own.status = CLIENT_CLOSED_REQUEST
                own.log()
                raise
            except BaseException as error:
                own.log(error)
                raise
            return self._ended(own, request, response)

    def process_exception(self, request, exception):
        """Keep the exception, which Django makes a response of."""
        request._duramen_exception = exception

    def _begin(self, request):
        meta = request.META
        return Request(
            self._options,
            request.method,
            request.path,
            meta.get("QUERY_STRING", ""),
            request.headers.get,
            meta.get("REMOTE_ADDR"),
        )

    def _ended(self, own, request, response):
        own.status = response.status_code
        header = own.response_header
        if header is not None:
            response[header[0]] = header[1]
        own.ask(request)
        if response.streaming:
            self._stream(own, request, response)
        else:
            own.bytes_sent = len(response.content)
        close = response.close

        def close_and_log():
            # What is closed with it, such as the parts of a stream, belongs to the request.
            with own.bind():
                try:
                    close()
                finally:
                    # Of some exceptions Django makes answers that are no failures, such as 404.
                    own.log(getattr(request, "_duramen_exception", None) if own.has_failed else None)

        # Django closes each response after its last byte.
        response.close = close_and_log
        return response

    def _stream(self, own, request, response):
        """Let the parts be made with the fields of the request, too, and be counted."""
        parts = response.streaming_content

        def count(part):
            own.bytes_sent += len(part)
            return part

        failing = _Failing(own)

        @context.bound(**own.fields)
        def made():
            with failing:
                for part in parts:
                    yield count(part)

        @context.bound(**own.fields)
        async def made_async():
            with failing:
                async for part in parts:
                    yield count(part)

        response.streaming_content = made_async() if response.is_async else made()


class _Failing:
    """Logs the request whose stream an exception ends, since Django leaves its response open under ASGI.

    To be closed is none.
    """

    def __init__(self, own):
        self._own = own

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if error is not None and not isinstance(error, (GeneratorExit, asyncio.CancelledError)):
            self._own.log(error)


def _user(request):
    user = getattr(request, "_cached_user", None)
    return user.pk if user is not None and user.is_authenticated else None


def _session(request):
    session = getattr(request, "session", None)
    if session is None or not getattr(session, "accessed", False) or not session.session_key:
        return None
    # The key itself lets whoever reads it take over the session.
    return hashlib.sha256(session.session_key.encode()).hexdigest()[:16]
