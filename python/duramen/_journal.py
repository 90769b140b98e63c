"""What an ``AsyncHandler`` needs for its journal: the options, and the lines of records in Python form."""

import copy
import functools
import locale
import logging as standard
import logging.handlers as standard_handlers
import os
import sys

import duramen as logging

SMALLEST, LARGEST, DEFAULT = 64 * 1024, 1024**3, 16 * 1024**2


@functools.cache
def _classes():
    """Handlers whose lines go to a stream or a file, as their ``emit`` writes them."""
    from duramen import handlers as own_handlers  # It imports this module.

    rolled = ("RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler")
    places = [
        (standard, logging, ("StreamHandler", "FileHandler")),
        (standard_handlers, own_handlers, rolled),
    ]
    return [getattr(module, name) for *modules, names in places for module in modules for name in names]


def _is_as_shipped(handler, method):
    """Whether the method is one that Duramen or the standard library has."""
    own = getattr(type(handler), method, None)
    shipped = any(own is getattr(known, method) for known in _classes())
    return shipped and method not in vars(handler)


def check_options(name, handlers, journal, size):
    """The folder, the size and the destinations of the handlers, for ``RecordQueue``; ``None`` without a journal."""
    if journal is None:
        if size is not None:
            raise ValueError(
                f"{name}: journal_size: found {size!r}, expected None, since there is no journal"
            )
        return None
    try:
        folder = os.fsdecode(journal)
    except TypeError:
        folder = ""
    if not folder:
        raise ValueError(f"{name}: journal: found {journal!r}, expected the path of a folder, or None")
    if size is None:
        size = DEFAULT
    if not isinstance(size, int) or isinstance(size, bool) or not SMALLEST <= size <= LARGEST:
        raise ValueError(
            f"{name}: journal_size: found {size!r}, expected a whole number of bytes from {SMALLEST} to {LARGEST}"
        )
    return os.path.abspath(folder), size, [_destination(name, handler) for handler in handlers]


def _destination(name, handler):
    def refuse(found, expected):
        raise ValueError(f"{name}: journal: the handler {handler!r} has {found}, expected {expected}")

    if not (_is_as_shipped(handler, "emit") and _is_as_shipped(handler, "handle")):
        refuse(
            "an emit or handle of its own",
            "a StreamHandler, a FileHandler or one that rolls files over: who delivers a journal writes lines",
        )
    path = getattr(handler, "baseFilename", None)
    if path is not None:
        return "file", os.path.abspath(path)
    found = _named_stream(handler.stream)
    if found is None:
        refuse(f"the stream {handler.stream!r}", "sys.stdout, sys.stderr or a file that has a name")
    return found


def _named_stream(stream):
    if stream is sys.stdout or stream is sys.stderr:
        return ("stdout" if stream is sys.stdout else "stderr"), ""
    try:
        number = stream.fileno()
        if number in (1, 2):
            return ("stdout" if number == 1 else "stderr"), ""
        path = os.path.abspath(stream.name)
        if os.path.samestat(os.stat(path), os.fstat(number)):
            return "file", path
    except (AttributeError, OSError, TypeError, ValueError):
        pass
    return None


class Asked:
    """A record in Python form, whose way through the handlers behind the queue was decided by its caller."""

    __slots__ = ("_parts", "levelno")

    def __init__(self, levelno, parts):
        self.levelno = levelno
        self._parts = parts

    def part(self, place):
        """What is called for the handler at ``place``, and its record; ``None``: it takes none of this level."""
        return self._parts.get(place, (None, None))


def handle(handler, record):
    """Have the handler ask its filters, and write."""
    handler.handle(record)


def _emit(handler, record):
    """Have the handler write what its filters have let through."""
    handler.acquire()
    try:
        handler.emit(record)
    finally:
        handler.release()


def _held_back(handler, record):
    """A filter has held it back."""


def asked(handlers, record, decided, respects_levels=True):
    """The record for the handlers behind the queue, of which some have been asked: ``decided`` has their places, and what
    their filters have made of the record, or ``None`` where they hold it back."""
    takers = _takers(handlers, record) if respects_levels else range(len(handlers))
    parts = {place: (handle, record) for place in takers if place not in decided}
    for place, own in decided.items():
        parts[place] = (_held_back, record) if own is None else (_emit, own)
    return Asked(record.levelno, parts)


def made_beforehand(handlers, record, decided):
    """What goes into the queue, and for the journal the places of the handlers that take the record, each with its line.

    Filters of the handlers are asked here, since nothing may pass them by into the journal, and no second time behind
    the queue; what ``decided`` has was decided before, as for ``asked``. ``None`` in place of the lines where one cannot be
    made: its handler reports that, on its thread.
    """
    if not decided and not any(handler.filters for handler in handlers):
        takers = _takers(handlers, record)
        return record, _all_or_none([(place, _line(handlers[place], record)) for place in takers])
    decided, has_failed = dict(decided), False
    for place in _takers(handlers, record):
        if place in decided:
            continue
        try:
            answer = handlers[place].filter(record)
        except RecursionError:
            raise
        except Exception:
            has_failed = True
            continue
        if answer:
            # What the filter of a later handler changes does not change this line.
            answer = copy.copy(
                answer if isinstance(answer, (standard.LogRecord, logging.LogRecord)) else record
            )
        decided[place] = answer or None
    lines = [
        (place, _line(handlers[place], own)) for place, own in sorted(decided.items()) if own is not None
    ]
    return asked(handlers, record, decided), None if has_failed else _all_or_none(lines)


def _takers(handlers, record):
    """The places of the handlers whose level the record reaches."""
    return [place for place, handler in enumerate(handlers) if record.levelno >= handler.level]


def _all_or_none(lines):
    return None if any(line is None for _, line in lines) else lines


def _line(handler, record):
    """The bytes that the handler writes for the record; ``None`` where it would fail to."""
    try:
        text = handler.format(record) + handler.terminator
        # A file that is not open yet, or was closed, is opened with what its handler has.
        source = handler if handler.stream is None else handler.stream
        encoding = getattr(source, "encoding", None) or getattr(handler, "encoding", None) or "utf-8"
        if encoding == "locale":
            encoding = locale.getpreferredencoding(False)
        return text.encode(encoding, getattr(source, "errors", None) or "strict")
    except RecursionError:
        raise
    except Exception:
        return None
