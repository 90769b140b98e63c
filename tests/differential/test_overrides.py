"""Methods and module globals that code replaces at run time are seen at once."""

import pytest


@pytest.mark.parametrize(
    "owner, name",
    [
        ("Logger", "callHandlers"),
        ("Logger", "makeRecord"),
        ("Logger", "handle"),
        ("Logger", "_log"),
        ("Logger", "findCaller"),
        ("Logger", "isEnabledFor"),
        ("Logger", "getEffectiveLevel"),
        ("Logger", "hasHandlers"),
        ("Logger", "warning"),
        ("Filterer", "filter"),
        ("Handler", "handle"),
        ("Handler", "acquire"),
        ("Handler", "release"),
        ("Handler", "format"),
        ("Handler", "createLock"),
        ("StreamHandler", "emit"),
        ("StreamHandler", "flush"),
        ("Formatter", "format"),
        ("Formatter", "formatTime"),
        ("Formatter", "formatMessage"),
        ("Formatter", "usesTime"),
        ("Formatter", "formatException"),
        ("Formatter", "formatStack"),
        ("PercentStyle", "format"),
        ("PercentStyle", "_format"),
        ("PercentStyle", "usesTime"),
        ("LogRecord", "__init__"),
        ("LogRecord", "getMessage"),
        ("Filter", "filter"),
        ("Manager", "getLogger"),
    ],
)
def test_method_replaced_on_the_class(same, owner, name):
    same(
        f"""
        import functools
        logger = logging.getLogger("app")
        logger.propagate = False
        handler = to_stdout(logger, "%(asctime)s %(message)s %(funcName)s")
        handler.addFilter(logging.Filter("app"))
        def work(number):
            logger.warning("m %d", number)
            try:
                1 / 0
            except ZeroDivisionError:
                logger.exception("failed", stack_info=True)
            logging.getLogger("app.new").isEnabledFor(10)
            show(logger.hasHandlers())
        work(1)
        owner = getattr(logging, "{owner}")
        original = owner.__dict__["{name}"]
        @functools.wraps(original)
        def wrapper(self, *args, **kwargs):
            print("{name} was called with", len(args), sorted(kwargs))
            return original(self, *args, **kwargs)
        owner.{name} = wrapper
        work(2)
        show(wrapper.__wrapped__ is original, wrapper.__name__, wrapper.__qualname__)
        owner.{name} = original
        work(3)
        """
        + """
        """
    )


@pytest.mark.parametrize("target, name", [
    ("logger", "findCaller"), ("logger", "makeRecord"), ("logger", "handle"), ("logger", "callHandlers"),
    ("logger", "isEnabledFor"), ("logger", "filter"), ("logger", "getEffectiveLevel"), ("logger", "_log"),
    ("handler", "handle"), ("handler", "emit"), ("handler", "format"), ("handler", "filter"),
    ("handler", "flush"), ("handler", "acquire"), ("handler", "release"),
    ("handler.formatter", "format"), ("handler.formatter", "formatException"),
    ("handler.formatter", "formatTime"), ("handler.formatter", "formatMessage"), ("handler.formatter", "converter"),
    ("handler.formatter._style", "format"), ("handler.formatter._style", "usesTime"),
])  # fmt: skip
def test_method_replaced_on_the_instance(same, target, name):
    same(
        f"""
        logger = logging.getLogger("app")
        handler = to_stdout(logger, "%(asctime)s %(message)s %(funcName)s")
        def work(number):
            logger.warning("m %d", number)
            try:
                1 / 0
            except ZeroDivisionError:
                logger.exception("failed")
        work(1)
        original = {target}.{name}
        def replaced(*args, **kwargs):
            print("{name} was called with", len(args), sorted(kwargs))
            return original(*args, **kwargs)
        {target}.{name} = replaced
        logging.Logger.manager._clear_cache()
        work(2)
        del {target}.{name}
        work(3)
        """
    )


