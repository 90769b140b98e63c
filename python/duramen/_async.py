"""``AsyncHandler``: a queue in front of other handlers.

The queue and the worker that writes lines are native (``_core.RecordQueue``). Here is what wires them: the options, and the
thread for handlers that are written in Python. What the end of the process and a fork do is in ``_unfinished`` and
``_queue_forks``.
"""

import functools
import os
import time
import weakref
from _thread import get_ident, get_native_id

import duramen as logging
from duramen import _core, _journal, _queue_forks, _termination, _threads, _unfinished
from duramen._audit import AuditFileHandler
from duramen._snapshot import snapshot

_LARGEST_CAPACITY = 2**24


def check_options(name, handlers, capacity, overflow, block_timeout, flush_interval):
    """Refuse what is contradictory; gives the name of the overflow and its level."""

    def refuse(option, found, expected):
        raise ValueError(f"{name}: {option}: found {found!r}, expected {expected}")

    def is_number(value):
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    if not handlers:
        raise ValueError(f"{name}: handlers: found none, expected one at least")
    for handler in handlers:
        if not (hasattr(handler, "handle") and hasattr(handler, "level")):
            refuse("handlers", handler, "handlers")
        if isinstance(handler, AuditFileHandler) and (overflow != "block" or block_timeout is not None):
            refuse("overflow", overflow, "'block' without a block_timeout: an audit trail drops nothing")
    if len({id(handler) for handler in handlers}) < len(handlers):
        raise ValueError(f"{name}: handlers: found one twice")
    if not isinstance(capacity, int) or isinstance(capacity, bool) or not 1 <= capacity <= _LARGEST_CAPACITY:
        refuse("capacity", capacity, f"a whole number of records from 1 to {_LARGEST_CAPACITY}")
    if not is_number(flush_interval) or not 0 <= flush_interval <= 60:
        refuse("flush_interval", flush_interval, "seconds from 0 to 60")
    kind, level = overflow, 0
    if isinstance(overflow, str) and overflow.startswith("drop_below:"):
        kind, _, level = overflow.partition(":")
        try:
            level = logging._checkLevel(int(level) if level.isdigit() else level)
        except ValueError:
            refuse("overflow", overflow, "'drop_below:' and the name or number of a level")
    elif overflow not in ("block", "drop_newest", "drop_oldest"):
        refuse("overflow", overflow, "'block', 'drop_newest', 'drop_oldest' or 'drop_below:LEVEL'")
    if block_timeout is not None:
        if not is_number(block_timeout) or not 0 <= block_timeout <= 86400:
            refuse("block_timeout", block_timeout, "seconds from 0 to 86400, or None")
        if kind not in ("block", "drop_below"):
            refuse("block_timeout", block_timeout, f"None, since overflow={overflow!r} never waits")
    return kind, level


