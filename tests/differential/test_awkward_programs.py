"""Programs that do to ``logging`` what nobody expects of them, and that work on the standard library."""

import pytest

CALLS = """
def use(logger):
    for call in (
        lambda: logger.info("info %s", 1), lambda: logger.warning("%s", "warning", extra={"own": 1}),
        lambda: logger.error("error", exc_info=ValueError("given")), lambda: logger.log(35, sys),
        lambda: logger.isEnabledFor(10), lambda: logger.getChild("child").error("child"), lambda: logger.hasHandlers(),
    ):
        try: show(call())
        except Exception as error: show(type(error).__name__, str(error))
"""


def test_subclasses_have_slots(same):
    same(
        CALLS
        + """
class Logger(logging.Logger):
    __slots__ = ("own", "__weakref__") if not hasattr(logging.Logger, "__weakref__") else ("own",)
class Handler(logging.StreamHandler):
    __slots__ = ("seen",)
    def emit(self, record):
        self.seen = getattr(self, "seen", 0) + 1
        super().emit(record)
class Plain(logging.StreamHandler):
    __slots__ = ("seen",)
class Record(logging.LogRecord):
    __slots__ = ("own_too",)
class Formatter(logging.Formatter):
    __slots__ = ()
class Filter(logging.Filter):
    __slots__ = ("kept",)
class Adapter(logging.LoggerAdapter):
    __slots__ = ("kept",)
logging.setLoggerClass(Logger)
for factory in (logging.LogRecord, Record):
    logging.setLogRecordFactory(factory)
    for handler_class in (Handler, Plain):
        logger = logging.getLogger(factory.__name__ + handler_class.__name__)
        handler = handler_class(sys.stdout)
        handler.setFormatter(Formatter("%(name)s %(levelname)s %(message)s"))
        handler.addFilter(Filter())
        logger.addHandler(handler)
        logger.setLevel(5)
        logger.own = handler.seen = 0
        use(logger)
        use(Adapter(logger, {"a": 1}))
        show(logger.own, handler.seen, sorted(set(vars(logger)) - {"_cache"}), "seen" in vars(handler))
"""
    )


@pytest.mark.parametrize("kind", ["slot", "property", "class attribute"])
def test_attribute_of_loggers_is_kept_elsewhere(same, kind):
    same(
        CALLS
        + f"""
kind = {kind!r}
def logger_class(name):
    if kind == "slot":
        return type("Logger", (logging.Logger,), {{"__slots__": (name,)}})
    if kind == "class attribute":
        return type("Logger", (logging.Logger,), {{}})
    def get(self): return vars(self)["kept " + name]
    def put(self, value): vars(self)["kept " + name] = value
    return type("Logger", (logging.Logger,), {{name: property(get, put)}})
for name, values in {{
    "level": (20, 40, 0), "handlers": ([], (), [to_stdout()]), "filters": ([], [lambda record: 0], []),
    "disabled": (True, False), "propagate": (False, True), "parent": (None, logging.root), "name": ("x", "y"),
    "_cache": ({{}}, {{30: False}}, {{}}),
}}.items():
    show(name)
    logging.setLoggerClass(logger_class(name))
    logger = logging.getLogger(name + ".inner")
    to_stdout(logging.getLogger(name), "%(name)s %(levelname)s %(message)s")
    to_stdout(logger, "own %(name)s %(message)s")
    use(logger)
    if kind == "class attribute":
        setattr(type(logger), name, vars(logger).pop(name))
        use(logger)
    for value in values:
        setattr(type(logger) if kind == "class attribute" else logger, name, value)
        use(logger)
"""
    )


