"""How requests end on really started servers: streams, clients that go away, errors, websockets, tasks in the background."""

import http.client
import socket
import threading

import pytest

from stack.test_middleware import GUNICORN, SETUP, UVICORN, WERKZEUG, get, records
from stack.workbench import wait_until

pytestmark = pytest.mark.parametrize("stack", ["duramen"], indirect=True)

#: The parts of a stream that goes on until its client is gone; what each application shares.
SHARED = (
    SETUP
    + """
import itertools

FIRST = b"x" * 65536

def endless():
    try:
        for number in itertools.count():
            yield FIRST
    finally:
        logger.info("closed")

def breaking():
    yield b"part"
    raise LookupError("in the middle")
"""
)

STARLETTE = (
    SHARED
    + """
import asyncio, contextlib
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from duramen.integrations.asgi import LoggingMiddleware

async def async_endless():
    try:
        while True:
            yield FIRST
            await asyncio.sleep(0.001)
    finally:
        logger.info("closed")

async def work():
    await asyncio.sleep(0.05)
    logger.info("in the background")

async def echo(websocket):
    await websocket.accept()
    text = await websocket.receive_text()
    logger.info("got %s", text)
    await websocket.send_text(text)
    if text == "fail":
        raise LookupError("in the websocket")
    await websocket.close()

async def waiting(request):
    logger.info("waiting")
    while not await request.is_disconnected():
        await asyncio.sleep(0.01)
    logger.info("gone")
    raise LookupError("nobody is there")

@contextlib.asynccontextmanager
async def lifespan(app):
    logger.info("started")
    yield
    logger.info("stopped")

app = Starlette(
    routes=[
        Route("/endless", lambda request: StreamingResponse(async_endless())),
        Route("/breaking", lambda request: StreamingResponse(breaking())),
        Route("/background", lambda request: PlainTextResponse("ok", background=BackgroundTask(work))),
        Route("/waiting", waiting),
        WebSocketRoute("/echo", echo),
    ],
    middleware=[Middleware(LoggingMiddleware)],
    lifespan=lifespan,
)
"""
)

FASTAPI = (
    SHARED
    + """
import asyncio
import fastapi
from duramen.integrations.asgi import LoggingMiddleware

app = fastapi.FastAPI()
app.add_middleware(LoggingMiddleware)

@app.get("/endless")
async def endless_stream():
    async def parts():
        try:
            while True:
                yield FIRST
                await asyncio.sleep(0.001)
        finally:
            logger.info("closed")
    return fastapi.responses.StreamingResponse(parts())

@app.get("/breaking")
def breaking_stream():
    return fastapi.responses.StreamingResponse(breaking())
"""
)

FLASK = (
    SHARED
    + """
import io
import flask
from duramen.integrations.wsgi import LoggingMiddleware

app = flask.Flask("shop")
app.config["PROPAGATE_EXCEPTIONS"] = True
app.add_url_rule("/endless", "endless", lambda: flask.Response(endless()))
app.add_url_rule("/breaking", "breaking", lambda: flask.Response(breaking()))
app.add_url_rule("/file", "file", lambda: flask.send_file(__file__))
app = LoggingMiddleware(app)
"""
)

DJANGO = (
    SHARED
    + """
import django
from django.conf import settings
from django.http import FileResponse, Http404, StreamingHttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="x" * 50, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, LOGGING_CONFIG=None,
    MIDDLEWARE=["duramen.integrations.django.LoggingMiddleware"],
)
django.setup()

def missing(request):
    raise Http404("no such shop")

urlpatterns = [
    path("missing", missing),
    path("endless", lambda request: StreamingHttpResponse(endless())),
    path("breaking", lambda request: StreamingHttpResponse(breaking())),
    path("file", lambda request: FileResponse(open(__file__, "rb"))),
]
from django.core.wsgi import get_wsgi_application
app = get_wsgi_application()
"""
)

#: Django makes the parts of a stream that is no asynchronous one all at once under ASGI.
DJANGO_ASYNC = DJANGO.replace(
    "django.core.wsgi import get_wsgi_application", "django.core.asgi import get_asgi_application"
)
DJANGO_ASYNC = DJANGO_ASYNC.replace("app = get_wsgi_application()", "app = get_asgi_application()").replace(
    "urlpatterns = [",
    """
import asyncio

async def endless():
    try:
        while True:
            yield FIRST
            await asyncio.sleep(0.001)
    finally:
        logger.info("closed")

async def breaking():
    yield b"part"
    raise LookupError("in the middle")

urlpatterns = [""",
)

SERVERS = {
    "Starlette on uvicorn": (UVICORN, STARLETTE),
    "FastAPI on uvicorn": (UVICORN, FASTAPI),
    "Flask on gunicorn": (GUNICORN, FLASK),
    "Flask on werkzeug": (("shop.py",), FLASK + WERKZEUG),
    "Django on gunicorn": (GUNICORN, DJANGO),
    "Django on uvicorn": (UVICORN, DJANGO_ASYNC),
}


def started(stack, name):
    command, program = SERVERS[name]
    stack.write("shop.py", program)
    server = stack.start(*command)
    return server, int(server.wait_for(r"(?:running on|Listening at:) http://127\.0\.0\.1:(\d+)")[1])


