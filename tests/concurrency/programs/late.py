"""Daemon threads are in code of the program's, called by logging, and want to go on while the interpreter is finalised."""

import os
import sys
import threading
import time

from patience import show_threads_after
from prelude import logging

show_threads_after(100)
wake, woken = os.pipe()
started = threading.Semaphore(0)
logger = logging.getLogger("late")
logger.propagate = False


def wait(*_, read=os.read, started=started, wake=wake):
    """Let go of the interpreter until the last object of the program is destroyed."""
    started.release()
    read(wake, 1)
    return True


class NoLock:
    """Stands for a lock where CPython 3.13 needs one."""

    def acquire(self):
        return True

    def release(self):
        pass

    def __enter__(self):
        return True

    def __exit__(self, *_):
        pass


class WithoutLock:
    """Nobody waits for the lock of such a handler at the end."""

    def createLock(self):  # noqa: N802  (logging's name)
        self.lock = None if sys.version_info < (3, 13) else NoLock()


class Own(WithoutLock, logging.Handler):
    emit = wait


class Stream(WithoutLock, logging.StreamHandler):
    pass


class WaitingStream:
    write = wait

    def flush(self):
        pass


class Shown:
    __str__ = wait


def thread(handler, filter=None, argument="text"):
    """Start one that logs to the handler."""
    own = logger.getChild(str(thread.count))
    thread.count += 1
    own.setLevel(10)
    own.addHandler(handler)
    if filter:
        handler.addFilter(filter)
    threading.Thread(target=own.info, args=("%s", argument), daemon=True).start()


thread.count = 0
logger.setLevel(10)
thread(Own())
thread(Stream(WaitingStream()))
thread(Stream(WaitingStream()), filter=wait)
thread(Stream(WaitingStream()), argument=Shown())
for _ in range(thread.count):
    started.acquire()


class Last:
    def __del__(self, write=os.write, sleep=time.sleep, woken=woken, count=thread.count):
        write(woken, b"x" * count)
        for _ in range(20):
            # One of them takes the interpreter, if it can.
            sleep(0.01)
        write(1, b"the end\n")


in_a_circle = [Last()]
in_a_circle.append(in_a_circle)
del in_a_circle
sys.stdout.flush()
