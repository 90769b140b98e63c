"""``LogRecord``, its factories and ``makeLogRecord``; ``extra``, ``exc_info``, ``stack_info``, ``stacklevel``."""

import pytest

# Shows every field of a record except those that change with each run.
SHOW_FIELDS = """
def fields(record):
    changing = ("created", "msecs", "relativeCreated", "thread", "process", "pathname", "exc_info")
    for name, value in vars(record).items():
        show(name, type(value).__name__ if name in changing else ascii(value))
class Fields(logging.Handler):
    def emit(self, record):
        fields(record)
"""


def with_fields(program):
    return SHOW_FIELDS + "\n".join(line.removeprefix("        ") for line in program.splitlines())


def test_fields_of_a_record_and_their_order(same):
    same(
        with_fields(
            """
        logger = logging.getLogger("app")
        logger.addHandler(Fields())
        logger.warning("m %s", 1)
        logger.error("m", extra={"user": 1}, stack_info=True)
        try:
            1 / 0
        except ZeroDivisionError:
            logger.exception("m")
        fields(logging.LogRecord("n", 20, "/path/to/file.py", 7, "m %d", (1,), None, "func", "stack"))
        fields(logging.makeLogRecord({"msg": "m", "own": 1, "levelno": "odd", 5: 6}))
        """
        ),
        prints="user 1",
    )


def test_args_that_are_a_mapping_or_empty(same):
    same(
        """
        import collections, types
        logger = logging.getLogger("app")
        to_stdout(logger, "%(message)s")
        class Keep(logging.Handler):
            def emit(self, record):
                show(ascii(record.args), type(record.args).__name__)
        logger.addHandler(Keep())
        logger.warning("%(a)s", {"a": 1})
        logger.warning("%s", {"a": 1})
        logger.warning("%(a)s", collections.OrderedDict(a=1))
        logger.warning("%(a)s", types.MappingProxyType({"a": 1}))
        logger.warning("%(a)s", collections.ChainMap({"a": 1}))
        logger.warning("no args %s")
        logger.warning("%s", {})
        logger.warning("%s", ())
        logger.warning("%s", (1, 2))
        logger.warning("%s", [])
        logger.warning("%s", None)
        logger.warning("%d%%", 5)
        logger.warning("100%")
        logger.warning("100%", *())
        """
    )


def test_extra_that_clashes(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(message)s")
        for key in ("message", "asctime", "name", "msg", "args", "levelname", "lineno", "taskName", "process",
                    "exc_info", "exc_text", "own", "__class__", "getMessage", ""):
            attempt(logger.warning, "m", extra={key: 1})
        for extra in (None, {}, 5, "text", [("a", 1)], {1: 2}, {None: 1}):
            attempt(logger.warning, "m", extra=extra)
        attempt(logger.debug, "disabled", extra={"message": 1})
        """,
        prints="Attempt to overwrite",
    )


@pytest.mark.parametrize("setting", ["logThreads", "logMultiprocessing", "logProcesses", "logAsyncioTasks"])
def test_switches_of_the_module(same, setting):
    same(
        with_fields(
            f"""
        logger = logging.getLogger("app")
        logger.addHandler(Fields())
        to_stdout(logger, "%(thread)s" if "{setting}" != "logThreads" else "%(threadName)s %(thread)s").setFormatter(None)
        logging.{setting} = False
        logger.warning("m")
        logging.{setting} = True
        logger.warning("m")
        vars(logging)["{setting}"] = False
        logger.warning("m")
        from unittest import mock
        with mock.patch.object(logging, "{setting}", 1):
            logger.warning("m")
        logger.warning("m")
        """
        )
    )


def test_odd_exc_info(same):
    same(
        """
        logger = logging.getLogger("app")
        logger.propagate = False
        to_stdout(logger, "%(message)s")
        error = ValueError("value")
        for exc_info in (True, 1, False, 0, None, error, (ValueError, error, None), (None, None, None), (), "text",
                         sys.exc_info(), [], (1, 2), (1, 2, 3), ValueError, 1.5):
            attempt(logger.error, "m", exc_info=exc_info)
        try:
            raise error
        except ValueError:
            for exc_info in (True, 1, "yes", error, sys.exc_info(), KeyError("other"), (), False):
                attempt(logger.error, "m", exc_info=exc_info)
        attempt(logger.exception, "no exception")
        attempt(logger.exception, "none", exc_info=False)
        """
    )


def test_exceptions_with_cause_context_group_and_notes(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(message)s")
        def fail(depth):
            if depth:
                return fail(depth - 1)
            raise KeyError("deep\\u00e9")
        try:
            try:
                fail(2)
            except KeyError as error:
                raise ValueError("two\\nlines") from error
        except ValueError:
            logger.exception("cause")
        try:
            try:
                fail(0)
            except KeyError:
                raise ValueError
        except ValueError as error:
            logger.exception("context")
            error.__suppress_context__ = True
            logger.exception("suppressed")
        try:
            fail(20)
        except KeyError:
            logger.exception("repeated frames")
        try:
            compile("a b", "<source>", "exec")
        except SyntaxError:
            logger.exception("syntax")
        class Odd(Exception):
            def __str__(self):
                raise RuntimeError("no text")
        try:
            raise Odd
        except Odd:
            logger.exception("no text")
        if sys.version_info >= (3, 11):
            try:
                error = ExceptionGroup("group", [ValueError(1), ExceptionGroup("inner", [KeyError("k")])])
                error.add_note("a note")
                raise error
            except ExceptionGroup:
                logger.exception("group")
        """,
        prints="The above exception was the direct cause",
    )