def test_copies(same):
    same(
        CALLS
        + """
import copy, pickle
logger = logging.getLogger("a")
handler = to_stdout(logger, "%(name)s %(message)s")
use(logger)
twin = copy.copy(logger)
show(twin is logger)
use(twin)
twin.handlers = [to_stdout(None, "twin %(message)s")]
twin.level = 20
use(twin)
use(logger)
attempt(lambda: type(copy.deepcopy(logger)).__name__)
attempt(copy.deepcopy, handler)
attempt(pickle.dumps, handler)
for object in (handler.formatter, logging.Filter("a"), handler.formatter._style, logging.LoggerAdapter(logger, {"a": 1})):
    attempt(lambda: sorted(vars(copy.copy(object))))
    attempt(lambda: sorted(vars(copy.deepcopy(object))))
second = copy.copy(handler)
second.setFormatter(copy.deepcopy(handler.formatter))
second.formatter._style._fmt = "second %(message)s"
logger.addHandler(second)
use(logger)
show(second.lock is handler.lock, second.filters is handler.filters)
handler.filters.append(lambda record: "1" not in str(record.msg))
use(logger)
record = logging.makeLogRecord({"msg": "m %s", "args": (1,), "own": [1], "levelno": 30})
for other in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
    other.args = (2,)
    show(other.getMessage(), record.getMessage(), other.own is record.own, type(other).__name__)
    logger.handle(other)
adapter = copy.copy(logging.LoggerAdapter(logger, {"a": 1}))
use(adapter)
"""
    )


def test_methods_are_replaced_by_any_callable(same):
    same(
        CALLS
        + """
import functools
class Wrapper:
    # As wrapt has them: neither a function nor a method, but it binds.
    def __init__(self, wrapped, instance=None): self.wrapped, self.instance = wrapped, instance
    def __get__(self, instance, owner): return Wrapper(self.wrapped.__get__(instance, owner), instance)
    def __call__(self, *args, **kwargs):
        seen.append(self.instance is not None)
        return self.wrapped(*args, **kwargs)
    def __getattr__(self, attribute): return getattr(self.wrapped, attribute)
def counting(function):
    @functools.wraps(function)
    def replacement(*args, **kwargs):
        seen.append("called")
        return function(*args, **kwargs)
    return replacement
class Bound:
    def __init__(self, function): self.function = function
    def __get__(self, instance, owner):
        return functools.partial(self.function, instance) if instance is not None else self.function
logger = logging.getLogger("a")
handler = to_stdout(logger, "%(asctime).2s %(name)s %(funcName)s %(message)s")
logger.setLevel(1)
adapter = logging.LoggerAdapter(logger, {"a": 1})
seen = []
for path in (
    "Logger.makeRecord", "Logger.callHandlers", "Logger._log", "Logger.info", "Logger.handle", "Logger.isEnabledFor",
    "Logger.getEffectiveLevel", "Logger.findCaller", "Handler.handle", "StreamHandler.emit", "Handler.format",
    "Formatter.format", "Formatter.formatTime", "LogRecord.getMessage", "LogRecord.__init__", "Filterer.filter",
    "Handler.acquire", "LoggerAdapter.process", "Manager.getLogger", "PercentStyle._format",
):
    owner, name = getattr(logging, path.partition(".")[0]), path.partition(".")[2]
    original = vars(owner)[name]
    def with_default(self, *args, own, **kwargs):
        seen.append(own)
        return original(self, *args, **kwargs)
    for replacement in (
        Wrapper(original), counting(original), functools.partialmethod(with_default, own="partial"), Bound(original),
        counting(counting(original)), Wrapper(Wrapper(original)), original,
    ):
        setattr(owner, name, replacement)
        use(logger)
        use(adapter)
        handler.handle(logging.makeLogRecord({"msg": "record", "levelno": 30}))
        show(path, len(seen), seen[:3])
        seen.clear()
"""
    )