def ask_and_go_away(port, path, identifier, size):
    """Asks, reads so many bytes, and resets the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        request = f"GET {path} HTTP/1.1\r\nHost: shop\r\nX-Request-ID: {identifier}\r\n\r\n"
        client.sendall(request.encode())
        while size > 0:
            size -= len(client.recv(min(size, 65536)))


def access_of(stack, identifier):
    return [one for one in records(stack, "duramen.access") if one["request_id"] == identifier]


def closed_streams(stack):
    return [one for one in records(stack, "shop") if one["message"] == "closed"]


@pytest.mark.parametrize("name", SERVERS)
def test_clients_that_go_away_and_streams_that_break(stack, name):
    server, port = started(stack, name)
    clients = [
        threading.Thread(target=ask_and_go_away, args=(port, "/endless", f"gone-{number}", 100_000))
        for number in range(5)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    for number in range(5):
        wait_until(lambda number=number: access_of(stack, f"gone-{number}"))
    # The connection ends before the stream does.
    with pytest.raises((OSError, http.client.HTTPException)):
        get(port, "/breaking", X_Request_ID="broken")
    wait_until(lambda: access_of(stack, "broken"))
    # What is served afterwards has nothing of those.
    assert get(port, "/absent", X_Request_ID="after")[0] == 404
    wait_until(lambda: access_of(stack, "after"))
    # An event loop may close the parts of a stream after the request has ended.
    wait_until(lambda: len(closed_streams(stack)) == 5)
    server.stop()

    for number in range(5):
        [one] = access_of(stack, f"gone-{number}")
        assert (one["status"], one["path"]) == (200, "/endless")
        assert one["bytes_sent"] >= 65536 and one["duration_ms"] > 0
    closed = [one["request_id"] for one in closed_streams(stack)]
    assert sorted(closed) == [f"gone-{number}" for number in range(5)]
    [broken] = access_of(stack, "broken")
    assert (broken["status"], broken["levelname"]) == (200, "ERROR")
    assert broken["bytes_sent"] == 4 and "in the middle" in broken["exc_info"]
    [after] = access_of(stack, "after")
    assert (after["status"], after["path"]) == (404, "/absent")


@pytest.mark.parametrize("name", ["Flask on gunicorn", "Flask on werkzeug", "Django on gunicorn"])
def test_files(stack, name):
    server, port = started(stack, name)
    status, _, text = get(port, "/file", X_Request_ID="file")
    # The record comes after the last byte, and a server that is stopped in between ends its thread.
    wait_until(lambda: access_of(stack, "file"))
    server.stop()
    [one] = access_of(stack, "file")
    assert (status, one["status"], one["bytes_sent"]) == (200, 200, len(text.encode()))


@pytest.mark.parametrize("name", ["Django on gunicorn", "Django on uvicorn"])
def test_an_exception_that_is_an_answer_is_no_failure(stack, name):
    server, port = started(stack, name)
    assert get(port, "/missing", X_Request_ID="missing")[0] == 404
    wait_until(lambda: access_of(stack, "missing"))
    server.stop()
    [one] = access_of(stack, "missing")
    assert (one["status"], one["levelname"], one.get("exc_info")) == (404, "INFO", None)


def test_tasks_in_the_background_and_the_lifespan(stack):
    server, port = started(stack, "Starlette on uvicorn")
    assert get(port, "/background", X_Request_ID="task")[2] == "ok"
    wait_until(lambda: any(one["message"] == "in the background" for one in records(stack, "shop")))
    ask_and_go_away(port, "/waiting", "left", 0)
    wait_until(lambda: access_of(stack, "task") and access_of(stack, "left"))
    server.stop()
    own = {one["message"]: one for one in records(stack, "shop")}
    assert own["in the background"]["request_id"] == "task"
    assert "request_id" not in own["started"] and "request_id" not in own["stopped"]
    [task] = access_of(stack, "task")
    assert (task["status"], task["bytes_sent"]) == (200, 2)
    [left] = access_of(stack, "left")
    assert left["status"] == 499 and "nobody is there" in left["exc_info"]


TALK = """
    import sys
    from websockets.sync.client import connect
    from websockets.exceptions import ConnectionClosed

    port = sys.argv[1]
    for text in ("hello", "fail"):
        headers = {"X-Request-ID": text}
        with connect(f"ws://127.0.0.1:{port}/echo", additional_headers=headers) as client:
            client.send(text)
            print(client.recv(), client.response.headers["X-Request-ID"])
    with connect(f"ws://127.0.0.1:{port}/echo", additional_headers={"X-Request-ID": "left"}) as client:
        pass
    try:
        connect(f"ws://127.0.0.1:{port}/absent", additional_headers={"X-Request-ID": "refused"})
    except Exception as error:
        print(type(error).__name__)
"""


def test_websockets(stack):
    server, port = started(stack, "Starlette on uvicorn")
    stack.write("talk.py", TALK)
    talked = stack.run("talk.py", str(port)).stdout.splitlines()
    assert talked[:2] == ["hello hello", "fail fail"]
    for identifier in ("hello", "fail", "left", "refused"):
        wait_until(lambda identifier=identifier: access_of(stack, identifier))
    server.stop()
    found = {}
    for identifier in ("hello", "fail", "left", "refused"):
        [found[identifier]] = access_of(stack, identifier)
    assert {one["method"] for one in found.values()} == {"WEBSOCKET"}
    assert [found[name]["status"] for name in ("hello", "fail", "left", "refused")] == [101, 101, 101, 403]
    assert found["hello"]["bytes_sent"] == 5
    assert "in the websocket" in found["fail"]["exc_info"]
    got = {one["message"]: one["request_id"] for one in records(stack, "shop") if "got" in one["message"]}
    assert got == {"got hello": "hello", "got fail": "fail"}
