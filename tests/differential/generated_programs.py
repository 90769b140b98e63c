"""Random lives of a logging tree, with what programs override, and when: ``generated_programs.py SEED COUNT``.

Each step does one random thing to loggers, handlers, formatters, filters or the module, logs in random ways, and
prints what came out: the text of each handler, what calls gave or raised, and which of the overridden methods were
called, in which order. The same seed gives the same life in every process on one interpreter.
"""

import copy
import io
import queue
import random
import re
import sys

from prelude import logging

__import__(logging.__name__ + ".handlers")
handlers_module = sys.modules[logging.__name__ + ".handlers"]

LAYOUTS = [
    ("%(message)s", "%"), ("%(levelname)s:%(name)s:%(message)s", "%"), ("{levelname:>9}|{message}", "{"),
    ("${name} $message", "$"), ("%(funcName)s %(lineno)d %(module)s %(message)s", "%"), (None, "%"),
    ("%(threadName)s %(processName)s %(message)s", "%"), ("{asctime} {msg!r} {args}", "{"), ("%(a)s %(message)s", "%"),
    ("%(levelno)03d %(exc_text)s %(message)-20s|", "%"), ("{name[0]}{funcName} {message:.5}", "{"),
]  # fmt: skip
SOURCE_FILE = logging._srcfile
#: A frame of `logging` below a method that is overridden: native methods have none.
INNER_FRAME = re.compile(r'  File ".*logging.__init__.py", line \d+, in \w+\n    .*\n(?:    [~^ ]+\n)?')
#: The same frame more than three times. With a frame of `logging` behind each, as CPython has them, none is the same as
#: the one before it, and each is shown.
REPEATED_FRAME = re.compile(
    r'(  File ".*", line \d+, in .*\n(?:    .*\n)*?)\1\1  \[Previous line repeated (\d+) more times?\]'
)
LEVELS = [0, 1, 5, 10, 15, 20, 30, 40, 50, 60]


