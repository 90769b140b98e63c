"""The middleware for ASGI and WSGI without a server: what comes from outside, errors, ends, options."""

import asyncio
import io
import sys
import types

import pytest

import duramen as logging
from duramen import context
from duramen.integrations import asgi, wsgi

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


class Seen(logging.Handler):
    """Keeps the records of the access log."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


@pytest.fixture
def access():
    handler = Seen()
    logger = logging.getLogger("duramen.access")
    logger.addHandler(handler)
    level, logger.level, logger.propagate = logger.level, logging.INFO, False
    yield handler.records
    logger.removeHandler(handler)
    logger.level, logger.propagate = level, True


def bodies_of(app, environ=None, close=True):
    """Serve a request as a WSGI server does: the parts of the body and the headers of the response."""
    given = {}

    def start_response(status, headers, exc_info=None):
        given.update(headers)
        return io.BytesIO().write

    basic = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "192.0.2.7", "QUERY_STRING": ""}
    body = app({**basic, **(environ or {})}, start_response)
    parts = list(body)
    if close:
        body.close()
    return parts, given


def plain(environ, start_response):
    start_response("200 OK", [])
    return [b"served"]


def served(environ, **options):
    """The fields of the record of one request."""
    handler = Seen()
    logger = logging.getLogger("duramen.access")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        bodies_of(wsgi.LoggingMiddleware(plain, **options), environ)
    finally:
        logger.removeHandler(handler)
    [record] = handler.records
    return record


@pytest.mark.parametrize(
    "hostile",
    ["", "a" * 129, "line\nbreak", 'quo"te', "{}", "a b", "é", "\x00"],
)
def test_a_request_id_from_outside_is_short_and_plain(hostile):
    made = served({"HTTP_X_REQUEST_ID": hostile}).request_id
    assert len(made) == 32 and int(made, 16)


@pytest.mark.parametrize("good", ["7f3a", "a" * 128, "2b1e-44_5.6:7~8@9+0="])
def test_a_good_request_id_is_taken(good):
    assert served({"HTTP_X_REQUEST_ID": good}).request_id == good
    assert served({"HTTP_TRACE": good}, request_id_header="Trace").request_id == good


@pytest.mark.parametrize(
    ("header", "is_valid"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-comes-later", True),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-01-more", False),
        (f"ff-{TRACE}-{SPAN}-01", False),
        (f"00-{'0' * 32}-{SPAN}-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        (f"00-{TRACE.upper()}-{SPAN}-01", False),
        (f"00-{TRACE}-{SPAN}", False),
        ("", False),
    ],
)
def test_trace_context_as_the_w3c_has_it(header, is_valid):
    record = served({"HTTP_TRACEPARENT": header})
    assert (getattr(record, "trace_id", None) == TRACE) is is_valid
    assert (record.request_id == TRACE) is is_valid
    assert (getattr(record, "parent_span_id", None) == SPAN) is is_valid


def test_an_active_span_says_the_trace_itself():
    trace = pytest.importorskip("opentelemetry.trace")
    own = trace.SpanContext(1, 2, is_remote=False)
    with trace.use_span(trace.NonRecordingSpan(own)):
        record = served({"HTTP_TRACEPARENT": f"00-{TRACE}-{SPAN}-01"})
    assert record.trace_id == f"{1:032x}" and not hasattr(record, "parent_span_id")


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 192.0.2.8", "203.0.113.9"),
        ("forged, 203.0.113.9, nonsense\n", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("", "192.0.2.7"),
    ],
)
def test_who_asks_behind_proxies(forwarded, client):
    environ = {"HTTP_X_FORWARDED_FOR": forwarded}
    assert served(environ, trusted_proxies=["192.0.2.0/24"]).client == client
    assert served(environ).client == "192.0.2.7"
    assert served(environ, trusted_proxies=["10.0.0.0/8"]).client == "192.0.2.7"


def test_proxies_of_ipv4_are_known_at_a_socket_for_both():
    """A server that listens at ``[::]`` sees them so (RFC 4291, 2.5.5.2)."""
    environ = {"REMOTE_ADDR": "::ffff:192.0.2.7", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert served(environ, trusted_proxies=["192.0.2.0/24"]).client == "203.0.113.9"


def test_opentelemetry_that_is_just_being_imported_is_asked_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", types.ModuleType("opentelemetry.trace"))
    assert served({"HTTP_TRACEPARENT": f"00-{TRACE}-{SPAN}-01"}).trace_id == TRACE


def test_an_answer_to_head_has_no_body(access):
    bodies_of(wsgi.LoggingMiddleware(plain), {"REQUEST_METHOD": "HEAD"})
    assert [record.bytes_sent for record in access] == [0]


def test_a_path_forges_no_line_and_hides_its_query():
    record = served({"PATH_INFO": "/a\nb\x1b[31m", "QUERY_STRING": "token=secret"})
    assert record.path == "/a%0Ab%1B[31m"
    assert "secret" not in record.getMessage()
    assert served({"QUERY_STRING": "page=2"}, query=True).path == "/?page=2"
    assert served({"PATH_INFO": "/caf\xc3\xa9"}).path == "/café"


def test_the_length_of_a_body_stays_known_and_the_header_is_set():
    parts, headers = bodies_of(wsgi.LoggingMiddleware(plain), {"HTTP_X_REQUEST_ID": "7f3a"})
    assert (parts, headers) == ([b"served"], {"X-Request-ID": "7f3a"})
    assert bodies_of(wsgi.LoggingMiddleware(plain, respond=False))[1] == {}
    assert len(wsgi.LoggingMiddleware(plain)({"PATH_INFO": "/"}, lambda *_: None)) == 1


def test_an_error_while_the_body_is_made_is_logged_once(access):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"part"
        raise LookupError("no such shop")

    with pytest.raises(LookupError):
        bodies_of(wsgi.LoggingMiddleware(app))
    [record] = access
    assert (record.levelno, record.exc_info[0], record.bytes_sent) == (logging.ERROR, LookupError, 4)
    assert context.get() == {}


def test_a_client_that_goes_away_ends_the_request(access):
    closed = []

    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            while True:
                yield b"part"
        finally:
            closed.append(context.get()["request_id"])

    body = wsgi.LoggingMiddleware(app)({"HTTP_X_REQUEST_ID": "7f3a"}, lambda *_: None)
    next(body)
    body.close()
    assert closed == ["7f3a"]
    assert [(record.status, record.bytes_sent) for record in access] == [(200, 4)]


def test_a_body_has_a_length_where_it_had_one():
    """Servers ask for it where it can be asked for, and an empty body must not be one that is false."""

    def generated(environ, start_response):
        start_response("200 OK", [])
        yield b"part"

    body = wsgi.LoggingMiddleware(generated)({}, lambda *_: None)
    assert not hasattr(body, "__len__") and bool(body)
    body.close()
    assert hasattr(wsgi.LoggingMiddleware(plain)({}, lambda *_: None), "__len__")


def test_the_wrapper_of_a_file_is_a_body(access):
    """PEP 3333 asks no more of one than what sequences had: items by number. Servers have such."""

    class FileWrapper:
        def __init__(self, file, size=3):
            self.file, self.size = file, size
            self.close = file.close

        def __getitem__(self, key):
            data = self.file.read(self.size)
            if data:
                return data
            raise IndexError

    file = io.BytesIO(b"content")

    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](file)

    parts, _ = bodies_of(wsgi.LoggingMiddleware(app), {"wsgi.file_wrapper": FileWrapper})
    assert parts == [b"con", b"ten", b"t"] and file.closed
    assert [(record.status, record.bytes_sent) for record in access] == [(200, 7)]


class TimeIsUp(BaseException):
    """As the timeouts of green threads are."""


@pytest.mark.parametrize("when", ["before", "within"])
def test_a_request_whose_time_is_up_is_logged(when, access):
    def before(environ, start_response):
        raise TimeIsUp

    def within(environ, start_response):
        start_response("200 OK", [])
        yield b"part"
        raise TimeIsUp

    app = {"before": before, "within": within}[when]
    with pytest.raises(TimeIsUp):
        bodies_of(wsgi.LoggingMiddleware(app), {"HTTP_X_REQUEST_ID": "7f3a"})
    [record] = access
    assert (record.status, record.exc_info[0], record.request_id) == (
        500 if when == "before" else 200,
        TimeIsUp,
        "7f3a",
    )
    assert context.get() == {}


def test_what_asks_for_the_user_fails_without_harm(access, caplog):
    def user(environ):
        raise RuntimeError("no user")

    app = wsgi.LoggingMiddleware(plain, user=user)
    assert bodies_of(app)[0] == [b"served"]
    bodies_of(app)
    assert len(access) == 2 and not hasattr(access[0], "user")


def test_no_access_log_is_an_option(access):
    bodies_of(wsgi.LoggingMiddleware(plain, logger=None))
    assert access == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"logger": 1}, "logger: found 1, expected a logger's name or None"),
        ({"request_id_header": "a b"}, "request_id_header: found 'a b'"),
        ({"respond": "no"}, "respond: found 'no', expected True or False"),
        ({"query": 1}, "query: found 1"),
        ({"trusted_proxies": "10.0.0.0/8"}, "trusted_proxies: found '10.0.0.0/8', expected a list"),
        ({"trusted_proxies": ["::1", "ten"]}, r"trusted_proxies\[1\]: found 'ten'"),
        ({"user": "ada"}, "user: found 'ada', expected a function or None"),
    ],
)
@pytest.mark.parametrize("module", [asgi, wsgi])
def test_wrong_options_are_refused(module, options, problem):
    with pytest.raises(ValueError, match=problem):
        module.LoggingMiddleware(plain, **options)
    with pytest.raises(TypeError, match="colour"):
        module.LoggingMiddleware(plain, colour="red")


def serve(app, scope, **options):
    """Serve a connection as an ASGI server does: what was sent."""
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    basic = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "client": None}
    asyncio.run(asgi.LoggingMiddleware(app, **options)({**basic, **scope}, receive, send))
    return sent


def test_a_lifespan_passes_through(access):
    async def app(scope, receive, send):
        await send({"type": "lifespan.startup.complete"})

    assert serve(app, {"type": "lifespan"}) == [{"type": "lifespan.startup.complete"}]
    assert access == []


def test_a_websocket_is_one_request(access):
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        await send({"type": "websocket.close"})

    sent = serve(app, {"type": "websocket", "headers": [(b"x-request-id", b"7f3a")]})
    assert sent[0]["headers"] == [(b"x-request-id", b"7f3a")]
    [record] = access
    assert (record.method, record.status, record.bytes_sent) == ("WEBSOCKET", 101, 5)


def test_a_websocket_that_is_refused(access):
    async def app(scope, receive, send):
        await send({"type": "websocket.close"})

    serve(app, {"type": "websocket"})
    assert [record.status for record in access] == [403]


def test_what_runs_after_the_last_byte_is_not_the_clients_time(access):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})
        assert len(access) == 1
        assert context.get()["path"] == "/"

    serve(app, {})
    assert len(access) == 1


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        # A proxy may put its line behind one that the client has made up.
        (
            [("X-Forwarded-For", "203.0.113.66"), ("X-Forwarded-For", "203.0.113.9")],
            {"client": "203.0.113.9"},
        ),
        ([("traceparent", f"00-{TRACE}-{SPAN}-01")] * 2, {"trace_id": None}),
        (
            [("X-Request-ID", "7f3a"), ("X-Request-ID", "7f3b"), ("traceparent", f"00-{TRACE}-{SPAN}-01")],
            {"request_id": TRACE},
        ),
    ],
)
def test_a_header_of_several_lines_is_one_list(headers, fields, access):
    """RFC 9110, 5.3. WSGI servers hand it on so."""
    lines = [(name.lower().encode(), value.encode()) for name, value in headers]
    serve(answer, {"headers": lines, "client": ("192.0.2.7", 1)}, trusted_proxies=["192.0.2.7"])
    assert {name: getattr(access[0], name, None) for name in fields} == fields


def test_a_file_that_the_server_sends_itself(tmp_path, access):
    """The extension ``http.response.pathsend`` of ASGI."""
    (tmp_path / "file").write_bytes(b"content")

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.pathsend", "path": str(tmp_path / "file")})
        assert len(access) == 1

    serve(app, {})
    assert [record.bytes_sent for record in access] == [7]


def test_an_exception_of_which_the_application_makes_an_answer(access):
    """Frameworks raise it again behind the last byte."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 500})
        await send({"type": "http.response.body", "body": b"failed"})
        raise LookupError

    with pytest.raises(LookupError):
        serve(app, {})
    [record] = access
    assert (record.status, record.bytes_sent, record.exc_info[0]) == (500, 6, LookupError)


