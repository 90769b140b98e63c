"""Programs that do to ``logging`` what nobody expects of them, and that work on the standard library."""


def test_methods_are_replaced_by_any_callable(same):
    same(
        """
from prelude import use
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
        """
from prelude import use
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
        """
from prelude import use
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
        """
from prelude import use
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
        """
from prelude import use
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
        """
from prelude import use
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
