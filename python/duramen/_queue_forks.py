"""A fork finds the workers of queues at rest."""

import os
import time
from _thread import RLock, get_ident

import duramen as logging
from duramen import _unfinished
from duramen._forking import before_guards

#: Seconds that a fork waits for a worker: one that waits for its receiver must not stop it.
_LONGEST_WAIT = 1.0

#: While it is not 0 no worker is started.
_forking = {"count": 0}
#: For threads that are about to fork, what is to be undone afterwards in the parent, the last first.
_undone_after_fork = {}


def _before_fork():
    """End the workers: a process with threads is warned of forks from CPython 3.12 on."""
    undo = []
    # A signal handler that runs meanwhile may fork as well, or raise what ends this function.
    _undone_after_fork.setdefault(get_ident(), []).append(undo)
    # Who configures handlers has this lock and closes some of them: it must not wait for one that is at rest for the fork.
    module_lock = logging._lock
    module_lock.acquire()
    undo.append(module_lock.release)
    handlers = [handler for handler in _unfinished.unfinished() if handler._rests_for_forks]
    for handler in handlers:
        if handler._has_journal:
            # Here rather than after it, where a thread that has begun would count for the warning.
            handler._queue.adopt()
    # Those that have something to do are started now: afterwards none is.
    _unfinished.hurry(handlers)
    until = time.monotonic() + _LONGEST_WAIT
    _forking["count"] += 1
    undo.append(_may_start_workers)
    resting = []
    for handler in handlers:
        if handler._resting.acquire(timeout=max(0.0, until - time.monotonic())):
            undo.extend((handler._resting.release, handler._queue.resume))
            resting.append(handler)
    for handler in resting:
        # What waits may have to wait long for the next record, at which a worker starts again.
        if handler._queue.has_worker():
            handler._queue.flush(max(0.0, until - time.monotonic()))
    for handler in resting:
        handler._queue.park(max(0.0, until - time.monotonic()))


def is_forking():
    """Whether a fork of this process is under way, so that workers stay at rest."""
    return _forking["count"] > 0


def is_forking_here():
    """Whether it is the calling thread that forks."""
    return is_forking() and get_ident() in _undone_after_fork


def _may_start_workers():
    _forking["count"] -= 1


def _after_fork_in_parent():
    own = get_ident()
    undo = _undone_after_fork[own].pop()
    if not _undone_after_fork[own]:
        del _undone_after_fork[own]
    while undo:
        undo.pop()()


def _after_fork_in_child():
    # ``logging`` makes the module's lock anew.
    _undone_after_fork.clear()
    _forking["count"] = 0
    for handler in _unfinished.begin_child():
        if handler._rests_for_forks:
            handler._resting = RLock()
            handler._starter.held_by = None
        # Hooks that came before this one may have logged.
        handler._queue.flush(0)


if hasattr(os, "register_at_fork"):
    before_guards.append(_before_fork)
    os.register_at_fork(after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
