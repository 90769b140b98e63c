"""Sends many records through one path and prints, as JSON, what stays behind.

leak_program.py imported|installed PATH memory|references|cycles|handlers RECORDS
"""

import gc
import json
import os
import queue
import sys
import weakref

if sys.argv[1] == "imported":
    import duramen as logging
    from duramen import handlers, install, uninstall
else:
    from duramen import install, uninstall

    install()
    import logging
    from logging import handlers


class Null:
    """A stream that keeps nothing."""

    def write(self, text):
        pass

    def flush(self):
        pass


class PythonHandler(logging.Handler):
    """A handler with a method of its own, which takes a real record."""

    def emit(self, record):
        self.format(record)


class FailingStream(Null):
    """A stream that fails each time."""

    def write(self, text):
        raise OSError("no space")


class Argument:
    """An argument of records, whose references are counted."""

    def __str__(self):
        return "argument"


def file_handler():
    return logging.FileHandler("out.log", mode="w")


def rotating():
    return handlers.RotatingFileHandler("out.log", maxBytes=10000, backupCount=1)


def memory():
    return handlers.MemoryHandler(10, target=logging.StreamHandler(Null()))


def draining_queue():
    handler = handlers.QueueHandler(queue.SimpleQueue())
    enqueue = handler.enqueue

    def enqueue_and_take(record):
        enqueue(record)
        handler.queue.get()

    handler.enqueue = enqueue_and_take
    return handler


def with_formatter(style, fmt):
    def make():
        handler = logging.StreamHandler(Null())
        handler.setFormatter(logging.Formatter(fmt, style=style))
        return handler

    return make


def with_filter():
    handler = logging.StreamHandler(Null())
    handler.addFilter(lambda record: bool(record.args))
    return handler


#: How the handler of each path is made.
HANDLERS = {
    "stream": lambda: logging.StreamHandler(Null()),
    "percent": with_formatter("%", "%(asctime)s %(name)s %(levelname)-8s %(message)s %(funcName)s %(own)s"),
    "brace": with_formatter("{", "{asctime} {name} {levelname:>8} {message!r} {lineno:d} {own}"),
    "dollar": with_formatter("$", "$asctime $name ${levelname} $message $own"),
    "file": file_handler,
    "rotating": rotating,
    "memory": memory,
    "queue": draining_queue,
    "python handler": PythonHandler,
    "python filter": with_filter,
    "null": logging.NullHandler,
    "failing": lambda: logging.StreamHandler(FailingStream()),
    "exception": lambda: logging.StreamHandler(Null()),
    "record factory": lambda: logging.StreamHandler(Null()),
    "adapter": lambda: logging.StreamHandler(Null()),
    "disabled": lambda: logging.StreamHandler(Null()),
    "new loggers": lambda: logging.StreamHandler(Null()),
    "stack": lambda: logging.StreamHandler(Null()),
    "new layouts": lambda: logging.StreamHandler(Null()),
    "new classes": lambda: logging.StreamHandler(Null()),
    "install again": lambda: logging.StreamHandler(Null()),
}