def test_the_tree_is_replaced(same):
    same(
        CALLS
        + """
old = logging.getLogger("a")
handler = to_stdout(logging.root, "%(name)s %(levelno)d %(message)s")
use(old)
manager, root = logging.Logger.manager, logging.root
logging.Logger.manager = logging.Manager(logging.root)
logging.Logger.manager.loggerClass = type("Own", (logging.Logger,), {})
new = logging.getLogger("a")
show(new is old, type(new).__name__)
use(new)
use(old)
logging.disable(30)
use(new)
use(old)
logging.disable(0)
logging.root = logging.Logger.root = logging.Logger.manager.root = logging.RootLogger(40)
fresh = logging.getLogger("b.c")
show(fresh.parent is logging.root, logging.getLogger() is logging.root, logging.getLogger("root") is logging.root)
use(fresh)
logging.root.addHandler(handler)
use(fresh)
for call in (logging.info, logging.warning, logging.error):
    call("root %s", "called")
logging.Logger.manager, logging.root, logging.Logger.root = manager, root, root
use(old)
logging.Logger.manager.loggerDict.clear()
use(old)
show(logging.getLogger("a") is old)
logging.Logger.manager.loggerDict["x.y"] = "no logger"
attempt(lambda: logging.getLogger("x.y.z").name)
attempt(lambda: logging.getLogger("x").name)
"""
    )


def test_the_lists_of_handlers_are_emptied(same):
    same(
        CALLS
        + """
import gc
logger = logging.getLogger("a")
handler = to_stdout(logger, "%(message)s")
handler.set_name("one")
file = logging.FileHandler("x.log")
logger.addHandler(file)
logging._handlers.clear()
logging._handlerList.clear()
use(logger)
handler.set_name("two")
show(sorted(logging._handlers), len(logging._handlerList))
del logging._handlerList[:]
logging.shutdown()
logging.shutdown([])
logging._handlerList = []
third = logging.StreamHandler(sys.stdout)
show(len(logging._handlerList))
logging._handlers = {}
third.name = "three"
show(sorted(logging._handlers))
handler.close()
file.close()
use(logger)
logging.basicConfig(handlers=[third], force=True, format="%(message)s")
use(logger)
logging.root.handlers[:] = []
del third
gc.collect()
show(len(logging._handlerList), sorted(logging._handlers))
use(logging.getLogger("b"))
"""
    )


def test_values_have_unusual_classes(same):
    same(
        CALLS
        + """
import enum, collections
class Level(enum.IntEnum):
    LOW, HIGH = 10, 40
class Text(str):
    def __str__(self): return "own text"
class Loggers(logging.Logger):
    def __bool__(self): return self.name != "falsy"
class List(list):
    def __iter__(self): return reversed(list(super().__iter__()))
    def __len__(self): return super().__len__()
class Names(dict):
    def get(self, key, default=None): return "own" if key == 20 else super().get(key, default)
logging.setLoggerClass(Loggers)
falsy = logging.getLogger("falsy")
to_stdout(falsy, "%(name)s %(levelname)s %(message)s")
use(falsy)
use(logging.getLogger("falsy.child"))
logger = logging.getLogger(Text("text"))
first, second = to_stdout(logger, "first %(name)s %(message)s"), to_stdout(logger, "second %(levelname)s")
for level in (Level.LOW, Level.HIGH, 10.5, True, "INFO"):
    attempt(logger.setLevel, level)
    use(logger)
    logger.level = level
    logger._cache.clear()
    use(logger)
    logger.level = 10
    logger._cache.clear()
    first.level = level
    use(logger)
    first.level = 0
logger.log(Level.HIGH, "m")
logger.handlers = List(logger.handlers)
use(logger)
logger.handlers = collections.deque([second])
use(logger)
logger.handlers = [first]
logger.filters = List([lambda record: print("one") or True, lambda record: print("two") or True])
use(logger)
logger.filters = {logging.Filter("text")}
use(logger)
logging._levelToName = Names(logging._levelToName)
second.formatter._style._fmt = "%(levelname)s"
logger.addHandler(second)
use(logger)
first.formatter = lambda record: "callable"
use(logger)
first.formatter = type("Formatter", (), {"format": lambda self, record: "duck " + record.getMessage()})()
use(logger)
"""
    )