class AsyncHandler(logging.Handler):
    """Puts records into a bounded queue, from which a thread gives them to ``handlers``.

    Plain stream and file handlers with Duramen's formatters get their lines from a thread that needs no
    interpreter, many with one write. Others get the records, on a thread of Python's.

    - ``handlers``: the handlers behind the queue, which belong to it from now on. Each one's level, filters and
      formatter hold as ever.
    - ``capacity``: records that wait at most, 1 to 16777216; 8192 when left out.
    - ``overflow``: what happens when so many wait. ``"block"`` (the default): the caller waits;
      ``"drop_newest"``: the record is dropped; ``"drop_oldest"``: the one that has waited longest is;
      ``"drop_below:LEVEL"``: records below the level are dropped, callers with others wait.
    - ``block_timeout``: seconds that a caller waits at most before its record is dropped, 0 to 86400; ``None``,
      the default: without end.
    - ``flush_interval``: seconds that records may gather before they are written together, 0 to 60; 0.05 when
      left out. 0: each is written as soon as the worker comes to it.
    - ``journal``: a folder, made where it is missing, in which what waits outlives the process: who opens the
      folder next delivers it. ``None``, the default: it does not. See docs/journal.md.
    - ``journal_size``: bytes that may wait in the journal, 65536 to 1073741824; 16777216 when left out.

    ``stats()`` tells where the records have gone. A wrong option raises ``ValueError`` with its name.

    >>> import io
    >>> stream = io.StringIO()
    >>> handler = AsyncHandler(logging.StreamHandler(stream), capacity=100)
    >>> handler.handle(logging.makeLogRecord({"msg": "hello"}))
    True
    >>> handler.flush(), stream.getvalue(), handler.stats()["delivered"]
    (True, 'hello\\n', 1)
    >>> handler.close()
    """

    #: A fork waits until the worker has ended.
    _rests_for_forks = True

    def __init__(
        self,
        *handlers,
        capacity=8192,
        overflow="block",
        block_timeout=None,
        flush_interval=0.05,
        journal=None,
        journal_size=None,
    ):
        name = type(self).__name__
        kind, level = check_options(name, handlers, capacity, overflow, block_timeout, flush_interval)
        kept = _journal.check_options(name, handlers, journal, journal_size)
        self.handlers = handlers
        self._has_journal = kept is not None
        #: It could not deliver what waited when it was closed, and takes nothing more.
        self._has_given_up = False
        self._starter = _Starter(self)
        self._queue = _core.RecordQueue(
            handlers, capacity, (kind, level), block_timeout, flush_interval, kept, self._starter
        )
        # What is refused above is in no list of handlers, which the end of the process would flush.
        super().__init__()
        # `_resting` is held by who brings the queue to rest: a fork or `close`.
        _queue_forks.let_rest(self)
        _unfinished.wait_at_the_end(self)
        _termination.before_the_end_by_sigterm(_unfinished.end_all)
        if self._has_journal:
            # Starts the worker for what an earlier process has left.
            self._queue.flush(0)

    def setFormatter(self, fmt):
        """Refused but for ``None``: the handlers behind the queue have the formatters."""
        if fmt is not None:
            raise ValueError(
                f"{type(self).__name__}: formatter: found one, expected none; give it to the handlers behind it"
            )

    def handle(self, record):
        """Ask the filters, and put the record into the queue; no lock is held while that waits."""
        answer = self.filter(record)
        if isinstance(answer, logging.LogRecord):
            record = answer
        if answer:
            self.emit(record)
        return answer

    def emit(self, record):
        """Put a snapshot of the record into the queue."""
        self._put(record, {})

    def _put(self, record, decided):
        """Put a snapshot of the record into the queue; ``decided`` is what filters behind it have said (`_journal.asked`)."""
        try:
            kept, lines = snapshot(record), None
            decided = {place: None if own is None else snapshot(own) for place, own in decided.items()}
            if self._has_journal:
                kept, lines = _journal.made_beforehand(self.handlers, kept, decided)
            elif decided:
                kept = _journal.asked(self.handlers, kept, decided)
            self._queue.put(kept, record.levelno, lines)
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)

    def flush(self, timeout=None):
        """Wait until what came before has been delivered, then flush the handlers; False when it was not in time.

        ``timeout``: seconds from 0 on; ``None`` waits 5 seconds, as the end of the process does. What the ``flush`` of
        a handler behind raises is reported on stderr: no record belongs to it, and the others are flushed all the same.
        """
        if timeout is not None and not timeout >= 0:
            raise ValueError(
                f"{type(self).__name__}.flush: timeout: found {timeout!r}, expected seconds from 0 on"
            )
        if not _unfinished.is_open(self):
            # What has not been delivered when it was closed was given up.
            timeout = 0
        in_time = self._queue.flush(_unfinished.LONGEST_WAIT if timeout is None else timeout)
        if in_time:
            _on_all(self.handlers, "flush")
        return in_time

    def stats(self):
        """Where the records have gone, all counts of one moment.

        ``accepted`` and ``recovered`` (from the journals of earlier processes) are together the sum of
        ``delivered``, ``failed``, ``queued``, ``in_flight``, ``dropped["oldest"]`` and ``dropped["abandoned"]``. The
        other causes in ``dropped`` (``newest``, ``below_level``, ``timeout``,
        ``reentrant``, ``closed``) count records that were not accepted. ``handlers`` has the counts of each
        handler behind the queue, in their order. ``journal`` is ``None`` without one; otherwise it has its ``path``,
        ``size`` and ``used`` bytes, and counts of records that are not in it (``unjournaled``), of recovered ones
        that may stand twice (``in_doubt``), of damaged entries and of files ``set_aside``.
        """
        return self._queue.stats()

    def close(self):
        """Deliver what waits, in 5 seconds at most, end the worker and close the handlers. Closing twice is allowed.

        Records that come later, from a thread that had found the handler before it was replaced for instance, are taken
        and delivered as before: the handlers behind open their files again, as CPython's ``FileHandler`` does. Where
        5 seconds were not enough, what is left is counted as ``abandoned`` and reported on stderr, and later
        records are dropped and counted as ``closed``.
        """
        if _unfinished.is_open(self) and self._has_come_to_rest():
            _on_all(self.handlers, "flush", "close")
        super().close()

    def _has_come_to_rest(self):
        """Deliver what waits, and end the worker; whether that was in time."""
        until = time.monotonic() + _unfinished.LONGEST_WAIT
        with self._resting:
            is_delivered = self._queue.flush(_unfinished.LONGEST_WAIT)
            if not is_delivered and self._queue.waits_here():
                # It is delivered when this thread goes on with what keeps the worker at rest.
                return False
            try:
                _unfinished.forget(self)
                has_ended = is_delivered and self._rest(until)
                if has_ended:
                    # Starts a worker for what has come meanwhile, if anything has.
                    self._queue.flush(0)
                else:
                    self._has_given_up = True
                    _unfinished.end(self, until)
            except BaseException:
                # What a signal handler raises may come anywhere.
                _unfinished.wait_at_the_end(self)
                raise
        return has_ended

    def _rest(self, until):
        """End the worker; whether that was in time. Records that come meanwhile wait for the next one."""
        previous, self._starter.held_by = self._starter.held_by, get_ident()
        try:
            return self._queue.rest(max(0.05, until - time.monotonic()))
        finally:
            self._starter.held_by = previous

    def __del__(self):
        queue = getattr(self, "_queue", None)
        if queue is None:
            return
        # Its worker delivers what waits and ends.
        queue.close()
        _unfinished.forget_what_is_done()
        if not self._has_given_up and queue.has_records():
            # A second time this method is not called.
            self._starter.refer_to(self)
            _unfinished.keep(self)


