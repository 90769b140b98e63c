"""Queues in programs in which gevent or eventlet has put green threads in the place of Python's, at any moment."""

import os
import subprocess
import sys
import textwrap

import pytest

import duramen

PROGRAM = """
import os, signal, sys, time, warnings
warnings.simplefilter("ignore")
# What hangs is ended by the signal itself: no handler in Python would run.
signal.alarm(30)
{library}
if {moment!r} == "before all":
    patch()
import {module} as logging, {module}.config, {module}.handlers
if logging.__name__ == "logging":
    import duramen
    duramen.install()
from duramen.handlers import AsyncHandler, QueueHandler, QueueListener

class Own(logging.FileHandler):
    def __init__(self, filename):
        super().__init__(filename)
        self.name = "own"

    def emit(self, record):
        time.sleep(0.002)
        super().emit(record)

def lines():
    with open("out.log") as file:
        return len(file.readlines())

log = logging.getLogger("shop")
log.propagate = False
log.setLevel("INFO")
{queue}
{body}
"""

LIBRARIES = {
    "gevent": """
def patch():
    from gevent import monkey
    monkey.patch_all()
def run_all(functions):
    import gevent
    gevent.joinall([gevent.spawn(function) for function in functions], raise_error=True)
""",
    "eventlet": """
def patch():
    import eventlet
    eventlet.monkey_patch()
def run_all(functions):
    import eventlet
    for thread in [eventlet.spawn(function) for function in functions]:
        thread.wait()
""",
}

LISTENER = """
handler = QueueHandler()
listener = QueueListener(handler.queue, {behind})
log.addHandler(handler)
listener.start()
"""

#: How records come to ``out.log``.
QUEUES = {
    "lines": "log.addHandler(AsyncHandler(logging.FileHandler('out.log')))",
    "records": "log.addHandler(AsyncHandler(Own('out.log')))",
    "records for which callers wait": "log.addHandler(AsyncHandler(Own('out.log'), capacity=3))",
    "lines for a file that is rolled over": """
log.addHandler(AsyncHandler(logging.handlers.RotatingFileHandler("out.log", maxBytes=10**6, backupCount=1)))
""",
    "lines with a journal": "log.addHandler(AsyncHandler(logging.FileHandler('out.log'), journal='spool'))",
    "listener of lines": LISTENER.format(behind="logging.FileHandler('out.log')"),
    "listener of records": LISTENER.format(behind="Own('out.log')"),
}
if sys.version_info >= (3, 12):
    QUEUES["listener of dictConfig"] = """
logging.config.dictConfig({
    "version": 1,
    "handlers": {
        "own": {"()": Own, "filename": "out.log"},
        "queue": {"class": "logging.handlers.QueueHandler", "handlers": ["own"]},
    },
    "loggers": {"shop": {"handlers": ["queue"], "propagate": False}},
})
listener = logging.getHandlerByName("queue").listener
listener.start()
"""

#: 110 records, of which ten come before green threads. The loop of these goes on while the worker is slow.
LOGS = """
if {moment!r} == "before records":
    patch()
for number in range(10):
    log.info("%d", number)
while {moment!r} == "while its thread sleeps" and lines() < 10:
    time.sleep(0.01)
if {moment!r}.startswith("while"):
    patch()

turns = 0
def turn():
    global turns
    until = time.monotonic() + 30
    while lines() < 110 and time.monotonic() < until:
        turns += 1
        time.sleep(0.001)

def work(begin):
    for number in range(begin, begin + 20):
        log.info("%d", number)
        time.sleep(0)

run_all([turn, *[lambda begin=begin: work(begin) for begin in range(10, 110, 20)]])
# 110 records take 220 milliseconds there.
assert turns > 5 or not isinstance(logging._handlers.get("own"), Own), turns
"""

MOMENTS = ["before all", "before records", "while its thread sleeps", "while records wait"]


def run(folder, library, queue, body, moment="before all", module="duramen"):
    package = os.path.dirname(os.path.dirname(duramen.__file__))
    program = PROGRAM.format(
        library=LIBRARIES[library],
        queue=queue,
        body=textwrap.dedent(body.replace("{moment!r}", repr(moment))),
        moment=moment,
        module=module,
    )
    path = os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        # It reports locks that it cannot replace, the interpreter's own among them, unless this is set.
        env={**os.environ, "PYTHONPATH": path, "PYTEST_CURRENT_TEST": "a test"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return sorted(map(int, (folder / "out.log").read_text().split()))


@pytest.fixture(params=LIBRARIES)
def library(request):
    return request.param


@pytest.mark.parametrize(
    "moment, module", [*[(moment, "duramen") for moment in MOMENTS], ("while its thread sleeps", "logging")]
)
@pytest.mark.parametrize("queue", QUEUES)
def test_every_record_is_delivered_whenever_they_come(tmp_path, library, queue, moment, module):
    if queue.startswith("listener"):
        end = "listener.stop()"
    else:
        end = "assert log.handlers[0].flush()"
    assert run(tmp_path, library, QUEUES[queue], LOGS + end, moment, module) == list(range(110))


@pytest.mark.parametrize("moment", ["before records", "while its thread sleeps"])
@pytest.mark.parametrize("queue", QUEUES)
def test_the_end_of_the_process_delivers_what_waits(tmp_path, library, queue, moment):
    body = "for number in range(110, 160):\n    log.info('%d', number)\n"
    assert run(tmp_path, library, QUEUES[queue], LOGS + body, moment) == list(range(160))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("queue", QUEUES)
def test_a_child_that_is_forked_before_they_come(tmp_path, library, queue):
    """As gunicorn's workers do after `preload_app`."""
    body = """
    log.info("0")
    if os.fork() == 0:
        signal.alarm(30)
        patch()
        run_all([lambda: log.info("1"), lambda: log.info("2")])
        sys.exit()
    assert os.wait()[1] == 0
    log.info("3")
    """
    assert run(tmp_path, library, QUEUES[queue], body, "later") == [0, 1, 2, 3]


@pytest.mark.parametrize("queue", [queue for queue in QUEUES if queue.startswith("listener")])
def test_a_listener_that_runs_then_can_be_looked_at_stopped_and_started(tmp_path, library, queue):
    body = """
    patch()
    log.info("0")
    queue = listener.queue
    assert (queue.qsize(), queue.empty(), queue.maxsize) == (0, True, 0) and "queue.Queue" in repr(queue)
    queue.put(logging.makeLogRecord({"msg": "1"}))
    queue.put_nowait(logging.makeLogRecord({"msg": "2"}))
    queue.join()
    log.info("3")
    listener.stop()
    assert lines() == 4
    log.info("4")
    assert queue.qsize() == 1
    listener.start()
    log.info("5")
    listener.stop()
    """
    assert run(tmp_path, library, QUEUES[queue], body, "later") == list(range(6))