def test_code_has_unusual_places(same):
    same(
        """
import linecache, os, types, zipfile
logger = logging.getLogger("a")
to_stdout(logger, "%(pathname)s|%(filename)s|%(module)s|%(lineno)d|%(funcName)s|%(message)s")
source = '''
def call(logger, error=None):
    try:
        if error: raise error
        logger.warning("plain")
    except ValueError:
        logger.exception("failed")
'''
with zipfile.ZipFile("app.zip", "w") as archive:
    archive.writestr("zipped/__init__.py", source)
    archive.writestr("zipped/inner.py", "from zipped import call\\n" + source.replace("call", "other"))
sys.path.insert(0, "app.zip")
import zipped, zipped.inner
for function in (zipped.call, zipped.inner.call, zipped.inner.other):
    for _ in range(2):
        function(logger)
        function(logger, ValueError("in a zip"))
for name in ("<string>", "<frozen app>", "", "no suffix", "/", "a/b.c.py", "\\ud800.py", "\\u00e9.py", "C:\\\\x\\\\y.py"):
    namespace = {"__name__": "made"}
    attempt(lambda: exec(compile(source, name, "exec"), namespace))
    for _ in range(2):
        attempt(namespace["call"], logger)
        attempt(namespace["call"], logger, ValueError("made"))
linecache.cache["made.py"] = (len(source), None, source.splitlines(True), "made.py")
exec(compile(source, "made.py", "exec"), namespace)
namespace["call"](logger, ValueError("in the cache"))
code = zipped.call.__code__
renamed = types.FunctionType(code.replace(co_name="<odd name>", co_firstlineno=1000), vars(zipped))
renamed(logger, None)
renamed(logger, ValueError("renamed"))
os.remove("app.zip")
        """
    )


def test_logging_is_loaded_again(same):
    same(
        CALLS
        + """
import importlib
old = logging.getLogger("a")
kept = to_stdout(old, "old %(name)s %(message)s")
use(old)
old_class = logging.Logger
importlib.reload(logging)
use(old)
new = logging.getLogger("a")
show(new is old, logging.Logger is old_class)
to_stdout(new, "new %(name)s %(message)s")
use(new)
new.addHandler(kept)
use(new)
logging.warning("root")
""",
        ways=("standard", "installed"),
    )


def test_logging_is_imported_anew(same):
    same(
        CALLS
        + """
old = logging.getLogger("a")
to_stdout(old, "old %(name)s %(message)s")
use(old)
kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "logging"}
for name in kept: del sys.modules[name]
import logging as fresh, logging.handlers, logging.config
show(fresh is kept["logging"])
use(old)
logger = fresh.getLogger("a")
handler = fresh.StreamHandler(sys.stdout)
handler.setFormatter(fresh.Formatter("fresh %(name)s %(message)s"))
logger.addHandler(handler)
logger.warning("m %s", 1)
sys.modules.update(kept)
use(old)
""",
        ways=("standard", "installed"),
    )


def test_classes_of_the_module_are_replaced(same):
    same(
        CALLS
        + """
logger = logging.getLogger("a")
handler = to_stdout(logger, "%(name)s %(message)s")
for name in ("LogRecord", "Formatter", "StreamHandler", "Logger", "Filter", "LoggerAdapter", "PercentStyle", "Handler"):
    kept = getattr(logging, name)
    own = type("Own" + name, (kept,), {})
    for replacement in (own, type("Second", (own,), {}), kept):
        setattr(logging, name, replacement)
        use(logger)
        attempt(lambda: type(logging.makeLogRecord({"msg": "m"})).__name__)
        attempt(lambda: type(logging.getLogger(name + "." + str(id(replacement) % 3))).__name__ in ("Logger", "OwnLogger"))
        made = []
        attempt(lambda: made.append(logging.StreamHandler(sys.stdout)))
        attempt(lambda: made[0].setFormatter(logging.Formatter("made %(message)s")))
        attempt(lambda: logger.addHandler(made[0]))
        use(logger)
        attempt(lambda: use(logging.LoggerAdapter(logger, {"a": 1})))
        attempt(lambda: logging.Formatter("%(message)s").format(logging.makeLogRecord({"msg": "m %s", "args": (1,)})))
        attempt(lambda: logging.Filter("a").filter(logging.makeLogRecord({"name": "a.b"})))
        attempt(lambda: logging.basicConfig(force=True, stream=sys.stdout, format="root %(message)s"))
        attempt(lambda: logging.error("m"))
        if made: logger.removeHandler(made[0])
"""
    )