class _Starter:
    """Starts the worker of a handler, which it does not keep alive."""

    def __init__(self, handler):
        #: The thread that is ending the worker.
        self.held_by = None
        self.refer_to(handler)

    def refer_to(self, handler):
        self._handler = weakref.ref(handler)

    def __call__(self, wants_python):
        handler = self._handler()
        if handler is None:
            return
        # It may have been closed meanwhile.
        _unfinished.wait_at_the_end(handler)
        if self._is_held() and not (_unfinished.is_ending_here() and self.is_held_here()):
            # Afterwards the next record, flush or the end of the process comes here again.
            return
        queue = handler._queue
        if _unfinished.process_has_ended():
            _work_here(queue, handler.handlers)
            return
        try:
            if not wants_python:
                queue.start_native()
            else:
                # Records come from signal handlers too.
                queue.start_python(_threads.starter(), _work, (queue, handler.handlers))
        except (OSError, RuntimeError):
            # The interpreter ends, or the system has no thread to give.
            _work_here(queue, handler.handlers)

    def _is_held(self):
        return self.held_by is not None or _queue_forks.is_forking()

    def is_held_here(self):
        """Whether no worker can start, or go on, before the calling thread does."""
        return self.held_by == get_ident() or _queue_forks.is_forking_here()

    @staticmethod
    def put_decided(handler, record, decided):
        """Put a record into the queue of which some handlers behind it have been asked."""
        handler._put(record, decided)

    @staticmethod
    def deliver(handlers, record):
        """Deliver a record that was on its way to the queue when the process ended."""
        _deliver(handlers, record)


