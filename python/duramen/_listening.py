"""The queue that Duramen made for a ``QueueHandler``, and the way past it while nobody has looked at it.

``dictConfig`` makes such a queue where none is named (CPython 3.12 and later), ``QueueHandler()`` too. It is a
``queue.Queue`` of a class of its own, which becomes a plain one for good as soon as anybody reads an attribute of it or
calls a method. Until then records take the way of ``AsyncHandler`` while a ``QueueListener`` runs: they count as taken
out by the listener at once.
"""

import functools
import os
import queue
import sys
import threading
import traceback
from _thread import get_native_id

import duramen as logging
from duramen import _core, _journal, _termination, _threads, _unfinished

_FLUSH_INTERVAL = 0.05


class _UnseenQueue(queue.Queue):
    """A queue that nobody has looked at. Looking makes it a plain one."""

    def __getattribute__(self, name):
        _look(self)
        if name in ("put", "put_nowait") and type(self) is _UnseenQueue:
            return functools.partial(_put, self)
        return _PLAIN.__getattribute__(self, name)

    def __setattr__(self, name, value):
        _look(self)
        _PLAIN.__setattr__(self, name, value)

    def __delattr__(self, name):
        _look(self)
        _PLAIN.__delattr__(self, name)

    def __repr__(self):
        _look(self)
        return _PLAIN.__repr__(self)

    def __reduce_ex__(self, protocol):
        _look(self)
        return _PLAIN.__reduce_ex__(self, protocol)


#: What it becomes; the module may have another class by then.
_PLAIN = _UnseenQueue.__base__
# What is shown of the class is that of the queue which it becomes.
_UnseenQueue.__name__ = _UnseenQueue.__qualname__ = "Queue"
_UnseenQueue.__module__ = "queue"
_core.set_unseen_queue(_UnseenQueue)


def unseen_queue():
    """Make a queue without a bound that nobody has looked at; a plain one where the program has replaced queues or threads."""
    made = queue.Queue()
    if type(made) is not _PLAIN or _PLAIN.__module__ != "queue" or _threads.are_green():
        return made
    made._shortcut = _core.Shortcut()
    made.__class__ = _UnseenQueue
    return made


def _shortcut_of(unseen):
    return object.__getattribute__(unseen, "__dict__")["_shortcut"]


def _put(unseen, record, block=True, timeout=None):
    """Take a record as the queue's own methods do, which never wait: it has no bound."""
    _shortcut_of(unseen).put(unseen, record)


def _look(unseen):
    """Make it a plain queue, from which the listener's thread takes as CPython's does, if one can.

    Where green threads have come in the place of those that were there when the listener was started, its thread cannot: it
    is one of the system, and what the queue waits with switches between green ones. eventlet looks at everything when it comes.
    When the process has ended there is no thread any more, and native methods have handed over to the interpreter's.
    """
    shortcut = _shortcut_of(unseen)
    if _unfinished.process_has_ended() or shortcut.is_open and _threads.are_green():
        return
    listening = shortcut.leave(unseen, _PLAIN)
    if listening is not None:
        # In a forked child there is no thread yet.
        listening(True)


def listen(listener, unseen):
    """Start a listener behind such a queue; False when it has to take from the queue itself."""
    handlers = listener.handlers
    if type(handlers) is not tuple or _threads.are_green():
        return False
    listening = _Listening(listener, unseen, handlers)
    listening(True)
    if not _shortcut_of(unseen).open(unseen, listening._queue, listener._sentinel):
        listening.is_refused = True
        listening._queue.close()
        _unfinished.forget(listening)
        return False
    _termination.before_the_end_by_sigterm(_unfinished.end_all)
    return True


def stop(listener, unseen):
    """Have what came so far delivered, and what comes from now on wait; False when the listener does not run."""
    records = _shortcut_of(unseen).close()
    if records is None:
        return False
    thread = listener._thread
    if thread is None or thread.ident != threading.get_ident():
        while not records.flush(_unfinished.LONGEST_WAIT):
            pass
    return True