def test_a_task_that_is_cancelled_is_a_client_that_went_away(access):
    async def app(scope, receive, send):
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        serve(app, {})
    assert [(record.status, record.levelno) for record in access] == [(499, logging.INFO)]


def test_an_application_that_answers_nothing_has_failed(access):
    async def app(scope, receive, send):
        pass

    serve(app, {})
    assert [(record.status, record.levelno) for record in access] == [(500, logging.ERROR)]
    assert context.get() == {}


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_client_that_goes_away_before_an_answer(kind, access):
    async def app(scope, receive, send):
        assert (await receive())["type"] == "http.disconnect"

    serve(app, {"type": kind})
    assert [(record.status, record.levelno) for record in access] == [(499, logging.INFO)]


def test_a_client_that_goes_away_within_an_answer(access):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
        await receive()

    serve(app, {})
    assert [(record.status, record.bytes_sent) for record in access] == [(200, 4)]


@pytest.mark.parametrize("error", [LookupError, TimeIsUp])
@pytest.mark.parametrize("has_begun", [False, True])
def test_an_application_that_fails(has_begun, error, access):
    async def app(scope, receive, send):
        if has_begun:
            await send({"type": "http.response.start", "status": 201})
        raise error

    with pytest.raises(error):
        serve(app, {})
    [record] = access
    assert (record.status, record.levelno) == (201 if has_begun else 500, logging.ERROR)
    assert record.exc_info[0] is error
    assert context.get() == {}


def test_a_task_in_the_background_that_fails_is_no_second_request(access):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 202})
        await send({"type": "http.response.body"})
        raise LookupError

    with pytest.raises(LookupError):
        serve(app, {})
    assert [(record.status, record.exc_info) for record in access] == [(202, None)]
