"""Workers of gunicorn and Celery that log through a queue with a journal and are killed: N accepted, N found."""

import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from stack.workbench import http_get

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")

#: Accepted is what has been logged when the call has returned; that is noted by one call to the system.
QUEUE = """
    import logging
    import os
    from duramen.handlers import AsyncHandler

    handler = AsyncHandler(logging.FileHandler("all.log"), {options})
    logger = logging.getLogger("counted")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    logger.propagate = False
    noted = os.open("accepted", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def count(text):
        logger.info("%s", text)
        os.write(noted, text.encode() + b"\\n")
"""
JOURNAL = "journal='spool', flush_interval=60"

APPLICATION = """
    import os
    import queue_of_shop

    def application(environ, start_response):
        for number in range(5):
            queue_of_shop.count(f"{environ['PATH_INFO']} {number} {os.getpid()}")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(os.getpid()).encode()]
"""

TASKS = """
    import os
    import signal
    import celery
    import file_broker
    import queue_of_shop

    app = celery.Celery("tasks")
    app.conf.update(file_broker.settings())

    @app.task
    def work(task, is_killed):
        for number in range(5):
            queue_of_shop.count(f"{task} {number} {os.getpid()}")
        if is_killed:
            os.kill(os.getpid(), signal.SIGKILL)
"""

SEND = """
    import tasks
    import billiard.exceptions

    results = [tasks.work.delay(number, {kills} and number % 5 == 4) for number in range(20)]
    for number, result in enumerate(results):
        try:
            result.get(timeout=50, interval=0.05)
        except billiard.exceptions.WorkerLostError:
            assert number % 5 == 4
"""


@pytest.fixture
def stack(stack):
    """These programs have no form of the standard library."""
    if stack.implementation != "duramen":
        pytest.skip("AsyncHandler is Duramen's")
    return stack


def each_once(stack):
    """The number of records that were accepted: each has been found once, and nothing else."""
    accepted = stack.read_lines("accepted")
    assert Counter(stack.read_lines("all.log")) == Counter(accepted)
    return len(accepted)


def recover(stack):
    """The next start delivers what is left, and nothing is left then."""
    stack.run_source("import queue_of_shop; queue_of_shop.handler.flush(30)")
    assert os.listdir(stack.folder / "spool") == []


@pytest.mark.parametrize("preload", [(), ("--preload",)])
@pytest.mark.parametrize(
    "options", [("--worker-class", "sync"), ("--worker-class", "gthread", "--threads", "4")]
)
def test_workers_of_gunicorn_that_are_killed(stack, options, preload):
    stack.write("queue_of_shop.py", QUEUE.format(options=JOURNAL))
    stack.write("shop.py", APPLICATION)
    server = stack.start(
        "-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", *options, *preload, "shop:application"
    )
    port = server.wait_for(r"Listening at: http://127\.0\.0\.1:(\d+)")[1]
    killed = 0
    for number in range(60):
        # A kill takes what its worker has accepted from the socket along; that is no record yet.
        try:
            status, worker = http_get(port, f"/{number}")
        except OSError:
            continue
        assert status == 200
        if number % 10 == 9:
            os.kill(int(worker), signal.SIGKILL)
            killed += 1
    assert killed >= 4
    server.stop()
    recover(stack)
    assert each_once(stack) >= 5 * 50


def work_with_celery(stack, queue, kills, *options):
    """Have a worker of Celery do twenty tasks that log five records each, and stop it."""
    stack.write("queue_of_shop.py", QUEUE.format(options=queue))
    stack.write("tasks.py", TASKS)
    stack.write("send.py", SEND.format(kills=kills))
    worker = stack.start(
        "-m",
        "celery",
        "--app",
        "tasks",
        "worker",
        "--pool",
        "prefork",
        "--concurrency",
        "2",
        "--loglevel",
        "INFO",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        *options,
    )
    worker.wait_for(r"ready\.$")
    try:
        stack.run("send.py")
    except subprocess.TimeoutExpired:
        raise AssertionError("\n".join(worker.output)) from None
    worker.stop()


@pytest.mark.parametrize(
    "options, kills", [(JOURNAL, True), (JOURNAL, False), ("flush_interval=5", False)], ids=str
)
def test_workers_of_celery(stack, options, kills):
    """Without a kill the orderly end of a billiard worker delivers, with a journal and without."""
    work_with_celery(stack, options, kills)
    if "journal" in options:
        recover(stack)
    assert each_once(stack) == 100


def test_workers_of_celery_that_are_replaced(stack):
    """Such a worker ends by ``os._exit``, or by the SIGTERM that it is sent as soon as it has said that it ends."""
    work_with_celery(stack, "flush_interval=5", False, "--max-tasks-per-child", "2")
    assert each_once(stack) == 100
