"""The records of one thread keep their order to the last one, also where it logs while the process ends."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

import duramen

PROGRAM = """
import atexit, os, signal, sys, threading, time
#: What is done last, after the records that waited have been delivered or given up.
later = []
atexit.register(lambda: [act() for act in later])
import {module} as logging
if logging.__name__ == "logging":
    import duramen
    duramen.install()
import duramen._unfinished
from duramen.handlers import AsyncHandler, QueueHandler, QueueListener

class Slow(logging.Handler):
    def emit(self, record):
        time.sleep(0.005)
        with open("slow.log", "a") as file:
            file.write(record.getMessage() + "\\n")

log = logging.getLogger("shop")
log.propagate = False
log.setLevel("INFO")
{queue}
{work}
{end}
"""

WORK = """
begun = threading.Event()
def work():
    for number in range(100_000):
        log.info("%d", number)
        if number >= 250:
            begun.set()
            time.sleep(0.001)
threading.Thread(target=work, daemon=True).start()
begun.wait()
"""

QUEUES = {
    "AsyncHandler": "log.addHandler(AsyncHandler(Slow()))",
    "AsyncHandler with a journal": """
class Paced(logging.StreamHandler):
    def flush(self):
        time.sleep(0.005)
        super().flush()
log.addHandler(AsyncHandler(Paced(open("slow.log", "a")), journal="spool"))
""",
    "AsyncHandler in front of two kinds": """
log.addHandler(AsyncHandler(logging.FileHandler("lines.log"), Slow()))
""",
    "AsyncHandler in front of lines and records in turn": """
class Rare(logging.Filter):
    def filter(self, record):
        return int(record.getMessage()) % 3 == 0
slow = Slow()
slow.addFilter(Rare())
log.addHandler(AsyncHandler(logging.FileHandler("lines.log")))
log.addHandler(AsyncHandler(slow))
""",
    "QueueHandler": """
front = QueueHandler()
listener = QueueListener(front.queue, Slow())
listener.start()
log.addHandler(front)
""",
}

ENDS = {
    "return": ("", 0),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -signal.SIGTERM),
    "worker that waits for threads": ("duramen._unfinished.end_all(); time.sleep(0.2); os._exit(0)", 0),
    "with functions that go on": ("later.append(lambda: time.sleep(0.2))", 0),
}


def run(folder, queue, end, code=0, module="duramen", work=WORK):
    """What has been written to each file, as numbers, and stderr."""
    program = PROGRAM.format(module=module, queue=textwrap.dedent(queue), work=work, end=textwrap.dedent(end))
    package = os.path.dirname(os.path.dirname(duramen.__file__))
    path = os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr
    files = {path.name: path.read_text().split() for path in folder.glob("*.log")}
    return {name: [int(number) for number in numbers] for name, numbers in files.items()}, done.stderr


@pytest.mark.parametrize("module", ["duramen", "logging"])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("queue", QUEUES)
def test_a_thread_that_logs_while_the_process_ends(tmp_path, queue, end, module):
    text, code = ENDS[end]
    files, errors = run(tmp_path, QUEUES[queue], text, code, module)
    step = 3 if "in turn" in queue else 1
    numbers = files["slow.log"]
    assert numbers == list(range(0, step * len(numbers), step))
    assert len(numbers) > 250 / step
    lines = files.get("lines.log", [])
    assert lines == list(range(len(lines)))
    assert errors.splitlines() == []


@pytest.mark.parametrize("queue", ["AsyncHandler", "AsyncHandler with a journal", "QueueHandler"])
def test_what_is_given_up_comes_no_later(tmp_path, queue):
    """The receiver is so slow that the end gives up what waits; the thread goes on."""
    end = """
        duramen._unfinished.LONGEST_WAIT = 0.3
        later.append(lambda: time.sleep(0.5))
    """
    files, errors = run(tmp_path, QUEUES[queue], end)
    numbers = files["slow.log"]
    assert numbers == sorted(set(numbers))
    assert "records were not delivered in the 0 seconds" in errors


@pytest.mark.parametrize("kind", ["Slow()", "logging.FileHandler('slow.log')"])
def test_what_comes_after_all_ends_is_delivered_too(tmp_path, kind):
    """To a handler that was closed before, and to one that is made then."""
    end = f"""
        handler = AsyncHandler({kind})
        log.addHandler(handler)
        log.info("1")
        handler.close()
        def last():
            log.info("2")
            log.handlers = [AsyncHandler({kind})]
            log.info("3")
            log.info("4")
        later.append(last)
    """
    files, errors = run(tmp_path, "", end, work="")
    assert (files["slow.log"], errors) == ([1, 2, 3, 4], "")


def test_a_queue_that_is_looked_at_after_all_ends_takes_records_all_the_same(tmp_path):
    end = """
        log.info("1")
        later.append(lambda: (log.info("%d", front.queue.qsize() + 2), log.info("3")))
    """
    files, errors = run(tmp_path, QUEUES["QueueHandler"], end, work="")
    assert (files["slow.log"], errors) == ([1, 2, 3], "")