def _work(queue, handlers):
    """The loop of the thread for handlers that are written in Python."""
    queue.python_has_begun(get_native_id())
    process = os.getpid()
    try:
        _deliver_all(queue, handlers, True)
    finally:
        queue.python_has_ended()
        _unfinished.thread_ends(process)


#: Queues whose records are being delivered by who logs them.
_worked_here = set()


def _work_here(queue, handlers):
    """Deliver what waits on the calling thread, of which none can be started; what is logged meanwhile as well."""
    # A forked child has none of the threads that deliver in its parent.
    work = os.getpid(), id(queue)
    while work not in _worked_here:
        _worked_here.add(work)
        try:
            _deliver_all(queue, handlers, False)
        finally:
            _worked_here.discard(work)
        # What another thread put in after the last look has been left to this one.
        if not queue.has_ready():
            break


def _deliver_all(queue, handlers, waits):
    while (records := queue.take(waits)) is not None:
        for number, record in enumerate(records):
            if queue.is_given_up():
                queue.leave(records[number:])
                return
            if not queue.count_record(_deliver(handlers, record, queue)):
                return
        # An idle worker keeps nothing alive.
        records = record = None
        for place in range(len(handlers)):
            queue.look_again(place)


def _deliver(handlers, record, queue=None):
    """Give the record to each handler whose level it reaches; whether one has failed."""
    has_failed = False
    for place, handler in enumerate(handlers):
        outcome = "below_level"
        give, own = record.part(place) if type(record) is _journal.Asked else _part(handler, record)
        if give is not None:
            outcome = "delivered"
            try:
                give(handler, own)
            except BaseException:
                outcome, has_failed = "failed", True
                _handle_error(handler, own)
        if queue is not None:
            queue.count(place, outcome)
    return has_failed


def _part(handler, record):
    """What is called for a handler and its record; ``None``: it takes none of this level."""
    return (_journal.handle if record.levelno >= handler.level else None), record


def _handle_error(handler, record):
    try:
        handler.handleError(record)
    except BaseException as error:
        _unfinished.report(f"{type(handler).__name__}.handleError raised {type(error).__name__}")


def _on_all(handlers, *methods):
    """Call the methods of each handler. What one raises is reported, and keeps none of the others from theirs."""
    for handler in handlers:
        for method in methods:
            try:
                getattr(handler, method)()
            except Exception as error:
                _unfinished.report(
                    f"{type(handler).__name__}.{method} raised {type(error).__name__}: {error}"
                )


# Configuration


def put_into(configurator):
    """Make ``DictConfigurator`` find the handlers that an ``AsyncHandler`` names.

    They are named as CPython 3.12 does it for ``QueueHandler``: ``handlers: [file, console]``. Gives ``(class,
    name, original, replacement)`` to undo it.
    """
    original = configurator.configure_handler

    @functools.wraps(original)
    def configure_handler(self, config):
        kind = config.get("class") if isinstance(config, dict) and "handlers" in config else None
        kind = self.resolve(kind) if isinstance(kind, str) else kind
        if isinstance(kind, type) and issubclass(kind, AsyncHandler):
            behind = _handlers_named(self, config["handlers"])
            rest = {name: config[name] for name in config if name not in ("class", "handlers")}
            config = {**rest, "()": functools.partial(kind, *behind)}
        return original(self, config)

    configurator.configure_handler = configure_handler
    return configurator, "configure_handler", original, configure_handler


def _handlers_named(configurator, names):
    known = configurator.config["handlers"]
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"AsyncHandler: handlers: found {names!r}, expected a list of names of handlers")
    found = []
    for name in names:
        if name not in known:
            raise ValueError(f"AsyncHandler: handlers: found {name!r}, expected one of {', '.join(known)}")
        if isinstance(known[name], dict):
            # Said in these words, it is tried again when the other handlers are there.
            raise ValueError(f"AsyncHandler: handlers: {name!r}") from TypeError("target not configured yet")
        found.append(known[name])
    return found
