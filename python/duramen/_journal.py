"""What an ``AsyncHandler`` needs for its journal: the options, and the lines of records in Python form."""

import functools
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
    if getattr(handler, "filters", None):
        refuse("filters", f"none: give them to the {name}, so that nothing passes them by into the journal")
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


def lines_of(handlers, record):
    """The places of the handlers that take the record, each with its line; ``None`` where one has to be asked then."""
    lines = []
    for place, handler in enumerate(handlers):
        if record.levelno < handler.level:
            continue
        if handler.filters:
            return None
        try:
            text = handler.format(record) + handler.terminator
            stream = handler.stream
            encoding = getattr(stream, "encoding", None) or getattr(handler, "encoding", None) or "utf-8"
            lines.append((place, text.encode(encoding, getattr(stream, "errors", None) or "strict")))
        except RecursionError:
            raise
        except Exception:
            # The handler itself reports it, on its thread.
            return None
    return lines