@pytest.mark.parametrize(
    "owner", ["Logger", "Handler", "StreamHandler", "Formatter", "LogRecord", "Filterer"]
)
def test_attribute_hooks_of_a_subclass_are_seen(same, owner):
    same(
        f"""
        seen = []
        class Watching(logging.{owner}):
            def __getattribute__(self, name):
                seen.append(name)
                return super().__getattribute__(name)
        if "{owner}" == "Logger":
            logging.setLoggerClass(Watching)
        logger = logging.getLogger("app")
        to_stdout(logger, "%(message)s")
        if "{owner}" == "Formatter":
            logger.handlers[0].setFormatter(Watching("watched %(message)s"))
        if "{owner}" == "StreamHandler":
            logger.addHandler(Watching(sys.stdout))
        if "{owner}" == "LogRecord":
            logging.setLogRecordFactory(Watching)
        seen.clear()
        logger.warning("m %d", 1)
        show("getMessage" in seen, "stream" in seen, "_style" in seen)
        """
    )


def test_handle_error_replaced_on_the_instance(same):
    same(
        """
        class Broken:
            def write(self, text):
                raise OSError("broken")
        logger = logging.getLogger("app")
        handler = logging.StreamHandler(Broken())
        logger.addHandler(handler)
        handler.handleError = lambda record: show("instance", record.getMessage(), sys.exc_info()[0].__name__)
        logger.warning("m")
        class Reraising(logging.StreamHandler):
            def handleError(self, record):
                raise
        logger.handlers = [Reraising(Broken())]
        attempt(logger.warning, "m")
        """,
        prints="raises OSError 'broken'",
    )


def test_emit_that_raises_reaches_the_application(same):
    same(
        """
        class Raising(logging.Handler):
            def emit(self, record):
                raise RuntimeError("from emit")
        class RaisingFormatter(logging.Formatter):
            def format(self, record):
                raise self.error
        logger = logging.getLogger("app")
        logger.addHandler(Raising())
        attempt(logger.warning, "m")
        handler = to_stdout(None)
        handler.setFormatter(RaisingFormatter())
        logger.handlers = [handler]
        for error in (RecursionError("deep"), KeyboardInterrupt("key"), SystemExit(3), ValueError("handled")):
            handler.formatter.error = error
            attempt(logger.warning, "m")
        logging.raiseExceptions = False
        attempt(logger.warning, "silent")
        """,
        prints="raises RecursionError 'deep'",
    )


def test_raise_exceptions_is_seen_at_once(same):
    same(
        """
        from unittest import mock
        logger = logging.getLogger("app")
        to_stdout(logger, "%(message)s")
        logger.propagate = False
        for value in (True, False, 0, 1, ""):
            logging.raiseExceptions = value
            print("raiseExceptions", value, file=sys.stderr)
            logger.warning("%d", "x")
            attempt(logger.log, "bad level", "m")
        with mock.patch("logging.raiseExceptions" if logging.__name__ == "logging" else "duramen.raiseExceptions", True):
            logger.warning("%d", "patched")
        vars(logging)["raiseExceptions"] = True
        logger.warning("%d", "by the dict")
        """
    )