@pytest.mark.parametrize("level", [1, 2, 3, 5, 1000, True, "2", 1.5, None])
def test_stacklevel(same, level):
    same(
        f"""
        logger = logging.getLogger("app")
        to_stdout(logger, "%(funcName)s:%(lineno)d %(message)s")
        def inner():
            attempt(logger.warning, "m", stacklevel={level!r})
            logger.warning("m", stacklevel={level!r}, stack_info=True)
        def middle():
            inner()
        def outer():
            middle()
        try:
            outer()
        except Exception as error:
            show(type(error).__name__, error)
        """
    )


@pytest.mark.parametrize("level", [0, -1, -1000, False])
def test_stacklevel_below_one(same, level):
    # From 3.11 on the standard library then names a frame of its own, which native code does not have.
    same(
        f"""
        logger = logging.getLogger("app")
        to_stdout(logger, "%(message)s %(funcName)s" if sys.version_info < (3, 11) else "%(message)s")
        def inner():
            logger.warning("m", stacklevel={level!r})
        inner()
        """
    )


def test_record_factories(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(message)s")
        class Special(logging.LogRecord):
            def getMessage(self):
                return "special " + super().getMessage()
        logging.setLogRecordFactory(Special)
        logger.warning("m %d", 1)
        show(logging.getLogRecordFactory() is Special, type(logging.makeLogRecord({})).__name__)
        def factory(name, level, fn, lno, msg, args, exc_info, func=None, sinfo=None, **kwargs):
            show(name, level, msg, args, exc_info, func, sinfo, kwargs)
            return logging.LogRecord(name, level, fn, lno, msg, args, exc_info, func, sinfo, **kwargs)
        logging.setLogRecordFactory(factory)
        logger.warning("m %d", 2)
        logging.setLogRecordFactory(lambda *args, **kwargs: None)
        attempt(logger.warning, "m")
        logging.setLogRecordFactory(5)
        attempt(logger.warning, "m")
        logging._logRecordFactory = logging.LogRecord
        logger.warning("back")
        """,
        prints="special m 1",
    )


def test_records_that_code_changes(same):
    same(
        """
        import copy, pickle, weakref
        record = logging.LogRecord("n", 20, "/path/file.py", 7, "m %d", (1,), None)
        show(record, str(record), record.getMessage())
        record.msg, record.args = "changed %s %s", (1, 2)
        show(record.getMessage())
        record.__dict__.update(levelname="ODD", own=1)
        formatter = logging.Formatter("%(levelname)s %(own)s %(message)s")
        show(formatter.format(record), record.message)
        record.getMessage = lambda: "replaced"
        show(formatter.format(record))
        del record.getMessage, record.levelname
        attempt(formatter.format, record)
        copied = copy.copy(record)
        copied.msg = "copy"
        show(copied.msg, record.msg, sorted(vars(copied)) == sorted(vars(record)))
        loaded = pickle.loads(pickle.dumps(record))
        show(type(loaded).__name__, loaded.msg, sorted(vars(loaded)) == sorted(vars(record)))
        show(weakref.ref(record)() is record, logging.makeLogRecord(record.__dict__).msg)
        class Special(logging.LogRecord):
            def getMessage(self):
                return "by the class"
        record.__class__ = Special
        record.levelname = "X"
        show(formatter.format(record), type(record).__name__)
        record.__dict__ = {"msg": "bare", "args": None}
        show(record.getMessage())
        """,
        prints="X 1 by the class",
    )


def test_reentrant_repr_and_str(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(message)s")
        class Chatty:
            def __init__(self, depth):
                self.depth = depth
            def __repr__(self):
                if self.depth:
                    logger.warning("inside %r", Chatty(self.depth - 1))
                return f"chatty {self.depth}"
            __str__ = __repr__
        logger.warning("outer %r", Chatty(3))
        logger.warning("outer %s %5s", Chatty(2), Chatty(1))
        logger.warning(Chatty(2))
        class Raising:
            def __str__(self):
                raise RuntimeError("no text")
        logger.propagate = False
        logger.warning("%s", Raising())
        logger.warning(Raising())
        class Clearing:
            def __str__(self):
                logger.handlers.clear()
                return "cleared"
        logger.warning("%s", Clearing())
        logging.lastResort = None
        logger.warning("nobody listens")
        """,
        prints="inside chatty 0",
    )


