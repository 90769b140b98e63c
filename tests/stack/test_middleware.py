"""The integrations on really started servers and workers: each record has the fields of its own request or job."""

import concurrent.futures
import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from stack.workbench import wait_until

pytestmark = pytest.mark.parametrize("stack", ["duramen"], indirect=True)

SETUP = """
import logging
from duramen.formatters import JsonFormatter

handler = logging.FileHandler("records.log")
handler.setFormatter(JsonFormatter(fields=["levelname", "name", "message", "exc_info"]))
logging.getLogger().addHandler(handler)
logging.getLogger().setLevel(logging.INFO)
logger = logging.getLogger("shop")
"""

STARLETTE = (
    SETUP
    + """
import asyncio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from duramen.integrations.asgi import LoggingMiddleware

async def item(request):
    number = request.path_params["number"]
    logger.info("begin %s", number)
    await asyncio.sleep(0.01)
    logger.info("end %s", number)
    return PlainTextResponse(number)

def blocking(request):
    logger.info("in a thread")
    return PlainTextResponse("done")

async def stream(request):
    async def parts():
        for number in range(3):
            logger.info("part %d", number)
            yield f"{number}\\n"
    return StreamingResponse(parts())

async def fail(request):
    raise LookupError("no such shop")

app = Starlette(
    routes=[
        Route("/items/{number}", item),
        Route("/blocking", blocking),
        Route("/stream", stream),
        Route("/fail", fail),
    ],
    middleware=[Middleware(LoggingMiddleware, user=lambda scope: "ada")],
)
"""
)

FASTAPI = (
    SETUP
    + """
import asyncio
import fastapi
from duramen.integrations.asgi import LoggingMiddleware

app = fastapi.FastAPI()

@app.get("/items/{number}")
async def item(number):
    logger.info("begin %s", number)
    await asyncio.sleep(0.01)
    logger.info("end %s", number)
    return number

@app.get("/blocking")
def blocking():
    logger.info("in a thread")
    return "done"

@app.get("/stream")
async def stream():
    async def parts():
        for number in range(3):
            logger.info("part %d", number)
            yield f"{number}\\n"
    return fastapi.responses.StreamingResponse(parts())

@app.get("/fail")
async def fail():
    raise LookupError("no such shop")

app.add_middleware(LoggingMiddleware, user=lambda scope: "ada")
"""
)

FLASK = (
    SETUP
    + """
import time
import flask
from duramen.integrations.wsgi import LoggingMiddleware

app = flask.Flask("shop")

@app.get("/items/<number>")
def item(number):
    logger.info("begin %s", number)
    time.sleep(0.01)
    logger.info("end %s", number)
    return number

@app.get("/blocking")
def blocking():
    logger.info("in a thread")
    return "done"

@app.get("/stream")
def stream():
    def parts():
        for number in range(3):
            logger.info("part %d", number)
            yield f"{number}\\n"
    return flask.Response(parts())

@app.get("/fail")
def fail():
    raise LookupError("no such shop")

# The application's own handling of errors is not in the way of the record.
app.config["PROPAGATE_EXCEPTIONS"] = True
app = LoggingMiddleware(app, user=lambda environ: "ada")
"""
)

DJANGO = (
    SETUP
    + """
import asyncio
import time
import django
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="x" * 50,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    LOGGING_CONFIG=None,
    MIDDLEWARE=["duramen.integrations.django.LoggingMiddleware"],
    DURAMEN={"user": lambda request: "ada"},
)
django.setup()

def item(request, number):
    logger.info("begin %s", number)
    time.sleep(0.01)
    logger.info("end %s", number)
    return HttpResponse(number)

async def item_async(request, number):
    logger.info("begin %s", number)
    await asyncio.sleep(0.01)
    logger.info("end %s", number)
    return HttpResponse(number)

def blocking(request):
    logger.info("in a thread")
    return HttpResponse("done")

def stream(request):
    def parts():
        for number in range(3):
            logger.info("part %d", number)
            yield f"{number}\\n"
    return StreamingHttpResponse(parts())

def fail(request):
    raise LookupError("no such shop")

urlpatterns = [
    path("items/<number>", ITEM),
    path("blocking", blocking),
    path("stream", stream),
    path("fail", fail),
]
from django.core.HANDLERS import get_HANDLERS_application
app = get_HANDLERS_application()
"""
)