def test_internal_frames_and_srcfile(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(filename)s %(lineno)s %(funcName)s %(module)s")
        def call():
            logger.warning("m", stack_info=False)
        call()
        attempt(lambda: logger.findCaller()[2:])
        attempt(lambda: logger.findCaller(True, 1)[2])
        attempt(logger.findCaller)
        try: show(logger.findCaller(False, 2)[2:])
        except ValueError as error: show(str(error))
        kept, logging._srcfile = logging._srcfile, None
        call()
        logging._srcfile = kept
        call()
        show(isinstance(kept, str), callable(logging.currentframe))
        attempt(lambda: logging.currentframe().f_code.co_name)
        """,
        prints="program.py",
    )


def test_recursion_inside_a_handler_stops_with_recursion_error(same):
    same(
        """
        logger = logging.getLogger("app")
        class Calling(logging.Handler):
            def emit(self, record):
                logger.warning("again")
        logger.addHandler(Calling())
        try:
            logger.warning("m")
        except RecursionError as error:
            show(type(error).__name__)
        logger.handlers = []
        to_stdout(logger, "%(message)s")
        logger.warning("the interpreter goes on")
        """,
        prints="RecursionError\nthe interpreter goes on",
    )


def test_huge_widths_do_not_crash(same):
    same(
        """
        logger = logging.getLogger("app")
        logger.propagate = False
        to_stdout(logger, "%(message)s")
        logging.raiseExceptions = False
        for fmt, args in (("%999999999999d", (1,)), ("%.99999999999f", (1.5,)), ("%*d", (10**30, 1)),
                          ("%99999999999999999999s", ("x",)), ("%.2147483648d", (1,)), ("%.*f", (-5, 1.0))):
            attempt(logger.warning, fmt, *args)
            attempt(logging.makeLogRecord({"msg": fmt, "args": args}).getMessage)
        attempt(logging.Formatter("{levelno:999999999999999999999}", style="{", validate=False).format,
                logging.makeLogRecord({"levelno": 1}))
        """
    )


def test_threads_with_small_stacks_log_and_end_recursion_with_recursion_error(same):
    same(
        """
        import threading
        logger = logging.getLogger("app")
        def recurse():
            class Calling(logging.Handler):
                def emit(self, record):
                    logger.warning("again")
            logger.handlers = [Calling()]
            try:
                logger.warning("m")
            except RecursionError as error:
                show(type(error).__name__)
        def log():
            logger.handlers = []
            to_stdout(logger, "%(message)s")
            logger.warning("from a small stack")
        for size, target in [(1 << 20, recurse), (1 << 17, log)]:
            threading.stack_size(size)
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        """,
        prints="from a small stack",
    )


def test_attributes_that_are_set_between_two_records_are_seen(same):
    same(
        """
        logger = logging.getLogger("app")
        logger.propagate = False
        handler = to_stdout(logger, "%(message)s")
        logger.setLevel(20)
        def level(value): handler.level = value
        class Level(int): __slots__ = ()
        def levels(values):
            # The last one may come to lie where the first one did.
            for value in values: handler.level = Level(value)
        def terminator(value): handler.terminator = value
        def layout(value): handler.formatter._style._fmt = value
        def formatter(value): handler.formatter = logging.Formatter(value)
        def filters(value): handler.filters = value
        def name(value): handler.name = value
        def attributes(value): handler.__dict__.update(value)
        steps = [
            (handler.setLevel, 30), (handler.setLevel, 20), (level, 30), (level, 20), (level, 10**6),
            (level, 10**6 + 1), (levels, [10**6]), (levels, [5, 20]),
            (levels, [25, 15]), (levels, [12, 30]), (level, 0),
            (terminator, "|"), (terminator, "\\n"), (layout, "A %(message)s"), (layout, "B %(message)s"),
            (formatter, "C %(message)s"), (formatter, "D %(message)s"),
            (filters, [lambda record: record.levelno > 20]), (filters, []), (name, "other"),
            (attributes, {"level": 30}), (attributes, {"level": 0, "terminator": "!\\n"}),
            (handler.__dict__.pop, "_name"), (logger.setLevel, 30), (logger.setLevel, 10),
        ]
        for step, value in steps:
            for _ in range(3):
                logger.info("before %s", value if isinstance(value, (int, str)) else "it")
            step(value)
            logger.info("after")
            logger.warning("after")
        """
    )


def test_a_find_caller_that_counts_frames_finds_the_same(same):
    same(
        """
        import os
        class Counting(logging.Logger):
            def findCaller(self, stack_info=False, stacklevel=1):
                frame = sys._getframe(3)
                return os.path.basename(frame.f_code.co_filename), frame.f_lineno, frame.f_code.co_name, None
        class Asking(logging.Logger):
            def findCaller(self, stack_info=False, stacklevel=1):
                return super().findCaller(stack_info, stacklevel + 1)
        class Skipping(logging.Logger):
            def findCaller(self, stack_info=False, stacklevel=1):
                frame = sys._getframe(1)
                while frame.f_globals["__name__"].split(".")[0] in ("logging", "duramen"): frame = frame.f_back
                return frame.f_globals["__name__"], frame.f_lineno, frame.f_code.co_name, None
        class Level(int): pass
        def outer(logger): inner(logger)
        def inner(logger):
            logger.info("info")
            logger.warning("%s", "warning", extra={"own": 1})
            logger.log(30, "log")
            logger.log(Level(30), "level of a class of its own")
            logger.error("error", exc_info=True, stack_info=True, stacklevel=1)
        class Handler(logging.Handler):
            def emit(self, record):
                print(record.filename, record.lineno, record.funcName, record.getMessage())
                if record.levelno == 20:
                    inside.warning("from the handler")
        inside = Counting("inside")
        inside.addHandler(logging.StreamHandler(sys.stdout))
        inside.handlers[0].setFormatter(logging.Formatter("%(funcName)s %(message)s"))
        for logger in (Counting("counting"), Asking("asking"), Skipping("skipping"), logging.Logger("on the object")):
            logger.addHandler(Handler())
            if type(logger) is logging.Logger:
                def found(stack_info=False, stacklevel=1):
                    frame = sys._getframe(4)
                    return "file", frame.f_lineno, frame.f_code.co_name, None
                logger.findCaller = found
            outer(logger)
            for source in (None, "elsewhere.py"):
                logging._srcfile, kept = source, logging._srcfile
                if type(logger) is not Asking: outer(logger)
                logging._srcfile = kept
            logging.getLevelName, kept = (lambda level, *, own=logging.getLevelName: own(level)), logging.getLevelName
            outer(logger)
            logging.getLevelName = kept
        """
    )


def test_anything_with_a_level_and_a_handle_may_be_among_the_handlers(same):
    same(
        """
        import types
        logger = logging.getLogger("app")
        logger.propagate = False
        seen = []
        logger.addHandler(types.SimpleNamespace(level=20, handle=seen.append))
        logger.addHandler(types.SimpleNamespace(level=logging.ERROR, handle=seen.append))
        logger.warning("%s", "one")
        logger.error("two")
        print([record.getMessage() for record in seen])
        logger.addHandler(types.SimpleNamespace(level=0))
        attempt(lambda: logger.warning("three"))
        logger.handlers[-1] = types.SimpleNamespace(handle=seen.append)
        attempt(lambda: logger.warning("four"))
        """
    )


@pytest.mark.parametrize(
    "overridden", ["format", "formatTime", "formatMessage", "formatException", "converter"]
)
@pytest.mark.parametrize("to", ["to_stdout", "to_file"])
def test_what_a_subclass_of_formatter_changes_is_seen(same, overridden, to):
    """It may call its base, change between two records, and be changed by what it meets."""
    same(
        f"""
        import time
        class Own(logging.Formatter):
            count = 0
            def {overridden}(self, *args):
                Own.count += 1
                self.last = Own.count
                if "{overridden}" == "converter":
                    return time.gmtime(0)
                return f"<{{Own.count}} {{super().{overridden}(*args)}}>"
        logger = logging.getLogger("app")
        logger.propagate = False
        if "{to}" == "to_file":
            handler = logging.FileHandler("app.log")
            logger.addHandler(handler)
        else:
            handler = to_stdout(logger)
        handler.setFormatter(Own("%(asctime)s %(levelname)s %(message)s", "%Y"))
        def work():
            logger.warning("m %d %s", 1, [2])
            logger.warning("no argument")
            logger.warning("wrong %d", "x")
            try:
                raise ValueError("v")
            except ValueError:
                logger.exception("failed")
        work()
        handler.formatter.formatMessage = lambda record: "instance " + record.message
        work()
        del handler.formatter.formatMessage
        handler.formatter._style = logging.StrFormatStyle("{{levelname}} {{message}}")
        work()
        handler.formatter._style._fmt = "{{message}} {{levelname}} {{asctime}}"
        work()
        original = logging.Formatter.formatTime
        logging.Formatter.formatTime = lambda self, *args: "patched"
        work()
        logging.Formatter.formatTime = original
        handler.formatter._style._fmt = "{{message}} {{levelname}}"
        work()
        Own.usesTime = lambda self: show(self.last) or True
        work()
        handler.setFormatter(logging.Formatter("plain %(message)s"))
        work()
        show(Own.count)
        handler.close()
        if "{to}" == "to_file":
            print(open("app.log").read())
        """
    )


def test_a_formatter_that_says_it_is_false_is_as_good_as_none(same):
    same(
        """
        class Counting(logging.Formatter):
            def __len__(self):
                return len(lengths) and lengths.pop()
            def format(self, record):
                return "own " + super().format(record)
        lengths = [1, 0, 1]
        logger = logging.getLogger("app")
        logger.propagate = False
        to_stdout(logger).setFormatter(Counting("%(message)s"))
        for number in range(5):
            logger.warning("m %d", number)
        """,
        prints="own m 0\nm 1\nown m 2\nm 3\n",
    )


def test_names_of_levels_are_asked_for_once_for_each_record(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(levelname)s %(message)s")
        original = logging.getLevelName
        def traced(level):
            print("asked for", level)
            return original(level)
        logging.getLevelName = traced
        # Each gives up the native way at another point.
        for message, args in [("plain", ()), ("lone " + chr(0xD800), ()), ("%d", ("no number",))]:
            for level in (20, 30, 35):
                logger.log(level, message, *args)
        """
    )


