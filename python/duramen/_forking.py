"""A fork finds no handler in the middle of a record.

The stream below a handler has a lock of its own, and may hold a part of a line. A child that is forked while
another thread writes gets both as they are, and waits for that thread, which it does not have, at its first
record. So each fork waits for the records that are being written, as the locks of their handlers tell.
"""

import os
import threading
import time

from duramen._native import ForkHooks, end_threads_before_fork, forget_native_calls, go_on_after_fork

#: For all handlers together, in seconds: a handler that waits for the thread that forks must not stop it.
_LONGEST_WAIT = 1.0

_guards = []
#: Hooks whose turn is before the first guard takes a lock: workers that are to come to rest need those of their handlers.
before_guards = []


def guard_forks(namespace):
    """Make forks of this process wait for the handlers of ``namespace``, a run of ``logging``."""
    if hasattr(os, "register_at_fork") and not any(guard.namespace is namespace for guard in _guards):
        guard = _Guard(namespace)
        _guards.append(guard)
        hooks = guard.hooks
        os.register_at_fork(
            before=hooks.before, after_in_parent=hooks.after_in_parent, after_in_child=hooks.after_in_child
        )


class _Guard:
    def __init__(self, namespace):
        self.namespace = namespace
        self.hooks = ForkHooks(self._before, _begin_child)

    def _before(self):
        """Take the module's lock, as ``logging`` does before a fork, then those of the handlers."""
        try:
            # What is registered last is called first.
            if self is _guards[-1]:
                for hooks in before_guards:
                    # Undone last, and before the locks of hooks that came before this one are let go: a signal handler that
                    # forks in between would wait for one of them while it has another that somebody else waits for.
                    self.hooks.afterwards(hooks.after_in_parent)
                    hooks.before()
        finally:
            self._take_locks()

    def _take_locks(self):
        # The module's is let go last: once that is free, another thread may fork.
        self.hooks.hold(self.namespace["_lock"])
        until = time.monotonic() + _LONGEST_WAIT
        for reference in list(self.namespace["_handlerList"]):
            lock = getattr(reference(), "lock", None)
            # ``logging`` makes locks of this type anew in the child; others are their owner's concern.
            if type(lock) is _LOCK_TYPE:
                self.hooks.hold(lock, max(0, until - time.monotonic()))
        self.hooks.afterwards(go_on_after_fork)
        end_threads_before_fork()


def _begin_child():
    # The locks are new ones, which ``logging`` has made.
    go_on_after_fork()
    forget_native_calls()


_LOCK_TYPE = type(threading.RLock())
