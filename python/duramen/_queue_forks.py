"""A fork finds the workers of queues at rest."""

import logging as standard
import os
import time
import weakref
from _thread import RLock

import duramen as logging
from duramen import _core, _unfinished
from duramen._forking import before_guards

#: Seconds that a fork waits for a worker: one that waits for its receiver must not stop it.
_LONGEST_WAIT = 1.0
#: References to all handlers that come to rest.
_resting = set()


def let_rest(handler):
    """Have forks find the handler's worker at rest."""
    handler._resting = RLock()
    _resting.add(weakref.ref(handler, _resting.discard))


def _before_fork():
    """End the workers: a process with threads is warned of forks from CPython 3.12 on."""
    # Who configures handlers has this lock and closes some of them: it must not wait for one that is at rest for the fork.
    _hooks.hold(logging._lock)
    handlers = [handler for handler in _unfinished.unfinished() if handler._rests_for_forks]
    for handler in handlers:
        if handler._has_journal:
            # Here rather than after it, where a thread that has begun would count for the warning.
            handler._queue.adopt()
    # Those that have something to do are started now: afterwards none is.
    _unfinished.hurry(handlers)
    until = time.monotonic() + _LONGEST_WAIT
    at_rest = []
    for handler in handlers:
        if _hooks.hold(handler._resting, max(0.0, until - time.monotonic())):
            _hooks.afterwards(handler._queue.resume)
            at_rest.append(handler)
    # No sooner: who closes one of them has to be able to start its worker while this waits.
    _hooks.keep_at_rest()
    for handler in at_rest:
        # What waits may have to wait long for the next record, at which a worker starts again.
        if handler._queue.has_worker():
            handler._queue.flush(max(0.0, until - time.monotonic()))
    for handler in at_rest:
        handler._queue.park(max(0.0, until - time.monotonic()))


def _begin_child():
    # ``logging`` makes the module's lock anew. A thread of the parent's may have been closing any of them.
    for handler in _unfinished.living(_resting):
        handler._resting = RLock()
        handler._starter.held_by = None
    for handler in _unfinished.begin_child():
        # Hooks that came before this one may have logged.
        handler._queue.flush(0)


def _take_module_locks():
    """Take the locks of both modules in one step. Hooks take them one after the other, and a thread that configures handlers,
    or a signal handler that has interrupted one, may fork with any of them."""
    _order.hold_all([logging._lock, standard._lock])


_order = _core.ForkHooks(_take_module_locks, int)
_hooks = _core.ForkHooks(_before_fork, _begin_child)
#: Whether a fork of this process is under way, so that workers stay at rest.
is_forking = _hooks.keeps_at_rest
#: Whether it is the calling thread that forks.
is_forking_here = _hooks.keeps_at_rest_here

if hasattr(os, "register_at_fork"):
    before_guards.append(_hooks)
    os.register_at_fork(after_in_child=_hooks.after_in_child)
    # What is registered last is called first: `logging` has been imported.
    os.register_at_fork(
        before=_order.before, after_in_parent=_order.after_in_parent, after_in_child=_order.after_in_child
    )