@pytest.mark.parametrize("owner", ["logging.Logger", "logger"])
def test_caller_where_methods_call_those_that_they_replace(same, owner):
    same(
        f"""
        logger = logging.getLogger("app")
        adapter = logging.LoggerAdapter(logger, {{}})
        logger.propagate = False
        to_stdout(logger, "%(funcName)s %(lineno)d %(message)s")
        to_stdout(logging.root, "%(funcName)s %(lineno)d %(message)s")
        class Nested(logging.Handler):
            def emit(self, record):
                if record.msg != "nested": logger.error("nested")
        def traced(function):
            def replacement(*args, **kwargs):
                return function(*args, **kwargs)
            return replacement
        def inner(level):
            logger.error("error", stacklevel=level)
            logger.log(40, "log", stacklevel=level)
            adapter.error("adapter", stacklevel=level)
            adapter.log(40, "adapter's log", stacklevel=level)
            try: raise KeyError("x")
            except KeyError: logger.exception("exception", exc_info=False, stacklevel=level)
            logger.info("off", stacklevel=level)
            logging.error("root", stacklevel=level)
        def outer(level): inner(level)
        for names in (
            ["error"], ["_log"], ["error", "_log"], ["exception"], ["exception", "error", "_log"], ["log"], ["findCaller"],
            ["findCaller", "error"], ["makeRecord", "handle"], ["isEnabledFor"], ["callHandlers", "_log"], [],
        ):
            owner = {owner}
            before = {{name: vars(owner).get(name) for name in names}}
            for name in names: setattr(owner, name, traced(getattr(owner, name)))
            show(names)
            for level in (1, 2, 3, 4, 5, 6, 7, 50):
                outer(level)
            nested = Nested()
            logger.addHandler(nested)
            outer(1)
            logger.removeHandler(nested)
            for name, function in before.items():
                if function is None: delattr(owner, name)
                else: setattr(owner, name, function)
        """
    )
