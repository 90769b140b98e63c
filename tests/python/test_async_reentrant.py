"""Logging into a queue from where nobody expects it: no deadlock, no crash, and each record arrives once."""

import os
import subprocess
import sys
import textwrap

import pytest

import duramen as logging

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="alarms")

PROGRAM = """
import asyncio, gc, os, signal, sys, threading, time
import duramen as logging
from duramen.handlers import AsyncHandler

class Own(logging.FileHandler):
    def emit(self, record):
        super().emit(record)

# A process that hangs is ended by this, which is no success.
signal.alarm(50)
kind = {kind}
handler = AsyncHandler(kind("out.log"), capacity={capacity})
log = logging.getLogger("n")
log.addHandler(handler)
log.setLevel(logging.INFO)
{body}
"""

KINDS = {"lines": "logging.FileHandler", "records": "Own"}
PLACES = {
    "a signal handler": """
        def handle(*_):
            log.info("from a signal")
        signal.signal(signal.SIGUSR1, handle)
        sender = threading.Thread(target=lambda: [os.kill(os.getpid(), signal.SIGUSR1) or time.sleep(0.001) for _ in range(50)])
        sender.start()
        while sender.is_alive():
            log.info("main")
        expected = None
    """,
    # A collection in the thread behind the queue would find it full, where it cannot wait for itself.
    "__del__": """
        gc.disable()
        class Logs:
            def __del__(self):
                log.info("deleted")
        for number in range(50):
            log.info("%s", Logs())
            circle = Logs()
            circle.circle = circle
        del circle
        gc.collect()
        expected = 150
    """,
    "a callback of the garbage collector": """
        gc.disable()
        collections = []
        def called(phase, info):
            collections.append(phase)
            log.info(phase)
        gc.callbacks.append(called)
        for _ in range(20):
            gc.collect()
        gc.callbacks.remove(called)
        expected = len(collections)
        assert expected >= 40
    """,
    "__repr__ of an argument": """
        class Logs:
            def __repr__(self):
                log.info("inner")
                return "outer"
        for _ in range(50):
            log.info("%r", Logs())
        expected = 100
    """,
    "a filter of the handler in front": """
        class Logs(logging.Filter):
            def filter(self, record):
                if record.getMessage() == "outer":
                    log.info("inner")
                return True
        handler.addFilter(Logs())
        for _ in range(50):
            log.info("outer")
        expected = 100
    """,
    "a formatter behind the queue": """
        class Logs(logging.Formatter):
            def format(self, record):
                if record.getMessage() == "outer":
                    log.info("inner")
                return super().format(record)
        handler.handlers[0].setFormatter(Logs())
        for _ in range(20):
            log.info("outer")
            # Where the queue is full the inner one is dropped, which is counted: it cannot wait for itself.
            handler.flush()
        expected = 40 - handler.stats()["dropped"]["reentrant"]
    """,
    "a weak reference that dies": """
        import weakref
        class Thing:
            pass
        for _ in range(50):
            thing = Thing()
            reference = weakref.ref(thing, lambda _: log.info("died"))
            log.info("%s", "x")
            del thing
        expected = 100
    """,
    "an event loop's callbacks": """
        async def main():
            loop = asyncio.get_running_loop()
            for _ in range(50):
                loop.call_soon(log.info, "soon")
                await asyncio.sleep(0)
            await asyncio.to_thread(log.info, "thread")
        asyncio.run(main())
        expected = 51
    """,
}
COUNT = """
        assert handler.flush(20)
        found = len(open("out.log").read().splitlines())
        assert expected in (None, found), (expected, found)
        stats = handler.stats()
        assert stats["accepted"] == stats["delivered"] == found, stats
"""


def run(tmp_path, body, kind="lines", capacity=8192):
    program = PROGRAM.format(kind=KINDS[kind], capacity=capacity, body=textwrap.dedent(body))
    path = os.pathsep.join(
        [os.path.dirname(os.path.dirname(logging.__file__)), os.environ.get("PYTHONPATH", "")]
    )
    result = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stderr, (tmp_path / "out.log").read_text().splitlines()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_records_arrive_once_from(tmp_path, place, kind):
    # So few places that callers wait for room from there as well.
    error, _ = run(tmp_path, PLACES[place] + COUNT, kind, capacity=4)
    assert error == ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_fork_where_hardly_a_frame_is_left(tmp_path, kind):
    """What is called at a fork may fail there, which the interpreter tells; it does not go on for ever."""
    body = """
        log.info("before")
        def fork_with(frames):
            def deeper(frames):
                if frames:
                    return deeper(frames - 1)
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
            deeper(sys.getrecursionlimit() - frames)
        for frames in range(1, 60):
            try:
                fork_with(frames)
            except RecursionError:
                pass
        log.info("after")
        assert handler.flush(20)
    """
    _, lines = run(tmp_path, body, kind)
    assert lines == ["before", "after"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_of_the_interpreter(tmp_path, kind):
    """``__del__`` of what the interpreter takes down, a thread that is no daemon, functions of ``atexit``."""
    body = """
        import atexit
        class Logs:
            def __init__(self, name):
                self.name, self.log = name, log
            def __del__(self):
                self.log.info(self.name)
        kept = Logs("a global")
        sys.kept = Logs("of a module")
        atexit.register(log.info, "atexit")
        threading.Thread(target=lambda: time.sleep(0.05) or log.info("thread")).start()
        log.info("main")
    """
    _, lines = run(tmp_path, body, kind)
    assert lines[:3] == ["main", "thread", "atexit"]
    assert lines.count("a global") <= 1 and lines.count("of a module") <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_daemon_threads_while_the_interpreter_ends(tmp_path, kind):
    body = """
        def forever(name):
            number = 0
            while True:
                log.info("%s %d", name, number)
                number += 1
        for name in "abc":
            threading.Thread(target=forever, args=(name,), daemon=True).start()
        time.sleep(0.05)
        log.info("main")
    """
    _, lines = run(tmp_path, body, kind)
    assert lines.count("main") == 1
    for name in "abc":
        own = [line for line in lines if line.startswith(name)]
        # Those that were on their way to the queue when it was emptied for the end were written by who logged them.
        assert sorted(own) == sorted(f"{name} {number}" for number in range(len(own)))


@pytest.mark.parametrize(
    "policy, cause",
    [
        ("overflow='drop_newest'", "newest"),
        ("overflow='drop_oldest'", "oldest"),
        ("overflow='block', block_timeout=0", "timeout"),
        ("overflow='block', block_timeout=0.01", "timeout"),
        ("overflow='drop_below:ERROR', block_timeout=0", "below_level"),
    ],
)
def test_an_event_loop_waits_no_longer_than_the_policy_says(tmp_path, policy, cause):
    """Nobody reads from the pipe: with a longer wait the loop would stand still for ever."""
    body = f"""
        import duramen._unfinished
        duramen._unfinished.LONGEST_WAIT = 0.2
        read, write = os.pipe()
        stalled = AsyncHandler(logging.StreamHandler(open(write, "w")), capacity=10, {policy})
        logger = logging.Logger("stalled")
        logger.addHandler(stalled)
        async def main():
            turns = 0
            async def other():
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)
            task = asyncio.create_task(other())
            # So many that the pipe, the worker's batch and the queue are full.
            while stalled.stats()["dropped"]["{cause}"] < 20:
                before = turns
                logger.info("x" * 5000)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                assert turns > before
            task.cancel()
        asyncio.run(main())
        log.info("done")
        # The end is given so little time that a busy machine may not come to it.
        assert handler.flush(30)
    """
    _, lines = run(tmp_path, body)
    assert lines == ["done"]
