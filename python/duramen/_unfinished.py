"""Queues whose records have not all been delivered, and the end of the process, which waits for them."""

import atexit
import os
import sys
import time
import weakref
from _thread import get_ident

import duramen as logging

#: Seconds that ``flush()``, ``close()`` and the end of the process wait, unless they are told otherwise.
LONGEST_WAIT = 5.0

#: References to handlers of this process that have not been closed, or got a record afterwards, and to listeners that run
#: (`_listening.py`). A plain set is copied in one step, so that who looks through it meets no change, whatever runs meanwhile.
_open = set()
#: Handlers that nobody has any more, whose records have not all been delivered.
_left = set()
_process = {"exits_for": None, "has_ended": False, "ending": None}


def wait_at_the_end(handler):
    """Have the end of the process wait for what has been put into the handler's queue."""
    if _process["has_ended"]:
        # Nobody comes to wait any more.
        handler._queue.bypass(0)
        return
    _open.add(weakref.ref(handler, _open.discard))
    _prepare_exit()


def forget(handler):
    """Nothing waits for the handler any more."""
    _open.discard(weakref.ref(handler))


def is_open(handler):
    """Whether the end of the process waits for what is put into the handler's queue."""
    return weakref.ref(handler) in _open


def keep(handler):
    """Have forks and the end of the process wait for a handler that nobody has any more."""
    _left.add(handler)


def forget_what_is_done():
    """Let go of the handlers that were kept until their records were delivered."""
    for handler in list(_left):
        if not handler._queue.has_records():
            _left.discard(handler)


def unfinished():
    """The handlers whose workers may have something to do."""
    forget_what_is_done()
    return list({*living(_open), *_left})


def living(references):
    """The handlers in a set of references of which nobody has let go."""
    handlers = [reference() for reference in references.copy()]
    return [handler for handler in handlers if handler is not None]


def begin_child():
    """The handlers of the parent, for a child that was just forked; it does not wait for those that nobody has."""
    handlers = [*living(_open), *_left]
    _left.clear()
    return handlers


def report(text, name="AsyncHandler"):
    """Tell on stderr what went wrong in the handler of this name, where ``raiseExceptions`` wants it told."""
    if logging.raiseExceptions and sys.stderr is not None:
        try:
            sys.stderr.write(f"duramen: {name}: {text}\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # There is nobody left to tell.


def process_has_ended():
    """Whether records are delivered by who logs them, since no worker is left."""
    return _process["has_ended"]


def _prepare_exit():
    """Have the end of this process wait for the queues; workers of ``multiprocessing`` and Celery have ends of their own."""
    process = os.getpid()
    if _process["exits_for"] == process:
        return
    if _process["exits_for"] is None:
        atexit.register(end_all)
    _process["exits_for"] = process
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        _wait_in_workers(util)
        # A worker forgets what was to be done at its end when it begins, after its main module has run.
        util.register_after_fork(_worker_begins, lambda _: _wait_in_workers(util))
    signal = getattr(sys.modules.get("celery.signals"), "worker_process_shutdown", None)
    if signal is not None:
        # Its workers end by ``os._exit``, or by the SIGTERM that they are sent when they have said that they end.
        signal.connect(_worker_of_celery_ends, weak=False, dispatch_uid=__name__)


def _worker_begins():
    """Stand for this module where ``multiprocessing`` wants an object that lives as long."""


def _wait_in_workers(util):
    # Workers may end without what ``atexit`` knows, and wait for their threads afterwards.
    util.Finalize(None, end_all, exitpriority=-1000)


def _worker_of_celery_ends(**_):
    end_all()


def hurry(handlers):
    """Have all workers deliver what waits at the same time: one that is stuck must not take the others' time."""
    for handler in handlers:
        handler._queue.flush(0)


def end_all():
    """For the end of a process: deliver what waits, end the workers, and have later records delivered by who logs them."""
    _process["ending"] = get_ident()
    try:
        _end_all(time.monotonic() + LONGEST_WAIT)
    except BaseException:
        # Ctrl-C: nobody waits any longer, and what is left is told.
        _end_all(time.monotonic())
        raise
    finally:
        _process["has_ended"] = True


def _end_all(until):
    handlers = unfinished()
    while handlers:
        for handler in handlers:
            handler._queue.go_on_here()
        hurry(handlers)
        for handler in handlers:
            handler._queue.bypass(max(0.05, until - time.monotonic()))
            end(handler, until)
            # Whatever raises before this, the handler is known.
            forget(handler)
            _left.discard(handler)
        # One that was closed may have got a record meanwhile.
        handlers = unfinished() if time.monotonic() < until else []


def is_ending_here():
    """Whether it is the calling thread that ends the process: what it was about when that began does not go on."""
    return _process["ending"] == get_ident()


def thread_ends(process):
    """A thread that delivers ends, which began in this process. In a child that a handler has forked there, and that comes
    back here, it is the only one: the process ends with it."""
    if os.getpid() != process:
        end_all()


def end(handler, until):
    """Deliver what waits and end the worker; whether that was in time. What is left is reported."""
    queue = handler._queue
    queue.close()
    queue.flush(max(0.05, until - time.monotonic()))
    has_ended = queue.park(max(0.05, until - time.monotonic()))
    left = queue.abandon()
    if left:
        where = ", and wait in the journal for the next start" if queue.close_journal() else ""
        text = f"{left} records were not delivered in the {LONGEST_WAIT:.0f} seconds that the end is given"
        report(text + where, type(getattr(handler, "listener", handler)).__name__)
    else:
        queue.close_journal()
    if not has_ended:
        # Its handlers may hold their locks for ever: ``shutdown`` must not wait for them.
        references = logging._handlerList
        references[:] = [reference for reference in references if reference() not in handler.handlers]
    return has_ended
