"""The packages that are measured, behind one interface, so that a scenario has one body for all of them.

A peer is made once in each measured process; making it imports the package.
"""

import importlib
import sys

from bench import texts


class Unsupported(Exception):
    """The package has nothing for the scenario; the message says what is missing."""


class Peer:
    """One way to log.

    A *sink* is what ``file`` and its like give: the package's own notion of a destination with its layout.
    ``logger`` takes sinks and gives an object with ``debug``, ``info`` and ``exception``.
    """

    title = ""
    #: The distributions whose versions the report names.
    distributions = ()

    def __init__(self):
        self._at_end = []

    def text(self, message):
        """The message in the notation of the package."""
        return message.percent

    #: Structured fields are given as ``extra={...}``; otherwise as keyword arguments.
    takes_extra = True

    def logger(self, *sinks, name="app", level="INFO"):
        raise NotImplementedError

    def file(self, path, layout):
        raise Unsupported("no text layouts")

    def stream(self, stream, layout):
        raise Unsupported("no text layouts")

    def any_sink(self, output):
        """A sink for calls that write nothing."""
        return self.stream(output.stream(), texts.MESSAGE_ONLY)

    def rotating_file(self, path, layout, max_bytes, backups):
        raise Unsupported("no rotating file")

    def json_file(self, path):
        raise Unsupported("no JSON")

    def background_file(self, path, layout):
        """A file that is written outside the calling thread."""
        raise Unsupported("nothing asynchronous")

    def journaled_file(self, path, layout):
        """The same, where what waits outlives the process."""
        raise Unsupported("no journal")

    def queue(self, sink):
        """A ``QueueHandler`` with a running listener in front of the sink."""
        raise Unsupported("no QueueHandler")

    def at_end(self, function):
        """Have ``finish`` call the function."""
        self._at_end.append(function)

    def finish(self):
        """Return when everything is where it belongs, or when the package says that it is."""
        while self._at_end:
            self._at_end.pop()()


class LoggingPeer(Peer):
    """A package with the interface of ``logging``; scenarios may use ``logging`` and ``handlers`` freely."""

    def __init__(self):
        super().__init__()
        self.logging, self.handlers = self.load()

    def load(self):
        """Gives the modules that stand for ``logging`` and ``logging.handlers``."""
        raise NotImplementedError

    def logger(self, *sinks, name="app", level="INFO"):
        logger = self.logging.getLogger(name)
        logger.setLevel(getattr(self.logging, level))
        for sink in sinks:
            self.attach(logger, sink)
        return logger

    def attach(self, logger, handler):
        """Add the handler until ``finish``."""
        logger.addHandler(handler)
        self.at_end(lambda: logger.removeHandler(handler))

    def file(self, path, layout):
        return self.prepared(self.logging.FileHandler(path), layout)

    def stream(self, stream, layout):
        return self.prepared(self.logging.StreamHandler(stream), layout)

    def rotating_file(self, path, layout, max_bytes, backups):
        handler = self.handlers.RotatingFileHandler(path, maxBytes=max_bytes, backupCount=backups)
        return self.prepared(handler, layout)

    def prepared(self, handler, layout):
        """Give the handler the layout, and have it flushed and closed at the end."""
        handler.setFormatter(self.logging.Formatter(layout.percent))
        self.at_end(handler.close)
        self.at_end(handler.flush)
        return handler

    def queue(self, sink):
        import queue

        records = queue.Queue(-1)
        listener = self.handlers.QueueListener(records, sink)
        listener.start()
        self.at_end(listener.stop)
        return self.handlers.QueueHandler(records)


class Standard(LoggingPeer):
    title = "standard library"

    def load(self):
        import logging
        import logging.handlers

        return logging, logging.handlers

    def json_file(self, path):
        from pythonjsonlogger.json import JsonFormatter

        names = {"asctime": "timestamp", "levelname": "level", "name": "logger"}
        layout = "%(asctime)s %(levelname)s %(name)s %(message)s"
        handler = self.file(path, texts.NONE)
        handler.setFormatter(JsonFormatter(layout, rename_fields=names))
        return handler

    def background_file(self, path, layout):
        return self.queue(self.file(path, layout))


class _Duramen(LoggingPeer):
    def json_file(self, path):
        from duramen.formatters import JsonFormatter

        handler = self.file(path, texts.NONE)
        handler.setFormatter(JsonFormatter())
        return handler

    def background_file(self, path, layout, **options):
        from duramen import handlers

        if not hasattr(handlers, "AsyncHandler"):
            raise Unsupported("comes with the issue on queues")
        handler = handlers.AsyncHandler(self.file(path, layout), **options)
        self.at_end(handler.close)
        return handler

    def journaled_file(self, path, layout):
        return self.background_file(path, layout, journal=f"{path}-journal")