class Path:
    """A logger with the handler of one path, and a way to send records through it."""

    #: These cost far more per record than the others.
    SLOW = {
        "exception": 10, "stack": 10, "failing": 10, "new layouts": 10, "new classes": 50, "install again": 500,
    }  # fmt: skip

    def __init__(self, name):
        self.logger = logging.getLogger("leaks")
        self.logger.propagate = False
        self.logger.addHandler(HANDLERS[name]())
        self.argument = Argument()
        self.extra = {"own": self.argument}
        self.share = self.SLOW.get(name, 1)
        self.send_one = getattr(self, "send_" + name.replace(" ", "_"), self.send_message)
        if name == "record factory":
            logging.setLogRecordFactory(lambda *args, **kwargs: logging.LogRecord(*args, **kwargs))
        if name == "failing":
            logging.raiseExceptions = False

    def send(self, records):
        """Send ``records`` records; fewer where one costs far more."""
        for number in range(records // self.share):
            self.send_one(number)

    def send_message(self, number):
        self.logger.warning("record %d of %s", number, self.argument, extra=self.extra)

    def send_exception(self, number):
        try:
            raise ValueError(self.argument)
        except ValueError:
            self.logger.exception("record %d of %s", number, self.argument, extra=self.extra)

    def send_stack(self, number):
        self.logger.warning("record %d of %s", number, self.argument, extra=self.extra, stack_info=True)

    def send_adapter(self, number):
        logging.LoggerAdapter(self.logger, self.extra).warning("record %d of %s", number, self.argument)

    def send_disabled(self, number):
        self.logger.debug("record %d of %s", number, self.argument, extra=self.extra)

    def send_new_loggers(self, number):
        logger = logging.Logger(f"new {number}")
        logger.parent = self.logger
        handler = logging.StreamHandler(Null())
        logger.addHandler(handler)
        logger.warning("record %d of %s", number, self.argument, extra=self.extra)

    def send_new_layouts(self, number):
        self.logger.handlers[0].setFormatter(logging.Formatter(f"%(message)s {number}"))
        self.logger.warning("record %d of %s", number, self.argument, extra=self.extra)

    def send_new_classes(self, number):
        class NewLogger(logging.Logger):
            pass

        class NewHandler(logging.StreamHandler):
            def emit(self, record):
                super().emit(record)

        logger = NewLogger("new")
        logger.addHandler(NewHandler(Null()))
        logger.warning("record %d of %s", number, self.argument, extra=self.extra)
        if number % 100 == 0:
            gc.collect()

    def send_install_again(self, number):
        uninstall()
        self.logger.warning("record %d of %s", number, self.argument, extra=self.extra)
        install()
        self.logger.warning("record %d of %s", number, self.argument, extra=self.extra)


def resident():
    """The resident memory of this process, in bytes."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure_memory(path, records):
    """The growth after a warm-up: resident bytes, blocks and objects; the least of two rounds, since what a cache takes once is
    no leak, and a leak grows in each."""
    path.send(max(records // 5, 1000))
    looks = []
    for _ in range(3):
        gc.collect()
        looks.append((resident(), sys.getallocatedblocks(), len(gc.get_objects())))
        if len(looks) < 3:
            path.send(records)
    growths = [[after - before for before, after in zip(*pair)] for pair in zip(looks, looks[1:])]
    return dict(zip(("resident", "blocks", "objects"), map(min, *growths)))


def measure_references(path, records):
    """How the reference counts of what takes part in a record change."""
    handler = path.logger.handlers[0]
    watched = {
        "argument": path.argument, "extra": path.extra, "logger": path.logger, "handler": handler,
        "handlers": path.logger.handlers, "formatter": handler.formatter or logging._defaultFormatter,
        "filters": handler.filters, "lock": handler.lock, "manager": path.logger.manager, "name": path.logger.name,
        "level name": logging._levelToName[30], "code": Path.send_message.__code__, "globals": globals(),
        "Logger": logging.Logger, "LogRecord": logging.LogRecord, "StreamHandler": logging.StreamHandler,
    }  # fmt: skip
    path.send(200)
    gc.collect()
    before = {name: sys.getrefcount(thing) for name, thing in watched.items()}
    path.send(2000)
    gc.collect()
    after = {name: sys.getrefcount(thing) for name, thing in watched.items()}
    return {name: after[name] - before[name] for name in watched}


def measure_cycles(path, records):
    """Which objects stay alive after the last reference from outside of a cycle is gone."""
    path.send(20)

    class OwnFormatter(logging.Formatter):
        pass

    class OwnStream(Null):
        pass

    alive = {}
    logger = logging.Logger("cycle")
    handler = logging.StreamHandler(OwnStream())
    formatter = OwnFormatter("%(message)s")
    record = logging.LogRecord("n", 30, "p", 1, "m", (), None)
    chosen = logging.Filter("cycle")
    handler.setFormatter(formatter)
    handler.addFilter(chosen)
    logger.addHandler(handler)
    logger.warning("m %s", handler, extra={"own": logger})
    handler.own, formatter.own, record.own, chosen.own, handler.stream.own = (
        handler,
        logger,
        record,
        chosen,
        logger,
    )
    logger.own = handler
    record.args = (record,)
    for name, thing in {
        "logger": logger, "handler": handler, "formatter": formatter, "record": record, "filter": chosen,
        "stream": handler.stream,
    }.items():  # fmt: skip
        alive[name] = weakref.ref(thing)
    del logger, handler, formatter, record, chosen, thing
    gc.collect()
    return [name for name, reference in alive.items() if reference() is not None]


def measure_handlers(path, records):
    """How many of the texts that 400 handlers and their formatters had are alive when these are gone."""

    class Text(str):
        """A text that tells whether it is alive."""

    def come_and_go():
        """All are there at the same time, and others lie where they were, so that none takes the place of one."""
        path.logger.handlers = [logging.StreamHandler(Null()) for _ in range(40)]
        texts = []
        for handler in path.logger.handlers:
            handler._name = Text("handler")
            formatter = logging.Formatter("%(message)s")
            formatter.own = formatter._style.own = Text("formatter")
            handler.setFormatter(formatter)
            texts += [weakref.ref(handler._name), weakref.ref(formatter.own)]
        for _ in range(2):
            path.logger.warning("through %s", "all")
        path.logger.handlers.clear()
        del handler, formatter
        spacers.extend(
            kind.__new__(kind) for _ in range(80) for kind in (logging.StreamHandler, logging.Formatter)
        )
        return texts

    spacers = []
    # One that stays.
    staying = logging.getLogger("staying")
    staying.addHandler(logging.StreamHandler(Null()))
    staying.warning("stays")
    texts = [text for _ in range(10) for text in come_and_go()]
    come_and_go()
    come_and_go()
    gc.collect()
    return sum(text() is not None for text in texts)


MEASURES = {
    "memory": measure_memory,
    "references": measure_references,
    "cycles": measure_cycles,
    "handlers": measure_handlers,
}


def main():
    _, _, name, check, records = sys.argv
    json.dump(MEASURES[check](Path(name), int(records)), sys.stdout)


if __name__ == "__main__":
    main()