def test_names_of_levels_and_threads_are_asked_for_where_they_are_told(same):
    same(
        """
        import _thread, threading
        from unittest import mock
        logger = logging.getLogger("app")
        logger.propagate = False
        handler = to_stdout(logger, "%(levelname)s %(threadName)s %(message)s")
        logger.setLevel(10)
        class Quiet(logging.Handler):
            def emit(self, record): print(record.levelname, record.threadName, record.thread == threading.get_ident())
        logger.addHandler(Quiet())
        class Own(threading.Thread):
            name = property(lambda self: "own name", lambda self, value: None)
        class Plain(threading.Thread): pass
        def show(step):
            for _ in range(3): logger.info(step)
            logger.log(33, step)
        def in_thread(step, kind=threading.Thread, **options):
            thread = kind(target=show, args=(step,), **options)
            thread.start()
            thread.join()
        show("plain")
        in_thread("named", name="worker")
        in_thread("own", Own)
        in_thread("plain", Plain, name="subclass")
        threading.current_thread().name = "renamed"
        show("renamed")
        threading.current_thread()._name = "renamed inside"
        show("renamed inside")
        done = threading.Event()
        def foreign():
            show("foreign")
            threading.current_thread().name = "renamed foreign"
            show("foreign")
            done.set()
        _thread.start_new_thread(foreign, ())
        done.wait()
        another = threading.Thread(name="another")
        with mock.patch.object(threading, "current_thread", lambda: another):
            show("current_thread")
        with mock.patch.object(threading.Thread, "name", property(lambda self: "for all")):
            show("property")
        with mock.patch.object(threading, "get_ident", lambda: 12345):
            logger.info("ident")
            threading.current_thread().name = "that of the other identifier"
            show("ident")
        with mock.patch.object(logging, "getLevelName", lambda level: f"level {level}"):
            show("getLevelName")
        with mock.patch.object(logging, "threading", mock.Mock(**{
            "get_ident.return_value": 5, "current_thread.return_value.name": "mocked",
        })):
            show("threading")
        with mock.patch.object(logging, "logThreads", False):
            show("logThreads")
        show("as before")
        """
    )


def test_templates_come_again_with_other_arguments(same):
    same(
        """
path = "again.log"
handler = logging.FileHandler(path, encoding="utf-8")
handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
logger = logging.getLogger("again")
logger.addHandler(handler)
logger.setLevel(1)
logging.raiseExceptions = False
class Text(str):
    def __str__(self):
        return "other"
class Number(int):
    def __str__(self):
        return "another"
templates = ["%s", "a %d b", "%.2f|%s", "100%% of %s", "é %s ü", "%s" * 9, "%s " * 200, "%5d|%s", "%(a)s", "%r", "%", ""]
arguments = [
    (1,), ("x",), (2.5,), (None,), (True,), (-1,), (10**8,), (2**63 - 1,), (-(2**63),), (2**63,), ("é" * 40,),
    (float("nan"),), (float("inf"),), (-0.0,), (-0.001,), (99999.999,), (1e300,), (Text("x"),), (Number(3),), ("\\ud800",),
    ({"a": 1},), (9.5, "y"), ("y", 9.5), (1, 2), (0.5, None), (Number(2), False), tuple(range(9)), ("z",) * 9, (),
]
for _ in range(3):
    for template in templates:
        for given in arguments:
            logger.info(template, *given)
for number in range(600):
    made = "".join(["made ", str(number % 300), " %s"])
    logger.info(made, number)
    logger.info(made, "again")
handler.close()
logger.name = "renamed"
logger.info("%s", 1)
logger.name = "".join(["re", "named again"])
logger.info("%s", 1)
show(open(path, encoding="utf-8", errors="surrogatepass").read())
"""
    )
