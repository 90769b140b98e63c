"""Queues in programs whose queues and threads are a library's, as a stand-in for those that behave otherwise than gevent and
eventlet (`test_gevent_and_eventlet.py`) has them."""

import os
import subprocess
import sys
import textwrap

import pytest

import duramen

#: A library whose threads run when the main one lets them, which the program never does.
GREEN = """
def patch():
    import _thread, queue, threading
    class Queue(queue.Queue):
        __module__ = "green"
        __slots__ = ()
        def __setattr__(self, name, value):
            if name.startswith("_"):
                raise AttributeError(f"no attribute {name}")
            super().__setattr__(name, value)
    def start_new_thread(function, arguments, keywords=None):
        return 1
    queue.Queue = Queue
    _thread.start_new_thread = threading._start_new_thread = start_new_thread
"""

PROGRAM = """
import os, signal, sys, time
signal.alarm(30)
sys.path.insert(0, os.getcwd())
import green
if {first}:
    green.patch()
import {module} as logging, {module}.config
if {module!r} == "logging":
    import duramen
    duramen.install()

log = logging.getLogger("shop")
log.setLevel("INFO")
{body}
"""


def run(folder, body, first, module="duramen"):
    (folder / "green.py").write_text(GREEN)
    package = os.path.dirname(os.path.dirname(duramen.__file__))
    program = PROGRAM.format(first=first, module=module, body=textwrap.dedent(body))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": package},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return (folder / "out.log").read_text().splitlines()


CONFIGURED_BY_DICT = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="dictConfig makes queues from 3.12 on"
)
CONFIGURED = """
logging.config.dictConfig({
    "version": 1,
    "handlers": {
        "own": {"class": "logging.FileHandler", "filename": "out.log"},
        "queue": {"class": "logging.handlers.QueueHandler", "handlers": ["own"]},
    },
    "loggers": {"shop": {"handlers": ["queue"]}},
})
handler = logging.getHandlerByName("queue")
"""


@pytest.fixture(params=["duramen", "logging"])
def module(request):
    return request.param


@CONFIGURED_BY_DICT
def test_a_queue_handler_gets_the_queue_of_a_program_that_has_replaced_queues(tmp_path, module):
    """Its listener runs in what the program has for threads, as CPython's does."""
    body = """
log.info("1")
assert type(handler.queue).__module__ == "green" and handler.queue.qsize() == 1
handler.listener.handle(handler.queue.get())
"""
    assert run(tmp_path, CONFIGURED + body, True, module) == ["1"]


@CONFIGURED_BY_DICT
def test_a_queue_that_was_made_before_stays_of_its_class(tmp_path, module):
    body = """
import queue
plain = queue.Queue
green.patch()
log.info("1")
assert handler.queue.qsize() == 1 and type(handler.queue) is plain
log.info("2")
for _ in range(2):
    handler.listener.handle(handler.queue.get())
"""
    assert run(tmp_path, CONFIGURED + body, False, module) == ["1", "2"]