UVICORN = ("-m", "uvicorn", "--host", "127.0.0.1", "--port", "0", "--log-level", "info", "shop:app")
GUNICORN = (
    "-m",
    "gunicorn",
    "--bind",
    "127.0.0.1:0",
    "--worker-class",
    "gthread",
    "--threads",
    "8",
    "shop:app",
)
#: The server that Flask's own command starts.
WERKZEUG = """
import werkzeug.serving

server = werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True)
print(f"running on http://127.0.0.1:{server.port}", flush=True)
server.serve_forever()
"""
SERVERS = {
    "Starlette on uvicorn": (UVICORN, STARLETTE),
    "FastAPI on uvicorn": (UVICORN, FASTAPI),
    "Flask on gunicorn": (GUNICORN, FLASK),
    "Flask on werkzeug": (("shop.py",), FLASK + WERKZEUG),
    "Django on gunicorn": (GUNICORN, DJANGO.replace("HANDLERS", "wsgi").replace("ITEM", "item")),
    "Django on uvicorn": (UVICORN, DJANGO.replace("HANDLERS", "asgi").replace("ITEM", "item_async")),
}


def get(port, path, **headers):
    """The status, the id in the response's header, and the text."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["X-Request-ID"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["X-Request-ID"], error.read().decode()


def records(stack, name=None):
    """The records that were written, of one logger."""
    found = [json.loads(line) for line in stack.read_lines()]
    return [one for one in found if name is None or one["name"] == name]


@pytest.mark.parametrize("name", SERVERS)
def test_each_record_has_the_fields_of_its_request(stack, name):
    command, program = SERVERS[name]
    stack.write("shop.py", program)
    server = stack.start(*command)
    port = server.wait_for(r"(?:running on|Listening at:) http://127\.0\.0\.1:(\d+)")[1]
    with concurrent.futures.ThreadPoolExecutor(25) as pool:
        ask = lambda number: get(port, f"/items/{number}", X_Request_ID=f"id-{number}")  # noqa: E731
        answers = list(pool.map(ask, range(50)))
    assert [(status, given) for status, given, _ in answers] == [
        (200, f"id-{number}") for number in range(50)
    ]
    status, made, _ = get(port, "/blocking?token=secret", X_Request_ID="forged id {}")
    assert status == 200 and re.fullmatch("[0-9a-f]{32}", made)
    trace = "0af7651916cd43dd8448eb211c80319c"
    assert get(port, "/stream", traceparent=f"00-{trace}-b7ad6b7169203331-01")[1:] == (trace, "0\n1\n2\n")
    assert get(port, "/fail", X_Request_ID="failing")[0] == 500
    # A record of access comes after the last byte of its answer.
    wait_until(lambda: len(records(stack, "duramen.access")) >= 53)
    server.stop()

    own = records(stack, "shop")
    for number in range(50):
        of_request = [one for one in own if one["request_id"] == f"id-{number}"]
        assert [one["message"] for one in of_request] == [f"begin {number}", f"end {number}"]
        assert {(one["method"], one["path"], one["client"]) for one in of_request} == {
            ("GET", f"/items/{number}", "127.0.0.1")
        }
    assert [one["request_id"] for one in own if one["message"] == "in a thread"] == [made]
    parts = [one for one in own if one["message"].startswith("part")]
    assert [(one["request_id"], one["trace_id"], one["parent_span_id"]) for one in parts] == [
        (trace, trace, "b7ad6b7169203331")
    ] * 3

    access = records(stack, "duramen.access")
    assert sorted(one["request_id"] for one in access) == sorted(
        [*(f"id-{number}" for number in range(50)), made, trace, "failing"]
    )
    by_id = {one["request_id"]: one for one in access}
    assert all(one["user"] == "ada" and one["duration_ms"] > 0 for one in access)
    for number in range(50):
        one = by_id[f"id-{number}"]
        length = len(answers[number][2].encode())
        assert (one["status"], one["levelname"], one["bytes_sent"]) == (200, "INFO", length)
        assert one["duration_ms"] >= 10
    assert by_id[made]["path"] == "/blocking" and by_id[trace]["bytes_sent"] == 6
    failing = by_id["failing"]
    assert (failing["status"], failing["levelname"]) == (500, "ERROR")
    assert failing["exc_info"].endswith("LookupError: no such shop")


@pytest.mark.parametrize(
    ("number", "setup"),
    [
        (0, "import fastapi; app = fastapi.FastAPI()"),
        (1, "import flask; app = flask.Flask('shop')"),
        (2, ""),
        (3, ""),
    ],
    ids=["ASGI", "WSGI", "Django", "Celery"],
)
def test_the_examples_of_the_page(stack, number, setup):
    page = (Path(__file__).parents[2] / "docs" / "middleware.md").read_text("utf-8")
    examples = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert len(examples) == 4
    stack.run_source(f"{setup}\n{examples[number]}")


TASKS = (
    SETUP
    + """