def _require_native(logger_class):
    # Without the extension the interpreter's own functions run, and its times would be taken for Duramen's.
    if type(logger_class.info) is type(_require_native):
        raise RuntimeError("the methods of Duramen's loggers are not native")


class DuramenInstalled(_Duramen):
    title = "Duramen, installed"

    def load(self):
        import logging
        import logging.handlers

        import duramen

        duramen.install()
        _require_native(logging.Logger)
        return logging, logging.handlers


class DuramenImported(_Duramen):
    title = "Duramen, imported"

    def load(self):
        import duramen
        import duramen.handlers

        _require_native(duramen.Logger)
        return duramen, duramen.handlers


class Picologging(LoggingPeer):
    title = "picologging"
    distributions = ("picologging",)

    def load(self):
        import picologging
        import picologging.handlers

        return picologging, picologging.handlers


class Logxide(LoggingPeer):
    title = "logxide"
    distributions = ("logxide",)

    def load(self):
        # logxide puts its own classes into the standard library's modules.
        import logging.handlers

        import logxide

        self._flush = logxide.flush
        return logxide.logging, logging.handlers

    def finish(self):
        self._flush()
        super().finish()

    def rotating_file(self, path, layout, max_bytes, backups):
        # Its own class is in its logging module; older versions have none and leave the standard library's.
        owner = self.logging if hasattr(self.logging, "RotatingFileHandler") else self.handlers
        handler = owner.RotatingFileHandler(path, maxBytes=max_bytes, backupCount=backups)
        return self.prepared(handler, layout)


class Loguru(Peer):
    title = "loguru"
    distributions = ("loguru",)
    takes_extra = False

    def __init__(self):
        super().__init__()
        self._loguru = importlib.import_module("loguru").logger
        self._loguru.remove()

    def text(self, message):
        return message.brace

    def logger(self, *sinks, name="app", level="INFO"):
        for sink, options in sinks:
            number = self._loguru.add(sink, level=level, backtrace=False, diagnose=False, **options)
            self.at_end(lambda number=number: self._loguru.remove(number))
        return self._loguru.bind(logger=name)

    def file(self, path, layout):
        return path, {"format": layout.brace}

    def stream(self, stream, layout):
        return stream, {"format": layout.brace}

    def rotating_file(self, path, layout, max_bytes, backups):
        return path, {"format": layout.brace, "rotation": max_bytes, "retention": backups}

    def json_file(self, path):
        return path, {"format": "{message}", "serialize": True}

    def background_file(self, path, layout):
        return path, {"format": layout.brace, "enqueue": True}


class Structlog(Peer):
    """structlog writing JSON with orjson, set up as its guide recommends for speed."""

    title = "structlog + orjson"
    distributions = ("structlog", "orjson")
    takes_extra = False

    def logger(self, *sinks, name="app", level="INFO"):
        import structlog

        (sink,) = sinks
        structlog.reset_defaults()
        structlog.configure(
            cache_logger_on_first_use=True,
            wrapper_class=structlog.make_filtering_bound_logger(level),
            processors=[
                structlog.processors.add_log_level,
                _upper_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(serializer=importlib.import_module("orjson").dumps),
            ],
            logger_factory=structlog.BytesLoggerFactory(file=sink),
        )
        return structlog.get_logger().bind(logger=name)

    def any_sink(self, output):
        return self.json_file(output.path)

    def json_file(self, path):
        file = open(path, "ab")
        self.at_end(file.close)
        return file


def _upper_level(logger, name, fields):
    # The levels are spelled as in the other outputs.
    fields["level"] = fields["level"].upper()
    return fields


#: In the order of the report's columns, by the name that the command line takes.
PEERS = {
    "standard": Standard,
    "duramen": DuramenInstalled,
    "duramen-imported": DuramenImported,
    "picologging": Picologging,
    "logxide": Logxide,
    "loguru": Loguru,
    "structlog": Structlog,
}


def make(name):
    """The peer with its package imported; ``Unsupported`` where the package is not installed."""
    try:
        return PEERS[name]()
    except ModuleNotFoundError as error:
        raise Unsupported(f"not installed on {sys.version_info[0]}.{sys.version_info[1]}") from error