class Life:
    """A tree of loggers, and everything that a program can reach of it."""

    NAMES = ["", "p", "p.a", "p.a.b", "p.c", "q.r.s"]

    def __init__(self, rand):
        self.rand = rand
        self.trace = []
        self.undo = []
        self.errors = io.StringIO()
        self.streams = []
        self.loggers = [logging.getLogger(name) for name in self.NAMES]
        self.handlers = [self.new_handler() for _ in range(4)]
        self.adapters = [logging.LoggerAdapter(self.loggers[2], {"a": 1})]
        self.filters = [logging.Filter("p.a"), logging.Filter(), lambda record: record.levelno != 20]
        for handler in self.handlers[:2]:
            rand.choice(self.loggers[:3]).addHandler(handler)

    # What there is to choose from.

    def new_stream(self):
        self.streams.append(io.StringIO())
        return self.streams[-1]

    def new_handler(self):
        rand = self.rand
        kind = rand.randrange(9)
        if kind < 4:
            handler = logging.StreamHandler(self.new_stream())
        elif kind == 4:
            target = logging.StreamHandler(self.new_stream())
            handler = handlers_module.MemoryHandler(rand.choice([1, 3, 50]), rand.choice([30, 40]), target)
        elif kind == 5:
            handler = handlers_module.QueueHandler(queue.Queue())
        elif kind == 6:
            handler = logging.NullHandler()
        else:
            handler = self.subclass_of(
                logging.StreamHandler, ["emit", "format", "handle", "filter", "flush"]
            )(self.new_stream())
        if rand.random() < 0.7:
            handler.setFormatter(self.new_formatter())
        if rand.random() < 0.3:
            handler.set_name(f"handler {rand.randrange(3)}")
        return handler

    def new_formatter(self):
        layout, style = self.rand.choice(LAYOUTS)
        formatter_class = logging.Formatter
        if self.rand.random() < 0.2:
            formatter_class = self.subclass_of(
                logging.Formatter, ["format", "formatTime", "formatException", "formatMessage", "usesTime"]
            )
        options = {}
        if self.rand.random() < 0.3 and sys.version_info >= (3, 10):
            options["defaults"] = {"a": "default"}
        return formatter_class(layout, "%Y" if self.rand.random() < 0.9 else "", style, **options)

    def traced(self, name, function):
        """A function that notes that it was called, and calls ``function``."""
        note = self.trace.append

        def call(*args, **kwargs):
            note(name)
            return function(*args, **kwargs)

        return call

    def subclass_of(self, base, methods):
        """A subclass that overrides one or two of the methods."""
        made = type(base.__name__ + "Own", (base,), {})
        for name in self.rand.sample(methods, self.rand.choice([1, 1, 2])):
            setattr(made, name, self.traced(f"Own.{name}", getattr(base, name)))
        return made

    # What happens.

    def override(self, owner, name):
        """Put a traced function in the place of a method, on a class or an instance, until ``restore``."""
        missing = object()
        before = vars(owner).get(name, missing)
        if before is not missing and (owner, name) in [entry[:2] for entry in self.undo]:
            return
        label = f"{getattr(owner, '__qualname__', type(owner).__name__)}.{name}"
        setattr(owner, name, self.traced(label, getattr(owner, name)))
        self.undo.append((owner, name, before, missing))

    def restore(self):
        """Take one override away again."""
        if self.undo:
            owner, name, before, missing = self.undo.pop(self.rand.randrange(len(self.undo)))
            if before is missing:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

    def override_something(self):
        rand = self.rand
        handler, logger = rand.choice(self.handlers), rand.choice(self.loggers)
        of_loggers = [
            "isEnabledFor", "getEffectiveLevel", "makeRecord", "handle", "callHandlers", "_log", "filter", "info",
            "error", "log", "exception", "warning",
        ]  # fmt: skip
        of_handlers = ["handle", "emit", "format", "filter", "acquire", "release", "flush", "handleError"]
        of_formatters = [
            "format",
            "formatTime",
            "formatException",
            "formatStack",
            "formatMessage",
            "usesTime",
        ]
        formatter = handler.formatter or logging._defaultFormatter
        owner, names = rand.choice([
            (logger, of_loggers), (logging.Logger, of_loggers), (handler, of_handlers), (logging.Handler, of_handlers),
            (logging.StreamHandler, ["emit", "flush"]), (formatter, of_formatters), (logging.Formatter, of_formatters),
            (logging.LogRecord, ["getMessage"]), (logging.Filter, ["filter"]), (logging.Filterer, ["filter"]),
            (formatter._style, ["format", "usesTime", "_format"]), (logging.LoggerAdapter, ["process", "log", "info"]),
            (logging.PercentStyle, ["format", "_format", "usesTime"]), (logging.StrFormatStyle, ["_format"]),
            (logging, ["getLogger"]), (handlers_module.QueueHandler, ["prepare", "enqueue", "emit"]),
            (handlers_module.MemoryHandler, ["shouldFlush", "flush"]),
            (logging.Manager, ["getLogger", "_fixupParents"]), (logging.PlaceHolder, ["append"]),
        ])  # fmt: skip
        self.override(owner, rand.choice(names))

    def change_something(self):
        rand = self.rand
        logger, handler = rand.choice(self.loggers), rand.choice(self.handlers)
        target, one, level = rand.choice([logger, handler]), rand.choice(self.filters), rand.choice(LEVELS)
        plain = logging.LogRecord
        own_record = type("Record", (plain,), {"getMessage": lambda record: "own:" + str(record.msg)})
        actions = [
            lambda: logger.setLevel(rand.choice([level, "INFO", "DEBUG", "nonsense", 7.5, None, True])),
            lambda: handler.setLevel(level), lambda: logging.disable(rand.choice([0, 0, 0, 10, 20, 50])),
            lambda: logger.addHandler(handler), lambda: logger.addHandler(handler), lambda: logger.removeHandler(handler),
            lambda: logger.handlers.insert(0, handler), lambda: setattr(logger, "handlers", tuple(logger.handlers)),
            lambda: setattr(logger, "handlers", list(logger.handlers)), lambda: logger.handlers.clear(),
            lambda: setattr(logger, "propagate", rand.choice([True, True, False, 0, "yes", None])),
            lambda: setattr(logger, "disabled", rand.choice([False, False, False, True, 0, 1])),
            lambda: setattr(logger, "parent", rand.choice([logging.root, logger.parent])) if logger is not logging.root else None,
            lambda: target.addFilter(one), lambda: target.removeFilter(one), lambda: target.filters.clear(),
            lambda: target.filters.append(self.new_filter()), lambda: setattr(target, "filters", [one]),
            lambda: handler.setFormatter(self.new_formatter()), lambda: setattr(handler, "formatter", None),
            lambda: setattr(handler, "lock", rand.choice([None, handler.lock])), lambda: handler.createLock(),
            lambda: setattr(handler, "terminator", rand.choice(["\n", "", "\r\n", "\u2028"])),
            lambda: handler.setStream(self.new_stream()), lambda: setattr(handler, "stream", self.new_stream()),
            lambda: handler.stream.close(), lambda: setattr(handler, "stream", None), lambda: handler.flush(),
            lambda: handler.close(), lambda: setattr(logging, "raiseExceptions", rand.choice([True, True, False])),
            lambda: logging.setLogRecordFactory(rand.choice([plain, plain, own_record, lambda *a, **k: plain(*a, **k)])),
            lambda: logging.addLevelName(level, rand.choice(["INFO", "NOTE", "\u00e9", "X" * 9])),
            lambda: logging._levelToName.pop(level, None), lambda: logging._levelToName.update({20: "INFO"}),
            lambda: setattr(logging, rand.choice(["logThreads", "logProcesses", "logMultiprocessing"]), level % 20 == 0),
            lambda: setattr(logging, "lastResort", rand.choice([None, handler])),
            lambda: setattr(logging, "_defaultFormatter", rand.choice([logging.Formatter(), self.new_formatter()])),
            lambda: setattr(logging, "_srcfile", rand.choice([None, SOURCE_FILE])),
            lambda: self.replace(handler, copy.copy(handler)), lambda: self.replace(handler, self.new_handler()),
            lambda: setattr(handler, "formatter", copy.deepcopy(handler.formatter)),
            lambda: setattr(handler, "__class__", rand.choice([logging.StreamHandler, type(handler)])),
            lambda: setattr(logger, "__class__", rand.choice([type(logger), self.logger_class()])),
            lambda: self.adapters.append(self.new_adapter(logger)), lambda: logger.manager._clear_cache(),
            lambda: self.loggers.append(logging.getLogger(rand.choice(["p.a.b.c", "q.r", "q", "t.u", "p"]))),
            lambda: logging.setLoggerClass(rand.choice([logging.Logger, self.logger_class()])),
            lambda: logger._cache.clear(), lambda: logger._cache.update({20: rand.choice([True, False])}),
            lambda: setattr(handler.formatter, "datefmt", rand.choice(["%Y", "%%", "%y"])),
            lambda: setattr(handler.formatter._style, "_fmt", rand.choice(["%(message)s", "{name}", "x"])),
            lambda: setattr(handler.formatter, "_fmt", "%(name)s"), lambda: setattr(logger, "name", "renamed"),
            lambda: setattr(logging.Formatter, "converter", rand.choice([__import__("time").gmtime, lambda *a: (1999,) * 9])),
            lambda: handler.acquire() or handler.release(), lambda: setattr(handler, "name", f"name {level}"),
            lambda: setattr(logger, "level", level), lambda: logging.shutdown([lambda: handler]),
        ]  # fmt: skip
        return rand.choice(actions)()

    def replace(self, handler, other):
        self.handlers[self.handlers.index(handler)] = other
        for logger in self.loggers:
            if handler in logger.handlers:
                logger.handlers = [other if each is handler else each for each in logger.handlers]

    def logger_class(self):
        names = [
            "makeRecord",
            "handle",
            "callHandlers",
            "_log",
            "isEnabledFor",
            "findCaller",
            "getEffectiveLevel",
        ]
        return self.subclass_of(logging.Logger, names)

    def new_adapter(self, logger):
        rand = self.rand
        adapter = rand.choice(
            [logging.LoggerAdapter, self.subclass_of(logging.LoggerAdapter, ["process", "log"])]
        )
        under = rand.choice([logger, logger, rand.choice(self.adapters)])
        return adapter(under, rand.choice([{"a": 2}, {}, None, {"b": 3}]))

    def new_filter(self):
        rand = self.rand

        def change(record):
            record.msg = f"<{record.msg}>"
            return rand.choice([True, 1, 0])

        def give_another(record):
            other = copy.copy(record)
            other.msg = "another"
            return other

        class Object:
            filter = change

        return rand.choice(
            [change, give_another, self.subclass_of(logging.Filter, ["filter"])("p"), lambda r: 1 / 0]
        )

    # How it is logged.

    def log(self):
        rand = self.rand
        logger = rand.choice([*self.loggers, *self.loggers, *self.adapters, logging])
        name = rand.choice(
            ["debug", "info", "info", "warning", "error", "critical", "exception", "fatal", "log", "log"]
        )
        message, args = rand.choice([
            ("plain", ()), ("plain %s", ("one",)), ("%s %d", ("x", 1)), ("%s", ()), ("%(k)s", ({"k": 5},)), ("%d", ("no",)),
            (None, ()), (5, ()), (b"bytes", ()), (ValueError("msg"), ()), ("two\nlines", ()), ("", ()), ("x", (1,)),
            ({"a": 1}, ()), ("\u00e9\ud800", ()), ("%s", (None,)), ("%s", ((1, 2),)), ("%r", ({},)), ("100%", ()),
        ])  # fmt: skip
        options = {}
        if rand.random() < 0.25:
            options["extra"] = rand.choice(
                [{"a": "x"}, {}, None, {"message": 1}, {"name": 2}, {"b": [1]}, {"taskName": 1}]
            )
        if rand.random() < 0.2:
            options["exc_info"] = rand.choice([True, False, None, ValueError("given"), (None, None, None), 1])
        if rand.random() < 0.2:
            options["stacklevel"] = rand.choice([1, 2, 3, 4, 50])
        if rand.random() < 0.05:
            options["stack_info"] = rand.choice([True, False])
        if rand.random() < 0.02:
            options["nonsense"] = 1
        if name == "log":
            args = (message, *args)
            message = rand.choice([10, 20, 20, 30, 35, 0, -5, "INFO", 20.0, True, None])
        method = getattr(logger, name)

        def inner():
            return method(message, *args, **options)

        def outer():
            return inner()

        if rand.random() < 0.1:
            try:
                raise KeyError("live")
            except KeyError:
                return rand.choice([inner, outer])()
        return rand.choice([inner, outer, lambda: outer()])()

    def handle_a_record(self):
        rand = self.rand
        record = logging.makeLogRecord(
            {"name": "made", "msg": "made %s", "args": ("x",), "levelno": rand.choice(LEVELS)}
        )
        target = rand.choice([*self.loggers, *self.handlers])
        result = rand.choice([target.handle, getattr(target, "callHandlers", target.handle)])(record)
        return result if not isinstance(result, logging.LogRecord) else result.__dict__.get("message")

    def step(self):
        rand = self.rand
        sys.stderr = self.errors
        self.trace.clear()
        happenings = [self.change_something, self.change_something, self.override_something, self.restore]
        outcomes = [outcome(rand.choice(happenings))]
        for _ in range(3):
            outcomes.append(
                outcome(rand.choice([self.log, self.log, self.log, self.log, self.log, self.handle_a_record]))
            )
        seen = [
            (
                each.isEnabledFor(20),
                each.getEffectiveLevel(),
                each.hasHandlers(),
                each.level,
                len(each.handlers),
            )
            for each in self.loggers
        ]
        return outcomes, self.written(), list(self.trace), seen, sorted(self.loggers[1]._cache.items())

    def written(self):
        found = [take(stream) for stream in self.streams]
        for handler in self.handlers:
            waiting = getattr(handler, "queue", None)
            while waiting is not None and not waiting.empty():
                found.append(record_facts(waiting.get()))
            found += [record_facts(record) for record in getattr(handler, "buffer", [])]
        errors = take(self.errors).splitlines()
        frames = (" ", "Traceback", "Call stack")
        return found, [line for line in errors if line and not line.startswith(frames)]


def record_facts(record):
    """What does not change from run to run."""
    moving = {"created", "msecs", "relativeCreated", "thread", "process", "exc_info", "asctime", "pathname"}
    return sorted((key, shown(value)) for key, value in vars(record).items() if key not in moving)


def without_inner_frames(text):
    text = INNER_FRAME.sub("", text)
    return REPEATED_FRAME.sub(lambda found: (found[1] * (3 + int(found[2]))).removesuffix("\n"), text)


def shown(value):
    return ascii(without_inner_frames(value) if isinstance(value, str) else value)


def take(stream):
    if stream.closed:
        return "closed"
    text = without_inner_frames(stream.getvalue())
    stream.seek(0)
    stream.truncate()
    return text


def outcome(function):
    try:
        result = function()
    except RecursionError:
        return "RecursionError"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ascii(result) if isinstance(result, (int, str, type(None))) else type(result).__name__


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    real = sys.stderr

    rand = random.Random(seed)
    life = Life(rand)
    try:
        for number in range(count):
            print(number, ascii(life.step()))
        life.trace.clear()
        print("end", ascii((outcome(logging.shutdown), life.written(), life.trace)))
    finally:
        sys.stderr = real
        logging.raiseExceptions = False


if __name__ == "__main__":
    main()