import celery
import file_broker
from duramen.integrations.celery import connect

app = celery.Celery("shop")
app.conf.update(
    file_broker.settings(),
    worker_hijack_root_logger=False,
)
connect(parameters=True, result=True)

@app.task
def add(first, second):
    logger.info("adding")
    return first + second

@app.task
def fail():
    raise LookupError("no such shop")
"""
)

PUBLISH = """
    from duramen import context
    import tasks

    for number in range(4):
        with context.bound(request_id=f"id-{number}"):
            assert tasks.add.delay(number, 1).get(timeout=50, interval=0.05) == number + 1
    try:
        tasks.fail.delay().get(timeout=50, interval=0.05)
    except LookupError:
        print("failed")
"""


def test_celery_tasks_have_the_id_of_the_request_that_made_them(stack):
    stack.write("tasks.py", TASKS)
    options = ("--concurrency", "2", "--pool", "prefork", "--without-gossip", "--without-mingle")
    worker = stack.start("-m", "celery", "--app", "tasks", "worker", "--loglevel", "INFO", *options)
    worker.wait_for(r"tasks\.fail")
    # It says so in the application's file, since its own handlers are left out.
    wait_until(lambda: any(one["message"].endswith(" ready.") for one in records(stack)))
    stack.write("publish.py", PUBLISH)
    assert stack.run("publish.py").stdout == "failed\n"
    worker.stop()
    adding = records(stack, "shop")
    assert sorted(one["request_id"] for one in adding) == [f"id-{number}" for number in range(4)]
    assert {one["task_name"] for one in adding} == {"tasks.add"}
    ends = records(stack, "duramen.tasks")
    assert [
        (one["task_state"], one["levelname"], one.get("request_id"), one["task_result"])
        for one in sorted(ends, key=lambda one: one.get("request_id", "z"))
    ] == [
        *(("SUCCESS", "INFO", f"id-{number}", str(number + 1)) for number in range(4)),
        ("FAILURE", "ERROR", None, "LookupError('no such shop')"),
    ]
    by_id = {one["task_id"]: one for one in ends}
    assert all(by_id[one["task_id"]]["task_parameters"] == one["task_parameters"] for one in adding)
    assert sorted(one["task_parameters"] for one in adding)[0] in ("([0, 1], {})", "((0, 1), {})")
    assert all(one["duration_ms"] > 0 and one["task_retries"] == 0 for one in ends)


RQ = (
    SETUP
    + """
import sys
import redis
from duramen import context
from duramen.integrations import rq

class Worker(rq.Worker):
    parameters = True
    result = True

connection = redis.Redis(unix_socket_path=sys.argv[1])
queue = rq.Queue("orders", connection=connection)
for number in range(3):
    with context.bound(request_id=f"id-{number}"):
        queue.enqueue("jobs.add", number, second=1)
