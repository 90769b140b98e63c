"""A thread never waits for room in a queue that nobody can make before the thread goes on: hooks for forks, signal handlers
and what else interrupts a thread log beyond the capacity then, and nothing is lost."""

import subprocess
import sys
import textwrap

import pytest
from interruption_support import AT
from journal_support import lines, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork and alarms of POSIX")

#: A queue that is full, in front of a native and of a Python handler.
FULL = (
    AT
    + """
signal.alarm(50)
class Own(logging.FileHandler):
    def emit(self, record):
        super().emit(record)
class Rolling(logging.handlers.RotatingFileHandler):
    # Its lines are written by a thread of Python's.
    def __init__(self, path):
        super().__init__(path, maxBytes=10**9)
has_python = {kind} is not logging.FileHandler
made = {kind}("out.log")
handler = AsyncHandler(made, capacity=4, {options})
log.addHandler(handler)

def fill(text):
    for number in range(10):
        log.info("%s %d", text, number)

answers = []

log.info("first")
handler.flush()
"""
)

CASES = {
    "the lock of the handler behind": """
        made.acquire()
        fill("held")
        assert handler.stats()["queued"] + handler.stats()["in_flight"] > 4 or not has_python
        made.release()
    """,
    "before the worker is ended": """
        with At("rest", lambda: fill("held")):
            handler.close()
    """,
    "after the worker has ended": """
        with At("rest", lambda: (fill("held"), answers.append(handler.flush(60))), "c_return"):
            handler.close()
        assert answers == [False]
    """,
    "the worker is being started": """
        handler.close()
        with At("start_python" if has_python else "start_native", lambda: fill("held")):
            log.info("starts it")
    """,
    "it has been started": """
        handler.close()
        with At("start_python" if has_python else "start_native", lambda: fill("held"), "c_return"):
            log.info("starts it")
    """,
}


KINDS = {
    "native": ("logging.FileHandler", ""),
    "native with a journal": ("logging.FileHandler", "journal='spool'"),
    "rotating with a journal": ("Rolling", "journal='spool'"),
    "Python": ("Own", ""),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_a_thread_does_not_wait_for_itself(tmp_path, case, kind):
    kind, options = KINDS[kind]
    body = FULL.format(kind=kind, options=options) + textwrap.dedent(CASES[case])
    _, errors = run(tmp_path, body)
    assert errors == ""
    written = [line for line in lines(tmp_path) if line != "starts it"]
    assert written == ["first"] + [f"held {number}" for number in range(10)]


def test_the_lock_of_the_module(tmp_path):
    """Who configures holds it, and a handler behind the queue asks for a logger."""
    body = FULL.format(kind="Own", options="") + textwrap.dedent("""
        Own.emit = lambda self, record: (logging.getLogger(record.getMessage()), logging.FileHandler.emit(self, record))
        with logging._lock:
            fill("held")
    """)
    _, errors = run(tmp_path, body)
    assert errors == ""
    assert lines(tmp_path) == ["first"] + [f"held {number}" for number in range(10)]


def test_who_configures_waits_for_what_is_delivered_meanwhile(tmp_path):
    """The lock of the module is held then, and the worker needs none of its own."""
    body = FULL.format(kind="Own", options="") + textwrap.dedent("""
        def emit(self, record):
            time.sleep(0.3)
            logging.FileHandler.emit(self, record)
        Own.emit = emit
        log.info("slow")
        logging.config.dictConfig({"version": 1})
        assert handler.stats()["delivered"] == 2, handler.stats()
    """)
    _, errors = run(tmp_path, "import duramen.config\n" + body)
    assert errors == ""
    assert lines(tmp_path) == ["first", "slow"]


def test_what_the_journal_has_no_room_for_is_taken_without_it(tmp_path):
    body = FULL.format(kind="Rolling", options="journal='spool', journal_size=65536") + textwrap.dedent("""
        with made.lock:
            for number in range(20):
                log.info("%d %s", number, "x" * 10_000)
        assert handler.flush()
        counts = handler.stats()
        assert counts["accepted"] == counts["delivered"] == 21, counts
        assert counts["journal"]["unjournaled"] > 10, counts
    """)
    _, errors = run(tmp_path, body)
    assert "it is full" in errors
    assert [line.split()[0] for line in lines(tmp_path)] == ["first"] + [str(number) for number in range(20)]


HOOKS = """
import os, signal, sys
signal.alarm(50)
found = {{}}
def fill(text):
    if "log" in found:
        for number in range(10):
            found["log"].info("%s %d", text, number)
# Those that come first are called last before a fork and first after it: the queues are at rest.
os.register_at_fork(
    before=lambda: fill("before"), after_in_parent=lambda: fill("parent"), after_in_child=lambda: fill("child")
)
import duramen as logging
import duramen.handlers
from duramen.handlers import AsyncHandler

class Own(logging.FileHandler):
    def emit(self, record):
        super().emit(record)
class Rolling(logging.handlers.RotatingFileHandler):
    def __init__(self, path):
        super().__init__(path, maxBytes=10**9)
handler = AsyncHandler({kind}("out.log"), capacity=4, {options})
log = found["log"] = logging.getLogger("shop")
log.propagate = False
log.setLevel("INFO")
log.addHandler(handler)
for _ in range(3):
    if (child := os.fork()) == 0:
        os._exit(0 if handler.flush() and handler.stats()["delivered"] == 10 else 1)
    assert os.waitpid(child, 0)[1] == 0
assert handler.flush()
counts = handler.stats()
assert counts["delivered"] == 60, counts
"""


@pytest.mark.parametrize("kind", KINDS)
def test_hooks_log_while_the_queues_are_at_rest_for_a_fork(tmp_path, kind):
    kind, options = KINDS[kind]
    program = HOOKS.format(kind=kind, options=options)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, timeout=60, check=True)
    written = lines(tmp_path)
    for texts in (["child"], ["before", "parent"]):
        own = [line for line in written if line.split()[0] in texts]
        assert own == [f"{text} {number}" for text in texts for number in range(10)] * 3