class _Listening:
    """A listener that takes from what stands in for its queue: its thread, and what ``RecordQueue`` asks for."""

    #: Its thread stays at a fork, as CPython's does.
    _rests_for_forks = False

    def __init__(self, listener, unseen, handlers):
        self.listener = listener
        self.handlers = handlers
        #: The listener takes from the queue itself, on another thread.
        self.is_refused = False
        self._unseen = unseen
        self._shortcut = _shortcut_of(unseen)
        self._queue = _core.RecordQueue(
            handlers, sys.maxsize, ("block", 0), None, _FLUSH_INTERVAL, None, self
        )

    def __call__(self, wants_python):
        """Start the thread, if there is none."""
        self._queue.start_python(self._start, self._monitor, ())

    def _start(self, function, arguments):
        # In a forked child too, which has an end of its own.
        _unfinished.wait_at_the_end(self)
        if _threads.are_green():
            # They are since the listener was started, in the parent of this process for instance.
            _threads.starter()(function, arguments)
            return
        # As CPython has it: the thread is seen by others.
        thread = threading.Thread(target=function, args=arguments)
        self.listener._thread = thread
        thread.daemon = True
        thread.start()

    def is_held_here(self):
        """Whether the thread waits for the calling one: nobody brings it to rest."""
        return False

    def _monitor(self):
        records, process = self._queue, os.getpid()
        records.python_has_begun(get_native_id())
        try:
            while (taken := records.take(True)) is not None:
                for number, record in enumerate(taken):
                    if records.is_given_up():
                        records.leave(taken[number:])
                        return
                    if not records.count_record(self._handle(record)):
                        return
                # An idle thread keeps nothing alive.
                taken = record = None
                for place in range(len(self.handlers)):
                    records.look_again(place)
        finally:
            records.python_has_ended()
            _unfinished.thread_ends(process)
        _unfinished.forget(self)
        if _threads.are_green():
            _be_known_as_asked(self.listener._thread)
        if self._shortcut.is_left and not self.is_refused:
            for _ in range(self._shortcut.owed):
                self._unseen.task_done()
            self.listener._monitor()

    def put_decided(self, handler, record, decided):
        """Put a record in front of the thread of which some handlers behind it have been asked."""
        respects_levels = self.listener.respect_handler_level
        asked = _journal.asked(self.handlers, record, decided, respects_levels)
        self._queue.put(asked, record.levelno)

    def deliver(self, handlers, record):
        """Deliver a record that comes when the process ends."""
        self._handle(record)

    def _handle(self, record):
        """Give the record to the listener; whether that failed."""
        try:
            if type(record) is _journal.Asked:
                for place, handler in enumerate(self.handlers):
                    give, own = record.part(place)
                    if give is not None:
                        give(handler, own)
            else:
                self.listener.handle(record)
        except BaseException:
            if logging.raiseExceptions and sys.stderr is not None:
                try:
                    traceback.print_exc()
                except (OSError, ValueError):
                    pass  # There is nobody left to tell.
            return True
        return False


def _be_known_as_asked(thread):
    """Have ``threading`` find the calling thread by the number that its functions have for it since green ones came: it is
    about to end, which would be an error on stderr otherwise."""
    known = getattr(threading, "_active", None)
    if thread is not None and known is not None:
        known.pop(thread.ident, None)
        known[threading.get_ident()] = thread


def put_into(configurator):
    """Make ``DictConfigurator`` give ``QueueHandler`` such a queue where none is named.

    Gives ``(class, name, original, replacement)`` to undo it; ``None`` before CPython 3.12, which makes no queues.
    """
    original = getattr(configurator, "_configure_queue_handler", None)
    if original is None:
        return None

    @functools.wraps(original)
    def _configure_queue_handler(self, klass, **kwargs):
        if "queue" not in kwargs:
            kwargs["queue"] = unseen_queue()
        return original(self, klass, **kwargs)

    configurator._configure_queue_handler = _configure_queue_handler
    return configurator, "_configure_queue_handler", original, _configure_queue_handler