queue.enqueue("jobs.fail")
Worker([queue], connection=connection).work(burst=True)
"""
)

JOBS = """
    import logging

    def add(first, second):
        logging.getLogger("shop").info("adding")
        return first + second

    def fail():
        raise LookupError("no such shop")
"""


def test_rq_jobs_have_the_id_of_the_request_that_made_them(stack, redis_socket):
    stack.write("jobs.py", JOBS)
    stack.run_source(RQ, redis_socket)
    adding = records(stack, "shop")
    assert [one["request_id"] for one in adding] == [f"id-{number}" for number in range(3)]
    assert [one["task_parameters"] for one in adding] == [
        f"(({number},), {{'second': 1}})" for number in range(3)
    ]
    ends = records(stack, "duramen.tasks")
    assert [
        (one["task_name"], one["task_state"], one.get("request_id"), one["task_result"]) for one in ends
    ] == [
        *(("jobs.add", "SUCCESS", f"id-{number}", str(number + 1)) for number in range(3)),
        ("jobs.fail", "FAILURE", None, "None"),
    ]
    assert all(one["task_queue"] == "orders" and one["duration_ms"] > 0 for one in ends)


RQ_UNREADABLE = (
    SETUP
    + """
import os, sys
import redis
from duramen.integrations import rq
import orders

connection = redis.Redis(unix_socket_path=sys.argv[1])
queue = rq.Queue("orders", connection=connection)
queue.enqueue("jobs.add", orders.Order(), second=1)
queue.enqueue("jobs.add", 1, second=1)
del sys.modules["orders"]
os.remove("orders.py")
rq.SimpleWorker([queue], connection=connection).work(burst=True)
print(queue.failed_job_registry.count)
"""
)


def test_a_worker_goes_on_behind_a_job_that_cannot_be_read(stack, redis_socket):
    stack.write("jobs.py", JOBS)
    stack.write("orders.py", "class Order: pass")
    assert stack.run_source(RQ_UNREADABLE, redis_socket).stdout.split() == ["1"]
    ends = [(one["task_name"], one["task_state"]) for one in records(stack, "duramen.tasks")]
    assert ends == [("(unreadable)", "FAILURE"), ("jobs.add", "SUCCESS")]


CELERY_TWICE = (
    SETUP
    + """
import threading
import celery
from duramen import context
from duramen.integrations import celery as integration

app = celery.Celery("shop")
integration.connect()
both = threading.Barrier(2)

@app.task
def pack():
    both.wait(60)

def run(request_id):
    with context.bound(request_id=request_id):
        pack.apply(task_id="redelivered")
        # The one ends while the other is running.
        logger.info("behind")

threads = [threading.Thread(target=run, args=(name,)) for name in ("first", "second")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
)


def test_a_task_that_is_delivered_again_while_it_runs(stack):
    """As brokers do with one that takes longer than they wait: it runs twice, in threads of one worker, under one id."""
    stack.run_source(CELERY_TWICE)
    ends = records(stack, "duramen.tasks")
    assert sorted(one["request_id"] for one in ends) == ["first", "second"]
    behind = records(stack, "shop")
    assert len(behind) == 2 and not any("task_id" in one for one in behind)


CELERY_ENDED = (
    SETUP
    + """
import celery
from duramen import context
from duramen.integrations import celery as integration

app = celery.Celery("shop")
integration.connect()

@app.task
def pack():
    raise SystemExit(1)

try:
    pack.apply()
except SystemExit:
    logger.info("behind")
"""
)


def test_a_task_that_is_ended_from_outside(stack):
    """As the worker does where a time limit is passed, or a running task is revoked."""
    stack.run_source(CELERY_ENDED)
    [end] = records(stack, "duramen.tasks")
    assert (end["task_state"], end["levelname"]) == ("TERMINATED", "ERROR")
    [behind] = records(stack, "shop")
    assert "task_id" not in behind
